"""Whose doing it is that a limit is used up, and how many processes a program has: one rule for calls and for tests."""

import pytest

from graders.interface import End, Limits
from graders.suites.shared_limits import MOST_USED_UP, Turns, used_up_by_others

LIMITS = Limits(cpu_seconds=5, wall_seconds=20)


@pytest.mark.parametrize(
    ("end", "before", "had_its_time", "by_others"),
    [
        (End.CPU_TIMEOUT, 3.0, False, True),
        (End.CPU_TIMEOUT, 0.4, False, False),  # hardly anything was used before it
        (End.WALL_TIMEOUT, 3.0, False, True),
        (End.WALL_TIMEOUT, 3.0, True, False),  # its own time was over before that of all
        (End.WALL_TIMEOUT, 1.9, False, False),  # it had nine tenths of it, whatever share of the other limit that is
        (End.OUT_OF_MEMORY, 0.1, False, True),
        (End.OUT_OF_MEMORY, 0.0, False, False),  # nobody was there before it
        (End.OUTPUT_LIMIT, 3.0, False, True),
        (End.EXITED, 3.0, False, False),
        (End.SIGNALLED, 3.0, False, False),
        (None, 3.0, False, False),
    ],
)
def test_whose_doing_it_may_be_that_a_limit_is_used(
    end: End | None, before: float, *, had_its_time: bool, by_others: bool
) -> None:
    assert used_up_by_others(end, LIMITS, before=before, had_its_time=had_its_time) is by_others


def test_a_case_that_is_lost_where_it_is_the_first_was_lost_by_its_own_doing() -> None:
    turns = Turns()
    for lost in range(1, 6):
        assert turns.are_left(5)
        assert turns.ended(answered=True, by_others=True), "it is asked again"
        assert not turns.ended(answered=False, by_others=True)
        assert (turns.lost, turns.used_up) == (lost, 0)
    assert not turns.are_left(5)


def test_cases_that_find_their_answer_the_second_time_are_counted() -> None:
    turns = Turns()
    assert turns.ended(answered=True, by_others=True)
    for used_up in range(1, MOST_USED_UP + 1):
        assert turns.are_left(5)
        assert turns.ended(answered=True, by_others=True)
        assert (turns.lost, turns.used_up) == (0, used_up)
    assert not turns.are_left(5)


def test_one_that_had_the_limits_to_itself_is_lost_whoever_came_before_it() -> None:
    turns = Turns()
    assert not turns.ended(answered=True, by_others=False)
    assert (turns.lost, turns.used_up) == (1, 0)
