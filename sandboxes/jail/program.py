"""One program in a slot, seen from the host: its streams, its channel, its clock, its end.

The program's descriptors were made here and handed over, so nothing relays between it and us. Its output is
untrusted. The zygote's messages (`control`) are ours, but are checked as if they were not.
"""

import json
import os
import select
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from sandboxes.classify import Stopped, parse_report
from sandboxes.engine.control_group import Scheduled
from sandboxes.inside.program import LIMITS
from sandboxes.interface import Command, Execution, SandboxError
from sandboxes.jail.cpu_pinning import ANY_PROCESSOR
from sandboxes.jail.slot import MESSAGE_BYTES, Slot, request_file
from sandboxes.running_program import LAST_WORDS_SECONDS, Poller, RunningProgram

CHUNK = 1 << 16
BEGINS = b"B"
LEAVE_SECONDS = 0.3
"""How long a program may go on after its channel was closed."""


class JailedProgram(RunningProgram):
    """A program while it runs. The port's `Conversation`."""

    def __init__(
        self,
        slot: Slot,
        command: Command,
        attention: Poller,
        *,
        channel: bool,
        line: socket.socket | None = None,
        processor: int = ANY_PROCESSOR,
    ) -> None:
        """Start it. `line`: its end of the line to another program, which is handed over; `processor`: the one that it stays on."""
        super().__init__()
        self._slot = slot
        self._command = command
        self._attention = attention
        self._control = slot.control
        self._outgoing = memoryview(b"")
        self._stdin = memoryview(command.stdin)
        self._extra: dict[str, Any] = {}
        self._sources: dict[int, str] = {}
        self._channel: socket.socket | None = None
        self._start(channel=channel, line=line, processor=processor)
        attention.programs.append(self)

    @property
    def container(self) -> str:
        return self._slot.container

    # --- the caller's side --------------------------------------------------------------------------------------------

    def finish(self) -> Execution:
        if self._execution is None:
            self._await_start()
            if not self.over():
                if self._channel is not None:
                    self._close_channel()
                self._pump(lambda: False, time.monotonic() + LEAVE_SECONDS)
                if not self.over():
                    self._end("left")
            self._drain()
            self._execution = self._conclude()
        return self._execution

    def close(self) -> str:
        """Leave the program, which is ended if it still runs. Return why its slot must not be used again; empty if it may."""
        try:
            if self._report is None and not self._gone:
                self._end("killed")
        finally:
            self._attention.programs.remove(self)
            for fd in self._sources:
                self._attention.remove(fd)
                if fd != self._control.fileno() and (self._channel is None or fd != self._channel.fileno()):
                    os.close(fd)
            if self._channel is not None:
                self._channel.close()
        if self._report is None:
            return "the zygote did not report"
        if self._report.oom_kills:
            return "it ran out of memory"
        return str(self._extra["problem"] or self._extra["doubt"])

    # --- start --------------------------------------------------------------------------------------------------------

    def _start(self, *, channel: bool, line: socket.socket | None, processor: int) -> None:
        command, limits = self._command, self._command.limits
        stdin, self._to_stdin = os.pipe2(os.O_CLOEXEC)
        stdout_reader, stdout = os.pipe2(os.O_CLOEXEC)
        stderr_reader, stderr = os.pipe2(os.O_CLOEXEC)
        theirs = [stdin, stdout, stderr]
        # A pipe belongs to its maker. The program is another user, and may reopen its own ends (/dev/stdin).
        for fd, mode in ((stdin, 0o444), (stdout, 0o222), (stderr, 0o222)):
            os.fchmod(fd, mode)
        for fd, name in ((stdout_reader, "stdout"), (stderr_reader, "stderr"), (self._to_stdin, "stdin")):
            os.set_blocking(fd, False)
            self._sources[fd] = name
        if channel:
            self._channel, other = socket.socketpair()
            self._channel.setblocking(False)
            theirs.append(other.detach())
            self._watch(self._channel.fileno(), "channel")
        if line is not None:
            theirs.append(line.detach())
        self._watch(stdout_reader, "stdout")
        self._watch(stderr_reader, "stderr")
        self._watch(self._control.fileno(), "control")
        self._sent_at = time.monotonic()
        try:
            self._slot.reset_peak()
            with request_file(command.argv, command.environment, command.files) as request:
                message = b"R" + LIMITS.pack(limits.cpu_seconds, limits.disk_mib, processor)
                socket.send_fds(self._control, [message], [request.fileno(), *theirs])
        except OSError as error:
            raise SandboxError("the zygote took no program", container=self._slot.container, error=error) from error
        finally:
            for fd in theirs:
                os.close(fd)
        self._feed_stdin()
        if self._to_stdin in self._sources:
            self._attention.add(self._to_stdin, select.POLLOUT, self)

    def _watch(self, fd: int, name: str) -> None:
        self._sources[fd] = name
        self._attention.add(fd, select.POLLIN, self)

    # --- stopping -----------------------------------------------------------------------------------------------------

    def _end_all(self) -> None:
        self._end("killed")

    def _end(self, why: Stopped) -> None:
        """End everything in the box; the report repeats `why`."""
        if self._report is not None:
            return
        with suppress(OSError):
            self._control.send(b"K" + why.encode())
        self._pump(lambda: False, time.monotonic() + LAST_WORDS_SECONDS)

    def _close_channel(self) -> None:
        assert self._channel is not None
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_WR)

    # --- the pump -----------------------------------------------------------------------------------------------------

    def _catch_up(self) -> None:
        self._attention.look()

    def _cpu_seconds(self) -> float | None:
        return self._slot.cpu_seconds()

    def _threads(self) -> Mapping[int, Scheduled]:
        return self._slot.threads()

    def attend(self, fd: int) -> None:
        name = self._sources.get(fd)
        if name == "control":
            self._hear()
        elif name == "channel":
            self._feed_channel()
            self._take_answer()
        elif name == "stdin":
            self._feed_stdin()
        elif name is not None:
            self._take_output(fd, name)

    def _forget(self, fd: int) -> None:
        self._attention.remove(fd)
        del self._sources[fd]

    def _hear(self) -> None:
        """Take the zygote's message that the program begins, its report, or the end of the slot."""
        try:
            message = self._control.recv(MESSAGE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            message = b""
        if not message:
            self._gone = True
            self._forget(self._control.fileno())
            return
        if message == BEGINS:
            # not later than its end: its output may have been read, and stopped it, first
            self._started_at = self._ended_at or time.monotonic()
            return
        self._ended_at = self._ended_at or time.monotonic()
        try:
            fields = json.loads(message)
            self._extra = {name: fields.pop(name) for name in ("problem", "doubt", "memory_before")}
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
            self._gone = True
            raise SandboxError("the zygote sent a malformed report", report=message[:1000]) from error
        self._report = parse_report(fields)
        while self._channel is not None and self._channel.fileno() in self._sources and self._take_answer():
            pass  # it may have answered more before its end than one read takes

    def _feed_stdin(self) -> None:
        try:
            while self._stdin:
                self._stdin = self._stdin[os.write(self._to_stdin, self._stdin[:CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            pass
        self._forget(self._to_stdin)
        os.close(self._to_stdin)

    def _post(self, message: bytes) -> None:
        self._outgoing = memoryview(bytes(self._outgoing) + message)
        self._feed_channel()

    def _feed_channel(self) -> None:
        assert self._channel is not None
        if not self._outgoing:
            return
        try:
            while self._outgoing:
                self._outgoing = self._outgoing[self._channel.send(self._outgoing[: 1 << 18]) :]
        except BlockingIOError:
            pass
        except OSError:  # it closed its end, and will not answer any more
            self._outgoing = memoryview(b"")
        wanted = select.POLLIN | (select.POLLOUT if self._outgoing else 0)
        if self._channel.fileno() in self._sources:
            self._attention.add(self._channel.fileno(), wanted, self)

    def _take_answer(self) -> bool:
        """Read available bytes. Return False if there were none, or none can follow."""
        assert self._channel is not None
        try:
            data = self._channel.recv(CHUNK)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        if not data:
            self._forget(self._channel.fileno())
            return False
        self._keep_answer(data)
        return True

    def _take_output(self, fd: int, name: str) -> bool:
        """Read available bytes. Return False if there were none, or none can follow."""
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._forget(fd)
            os.close(fd)
            return False
        self._keep_output(name, data)
        return True

    def _drain(self) -> None:
        """Read what the program wrote before its end: it is still in the pipes, and no process can add to it any more."""
        for fd, name in list(self._sources.items()):
            if name in self._output:
                while self._take_output(fd, name) and not self._over_printed():
                    pass

    # --- the account --------------------------------------------------------------------------------------------------

    def _conclude(self) -> Execution:
        report = self._report
        if report is not None and self._extra["problem"]:
            raise SandboxError("a program could not be locked in", problem=self._extra["problem"])
        if report is None:
            return self._account(self._slot.state(ended_within=self._ended_within()), 0)
        peak = self._slot.peak_bytes()
        return self._account(
            {}, report.peak_bytes if peak is None else max(0, peak - int(self._extra["memory_before"]))
        )
