"""For what is imported ahead of a fork: pytest runs, and what it learnt stays, while what it left is gone.

It stays that everything is imported and that the interpreter has specialized what runs often.

No test in it takes a temporary folder, because there is no place for a file yet. No test is a property either: hypothesis
keeps more state of a process than could be put back.
"""

import linecache
import sys
from collections.abc import Sequence
from contextlib import suppress

import pytest

from graders.boxed.tests.pytest_run import Reporter
from graders.boxed.tests.warm_pytest import NO_TESTS, WarmRun

TIMES = 3
"""After so many the interpreter specializes hardly anything more."""


class Listener(Reporter):
    """Reports to nobody."""

    def answer(self, **fields: object) -> None:
        pass


def rehearse(options: Sequence[str]) -> None:
    """Run pytest with these options, often enough."""
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
