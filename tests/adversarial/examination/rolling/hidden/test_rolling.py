import math

import reference
from hypothesis import given
from hypothesis import strategies as st
from solution import rolling, spread, unique

NUMBERS = st.lists(st.integers(-99, 99), min_size=1, max_size=10)


@given(NUMBERS, st.integers(1, 4))
def test_like_the_reference(xs, width):
    assert rolling(xs, width) == reference.rolling(xs, width)


@given(NUMBERS, st.integers(1, 4))
def test_each_is_of_its_window(xs, width):
    out = rolling(xs, width)
    assert len(out) == max(0, len(xs) - width + 1)
    assert all(value == max(xs[place : place + width]) for place, value in enumerate(out))


@given(NUMBERS)
def test_width_one_is_the_list(xs):
    assert rolling(xs, 1) == xs


@given(NUMBERS)
def test_unique(xs):
    out = unique(xs)
    assert len(set(out)) == len(out)
    assert set(out) == set(xs)
    assert sorted(out, key=xs.index) == out


@given(NUMBERS)
def test_unique_twice(xs):
    assert unique(unique(xs)) == unique(xs)


@given(NUMBERS)
def test_spread(xs):
    assert spread(xs) == max(xs) - min(xs)
    assert spread([x + 7 for x in xs]) == spread(xs)


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=6))
def test_spread_of_floats(xs):
    assert math.isclose(spread(xs), max(xs) - min(xs))
    assert spread(xs) >= 0
