"""Plugins that misbehave before any submission is looked at: where they are imported, checked or made. Which one `ASSAY_TEST_WAY` says."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

from graders.interface import Context, Example, Grader, Signal


def _hang() -> None:
    while True:
        pass


def _sleep() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    time.sleep(1000)


def _interrupt() -> None:
    raise KeyboardInterrupt


def _eat() -> None:
    eaten = []
    while True:
        eaten.append(bytearray(1 << 24))


def _fork() -> None:
    if os.fork() == 0:
        time.sleep(2)
        os._exit(9)


def _say() -> None:
    for fd in range(3, 1 << 16):
        with suppress(OSError):
            os.write(fd, b"\xff" * 64)


def _replace() -> None:
    Grader.finding = lambda *_, **__: None  # type: ignore[method-assign,assignment,misc]
    sys.modules["graders.plugins.registry"].refusals = lambda *_: []  # type: ignore[attr-defined]


WAYS: dict[str, Callable[[], object]] = {
    "": lambda: None,
    "hang": _hang,
    "sleep with everything blocked": _sleep,
    "exit": lambda: os._exit(7),
    "exit as if all were well": lambda: os._exit(0),
    "leave": lambda: sys.exit(3),
    "crash": lambda: ctypes.string_at(0),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "stop": lambda: os.kill(os.getpid(), signal.SIGSTOP),
    "close everything": lambda: os.closerange(0, 1 << 16),
    "interrupt": _interrupt,
    "eat": _eat,
    "leave a thread": lambda: threading.Thread(target=time.sleep, args=(1000,)).start(),
    "fork": _fork,
    "say what is no message": _say,
    "replace": _replace,
}


def misbehave(way: str) -> None:
    WAYS[way]()


if os.environ.get("ASSAY_TEST_PLACE") == "import":
    misbehave(os.environ["ASSAY_TEST_WAY"])


@dataclass(frozen=True)
class AtImport(Grader):
    """Looks at nothing, if it comes to that."""

    id, version, criterion = "acme/at-import", "1", "best_practices"
    examples = (Example("x = 1\n"),)

    way: str = ""

    def __post_init__(self) -> None:
        if os.environ.get("ASSAY_TEST_PLACE") == "check":
            misbehave(os.environ["ASSAY_TEST_WAY"])
        if self.way == "say no":
            raise ValueError("no")
        misbehave(self.way)

    def grade(self, context: Context) -> Iterator[Signal]:
        yield from ()
