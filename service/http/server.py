"""The web server's connections, with the time limits that uvicorn lacks.

uvicorn ends a connection that is idle after an answer. It would keep one for ever that never sends a whole head, or never
sends the rest of a body that is answered already. Here every connection that owes us bytes has a clock, and at most
`most_waiting` may owe at once. Above that, the connection that has owed longest is closed, so a flooding client closes
its own connections first.

The deadline of a body that a route reads is set by `service.edge.guard`.
"""

import asyncio
from enum import Enum
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from service.settings import Settings

REST_SECONDS = 5.0
"""Deadline for the rest of a body that no route reads, because the answer (401, say) did not need it."""
ANSWER_SECONDS = 60.0
"""Deadline for taking the part of an answer that waits, at most 64 KiB."""
HEAD_BYTES = 16 * 1024
"""Most bytes of a request's head: thousands of tiny headers take the event loop milliseconds."""
CRUMBS = 500
CRUMB_BYTES = 64
"""A body may come in CRUMBS pieces, and one more for each CRUMB_BYTES. A piece of one byte costs as much as one of 16,000."""


class _Owes(Enum):
    """The part that a connection still has to send or take."""

    NOTHING = "nothing"
    """A request is being answered."""
    BODY = "body"
    """The route that reads the body has the clock (`service.edge.guard`)."""
    HEAD = "head"
    REST = "rest"
    TAKING = "taking"
    """It has to take the bytes that we have written."""


_WAITED_FOR = (_Owes.HEAD, _Owes.BODY, _Owes.TAKING)
"""At most `most_waiting` connections may owe one of these at once."""


class _Counting(h11.Connection):
    """An HTTP parser that treats a body in crumbs as a protocol error."""

    _pieces = _bytes = 0

    def next_event(self) -> Any:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._pieces = self._bytes = 0
        elif isinstance(event, h11.Data):
            self._pieces += 1
            self._bytes += len(event.data)
            if self._pieces > CRUMBS + self._bytes // CRUMB_BYTES:
                raise h11.RemoteProtocolError("a body in crumbs")
        return event


class PatientProtocol(H11Protocol):
    """A connection with clocks. Settings are the class's own, see `patient`."""

    head_seconds: float
    rest_seconds: float
    answer_seconds: float
    most_waiting: int

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.conn = _Counting(h11.SERVER, HEAD_BYTES)

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in H11Protocol
        super().connection_made(transport)
        self.owes = _Owes.NOTHING
        """The part that the client owes."""
        self.since = 0.0
        """Time at which it began to owe that, by the loop's clock."""
        self._clock: asyncio.TimerHandle | None = None
        self._look()
        # Bytes that came with the connection are read first, so that of many that open at once none is closed unread.
        self.loop.call_soon(self.loop.call_soon, self._make_room)

    def data_received(self, data: bytes) -> None:
        # In pieces, because only a head that has not ended is measured.
        for at in range(0, len(data), HEAD_BYTES):
            if self.transport.is_closing():
                return
            super().data_received(data[at : at + HEAD_BYTES])
        self._look()

    def handle_events(self) -> None:
        try:
            super().handle_events()
        except h11.LocalProtocolError:
            self.give_up()  # the client broke the protocol after its answer had begun, so no error can be sent

    def pause_writing(self) -> None:
        super().pause_writing()
        self._look()
        self._make_room()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_clock()

    def _look(self) -> None:
        """Start the clock of the part that is owed now, unless it is running."""
        owes = self._owed()
        if owes is self.owes or self not in self.connections:  # lost, and its request ends now
            return
        self._stop_clock()
        self.owes, self.since = owes, self.loop.time()
        clocks = {_Owes.HEAD: self.head_seconds, _Owes.REST: self.rest_seconds, _Owes.TAKING: self.answer_seconds}
        if owes in clocks:
            self._clock = self.loop.call_later(clocks[owes], self.give_up)

    def _owed(self) -> _Owes:
        if self.flow.write_paused or self.transport.is_closing():
            return _Owes.TAKING
        if self.cycle is not None and not self.cycle.response_complete:
            return _Owes.BODY if self.conn.their_state is h11.SEND_BODY else _Owes.NOTHING
        return _Owes.REST if self.conn.their_state is h11.SEND_BODY else _Owes.HEAD

    def _make_room(self) -> None:
        waiting = [each for each in self.connections if isinstance(each, PatientProtocol) and each.owes in _WAITED_FOR]
        if len(waiting) > self.most_waiting:
            min(waiting, key=lambda each: each.since).give_up()

    def give_up(self) -> None:
        """End the connection because it owes for too long. The client may still take a written answer for a while."""
        if self.owes is not _Owes.TAKING and self.transport.get_write_buffer_size():
            self.transport.close()
            self._look()
        else:
            self._stop_clock()
            self.owes = _Owes.NOTHING
            self.transport.abort()

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None


def patient(
    settings: Settings, *, rest_seconds: float = REST_SECONDS, answer_seconds: float = ANSWER_SECONDS
) -> type[PatientProtocol]:
    """Return the protocol for `uvicorn.Config(http=...)`, with the deadlines of the settings."""
    limits = {
        "head_seconds": settings.head_seconds,
        "rest_seconds": rest_seconds,
        "answer_seconds": answer_seconds,
        "most_waiting": settings.waiting_connections,
    }
    return type("Connection", (PatientProtocol,), limits)
