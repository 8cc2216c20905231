"""Any interleaving of workers, deaths and clock jumps: every accepted run ends once, by the one who holds its lease, and people are served in turn."""

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, multiple, rule

from graders.interface import Submission, SubmissionId, TaskId
from service.jobs.interface import LEASE_SECONDS, Lease
from service.jobs.table import TableJobs
from service.storage.interface import RunId, RunOutcome, RunResult, RunState, SubmissionRecord, TaskRecord
from tests.databases import storage_in

START = datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC)


def findings_of(attempt: int) -> RunResult:
    return RunResult(
        outcome=RunOutcome.PASSED,
        signals=(),
        prefills=(),
        rubric_id="r",
        rubric_version="1",
        grader_versions={},
        sandbox=f"attempt {attempt}",
        ends={},
        diagnostics={},
    )


class Jobs(RuleBasedStateMachine):
    """The model: of each run, whose it is, the last attempt delivered, whether it is held now, and which attempt finished it.

    A worker is nothing but a lease that it remembers; it dies by being forgotten, and freezes by acting late.
    """

    leases: Bundle[Lease] = Bundle("leases")

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.storage = storage_in(Path(self.folder.name))
        self.jobs = TableJobs(self.storage.database)
        self.now = START
        self.attempts: dict[RunId, int] = {}
        self.whose: dict[RunId, str] = {}
        self.turns: list[str] = []
        """To whom each lease went."""
        self.held: set[RunId] = set()
        self.finished: dict[RunId, int] = {}
        task = TaskRecord(id=TaskId("t"), version="1", title="", files={}, created_at=START)
        self.storage.tasks.add(task)

    def teardown(self) -> None:
        try:
            self.all_can_be_finished()
        finally:
            self.storage.close()
            self.folder.cleanup()

    @rule(count=st.integers(1, 3), submitter=st.sampled_from(["", "ann", "ben"]))
    def accept(self, count: int, submitter: str) -> None:
        first = len(self.attempts)
        records = [
            SubmissionRecord(
                submission=Submission(id=SubmissionId(f"s{first + number}"), task_id=TaskId("t"), files={}),
                task_version="1",
                client_id="",
                tag="",
                created_at=self.now,
                submitter=submitter,
            )
            for number in range(count)
        ]
        for id in self.storage.runs.accept(records, [""] * count, [""] * count):
            self.attempts[id] = 0
            self.whose[id] = submitter

    @rule(target=leases)
    def lease(self) -> object:
        lease = self.jobs.lease("worker", self.now)
        if lease is None:
            return multiple()
        assert lease.run_id not in self.finished
        assert lease.attempt == self.attempts[lease.run_id] + 1
        self.attempts[lease.run_id] = lease.attempt
        self.held.add(lease.run_id)
        self.turns.append(self.whose[lease.run_id])
        return lease

    @rule(lease=leases)
    def renew(self, lease: Lease) -> None:
        assert self.jobs.renew(lease, self.now) == self.holds(lease)

    @rule(lease=leases, seconds=st.floats(0, 60))
    def release(self, lease: Lease, seconds: float) -> None:
        self.jobs.release(lease, self.now, retry_in_seconds=seconds)
        if self.holds(lease):
            self.held.discard(lease.run_id)

    @rule(lease=leases)
    def finish(self, lease: Lease) -> None:
        stored = self.storage.runs.finish(lease.run_id, lease.attempt, findings_of(lease.attempt), self.now)
        assert stored == self.holds(lease)
        if stored:
            self.finished[lease.run_id] = lease.attempt
            self.held.discard(lease.run_id)

    @rule(lease=leases)
    def start(self, lease: Lease) -> None:
        self.storage.runs.start(lease.run_id, lease.attempt)

    @rule(lease=consumes(leases))
    def die(self, lease: Lease) -> None:
        """kill -9: the lease's holder no longer acts."""

    @rule(seconds=st.one_of(st.floats(0, 2 * LEASE_SECONDS), st.floats(-1e5, 1e5)))
    def clock_moves(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def service_restarts(self) -> None:
        self.storage.close()
        self.storage = storage_in(Path(self.folder.name))
        self.jobs = TableJobs(self.storage.database)

    @invariant()
    def what_is_finished_stays_as_its_holder_finished_it(self) -> None:
        page, _ = self.storage.runs.finished(tag=None, limit=1000)
        assert {run.id: run.findings and run.findings.sandbox for run in page} == {
            id: f"attempt {attempt}" for id, attempt in self.finished.items()
        }
        assert self.storage.runs.counts()[RunState.DONE] == len(self.finished)
        assert self.jobs.depth(self.now) == len(self.attempts) - len(self.finished)

    def all_can_be_finished(self) -> None:
        """However it went so far: one worker that lives comes to the end of everything, once each, for people in turn."""
        self.now += timedelta(days=3)
        while (lease := self.jobs.lease("survivor", self.now)) is not None:
            assert lease.attempt == self.attempts[lease.run_id] + 1  # a poison job's attempts keep counting
            assert self.storage.runs.finish(lease.run_id, lease.attempt, findings_of(lease.attempt), self.now)
            waiting = {self.whose[id] for id in self.attempts.keys() - self.finished.keys()}
            assert self.whose[lease.run_id] == min(waiting, key=self.last_turn)
            self.turns.append(self.whose[lease.run_id])
            self.finished[lease.run_id] = lease.attempt
        assert set(self.finished) == set(self.attempts)
        assert self.jobs.depth(self.now) == 0

    def last_turn(self, submitter: str) -> int:
        """When it was; of those who had none yet, whose oldest run is older."""
        if submitter in self.turns:
            return len(self.turns) - self.turns[::-1].index(submitter)
        return list(self.whose.values()).index(submitter) - len(self.whose)

    def holds(self, lease: Lease) -> bool:
        return lease.run_id in self.held and self.attempts[lease.run_id] == lease.attempt


Jobs.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestJobs = Jobs.TestCase
