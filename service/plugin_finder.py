"""The process that imports and checks every installed plugin, once, so that the service itself need not.

Started by `service.installation` as `python -m service.plugin_finder FD`. It says whose code it is about to run, so that its starter
knows who hangs or ends it, and starts another one without that plugin.
"""

import os
import signal
import socket
import sys
from dataclasses import asdict
from importlib.metadata import EntryPoint

from graders.registry import Registry, own_entry_points, plugin_entry_points
from service.child import PR_SET_PDEATHSIG, prctl, unlimit_memory
from service.plugins import plugins_of
from service.wire import Wire, from_above, up


def main() -> None:
    """Tell what there is, and end at once: whatever a plugin has started or registered is not waited for."""
    control = Wire(socket.socket(fileno=int(sys.argv[1])))
    unlimit_memory()
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    criteria, left_out = from_above(control.receive() or b"")
    own, plugins = own_entry_points(), [point for point in plugin_entry_points() if key(point) not in left_out]

    def began(point: EntryPoint) -> None:
        if point in plugins:
            control.send(up({"began": key(point)}))

    found = Registry.discover(criteria, [*own, *plugins], began)
    broken = [asdict(each) for each in found.broken]
    control.send(up({"plugins": [asdict(each) for each in plugins_of(found)], "broken": broken}))
    os._exit(0)


def key(point: EntryPoint) -> str:
    """Its name for both processes."""
    return f"{point.name} = {point.value}"


if __name__ == "__main__":
    main()
