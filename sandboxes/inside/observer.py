"""Process 1 of a slot: answers the filters of programs, apart from the process that programs are forked from.

A program is a copy of the zygote's memory, so whatever the zygote had read of one program, the next could read too. Therefore
the zygote reads nothing. The listener of a program's filter goes into a queue when the program begins. When the listener has a
question, the zygote signals that (`W`); then this process takes the listener and answers the filter itself (watch.py). At the end the
zygote asks whether the program wanted a socket (`S`, answered by `0` or `1`), and sends its report by way of this process, which adds the
evidence. If a program was never noticed, this process hears nothing of it.

Nothing is ever forked from here once it runs. The container ends with it, and it ends when the zygote has ended.
"""

from __future__ import annotations

import json
import select
import socket

from sandboxes.inside import namespaces, watch

MESSAGE_BYTES = 65536
ANSWERS_AT_ONCE = 32
"""A limit, because many threads could ask for ever, and the zygote must be heard meanwhile."""


class ObserverLine:
    """The zygote's ends, and the tripwires, of which it only checks whether there is something to read."""

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
        """Holds the listeners of programs that were never noticed, for the zygote to drop."""
        self.to_listeners = to_listeners
        """The end that programs' processes send their listeners to."""
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
    """Collects the refused and noticed acts of one program until its report comes. Not thread-safe."""

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
        """Serve until the zygote is gone."""
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
        """Close this end in the process that does not observe."""
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
        if hung_up:  # the whole program has ended, and poll would report that for ever
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
    """Return both ends, before the fork that parts them; each process closes the other's."""
    orders, to_zygote = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listeners, to_listeners = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    tripwires = watch.Tripwires()
    return ObserverLine(orders, listeners, to_listeners, tripwires), Observer(control, to_zygote, listeners, tripwires)
