"""Takes jobs and finishes runs. Threads, because evaluating is mostly waiting for boxes.

A job's life here: lease -> evaluate -> finish, while one heartbeat thread renews all leases that this process holds. Any
failure of ours gives the job back for another attempt; after the last one the run is finished as ungradable, with the
reason. A worker that is killed does nothing of this: its lease runs out, and the job is delivered again.
"""

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

import structlog

from graders.interface import TaskUnusable
from sandboxes.interface import SandboxError
from service import diagnostics
from service.faults import crash_point
from service.jobs.interface import LEASE_SECONDS, MAX_ATTEMPTS, Jobs, Lease
from service.storage.interface import Findings, RunRecord, Storage, StorageError

_log = structlog.get_logger()

IDLE_SECONDS = 0.5
"""How long an idle worker waits before it looks again, if nobody wakes it."""
RETRY_SECONDS = 1.0
"""Before the second attempt; each further one waits twice as long as the one before, up to LONGEST_RETRY_SECONDS.

Boxes fail together and for a while: an engine that restarts, a disk that is full. All attempts of a run must not be over
before that is; with these numbers the last one is two minutes after the first, and more where an attempt waits by itself.
"""
LONGEST_RETRY_SECONDS = 60.0
OTHER_ATTEMPTS = 3
"""Of a run that fails elsewhere than in the box, because we have a bug: that does not pass.

Where its task is unusable there is one: a reference that fails now and then grades by chance, so nothing is gained by waiting
for the time at which it passes, and one that hangs would hold a worker each time (`service.memory` remembers it).
"""


class Evaluate(Protocol):
    """What the worker does with a run; `service.evaluation.Evaluation` is the real one."""

    def __call__(self, run: RunRecord) -> Findings:
        """Raises whatever went wrong on our side."""
        ...

    def ungradable(self, diagnostics: Mapping[str, str]) -> Findings:
        """The findings of a run that has had its last attempt."""
        ...


class WorkerPool:
    """`size` worker threads and one heartbeat thread, from `start` to `stop`."""

    def __init__(self, *, storage: Storage, jobs: Jobs, evaluate: Evaluate, size: int, name: str) -> None:
        self._storage = storage
        self._jobs = jobs
        self._evaluate = evaluate
        self._stopping = threading.Event()
        self._woken = threading.Condition()
        self._held: set[Lease] = set()
        self._held_lock = threading.Lock()
        self._workers = [
            threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True) for number in range(size)
        ]
        self._heartbeat = threading.Thread(target=self._renew_all, name=f"{name}-heartbeat", daemon=True)

    def start(self) -> None:
        for thread in (self._heartbeat, *self._workers):
            thread.start()

    def wake(self) -> None:
        """There is work: saves idle workers their wait."""
        with self._woken:
            self._woken.notify_all()

    def stop(self, *, drain_seconds: float) -> bool:
        """Take no more jobs and wait for those under way. False where some were still running after that time."""
        self._stopping.set()
        self.wake()
        deadline = time.monotonic() + drain_seconds
        for worker in self._workers:
            worker.join(max(0.0, deadline - time.monotonic()))
        return not any(worker.is_alive() for worker in self._workers)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                lease = self._jobs.lease(threading.current_thread().name, datetime.now(UTC))
                if lease is None:
                    with self._woken:
                        self._woken.wait(IDLE_SECONDS)
                    continue
                self._attempt(lease)
            except StorageError:  # the job fence: nothing was written, the lease will run out
                _log.exception("storage failed", action="lease")
                self._stopping.wait(RETRY_SECONDS)

    def _attempt(self, lease: Lease) -> None:
        with self._held_lock:
            self._held.add(lease)
        try:
            crash_point("after-lease")
            findings = self._findings(lease)
            if findings is None:
                return
            crash_point("before-finish")
            if self._storage.finish_run(lease.run_id, lease.attempt, findings, datetime.now(UTC)):
                crash_point("after-finish")
            else:
                _log.warning("finish came too late", action="finish", run=lease.run_id, attempt=lease.attempt)
        finally:
            with self._held_lock:
                self._held.discard(lease)

    def _findings(self, lease: Lease) -> Findings | None:
        """What to finish the run with; None where the job was given back for another attempt."""
        if lease.attempt > MAX_ATTEMPTS:
            # Each delivery before this one ended without a word: the worker died with it every time.
            lost = {"message": f"delivered {MAX_ATTEMPTS} times, and no worker survived it"}
            return self._evaluate.ungradable(diagnostics.referred(lease.run_id, lost))
        self._storage.start_run(lease.run_id, lease.attempt)
        try:
            return self._evaluate(self._storage.run(lease.run_id))
        except StorageError:
            raise
        except Exception as error:  # noqa: BLE001
            # The job fence: whatever it was, it is ours, and another attempt may do better.
            known = diagnostics.of_failure(lease.run_id, error)
            _log.warning("attempt failed", action="evaluate", run=lease.run_id, attempt=lease.attempt, **known)
            if lease.attempt >= _attempts(error):
                return self._evaluate.ungradable(known)
            pause = min(RETRY_SECONDS * 2 ** (lease.attempt - 1), LONGEST_RETRY_SECONDS)
            self._jobs.release(lease, datetime.now(UTC), retry_in_seconds=pause)
            return None

    def _renew_all(self) -> None:
        while not self._stopping.wait(LEASE_SECONDS / 4) or any(worker.is_alive() for worker in self._workers):
            with self._held_lock:
                held = list(self._held)
            for lease in held:
                try:
                    # not held any more: its run was finished, or given back, since the list was made
                    if not self._jobs.renew(lease, datetime.now(UTC)) and lease in self._held:
                        _log.warning("lease lost", action="renew", run=lease.run_id, attempt=lease.attempt)
                except StorageError:
                    _log.exception("storage failed", action="renew", run=lease.run_id)


def _attempts(error: Exception) -> int:
    """How often a run is tried that fails like this."""
    if isinstance(error, TaskUnusable):
        return 1
    return MAX_ATTEMPTS if isinstance(error, SandboxError) else OTHER_ATTEMPTS
