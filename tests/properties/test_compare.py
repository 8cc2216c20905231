"""The comparison outside the box."""

import itertools
import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from graders.suites.call import compare
from graders.suites.call.compare import Check, check_named, float_check
from graders.suites.call.pairing import MOST_PAIRED
from graders.suites.values.description import described

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
NAN = float("nan")
"""Another one than math.nan: a dict may have both as keys."""


@given(plain)
def test_a_value_equals_itself(value: object) -> None:
    assert exact(value, value) and CLOSE(value, value) and unordered(value, value)


@given(plain, plain)
def test_close_or_unordered_never_says_no_where_exact_says_yes(left: object, right: object) -> None:
    if exact(left, right):
        assert CLOSE(left, right) and unordered(left, right)


NUMBERS = st.sampled_from(
    [0.0, 1.0, 1 + 9e-7, 1 + 1.9e-6, 1 + 5e-6, 2.5, 1, True, math.nan, math.inf, Fraction(1), Decimal("1.0000005")]
)
SETS = st.lists(NUMBERS | st.tuples(NUMBERS, NUMBERS) | st.frozensets(NUMBERS, max_size=2), max_size=4)


@given(SETS, SETS)
@example([1.0, 1 + 1.9e-6], [1 + 9e-7, 1 + 2.8e-6])  # the nearest one may be another's only one
def test_sets_and_keys_are_near_where_some_way_to_pair_them_is(one: list[object], other: list[object]) -> None:
    """Against a model that tries all ways."""
    expected, got = set(one), set(other)
    some_way = len(expected) == len(got) and any(all(map(CLOSE, expected, way)) for way in itertools.permutations(got))
    assert CLOSE(expected, got) == CLOSE(frozenset(expected), got) == some_way
    assert CLOSE(dict.fromkeys(expected, 0.5), dict.fromkeys(got, 0.5 + 1e-9)) == some_way
    assert not expected or not CLOSE(dict.fromkeys(expected, 0.5), dict.fromkeys(got, 0.6))
    # The same where there are too many to look at all ways.
    many = {float(number) for number in range(1000, 1100)}
    if all(not isinstance(item, tuple | frozenset) for item in (*one, *other)):
        assert CLOSE(expected | many, got | {number + 1e-5 for number in many}) == some_way


def test_many_that_are_no_numbers_and_not_equal_are_not_looked_at_pair_by_pair() -> None:
    count = 20_000
    assert not CLOSE({(n, 0.5) for n in range(count)}, {(n, 0.6) for n in range(count)})
    few = {(n, 0.5) for n in range(MOST_PAIRED)}
    assert CLOSE(few, {(n, 0.5 + 1e-9) for n in range(MOST_PAIRED)})
    nested = {frozenset(frozenset((n, m, k + 0.5) for k in range(40)) for m in range(40)) for n in range(40)}
    assert not CLOSE(
        nested, {frozenset(frozenset((n, m, k + 0.6) for k in range(40)) for m in range(40)) for n in range(40)}
    )


@pytest.mark.parametrize("number", [True, 1, 1.0, Fraction(1), Decimal("1.0"), 1 + 0j])
@pytest.mark.parametrize("other", [True, 1, 1.0, Fraction(1), Decimal("1.0"), 1 + 0j])
def test_a_bool_is_a_number_in_every_checker_as_it_is_for_exact(number: object, other: object) -> None:
    assert exact(number, other) and CLOSE(number, other) and any_of([number], other)
    assert unordered([number, "x"], ["x", other]) and CLOSE({number}, {other}) and CLOSE({number: 0.5}, {other: 0.5})


@pytest.mark.parametrize(("expected", "got"), [([math.nan, 1], [1, NAN]), ([[NAN], {"a": math.nan}], [{"a": NAN}, [math.nan]]), ([{math.nan}, 2], [2, {NAN}])])  # fmt: skip
def test_a_nan_is_found_in_any_order_and_among_several(expected: list[object], got: list[object]) -> None:
    assert unordered(expected, got) and any_of(expected, got[0]) and not unordered(expected, [*got[:-1], 7])


@pytest.mark.parametrize(
    ("got", "near"),
    [
        (Decimal("0.3"), True), (Decimal("0.30000001"), True), (Decimal("0.31"), False), (Fraction(3, 10), True), (Fraction(1, 3), False),
        (Decimal("NaN"), False), (Decimal("Infinity"), False), (Decimal("1e999999999"), False), (Decimal("1e-999999999"), False),
        (Fraction(10**400, 7), False), (Decimal("3" * 500), False),
    ],
)  # fmt: skip
def test_a_decimal_or_a_fraction_may_be_near_a_float(got: object, near: bool) -> None:
    assert CLOSE(0.1 + 0.2, got) == near and CLOSE({0.1 + 0.2}, {got}) == near
    assert not CLOSE(math.inf, got) or got == math.inf


@given(st.lists(st.integers(), max_size=8), st.randoms())
def test_order_does_not_matter_but_counts_do(items: list[int], random) -> None:
    shuffled = random.sample(items, len(items))
    assert unordered(items, shuffled)
    assert not unordered(items, [*shuffled, 0])
    assert unordered([[n] for n in items], [[n] for n in shuffled])  # unhashable elements


@given(st.floats(allow_nan=False, allow_infinity=False), st.floats(allow_nan=False, allow_infinity=False))
def test_tolerance_is_numpys(expected: float, got: float) -> None:
    assert CLOSE(expected, got) == (expected == got or abs(expected - got) <= 1e-6 + 1e-7 * abs(expected))


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        (1 + 1e-9, True), (2.0, True), (True, 2), (1.0, 1 + 1e-9j), (2.5, "2.5"), ([1.0], (1.0,)), (1.0, None), (1.0, [1.0]), (5, 5.0000001), (1.0, math.nan),
        (math.inf, 1e308), (1e308, math.inf), (math.inf, -math.inf), (math.nan, 1.0), ({"a": 1.0}, {"b": 1.0}), (1.0, 10**400),
        ([1.0, 2.0], [1.0]), (0.5, 0.6),
        # Several keys that are a nan: the last one's value was taken for all of them.
        ({NAN: 1.0, math.nan: 2.0}, {NAN: 9.0, math.nan: 2.0}), ({NAN: 1.0, math.nan: 2.0}, {NAN: 2.0}),
        ({1: 0.5}, {1 + 1e-9: 0.5}), ({"a": 0.5}, {"a": 0.6}), ({0.5, 0.6}, {0.5}), ({0.5: 1, 0.6: 2}, {0.5: 2, 0.6: 1}), ({2}, {2 + 1e-9}),
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
        ({Decimal("NaN"): 1.0, Decimal("NaN"): 1.0}, {Decimal("NaN"): 1.0, Decimal("NaN"): 1.0 + 1e-9}),
        ({"a": {1: {0.5}}, None: 1.5}, {"a": {1.0: {0.5 + 1e-9}}, None: 1.5 + 1e-9}),
        ({(1, 0.3): "x", 2: "y"}, {(True, 0.1 + 0.2): "x", 2.0: "y"}),
    ],
)
def test_what_is_close(expected: object, got: object) -> None:
    assert CLOSE(expected, got)


@given(st.lists(plain, max_size=4), plain)
def test_any_of_is_exact_for_one_of_the_accepted(accepted: list[object], got: object) -> None:
    assert any_of(accepted, got) == any(exact(value, got) for value in accepted)
    assert any_of([*accepted, got], got)
    assert not any_of((got,), got)
    assert check_named("any-of", absolute=0, relative=0) is compare.any_of
