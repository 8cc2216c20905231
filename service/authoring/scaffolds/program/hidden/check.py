"""`candidate` is the function of the submission that task.toml names."""


def check(candidate):
    assert candidate([1, 2]) == 1
    assert candidate([7, 9, 8, 1]) == 8
    assert candidate([6, 2, 6]) == 2
    assert candidate([-1, -5, -3]) == -3
    assert candidate([0.5, 0.25, 0.5]) == 0.25
    assert candidate([4, 3, 2, 1]) == 3
    for numbers in ([], [3], [3, 3, 3]):
        try:
            candidate(numbers)
        except ValueError:
            continue
        raise AssertionError(f"no ValueError for {numbers}")
