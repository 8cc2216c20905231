"""Pairs of programs get the processors in turn, the one with the fewest pairs first."""

import os
from contextlib import ExitStack

from sandboxes.jail.cpu_pinning import PairPinning


def test_pairs_are_spread() -> None:
    processors = PairPinning([4, 7])
    with ExitStack() as stack:
        taken = [stack.enter_context(processors.pin()) for _ in range(4)]
        assert sorted(taken[:2]) == sorted(taken[2:]) == [4, 7]


def test_what_is_given_back_is_taken_next() -> None:
    processors = PairPinning([0, 1])
    with processors.pin() as first:
        with processors.pin() as second:
            assert second != first
        with processors.pin() as again:
            assert again == second


def test_one_pair_after_the_other_uses_all() -> None:
    processors, seen = PairPinning([0, 1, 2]), []
    for _ in range(6):
        with processors.pin() as number:
            seen.append(number)
    assert seen[:3] == seen[3:]
    assert set(seen) == {0, 1, 2}


def test_only_those_that_this_process_has() -> None:
    with PairPinning().pin() as number:
        assert number in os.sched_getaffinity(0)
