"""All that was measured in one run, as JSON and as tables."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from costs import Cost
from evaluations import Rate
from measure import Taken, share

BARE = {"calls": "small", "suite": "pytest", "twice": "pytest", "failing": "pytest"}
"""Jobs of graders: which bare program examines the same in the usual way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    machine: Mapping[str, object]
    idle_cpu_ms_per_second: float
    """CPU time of everything while nothing is evaluated; included in all numbers."""
    taken: Mapping[str, Taken]
    """By `<job>/<who>`."""
    per_second: Mapping[str, Mapping[int, float]]
    """By `<job>/<who>` and number of workers."""
    costs: Mapping[str, Cost]
    """By tier."""
    evaluations: int
    """Number of evaluations of each tier in `eval`."""
    eval: Mapping[str, Rate]
    """By tier."""

    def ratio_to_bare(self, name: str) -> float | None:
        """Return the CPU time as a multiple of the bare program's with the same job; None if that was not measured."""
        job = name.partition("/")[0]
        bare = f"{BARE.get(job, job)}/bare"
        return self.taken[name].ratio(self.taken[bare]) if bare in self.taken else None

    def document(self) -> dict[str, object]:
        """Return the results as JSON values."""
        return {
            "machine": self.machine,
            "idle_cpu_ms_per_second": self.idle_cpu_ms_per_second,
            "contenders": {
                name: {
                    "evaluations": len(one.walls),
                    "cpu_ms": one.cpu_ms,
                    "cpu_ms_by_round": one.rounds,
                    "ratio_to_bare": self.ratio_to_bare(name),
                    "wall_p50_ms": share(one.walls, 0.50),
                    "wall_p95_ms": share(one.walls, 0.95),
                }
                for name, one in self.taken.items()
            },
            "per_second_by_workers": self.per_second,
            "costs": {name: asdict(cost) for name, cost in self.costs.items()},
            "assay_eval": {name: {"evaluations": self.evaluations, **asdict(rate)} for name, rate in self.eval.items()},
        }

    def tables(self) -> str:
        """Return Markdown; a table without rows is left out."""
        head = "| job / who | CPU ms | x bare | wall p50 ms | p95 ms | n | a second, with 1 / 2 / 3 / 4 workers |"
        names = dict.fromkeys([*self.taken, *self.per_second])
        lines = _table(head, "|---|---:|---:|---:|---:|---:|---|", [self._contender(name) for name in names])
        head = "| tier | first result s | idle MiB, unique (proportional) | past the limit ms: spin, fork bomb | answer ms p50, p95 | call across us |"
        lines += _table(head, "|---|---:|---|---|---|---:|", [_cost(name, cost) for name, cost in self.costs.items()])
        head = f"| `assay eval`, {self.evaluations} evaluations | a second | CPU ms each |"
        rows = [f"| {name} | {rate.per_second:.3g} | {rate.cpu_ms:.3g} |" for name, rate in self.eval.items()]
        return "\n".join([*lines, *_table(head, "|---|---:|---:|", rows)])

    def _contender(self, name: str) -> str:
        rates = " / ".join(f"{rate:.3g}" for rate in self.per_second.get(name, {}).values())
        if name not in self.taken:
            return f"| {name} | | | | | | {rates} |"
        one, ratio = self.taken[name], self.ratio_to_bare(name)
        return (
            f"| {name} | {one.cpu_ms:.3g} | {'' if ratio is None else f'{ratio:.3g}'} "
            f"| {share(one.walls, 0.5):.3g} | {share(one.walls, 0.95):.3g} | {len(one.walls)} | {rates} |"
        )


def _cost(name: str, cost: Cost) -> str:
    memory = ", ".join(
        f"{job} {one.unique_mib:.1f} ({one.proportional_mib:.1f})" for job, one in cost.idle_memory.items()
    )
    return (
        f"| {name} | {cost.first_result_seconds:.2f} | {memory or 'none waits'} "
        f"| {_worst(cost.spin_overruns_ms)}, {_worst(cost.fork_bomb_overruns_ms)} "
        f"| {share(cost.answers_ms, 0.5):.2f}, {share(cost.answers_ms, 0.95):.2f} "
        f"| {cost.call_across_us:.0f} |"
    )


def _table(head: str, ruler: str, rows: Sequence[str]) -> list[str]:
    return ["", head, ruler, *rows] if rows else []


def _worst(milliseconds: Sequence[float]) -> str:
    return f"{max(milliseconds):.0f}" if milliseconds else "none"
