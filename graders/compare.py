"""Decides outside the box whether a value that came out of it is the expected one. Pure.

All values are of exact built-in types (`graders.encoding.from_json`), so `==` runs no code of a submission.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

Check = Callable[[object, object], bool]
"""`(expected, got) -> bool`"""


def _inside(leaf: Check) -> Check:
    """`leaf` for what is no container; containers are equal by type, size, keys, and `leaf` for what they hold."""

    def check(expected: object, got: object) -> bool:
        if isinstance(expected, list | tuple) and isinstance(got, list | tuple):
            return type(expected) is type(got) and len(expected) == len(got) and all(map(check, expected, got))
        if isinstance(expected, dict) and isinstance(got, dict):
            return expected.keys() == got.keys() and all(check(value, got[key]) for key, value in expected.items())
        return leaf(expected, got)

    return check


def _equal(expected: object, got: object) -> bool:
    if isinstance(expected, float) and isinstance(got, float) and math.isnan(expected):
        return math.isnan(got)
    return bool(expected == got)


exact: Check = _inside(_equal)
"""Python's `==`, but a nan equals a nan."""


_NUMBERS: Mapping[type, tuple[type, ...]] = {float: (int, float), complex: (int, float, complex)}
"""Type of an expected value that has a tolerance -> types that may come near it."""


def float_check(absolute: float, relative: float) -> Check:
    """Numbers within `absolute + relative * |expected|`, inside equal containers; everything else exactly.

    The tolerance is for expected floats only: an expected integer is met by an equal number. A bool is no number here:
    `True` for 1.0 is a look-alike, not an answer. Where a bool is expected, 0 is as good as False: a function that tells
    yes from no may do so with either, and evalplus accepts both.
    """

    def close(expected: object, got: object) -> bool:
        if isinstance(got, bool) and not isinstance(expected, bool):
            return False
        if isinstance(got, _NUMBERS.get(type(expected), ())):
            return _close(expected, got, absolute, relative)  # type: ignore[arg-type]
        return _equal(expected, got)

    return _inside(close)


def unordered(expected: object, got: object) -> bool:
    """The same elements the same number of times, in any order, and the same type of container."""
    if isinstance(expected, AbstractSet) and isinstance(got, AbstractSet):
        return expected == got
    if isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        return type(expected) is type(got) and _same_elements(expected, got)
    return exact(expected, got)


def any_of(expected: object, got: object) -> bool:
    """`expected` is the list of the accepted values: one of them, exactly."""
    return isinstance(expected, list) and any(exact(accepted, got) for accepted in expected)


def check_named(name: str, options: Mapping[str, object]) -> Check:
    """The check of a suite's `checker` option; `predicate` is not among them, it runs in a box."""
    if name == "float":
        return float_check(_number(options.get("absolute", 1e-9)), _number(options.get("relative", 1e-9)))
    return {"exact": exact, "unordered": unordered, "any-of": any_of}[name]


def _number(value: object) -> float:
    assert isinstance(value, int | float)  # graders.package has checked it
    return float(value)


def _close(expected: complex, got: complex, absolute: float, relative: float) -> bool:
    if isinstance(expected, float) and math.isnan(expected):
        return isinstance(got, float) and math.isnan(got)
    try:
        return bool(expected == got or abs(expected - got) <= absolute + relative * abs(expected) < math.inf)
    except OverflowError:  # an integer beyond the range of floats
        return False


def _same_elements(expected: Sequence[object], got: Sequence[object]) -> bool:
    if len(expected) != len(got):
        return False
    try:
        return Counter(expected) == Counter(got)
    except TypeError:  # something unhashable inside: find each by comparison
        left = list(got)
        for item in expected:
            match = next((index for index, other in enumerate(left) if exact(item, other)), None)
            if match is None:
                return False
            del left[match]
        return True
