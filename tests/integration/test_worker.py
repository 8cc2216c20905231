"""The worker pool on a real queue: our failures are retried, then reported; they never become a grade."""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime

import pytest
from structlog.testing import capture_logs

from graders.interface import TaskUnusable
from sandboxes.interface import SandboxError
from service.jobs.interface import MAX_ATTEMPTS
from service.jobs.table import TableJobs
from service.runs import worker
from service.runs.worker import OTHER_ATTEMPTS, WorkerPool
from service.storage.interface import RunId, RunOutcome, RunRecord, RunResult
from service.storage.storage import Storage
from tests.integration import stored


class FakeEvaluation:
    """An evaluation that acts as the test states, by run and attempt, and counts."""

    def __init__(self, act: Callable[[RunRecord], RunResult]) -> None:
        self.act = act
        self.calls: list[tuple[RunId, int]] = []

    def __call__(self, run: RunRecord) -> RunResult:
        self.calls.append((run.id, run.attempt))
        return self.act(run)

    def ungradable(self, diagnostics: Mapping[str, str]) -> RunResult:
        return replace(
            stored.findings(), outcome=RunOutcome.UNGRADABLE, diagnostics=dict(diagnostics), signals=(), prefills=()
        )


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "RETRY_SECONDS", 0.01)


@pytest.fixture
def start(storage: Storage, jobs: TableJobs) -> Iterator[Callable[..., WorkerPool]]:
    pools: list[WorkerPool] = []

    def start_pool(evaluate: FakeEvaluation, size: int = 2) -> WorkerPool:
        pool = WorkerPool(storage=storage, jobs=jobs, evaluate=evaluate, size=size, name="test")
        pools.append(pool)
        pool.start()
        return pool

    yield start_pool
    for pool in pools:
        assert pool.stop(drain_seconds=20)


def finished(storage: Storage, ids: list[RunId]) -> list[RunRecord]:
    """Waits until all are done: by the state that users see, with a limit that no healthy run comes near."""
    deadline = time.monotonic() + 60
    while len(storage.runs.done(ids)) < len(ids):
        assert time.monotonic() < deadline, storage.runs.counts()
        threading.Event().wait(0.02)
    return [storage.runs.get(id) for id in ids]


def test_every_accepted_run_is_finished(storage: Storage, start) -> None:
    ids = stored.accept(storage, 20)
    evaluate = FakeEvaluation(lambda run: stored.findings())
    start(evaluate)
    assert all(run.findings and run.findings.outcome is RunOutcome.FAILED for run in finished(storage, ids))
    assert sorted(id for id, _ in evaluate.calls) == sorted(ids)


@pytest.mark.parametrize(
    ("error", "most"),
    [(SandboxError("engine gone", container="abc"), MAX_ATTEMPTS), (RuntimeError("a bug of ours"), OTHER_ATTEMPTS)],
    ids=["sandbox", "bug"],
)
def test_a_failure_of_ours_is_retried(storage: Storage, start, error: Exception, most: int) -> None:
    def act(run: RunRecord) -> RunResult:
        if run.attempt < most:
            raise error
        return stored.findings()

    ids = stored.accept(storage, 1)
    start(FakeEvaluation(act))
    [run] = finished(storage, ids)
    assert run.findings is not None and run.findings.outcome is RunOutcome.FAILED
    assert run.attempt == most


def test_an_unusable_task_is_told_at_the_first_attempt(storage: Storage, start) -> None:
    def act(run: RunRecord) -> RunResult:
        raise TaskUnusable("its reference is wrong")

    evaluate = FakeEvaluation(act)
    start(evaluate)
    [run] = finished(storage, stored.accept(storage, 1))
    assert run.findings is not None and run.findings.diagnostics["message"] == "its reference is wrong"
    assert len(evaluate.calls) == 1


def test_attempts_are_further_and_further_apart(storage: Storage, start) -> None:
    """Or a storm of failures that takes a minute would use all of them up."""
    times: list[float] = []

    def act(run: RunRecord) -> RunResult:
        times.append(time.monotonic())
        raise SandboxError("engine gone")

    ids = stored.accept(storage, 1)
    start(FakeEvaluation(act), size=1)
    finished(storage, ids)
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert len(pauses) == MAX_ATTEMPTS - 1
    assert all(pause >= worker.RETRY_SECONDS * 2**number for number, pause in enumerate(pauses))


def test_after_the_last_attempt_the_run_is_ungradable_with_the_reason(storage: Storage, start) -> None:
    def act(run: RunRecord) -> RunResult:
        raise SandboxError("no space left", container="abc")

    evaluate = FakeEvaluation(act)
    ids = stored.accept(storage, 3)
    start(evaluate)
    for run in finished(storage, ids):
        assert run.findings is not None and run.findings.outcome is RunOutcome.UNGRADABLE
        assert run.findings.diagnostics["message"] == "no space left" and run.findings.diagnostics["container"] == "abc"
        assert not run.findings.prefills
    assert len(evaluate.calls) == 3 * MAX_ATTEMPTS


def test_a_job_that_no_worker_survives_is_stopped(storage: Storage, jobs: TableJobs, start, clock) -> None:
    """Dying workers leave no message; the delivery after the last attempt reports that instead of dying as well."""
    [id] = stored.accept(storage, 1)
    for _ in range(MAX_ATTEMPTS):
        assert jobs.lease("a worker that dies", clock.advance(minutes=1)) is not None
    evaluate = FakeEvaluation(lambda run: stored.findings())
    start(evaluate)
    [run] = finished(storage, [id])
    assert run.findings is not None and run.findings.outcome is RunOutcome.UNGRADABLE
    assert "no worker survived" in run.findings.diagnostics["message"] and not evaluate.calls


def test_stopping_finishes_what_is_under_way(storage: Storage, jobs: TableJobs, start) -> None:
    under_way, go_on = threading.Event(), threading.Event()

    def act(run: RunRecord) -> RunResult:
        under_way.set()
        assert go_on.wait(60)
        return stored.findings()

    ids = stored.accept(storage, 2)
    pool = start(FakeEvaluation(act), size=1)
    assert under_way.wait(60)
    stopper = threading.Thread(target=pool.stop, kwargs={"drain_seconds": 20})
    stopper.start()
    go_on.set()
    stopper.join()
    assert len(storage.runs.done(ids)) == 1


# --- the ends of a thread, and their reports --------------------------------------------------------------------------


def replaced(pool: WorkerPool, what: str) -> list[str]:
    """Wait until the pool has reported it, and then until all is well again; return its reports."""
    said: list[str] = []
    deadline = time.monotonic() + 60
    while not any(what in line for line in said) or pool.missing():
        assert time.monotonic() < deadline, said
        said += pool.missing()
        threading.Event().wait(0.005)
    return said


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit(), TypeError("no JSON")])
def test_no_exception_of_an_evaluation_ends_a_worker(storage: Storage, start, error: BaseException) -> None:
    def act(run: RunRecord) -> RunResult:
        if run.id == ids[0]:
            raise error
        return stored.findings()

    ids = stored.accept(storage, 6)
    pool = start(FakeEvaluation(act))
    first, *others = finished(storage, ids)
    assert first.findings is not None and first.findings.outcome is RunOutcome.UNGRADABLE
    assert first.findings.diagnostics["kind"] == type(error).__name__
    assert all(run.findings and run.findings.outcome is RunOutcome.FAILED and run.attempt == 1 for run in others)
    assert not pool.missing()


def test_findings_that_cannot_be_stored_are_a_failed_attempt(storage: Storage, start) -> None:
    def act(run: RunRecord) -> RunResult:
        message = object() if run.id == ids[0] else "text"
        return replace(stored.findings(), signals=(replace(stored.FLAG, message=message),))

    ids = stored.accept(storage, 3)
    evaluate = FakeEvaluation(act)
    start(evaluate)
    first, *others = finished(storage, ids)
    assert first.findings is not None and first.findings.outcome is RunOutcome.UNGRADABLE
    assert "not JSON serializable" in first.findings.diagnostics["message"]
    assert [id for id, _ in evaluate.calls].count(ids[0]) == OTHER_ATTEMPTS
    assert all(run.findings and run.findings.outcome is RunOutcome.FAILED for run in others)


class FailingJobs:
    """The jobs, of which the first `lease` of a thread named so raises what no worker expects."""

    def __init__(self, jobs: TableJobs, error: BaseException, times: int) -> None:
        self._jobs = jobs
        self._error = error
        self._times = times

    def __getattr__(self, name: str) -> object:
        return getattr(self._jobs, name)

    def lease(self, worker: str, now: datetime) -> object:
        if self._times:
            self._times -= 1
            raise self._error
        return self._jobs.lease(worker, now)


@pytest.mark.parametrize("error", [SystemExit(1), TypeError("a bug of ours")])
def test_a_worker_that_dies_is_replaced_and_said(
    storage: Storage,
    jobs: TableJobs,
    error: BaseException,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker, "KEEPER_SECONDS", 3.0)  # long enough for it to be seen meanwhile
    ids = stored.accept(storage, 4)
    evaluate = FakeEvaluation(lambda run: stored.findings())
    failing = FailingJobs(jobs, error, times=2)
    pool = WorkerPool(storage=storage, jobs=failing, evaluate=evaluate, size=2, name="test")  # type: ignore[arg-type]
    with capture_logs() as logs:
        pool.start()
        try:
            said = replaced(pool, "workers died and are not replaced yet")
            assert said
            finished(storage, ids)
        finally:
            assert pool.stop(drain_seconds=20)
    assert {"worker died", "worker replaced"} <= {line["event"] for line in logs}


def test_workers_that_die_again_and_again_are_said_for_a_while(storage: Storage, jobs: TableJobs) -> None:
    failing = FailingJobs(jobs, TypeError("a bug of ours"), times=4)
    evaluate = FakeEvaluation(lambda run: stored.findings())
    pool = WorkerPool(storage=storage, jobs=failing, evaluate=evaluate, size=1, name="test")  # type: ignore[arg-type]
    pool.start()
    try:
        finished(storage, stored.accept(storage, 1))
        assert [line for line in pool.missing() if "again and again; the last one of: TypeError: a bug" in line]
    finally:
        assert pool.stop(drain_seconds=20)


def test_a_worker_that_hangs_is_replaced_and_its_run_delivered_again(
    storage: Storage, start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "SILENT_SECONDS", 1.0)
    monkeypatch.setattr(worker, "KEEPER_SECONDS", 3.0)  # long enough for it to be seen meanwhile
    go_on = threading.Event()

    def act(run: RunRecord) -> RunResult:
        if run.attempt == 1 and run.id == ids[0]:
            assert go_on.wait(60)
        return stored.findings()

    ids = stored.accept(storage, 3)
    pool = start(FakeEvaluation(act), size=1)
    replaced(pool, "workers give no sign of life")
    runs = finished(storage, ids)
    assert [run.attempt for run in runs] == [2, 1, 1]
    go_on.set()  # it comes back, too late, and changes nothing
    threading.Event().wait(0.5)
    assert storage.runs.get(ids[0]).attempt == 2


def test_who_gives_signs_of_life_is_not_replaced(storage: Storage, start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SILENT_SECONDS", 1.0)

    def act(run: RunRecord) -> RunResult:
        worker.sign_of_life(60)
        threading.Event().wait(3)
        return stored.findings()

    [run] = finished(storage, stored.accept(storage, 1)) if start(FakeEvaluation(act), size=1) else []
    assert run.attempt == 1


def test_what_the_workers_did_last_is_said(storage: Storage, start) -> None:
    """Only failures of ours, of more than one run, count: a broken task is not a fault of the service."""
    errors: list[Exception] = [TaskUnusable("its reference is wrong")]

    def act(run: RunRecord) -> RunResult:
        if errors:
            raise errors[0]
        return stored.findings()

    pool = start(FakeEvaluation(act))
    finished(storage, stored.accept(storage, 2))
    assert not pool.missing()
    errors[:] = [SandboxError("no space left on device")]
    storage.runs.accept([stored.record(number + 10) for number in range(2)], ["", ""], ["", ""])
    deadline = time.monotonic() + 60
    while not any("failed; the last one: SandboxError: no space left on device" in line for line in pool.missing()):
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)
    errors.clear()
    finished(storage, list(storage.runs.accept([stored.record(20)], [""], [""])))
    assert not pool.missing()
