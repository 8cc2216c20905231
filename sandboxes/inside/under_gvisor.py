"""What the supervisor does itself where the box's kernel is gVisor's, which does less for it than Linux.

* It keeps no account of a whole box: CPU time is summed over all processes, memory is its own count of what the box holds.
* It counts a thread that waits for a processor as one that runs. The host has the true account of the whole, with gVisor's own
  work in it: it is asked before a program is ended for its CPU time.
* It limits neither processes nor, exactly, memory: both are looked at several times a second, and a box that is over its
  limit is ended. The container's own limits on the host are behind that, and wider.
* Signals from inside reach process 1. So the supervisor is root, which means something to gVisor only, and the program is
  not: it can no more signal the supervisor or open its streams than a user can root's.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

PRESENT = os.path.exists("/proc/sentry-meminfo")
USER = 10001
"""As in the image."""
TICKS = os.sysconf("SC_CLK_TCK")
MEMORY = "/sys/fs/cgroup/memory/memory.usage_in_bytes"
STATE, PARENT, THREADS = 0, 1, 17
"""Places among the fields of a process."""

_account: dict[str, float] = {"peak_bytes": 0, "oom_kills": 0, "forks_refused": 0}


def usage() -> dict[str, float]:
    """As the supervisor's: `cpu_seconds` of all processes but this one, in steps of a tick."""
    ticks = 0
    for number, fields in _processes().items():
        # user, system, user and system of children that were waited for; orphans are waited for by this process
        ticks += sum(map(int, fields[13:15] if number == os.getpid() else fields[11:15]))
    _look_at_memory()
    return {"cpu_seconds": ticks / TICKS, **_account}


def beyond(limits: dict[str, float]) -> bool:
    """Whether the box is over a limit that its kernel does not hold; the account says which from then on."""
    if tasks(_processes(), os.getpid()) > limits["processes"]:
        _account["forks_refused"] = 1
        return True
    limit_bytes = int(limits["memory_mib"]) << 20
    if _look_at_memory() > limit_bytes:
        _account["oom_kills"] = 1
        _account["peak_bytes"] = limit_bytes  # as where the kernel refuses what is beyond
        return True
    return False


def tasks(processes: dict[int, list[str]], supervisor: int) -> int:
    """How many processes and threads a program has, by what `_processes` gives.

    A process that is dead, with all of its threads, counts as on Linux while its parent lives, which could wait for it. Then it
    waits for the supervisor.
    """
    theirs = {number: fields for number, fields in processes.items() if number != supervisor}
    living = {number for number, fields in theirs.items() if fields[STATE] != "Z" or int(fields[THREADS]) > 1}
    counted = (fields for number, fields in theirs.items() if number in living or int(fields[PARENT]) in living)
    return sum(int(fields[THREADS]) for fields in counted)


@contextmanager
def as_user() -> Iterator[None]:
    """What is made meanwhile belongs to the program's user."""
    os.setegid(USER)
    os.seteuid(USER)
    yield
    os.seteuid(0)
    os.setegid(0)


def become_user() -> None:
    """In the program's process: for good."""
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)


def _processes() -> dict[int, list[str]]:
    """Number of each process -> its fields of proc(5) from the third (state) on."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                # a process gives itself a name, of any bytes
                with open(f"/proc/{name}/stat", errors="replace") as file:
                    fields = file.read().rpartition(")")[2].split()
            except OSError:  # it has ended since
                continue
            if fields:
                found[int(name)] = fields
    return found


def _look_at_memory() -> int:
    with open(MEMORY) as file:
        now = int(file.read())
    if not _account["oom_kills"]:
        _account["peak_bytes"] = max(_account["peak_bytes"], now)
    return now
