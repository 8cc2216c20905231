"""Relative limits: never below the floor nor below what the reference took, and growing as it does."""

from hypothesis import given
from hypothesis import strategies as st

from graders.interface import Limits, Task, TaskId
from graders.suites.relative_limits import LEAST_SECONDS, Cost, resolved

SECONDS = st.floats(0, 60, allow_nan=False)
TIMES = st.floats(3, 1000)


def task(relative: dict[str, float]) -> Task:
    return Task(
        id=TaskId("t"), version="1", title="", prompt="", language="python", entry_file="solution.py", suites=(),
        reference={}, limits=Limits(wall_seconds=33, cpu_seconds=44), relative=relative, graders={}, rubric_id="default",
    )  # fmt: skip


@given(SECONDS, SECONDS, TIMES, TIMES)
def test_a_limit_leaves_room_for_the_reference(cpu: float, wall: float, cpu_times: float, wall_times: float) -> None:
    relative = {"cpu_seconds": cpu_times, "wall_seconds": wall_times}
    limits = resolved(task(relative), Cost(cpu_seconds=cpu, wall_seconds=wall))
    assert limits.cpu_seconds >= max(LEAST_SECONDS["cpu_seconds"], 3 * cpu)
    assert limits.wall_seconds >= max(LEAST_SECONDS["wall_seconds"], 3 * wall)


@given(st.floats(2, 60), TIMES, st.floats(1, 20))
def test_on_a_slower_machine_it_grows_as_the_reference_does(cpu: float, times: float, slower: float) -> None:
    relative = {"cpu_seconds": times}
    here = resolved(task(relative), Cost(cpu_seconds=cpu, wall_seconds=cpu))
    there = resolved(task(relative), Cost(cpu_seconds=cpu * slower, wall_seconds=cpu))
    assert abs(there.cpu_seconds - here.cpu_seconds * slower) <= 1e-9 * there.cpu_seconds
    assert (there.wall_seconds, there.memory_mib) == (33, Limits().memory_mib)


@given(SECONDS)
def test_limits_in_seconds_stay_what_they_are(cost: float) -> None:
    assert resolved(task({}), Cost(cpu_seconds=cost, wall_seconds=cost)) == task({}).limits
