"""Runs inside the box: a suite of tests without Hypothesis. pytest_run.py has the protocol."""

from graders.boxed.tests.pytest_run import OPTIONS, Reporter, run
from graders.boxed.tests.warm_pytest import WarmRun

REPORTER = Reporter()
READY = WarmRun(OPTIONS, [REPORTER])
"""Begun on import, which is before the fork if the interpreter is forked."""


def main(tests: str, submission: str, prelude: str = "") -> None:
    run(READY, REPORTER, tests, (submission, prelude))
