"""`solution` is the module of the submission. What crosses to it and back: docs/reference/encoding.md."""

import pytest
from solution import second_largest


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([1, 2], 1),
        ([7, 9, 8, 1], 8),
        ([6, 2, 6], 2),
        ([-1, -5, -3], -3),
        ([0.5, 0.25, 0.5], 0.25),
        ([4, 3, 2, 1], 3),
    ],
)
def test_the_second_largest_of_the_different_numbers(numbers, expected):
    assert second_largest(numbers) == expected


@pytest.mark.parametrize("numbers", [[], [3], [3, 3, 3]])
def test_fewer_than_two_different_numbers_are_refused(numbers):
    with pytest.raises(ValueError):
        second_largest(numbers)


def test_the_list_is_left_as_it_was():
    # The prompt does not say that the list may be changed. A list that the submission changes is changed here too.
    numbers = [2, 3, 1]
    second_largest(numbers)
    assert numbers == [2, 3, 1]
