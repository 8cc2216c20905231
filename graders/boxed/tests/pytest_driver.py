"""Runs inside the box: a suite of tests that do without Hypothesis. What it says and is asked: pytest_run.py."""

from graders.boxed.tests.pytest_run import OPTIONS, Reporter, run
from graders.boxed.tests.warm_pytest import WarmRun

REPORTER = Reporter()
READY = WarmRun(OPTIONS, [REPORTER])
"""Begun when this is imported, which is before the fork where there is one."""


def main(tests: str, submission: str, prelude: str = "") -> None:
    run(READY, REPORTER, tests, (submission, prelude))
