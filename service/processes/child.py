"""Processes of our own that the service starts: a module each, a socket between, and a process group to end it by."""

import ctypes
import os
import resource
import signal
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from service.processes.wire import MOST_BYTES, Wire

SEND_SECONDS = 30
"""How long a message to such a process may take: it reads whenever it has nothing else to do."""
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
_SECRET = frozenset({"ASSAY_DATABASE_URL", "ASSAY_TOKEN"})
"""Variables that children do not get. One may hold a password, and children that need the database get its address directly;
the other is for commands that use a service.
"""


class Child:
    """`python -m MODULE FD`, in a session of its own. It ends when it finds its end of the socket closed; `end` sees to it."""

    def __init__(self, module: str, most_bytes: int = MOST_BYTES) -> None:
        """Start the process without waiting for it; its messages may have `most_bytes`. Raises OSError."""
        ours, theirs = socket.socketpair()
        with theirs:
            # Find the same modules as this process, from a checkout, an installation or a test.
            path = os.pathsep.join(map(os.path.abspath, sys.path))
            try:
                self._process = subprocess.Popen(
                    [sys.executable, "-P", "-m", module, str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=2,  # what it prints stands beside our log, and never in what a command prints
                    pass_fds=[theirs.fileno()],
                    env={
                        **{name: value for name, value in os.environ.items() if name not in _SECRET},
                        "PYTHONPATH": path,
                    },
                    start_new_session=True,
                )
            except BaseException:
                ours.close()
                raise
        ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", SEND_SECONDS, 0))
        self.wire = Wire(ours, most_bytes)

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """Kill it. The reader of its socket then sees the end and calls `end`."""
        self._process.kill()

    def end(self, *, within: float) -> int:
        """Close the socket, wait `within` seconds, then kill its group. Returns minus a signal's number, or its exit code."""
        self.wire.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(within)
        if self._process.returncode is None:
            # The process has not been waited for, so its group's number is still its own.
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.wait()


def how(code: int) -> str:
    """Return in words how a process ended, from the code that `Child.end` returns."""
    if code >= 0:
        return f"its process ended with exit code {code}"
    try:
        name = f" ({signal.Signals(-code).name})"
    except ValueError:
        name = ""
    return f"its process ended by signal {-code}{name}"


def limit_memory(more: int) -> None:
    """Limit this process to `more` bytes of address space beyond its present size, without core dumps."""
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    most = size + more if hard == resource.RLIM_INFINITY else min(size + more, hard)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def unlimit_memory() -> None:
    """Take back what the process that started this one has limited for itself."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def prctl(option: int, value: int) -> None:
    """Set an option of this process, such as PR_SET_PDEATHSIG: the signal that it gets when its starter ends."""
    ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def children() -> Iterator[int]:
    """Return the child processes of this one."""
    own = str(os.getpid())
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                # after the parenthesised command, which may contain anything: state and parent
                if (folder / "stat").read_text().rpartition(")")[2].split()[1] == own:
                    yield int(folder.name)
