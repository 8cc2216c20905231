"""Imported ahead of a fork: pytest has run by then, and what it learnt stays, while what it left is gone.

It stays that everything is imported and that the interpreter has specialized what runs often.

Nothing is captured by descriptor in a rehearsal and no test in it takes a temporary folder, because there is no place for
a file yet. No test is a property either: hypothesis keeps more state of a process than could be put back. But its tables of
characters are made here, which would take a second in each box whose tests ask for a text.
"""

import io
import json
import linecache
import os
import sys
from contextlib import suppress
from types import SimpleNamespace

import pytest
from hypothesis.configuration import set_hypothesis_home_dir
from hypothesis.internal import charmap

from graders.harness.pytest_driver import OPTIONS, Reporter
from graders.harness.pytest_ready import NO_TESTS, Ready

TIMES = 3
"""After so many the interpreter specializes hardly anything more."""


class Listener(Reporter):
    """Reports to nobody."""

    def answer(self, **fields: object) -> None:
        pass


def rehearse() -> None:
    writing, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    modules = set(sys.modules)
    listener = Listener()
    listener.question = {"tests": None}
    status = Ready((*OPTIONS, "--capture=sys"), [listener]).run(NO_TESTS, seconds=10)
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


def make_tables() -> None:
    """What hypothesis would look for on disk, then compute, and keep."""
    set_hypothesis_home_dir(os.devnull)  # nothing can be written under it
    charmap.charmap()
    charmap.categories()
    # Its own way for utf-8 takes 200 MB for a moment, to find that all can be encoded but the surrogates.
    table = json.dumps([[[0, 0xD7FF], [0xE000, sys.maxunicode]], []]).encode()
    module = vars(charmap)
    gzip, module["gzip"] = module["gzip"], SimpleNamespace(GzipFile=lambda _: io.BytesIO(table))
    charmap.intervals_from_codec("utf-8")
    module["gzip"] = gzip
    set_hypothesis_home_dir(None)


make_tables()
for _ in range(TIMES):
    rehearse()
