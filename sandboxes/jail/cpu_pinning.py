"""Chooses the processor that the two programs of a pair stay on.

If one of two programs always waits for the other, they need only one processor. On two, each message wakes a sleeping processor,
which takes several times as long as the work on the message: a small call from the tests to the submission took 318 microseconds
on two processors of a virtual machine, and 98 on one (docs/adr/0006-two-processes.md).
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

ANY_PROCESSOR = -1


class PairPinning:
    """Assigns each pair of programs the processor that has the fewest pairs. Thread-safe.

    Other programs move away by themselves, because only pairs are bound.
    """

    def __init__(self, numbers: Sequence[int] | None = None) -> None:
        """`numbers`: the processors' numbers; by default those that this process may run on."""
        self._pairs = dict.fromkeys(sorted(os.sched_getaffinity(0)) if numbers is None else numbers, 0)
        self._lock = threading.Lock()

    @contextmanager
    def pin(self) -> Iterator[int]:
        """Yield the number of a processor, which counts as taken until the context is left."""
        with self._lock:
            number = min(self._pairs, key=self._pairs.__getitem__)
            self._pairs[number] += 1
            # Among those with as few pairs the one that was taken longest ago comes first.
            self._pairs[number] = self._pairs.pop(number)
        try:
            yield number
        finally:
            with self._lock:
                self._pairs[number] -= 1
