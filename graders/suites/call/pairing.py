"""Who goes with whom, where two collections have no order: each has one partner, or it is said that there is no such way. Pure.

What the submission answered decides how many there are, so nothing here looks at all pairs of many.
"""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from typing import Any

MOST_PAIRED = 60
"""Of so many, all pairs are looked at."""


def matched(count: int, fits: Callable[[int, int], bool]) -> bool:
    """Whether each of `count` places on one side can have one of as many on the other for itself, such that it `fits`.

    Looks at each pair at most once. `count` is MOST_PAIRED at most: the time grows with its cube.
    """
    pairs = [[other for other in range(count) if fits(one, other)] for one in range(count)]
    partner: dict[int, int] = {}

    def find(one: int, seen: set[int]) -> bool:
        for other in pairs[one]:
            if other not in seen:
                seen.add(other)
                if other not in partner or find(partner[other], seen):
                    partner[other] = one
                    return True
        return False

    return all(find(one, set()) for one in range(count))


def assigned(
    reaches: Sequence[tuple[int, Any, Any]], points: Sequence[tuple[Any, int]]
) -> list[tuple[int, int]] | None:
    """A point for each reach, or None where there is no such way.

    Points in their order take, of the reaches that have begun, the one that ends first: where any way exists, this is one.

    Args:
        reaches: (name, least, largest), numbers that can be ordered.
        points: (number, name).
    """
    if len(reaches) != len(points):
        return None
    ahead = sorted(reaches, key=lambda reach: reach[1], reverse=True)
    begun: list[tuple[Any, int]] = []
    found = []
    for number, point in sorted(points):
        while ahead and ahead[-1][1] <= number:
            name, _, largest = ahead.pop()
            heappush(begun, (largest, name))
        if not begun or begun[0][0] < number:
            return None
        found.append((heappop(begun)[1], point))
    return found
