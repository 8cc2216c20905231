"""Whether two descriptions are near each other: floats within a tolerance, all else equal. Pure.

How long that takes is bounded by the expected value and the message: no pair of containers is walked twice, and of elements
without an order not all pairs of many are looked at.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from graders.boxed.shared.encoding import Tree
from graders.suites.call.marks import Marks
from graders.suites.call.pairing import MOST_PAIRED, assigned, matched
from graders.suites.values.description import Description
from graders.suites.values.leaves import DECIMAL, float_at, integer_at

FAMILIES: Mapping[str, str] = {
    "$frozenset": "$set",
    "list": "list",
    "$tuple": "$tuple",
    "$set": "$set",
    "$dict": "$dict",
}
"""Containers, by what may be equal."""
MOST_PAIRS = 100_000
"""Of elements of sets, or entries of dicts, that are looked at for one answer. What is left then is not near."""

_FLOAT_HEX = 300
"""Hex digits; the largest float has 256."""
_DIGITS = 400
"""Characters of a Decimal, and the exponents of ten, that are looked at; one beyond is near no float but one that equals it."""
_NUMBERS: Mapping[type, tuple[type, ...]] = {float: (int, float, Fraction), complex: (int, float, complex)}
"""Type of an expected value that has a tolerance -> types that may come near it."""
_Entry = Sequence[Tree]
"""An element of a set alone, or key and value of a dict."""
_Groups = Mapping[str, Sequence[_Entry]]
"""Entries by the mark of the element or the key."""


class Near:
    """Walks through both at once, led by the expected one."""

    def __init__(self, expected: Description, got: Description, absolute: float, relative: float) -> None:
        self._expected, self._got = expected, got
        self._absolute, self._relative = absolute, relative
        self._marks, self._marks_got = Marks(expected), Marks(got)
        self._known: dict[tuple[int, int], bool] = {}
        """What was found of two containers."""
        self._groups: dict[int, _Groups] = {}
        """By container."""
        self._pairs_left = MOST_PAIRS

    def near(self, expected: Tree, got: Tree) -> bool:
        kind = type(expected)
        if kind is type(got) and kind in (int, str, float):  # what most are
            if kind is float:
                return self._close(expected, got)  # type: ignore[arg-type]
            return expected == got
        key, wanted = self._expected.at(expected)
        other, found = self._got.at(got)
        family = FAMILIES.get(key)
        if family is not None and family == FAMILIES.get(other):
            pair = id(wanted), id(found)
            if pair not in self._known:
                self._known[pair] = len(wanted) == len(found) and self._near_inside(family, wanted, found)
            return self._known[pair]
        number, answer = _number(key, wanted), _number(other, found)
        if isinstance(answer, _NUMBERS.get(type(number), ())) and not isinstance(answer, bool):
            return self._close(number, answer)  # type: ignore[arg-type]
        return self._marks.of(expected) == self._marks_got.of(got)

    def _near_inside(self, family: str, expected: list[Any], got: list[Any]) -> bool:
        if family in ("list", "$tuple"):
            return all(map(self.near, expected, got))
        single = family == "$set"
        return self._paired(
            self._grouped(self._marks, expected, single=single), self._grouped(self._marks_got, got, single=single)
        )

    def _grouped(self, marks: Marks, container: list[Any], *, single: bool) -> _Groups:
        groups = self._groups.get(id(container))
        if groups is None:
            made: dict[str, list[_Entry]] = {}
            for item in container:
                entry = (item,) if single else item
                made.setdefault(marks.of(entry[0]), []).append(entry)
            groups = self._groups[id(container)] = made
        return groups

    def _paired(self, expected: _Groups, got: _Groups) -> bool:
        """Whether each entry of one side has a near one of its own on the other."""
        certain = {mark for mark, entries in expected.items() if not self._has_tolerance(entries[0][0])}
        if not all(self._alike(expected[mark], got.get(mark, ())) for mark in certain):
            return False
        if expected.keys() == got.keys() and all(
            len(expected[mark]) == 1 and self._alike(expected[mark], got[mark]) for mark in expected.keys() - certain
        ):
            return True
        wanted, found = (
            [entry for mark, entries in groups.items() if mark not in certain for entry in entries]
            for groups in (expected, got)
        )
        if len(wanted) != len(found):
            return False
        self._pairs_left -= len(wanted)
        if len(wanted) <= MOST_PAIRED:
            return matched(len(wanted), lambda one, other: self._fits(wanted[one], found[other]))
        places = self._places(wanted, found)
        return places is not None and all(self._fits(wanted[one], found[other]) for one, other in places)

    def _alike(self, expected: Sequence[_Entry], got: Sequence[_Entry]) -> bool:
        """Of entries of one mark: as many, with near values."""
        return len(expected) == len(got) and all(
            all(map(self.near, entry[1:], other[1:])) for entry, other in zip(expected, got, strict=True)
        )

    def _has_tolerance(self, node: Tree) -> bool:
        key, payload = self._expected.at(node)
        return key in FAMILIES or isinstance(_number(key, payload), float | complex)

    def _fits(self, expected: _Entry, got: _Entry) -> bool:
        """Sets inside sets are looked at for each pair of those that they are in: not for ever."""
        self._pairs_left -= 1
        return self._pairs_left >= 0 and all(map(self.near, expected, got))

    def _places(self, expected: Sequence[_Entry], got: Sequence[_Entry]) -> list[tuple[int, int]] | None:
        """One way to pair many: numbers in their order, whatever else by equality; None where there is none."""
        numbers = [_real(self._expected, entry[0]) for entry in expected]
        answers = [_real(self._got, entry[0]) for entry in got]
        places = assigned(
            [(at, *self._reach(number)) for at, number in enumerate(numbers) if number is not None],
            [(answer, at) for at, answer in enumerate(answers) if answer is not None],
        )
        if places is None:
            return None
        rest = sorted((self._marks.of(entry[0]), at) for at, entry in enumerate(expected) if numbers[at] is None)
        others = sorted((self._marks_got.of(entry[0]), at) for at, entry in enumerate(got) if answers[at] is None)
        return places + [(one, other) for (_, one), (_, other) in zip(rest, others, strict=True)]

    def _reach(self, number: Fraction | float) -> tuple[Any, Any]:
        """The least and the largest that is near a number, and a little more: `near` has the last word."""
        if not isinstance(number, float) or math.isinf(number):
            return number, number
        off = (self._absolute + self._relative * abs(number)) * (1 + 1e-9)
        return number - off, number + off

    def _close(self, expected: complex, got: Fraction | complex) -> bool:
        if isinstance(expected, float) and math.isnan(expected):
            return isinstance(got, float) and math.isnan(got)
        room = self._absolute + self._relative * abs(expected)
        if isinstance(got, Fraction):
            return math.isfinite(expected.real) and abs(Fraction(expected.real) - got) <= room
        try:
            return bool(expected == got or abs(expected - got) <= room < math.inf)
        except OverflowError:  # an integer beyond the range of floats
            return False


def _real(description: Description, node: Tree) -> Fraction | int | float | None:
    """A number that has a place among the others; None for a nan, a complex number, and whatever else."""
    number = _number(*description.at(node))
    if number is None or isinstance(number, complex) or (isinstance(number, float) and math.isnan(number)):
        return None
    return number


def _number(key: str, payload: Any) -> Fraction | complex | None:
    """A bool, an integer, a float or a complex number, a Decimal or a Fraction as such; None for anything else."""
    if key == "":
        return payload if isinstance(payload, int | float) else None
    read = _READ.get(key)
    return read(payload) if read is not None else None


def _large(digits: str) -> int | None:
    # One beyond the range of floats is near none.
    return integer_at({"$int": digits}) if len(digits) <= _FLOAT_HEX else None


def _decimal(text: str) -> Fraction | None:
    """None for what is no number, and for one of which a fraction takes more than its text is long."""
    found = DECIMAL.fullmatch(text)
    if found is None or found["special"] or len(text) > _DIGITS or abs(int(found["exponent"] or 0)) > _DIGITS:
        return None
    return Fraction(Decimal(text))


def _fraction(parts: Sequence[Any]) -> Fraction | None:
    if any(type(part) is dict and len(part["$int"]) > _FLOAT_HEX for part in parts):
        return None
    return Fraction(*map(integer_at, parts))


_READ: Mapping[str, Callable[[Any], Fraction | complex | None]] = {
    "$int": _large,
    "$float": lambda payload: float_at({"$float": payload}),
    "$complex": lambda payload: complex(*map(float_at, payload)),
    "$decimal": _decimal,
    "$fraction": _fraction,
}
