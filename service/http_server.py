"""The web server's connections, with the patience that uvicorn itself does not limit.

uvicorn ends a connection that is idle after an answer. One that never sends a whole head, or the rest of a body whose answer it
has already, it would keep for ever. Here every connection that owes us bytes has a clock, and only so many may be owing at
once: above that the one that has owed the longest goes, so that who floods closes their own connections first.

How long a body may take while somebody reads it is the reader's matter (`service.api.guard`).
"""

import asyncio
from enum import Enum

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from service.settings import Settings

REST_SECONDS = 5.0
"""For the rest of a body that nobody reads any more, because the answer (401, say) did not need it."""
ANSWER_SECONDS = 300.0
"""For taking an answer out of our hands once it was written as a whole."""


class _Owes(Enum):
    """What a connection has yet to send."""

    NOTHING = "nothing"
    """A request is being answered."""
    HEAD = "head"
    REST = "rest"


class PatientProtocol(H11Protocol):
    """A connection with clocks. Settings are the class's own, see `patient`."""

    head_seconds: float
    rest_seconds: float
    most_waiting: int

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in H11Protocol
        super().connection_made(transport)
        self.owes = _Owes.NOTHING
        """What it has yet to send."""
        self.since = 0.0
        """Since when, by the loop's clock."""
        self._clock: asyncio.TimerHandle | None = None
        self._look()
        self._make_room()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_clock()

    def _look(self) -> None:
        """Start the clock of what is owed now, unless it runs already."""
        owes = self._owed()
        if owes is self.owes:
            return
        self._stop_clock()
        self.owes, self.since = owes, self.loop.time()
        if owes is not _Owes.NOTHING:
            seconds = self.head_seconds if owes is _Owes.HEAD else self.rest_seconds
            self._clock = self.loop.call_later(seconds, self.give_up)

    def _owed(self) -> _Owes:
        if self.cycle is not None and not self.cycle.response_complete:
            return _Owes.NOTHING
        return _Owes.REST if self.conn.their_state is h11.SEND_BODY else _Owes.HEAD

    def _make_room(self) -> None:
        waiting = [each for each in self.connections if isinstance(each, PatientProtocol) and each.owes is _Owes.HEAD]
        if len(waiting) > self.most_waiting:
            min(waiting, key=lambda each: each.since).give_up()

    def give_up(self) -> None:
        """End the connection; it owes us too much."""
        self._stop_clock()
        self.owes = _Owes.NOTHING
        if self.transport.get_write_buffer_size():
            # It is still taking the last answer.
            self.transport.close()
            self._clock = self.loop.call_later(ANSWER_SECONDS, self.transport.abort)
        else:
            self.transport.abort()

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None


def patient(settings: Settings, *, rest_seconds: float = REST_SECONDS) -> type[PatientProtocol]:
    """The protocol for `uvicorn.Config(http=...)`, as patient as the settings say."""
    limits = {
        "head_seconds": settings.head_seconds,
        "rest_seconds": rest_seconds,
        "most_waiting": settings.waiting_connections,
    }
    return type("Connection", (PatientProtocol,), limits)
