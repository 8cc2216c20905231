"""Linked containers: they belong to an object of one side, the other side has a copy, and both copies are kept the
same.

When a test reads `stack.items` it gets a list on its own side; the stack's list stays on the other. The two are linked:
each message begins with the changes of the sender's linked containers, so `stack.items.append(1)` reaches the stack,
and a push shows up in a list that was read before. A linked container crosses as `{"$link": [number, null]}`
afterwards, by reference and not as another copy.

    {"$link": [number, tree]}       a container that is linked from now on
    [[number, content]...]          the changed containers; a null content means that the link is dropped
    [[name, content]...]            changes of the process state, see ambient.py
"""

import sys
from collections import deque
from collections.abc import Callable, Iterable
from copy import copy
from operator import is_
from typing import Any

from graders.boxed.rpc.ambient import Ambient
from graders.boxed.shared.encoding import Decoder, Encoder, EncodingError, Tree, array, text

MAX_LINKS = 10_000
MAX_LENGTH = 10_000
"""A longer container crosses as a copy."""
_HELD_HERE = 4
"""References to a linked container that is otherwise unused: its entry, the loop over the entries, and the call that
counts."""


class Links:
    """The linked containers of one side. Each side numbers its own: the examiner's are odd, the candidate's even."""

    def __init__(self, first: int) -> None:
        self._next = first
        self._entries: dict[int, tuple[Any, Any]] = {}
        """Number -> the container, and its content when both sides were last in agreement."""
        self._numbers: dict[int, int] = {}
        self.linking = False
        """True while containers that are being written become linked."""
        self.ambient: Ambient | None = None
        self.place = ""
        """Name of the attribute from which the container that is being written comes."""
        self._places: dict[int, str] = {}
        """Number -> name of the attribute, for containers of this side."""

    def number(self, container: object) -> int | None:
        """Return the number of a linked container, else None."""
        return self._numbers.get(id(container))

    def own(self, container: Any) -> int | None:
        """Link a container of this side and return its number; None if it is too large to compare at each call."""
        if len(container) > MAX_LENGTH:
            return None
        self._next += 2
        self._enter(self._next, container)
        self._places[self._next] = self.place
        return self._next

    def state(self) -> tuple[dict[int, Any], dict[int, int]]:
        """Return the state for `back_to`, in case the message cannot be sent."""
        return dict(self._entries), dict(self._numbers)

    def back_to(self, state: tuple[dict[int, Any], dict[int, int]]) -> None:
        self._entries, self._numbers = state
        if self.ambient is not None:
            self.ambient.again()

    def read(self, decoder: Decoder, payload: Tree, depth: int) -> object:
        """Return the container of a `$link`."""
        number, tree = array(payload, 2)
        if tree is None:
            decoder.references += 1
            return self._container(number)
        container = decoder.value(tree, depth + 1)
        if type(number) is not int or number in self._entries or not is_container(container):
            raise EncodingError("a link of nothing")
        if number % 2 == self._next % 2:
            raise EncodingError("a link in the name of the other side")
        self._enter(number, container)
        return container

    def changes(self, encoder: Encoder, said: object) -> list[Tree]:
        """Return the changes that the other side does not know yet. `said`: the content of the message. Raises
        EncodingError.
        """
        told = self.ambient.changes(encoder, said) if self.ambient is not None else []
        if not self._entries:
            return told
        for number in list(self._entries):
            container, old = self._entries[number]
            if not is_same(container, old):
                self.linking, self.place = True, self._places.get(number, "")
                try:
                    told.append([number, write_content(encoder, container)])
                finally:
                    self.linking = False
                self._entries[number] = (container, shallow(container))
            elif number % 2 != self._next % 2 and sys.getrefcount(container) < _HELD_HERE:
                self._forget(number)
                told.append([number, None])
        return told

    def apply(self, decoder: Decoder, changes: Tree, permits: Callable[[str], bool]) -> None:
        """Apply the other side's changes, to this side's own containers only if `permits` allows it."""
        for change in array(changes):
            number, content = array(change, 2)
            if type(number) is str and self.ambient is not None:
                self.ambient.apply(decoder, number, content)
                continue
            container = self._container(number)
            if content is None:
                self._forget(number)
            elif number not in self._places or permits(self._places[number]):
                restore(container, read_content(decoder, container, content))
                self._entries[number] = (container, shallow(container))

    def _enter(self, number: int, container: object) -> None:
        if len(self._entries) >= MAX_LINKS:
            raise EncodingError(f"more than {MAX_LINKS} containers of objects are held")
        self._entries[number] = (container, shallow(container))
        self._numbers[id(container)] = number

    def _container(self, number: object) -> Any:
        if type(number) is not int or number not in self._entries:
            raise EncodingError("an unknown link")
        return self._entries[number][0]

    def _forget(self, number: int) -> None:
        self._places.pop(number, None)
        self._numbers.pop(id(self._entries.pop(number)[0]), None)


# --- the top level of containers ----------------------------------------------------------------------------------------


def is_container(value: object) -> bool:
    return isinstance(value, list | dict | set | bytearray | deque)


def shallow(container: Any) -> Any:
    """Return the container's current items, for a later comparison."""
    if isinstance(container, dict):
        return list(container.items())
    return bytes(container) if type(container) is bytearray else list(container)


def is_same(container: Any, old: Any) -> bool:
    if len(container) != len(old):
        return False
    if isinstance(container, dict):
        return all(key is k and item is i for (key, item), (k, i) in zip(container.items(), old, strict=True))
    return bool(container == old) if type(container) is bytearray else all(map(is_, container, old))


def write_content(encoder: Encoder, container: Any) -> Tree:
    if isinstance(container, dict):
        return encoder.pairs(dict.items(container), 0)
    if type(container) is bytearray:
        return container.hex()
    return encoder.each(container, 0)


def read_content(decoder: Decoder, container: object, content: Tree) -> Any:
    if isinstance(container, dict):
        return list(decoder.pairs(content, 0))
    if type(container) is bytearray:
        return bytes.fromhex(text(content))
    return decoder.each(content, 0)


def restore(container: Any, content: Any) -> None:
    if isinstance(container, dict):
        container.clear()
        dict.update(container, content)  # a Counter's own adds up
    elif isinstance(container, set):
        container.clear()
        container.update(content)
    elif isinstance(container, deque):
        container.clear()
        container.extend(content)
    else:
        container[:] = content


def copied(containers: list[object], some: Iterable[object]) -> list[object]:
    """Return the containers with `some` replaced by copies, and with every container that holds one of these copied
    too.
    """
    copies: dict[int, Any] = {id(container): copy(container) for container in some}
    ours = [container for container in containers if isinstance(container, list | dict | deque)]

    def anew(item: Any) -> Any:
        if type(item) is tuple:
            return tuple(map(anew, item)) if holds(item) else item
        return copies.get(id(item), item)

    def holds(item: Any) -> bool:
        return any(map(holds, item)) if type(item) is tuple else id(item) in copies

    while holders := [c for c in ours if id(c) not in copies and any(map(holds, _items(c)))]:
        copies |= {id(container): copy(container) for container in holders}
    for container in copies.values():
        places = container.items() if isinstance(container, dict) else enumerate(container)
        if isinstance(container, list | dict | deque):
            for place, item in list(places):
                container[place] = anew(item)
    return [copies.get(id(container), container) for container in containers]


def _items(container: Any) -> Iterable[object]:
    return container.values() if isinstance(container, dict) else container


def refuse_cycles(containers: Iterable[object]) -> None:
    """Raise EncodingError if a call has put containers into each other. May raise RecursionError."""
    done: set[int] = set()
    held: set[int] = set()

    def visit(item: Any) -> None:
        if not isinstance(item, list | dict | tuple | deque) or id(item) in done:
            return
        if id(item) in held:
            raise EncodingError("a container that contains itself")
        held.add(id(item))
        for inside in [*item.keys(), *item.values()] if isinstance(item, dict) else item:
            visit(inside)
        held.discard(id(item))
        done.add(id(item))

    for container in containers:
        visit(container)
