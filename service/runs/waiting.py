"""Waiting for runs to finish, for hundreds of requests at once.

One asyncio task polls the storage for all of them together, so that a waiting request does not hold a thread, and any
process's worker may finish the run. The task exists only while a request waits.
"""

import asyncio
import time

from starlette.concurrency import run_in_threadpool

from service.storage.interface import RunId, StorageError
from service.storage.storage import Storage

POLL_SECONDS = 0.05
POLL_SHARE = 0.2
"""Most of one thread's time that polling takes: with thousands of runs the pauses get longer."""
MOST_WAITING = 2000
"""Requests. Above that an answer comes at once: each holds a connection."""


class FinishedRuns:
    """Belongs to one event loop."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage
        self._waiting: dict[RunId, list[asyncio.Future[None]]] = {}
        self._polling: asyncio.Task[None] | None = None

    async def wait(self, run_id: RunId, seconds: float) -> None:
        """Wait for the run's end or for `seconds`; not at all if too many wait. Raises StorageError."""
        if sum(map(len, self._waiting.values())) >= MOST_WAITING:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(run_id, []).append(future)
        if self._polling is None or self._polling.done():
            self._polling = asyncio.create_task(self._poll())
        try:
            await asyncio.wait_for(future, seconds)
        except TimeoutError:
            pass
        finally:
            self._forget(run_id, future)

    async def _poll(self) -> None:
        while self._waiting:
            began = time.monotonic()
            try:
                done = await run_in_threadpool(self._storage.runs.done, tuple(self._waiting))
            except StorageError as error:
                for future in [future for futures in self._waiting.values() for future in futures]:
                    if not future.done():
                        future.set_exception(error)
                return
            for run_id in done:
                for future in self._waiting.get(run_id, ()):
                    if not future.done():
                        future.set_result(None)
            await asyncio.sleep(max(POLL_SECONDS, (time.monotonic() - began) / POLL_SHARE))

    def _forget(self, run_id: RunId, future: asyncio.Future[None]) -> None:
        futures = self._waiting[run_id]
        futures.remove(future)
        if not futures:
            del self._waiting[run_id]
