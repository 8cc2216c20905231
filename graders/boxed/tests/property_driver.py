"""Runs inside the box: a suite of tests of which some are properties. pytest_run.py has the protocol.

It is separate from pytest_driver.py because an interpreter with Hypothesis in it costs a third more to fork.
"""

from typing import Any

from graders.boxed.examiner import anew, reference_importer
from graders.boxed.examiner.hypothesis_plugin import Properties
from graders.boxed.tests.pytest_run import OPTIONS, Reporter, run
from graders.boxed.tests.warm_pytest import WarmRun

PROPERTY_OPTIONS = (*OPTIONS, "-p", "_hypothesis_pytestplugin")
REPORTER = Reporter()
READY = WarmRun(PROPERTY_OPTIONS, [REPORTER])
"""Begun on import, which is before the fork if the interpreter is forked."""


def prepare(question: dict[str, Any], submission: str) -> None:
    asked = question["properties"]
    READY.add(Properties(asked["seed"], asked["max_examples"], question["seconds"], reference_importer.NAME))
    if asked["anew"]:
        if REPORTER.examiner is not None:
            REPORTER.examiner.line.gives_copies = True
        else:
            anew.install(asked["entry"])
    if asked["reference"] is not None:
        reference_importer.install(reference_importer.NAME, asked["reference"], submission)


def main(tests: str, submission: str, prelude: str = "") -> None:
    run(READY, REPORTER, tests, (submission, prelude), prepare)
