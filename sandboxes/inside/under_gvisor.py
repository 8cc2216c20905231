"""The supervisor's extra work if the box's kernel is gVisor's, which does less for it than Linux.

* gVisor keeps no account of a whole box: CPU time is summed over all processes, and memory is gVisor's own count for the box.
* It counts a thread that waits for a processor as one that runs. The host has the true account of the whole, gVisor's own
  work included, so the host is asked before a program is ended for its CPU time.
* It does not limit processes, and limits memory only roughly: the supervisor checks both several times a second, and ends a box
  that is over its limit. The container's own limits on the host stand behind that, and are wider.
* Signals from inside reach process 1. So the supervisor is root, which means something to gVisor only, and the program is
  not: it can no more signal the supervisor or open its streams than a user can root's.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

PRESENT = os.path.exists("/proc/sentry-meminfo")
USER = 10001
"""The image's user."""
TICKS = os.sysconf("SC_CLK_TCK")
MEMORY = "/sys/fs/cgroup/memory/memory.usage_in_bytes"
STATE, PARENT, THREADS = 0, 1, 17
"""Places among the fields of a process."""

_account: dict[str, float] = {"peak_bytes": 0, "oom_kills": 0, "forks_refused": 0}


def usage() -> dict[str, float]:
    """Return the same as the supervisor's `usage`. `cpu_seconds` counts all processes but this one, in steps of a tick."""
    ticks = 0
    for number, fields in _processes().items():
        # user, system, user and system of children that were waited for; orphans are waited for by this process
        ticks += sum(map(int, fields[13:15] if number == os.getpid() else fields[11:15]))
    _look_at_memory()
    return {"cpu_seconds": ticks / TICKS, **_account}


def beyond(limits: dict[str, float]) -> bool:
    """Return whether the box is over a limit that its kernel does not hold; the account then shows which."""
    if tasks(_processes(), os.getpid()) > limits["processes"]:
        _account["forks_refused"] = 1
        return True
    limit_bytes = int(limits["memory_mib"]) << 20
    if _look_at_memory() > limit_bytes:
        _account["oom_kills"] = 1
        _account["peak_bytes"] = limit_bytes  # the same figure as under a kernel that refuses more
        return True
    return False


def tasks(processes: dict[int, list[str]], supervisor: int) -> int:
    """Return how many processes and threads a program has, given `_processes()`.

    As on Linux, a dead process (with all of its threads dead) counts while its parent lives and could wait for it. After that it
    is the supervisor's to wait for, and does not count.
    """
    theirs = {number: fields for number, fields in processes.items() if number != supervisor}
    living = {number for number, fields in theirs.items() if fields[STATE] != "Z" or int(fields[THREADS]) > 1}
    counted = (fields for number, fields in theirs.items() if number in living or int(fields[PARENT]) in living)
    return sum(int(fields[THREADS]) for fields in counted)


@contextmanager
def as_user() -> Iterator[None]:
    """Act as the program's user, so that files and pipes that are made meanwhile belong to it."""
    os.setegid(USER)
    os.seteuid(USER)
    yield
    os.seteuid(0)
    os.setegid(0)


def become_user() -> None:
    """Become the program's user for good; called in the program's process."""
    os.setgroups([])
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)


def _processes() -> dict[int, list[str]]:
    """Return the fields of proc(5) of each process, from the third (state) on, by its number."""
    found = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                # a process chooses its name, which may hold any bytes
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
