"""Rounds over all contenders, so that what disturbs the machine hits each of them alike."""

import math
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from contenders import Contender
from engine import Engine

LEAST = 2
"""Evaluations of a contender in a round."""


@dataclass(slots=True)
class Taken:
    """The measurements of one contender."""

    rounds: list[float] = field(default_factory=list)
    """CPU milliseconds per evaluation, a number for each round."""
    walls: list[float] = field(default_factory=list)
    """Wall milliseconds of each evaluation, as its caller waits for it."""

    @property
    def cpu_ms(self) -> float:
        return median(self.rounds)

    def ratio(self, other: "Taken") -> float:
        """How many times the CPU of the other it takes: the median over rounds, each compared within itself."""
        return median(mine / theirs for mine, theirs in zip(self.rounds, other.rounds, strict=True))


def share(values: Sequence[float], part: float) -> float:
    """The value that this part of them do not exceed."""
    return sorted(values)[max(0, math.ceil(part * len(values)) - 1)]


def rounds(engine: Engine, contenders: Sequence[Contender], *, repeat: int, seconds: float) -> Mapping[str, Taken]:
    """CPU and wall of each contender, in `repeat` rounds of about `seconds` (or `LEAST` evaluations) for each."""
    counts = {contender.name: _count(contender, seconds) for contender in contenders}
    taken = {contender.name: Taken() for contender in contenders}
    for _ in range(repeat):
        for contender in contenders:
            count = counts[contender.name]
            before = engine.settle()
            for _ in range(count):
                taken[contender.name].walls.append(_timed(contender) * 1e3)
            taken[contender.name].rounds.append((engine.settle() - before) / count * 1e3)
    return taken


def _count(contender: Contender, seconds: float) -> int:
    _timed(contender)  # the first one makes what the others find ready
    return max(LEAST, round(seconds / _timed(contender)))


def _timed(contender: Contender) -> float:
    before = time.perf_counter()
    contender.evaluate()
    return time.perf_counter() - before


def throughput(contenders: Sequence[Contender], *, repeat: int, seconds: float) -> Mapping[str, Mapping[int, float]]:
    """Evaluations a second by number of workers, of which there are up to as many as the contender can: medians."""
    seen: dict[str, dict[int, list[float]]] = {
        one.name: {count: [] for count in range(1, one.workers + 1)} for one in contenders
    }
    for _ in range(repeat):
        for contender in contenders:
            for count in seen[contender.name]:
                seen[contender.name][count].append(_rate(contender, count, seconds))
    return {name: {count: median(rates) for count, rates in by.items()} for name, by in seen.items()}


def _rate(contender: Contender, workers: int, seconds: float) -> float:
    """Sustained: what was begun in time is waited for, and counts with the time that it took."""
    done: list[int] = []
    begun = time.perf_counter()

    def work() -> None:
        own = 0
        while time.perf_counter() - begun < seconds:
            contender.evaluate()
            own += 1
        done.append(own)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if len(done) != workers:
        raise RuntimeError(f"{contender.name}: an evaluation failed with {workers} workers")
    return sum(done) / (time.perf_counter() - begun)
