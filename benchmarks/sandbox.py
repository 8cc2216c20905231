"""What isolation costs: each tier beside what people do without one. See benchmarks/README.md.

python benchmarks/sandbox.py [--repeat N] [--seconds S] [--only PATTERN...] [--humaneval FILE] [--peers]
                             [--json FILE] [--plot FILE.svg]
"""

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from fnmatch import fnmatch
from pathlib import Path

import contenders
import costs
import engine
import evaluations
import machine
import measure
import peers
import plot
from costs import Cost
from evaluations import Rate
from measure import Taken
from targets import Target, targets

from sandboxes.tiers import adapters

JOBS = {"small": "a function and ten assertions", "pytest": "pytest, ten tests", "calls": "a call suite of ten"}


def main() -> None:
    options = _options()

    def wanted(name: str) -> bool:
        return any(fnmatch(name, pattern) for pattern in options.only)

    with engine.started(_tell) as own, ExitStack() as stack:
        facts = machine.facts(own)
        opens = {tier.value: open for tier, open in adapters(own.client, own.image).items()}
        tiers = {name: stack.enter_context(open()) for name, open in opens.items()}
        everybody = stack.enter_context(contenders.opened(own, tiers))
        if options.peers:
            everybody += stack.enter_context(peers.opened(own, _tell))
        chosen = [contender for contender in everybody if wanted(contender.name)]
        idle = _idle_share(own)
        _tell(f"measuring {len(chosen)} contenders in {options.repeat} rounds")
        taken = measure.rounds(own, chosen, repeat=options.repeat, seconds=options.seconds)
        racing = [contender for contender in chosen if wanted(f"throughput/{contender.name}")]
        _tell(f"measuring the throughput of {len(racing)}")
        rates = measure.throughput(racing, repeat=max(1, options.repeat // 4), seconds=4 * options.seconds)
        spent = {
            name: costs.of(own, open, times=options.repeat) for name, open in opens.items() if wanted(f"costs/{name}")
        }
        evaluated = [name for name in opens if wanted(f"eval/{name}")]
        _tell(f"evaluating a file of solutions in {len(evaluated)} tiers")
        count, eval_rates = evaluations.compare(own, evaluated, options.humaneval)
    reached = targets(taken, rates, spent, eval_rates)
    found = _found(taken, rates, spent, eval_rates)
    print(_tables(taken, rates, spent, (count, eval_rates), reached))
    if options.json:
        document = {
            "machine": facts,
            "idle_cpu_ms_per_second": idle * 1e3,
            **found,
            "targets": [{**asdict(target), "reached": target.reached} for target in reached],
        }
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    if options.plot:
        options.plot.write_text(_plot(taken))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeat", type=int, default=10, help="rounds over all contenders (default: 10)")
    parser.add_argument("--seconds", type=float, default=0.5, help="of each contender in a round (default: 0.5)")
    parser.add_argument(
        "--only", nargs="+", default=["*"], metavar="PATTERN",
        help="of small/WHO, pytest/WHO, calls/WHO, throughput/JOB/WHO, costs/TIER, eval/TIER; WHO is bare, a tier, fork, "
        "'docker exec', 'docker run' or a peer",
    )  # fmt: skip
    parser.add_argument("--humaneval", type=Path, help="HumanEval.jsonl[.gz] for eval/TIER (default: our examples)")
    parser.add_argument("--peers", action="store_true", help="install what others offer, and measure it too")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    return parser.parse_args()


def _tell(line: str) -> None:
    print(f"benchmark: {line}", flush=True)


def _idle_share(own: engine.Engine) -> float:
    """Of a core, that everything takes while nothing is evaluated: it is in all numbers."""
    before, seconds = own.settle(), 2.0
    time.sleep(seconds)
    return (own.cpu_seconds() - before) / seconds


def _found(
    taken: Mapping[str, Taken],
    rates: Mapping[str, Mapping[int, float]],
    spent: Mapping[str, Cost],
    eval_rates: Mapping[str, Rate],
) -> dict[str, object]:
    return {
        "evaluations": {
            name: {
                "count": len(one.walls),
                "cpu_ms": one.cpu_ms,
                "cpu_ms_by_round": one.rounds,
                "ratio_to_bare": _ratio(taken, name),
                "wall_p50_ms": one.wall_ms(0.50),
                "wall_p95_ms": one.wall_ms(0.95),
            }
            for name, one in taken.items()
        },
        "evaluations_per_second_by_workers": rates,
        "costs": {name: asdict(cost) for name, cost in spent.items()},
        "assay_eval": {name: asdict(rate) for name, rate in eval_rates.items()},
    }


def _ratio(taken: Mapping[str, Taken], name: str) -> float | None:
    bare = f"{name.partition('/')[0]}/bare"
    return taken[name].ratio(taken[bare]) if bare in taken else None


def _tables(
    taken: Mapping[str, Taken],
    rates: Mapping[str, Mapping[int, float]],
    spent: Mapping[str, Cost],
    evaluated: tuple[int, Mapping[str, Rate]],
    reached: Sequence[Target],
) -> str:
    lines = ["", "| job / who | CPU ms | x bare | wall p50 ms | p95 ms | n | a second, with 1 / 2 / 3 / 4 workers |"]
    lines.append("|---|---:|---:|---:|---:|---:|---|")
    for name, one in taken.items():
        ratio = _ratio(taken, name)
        by_workers = " / ".join(f"{rate:.3g}" for rate in rates.get(name, {}).values())
        lines.append(
            f"| {name} | {one.cpu_ms:.3g} | {'' if ratio is None else f'{ratio:.3g}'} | {one.wall_ms(0.5):.3g} "
            f"| {one.wall_ms(0.95):.3g} | {len(one.walls)} | {by_workers} |"
        )
    lines += [
        "",
        "| tier | first result s | idle MiB, unique (proportional) | past the limit ms: spin, fork bomb | answer ms p50, p95 |",
    ]
    lines.append("|---|---:|---|---|---|")
    lines += [_cost_row(name, cost) for name, cost in spent.items()]
    count, eval_rates = evaluated
    lines += ["", f"| `assay eval`, {count} evaluations | a second | CPU ms each |", "|---|---:|---:|"]
    lines += [f"| {name} | {rate.per_second:.3g} | {rate.cpu_ms:.3g} |" for name, rate in eval_rates.items()]
    lines += ["", "| target | asked | measured | reached |", "|---|---|---|---|", *(target.row for target in reached)]
    return "\n".join(lines)


def _cost_row(name: str, cost: Cost) -> str:
    memory = ", ".join(
        f"{job} {one.unique_mib:.1f} ({one.proportional_mib:.1f})" for job, one in cost.idle_memory.items()
    )
    answers = Taken(walls=list(cost.answers_ms))
    return (
        f"| {name} | {cost.first_result_seconds:.2f} | {memory or 'none waits'} "
        f"| {max(cost.spin_overruns_ms):.0f}, {max(cost.fork_bomb_overruns_ms):.0f} "
        f"| {answers.wall_ms(0.5):.2f}, {answers.wall_ms(0.95):.2f} |"
    )


def _plot(taken: Mapping[str, Taken]) -> str:
    ours = {"jail", "container", "gvisor"}
    groups = {
        f"{title} (CPU ms per evaluation)": [
            (who, one.cpu_ms, who in ours)
            for name, one in taken.items()
            for job_name, _, who in [name.partition("/")]
            if job_name == job
        ]
        for job, title in JOBS.items()
    }
    return plot.svg({title: bars for title, bars in groups.items() if bars})


if __name__ == "__main__":
    main()
