"""The cost of isolation: each tier beside its unisolated alternatives. benchmarks/README.md explains the numbers."""

import argparse
import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict
from fnmatch import fnmatch
from pathlib import Path

import contenders
import costs
import engine
import evaluations
import jobs
import machine
import measure
import peers
import plot
from engine import Engine
from results import BARE, Results
from targets import Target, table, targets

from sandboxes.interface import Sandbox, SandboxError, Tier
from sandboxes.tiers import adapters

JOBS = {
    "small": "A function and ten assertions",
    "pytest": "pytest, ten tests",
    "calls": "A call suite of ten",
    "suite": "A pytest suite of ten, one box",
    "twice": "A pytest suite of ten, one box, then two",
    "failing": "The same, a solution that fails all",
}
IDLE_SECONDS = 2.0


def main() -> None:
    options = _options()
    with engine.started(_tell) as own, ExitStack() as stack:
        results = _measured(own, stack, options)
    reached = targets(results)
    print(results.tables())
    print(table(reached))
    if options.json:
        options.json.write_text(json.dumps(_document(results, reached), indent=1) + "\n")
    if options.plot:
        options.plot.write_text(_plotted(results))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=10, help="rounds over all contenders (default: 10)")
    parser.add_argument("--seconds", type=float, default=0.5, help="of each contender in a round (default: 0.5)")
    parser.add_argument(
        "--only",
        nargs="+",
        default=["*"],
        metavar="PATTERN",
        help="of JOB/WHO (JOB: small, pytest, calls, suite, twice, failing), throughput/JOB/WHO, costs/TIER, eval/TIER, where WHO is bare, fork, "
        "fork-immortal, a tier, 'docker exec', 'docker run' or a peer (default: everything)",
    )
    parser.add_argument("--humaneval", type=Path, help="HumanEval.jsonl[.gz] for eval/TIER (default: our examples)")
    parser.add_argument("--peers", action="store_true", help="install what others offer, and measure it too")
    parser.add_argument("--json", type=Path, help="file for all numbers")
    parser.add_argument("--plot", type=Path, help="file for a drawing, SVG")
    return parser.parse_args()


def _measured(own: Engine, stack: ExitStack, options: argparse.Namespace) -> Results:
    def wanted(name: str) -> bool:
        return any(fnmatch(name, pattern) for pattern in options.only)

    facts = machine.facts(own)
    kinds = (*JOBS, *(f"throughput/{job}" for job in JOBS), "costs", "eval")
    opens = {
        tier.value: open
        for tier, open in adapters(own.client, own.image).items()
        if any(wanted(f"{kind}/{tier}") for kind in kinds)
    }
    tiers = dict(_held(opens, stack))
    everybody = stack.enter_context(contenders.opened(own, tiers))
    if options.peers:
        everybody += stack.enter_context(peers.opened(own, _tell))
    chosen = [one for one in everybody if wanted(one.name)]
    racing = [one for one in everybody if wanted(f"throughput/{one.name}")]
    evaluated = [name for name in tiers if wanted(f"eval/{name}")]

    idle = _idle_ms(own)
    _tell(f"CPU and wall time of {len(chosen)} contenders, in {options.repeat} rounds")
    taken = measure.rounds(own, chosen, repeat=options.repeat, seconds=options.seconds)
    _tell(f"throughput of {len(racing)} contenders")
    rates = measure.throughput(racing, repeat=max(1, options.repeat // 4), seconds=4 * options.seconds)
    _tell("start, memory, limits and answers")
    spent = {name: costs.of(own, opens[name], times=options.repeat) for name in tiers if wanted(f"costs/{name}")}
    _tell(f"assay eval in {len(evaluated)} tiers")
    count, eval_rates = evaluations.compare(own, evaluated, options.humaneval)
    return Results(
        machine=facts, idle_cpu_ms_per_second=idle, taken=taken, per_second=rates, costs=spent, evaluations=count,
        eval=eval_rates,
    )  # fmt: skip


def _held(opens: Mapping[str, costs.Open], stack: ExitStack) -> Iterator[tuple[str, Sandbox]]:
    """The tiers that this host can hold."""
    for name, open in opens.items():
        sandbox = stack.enter_context(open())
        try:
            contenders.through_port(name, jobs.SMALL, sandbox).evaluate()
        except SandboxError as error:
            _tell(f"tier {name} is left out: {error}")
        else:
            yield name, sandbox


def _idle_ms(own: Engine) -> float:
    before = own.settle()
    time.sleep(IDLE_SECONDS)
    return (own.cpu_seconds() - before) / IDLE_SECONDS * 1e3


def _document(results: Results, reached: list[Target]) -> dict[str, object]:
    return {
        **results.document(),
        "targets": [{**asdict(target), "reached": target.reached} for target in reached],
    }


def _plotted(results: Results) -> str:
    bars: dict[str, list[plot.Bar]] = {title: [] for title in JOBS.values()}
    for name, one in results.taken.items():
        job, _, who = name.partition("/")
        baseline = BARE.get(job)
        if baseline and not bars[JOBS[job]] and f"{baseline}/bare" in results.taken:
            bars[JOBS[job]].append(plot.Bar("bare", results.taken[f"{baseline}/bare"].cpu_ms, ours=False))
        bars[JOBS[job]].append(plot.Bar(who, one.cpu_ms, ours=who in list(Tier)))
    return plot.svg({title: group for title, group in bars.items() if group})


def _tell(line: str) -> None:
    print(f"benchmark: {line}", flush=True)


if __name__ == "__main__":
    main()
