"""Takes jobs and finishes runs. Threads suffice, because evaluating is waiting for evaluators (service/evaluation/pool.py).

A job is leased, evaluated and finished, while one keeper thread renews all leases that this process holds. After a failure of
ours the job returns to the queue for another attempt; after the last one the run is finished as ungradable, with the reason.
While the database refuses writes, they wait, and the lease is kept as long as possible. If a worker is killed, its lease runs
out and the job is delivered again. A thread that ends or does not give a sign of life is replaced by the keeper, and its
lease is no longer renewed.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol, TypeVar

import structlog

from graders.interface import TaskUnusable
from graders.plugins.fence import told
from sandboxes.interface import SandboxError
from service.faults import crash_point
from service.jobs.interface import LEASE_SECONDS, MAX_ATTEMPTS, Jobs, Lease
from service.runs import diagnostics
from service.storage.interface import RunRecord, RunResult, StorageError, UnavailableError
from service.storage.storage import Storage

Written = TypeVar("Written")
_log = structlog.get_logger()

IDLE_SECONDS = 0.5
"""Seconds that an idle worker waits before it looks again, unless it is woken."""
RETRY_SECONDS = 1.0
"""Seconds before the second attempt. Each further one waits twice as long, up to LONGEST_RETRY_SECONDS.

Boxes fail together and for a while: an engine restarts, a disk is full. The attempts of a run must outlast that. With
these numbers the last one is two minutes after the first, and more if an attempt itself waits.
"""
LONGEST_RETRY_SECONDS = 60.0
UNAVAILABLE_SECONDS = 1.0
"""Before something is written again that the database did not take."""
OTHER_ATTEMPTS = 3
"""Attempts of a run that fails outside the box because of a bug of ours: that does not go away.

An unusable task gets one attempt. A reference that fails now and then grades by chance, so waiting for a pass gains nothing,
and one that hangs would hold a worker each time (`service.evaluation.task_cache` remembers it).
"""


SILENT_SECONDS = 600.0
"""Seconds that a thread may work without a sign of life. Evaluators announce their own silences."""
KEEPER_SECONDS = 1.0
"""How often the keeper looks whether all threads are alive."""
REMEMBERED_SECONDS = 120.0
"""How long what went wrong is a reason to call the service not ready: longer than the longest pause between attempts."""
TELLING_FAILURES = 3
"""Attempts, of more than one run, that must fail in a row before they count as a fault of the service."""


class Evaluate(Protocol):
    """The worker's way to evaluate a run; `service.evaluation.pool.Evaluators` is the real one."""

    def __call__(self, run: RunRecord) -> RunResult:
        """Return the run's result. Raises any failure of ours."""
        ...

    def ungradable(self, diagnostics: Mapping[str, str]) -> RunResult:
        """Return the result of a run whose last attempt failed."""
        ...


class _Worker(threading.Thread):
    """A thread of the pool, and until when it may be silent."""

    def __init__(self, pool: "WorkerPool", name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._pool = pool
        self.lease: Lease | None = None
        self.silent_until = 0.0
        """By the monotonic clock."""
        self.may_be_silent(SILENT_SECONDS)

    def may_be_silent(self, seconds: float) -> None:
        self.silent_until = time.monotonic() + seconds

    def run(self) -> None:
        try:
            self._pool.work(self)
        except BaseException as error:  # noqa: BLE001 - the keeper replaces the thread
            # Of some, such as SystemExit, a thread would end without a word.
            _log.exception("worker died", action="work", worker=self.name, reason=told(error))
            self._pool.died(told(error))

    @property
    def has_ended(self) -> bool:
        return self.ident is not None and not self.is_alive()

    @property
    def hangs(self) -> bool:
        return time.monotonic() > self.silent_until


def sign_of_life(silent_for: float) -> None:
    """Note that the evaluation in this worker thread goes on and may be silent for this number of seconds."""
    thread = threading.current_thread()
    if isinstance(thread, _Worker):
        thread.may_be_silent(silent_for + SILENT_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempted:
    """The end of an attempt; `failure` is empty unless something of ours failed."""

    at: float
    run: str
    failure: str


class WorkerPool:
    """`size` worker threads and one keeper thread, from `start` to `stop`."""

    def __init__(self, *, storage: Storage, jobs: Jobs, evaluate: Evaluate, size: int, name: str) -> None:
        self._storage = storage
        self._jobs = jobs
        self._evaluate = evaluate
        self._name = name
        self._stopping = threading.Event()
        self._woken = threading.Condition()
        self._workers = [_Worker(self, f"{name}-{number}") for number in range(size)]
        self._replaced = 0
        self._attempted: deque[_Attempted] = deque(maxlen=max(TELLING_FAILURES, 2 * size))
        self._deaths: deque[tuple[float, str]] = deque(maxlen=TELLING_FAILURES)
        self._keeper = threading.Thread(target=self._keep, name=f"{name}-keeper", daemon=True)

    def start(self) -> None:
        for thread in (self._keeper, *self._workers):
            thread.start()

    def wake(self) -> None:
        """Wake idle workers, because a job has arrived."""
        with self._woken:
            self._woken.notify_all()

    def stop(self, *, drain_seconds: float) -> bool:
        """Take no more jobs and wait for those under way. Returns False if some were still running after that time."""
        self._stopping.set()
        self.wake()
        deadline = time.monotonic() + drain_seconds
        for worker in self._workers:
            worker.join(max(0.0, deadline - time.monotonic()))
        return not any(worker.is_alive() for worker in self._workers)

    def missing(self) -> Sequence[str]:
        """Return the present faults of the workers, or those of their last attempts, in words for an operator."""
        if self._stopping.is_set():
            return ("the service is stopping",)
        says = []
        dead = sum(worker.has_ended for worker in self._workers)
        if dead:
            says.append(f"{dead} of {len(self._workers)} workers died and are not replaced yet")
        hanging = sum(worker.is_alive() and worker.hangs for worker in self._workers)
        if hanging:
            says.append(f"{hanging} of {len(self._workers)} workers give no sign of life")
        if not self._keeper.is_alive():
            says.append("the thread that renews leases and replaces workers died")
        since = time.monotonic() - REMEMBERED_SECONDS
        deaths = list(self._deaths)
        if len(deaths) == TELLING_FAILURES and deaths[0][0] > since:
            says.append(f"workers die again and again; the last one of: {deaths[-1][1]}")
        last = [each for each in list(self._attempted) if each.at > since]
        failed = len(last) >= TELLING_FAILURES and all(each.failure for each in last)
        if failed and len({each.run for each in last}) > 1:
            says.append(f"the last {len(last)} attempts to evaluate a run failed; the last one: {last[-1].failure}")
        return says

    # --- a worker ---------------------------------------------------------------------------------------------------------

    def work(self, worker: _Worker) -> None:
        """Run a worker's thread until it is stopped or replaced."""
        while not self._stopping.is_set() and worker in self._workers:
            worker.may_be_silent(SILENT_SECONDS)
            try:
                lease = self._jobs.lease(worker.name, datetime.now(UTC))
                if lease is None:
                    with self._woken:
                        self._woken.wait(IDLE_SECONDS)
                    continue
                worker.lease = lease
                try:
                    self._attempt(lease)
                finally:
                    worker.lease = None
            except UnavailableError as error:
                _log.warning("storage unavailable", action="lease", reason=str(error))
                self._stopping.wait(UNAVAILABLE_SECONDS)
            except StorageError:  # the job fence: nothing was written, the lease will run out
                _log.exception("storage failed", action="lease")
                self._stopping.wait(RETRY_SECONDS)

    def died(self, reason: str) -> None:
        """Note that the calling thread ends now."""
        self._deaths.append((time.monotonic(), reason))

    def _attempt(self, lease: Lease) -> None:
        """Evaluate and finish. The job fence: every exception is our failure, and another attempt may succeed."""
        crash_point("after-lease")
        failure = ""
        try:
            self._finish(lease, self._findings(lease))
        except StorageError as error:
            failure = told(error)
            raise
        except BaseException as error:  # noqa: BLE001 - also what ends a thread without a word
            failure = told(error)
            findings = self._failed(lease, error)
            if findings is not None:
                self._finish(lease, findings)
            if isinstance(error, TaskUnusable):
                failure = ""  # The task is at fault, not this service.
        finally:
            self._attempted.append(_Attempted(at=time.monotonic(), run=lease.run_id, failure=failure))

    def _findings(self, lease: Lease) -> RunResult:
        if lease.attempt > MAX_ATTEMPTS:
            # Each delivery before this one ended without a word: the worker died with it every time.
            lost = {"message": f"delivered {MAX_ATTEMPTS} times, and no worker survived it"}
            return self._evaluate.ungradable(diagnostics.referred(lease.run_id, lost))
        self._written(lambda: self._storage.runs.start(lease.run_id, lease.attempt))
        return self._evaluate(self._storage.runs.get(lease.run_id))

    def _finish(self, lease: Lease, findings: RunResult) -> None:
        crash_point("before-finish")
        if self._written(lambda: self._storage.runs.finish(lease.run_id, lease.attempt, findings, datetime.now(UTC))):
            crash_point("after-finish")
        else:
            _log.warning("finish came too late", action="finish", run=lease.run_id, attempt=lease.attempt)

    def _failed(self, lease: Lease, error: BaseException) -> RunResult | None:
        """Return the result to finish the run with; None if the job was returned for another attempt."""
        known = diagnostics.of_failure(lease.run_id, error)
        _log.warning("attempt failed", action="evaluate", run=lease.run_id, attempt=lease.attempt, **known)
        if self._stopping.is_set():  # its evaluator was ended with the service
            self._written(lambda: self._jobs.release(lease, datetime.now(UTC), retry_in_seconds=0))
            return None
        if lease.attempt >= _attempts(error):
            return self._evaluate.ungradable(known)
        pause = min(RETRY_SECONDS * 2 ** (lease.attempt - 1), LONGEST_RETRY_SECONDS)
        self._written(lambda: self._jobs.release(lease, datetime.now(UTC), retry_in_seconds=pause))
        return None

    def _written(self, write: Callable[[], Written]) -> Written:
        """Write under a lease, again and again while the database takes nothing: an attempt that is done is not thrown away.

        Who lost the lease meanwhile changes nothing. Raises UnavailableError only while the service stops.
        """
        while True:
            try:
                return write()
            except UnavailableError as error:
                _log.warning("storage unavailable", action="write", reason=str(error))
                if self._stopping.is_set():
                    raise
                sign_of_life(0)
                self._stopping.wait(UNAVAILABLE_SECONDS)

    # --- the keeper -------------------------------------------------------------------------------------------------------

    def _keep(self) -> None:
        renewed = time.monotonic()
        while not self._stopping.wait(KEEPER_SECONDS) or any(worker.is_alive() for worker in self._workers):
            if self._stopping.is_set():
                time.sleep(KEEPER_SECONDS)
            try:
                self._replace()
                if time.monotonic() - renewed > LEASE_SECONDS / 4:
                    renewed = time.monotonic()
                    self._renew_all()
            except Exception:  # noqa: BLE001 - it has other leases to renew
                _log.exception("the keeper of the workers failed", action="keep")

    def _replace(self) -> None:
        """Replace each thread that has ended or hangs. One that hangs loses its lease, and ends if it ever returns."""
        if self._stopping.is_set():
            return
        for at, worker in enumerate(self._workers):
            if not worker.has_ended and not worker.hangs:
                continue
            if not worker.has_ended:
                run = worker.lease.run_id if worker.lease else ""
                _log.error("worker hangs", action="replace", worker=worker.name, run=run)
                self.died("it gave no sign of life")
            self._replaced += 1
            self._workers[at] = _Worker(self, f"{self._name}-{at}.{self._replaced}")
            self._workers[at].start()
            _log.warning("worker replaced", action="replace", worker=worker.name, by=self._workers[at].name)

    def _renew_all(self) -> None:
        for worker in list(self._workers):
            lease = worker.lease
            if lease is None:
                continue
            try:
                # not held any more: its run was finished, or given back, since
                if not self._jobs.renew(lease, datetime.now(UTC)) and worker.lease is lease:
                    _log.warning("lease lost", action="renew", run=lease.run_id, attempt=lease.attempt)
            except UnavailableError as error:
                _log.warning("storage unavailable", action="renew", run=lease.run_id, reason=str(error))
            except StorageError:
                _log.exception("storage failed", action="renew", run=lease.run_id)


def _attempts(error: BaseException) -> int:
    """Return how often a run that fails like this is tried."""
    if isinstance(error, TaskUnusable):
        return 1
    return MAX_ATTEMPTS if isinstance(error, SandboxError) else OTHER_ATTEMPTS
