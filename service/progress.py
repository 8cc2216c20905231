"""How far a long command is, on stderr: a bar on a terminal, now and then a line elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

SECONDS_BETWEEN_LINES = 5.0


class Progress(Protocol):
    """One phase after the other; a phase ends where the next one starts."""

    def start(self, what: str, *, total: int, done: int) -> None:
        """Begin a phase of `total` steps, of which `done` were done by an earlier command."""
        ...

    def advance(self) -> None:
        """One more step is done."""
        ...


class LineProgress:
    """Plain lines, at most one every SECONDS_BETWEEN_LINES, and one at the end of each phase: for logs."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock

    def start(self, what: str, *, total: int, done: int) -> None:
        self._what, self._total, self._done, self._kept = what, total, done, done
        self._started = self._said = self._clock()
        if done:
            self._stream.write(f"{what}: {done} of {total} are there already\n")

    def advance(self) -> None:
        self._done += 1
        now = self._clock()
        if self._done == self._total or now - self._said >= SECONDS_BETWEEN_LINES:
            self._said = now
            rate = (self._done - self._kept) / max(now - self._started, 1e-3)
            left = f", {(self._total - self._done) / rate:.0f} s left" if self._done < self._total else ""
            self._stream.write(f"{self._what}: {self._done} of {self._total} ({rate:.1f}/s{left})\n")
            self._stream.flush()


@contextmanager
def shown_progress(stream: TextIO = sys.stderr) -> Iterator[Progress]:
    """Progress as suits the stream; what it drew is finished on leaving."""
    if not stream.isatty():
        yield LineProgress(stream)
        return
    from service.progress_bar import progress_bar  # rich costs a tenth of a second, which `--help` need not pay

    with progress_bar(stream) as progress:
        yield progress
