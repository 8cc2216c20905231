"""Limits that mean the same on every machine: multiples of the reference's time on the machine of the submission.

A limit in seconds fits the machine of the author. On one half as fast it fails honest programs. Here the reference
runs on the worker's own machine, in the submission's tier, and the limit is a multiple of its time.
docs/reference/limits.md has the measurements behind the numbers.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from graders.interface import Context, End, Execution, Limits, Suite, Task, TaskUnusable

REFERENCE_RUNS = 3
"""The largest of them counts, so that one lucky run does not make a tight limit."""
LEAST_SECONDS: Mapping[str, float] = {"cpu_seconds": 2.0, "wall_seconds": 5.0}
"""The smallest relative limits. The start of an interpreter on a busy machine is not a measure of a program."""
REFERENCE_SECONDS = 60.0
"""The reference's own limit, if the limit is relative to it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The largest use of time by the reference in a suite."""

    cpu_seconds: float
    wall_seconds: float


def room(measured: float, *, times: float, least: float) -> float:
    """Return the multiple of the measured time, and at least `least`."""
    return max(least, times * measured)


def cost(context: Context, suite: Suite, run_reference: Callable[[], Iterable[Execution]]) -> Cost:
    """Return the reference's time for this suite, measured once for a task version, worker and tier.

    It stops at the first execution that did not end well. Raise TaskUnusable then, or if `run_reference` does.
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
    """Return the task's limits in numbers."""
    seconds = {
        name: room(getattr(measured, name), times=times, least=LEAST_SECONDS[name])
        for name, times in task.relative.items()
    }
    return replace(task.limits, **seconds)  # type: ignore[arg-type] # the keys of `relative` are two of its floats
