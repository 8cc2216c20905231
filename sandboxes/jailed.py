"""One program in a slot, seen from the host: its streams, its channel, its clock, its end.

The program's descriptors were made here and handed over, so nothing relays between it and us. What it writes is
untrusted; what the zygote says (`control`) is ours, but is checked as if it were not.
"""

import json
import os
import select
import socket
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sandboxes.classify import Report, Seen, classify, parse_report
from sandboxes.interface import Behaviour, Command, Evidence, Execution, SandboxError
from sandboxes.slot import MESSAGE_BYTES, Slot, request_file

MAX_MESSAGE_BYTES = 16 << 20
"""Longest message on a channel, either way."""
CHUNK = 1 << 16
LIMITS = struct.Struct(">dIB")
"""As in zygote.py: CPU seconds, disk MiB, whether there is a channel."""
LEAVE_SECONDS = 0.3
"""How long a program may go on after its channel was closed."""
LAST_WORDS_SECONDS = 2.0
"""How long the zygote may take to end everything and to report."""


class Jailed:
    """A program while it runs. The port's `Conversation`."""

    def __init__(self, slot: Slot, command: Command, *, channel: bool) -> None:
        self._slot = slot
        self._command = command
        self._control = slot.control
        self._output = {"stdout": bytearray(), "stderr": bytearray()}
        self._printed = 0
        self._answer = bytearray()
        self._outgoing = memoryview(b"")
        self._stdin = memoryview(command.stdin)
        self._report: Report | None = None
        self._extra: dict[str, Any] = {}
        self._gone = False
        self._stopped_for = ""
        self._broke: list[Evidence] = []
        self._execution: Execution | None = None
        self._ended_at: float | None = None
        self._poll = select.poll()
        self._sources: dict[int, str] = {}
        self._channel: socket.socket | None = None
        self._start(channel=channel)

    @property
    def container(self) -> str:
        return self._slot.container

    # --- the caller's side --------------------------------------------------------------------------------------------

    def ask(self, message: bytes, *, seconds: float) -> bytes | None:
        if len(message) > MAX_MESSAGE_BYTES:
            raise ValueError(f"a message may have {MAX_MESSAGE_BYTES} bytes, not {len(message)}")
        if self._over():
            return None
        self._take_what_is_there()
        if self._answer:
            self._refuse("an answer before the question")
            return None
        self._outgoing = memoryview(struct.pack(">I", len(message)) + message)
        self._feed_channel()
        self._pump(self._has_answer, min(time.monotonic() + seconds, self._wall_deadline))
        if not self._has_answer():
            if not self._over():
                self._stop("wall")
            return None
        size = self._answer_size()
        if len(self._answer) > 4 + size:
            self._refuse("more than one answer to a question")
            return None
        answer = bytes(self._answer[4:])
        self._answer.clear()
        return answer

    def wait(self) -> None:
        """Until the program ends by itself, or is stopped at its wall limit."""
        self._pump(lambda: False, self._wall_deadline)
        if not self._over():
            self._stop("wall")

    def finish(self) -> Execution:
        if self._execution is None:
            if not self._over():
                if self._channel is not None:
                    self._close_channel()
                self._pump(lambda: False, time.monotonic() + LEAVE_SECONDS)
                if not self._over():
                    self._end("left")
            self._drain()
            self._execution = self._conclude()
        return self._execution

    def close(self) -> str:
        """Leave the program, which is ended if it still runs. Returns why its slot is not to be used again, or nothing."""
        try:
            if self._report is None and not self._gone:
                self._end("killed")
        finally:
            for fd in self._sources:
                if fd != self._control.fileno() and (self._channel is None or fd != self._channel.fileno()):
                    os.close(fd)
            if self._channel is not None:
                self._channel.close()
        if self._report is None:
            return "the zygote did not report"
        if self._report.oom_kills:
            return "it ran out of memory"
        return str(self._extra["problem"] or self._extra["doubt"])

    # --- questions about the state ------------------------------------------------------------------------------------

    def _over(self) -> bool:
        return self._report is not None or self._gone or bool(self._stopped_for)

    def _answer_size(self) -> int:
        return int.from_bytes(self._answer[:4], "big")

    def _has_answer(self) -> bool:
        return len(self._answer) >= 4 and len(self._answer) >= 4 + self._answer_size()

    # --- start --------------------------------------------------------------------------------------------------------

    def _start(self, *, channel: bool) -> None:
        command, limits = self._command, self._command.limits
        stdin, self._to_stdin = os.pipe2(os.O_CLOEXEC)
        stdout_reader, stdout = os.pipe2(os.O_CLOEXEC)
        stderr_reader, stderr = os.pipe2(os.O_CLOEXEC)
        theirs = [stdin, stdout, stderr]
        for fd, name in ((stdout_reader, "stdout"), (stderr_reader, "stderr"), (self._to_stdin, "stdin")):
            os.set_blocking(fd, False)
            self._sources[fd] = name
        if channel:
            self._channel, other = socket.socketpair()
            self._channel.setblocking(False)
            theirs.append(other.detach())
            self._watch(self._channel.fileno(), "channel")
        self._watch(stdout_reader, "stdout")
        self._watch(stderr_reader, "stderr")
        self._watch(self._control.fileno(), "control")
        self._started_at = time.monotonic()
        self._wall_deadline = self._started_at + limits.wall_seconds
        try:
            self._slot.reset_peak()
            with request_file(command.argv, command.environment, command.files) as request:
                message = b"R" + LIMITS.pack(limits.cpu_seconds, limits.disk_mib, channel)
                socket.send_fds(self._control, [message], [request.fileno(), *theirs])
        except OSError as error:
            raise SandboxError("the zygote took no program", container=self._slot.container, error=error) from error
        finally:
            for fd in theirs:
                os.close(fd)
        self._feed_stdin()
        if self._to_stdin in self._sources:
            self._poll.register(self._to_stdin, select.POLLOUT)

    def _watch(self, fd: int, name: str) -> None:
        self._sources[fd] = name
        self._poll.register(fd, select.POLLIN)

    # --- stopping -----------------------------------------------------------------------------------------------------

    def _refuse(self, what: str) -> None:
        """The program broke the channel's protocol: that ends the program, nothing else."""
        self._broke.append(Evidence(behaviour=Behaviour.CHANNEL, detail=what, refused=True))
        self._stop("protocol")

    def _stop(self, why: str) -> None:
        self._stopped_for = why
        self._ended_at = time.monotonic()
        self._end("killed")

    def _end(self, why: str) -> None:
        """Have everything ended, and wait for the account of it, if one still comes."""
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

    def _pump(self, enough: Callable[[], bool], deadline: float) -> None:
        """Carry bytes until `enough()`, the report, the zygote's end or the deadline."""
        while not enough() and self._report is None and not self._gone:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            for fd, _ in self._poll.poll(left * 1000 + 1):
                self._attend(fd)

    def _take_what_is_there(self) -> None:
        for fd, _ in self._poll.poll(0):
            self._attend(fd)

    def _attend(self, fd: int) -> None:
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
        with suppress(KeyError):
            self._poll.unregister(fd)
        del self._sources[fd]

    def _hear(self) -> None:
        """The zygote's report, or its end."""
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
        self._ended_at = self._ended_at or time.monotonic()
        try:
            fields = json.loads(message)
            self._extra = {name: fields.pop(name) for name in ("problem", "doubt", "memory_before")}
        except (ValueError, RecursionError, KeyError, TypeError, AttributeError) as error:
            self._gone = True
            raise SandboxError("the zygote sent a malformed report", report=message[:1000]) from error
        self._report = parse_report(fields)

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

    def _feed_channel(self) -> None:
        assert self._channel is not None
        if not self._outgoing:
            return
        try:
            while self._outgoing:
                self._outgoing = self._outgoing[self._channel.send(self._outgoing[: 1 << 18]) :]
        except BlockingIOError:
            pass
        except OSError:  # it closed its end; it will answer nothing more
            self._outgoing = memoryview(b"")
        wanted = select.POLLIN | (select.POLLOUT if self._outgoing else 0)
        if self._channel.fileno() in self._sources:
            self._poll.modify(self._channel.fileno(), wanted)

    def _take_answer(self) -> None:
        assert self._channel is not None
        try:
            data = self._channel.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._forget(self._channel.fileno())
            return
        if self._stopped_for:
            return
        self._answer += data
        if len(self._answer) >= 4 and self._answer_size() > MAX_MESSAGE_BYTES:
            self._refuse("a message longer than allowed")

    def _take_output(self, fd: int, name: str) -> bool:
        """Read what is there. False where nothing was, or nothing more can be."""
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return False
        if not data:
            self._forget(fd)
            os.close(fd)
            return False
        cap = self._command.limits.output_kib << 10
        self._output[name] += data[: max(0, cap - self._printed)]
        self._printed += len(data)
        if self._printed > cap and not self._stopped_for:
            self._stop("output")
        return True

    def _drain(self) -> None:
        """What was written before the end is still in the pipes; nobody can add to it any more."""
        for fd, name in list(self._sources.items()):
            if name in self._output:
                while self._take_output(fd, name):
                    if self._printed > self._command.limits.output_kib << 10:
                        break

    # --- the account --------------------------------------------------------------------------------------------------

    def _conclude(self) -> Execution:
        report = self._report
        if report is not None and self._extra["problem"]:
            raise SandboxError("a program could not be locked in", problem=self._extra["problem"])
        state = {} if report is not None else self._slot.state()
        end = classify(
            Seen(
                report=report,
                stopped_for=self._stopped_for,
                started=True,
                container_oom=bool(state.get("OOMKilled")),
                container_exit_code=state.get("ExitCode"),
                supervisor_error="",
            )
        )
        limits = self._command.limits
        wall = (self._ended_at or time.monotonic()) - self._started_at
        return Execution(
            end=end,
            exit_code=report.exit_code if report else None,
            signal=report.signal if report else None,
            stdout=bytes(self._output["stdout"]),
            stderr=bytes(self._output["stderr"]),
            truncated=self._printed > limits.output_kib << 10,
            wall_seconds=wall,
            cpu_seconds=report.cpu_seconds if report else wall,
            peak_memory_mib=self._peak_bytes(report) / (1 << 20),
            processes=report.processes if report else 0,
            written_bytes=report.written_bytes if report else 0,
            evidence=(*self._broke, *(report.evidence if report else ())),
        )

    def _peak_bytes(self, report: Report | None) -> int:
        if report is None:
            return self._command.limits.memory_mib << 20
        peak = self._slot.peak_bytes()
        return report.peak_bytes if peak is None else max(0, peak - int(self._extra["memory_before"]))
