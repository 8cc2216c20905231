"""Decides outside the box whether a value that came out of it is the expected one. Pure.

Both are descriptions (graders/description.py): no value of a submission is made here, and none of its numbers, sets or
references decides how long the comparison takes.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from graders.description import Description
from graders.encoding import Tree
from graders.leaves import float_at, integer_at
from graders.marks import Marks

Check = Callable[[Description, Description], bool]
"""`(expected, got) -> bool`"""


def exact(expected: Description, got: Description) -> bool:
    """Python's `==`, but a nan equals a nan."""
    # What is written alike is alike; else there may be another order of a set, another type of number, other aliasing.
    if expected.tree == got.tree:
        return True
    if _form(expected, expected.tree) != _form(got, got.tree):
        return False
    return Marks(expected).of(expected.tree) == Marks(got).of(got.tree)


_FAMILIES = {"$frozenset": "$set", "list": "list", "$tuple": "$tuple", "$set": "$set", "$dict": "$dict"}
"""Containers, by what may be equal."""


def _form(description: Description, node: Tree) -> tuple[str, int]:
    """What equal values have in common, at a glance: which container, and how many it holds."""
    key, payload = description.at(node)
    family = _FAMILIES.get(key, "")
    return family, len(payload) if family else 0


_FLOAT_HEX = 300
"""Hex digits; the largest float has 256."""
_NUMBERS: Mapping[type, tuple[type, ...]] = {float: (int, float), complex: (int, float, complex)}
"""Type of an expected value that has a tolerance -> types that may come near it."""


def float_check(absolute: float, relative: float) -> Check:
    """Numbers within `absolute + relative * |expected|`, inside equal containers; everything else exactly.

    The tolerance is for expected floats only: an expected integer is met by an equal number. A bool is no number here:
    `True` for 1.0 is a look-alike, not an answer. Where a bool is expected, 0 is as good as False: a function that tells
    yes from no may do so with either, and evalplus accepts both.
    """
    return lambda expected, got: _Close(expected, got, absolute, relative).near(expected.tree, got.tree)


class _Close:
    """Walks through both at once, led by the expected one; a pair of containers that were found alike is not walked again."""

    def __init__(self, expected: Description, got: Description, absolute: float, relative: float) -> None:
        self._expected, self._got = expected, got
        self._absolute, self._relative = absolute, relative
        self._marks, self._marks_got = Marks(expected), Marks(got)
        self._alike: set[tuple[int, int]] = set()

    def near(self, expected: Tree, got: Tree) -> bool:
        kind = type(expected)
        if kind is type(got) and kind in (int, str, float):  # what most are
            if kind is float:
                return _close(expected, got, self._absolute, self._relative)  # type: ignore[arg-type]
            return expected == got
        key, wanted = self._expected.at(expected)
        other, found = self._got.at(got)
        if key == other and key in ("list", "$tuple", "$dict"):
            pair = id(wanted), id(found)
            if pair not in self._alike:
                inside = self._near_pairs if key == "$dict" else self._near_items
                if len(wanted) != len(found) or not inside(wanted, found):
                    return False
                self._alike.add(pair)
            return True
        number, answer = _number(key, wanted), _number(other, found)
        if isinstance(answer, bool) and not isinstance(number, bool):
            return False
        if isinstance(answer, _NUMBERS.get(type(number), ())):
            return _close(number, answer, self._absolute, self._relative)  # type: ignore[arg-type]
        if _form(self._expected, expected) != _form(self._got, got):
            return False
        return self._marks.of(expected) == self._marks_got.of(got)

    def _near_items(self, expected: list[Tree], got: list[Tree]) -> bool:
        return all(map(self.near, expected, got))

    def _near_pairs(self, expected: list[list[Tree]], got: list[list[Tree]]) -> bool:
        wanted = _by_key(self._marks, expected)
        found = _by_key(self._marks_got, got)
        return wanted.keys() == found.keys() and all(self._near_sets(wanted[key], found[key]) for key in wanted)

    def _near_sets(self, expected: list[Tree], got: list[Tree]) -> bool:
        """The values of one key; there are several for a nan only, and then none of them comes first."""
        if len(expected) == len(got) == 1:
            return self.near(expected[0], got[0])
        return sorted(self._marks.each(expected)) == sorted(self._marks_got.each(got))


def _by_key(marks: Marks, pairs: Iterable[list[Tree]]) -> dict[str, list[Tree]]:
    values: dict[str, list[Tree]] = {}
    for key, value in pairs:
        values.setdefault(marks.of(key), []).append(value)
    return values


def unordered(expected: Description, got: Description) -> bool:
    """The same elements the same number of times, in any order, and the same type of container."""
    form = _form(expected, expected.tree)
    if form[0] not in ("list", "$tuple"):
        return exact(expected, got)
    if form != _form(got, got.tree):
        return False
    if expected.tree == got.tree:
        return True
    return sorted(Marks(expected).each(expected.at(expected.tree)[1])) == sorted(Marks(got).each(got.at(got.tree)[1]))


def any_of(expected: Description, got: Description) -> bool:
    """`expected` is the list of the accepted values: one of them, exactly."""
    if type(expected.tree) is not list:
        return False
    return Marks(got).of(got.tree) in Marks(expected).each(expected.tree)


def check_named(name: str, options: Mapping[str, object]) -> Check:
    """The check of a suite's `checker` option; `predicate` is not among them, it runs in a box."""
    if name == "float":
        return float_check(_option(options.get("absolute", 1e-9)), _option(options.get("relative", 1e-9)))
    return {"exact": exact, "unordered": unordered, "any-of": any_of}[name]


def _option(value: object) -> float:
    assert isinstance(value, int | float)  # graders.package has checked it
    return float(value)


def _number(key: str, payload: Any) -> complex | None:
    """A bool, an integer, a float or a complex number; None for anything else."""
    if key == "":
        return payload if isinstance(payload, int | float) else None
    if key == "$int":
        # One beyond the range of floats is near none.
        return integer_at({key: payload}) if len(payload) <= _FLOAT_HEX else None
    if key == "$float":
        return float_at({key: payload})
    if key == "$complex":
        return complex(*map(float_at, payload))
    return None


def _close(expected: complex, got: complex, absolute: float, relative: float) -> bool:
    if isinstance(expected, float) and math.isnan(expected):
        return isinstance(got, float) and math.isnan(got)
    try:
        return bool(expected == got or abs(expected - got) <= absolute + relative * abs(expected) < math.inf)
    except OverflowError:  # an integer beyond the range of floats
        return False
