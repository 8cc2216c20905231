"""The targets of the sandbox, and whether this run reached them."""

from collections.abc import Sequence
from dataclasses import dataclass

from costs import Cost
from results import Results


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    what: str
    value: float
    limit: float
    at_most: bool = True
    unit: str = "x"

    @property
    def reached(self) -> bool:
        return self.value <= self.limit if self.at_most else self.value >= self.limit

    def row(self) -> str:
        sign = "at most" if self.at_most else "at least"
        return f"| {self.what} | {sign} {self.limit:g} {self.unit} | {self.value:.3g} {self.unit} | {'yes' if self.reached else 'NO'} |"


def targets(results: Results) -> list[Target]:
    """Those whose parts were measured."""
    taken = results.taken
    found = []

    def compare(what: str, first: str, second: str, limit: float) -> None:
        if {first, second} <= taken.keys():
            found.append(Target(what=what, value=taken[first].ratio(taken[second]), limit=limit))

    compare("CPU, small job: jail / bare `python3 job.py`", "small/jail", "small/bare", 0.25)
    compare(
        "CPU, small job: jail / plain fork of an interpreter with the same imports", "small/jail", "small/fork", 1.15
    )
    compare("CPU, ten tests: `python -m pytest` in jail / bare, lean", "pytest/jail", "pytest/bare", 0.10)
    compare("CPU, ten tests: pytest suite of a task, one box, jail / bare, lean", "suite/jail", "pytest/bare", 0.10)
    compare("CPU, ten tests: the same, then in two boxes / bare, lean", "twice/jail", "pytest/bare", 0.17)
    compare("CPU, ten tests that a solution fails: the same / bare, lean", "failing/jail", "pytest/bare", 0.12)
    if {"small/jail", "small/docker run"} <= taken.keys():
        ratio = taken["small/docker run"].ratio(taken["small/jail"])
        found.append(
            Target(what="CPU, small job: hardened `docker run --rm` / jail", value=ratio, limit=50, at_most=False)
        )
    if "calls/jail" in taken:
        found.append(Target(what="CPU, call suite of ten: jail", value=taken["calls/jail"].cpu_ms, limit=7, unit="ms"))
    if "jail" in results.costs:
        found += _costs(results.costs["jail"])
    by_workers = results.per_second.get("small/jail", {})
    if {1, 2} <= by_workers.keys():
        gain = by_workers[2] / by_workers[1]
        found.append(Target(what="throughput: jail, 2 workers / 1 worker", value=gain, limit=1.8, at_most=False))
    if {"jail", "container"} <= results.eval.keys():
        gain = results.eval["jail"].per_second / results.eval["container"].per_second
        found.append(Target(what="throughput of `assay eval`: jail / container", value=gain, limit=3, at_most=False))
    return found


def _costs(jail: Cost) -> list[Target]:
    idle = [
        Target(what=f"memory of an idle slot, unique ({job})", value=memory.unique_mib, limit=40, unit="MiB")
        for job, memory in jail.idle_memory.items()
    ]
    return [
        *idle,
        Target(what="past the wall limit: spin", value=max(jail.spin_overruns_ms), limit=100, unit="ms"),
        Target(what="past the wall limit: fork bomb", value=max(jail.fork_bomb_overruns_ms), limit=700, unit="ms"),
        Target(what="a small call across, median", value=jail.call_across_us, limit=60, unit="us"),
    ]


def table(found: Sequence[Target]) -> str:
    """Markdown."""
    return "\n".join(
        ["", "| target | asked | measured | reached |", "|---|---|---|---|", *(one.row() for one in found)]
    )
