"""Messages between the processes of the service: 4 bytes of length (big-endian) and that many bytes.

A message down, to a less trusted process, may be a pickle. A message up is JSON and is never unpickled: reading it cannot run
code here.

    WireError               the other side is gone, or its message is malformed
"""

import json
import os
import pickle
import select
import socket
import time
from collections.abc import Sequence
from typing import Any

MOST_BYTES = 256 << 20
"""Most bytes of one message, unless its reader sets a lower bound."""
_HEAD = 4
_PIECE = 1 << 18


class WireError(Exception):
    """The other side is gone, or its message is malformed."""


class Wire:
    """One end of a connection. Used by one thread at a time in each direction."""

    def __init__(self, connection: socket.socket, most_bytes: int = MOST_BYTES) -> None:
        """Make one end of a connection, which refuses messages longer than `most_bytes`."""
        self._socket = connection
        self._most_bytes = most_bytes
        self._incoming = bytearray()

    def fileno(self) -> int:
        return self._socket.fileno()

    def send(self, message: bytes, fds: Sequence[int] = ()) -> None:
        """Send one message, and with it open files. Raises WireError."""
        data = len(message).to_bytes(_HEAD, "big") + message
        try:
            sent = socket.send_fds(self._socket, [data], fds) if fds else 0
            self._socket.sendall(memoryview(data)[sent:])
        except OSError as error:
            raise WireError(f"the connection is gone: {error}") from error

    def receive(self, seconds: float | None = None) -> bytes | None:
        """Return the next message, or None if there is none within that time. Raises WireError at the end."""
        deadline = None if seconds is None else time.monotonic() + seconds
        while (message := self._whole()) is None:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            if not wait((self,), left):
                return None
            self._more()
        return message

    def receive_with_fd(self) -> tuple[bytes, int] | None:
        """Return the next message and the open file that came with its beginning; None at the end."""
        data, fds, _, _ = socket.recv_fds(self._socket, _PIECE, 1)
        if not data:
            return None
        self._incoming += data
        message = self.receive()
        if message is None or not fds:
            raise WireError("a message came without its open file")
        os.set_inheritable(fds[0], False)
        return message, fds[0]

    def close(self) -> None:
        self._socket.close()

    def _whole(self) -> bytes | None:
        if len(self._incoming) < _HEAD:
            return None
        size = int.from_bytes(self._incoming[:_HEAD], "big")
        if size > self._most_bytes:
            raise WireError("it announced a message that is too long")
        if len(self._incoming) < _HEAD + size:
            return None
        message = bytes(self._incoming[_HEAD : _HEAD + size])
        del self._incoming[: _HEAD + size]
        return message

    def _more(self) -> None:
        try:
            data = self._socket.recv(_PIECE)
        except OSError as error:
            raise WireError(f"the connection is gone: {error}") from error
        if not data:
            raise WireError("the connection is closed")
        self._incoming += data


def wait(wires: Sequence[Wire], seconds: float | None) -> list[Wire]:
    """Return those that have input, or have ended, within that time."""
    poll = select.poll()
    for wire in wires:
        poll.register(wire.fileno(), select.POLLIN)
    ready = {fd for fd, _ in poll.poll(None if seconds is None else seconds * 1000)}
    return [wire for wire in wires if wire.fileno() in ready]


def up(message: dict[str, Any]) -> bytes:
    """Return a message to the process that started this one. Raises TypeError or ValueError if it is not JSON."""
    return json.dumps(message).encode("ascii")


def from_below(message: bytes) -> dict[str, Any]:
    """Return the inverse of `up`. Raises WireError for anything else."""
    try:
        value = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise WireError("what it sent is not JSON") from error
    if not isinstance(value, dict):
        raise WireError("what it sent is not a JSON object")
    return value


def down(message: object) -> bytes:
    """Return a message to a process that this one started."""
    return pickle.dumps(message)


def from_above(message: bytes) -> Any:
    """Return the inverse of `down`. Only ever use it for messages of the process that started this one."""
    return pickle.loads(message)  # noqa: S301 - it comes from who started this process, never from below
