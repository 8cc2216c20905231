"""How many processes a box has started, from the numbers that the kernel gives them."""

from sandboxes.inside.counters import RESERVED_NUMBERS, started


def test_each_process_has_the_next_number() -> None:
    assert started(1000, 1000, 32768) == 0
    assert started(1000, 1007, 32768) == 7


def test_where_the_numbers_begin_anew_none_is_counted_twice_or_left_out() -> None:
    """A negative count would be a malformed report, and that our failure: so a program could keep itself from its grade."""
    most = 32768
    given = [*range(32760, most), *range(RESERVED_NUMBERS, RESERVED_NUMBERS + 50)]
    for count, number in enumerate(given):
        assert started(given[0], number, most) == count


def test_a_host_that_does_not_say_how_many_numbers_it_has() -> None:
    assert started(32760, 400, 0) == 0
