"""How much a piece of work costs, in a measure that is the same on a slow, a busy and a fast host."""

import ast
import time
from collections.abc import Callable


def effort(work: Callable[[], object]) -> float:
    """Its CPU time, as a multiple of that of a known piece of work beside it: some 0.3 seconds on a machine of 2024."""
    before = _seconds(_known)
    own = _seconds(work)
    return own / max(before, _seconds(_known))


def _known() -> None:
    for _ in range(10):
        ast.parse("x = f(1, [2, 3])\n" * 1000)


def _seconds(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return time.process_time() - before
