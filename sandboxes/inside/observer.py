"""Process 1 of a slot: watches what programs are refused or noticed at, apart from the process that they are forked from.

A program is a copy of the zygote's memory, so what the zygote had ever read of one program, the next could read as well. So
it reads nothing. The listener of a program's filter goes into a queue when the program begins. The zygote says that there is something
to look at (`W`); then this process takes the listener and answers the filter itself (watch.py). At the end the zygote asks whether
a socket was wanted (`S`, answered by `0` or `1`), and sends its report by way of this process, which adds the evidence. Of a program that
was never noticed this process hears nothing.

Nothing is ever forked from here once it runs. Its end is the container's end, and it ends when the zygote has.
"""

from __future__ import annotations

import json
import select
import socket

from sandboxes.inside import namespaces, watch

MESSAGE_BYTES = 65536
ANSWERS_AT_ONCE = 32
"""Many threads could go on asking for ever, and the zygote's word must be heard meanwhile."""


class ObserverLine:
    """The zygote's ends, and the tripwires, which it may only ask whether there is something to read."""

    __slots__ = ("listeners", "orders", "to_listeners", "tripwires")

    def __init__(
        self,
        orders: socket.socket,
        listeners: socket.socket,
        to_listeners: socket.socket,
        tripwires: watch.Tripwires,
    ) -> None:
        self.orders = orders
        self.listeners = listeners
        """Of the programs that nobody noticed, for the zygote to drop."""
        self.to_listeners = to_listeners
        """For the programs' processes."""
        self.tripwires = tripwires

    def have_watched(self, paths: tuple[str, ...]) -> None:
        """Have the observer notice the opening of these files, from now on."""
        self.orders.send(b"T" + json.dumps(paths).encode())
        self.orders.recv(1)

    def close(self) -> None:
        self.orders.close()
        self.to_listeners.close()

    def detach(self) -> None:
        """Never close these numbers again: in a fork they are the program's."""
        self.orders.detach()
        self.listeners.detach()


class Observer:
    """What one program is refused or noticed at is collected until its report comes. Not thread-safe."""

    def __init__(
        self, control: socket.socket, orders: socket.socket, listeners: socket.socket, tripwires: watch.Tripwires
    ) -> None:
        """`control`: the slot's connection to the host, on which the zygote alone receives."""
        self._control = control
        self._orders = orders
        self._listeners = listeners
        self._tripwires = tripwires
        self._watch: watch.FileWatch | None = None
        self._poll = select.poll()
        self._poll.register(orders, select.POLLIN)

    def run(self) -> None:
        """Until the zygote is gone."""
        while True:
            for fd, events in self._poll.poll():
                if fd == self._orders.fileno():
                    order = self._orders.recv(MESSAGE_BYTES)
                    if not order:
                        return
                    self._obey(order)
                elif self._watch is not None and fd == self._watch.fileno():
                    self._answer(self._watch, hung_up=not events & select.POLLIN)

    def close(self) -> None:
        """In the process that does not observe."""
        self._orders.close()

    def _obey(self, order: bytes) -> None:
        if order == b"W":
            self._begin()
        elif order == b"S":
            asked = self._watch is None or self._watch.asked_for_socket
            self._orders.send(b"1" if asked else b"0")
        elif order.startswith(b"T"):
            self._tripwires.watch(tuple(json.loads(order[1:])))
            self._orders.send(b"T")
        else:
            self._report(order)

    def _begin(self) -> None:
        kind, (listener,), _, _ = socket.recv_fds(self._listeners, 16, 1)
        self._watch = watch.FileWatch(listener, proc=namespaces.PROC, expected_programs=int(kind == b"exec"))
        self._poll.register(listener, select.POLLIN)
        self._answer(self._watch, hung_up=False)

    def _answer(self, watch: watch.FileWatch, *, hung_up: bool) -> None:
        if hung_up:  # all of the program has ended, and it would be told of for ever
            self._poll.unregister(watch.fileno())
            return
        for _ in range(ANSWERS_AT_ONCE):
            if not watch.handle():
                return

    def _report(self, report: bytes) -> None:
        evidence = self._tripwires.collect()
        if self._watch is not None:
            evidence += self._watch.evidence()
            self._forget(self._watch)
        self._control.send(json.dumps({**json.loads(report), "evidence": evidence}).encode())

    def _forget(self, watch: watch.FileWatch) -> None:
        try:
            self._poll.unregister(watch.fileno())
        except KeyError:
            pass  # it has hung up
        watch.close()
        self._watch = None


def connected(control: socket.socket) -> tuple[ObserverLine, Observer]:
    """Both ends, before the fork that parts them; each process closes the other's."""
    orders, to_zygote = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listeners, to_listeners = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    tripwires = watch.Tripwires()
    return ObserverLine(orders, listeners, to_listeners, tripwires), Observer(control, to_zygote, listeners, tripwires)
