"""This process may be kept from looking at a program: by a busy machine, or a paused one. That is no failure of the program."""

import time

import pytest

from sandboxes.interface import Command, End, Limits, Tier
from sandboxes.running_program import RunningProgram
from sandboxes.tiers import Tiers

LIMITS = Limits(wall_seconds=1.5, cpu_seconds=10, memory_mib=128, processes=16, disk_mib=16)


@pytest.mark.parametrize("tier", [Tier.JAIL, Tier.CONTAINER])
@pytest.mark.parametrize(
    ("code", "end"),
    [("print('in time')", End.EXITED), ("print('in time', flush=True)\nwhile True: pass", End.WALL_TIMEOUT)],
)
def test_what_came_by_the_deadline_counts_where_the_host_looks_late(
    tiers: Tiers, tier: Tier, code: str, end: End
) -> None:
    command = Command(argv=("python3", "-c", code), limits=LIMITS)
    with tiers.at_least(tier).session() as session, session.converse(command) as program:
        assert isinstance(program, RunningProgram)
        time.sleep(LIMITS.wall_seconds + 0.5)  # what keeps this process
        program.wait()
        execution = program.finish()
    assert (execution.end, execution.stdout) == (end, b"in time\n"), execution
