"""The task cache of a worker process: the reference's answers, parsed cases. Lost at exit and made again.

It also remembers for a while that a task is unusable: a reference that hangs for a minute would do so in each run.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from copy import copy
from threading import Lock
from typing import Any, TypeVar

import structlog

from graders.interface import ContextCache, TaskUnusable

_log = structlog.get_logger()

T = TypeVar("T")

TASK_VERSIONS = 500
"""Kept at once; the one used longest ago goes first."""
FAILURE_SECONDS, LONGEST_SECONDS = 60.0, 600.0
"""How long a task that was found to be unusable is taken to be so, at first and at most."""


class TaskCache:
    """Thread-safe. A value is made once, however many threads request it at the same time.

    If `make` raises TaskUnusable, that is logged once and raised again without another try for a minute. Each time the same task
    fails again the pause doubles, up to LONGEST_SECONDS. So a passing problem of a busy machine is soon forgotten, and a
    reference that hangs costs little. Any other exception is ours and never remembered.

    Args:
        clock: seconds, like time.monotonic.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._versions: OrderedDict[tuple[str, ...], dict[str, _CachedTask]] = OrderedDict()

    def of(self, *version: str) -> ContextCache:
        """Return `remember(key, make)` for the thing that these words name: a task, its version, and further distinctions."""

        def remember(key: str, make: Callable[[], T], /) -> T:
            with self._lock:
                entries = self._versions.setdefault(version, {})
                self._versions.move_to_end(version)
                while len(self._versions) > TASK_VERSIONS:
                    self._versions.popitem(last=False)
                entry = entries.setdefault(key, _CachedTask(self._clock, (*version, key)))
            value: T = entry.value(make)
            return value

        return remember


class _CachedTask:
    def __init__(self, clock: Callable[[], float], name: tuple[str, ...]) -> None:
        self._lock = Lock()
        self._clock = clock
        self._name = name
        self._made: tuple[Any] | None = None
        self._failure: TaskUnusable | None = None
        self._until = 0.0
        self._seconds = FAILURE_SECONDS

    def value(self, make: Callable[[], T]) -> Any:
        with self._lock:
            if self._made is None:
                self._made = (self._try(make),)
            return self._made[0]

    def _try(self, make: Callable[[], T]) -> T:
        if self._failure is not None and self._clock() < self._until:
            raise copy(self._failure)  # each raise writes its traceback into the exception
        try:
            return make()
        except TaskUnusable as error:
            self._failure, self._until = copy(error), self._clock() + self._seconds
            _log.warning(
                "task is unusable",
                action="remember",
                what="/".join(self._name),
                seconds=self._seconds,
                why=str(error),
            )
            self._seconds = min(2 * self._seconds, LONGEST_SECONDS)
            raise
