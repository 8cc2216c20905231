"""Plugins that misbehave before any submission is looked at: where they are imported, checked or made. Which one `ASSAY_TEST_WAY` says."""

import ctypes
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

from graders.interface import Context, Example, Grader, Signal


def misbehave(way: str) -> None:
    match way:
        case "hang":
            while True:
                pass
        case "sleep with everything blocked":
            signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
            time.sleep(1000)
        case "exit":
            os._exit(7)
        case "exit as if all were well":
            os._exit(0)
        case "leave":
            sys.exit(3)
        case "crash":
            ctypes.string_at(0)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "close everything":
            os.closerange(0, 1000)
        case "interrupt":
            raise KeyboardInterrupt
        case "eat":
            eaten = []
            while True:
                eaten.append(bytearray(1 << 24))
        case "leave a thread":
            threading.Thread(target=time.sleep, args=(1000,)).start()
        case "fork":
            if os.fork() == 0:
                time.sleep(2)
                os._exit(9)
        case "say what is no message":
            for fd in range(3, 40):
                try:
                    os.write(fd, b"\xff" * 64)
                except OSError:
                    continue
        case "replace":
            Grader.finding = lambda *_, **__: None  # type: ignore[method-assign]
            sys.modules["graders.registry"].refusals = lambda *_: []  # type: ignore[attr-defined]


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
