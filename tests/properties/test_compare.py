"""The comparison outside the box."""

import math
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders import compare
from graders.compare import Check, check_named, float_check
from graders.description import described

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)


def of_values(check: Check) -> Callable[[object, object], bool]:
    """The check, for those who have values."""
    return lambda expected, got: check(described(expected), described(got))


exact, unordered, any_of = map(of_values, (compare.exact, compare.unordered, compare.any_of))
CLOSE = of_values(float_check(1e-6, 1e-7))


@given(plain)
def test_a_value_equals_itself(value: object) -> None:
    assert exact(value, value) and CLOSE(value, value) and unordered(value, value)


@given(plain, plain)
def test_close_or_unordered_never_says_no_where_exact_says_yes(left: object, right: object) -> None:
    if exact(left, right) and not _has_bool(left, right):
        assert CLOSE(left, right) and unordered(left, right)


def _has_bool(*values: object) -> bool:
    return any("True" in repr(value) or "False" in repr(value) for value in values)


@given(st.lists(st.integers(), max_size=8), st.randoms())
def test_order_does_not_matter_but_counts_do(items: list[int], random) -> None:
    shuffled = random.sample(items, len(items))
    assert unordered(items, shuffled)
    assert not unordered(items, [*shuffled, 0])
    assert unordered([[n] for n in items], [[n] for n in shuffled])  # unhashable elements


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_tolerance_is_numpys(expected: float, got: float) -> None:
    assert CLOSE(expected, got) == (expected == got or abs(expected - got) <= 1e-6 + 1e-7 * abs(expected))


NAN = float("nan")
"""Another one than math.nan: a dict may have both as keys."""


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (1.0, True), (1, True), (True, 2), (1.0, 1 + 1e-9j), (2.5, "2.5"), ([1.0], (1.0,)), (1.0, None), (1.0, [1.0]), (5, 5.0000001), (1.0, math.nan),
        (math.inf, 1e308), (1e308, math.inf), (math.inf, -math.inf), (math.nan, 1.0), ({"a": 1.0}, {"b": 1.0}), (1.0, 10**400),
        ([1.0, 2.0], [1.0]), (0.5, 0.6),
        # Several keys that are a nan: the last one's value was taken for all of them.
        ({NAN: 1.0, math.nan: 2.0}, {NAN: 9.0, math.nan: 2.0}), ({NAN: 1.0, math.nan: 2.0}, {NAN: 2.0}),
    ],
)  # fmt: skip
def test_what_is_not_close(expected: object, got: object) -> None:
    assert not CLOSE(expected, got)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (2.0, 2),
        (2.5, 2.5000001),
        ([[0.1 + 0.2]], [[0.3]]),
        (math.inf, math.inf),
        ({"a": 1.0}, {"a": 1.0 + 1e-9}),
        (5, 5.0),
        (1j, 1j + 1e-9),
        (1.0, 1 + 0j),
        (True, 1),
        (False, 0),
        ({NAN: 1.0, math.nan: 2.0}, {NAN: 2.0, math.nan: 1.0}),
    ],
)
def test_what_is_close(expected: object, got: object) -> None:
    assert CLOSE(expected, got)


@given(st.lists(plain, max_size=4), plain)
def test_any_of_is_exact_for_one_of_the_accepted(accepted: list[object], got: object) -> None:
    assert any_of(accepted, got) == any(exact(value, got) for value in accepted)
    assert any_of([*accepted, got], got)
    assert not any_of((got,), got)
    assert check_named("any-of", {}) is compare.any_of
