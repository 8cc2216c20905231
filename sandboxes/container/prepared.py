"""Containers that are made ahead of their use, in the background: making one takes longer than most programs do."""

import threading
from collections import Counter, deque
from collections.abc import Callable

from sandboxes.container.program import ContainerProgram, Shape
from sandboxes.engine.sweep import ENGINE_ERRORS
from sandboxes.interface import SandboxError

LONGEST_PAUSE_SECONDS = 30.0


class PreparedContainers:
    """Expects the next executions to be like the last: keeps as many boxes, of such shapes, as were taken last.

    Thread-safe. The caller of `take` has to check whether its box died while it waited.
    """

    def __init__(
        self, make: Callable[[Shape], ContainerProgram], discard: Callable[[ContainerProgram], object], count: int
    ) -> None:
        self._make = make
        self._discard = discard
        self._taken: deque[Shape] = deque(maxlen=count)
        self._boxes: list[ContainerProgram] = []
        self._changed = threading.Condition()
        self._closed = False
        # A daemon: if this is never closed, the thread must not keep the process from ending.
        self._thread = threading.Thread(target=self._keep, name="assay-ready", daemon=True)
        self._thread.start()

    def take(self, shape: Shape) -> ContainerProgram | None:
        """Return a box of this shape, which is the caller's from now on, or None if none is ready."""
        with self._changed:
            self._taken.append(shape)
            self._changed.notify_all()
            found = next((box for box in self._boxes if box.shape == shape), None)
            if found is not None:
                self._boxes.remove(found)
            return found

    def close(self) -> None:
        """Discard all boxes; none is made afterwards."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join()
        while self._boxes:
            self._discard(self._boxes.pop())

    def _keep(self) -> None:
        pause = 0.1
        while (due := self._wait()) is not None:
            if not isinstance(due, Shape):
                self._discard(due)
                continue
            try:
                box = self._make(due)
            except (*ENGINE_ERRORS, SandboxError):
                # Meanwhile a caller that needs a box makes one itself, and gets the error.
                with self._changed:
                    self._changed.wait_for(lambda: self._closed, pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                continue
            pause = 0.1
            with self._changed:
                self._boxes.append(box)

    def _wait(self) -> ContainerProgram | Shape | None:
        """Wait for work: return a surplus box to discard, or a shape that lacks a box; None at the end."""
        with self._changed:
            while not self._closed:
                wanted = Counter(self._taken)
                wanted.subtract(box.shape for box in self._boxes)
                surplus = next((box for box in self._boxes if wanted[box.shape] < 0), None)
                if surplus is not None:
                    self._boxes.remove(surplus)
                    return surplus
                lacking = next((shape for shape in reversed(self._taken) if wanted[shape] > 0), None)
                if lacking is not None:
                    return lacking
                self._changed.wait()
        return None
