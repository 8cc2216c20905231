"""Removes containers in the background: a removal takes a third of a second, and an engine that is away cannot do it now."""

import math
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial

from docker import DockerClient

from sandboxes.engine import sweep
from sandboxes.engine.retry import LONGEST_PAUSE_SECONDS
from sandboxes.interface import SandboxError

THREADS = 2
CLOSING_SECONDS = 5.0
"""How long `close` still tries to remove what is left."""


class Remover:
    """Tries each removal until the container is gone: otherwise it would stay as long as this process. Thread-safe."""

    def __init__(self, client: DockerClient) -> None:
        self._client = client
        self._closing = threading.Event()
        self._deadline = math.inf
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="assay-remove")

    def remove(self, container: str) -> "Future[None]":
        """Kill and remove a container, by its id; one that does not exist is not an error. Done when it is gone."""
        return self._begin(partial(sweep.remove, self._client, container))

    def remove_marked(self, mark: str) -> "Future[None]":
        """Kill and remove the container with this mark (`sweep.labels`), for a caller that does not know its id."""
        return self._begin(partial(sweep.remove_marked, self._client, mark))

    def close(self) -> None:
        """Wait until all are gone, but not for long. What still stays is swept away by the next start of Assay."""
        self._deadline = time.monotonic() + CLOSING_SECONDS
        self._closing.set()
        self._threads.shutdown()

    def _begin(self, remove: Callable[[], None]) -> "Future[None]":
        gone: Future[None] = Future()
        try:
            self._threads.submit(self._try, remove, gone, 0.1)
        except RuntimeError:  # after `close`
            self._try(remove, gone, 0.1)
        return gone

    def _try(self, remove: Callable[[], None], gone: "Future[None]", pause: float) -> None:
        """Try once. After a failure, queue it behind all others, so that a stuck container keeps no other waiting."""
        is_last = True
        try:
            while not self._is_done(remove):
                if self._closing.wait(pause):
                    time.sleep(CLOSING_SECONDS / 20)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
                with suppress(RuntimeError):  # while it closes, none comes after it
                    self._threads.submit(self._try, remove, gone, pause)
                    is_last = False
                    return
        finally:
            if is_last:
                gone.set_result(None)

    def _is_done(self, remove: Callable[[], None]) -> bool:
        """Try once. Return True if it is gone or is given up."""
        try:
            remove()
        except SandboxError:
            return time.monotonic() > self._deadline
        return True
