"""What the supervisor counts in a box of gVisor's."""

import pytest

from sandboxes.inside.under_gvisor import tasks

SUPERVISOR = 1


def process(state: str, parent: int, threads: int) -> list[str]:
    """Its fields of proc(5), from the third on."""
    fields = ["0"] * 20
    fields[0], fields[1], fields[17] = state, str(parent), str(threads)
    return fields


PROGRAM = {SUPERVISOR: process("S", 0, 1), 2: process("S", SUPERVISOR, 1)}


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ({}, 1),
        ({3: process("R", 2, 4)}, 5),
        ({3: process("S", SUPERVISOR, 1)}, 2),  # an orphan
        ({3: process("Z", 2, 1)}, 2),  # which its parent has not waited for: so it is on Linux
        ({3: process("Z", SUPERVISOR, 1)}, 1),  # which we have not waited for
        ({3: process("Z", SUPERVISOR, 1), 4: process("Z", 3, 1)}, 1),  # which we shall inherit
        ({3: process("Z", SUPERVISOR, 7)}, 8),  # its first thread is gone, the others are not
        ({3: process("Z", 9, 1)}, 1),  # whose parent has ended while we looked
    ],
)
def test_only_what_is_the_programs_own_is_counted(more: dict[int, list[str]], count: int) -> None:
    assert tasks(PROGRAM | more, SUPERVISOR) == count
