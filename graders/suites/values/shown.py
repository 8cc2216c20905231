"""A description as text for people: Python's own, cut, in time that grows with what is shown and not with the value. Pure."""

import datetime
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from graders.boxed.shared.encoding import Tree
from graders.suites.values.description import Description
from graders.suites.values.leaves import float_at, text_at
from graders.suites.values.messages import SHOWN_CHARACTERS, text_of

PRINTED_HEX = 2500
"""Hex digits of an integer that is shown in decimal, which takes the square of its length; a longer one is shown in hex."""


def shown(description: Description, most: int = SHOWN_CHARACTERS) -> str:
    """The beginning of the value as Python text, `most` characters at most; no more than that is looked at."""
    parts: list[str] = []
    room = most
    for part in _Writer(description, most).pieces(description.tree):
        parts.append(part)
        room -= len(part)
        if room <= 0:
            break
    return text_of("".join(parts), most)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Text of a description in pieces; for each that is shown, a few times `most` characters are looked at."""

    description: Description
    most: int

    def pieces(self, node: Tree) -> Iterator[str]:
        key, payload = self.description.at(node)
        if not payload and key in _EMPTY:
            yield _EMPTY[key]
        elif key in _BRACKETS:
            start, end = _BRACKETS[key]
            yield from self._between(start, payload, ",)" if key == "$tuple" and len(payload) == 1 else end)
        elif key == "$dict":
            yield from self._pairs("{", payload, ": ", "}")
        elif key == "$record":
            yield from self._pairs(f"{payload[0][: self.most]}(", payload[1], "=", ")")
        elif key == "$enum":
            yield f"<{payload[0][: self.most]}.{payload[1][: self.most]}: "
            yield from self.pieces(payload[2])
            yield ">"
        elif key == "$array":
            yield f"array(dtype={payload[0]!r}, shape={tuple(payload[1])}, "
            yield from self._between("[", payload[2], "])")
        elif key in _NAMES:
            yield from self._between(f"{_NAMES[key]}(", payload, ")")
        else:
            yield _LEAVES[key](payload, self.most)

    def _between(self, start: str, items: Iterable[Tree], end: str) -> Iterator[str]:
        yield start
        for number, item in enumerate(items):
            if number:
                yield ", "
            yield from self.pieces(item)
        yield end

    def _pairs(self, start: str, pairs: Iterable[list[Tree]], middle: str, end: str) -> Iterator[str]:
        yield start
        for number, (name, value) in enumerate(pairs):
            if number:
                yield ", "
            if middle == "=":  # a field's name, which stands without quotes
                key, payload = self.description.at(name)
                yield (text_at(payload) if key else payload)[: self.most]
            else:
                yield from self.pieces(name)
            yield middle
            yield from self.pieces(value)
        yield end


_EMPTY = {"$set": "set()", "$frozenset": "frozenset()"}
_BRACKETS = {"list": ("[", "]"), "$tuple": ("(", ")"), "$set": ("{", "}"), "$frozenset": ("frozenset({", "})")}
_NAMES = {"$range": "range", "$slice": "slice", "$fraction": "Fraction"}


def _plain(payload: Any, most: int) -> str:
    return repr(payload[:most] if type(payload) is str else payload)


def _integer(payload: str, most: int) -> str:
    return str(int(payload, 16)) if len(payload) <= PRINTED_HEX else payload[:most]


def _uuid(payload: str) -> str:
    ends = ((0, 8), (8, 12), (12, 16), (16, 20), (20, 32))
    return f"UUID('{'-'.join(payload[start:end] for start, end in ends)}')"


_LEAVES: dict[str, Callable[[Any, int], str]] = {
    "": _plain,
    "$int": _integer,
    "$str": lambda payload, most: repr(text_at(payload)[:most]),
    "$bytes": lambda payload, most: repr(bytes.fromhex(payload[: 2 * most])),
    "$bytearray": lambda payload, most: repr(bytearray.fromhex(payload[: 2 * most])),
    "$float": lambda payload, _: str(payload),
    "$complex": lambda payload, _: repr(complex(*map(float_at, payload))),
    "$decimal": lambda payload, most: f"Decimal('{payload[:most]}')",
    "$datetime": lambda payload, _: repr(datetime.datetime.fromisoformat(payload)),
    "$date": lambda payload, _: repr(datetime.date.fromisoformat(payload)),
    "$time": lambda payload, _: repr(datetime.time.fromisoformat(payload)),
    "$timedelta": lambda payload, _: repr(datetime.timedelta(*payload)),
    "$uuid": lambda payload, _: _uuid(payload),
}
