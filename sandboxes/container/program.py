"""The connection to one container's supervisor: the pump between what the engine relays and the caller.

Process 1 of the container is `sandboxes/inside/supervisor.py`, which describes the frames. All streams come over the one
attached connection. So nothing is copied into or out of the container's file system, and no process outside ever opens a path
inside it. Everything that comes out is counted and capped on this side.

    SandboxError
        BoxLostError        the container ended before its program began: another one can take it
"""

import json
import os
import select
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Self

from docker import DockerClient

from sandboxes.classify import decode, parse_report
from sandboxes.engine import control_group
from sandboxes.engine.control_group import Scheduled
from sandboxes.engine.sweep import state_of
from sandboxes.inside.program import ENVIRONMENT
from sandboxes.interface import Command, Execution, Limits, SandboxError
from sandboxes.running_program import LAST_WORDS_SECONDS, MAX_MESSAGE_BYTES, Poller, RunningProgram

FRAME_HEAD = struct.Struct(">cI")
STREAMS = {b"O": "stdout", b"E": "stderr"}
"""Kind of frame -> the stream that the program printed on."""
STDERR_CAP_BYTES = 4096
UNTAKEN_BYTES = MAX_MESSAGE_BYTES + (1 << 20)
"""Most bytes under way on a line. In tier jail a full line makes its writer wait; here the bytes would pile up on the host."""


class BoxLostError(SandboxError):
    """The container ended before its program began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """The limits that a container is made with, and that cannot change afterwards."""

    memory_mib: int
    processes: int
    disk_mib: int

    @classmethod
    def of(cls, limits: Limits) -> Self:
        return cls(memory_mib=limits.memory_mib, processes=limits.processes, disk_mib=limits.disk_mib)


class RelayedLine:
    """The line between the programs of two boxes: delivers the bytes of one to the other."""

    def __init__(self) -> None:
        self._ends: list[ContainerProgram] = []
        self._held: list[bytes] = []  # of the first program, before the second has begun

    def connect(self, box: "ContainerProgram") -> None:
        self._ends.append(box)
        if len(self._ends) == 2:
            for data in self._held:
                box.deliver(data)

    def carry(self, sender: "ContainerProgram", data: bytes) -> int:
        """Deliver it to the other end. Returns how many bytes are under way to there."""
        other = next((end for end in self._ends if end is not sender), None)
        if other is None:
            self._held.append(data)
            return sum(map(len, self._held))
        other.deliver(data)
        return other.untaken


class ContainerProgram(RunningProgram):
    """One container, which runs one program: made, connected, begun, talked to, disconnected."""

    def __init__(self, client: DockerClient, container: str, shape: Shape) -> None:
        super().__init__()
        self.container = container
        self.shape = shape
        self._client = client
        self._line: RelayedLine | None = None
        self.untaken = 0
        """Bytes that were delivered on its program's line and that the program has not read yet."""
        self._incoming = bytearray()  # from the engine: its stream frames
        self._frames = bytearray()  # from the supervisor: our frames
        self._outgoing = bytearray()
        self._supervisor_stderr = bytearray()

    # --- the caller's side --------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Attach and start the container, whose supervisor then waits. Raises the engine SDK's errors."""
        # The connection's own time-out would end a quiet program; the pump has its own clock.
        stream = self._client.api.attach_socket(
            self.container, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        )
        self._stream = stream  # keeps the response, and with it the descriptor, alive
        self._socket: socket.socket = getattr(stream, "_sock", stream)
        self._socket.setblocking(False)
        self._client.api.start(self.container)
        state = self._client.api.inspect_container(self.container)["State"]
        self._cpu = control_group.cpu_counter(int(state["Pid"]))

    def waits(self) -> bool:
        """Return False if the container ended, or sent something, before it was asked anything."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def begin(self, command: Command, attention: Poller, *, channel: bool, line: RelayedLine | None = None) -> None:
        """Send the program, and return as it begins. Raises SandboxError; BoxLostError if another box may do."""
        self._command = command
        self._line = line
        self._attention = attention
        attention.add(self._socket.fileno(), select.POLLIN, self)
        self._cpu_before, self._sent_at = self._cpu_seconds(), time.monotonic()
        self._send_request(channel=channel)
        self._await_start()
        if self._started_at is None:
            facts = {"container": self.container, "supervisor": self._supervisor_text()}
            if self._gone:
                raise BoxLostError("the box ended before it started", **facts)
            raise SandboxError("the box did not start in time", **facts)
        attention.programs.append(self)
        if line is not None:
            line.connect(self)

    def deliver(self, data: bytes) -> None:
        """Send bytes to its program's line; empty bytes mean that the other program has ended its side."""
        if not self.over():
            self._send(b"L", data)
            self.untaken += len(data)

    def finish(self) -> Execution:
        if self._execution is None:
            if not self.over():
                self._send(b"Q", b"")
                self._pump(lambda: False, time.monotonic() + LAST_WORDS_SECONDS)
                if not self.over():
                    self._stop("wall")
            self._execution = self._conclude()
        return self._execution

    def disconnect(self) -> None:
        """Close the connection. The container's maker has to remove it."""
        if hasattr(self, "_attention"):
            self._attention.remove(self._socket.fileno())
            if self in self._attention.programs:
                self._attention.programs.remove(self)
        if hasattr(self, "_stream"):
            # The SDK keeps the HTTP response under the stream; closing the stream alone leaves the socket open.
            self._stream._response.close()  # noqa: SLF001
            self._stream.close()
            self._socket.close()

    # --- sending ------------------------------------------------------------------------------------------------------

    def _send(self, kind: bytes, payload: bytes) -> None:
        self._outgoing += struct.pack(">cI", kind, len(payload)) + payload
        if not self._gone:
            self._attention.add(self._socket.fileno(), select.POLLIN | select.POLLOUT, self)

    def _send_request(self, *, channel: bool) -> None:
        command = self._command
        request = {
            "argv": command.argv,
            "environment": {
                **ENVIRONMENT,
                **({"PYTHONPATH": "/harness"} if command.harness.files else {}),
                **command.environment,
            },
            "harness": [[path, len(content)] for path, content in command.harness.files],
            "files": [[path, len(content)] for path, content in command.files.items()],
            "stdin_size": len(command.stdin),
            "channel": channel,
            "line": self._line is not None,
            "limits": asdict(command.limits),
        }
        self._send(b"R", json.dumps(request).encode())
        harness = (content for _, content in command.harness.files)
        for content in (*harness, *command.files.values(), command.stdin):
            if content:
                self._send(b"F", content)

    def _post(self, message: bytes) -> None:
        self._send(b"C", message)

    def _catch_up(self) -> None:
        """Do nothing: the supervisor's frames are taken as they come."""

    def _cpu_seconds(self) -> float | None:
        return control_group.cpu_seconds(self._cpu)

    def _threads(self) -> Mapping[int, Scheduled]:
        return control_group.threads(self._cpu)

    def _cpu_used(self) -> float:
        """Return the CPU seconds since the program was sent, by this host's kernel; if it cannot be seen, the most possible."""
        now = self._cpu_seconds()
        if now is not None and self._cpu_before is not None:
            return now - self._cpu_before
        return (time.monotonic() - self._sent_at) * (os.cpu_count() or 1)

    # --- stopping -----------------------------------------------------------------------------------------------------

    def _end_all(self) -> None:
        self._outgoing.clear()
        self._send(b"K", b"")
        self._pump(lambda: self._report is not None, time.monotonic() + LAST_WORDS_SECONDS)

    def _keep_to_the_cpu(self) -> None:
        if not self.over() and self._cpu_used() > self._command.limits.cpu_seconds:
            self._stop("cpu")

    def _fail(self, message: str) -> None:
        raise SandboxError(message, container=self.container, supervisor=self._supervisor_text())

    def _supervisor_text(self) -> str:
        return self._supervisor_stderr.decode("utf-8", "replace")

    # --- the pump -----------------------------------------------------------------------------------------------------

    def attend(self, fd: int) -> None:
        try:
            if self._outgoing:
                del self._outgoing[: self._socket.send(self._outgoing[: 1 << 18])]
                if not self._outgoing:
                    self._attention.add(fd, select.POLLIN, self)
        except BlockingIOError:
            pass
        except OSError:
            self._lose()
            return
        try:
            self._receive(self._socket.recv(1 << 18))
        except BlockingIOError:
            pass
        except OSError:
            self._lose()

    def _lose(self) -> None:
        self._gone = True
        self._attention.remove(self._socket.fileno())

    def _receive(self, data: bytes) -> None:
        """Take apart the engine's stream: 8 bytes of header (stream number, length), payload."""
        if not data:
            self._lose()
            return
        self._incoming += data
        offset = 0
        while len(self._incoming) - offset >= 8:
            stream, size = struct.unpack_from(">BxxxI", self._incoming, offset)
            if len(self._incoming) - offset - 8 < size:
                break
            payload = self._incoming[offset + 8 : offset + 8 + size]
            offset += 8 + size
            if stream == 1:
                self._frames += payload
            else:
                self._supervisor_stderr += payload[: STDERR_CAP_BYTES - len(self._supervisor_stderr)]
        del self._incoming[:offset]
        self._take_frames()

    def _take_frames(self) -> None:
        while (frame := self._next_frame()) is not None:
            self._take(*frame)

    def _next_frame(self) -> tuple[bytes, bytes] | None:
        """Remove and return the first whole frame. It leaves the buffer first, because handling it may lead back here."""
        if len(self._frames) < FRAME_HEAD.size:
            return None
        kind, size = FRAME_HEAD.unpack_from(self._frames)
        if size > MAX_MESSAGE_BYTES:  # the supervisor reads its streams in pieces of 64 KiB
            self._fail("the box's supervisor announced a frame that is too long")
        end = FRAME_HEAD.size + size
        if len(self._frames) < end:
            return None
        payload = bytes(self._frames[FRAME_HEAD.size : end])
        del self._frames[:end]
        return kind, payload

    def _take(self, kind: bytes, payload: bytes) -> None:
        if (self._started_at is None) != (kind == b"S"):
            self._fail("the box's supervisor told of a program that had not started, or of its start twice")
        if kind in STREAMS:
            self._keep_output(STREAMS[kind], payload)
        elif kind == b"C":
            self._keep_answer(payload)
        elif kind == b"L":
            self._write_on_line(payload)
        elif kind == b"T":
            self.untaken = max(0, self.untaken - int.from_bytes(payload[:4], "big"))
        elif kind == b"S":
            self._started_at = time.monotonic()
        elif kind == b"A":
            self._keep_to_the_cpu()
        elif kind == b"X":
            self._ended_at = self._ended_at or time.monotonic()
            report = parse_report(decode(payload))
            # `_cpu_used` includes the supervisor's own work, but not waiting threads, which gVisor counts.
            self._report = replace(report, cpu_seconds=min(report.cpu_seconds, self._cpu_used()))
            self._write_on_line(b"")
        else:
            self._fail(f"the box's supervisor sent an unknown frame {kind!r}")

    def _write_on_line(self, data: bytes) -> None:
        if self._line is None or (data and self._stopped_for):
            return
        if self._line.carry(self, data) > UNTAKEN_BYTES:
            self._refuse("more on the line than the other side takes")

    def _conclude(self) -> Execution:
        report = self._report
        if report is not None:
            return self._account({}, report.peak_bytes, self._supervisor_text())
        state = state_of(self._client, self.container, ended_within=self._ended_within())
        return self._account(state, 0, self._supervisor_text())
