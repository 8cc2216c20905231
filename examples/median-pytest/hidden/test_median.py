"""Tests of `median` as anyone would write them. They run in the examiner's box; `solution` answers from another."""

from math import inf, isnan

import pytest
import solution
from solution import median


@pytest.mark.parametrize(
    ("xs", "wanted"),
    [
        ([-41], -41),
        ([0.125], 0.125),
        ([10, 3], 6.5),
        ([8, 8], 8),
        ([31, 20, 11], 20),
        ([66, 5, 57], 57),
        ([17, 99, 25], 25),
        ([14, 15, 16, 19, 90], 16),
        ([77, 53, 30, 21], 41.5),
        ([1000, -1000, 61, 2], 31.5),
        ([100, 9, 23, 1000, 11], 23),
        ([5, 40, 300, 2000], 170),
        ([-3, -9, -27, -81, -6], -9),
        ([-1, -10, -100, -4], -7),
        ([28, 3, 28, 28, 3, 3, 28], 28),
        ([18, 6, 6, 18, 18, 6], 12),
        ([88, 0, -87], 0),
        ([2.75, -1.5, 3.25, 9.5, 0.5], 2.75),
    ],
)
def test_value(xs, wanted):
    got = median(xs)
    assert type(got) in (int, float)
    assert got == wanted


def test_nearly():
    assert median([0.1, 0.7, 0.3, 0.2]) == pytest.approx(0.25, rel=1e-12)
    assert abs(median([29, 1.5, 100, 26.5]) - 27.75) < 1e-9


def test_infinities():
    assert median([inf, 37, -inf]) == 37
    assert median([inf, 1, inf]) == inf
    assert not isnan(median([inf, inf]))


def test_beyond_64_bits():
    assert median([2**70, 3, 2**71, 2**69, 5**40]) == 2**70


def test_long_and_shuffled():
    xs = [x * 7919 % 1009 for x in range(1009)]
    assert median(xs) == 504
    assert median(xs[1:]) == 504.5


def test_what_it_is_given_stays_as_it_is():
    xs = [31, 20, 11, 40]
    assert median(xs) == 25.5
    assert xs == [31, 20, 11, 40]


def test_answers_do_not_depend_on_the_order_of_calls():
    lists = [[n, n + 2, n - 2] for n in range(6)]
    assert [median(xs) for xs in lists] == list(range(6))
    assert [solution.median(xs) for xs in reversed(lists)] == list(reversed(range(6)))
