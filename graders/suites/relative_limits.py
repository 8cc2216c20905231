"""Limits that mean the same on every machine: times what the reference takes where the submission runs.

A limit in seconds tells hopeless from fine on the machine that its author had; on one half as fast it fails honest
programs. Here the reference is run on the worker's own machine, in the submission's tier, and the limit is a multiple of
that. docs/reference/limits.md has the measurements behind the numbers.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from graders.interface import Context, End, Execution, Limits, Suite, Task, TaskUnusable

REFERENCE_RUNS = 3
"""The largest of them counts, so that one lucky run does not make a tight limit."""
LEAST_SECONDS: Mapping[str, float] = {"cpu_seconds": 2.0, "wall_seconds": 5.0}
"""No relative limit is below: what starting an interpreter costs on a busy machine is no measure of a program."""
REFERENCE_SECONDS = 60.0
"""What the reference itself gets where the limit is relative to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What the reference took for a suite, the largest of its runs."""

    cpu_seconds: float
    wall_seconds: float


def room(measured: float, *, times: float, least: float) -> float:
    """So many times what was measured, and never less than the least."""
    return max(least, times * measured)


def cost(context: Context, suite: Suite, run_reference: Callable[[], Iterable[Execution]]) -> Cost:
    """What the reference takes for this suite, measured once for a task version, worker and tier.

    It is not run on after the first execution that did not end well. Raises TaskUnusable, as `run_reference` may.
    """

    def measure() -> Cost:
        executions = []
        for _ in range(REFERENCE_RUNS):
            for execution in run_reference():
                if execution.end is not End.EXITED:
                    ended = f"suite {suite.id}: the reference ended by {execution.end} when it was measured"
                    raise TaskUnusable(ended, suite=suite.id)
                executions.append(replace(execution, stdout=b"", stderr=b""))
        return Cost(
            cpu_seconds=max(execution.cpu_seconds for execution in executions),
            wall_seconds=max(execution.wall_seconds for execution in executions),
        )

    return context.remember(f"cost/{suite.id}", measure)


def resolved(task: Task, measured: Cost) -> Limits:
    """The task's limits in numbers."""
    seconds = {
        name: room(getattr(measured, name), times=times, least=LEAST_SECONDS[name])
        for name, times in task.relative.items()
    }
    return replace(task.limits, **seconds)  # type: ignore[arg-type] # the keys of `relative` are two of its floats
