"""Named points at which a test can make this process die, so that kill tests are deterministic. No-ops otherwise.

`ASSAY_CRASH_AT=before-finish:3` ends the process with SIGKILL the third time it gets to that point. The points are those
between the steps of a submission's path; nothing outside tests sets the variable.
"""

import os
import signal
import threading

VARIABLE = "ASSAY_CRASH_AT"

_lock = threading.Lock()
_seen: dict[str, int] = {}


def crash_point(name: str) -> None:
    """Exit here, if a test asked for this point and this count."""
    wanted, _, count = os.environ.get(VARIABLE, "").partition(":")
    if wanted != name:
        return
    with _lock:
        _seen[name] = _seen.get(name, 0) + 1
        if _seen[name] == int(count or 1):
            os.kill(os.getpid(), signal.SIGKILL)
