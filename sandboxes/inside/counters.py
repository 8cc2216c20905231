"""A box's resource usage, from its own control group: version 1 or 2, mounted read-only at /sys/fs/cgroup.

The files are opened once and read repeatedly, also by a process that no longer sees their folder.
"""

import os
import resource

ROOT = "/sys/fs/cgroup"

_FILES = {
    # version 2, version 1; a line's key, empty if the file is one number
    "cpu": (("cpu.stat", "usage_usec"), ("cpuacct/cpuacct.usage", "")),
    "memory": (("memory.current", ""), ("memory/memory.usage_in_bytes", "")),
    "peak": (("memory.peak", ""), ("memory/memory.max_usage_in_bytes", "")),
    "limit": (("memory.max", ""), ("memory/memory.limit_in_bytes", "")),
    "limit_hits": (("memory.events", "max"),),  # version 1 has one that newer kernels do not count up
    "oom_kills": (("memory.events", "oom_kill"), ("memory/memory.oom_control", "oom_kill")),
    "processes": (("pids.current", ""), ("pids/pids.current", "")),
    "forks_refused": (("pids.events", "max"), ("pids/pids.events", "max")),
}


RESERVED_NUMBERS = 300
"""When process numbers wrap around, the kernel reuses none below this one."""


def started(before: int, after: int, most: int) -> int:
    """Return how many processes and threads were started between two numbers, which the kernel gives out in order.

    `most`: the number at which they wrap around (proc(5), pid_max: 32768 on small hosts). A second wrap is not noticed.
    """
    return max(0, after - before if after >= before else after - before + most - RESERVED_NUMBERS)


def written(account: str) -> int:
    """Return the bytes passed to write(2) and its kin, from a process's account in /proc (proc(5), io); 0 if it lacks them."""
    return next((int(line.split()[1]) for line in account.splitlines() if line.startswith("wchar:")), 0)


class Counters:
    """The open counters. A missing counter raises nothing; it reads as None."""

    def __init__(self, root: str = ROOT) -> None:
        self._open: dict[str, tuple[int, str]] = {}
        for name, places in _FILES.items():
            for path, key in places:
                try:
                    fd = os.open(f"{root}/{path}", os.O_RDONLY | os.O_CLOEXEC)
                except OSError:
                    continue
                self._open[name] = (fd, key)
                break

    @property
    def cpu_unit(self) -> float:
        """Return the counter's unit in seconds: version 2 counts microseconds, version 1 nanoseconds."""
        return 1e-6 if "cpu" in self._open and self._open["cpu"][1] else 1e-9

    def place(self, name: str) -> tuple[int, str]:
        """Return the open file of a counter and the key of its line; -1 if it is missing."""
        return self._open.get(name, (-1, ""))

    def read(self, name: str) -> int | None:
        if name not in self._open:
            return None
        fd, key = self._open[name]
        text = os.pread(fd, 4096, 0).decode("ascii", "replace")
        if not key:
            return int(text)
        for line in text.splitlines():
            word, _, number = line.partition(" ")
            if word == key:
                return int(number)
        return None

    def cpu_seconds(self) -> float:
        """Return the user and system time of all processes that ever were in the box."""
        used = self.read("cpu")
        if used is not None:
            return used * self.cpu_unit
        own = resource.getrusage(resource.RUSAGE_CHILDREN)
        return own.ru_utime + own.ru_stime
