"""Progress as a bar on a terminal."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text


class RateColumn(ProgressColumn):
    """Steps a second, over the last half minute."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s", style="progress.data.speed")


class BarProgress:
    def __init__(self, bars: Progress) -> None:
        self._bars = bars

    def start(self, what: str, *, total: int, done: int) -> None:
        self._current = self._bars.add_task(what, total=total, completed=done)

    def advance(self) -> None:
        self._bars.advance(self._current)


@contextmanager
def progress_bar(stream: TextIO) -> Iterator[BarProgress]:
    """A bar for each phase, with rate and time left."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), RateColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=stream)) as bars:
        yield BarProgress(bars)
