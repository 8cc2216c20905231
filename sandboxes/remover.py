"""Has containers removed in the background: it takes a third of a second, and an engine that is away cannot do it now."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

from docker import DockerClient

from sandboxes.interface import SandboxError
from sandboxes.patience import LONGEST_PAUSE_SECONDS
from sandboxes.sweep import remove

THREADS = 2


class Remover:
    """Thread-safe. What is handed to it is tried until it is gone: otherwise it would stay as long as this process."""

    def __init__(self, client: DockerClient) -> None:
        self._client = client
        self._closing = threading.Event()
        self._threads = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="assay-remove")

    def remove(self, container: str) -> "Future[None]":
        """Kill and remove a container, by id or name; one that does not exist is no error. Done when it is gone."""
        try:
            return self._threads.submit(self._remove, container)
        except RuntimeError:  # after `close`
            self._remove(container)
            gone: Future[None] = Future()
            gone.set_result(None)
            return gone

    def close(self) -> None:
        """Try each that is left once more and wait for it. What still stays is swept away by the next start of Assay."""
        self._closing.set()
        self._threads.shutdown()

    def _remove(self, container: str) -> None:
        pause = 0.1
        while True:
            last = self._closing.is_set()
            try:
                remove(self._client, container)
            except SandboxError:
                if last:
                    return
                self._closing.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            else:
                return
