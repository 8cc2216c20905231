"""evalplus: what `evalplus.evaluate` does for each sample, in a process of its own without isolation."""

import ast

import serving
from evalplus.eval import PASS, untrusted_check


def main() -> None:
    job = serving.job()
    inputs = [[ast.literal_eval(given)] for given, _ in job["cases"]]
    expected = [ast.literal_eval(wanted) for _, wanted in job["cases"]]

    def evaluate() -> bool:
        status, details = untrusted_check(
            dataset="humaneval", code=job["solution"], inputs=inputs, entry_point="merge_intervals", expected=expected,
            atol=0, ref_time=[0.001] * len(inputs),
        )  # fmt: skip
        return status == PASS and len(details) == len(inputs) and all(details)

    serving.serve(evaluate)


if __name__ == "__main__":
    main()
