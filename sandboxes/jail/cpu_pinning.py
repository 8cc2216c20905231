"""Which processor two programs that talk to each other stay on.

Two programs of which one always waits for the other need one processor between them. On two, each message wakes one that sleeps,
which takes several times what is done with the message: a small call from the tests to the submission took 318 microseconds
on two processors of a virtual machine, and 98 on one (docs/adr/0006-two-processes.md).
"""

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

ANY_PROCESSOR = -1


class PairPinning:
    """Gives each pair of programs the processor that has the fewest pairs. Thread-safe.

    What else runs on it moves away by itself: only pairs are bound.
    """

    def __init__(self, numbers: Sequence[int] | None = None) -> None:
        """`numbers`: of processors; those that this process may run on where they are not given."""
        self._pairs = dict.fromkeys(sorted(os.sched_getaffinity(0)) if numbers is None else numbers, 0)
        self._lock = threading.Lock()

    @contextmanager
    def pin(self) -> Iterator[int]:
        """The number of a processor, which is counted as taken until the context is left."""
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
