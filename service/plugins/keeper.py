"""Keeps the process of one plugin: starts it, passes on its output, and ends it with all that it has started.

Started by `service.plugins.grader` as `python -m service.plugins.keeper FD`. No code of the plugin ever runs here. This process
stays the service's user, and so can end anything that the plugin's user does. It ends when the plugin's process does, in the
same way, or when its starter is gone. Only then does the starter see the end of the connection, so nothing of the plugin is left.
"""

import os
import resource
import select
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass

from service.plugins import process
from service.plugins.process import Asked
from service.plugins.user import PluginUser, user_of
from service.processes.child import PR_SET_CHILD_SUBREAPER, children, prctl, unlimit_memory
from service.processes.wire import Wire, from_above

LEFT_BEHIND_SECONDS = 5.0
"""Seconds spent on ending the plugin's remaining processes, before this process gives up."""
PRINTED_BYTES = 1 << 20
"""Most bytes of output of a plugin's process in its life: others share the log."""
_PIECE = select.PIPE_BUF
"""A pipe that accepts anything accepts this many bytes at once."""


def main() -> None:
    """Start the plugin's process, and end like it."""
    control = Wire(socket.socket(fileno=int(sys.argv[1])))
    unlimit_memory()  # the evaluator's
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    prctl(PR_SET_CHILD_SUBREAPER, 1)  # orphans become children of this process
    message = control.receive()
    assert message is not None
    asked: Asked = from_above(message)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            os.dup2(writing, 1)
            os.dup2(writing, 2)
            os.close(writing)
            process.main(control, asked)
        finally:
            os._exit(1)
    os.close(writing)
    printed = _Output(reading)
    user = user_of(pid)
    _watch(pid, control, printed)
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)  # The process has not been waited for, so its number is still its own.
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    _end_all_that_is_left(user)
    printed.pass_all_on()
    _leave_like(code)


def _watch(pid: int, control: Wire, printed: "_Output") -> None:
    """Wait until the plugin's process has ended, or the starter is gone."""
    poll = select.poll()
    ended = os.pidfd_open(pid)
    poll.register(ended, select.POLLIN)
    poll.register(control.fileno(), select.POLLRDHUP)  # what comes there is read by the plugin's process
    poll.register(printed.fd, select.POLLIN)
    while True:
        ready = {fd for fd, _ in poll.poll()}
        if ended in ready or control.fileno() in ready:
            return
        if not printed.pass_on():
            poll.unregister(printed.fd)


def _end_all_that_is_left(user: PluginUser | None) -> None:
    """Kill all processes that the plugin has started: those of its user, or else the children of this process."""
    deadline = time.monotonic() + LEFT_BEHIND_SECONDS
    while time.monotonic() < deadline:
        if user is not None:
            user.end_all()
        for child in children():
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.001)
    raise RuntimeError("what a plugin left behind does not end")


def _leave_like(code: int) -> None:
    """End with this exit code, or by the signal of which this is the negative number."""
    if code < 0:
        with suppress(OSError):  # SIGKILL cannot be set
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    os._exit(code)


@dataclass(slots=True)
class _Output:
    """The plugin's output on its way to the log. A plugin never gets the log's own stream."""

    fd: int
    left: int = PRINTED_BYTES

    def pass_on(self) -> bool:
        """Pass the next piece to the log if the log takes it; return False at the end."""
        piece = os.read(self.fd, _PIECE)
        kept = piece[: self.left]
        self.left -= len(kept)
        takes = select.poll()
        takes.register(2, select.POLLOUT)
        if kept and takes.poll(0):
            with suppress(OSError):
                os.write(2, kept)
        return bool(piece)

    def pass_all_on(self) -> None:
        """Pass on the remaining output after all writers are gone."""
        while self.pass_on():
            pass


if __name__ == "__main__":
    main()
