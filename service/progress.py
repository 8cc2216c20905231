"""How far a long command is, on stderr: a bar on a terminal, now and then a line elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

import rich.progress
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

SECONDS_BETWEEN_LINES = 5.0


class Progress(Protocol):
    """One phase after the other; a phase ends where the next one starts."""

    def start(self, what: str, *, total: int, done: int) -> None:
        """Begin a phase of `total` steps, of which `done` were done by an earlier command."""
        ...

    def advance(self) -> None:
        """Count one more step as done."""
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


class RateColumn(ProgressColumn):
    """Steps a second, over the last half minute."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s", style="progress.data.speed")


class BarProgress:
    """A bar for each phase, with rate and time left."""

    def __init__(self, bars: rich.progress.Progress) -> None:
        self._bars = bars

    def start(self, what: str, *, total: int, done: int) -> None:
        self._current = self._bars.add_task(what, total=total, completed=done)

    def advance(self) -> None:
        self._bars.advance(self._current)


@contextmanager
def shown_progress(stream: TextIO) -> Iterator[Progress]:
    """Yield a progress display that suits the stream, and finish its drawing at the end."""
    if not stream.isatty():
        yield LineProgress(stream)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), RateColumn(), TimeRemainingColumn())
    with rich.progress.Progress(*columns, console=Console(file=stream)) as bars:
        yield BarProgress(bars)
