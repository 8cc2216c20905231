"""What the kernel counts for a container, read from outside: its control group, in version 1 or 2."""

from contextlib import suppress
from pathlib import Path


def counter(pid: int, controller: str, v1: str, v2: str) -> Path | None:
    """The file of a counter, for the control group that process `pid` is in; None where there is none to be seen.

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
    """As `counter`, of the CPU time."""
    return counter(pid, "cpuacct", "cpuacct.usage", "cpu.stat")


def cpu_seconds(file: Path | None) -> float | None:
    """What `cpu_counter` holds: CPU time of all that is or was in the group, user + system; None where it cannot be seen."""
    if file is None:
        return None
    try:
        text = file.read_text()
    except OSError:
        return None
    return int(text.split()[1]) / 1e6 if file.name == "cpu.stat" else int(text) / 1e9  # the first line: usage_usec N


def waited_seconds(file: Path | None) -> float:
    """Return how long the live threads of the group of a `cpu_counter` were ready to run and waited for a processor.

    0 if the kernel does not count it. Threads that ended take their share away: only a rise between two calls has a meaning.
    """
    if file is None:
        return 0.0
    listed = file.with_name("cgroup.threads" if file.name == "cpu.stat" else "tasks")
    nanoseconds = 0
    with suppress(OSError):
        for thread in listed.read_text().split():
            with suppress(OSError):  # it has ended since
                nanoseconds += int(Path(f"/proc/{thread}/schedstat").read_text().split()[1])
    return nanoseconds / 1e9
