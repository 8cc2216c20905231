"""The kernel user of a plugin's process, where the service is root: one that owns nothing and may signal nobody else's processes."""

import os
import sys

from sandboxes import users
from service.child import prctl

IDS = range(users.IDS.stop, users.IDS.stop + (1 << 22))
"""Users and groups of plugins' processes, by the number of the process (2^22 at most): no two that live have the same. Boxes have none of them."""
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


def leave_root() -> list[str]:
    """Become that user for good, with all threads; where the service is not root, do nothing.

    Gives the folders of `sys.path` from which nothing can be imported any more. Clears the signal of PR_SET_PDEATHSIG.
    """
    if os.geteuid() != 0:
        return []
    own = IDS.start + os.getpid()
    folders = [folder for folder in sys.path if os.path.exists(folder)]  # noqa: PTH110 - most are folders, some are archives
    os.setgroups([])
    os.setresgid(own, own, own)
    os.setresuid(own, own, own)
    prctl(_PR_SET_NO_NEW_PRIVS, 1)  # no program makes it another user again
    prctl(_PR_SET_DUMPABLE, 1)  # /proc/self is its own again; nobody else has this user
    return [folder for folder in folders if not os.access(folder, os.R_OK)]
