"""A value that a box answered, as the description that crossed: read and measured, and never made. Pure.

`describe` looks at a tree of the encoding (graders/boxed/shared/encoding.py) once, in time and memory that grow with the message. What it
accepts, `Decoder` in a box can make a value of, but for sets of what has no hash. Here nobody does: a list that is in
another a thousand times stays one list, and a Decimal with an exponent of a thousand million stays a dozen characters.

graders/suites/call/compare.py says whether two descriptions are of the same value, graders/suites/values/shown.py shows one.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from graders.boxed.shared.encoding import MAX_DEPTH, MAX_SIZE, EncodingError, Tree, array, array_parts, text, to_json
from graders.suites.values.leaves import CHECKS


@dataclass(frozen=True, slots=True)
class Description:
    """A value by its tree, which is well-formed; made by `describe`."""

    tree: Tree
    containers: tuple[Tree, ...] = ()
    """Those with an identity, by number, where one is in the value more than once."""

    def at(self, node: Tree) -> tuple[str, Any]:
        """The key of a node and its payload, once references are followed. A list has the key `list`, plain JSON ``."""
        kind = type(node)
        if kind is dict:
            [(key, payload)] = node.items()  # type: ignore[union-attr]
            return self.at(self.containers[payload]) if key == "$ref" else (key, payload)  # type: ignore[index]
        return "list" if kind is list else "", node


def describe(tree: Tree) -> Description:
    """The description that a tree is. Raises EncodingError for a tree that no Encoder wrote, or one beyond the caps."""
    reader = _TreeReader()
    size, _ = reader.look(tree, 0)
    if size > MAX_SIZE:
        raise EncodingError(f"more than {MAX_SIZE} values, because the same ones are in it again and again")
    return Description(tree, tuple(reader.containers) if reader.aliased else ())


def described(value: object) -> Description:
    """The description of a value of ours. Raises EncodingError for what the encoding does not have."""
    return describe(to_json(value))


Measure = tuple[int, int]
"""Of a node: values in it, counted as often as they are met on the way down, and levels of containers, itself included."""

_LEAF: Measure = (1, 0)
_HOLDERS = frozenset((list, dict))
_NUMBERED = frozenset(("$set", "$dict", "$bytearray"))
"""Containers with an identity, besides lists."""


class _TreeReader:
    """The way down a tree."""

    def __init__(self) -> None:
        self.containers: list[Tree] = []
        self.aliased = False
        self._measures: list[Measure | None] = []
        """By number; None for a container that is being read."""

    def look(self, tree: Tree, depth: int) -> Measure:
        kind = type(tree)
        if kind is list:
            return self._numbered(tree, "list", tree, depth)
        if kind is not dict:
            return _LEAF
        if len(tree) != 1:  # type: ignore[arg-type]
            raise EncodingError("an object needs exactly one key, such as $tuple")
        [(key, payload)] = tree.items()  # type: ignore[union-attr]
        if key == "$ref":
            return self._reference(payload, depth)
        return self._numbered(tree, key, payload, depth) if key in _NUMBERED else self._inside(key, payload, depth)

    def _numbered(self, tree: Tree, key: str, payload: Tree, depth: int) -> Measure:
        """The container's number comes before those of what it holds."""
        number = len(self._measures)
        self._measures.append(None)
        self.containers.append(tree)
        measure = self._measures[number] = self._inside(key, payload, depth)
        return measure

    def _inside(self, key: str, payload: Tree, depth: int) -> Measure:
        _check_depth(depth)
        check = CHECKS.get(key)
        if check is not None:
            check(payload)
            return _LEAF
        hold = _HOLDS.get(key)
        if hold is None:
            raise EncodingError(f"unknown key {key[:40]!r}")
        items = hold(payload)
        if type(items) is list and _HOLDERS.isdisjoint(map(type, items)):
            return 1 + len(items), 1
        size, levels = 1, 0
        for item in items:
            inner, below = self.look(item, depth + 1)
            size += inner
            levels = max(levels, below)
        return size, 1 + levels

    def _reference(self, payload: Tree, depth: int) -> Measure:
        if type(payload) is not int or not 0 <= payload < len(self._measures):
            raise EncodingError("a reference to nothing")
        measure = self._measures[payload]
        if measure is None:
            raise EncodingError("a container that contains itself")
        _check_depth(depth + measure[1] - 1)
        self.aliased = True
        return measure


def _check_depth(depth: int) -> None:
    if depth > MAX_DEPTH:
        raise EncodingError(f"more than {MAX_DEPTH} containers inside each other")


def _pairs(payload: Any) -> Iterable[Tree]:
    return (item for pair in array(payload) for item in array(pair, 2))


def _enum(payload: Any) -> Iterable[Tree]:
    kind, name, value = array(payload, 3)
    text(kind), text(name)
    return [value]


def _record(payload: Any) -> Iterable[Tree]:
    kind, fields = array(payload, 2)
    text(kind)
    for pair in array(fields):
        name = array(pair, 2)[0]
        if type(name) is not str and not (type(name) is dict and name.keys() == {"$str"}):
            raise EncodingError("expected a name")
    return _pairs(fields)


_NUMBERS = frozenset(("$int", "$float", "$complex"))


def _array(payload: Any) -> Iterable[Tree]:
    _, _, numbers = array_parts(payload)
    if not all(map(_is_number, numbers)):
        raise EncodingError("expected as many numbers as the shape says")
    return numbers


def _is_number(node: Tree) -> bool:
    if type(node) is dict:
        return not _NUMBERS.isdisjoint(node)
    return type(node) in (bool, int, float)


_HOLDS: dict[str, Callable[[Any], Iterable[Tree]]] = {
    "list": array,
    "$tuple": array,
    "$set": array,
    "$frozenset": array,
    "$dict": _pairs,
    "$slice": lambda payload: array(payload, 3),
    "$enum": _enum,
    "$record": _record,
    "$array": _array,
}
"""Key -> the values that one with such a payload holds; raises EncodingError where it has another form."""
