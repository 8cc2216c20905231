"""In the form of HumanEval: `check` is called with the function of the submission."""

METADATA = {"author": "assay", "dataset": "examples"}


def check(candidate):
    assert candidate([-41]) == -41
    assert candidate([10, 3]) == 6.5
    assert candidate([31, 20, 11]) == 20
    assert candidate([66, 5, 57]) == 57
    assert candidate([17, 99, 25]) == 25
    assert candidate([77, 53, 30, 21]) == 41.5
    assert candidate([100, 9, 23, 1000, 11]) == 23
    assert candidate([5, 40, 300, 2000]) == 170
    assert candidate([-3, -9, -27, -81, -6]) == -9
    assert candidate([18, 6, 6, 18, 18, 6]) == 12
    assert abs(candidate([0.1, 0.7, 0.3, 0.2]) - 0.25) < 1e-9
    assert all(type(candidate([x])) in (int, float) for x in (0, 0.5, -7))
