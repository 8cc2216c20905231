"""A container's counters in the kernel, read from outside: its control group, in version 1 or 2."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple


def counter(pid: int, controller: str, v1: str, v2: str) -> Path | None:
    """Return the file of a counter of process `pid`'s control group; None if it cannot be seen.

    `controller`, `v1`: as version 1 names the controller and the file; `v2`: the file in version 2.
    """
    try:
        lines = Path(f"/proc/{pid}/cgroup").read_text().splitlines()
    except OSError:
        return None
    candidates = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            candidates.append(Path(f"/sys/fs/cgroup/{controllers}{path}/{v1}"))
        elif not controllers:
            candidates.append(Path(f"/sys/fs/cgroup{path}/{v2}"))
    return next((file for file in candidates if file.exists()), None)


def cpu_counter(pid: int) -> Path | None:
    """Return the file of the CPU time counter of process `pid`'s control group; None if it cannot be seen."""
    return counter(pid, "cpuacct", "cpuacct.usage", "cpu.stat")


def cpu_seconds(file: Path | None) -> float | None:
    """Return the CPU time, user + system, of all that is or was in the group of a `cpu_counter`; None if it cannot be seen."""
    if file is None:
        return None
    try:
        text = file.read_text()
    except OSError:
        return None
    return int(text.split()[1]) / 1e6 if file.name == "cpu.stat" else int(text) / 1e9  # the first line: usage_usec N


class Scheduled(NamedTuple):
    """A thread's account with the scheduler, in seconds so far."""

    computed: float
    waited: float
    """Ready to run, but kept from it by others."""


def threads(file: Path | None) -> Mapping[int, Scheduled]:
    """Return the live threads of the group of a `cpu_counter`, by number; none if this host does not show them."""
    if file is None:
        return {}
    listed = file.with_name("cgroup.threads" if file.name == "cpu.stat" else "tasks")
    found = {}
    with suppress(OSError):
        for thread in listed.read_text().split():
            with suppress(OSError):  # it has ended since
                computed, waited, _ = Path(f"/proc/{thread}/schedstat").read_text().split()
                found[int(thread)] = Scheduled(int(computed) / 1e9, int(waited) / 1e9)
    return found


def busiest(before: Mapping[int, Scheduled], after: Mapping[int, Scheduled], seconds: float) -> float:
    """Return the largest share of its time that a thread computed, not counting the time that it was kept waiting.

    It is the same on an idle machine and on a busy one: 1 for a thread that only computes.

    Args:
        before: an earlier result of `threads`.
        after: a later one.
        seconds: the time between.
    """
    return max(
        (
            (now.computed - before[thread].computed) / max(seconds - now.waited + before[thread].waited, seconds / 100)
            for thread, now in after.items()
            if thread in before
        ),
        default=0.0,
    )
