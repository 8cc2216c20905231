"""Decides outside the box whether a value that came out of it is the expected one. Pure.

Both are descriptions (graders/description.py): no value of a submission is made here, and none of its numbers, sets or
references decides how long the comparison takes.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from graders.description import Description
from graders.encoding import Tree
from graders.leaves import DECIMAL, float_at, integer_at
from graders.marks import Marks
from graders.pairing import MOST_PAIRED, assigned, matched

Check = Callable[[Description, Description], bool]
"""`(expected, got) -> bool`"""
_Entry = tuple[Tree, ...]
"""An element of a set, or key and value of a dict."""


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
_DIGITS = 400
"""Characters of a Decimal, and the exponents of ten, that are looked at; one beyond is near no float but one that equals it."""
MOST_PAIRS = 100_000
"""Of elements of sets, or entries of dicts, that are looked at for one answer. What is left then is not near."""
_NUMBERS: Mapping[type, tuple[type, ...]] = {float: (int, float, Fraction), complex: (int, float, complex)}
"""Type of an expected value that has a tolerance -> types that may come near it."""


def float_check(absolute: float, relative: float) -> Check:
    """Numbers within `absolute + relative * |expected|`, inside equal containers; everything else exactly.

    The tolerance is for expected floats only, elements of sets and keys of dicts among them: an expected integer is met by
    an equal number. So is a float by a bool, as `==` has it: `True` is 1.0, and no measurement near 0.9999999999.
    """
    return lambda expected, got: _Close(expected, got, absolute, relative).near(expected.tree, got.tree)


class _Close:
    """Walks through both at once, led by the expected one; a pair of containers that were found alike is not walked again."""

    def __init__(self, expected: Description, got: Description, absolute: float, relative: float) -> None:
        self._expected, self._got = expected, got
        self._absolute, self._relative = absolute, relative
        self._marks, self._marks_got = Marks(expected), Marks(got)
        self._alike: set[tuple[int, int]] = set()
        self._pairs_left = MOST_PAIRS

    def near(self, expected: Tree, got: Tree) -> bool:
        kind = type(expected)
        if kind is type(got) and kind in (int, str, float):  # what most are
            if kind is float:
                return _close(expected, got, self._absolute, self._relative)  # type: ignore[arg-type]
            return expected == got
        key, wanted = self._expected.at(expected)
        other, found = self._got.at(got)
        inside = self._inside.get(_FAMILIES.get(key, ""))
        if inside is not None and _FAMILIES[key] == _FAMILIES.get(other):
            pair = id(wanted), id(found)
            if pair not in self._alike:
                if len(wanted) != len(found) or not inside(self, wanted, found):
                    return False
                self._alike.add(pair)
            return True
        number, answer = _number(key, wanted), _number(other, found)
        if isinstance(answer, _NUMBERS.get(type(number), ())) and not isinstance(answer, bool):
            return _close(number, answer, self._absolute, self._relative)  # type: ignore[arg-type]
        return self._marks.of(expected) == self._marks_got.of(got)

    def _near_items(self, expected: Sequence[Tree], got: Sequence[Tree]) -> bool:
        return all(map(self.near, expected, got))

    def _near_elements(self, expected: list[Tree], got: list[Tree]) -> bool:
        """Of sets: which element stands for which is not said, so some way to pair them will do."""
        return self._paired([(element,) for element in expected], [(element,) for element in got])

    def _near_pairs(self, expected: list[list[Tree]], got: list[list[Tree]]) -> bool:
        return self._paired([tuple(pair) for pair in expected], [tuple(pair) for pair in got])

    _inside: Mapping[str, Callable[["_Close", list[Any], list[Any]], bool]] = {
        "list": _near_items,
        "$tuple": _near_items,
        "$set": _near_elements,
        "$dict": _near_pairs,
    }

    def _paired(self, expected: list[_Entry], got: list[_Entry]) -> bool:
        """Whether each of one side has a near one of its own on the other. Entries begin with what they are found by."""
        wanted, found = _by_mark(self._marks, expected), _by_mark(self._marks_got, got)
        if wanted.keys() == found.keys() and all(
            len(wanted[mark]) == len(found[mark]) == 1 and self._near_items(wanted[mark][0][1:], found[mark][0][1:])
            for mark in wanted
        ):
            return True  # what most are: the same keys, and near values
        if len(expected) <= MOST_PAIRED:
            return matched(len(expected), lambda one, other: self._fits(expected[one], got[other]))
        places = self._places(expected, got)
        return places is not None and all(self._near_items(expected[one], got[other]) for one, other in places)

    def _fits(self, expected: _Entry, got: _Entry) -> bool:
        """Sets inside sets are looked at for each pair of those that they are in: not for ever."""
        self._pairs_left -= 1
        return self._pairs_left >= 0 and self._near_items(expected, got)

    def _places(self, expected: list[_Entry], got: list[_Entry]) -> list[tuple[int, int]] | None:
        """One way to pair many: numbers in their order, whatever else by equality; None where there is none."""
        numbers = [_real(self._expected, entry[0]) for entry in expected]
        answers = [_real(self._got, entry[0]) for entry in got]
        lines = [
            (at, *_reach(number, self._absolute, self._relative))
            for at, number in enumerate(numbers)
            if number is not None
        ]
        points = [(answer, at) for at, answer in enumerate(answers) if answer is not None]
        places = assigned(lines, points)
        if places is None:
            return None
        rest = sorted((self._marks.of(entry[0]), at) for at, entry in enumerate(expected) if numbers[at] is None)
        others = sorted((self._marks_got.of(entry[0]), at) for at, entry in enumerate(got) if answers[at] is None)
        return places + [(one, other) for (_, one), (_, other) in zip(rest, others, strict=True)]


def _by_mark(marks: Marks, entries: Iterable[_Entry]) -> dict[str, list[_Entry]]:
    found: dict[str, list[_Entry]] = {}
    for entry in entries:
        found.setdefault(marks.of(entry[0]), []).append(entry)
    return found


def _real(description: Description, node: Tree) -> Fraction | int | float | None:
    """A number that has a place among the others; None for a nan, a complex number, and whatever else."""
    number = _number(*description.at(node))
    if number is None or isinstance(number, complex) or (isinstance(number, float) and math.isnan(number)):
        return None
    return number


def _reach(number: Fraction | float, absolute: float, relative: float) -> tuple[Any, Any]:
    """The least and the largest that is near a number, and a little more: who uses it looks again."""
    if not isinstance(number, float) or math.isinf(number):
        return number, number
    off = (absolute + relative * abs(number)) * (1 + 1e-9)
    return number - off, number + off


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


def _number(key: str, payload: Any) -> Fraction | complex | None:
    """A bool, an integer, a float or a complex number, a Decimal or a Fraction as such; None for anything else."""
    if key == "":
        return payload if isinstance(payload, int | float) else None
    if key == "$int":
        # One beyond the range of floats is near none.
        return integer_at({key: payload}) if len(payload) <= _FLOAT_HEX else None
    if key == "$float":
        return float_at({key: payload})
    if key == "$complex":
        return complex(*map(float_at, payload))
    if key == "$decimal":
        return _decimal(payload)
    if key == "$fraction" and all(type(part) is int or len(part["$int"]) <= _FLOAT_HEX for part in payload):
        return Fraction(*map(integer_at, payload))
    return None


def _decimal(text: str) -> Fraction | None:
    """None for what is no number, and for one of which a fraction takes more than its text is long."""
    found = DECIMAL.fullmatch(text)
    if found is None or found["special"] or len(text) > _DIGITS or abs(int(found["exponent"] or 0)) > _DIGITS:
        return None
    return Fraction(Decimal(text))


def _close(expected: complex, got: Fraction | complex, absolute: float, relative: float) -> bool:
    if isinstance(expected, float) and math.isnan(expected):
        return isinstance(got, float) and math.isnan(got)
    if isinstance(got, Fraction):
        return math.isfinite(expected.real) and abs(Fraction(expected.real) - got) <= absolute + relative * abs(
            expected
        )
    try:
        return bool(expected == got or abs(expected - got) <= absolute + relative * abs(expected) < math.inf)
    except OverflowError:  # an integer beyond the range of floats
        return False
