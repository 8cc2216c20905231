"""Runs pytest ahead of a fork to warm up the interpreter, and removes the traces of the run.

Imported modules stay, and so does code that the interpreter has specialized.

No test in the rehearsal takes a temporary folder, because there is no place for files yet. No test is a property
either: Hypothesis keeps more process state than this module could restore.
"""

import linecache
import sys
from collections.abc import Sequence
from contextlib import suppress

import pytest

from graders.boxed.tests.pytest_run import Reporter
from graders.boxed.tests.warm_pytest import NO_TESTS, WarmRun

TIMES = 3
"""Runs after which the interpreter specializes hardly any more code."""


class Listener(Reporter):
    """Discards the reports."""

    def answer(self, **fields: object) -> None:
        pass


def rehearse(options: Sequence[str]) -> None:
    """Run pytest with these options `TIMES` times."""
    for _ in range(TIMES):
        _run(options)


def _run(options: Sequence[str]) -> None:
    writing, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    modules = set(sys.modules)
    listener = Listener()
    listener.question = {"tests": None}
    ready = WarmRun(options, [listener])
    status = ready.run(NO_TESTS)
    ready.close()
    if status != pytest.ExitCode.TESTS_FAILED:
        raise RuntimeError(f"the rehearsal of pytest ended with {status}")
    for name in set(sys.modules) - modules:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(NO_TESTS):
            del sys.modules[name]
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        with suppress(AttributeError):
            delattr(sys, name)
    linecache.clearcache()
    sys.dont_write_bytecode = writing
