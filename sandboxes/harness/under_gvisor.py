"""What the supervisor does itself where the box's kernel is gVisor's, which does less for it than Linux.

* It keeps no account of a whole box: CPU time is summed over all processes, memory is its own count of what the box holds.
* It limits neither processes nor, exactly, memory: both are looked at several times a second, and a box that is over its
  limit is ended. The container's own limits on the host are behind that, and wider.
* Signals from inside reach process 1. So the supervisor is root, which means something to gVisor only, and the program is
  not: it can no more signal the supervisor or open its streams than a user can root's.
"""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

PRESENT = os.path.exists("/proc/sentry-meminfo")
USER = 10001
"""As in the image."""
TICKS = os.sysconf("SC_CLK_TCK")
MEMORY = "/sys/fs/cgroup/memory/memory.usage_in_bytes"

_began = time.monotonic()
_account: dict[str, float] = {"peak_bytes": 0, "oom_kills": 0, "forks_refused": 0}


def usage() -> dict[str, float]:
    """As the supervisor's: `cpu_seconds` of all processes but this one, in steps of a tick.

    gVisor counts a process that waits for a core as running, so where many do, what the cores can have given is the bound.
    """
    ticks = 0
    for own, fields in _processes():
        # user, system, user and system of children that were waited for; orphans are waited for by this process
        ticks += sum(map(int, fields[13:15] if own else fields[11:15]))
    _look_at_memory()
    possible = (time.monotonic() - _began) * (os.cpu_count() or 1)
    return {"cpu_seconds": min(ticks / TICKS, possible), **_account}


def beyond(limits: dict[str, float]) -> bool:
    """Whether the box is over a limit that its kernel does not hold; the account says which from then on."""
    tasks = sum(int(fields[17]) for own, fields in _processes() if not own)
    if tasks > limits["processes"]:
        _account["forks_refused"] = 1
        return True
    limit_bytes = int(limits["memory_mib"]) << 20
    if _look_at_memory() > limit_bytes:
        _account["oom_kills"] = 1
        _account["peak_bytes"] = limit_bytes  # as where the kernel refuses what is beyond
        return True
    return False


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


def _processes() -> Iterator[tuple[bool, list[str]]]:
    """For each process: whether it is this one, and its fields of proc(5) from the third (state) on."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat") as file:
                    yield int(name) == os.getpid(), file.read().rpartition(")")[2].split()
            except OSError:  # it has ended since
                continue


def _look_at_memory() -> int:
    with open(MEMORY) as file:
        now = int(file.read())
    if not _account["oom_kills"]:
        _account["peak_bytes"] = max(_account["peak_bytes"], now)
    return now
