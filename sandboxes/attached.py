"""The connection to one container's supervisor: the pump between what the engine relays and the caller.

Process 1 of the container is `sandboxes/harness/supervisor.py`, which describes the frames. All streams come over the one
attached connection: nothing is copied into or out of the container's file system from outside, and no path inside it is
ever opened by a process outside. Everything that comes out is counted and capped on this side.

    SandboxError
        BoxLostError        the container ended before its program began: another one can take it
"""

import json
import selectors
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Self

from docker import DockerClient

from sandboxes.classify import decode, parse_report
from sandboxes.interface import Command, Execution, Limits, SandboxError
from sandboxes.sweep import state_of
from sandboxes.talk import LAST_WORDS_SECONDS, MAX_MESSAGE_BYTES, Talk

FRAME_HEAD = struct.Struct(">cI")
START_SECONDS = 30.0
"""From the request to the supervisor's `S`: our own time, not charged to the program."""
STREAMS = {b"O": "stdout", b"E": "stderr"}
"""Kind of frame -> what the program printed on."""
STDERR_CAP_BYTES = 4096


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


class Box(Talk):
    """One container, which runs one program: made, connected, begun, talked to, disconnected."""

    def __init__(self, client: DockerClient, container: str, shape: Shape) -> None:
        super().__init__()
        self.container = container
        self.shape = shape
        self._client = client
        self._channel: bool
        self._incoming = bytearray()  # from the engine: its stream frames
        self._frames = bytearray()  # from the supervisor: our frames
        self._outgoing = bytearray()
        self._supervisor_stderr = bytearray()

    # --- the caller's side --------------------------------------------------------------------------------------------

    def connect(self) -> None:
        """Attach and start the container, whose supervisor then waits. Raises whatever the engine's SDK does."""
        # The connection's own time-out would end a quiet program; the pump has its own clock.
        stream = self._client.api.attach_socket(
            self.container, params={"stdin": 1, "stdout": 1, "stderr": 1, "stream": 1}
        )
        self._stream = stream  # keeps the response, and with it the descriptor, alive
        self._socket: socket.socket = getattr(stream, "_sock", stream)
        self._socket.setblocking(False)
        self._client.api.start(self.container)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._socket, selectors.EVENT_READ)

    def waits(self) -> bool:
        """False where the container ended, or said something, before it was asked anything."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    def begin(self, command: Command, *, channel: bool) -> None:
        """Send the program, and return as it begins. Raises SandboxError; BoxLostError where another box may do."""
        self._command = command
        self._channel = channel
        self._send_request()
        self._pump(lambda: self._started_at is not None, time.monotonic() + START_SECONDS)
        if self._started_at is None:
            facts = {"container": self.container, "supervisor": self._supervisor_text()}
            if self._gone:
                raise BoxLostError("the box ended before it started", **facts)
            raise SandboxError("the box did not start in time", **facts)

    def finish(self) -> Execution:
        if self._execution is None:
            if not self._over():
                self._send(b"Q", b"")
                self._pump(lambda: False, time.monotonic() + LAST_WORDS_SECONDS)
                if not self._over():
                    self._stop("wall")
            self._execution = self._conclude()
        return self._execution

    def disconnect(self) -> None:
        """Close the connection. The container is left, for whoever made it to remove."""
        if hasattr(self, "_selector"):
            self._selector.close()
        if hasattr(self, "_stream"):
            # The SDK keeps the HTTP response under the stream; closing the stream alone leaves the socket open.
            self._stream._response.close()  # noqa: SLF001
            self._stream.close()
            self._socket.close()

    # --- sending ------------------------------------------------------------------------------------------------------

    def _send(self, kind: bytes, payload: bytes) -> None:
        self._outgoing += struct.pack(">cI", kind, len(payload)) + payload

    def _send_request(self) -> None:
        command = self._command
        request = {
            "argv": command.argv,
            "environment": {
                "PATH": "/usr/local/bin:/usr/bin:/bin",
                "HOME": "/box/tmp",
                "TMPDIR": "/box/tmp",
                "LANG": "C.UTF-8",
                **({"PYTHONPATH": "/harness"} if command.harness.files else {}),
                **command.environment,
            },
            "harness": [[path, len(content)] for path, content in command.harness.files],
            "files": [[path, len(content)] for path, content in command.files.items()],
            "stdin_size": len(command.stdin),
            "channel": self._channel,
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
        """Nothing: what the supervisor relays is taken as it comes."""

    # --- stopping -----------------------------------------------------------------------------------------------------

    def _end_all(self) -> None:
        self._outgoing.clear()
        self._send(b"K", b"")
        self._pump(lambda: self._report is not None, time.monotonic() + LAST_WORDS_SECONDS)

    def _fail(self, message: str) -> None:
        raise SandboxError(message, container=self.container, supervisor=self._supervisor_text())

    def _supervisor_text(self) -> str:
        return self._supervisor_stderr.decode("utf-8", "replace")

    # --- the pump -----------------------------------------------------------------------------------------------------

    def _pump(self, enough: Callable[[], bool], deadline: float) -> None:
        while not enough() and self._report is None and not self._gone:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outgoing else 0)
            self._selector.modify(self._socket, wanted)
            for _, ready in self._selector.select(left):
                try:
                    if ready & selectors.EVENT_WRITE:
                        del self._outgoing[: self._socket.send(self._outgoing[: 1 << 18])]
                    if ready & selectors.EVENT_READ:
                        self._receive(self._socket.recv(1 << 18))
                except BlockingIOError:
                    continue
                except OSError:
                    self._gone = True

    def _receive(self, data: bytes) -> None:
        """Take apart the engine's stream: 8 bytes of header (stream number, length), payload."""
        if not data:
            self._gone = True
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
        """The first whole frame, which is off the buffer then: taking it may lead back here."""
        if len(self._frames) < FRAME_HEAD.size:
            return None
        kind, size = FRAME_HEAD.unpack_from(self._frames)
        if size > MAX_MESSAGE_BYTES:  # it reads its streams in pieces of 64 KiB
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
        elif kind == b"S":
            self._started_at = time.monotonic()
        elif kind == b"X":
            self._ended_at = self._ended_at or time.monotonic()
            self._report = parse_report(decode(payload))
        else:
            self._fail(f"the box's supervisor sent an unknown frame {kind!r}")

    def _conclude(self) -> Execution:
        report = self._report
        state = {} if report is not None else state_of(self._client, self.container)
        return self._account(state, report.peak_bytes if report else 0, self._supervisor_text())
