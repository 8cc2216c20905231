"""The whole way, as a user goes it: `assay eval` on a benchmark's file, right and broken solutions."""

import gzip
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine import Engine

EXAMPLES = Path(__file__).parents[1] / "examples"
TIMES = 18
"""Evaluations of each example: about as many in all as HumanEval has, so that the start counts little."""
BROKEN = "    raise NotImplementedError\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """The rate of a tier."""

    per_second: float
    """Evaluations a second, the start of the service counted."""
    cpu_ms: float
    """Per evaluation: service, storage, HTTP and analyzers included."""


@dataclass(frozen=True, slots=True)
class Half:
    """Samples that must all come out the same."""

    outcome: str
    lines: Sequence[str]


def compare(engine: Engine, tiers: Sequence[str], humaneval: Path | None) -> tuple[int, Mapping[str, Rate]]:
    """How many evaluations each tier did, and how fast. Tiers take turns with the right and the broken half."""
    halves = _of_humaneval(humaneval) if humaneval else _of_examples()
    seen: dict[str, list[tuple[float, float]]] = {tier: [] for tier in tiers}
    for half in halves:
        for tier in tiers:
            before = engine.settle()
            wall = _assay_eval(tier, half, humaneval or EXAMPLES)
            seen[tier].append((wall, engine.settle() - before))
    count = sum(len(half.lines) for half in halves)
    return count, {
        tier: Rate(per_second=count / sum(wall for wall, _ in taken), cpu_ms=sum(cpu for _, cpu in taken) / count * 1e3)
        for tier, taken in seen.items()
    }


def _of_humaneval(path: Path) -> tuple[Half, Half]:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file if line.strip()]
    right = [{"task_id": row["task_id"], "completion": row["canonical_solution"]} for row in rows]
    broken = [{"task_id": row["task_id"], "completion": BROKEN} for row in rows]
    return Half("passed", _numbered("right", right)), Half("failed", _numbered("broken", broken))


def _of_examples() -> tuple[Half, Half]:
    """Two kinds for each example: what its author accepts, and a program without what is asked for."""
    tasks = sorted(path.parent for path in EXAMPLES.glob("*/task.toml"))
    right = [
        {"task_id": task.name, "solution": (task / "submissions/accepted/reference.py").read_text()} for task in tasks
    ]
    broken = [{"task_id": task.name, "solution": "missing = None\n"} for task in tasks]
    return Half("passed", _numbered("right", right * TIMES)), Half("failed", _numbered("broken", broken * TIMES))


def _numbered(kind: str, samples: Sequence[Mapping[str, str]]) -> list[str]:
    return [json.dumps({"id": f"{kind}-{number}", **sample}) + "\n" for number, sample in enumerate(samples)]


def _assay_eval(tier: str, half: Half, tasks: Path) -> float:
    """Return the wall seconds of the command. Raises RuntimeError if an outcome is wrong."""
    with tempfile.TemporaryDirectory(prefix="assay-benchmark-eval-") as folder:
        samples, out = Path(folder) / "samples.jsonl", Path(folder) / "results.jsonl"
        samples.write_text("".join(half.lines))
        command: list[str | Path] = [
            Path(sys.executable).with_name("assay"),
            "eval",
            tasks,
            "--samples",
            samples,
            "--out",
            out,
        ]
        environment = {**os.environ, "ASSAY_HOME": f"{folder}/home", "ASSAY_MINIMUM_TIER": tier}
        before = time.perf_counter()
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        wall = time.perf_counter() - before
        if done.returncode != 0:
            raise RuntimeError(f"assay eval in tier {tier} ended with {done.returncode}: {done.stderr[-2000:]}")
        outcomes = [json.loads(line)["outcome"] for line in out.read_text().splitlines()]
    if outcomes != [half.outcome] * len(half.lines):
        raise RuntimeError(f"tier {tier}: not all of {len(half.lines)} came out as {half.outcome}")
    return wall
