"""What must hold of every answer. Hypothesis looks for an input of which it does not, and shrinks it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solution import second_largest

NUMBERS = st.integers(-100, 100)


@given(st.lists(NUMBERS, min_size=2).filter(lambda numbers: len(set(numbers)) >= 2))
def test_exactly_one_different_number_is_larger(numbers):
    answer = second_largest(numbers)
    assert answer in numbers
    assert len({number for number in numbers if number > answer}) == 1


@given(NUMBERS, st.integers(0, 5))
def test_fewer_than_two_different_numbers_are_refused(number, times):
    with pytest.raises(ValueError):
        second_largest([number] * times)
