"""The kernel user of a plugin's process, if the service is root. It owns nothing and may signal no other user's processes.

All that the process starts keeps this user. So the user identifies its processes when they have to end.
"""

import os
import resource
import signal
from contextlib import suppress
from dataclasses import dataclass

from sandboxes.engine import users
from service.processes.child import prctl

IDS = range(users.IDS.stop, users.IDS.stop + (1 << 22))
"""Users and groups of plugins' processes, by the number of the process (2^22 at most): no two that live have the same. Boxes have none of them."""
MOST_PROCESSES = 64 + 4 * (os.cpu_count() or 1)
"""Most processes of one such user, threads included. Computing libraries start one thread per CPU; a fork bomb stops
here.
"""
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


@dataclass(frozen=True, slots=True)
class PluginUser:
    """The user that process `pid` becomes, as which it imports the plugin and does all that follows."""

    pid: int

    @property
    def id(self) -> int:
        return IDS.start + self.pid

    def enter(self) -> None:
        """Become this user, with all threads. Only in process `pid` itself. Clears the signal of PR_SET_PDEATHSIG."""
        resource.setrlimit(resource.RLIMIT_NPROC, (MOST_PROCESSES, MOST_PROCESSES))
        os.setgroups([])
        os.setresgid(self.id, self.id, self.id)
        os.setresuid(self.id, self.id, self.id)
        prctl(_PR_SET_NO_NEW_PRIVS, 1)  # no program makes it another user again
        prctl(_PR_SET_DUMPABLE, 1)  # /proc/self is readable again, and only this process has the user.

    def end_all(self) -> None:
        """Kill every process of this user, at one stroke, so that none can get away by forking."""
        pid = os.fork()
        if pid == 0:
            try:
                # It may signal the processes of this user, by its effective user, and they may not signal it, by its other two.
                other = IDS.stop + self.pid
                os.setgroups([])
                os.setresgid(other, other, other)
                os.setresuid(other, self.id, other)
                with suppress(ProcessLookupError):
                    os.kill(-1, signal.SIGKILL)
            finally:
                os._exit(0)
        os.waitpid(pid, 0)


def user_of(pid: int) -> PluginUser | None:
    """Return the user that this process is to become; None if the service is not root and plugins keep its user."""
    return PluginUser(pid) if os.geteuid() == 0 else None
