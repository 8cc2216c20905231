"""Honest executions through one pool, very many: are all right, and does anything grow?

On an engine of its own, so that what is counted is ours. Samples are taken while the workers work; growth is the change
from the median of the second quarter of them (the first is the warm-up) to the median of the last one.
"""

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from threading import Event, Lock

import engine
from engine import Engine
from leftovers import at_rest, left, things
from rich.console import Console
from rich.table import Table

from sandboxes.interface import Command, End, Limits, Sandbox, SandboxError, Session, Tier
from tests.adversarial.box.attack import CHANNEL
from tests.adversarial.box.tiers import TIERS, opened

CONSOLE = Console()
LIMITS = Limits(wall_seconds=30, cpu_seconds=10, memory_mib=128, processes=24, disk_mib=16, output_kib=64)
SMALL = """
import sys
def triangle(n): return n * (n + 1) // 2
for n in range(10): assert triangle(n) == sum(range(n + 1))
open("left", "w").write("x" * 1000)
print(triangle(int(sys.argv[1])))
"""
TALK = CHANNEL + "while True: n = int(question()); answer(str(n * (n + 1) // 2).encode())"
SAMPLES = 200
ALLOWED = {
    "our memory, MiB": 16.0, "engine's memory, MiB": 48.0, "slots' memory, MiB": 24.0, "disk, MiB": 8.0, "descriptors": 8,
    "threads": 2, "processes": 8, "containers": 1, "mounts": 2, "cgroups": 12, "files": 24,
}  # fmt: skip
"""Growth that is none: allocators and caches breathe, and a slot that is just being replaced is there twice."""


@dataclass
class Progress:
    done: int = 0
    errors: list[str] = field(default_factory=list)
    samples: list[dict[str, float]] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)
    over: Event = field(default_factory=Event)


def main() -> None:
    options = _options()
    progress = Progress()
    with engine.started(CONSOLE.print) as own:
        with opened(Tier(options.tier), own.client, own.image) as sandbox, sandbox.session() as session:
            _execute(session, 1)
        before = at_rest(own)
        began = time.monotonic()
        with (
            opened(Tier(options.tier), own.client, own.image) as sandbox,
            ThreadPoolExecutor(options.workers + 1) as workers,
        ):
            watching = workers.submit(_watch, own, progress, options.executions)
            numbers = count()
            working = [
                workers.submit(_work, sandbox, numbers, options.executions, progress) for _ in range(options.workers)
            ]
            for worker in working:
                worker.result()
            progress.over.set()
            watching.result()
        seconds = time.monotonic() - began
        over = left(own, before)
    growth = _growth(progress.samples)
    held = _tell(progress, growth, over, seconds)
    if options.json:
        document = {
            "tier": options.tier, "workers": options.workers, "executions": progress.done, "seconds": round(seconds, 1),
            "per_second": round(progress.done / seconds, 1), "errors": progress.errors, "growth": growth,
            "left": over, "held": held, "samples": progress.samples,
        }  # fmt: skip
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    if options.plot:
        options.plot.write_text(svg(progress.samples))
    sys.exit(not held)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--executions", type=int, default=100_000)
    parser.add_argument("--tier", choices=[tier.value for tier in TIERS], default=Tier.JAIL.value)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--json", type=Path, help="file for the result and all samples")
    parser.add_argument("--plot", type=Path, help="file for a drawing of the samples, SVG")
    return parser.parse_args()


# --- the work ---------------------------------------------------------------------------------------------------------


def _work(sandbox: Sandbox, numbers: "count[int]", executions: int, progress: Progress) -> None:
    """A session for each ten executions, as a submission has, until all are done. Errors are kept, not raised."""
    while progress.done < executions:
        try:
            with sandbox.session() as session:
                for _ in range(10):
                    _execute(session, next(numbers))
                    with progress.lock:
                        progress.done += 1
        except (SandboxError, AssertionError) as error:
            with progress.lock:
                progress.done += 1
                progress.errors.append(f"{type(error).__name__}: {error}"[:500])


def _execute(session: Session, number: int) -> None:
    """Run one honest program, mostly a small one; each tenth is a conversation. AssertionError if its result is wrong."""
    if number % 10 == 9:
        with session.converse(Command(argv=("python3", "-c", TALK), limits=LIMITS)) as conversation:
            for asked in range(number, number + 3):
                answer = conversation.ask(str(asked).encode(), seconds=20)
                assert answer == str(asked * (asked + 1) // 2).encode(), answer
            execution = conversation.finish()
    else:
        files = {"data.txt": b"x" * (number % 5000)}
        execution = session.run(Command(argv=("python3", "-c", SMALL, str(number)), files=files, limits=LIMITS))
        assert execution.stdout == f"{number * (number + 1) // 2}\n".encode(), execution
    assert (execution.end, execution.exit_code, execution.stderr) == (End.EXITED, 0, b""), execution
    assert not execution.evidence, execution


# --- what is watched --------------------------------------------------------------------------------------------------


def _watch(own: Engine, progress: Progress, executions: int) -> None:
    began = time.monotonic()
    every = max(1, executions // SAMPLES)
    while not progress.over.wait(0.2):
        if progress.done < every * (len(progress.samples) + 1):
            continue
        sample = _sample(own)
        progress.samples.append({"executions": progress.done, **sample})
        if len(progress.samples) % 10 == 0:
            rate = progress.done / (time.monotonic() - began)
            CONSOLE.print(
                f"{progress.done} of {executions}, {rate:.0f} a second, {(executions - progress.done) / rate:.0f} s to go; "
                f"{len(progress.errors)} errors; {', '.join(f'{name} {value:.0f}' for name, value in sample.items())}",
                highlight=False,
            )


def _sample(own: Engine) -> dict[str, float]:
    found = things(own)
    engine_names = ("dockerd", "containerd")
    return {
        "our memory, MiB": _resident("self"),
        "engine's memory, MiB": sum(
            _resident(p.split()[0]) for p in found["processes"] if p.split()[1] in engine_names
        ),
        "slots' memory, MiB": _slots_memory(own),
        "disk, MiB": _disk(own.folder / "data" / "containers"),
        "files": len(found["files of the engine"]) + len(found["temporary files"]),
        **{
            kind: len(found[kind])
            for kind in ("descriptors", "threads", "processes", "containers", "mounts", "cgroups")
        },
    }


def _resident(pid: str) -> float:
    """Return the resident MiB of a process; 0 if it has just ended."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 2**20
    except OSError:
        return 0.0


def _disk(folder: Path) -> float:
    """MiB of all files in it; those that go while this looks are left out."""
    blocks = 0
    for parent, _, files in os.walk(folder):
        for name in files:
            with suppress(OSError):
                blocks += os.lstat(f"{parent}/{name}").st_blocks
    return blocks * 512 / 2**20


def _slots_memory(own: Engine) -> float:
    """MiB that the kernel counts to all containers together."""
    name = own.counter.parent.name
    files = [*Path(f"/sys/fs/cgroup/memory/{name}/boxes").glob("*/memory.usage_in_bytes")]
    files += own.counter.parent.glob("boxes/*/memory.current")
    total = 0
    for file in files:
        try:
            total += int(file.read_text())
        except OSError:  # a container that has just ended
            continue
    return total / 2**20


# --- the verdict ------------------------------------------------------------------------------------------------------


def _growth(samples: Sequence[Mapping[str, float]]) -> dict[str, float]:
    quarter = max(1, len(samples) // 4)
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    if not early:
        return {}
    return {name: median(s[name] for s in late) - median(s[name] for s in early) for name in ALLOWED}


def _tell(progress: Progress, growth: Mapping[str, float], over: Mapping[str, list[str]], seconds: float) -> bool:
    table = Table("what", "at the end", "growth", "allowed", "verdict")
    for name, more in growth.items():
        verdict = "steady" if more <= ALLOWED[name] else "[red]grows[/]"
        table.add_row(name, f"{progress.samples[-1][name]:.1f}", f"{more:+.1f}", f"{ALLOWED[name]:g}", verdict)
    CONSOLE.print(table)
    for error in progress.errors[:10]:
        CONSOLE.print(error, markup=False, style="red")
    for kind, names in over.items():
        CONSOLE.print(f"left behind, {kind}: {', '.join(names[:5])}", markup=False, style="red")
    CONSOLE.print(f"{progress.done} executions in {seconds:.0f} s: {len(progress.errors)} errors")
    held = not progress.errors and not over and all(more <= ALLOWED[name] for name, more in growth.items())
    CONSOLE.print("[bold green]held[/]" if held else "[bold red]NOT held[/]")
    return held


def svg(samples: Sequence[Mapping[str, float]]) -> str:
    """A line for each thing that is watched, each on a scale of its own that begins at 0."""
    width, height, left_edge = 520, 44, 160
    rows = []
    for row, name in enumerate(ALLOWED):
        top = 12 + row * (height + 12)
        values = [sample[name] for sample in samples] or [0.0]
        most = max(*values, 1.0)
        step = width / max(1, len(values) - 1)
        line = " ".join(f"{left_edge + n * step:.1f},{top + height * (1 - v / most):.1f}" for n, v in enumerate(values))
        rows.append(
            f'<text x="8" y="{top + height / 2 + 4}">{name}</text><polyline points="{line}"/>'
            f'<text x="{left_edge + width + 8}" y="{top + height / 2 + 4}">{values[-1]:.4g}</text>'
        )
    bottom = 12 + len(ALLOWED) * (height + 12)
    style = "text{font:12px system-ui,sans-serif;fill:#222}polyline{fill:none;stroke:#1668b8;stroke-width:1.5}@media(prefers-color-scheme:dark){text{fill:#ddd}polyline{stroke:#58a6ff}}"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left_edge + width + 80} {bottom}" role="img">'
        f"<title>What exists while honest programs run</title><style>{style}</style>{''.join(rows)}</svg>\n"
    )


if __name__ == "__main__":
    main()
