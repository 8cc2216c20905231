"""What a worker process remembers of task versions: the reference's answers, parsed cases. Lost at exit, made again."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

TASK_VERSIONS = 500
"""Kept at once; the one used longest ago goes first."""


class TaskMemory:
    """Thread-safe. A value is made once, however many ask for it at the same time; a failure is not remembered."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._versions: OrderedDict[tuple[str, ...], dict[str, _Entry]] = OrderedDict()

    def of(self, *version: str) -> Callable[[str, Callable[[], object]], object]:
        """`remember(key, make)` for what these words name: a task and its version, and what else makes a difference."""

        def remember(key: str, make: Callable[[], object]) -> object:
            with self._lock:
                entries = self._versions.setdefault(version, {})
                self._versions.move_to_end(version)
                while len(self._versions) > TASK_VERSIONS:
                    self._versions.popitem(last=False)
                entry = entries.setdefault(key, _Entry())
            return entry.value(make)

        return remember


class _Entry:
    def __init__(self) -> None:
        self._lock = Lock()
        self._made: tuple[object] | None = None

    def value(self, make: Callable[[], object]) -> object:
        with self._lock:
            if self._made is None:
                self._made = (make(),)
            return self._made[0]
