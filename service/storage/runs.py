"""Submissions, their runs and the results of those in storage.

Two transactions here also write to the table of jobs: `accept` makes a run and its job, and `finish` stores a result and
ends its job. They live here because a run without its job would wait for ever, and a job without its run would have
nothing to evaluate. Leases, which touch only jobs, are in `service.jobs.table`.
"""

import secrets
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, delete, func, insert, select, update

from rubrics.signals import CaseOutcome
from service.storage.database import Database
from service.storage.interface import (
    KeyConflictError,
    NoRoomError,
    NotFoundError,
    RunId,
    RunRecord,
    RunResult,
    RunState,
    RunSummary,
    SubmissionRecord,
)
from service.storage.run_rows import (
    RECORDS,
    SUMMARIES,
    WITHOUT_CASES,
    cases_in,
    cases_of,
    findings_values,
    packed_cases,
    record_of,
    submission_values,
    summary_of,
)
from service.storage.tables import cases, counters, findings, idempotency_keys, jobs, runs, submissions


class Runs(Protocol):
    """The port of submissions and runs. Each method is a transaction and may raise StorageError."""

    def accept(
        self,
        records: Sequence[SubmissionRecord],
        keys: Sequence[str],
        fingerprints: Sequence[str],
        *,
        queue_limit: int | None = None,
    ) -> Sequence[RunId]:
        """Store submissions, and make a queued run with its job for each.

        `keys` are idempotency keys, "" for none. If a key was seen before with the same fingerprint (a hash of the
        request), return the run made then and store nothing for it. With another fingerprint, raise KeyConflictError.

        With `queue_limit`, the records are of one submitter, who may have half of the places in the queue that others
        leave. Above that, raise NoRoomError.
        """
        ...

    def get(self, id: RunId) -> RunRecord:
        """Return the whole run, cases and files included. Raise NotFoundError."""
        ...

    def without_cases(self, ids: Collection[RunId]) -> Mapping[RunId, RunRecord]:
        """Return those runs by id, with their files but without the cases in their findings."""
        ...

    def summary(self, id: RunId) -> RunSummary:
        """Return the run without its long parts. Raise NotFoundError."""
        ...

    def cases(self, id: RunId) -> Sequence[CaseOutcome]:
        """Return the outcomes of the hidden cases, in the order in which they were reported; none before the run is done.

        Raise NotFoundError.
        """
        ...

    def done(self, ids: Collection[RunId]) -> frozenset[RunId]:
        """Return those of the runs that are done, so that one statement can wait on many."""
        ...

    def finished(
        self, *, tag: str | None, submitter: str | None = None, after: str = "", limit: int = 100
    ) -> tuple[Sequence[RunSummary], str]:
        """Return finished runs in the order in which they finished, and the cursor that continues after the last.

        With `tag` or `submitter`, only runs of that label or person. A run that finishes later always comes after the
        cursor of an earlier answer, so a poller misses none.
        """
        ...

    def counts(self) -> Mapping[RunState, int]:
        """Return the number of runs in each state."""
        ...

    def start(self, id: RunId, attempt: int) -> None:
        """Mark the run as running in that attempt."""
        ...

    def finish(self, id: RunId, attempt: int, result: RunResult, now: datetime) -> bool:
        """Store the result and end the job, if `attempt` still holds the lease.

        Return False, and store nothing, if another attempt has taken over or the run is done already.
        """
        ...


class SqlRuns:
    """`Runs` in a SQL database; safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def accept(
        self,
        records: Sequence[SubmissionRecord],
        keys: Sequence[str],
        fingerprints: Sequence[str],
        *,
        queue_limit: int | None = None,
    ) -> Sequence[RunId]:
        with self._database.writing() as connection:
            seen = _seen_keys(connection, [key for key in keys if key])
            ids: list[RunId] = []
            conflicts: list[int] = []
            fresh: list[_Fresh] = []
            for position, (record, key, fingerprint) in enumerate(zip(records, keys, fingerprints, strict=True)):
                before = seen.get(key)
                if before is None:
                    id = RunId(f"run_{secrets.token_hex(10)}")
                    fresh.append((id, record, key, fingerprint))
                    ids.append(id)
                    if key:  # the same key may come again in these very records
                        seen[key] = (fingerprint, id)
                else:
                    ids.append(before[1])
                    if before[0] != fingerprint:
                        conflicts.append(position)
            if conflicts:
                raise KeyConflictError(conflicts)
            if fresh:
                if queue_limit is not None:
                    _check_room(connection, fresh[0][1].submitter, len(fresh), queue_limit)
                _insert(connection, fresh)
            return ids

    def get(self, id: RunId) -> RunRecord:
        with self._database.reading() as connection:
            row = connection.execute(RECORDS.where(runs.c.id == id)).first()
        if row is None:
            raise NotFoundError(f"run {id}")
        return record_of(row, cases_of(row))

    def without_cases(self, ids: Collection[RunId]) -> Mapping[RunId, RunRecord]:
        with self._database.reading() as connection:
            rows = connection.execute(WITHOUT_CASES.where(runs.c.id.in_(list(ids)))).all()
        return {RunId(row.id): record_of(row, None) for row in rows}

    def summary(self, id: RunId) -> RunSummary:
        with self._database.reading() as connection:
            row = connection.execute(SUMMARIES.where(runs.c.id == id)).first()
        if row is None:
            raise NotFoundError(f"run {id}")
        return summary_of(row)

    def cases(self, id: RunId) -> Sequence[CaseOutcome]:
        query = select(cases.c.outcomes).select_from(runs).outerjoin(cases, cases.c.run_id == runs.c.id)
        with self._database.reading() as connection:
            row = connection.execute(query.where(runs.c.id == id)).first()
        if row is None:
            raise NotFoundError(f"run {id}")
        return cases_of(row)

    def done(self, ids: Collection[RunId]) -> frozenset[RunId]:
        query = select(findings.c.run_id).where(findings.c.run_id.in_(list(ids)))
        with self._database.reading() as connection:
            return frozenset(RunId(id) for id in connection.scalars(query))

    def finished(
        self, *, tag: str | None, submitter: str | None = None, after: str = "", limit: int = 100
    ) -> tuple[Sequence[RunSummary], str]:
        query = SUMMARIES.where(findings.c.sequence > int(after or 0)).order_by(findings.c.sequence).limit(limit)
        if tag is not None:
            query = query.where(findings.c.tag == tag)
        if submitter is not None:
            # Empty is the submitter of runs from before it was kept, and nobody's name.
            query = query.where(findings.c.submitter == submitter, findings.c.submitter != "")
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
        return [summary_of(row) for row in rows], str(rows[-1].sequence) if rows else after

    def counts(self) -> Mapping[RunState, int]:
        query = select(runs.c.state, func.count()).group_by(runs.c.state)
        with self._database.reading() as connection:
            counted = {RunState(state): count for state, count in connection.execute(query)}
        return dict.fromkeys(RunState, 0) | counted

    def start(self, id: RunId, attempt: int) -> None:
        # A frozen worker that comes back late must not take the attempt number down again.
        started = (
            update(runs)
            .where(runs.c.id == id, runs.c.state != RunState.DONE, runs.c.attempt < attempt)
            .values(state=RunState.RUNNING, attempt=attempt)
        )
        with self._database.writing() as connection:
            connection.execute(started)

    def finish(self, id: RunId, attempt: int, result: RunResult, now: datetime) -> bool:
        values = findings_values(id, result)  # before the transaction: packing takes time that other writers would wait
        outcomes = cases_in(result)
        packed = packed_cases(outcomes) if outcomes else None
        held = delete(jobs).where(jobs.c.run_id == id, jobs.c.attempts == attempt, jobs.c.worker.is_not(None))
        own = select(submissions.c.tag, submissions.c.submitter).join_from(runs, submissions).where(runs.c.id == id)
        with self._database.writing() as connection:
            if connection.execute(held).rowcount != 1:
                return False
            submission = connection.execute(own).one()
            connection.execute(
                insert(findings).values(
                    run_id=id,
                    sequence=_next_number(connection),
                    tag=submission.tag,
                    submitter=submission.submitter,
                    finished_at=now,
                    **values,
                )
            )
            if packed is not None:
                connection.execute(insert(cases).values(run_id=id, outcomes=packed))
            connection.execute(update(runs).where(runs.c.id == id).values(state=RunState.DONE, attempt=attempt))
            return True


_Fresh = tuple[RunId, SubmissionRecord, str, str]
"""A run to be made: its id, its submission, the key and the fingerprint."""


def _check_room(connection: Connection, submitter: str, more: int, queue_limit: int) -> None:
    """Raise NoRoomError. The next submitter always gets as many places as the one before, so no one fills the queue."""
    count = select(func.count()).select_from(jobs)
    own = connection.execute(count.where(jobs.c.submitter == submitter)).scalar_one()
    others = connection.execute(count).scalar_one() - own
    most = max(0, queue_limit - others + 1) // 2
    if own + more > most:
        raise NoRoomError(own=own, others=others, most=most)


def _next_number(connection: Connection) -> int:
    # The row stays locked until this transaction ends: a higher number never becomes visible before a lower one,
    # so that a poller that continues after the highest it saw has missed none.
    query = update(counters).where(counters.c.name == "finish").values(value=counters.c.value + 1)
    return int(connection.execute(query.returning(counters.c.value)).scalar_one())


def _seen_keys(connection: Connection, keys: Sequence[str]) -> dict[str, tuple[str, RunId]]:
    if not keys:
        return {}
    query = select(idempotency_keys).where(idempotency_keys.c.key.in_(keys))
    return {row.key: (row.fingerprint, RunId(row.run_id)) for row in connection.execute(query)}


def _insert(connection: Connection, fresh: Sequence[_Fresh]) -> None:
    connection.execute(insert(submissions), [submission_values(record) for _, record, _, _ in fresh])
    connection.execute(
        insert(runs),
        [
            {
                "id": id,
                "submission_id": record.submission.id,
                "state": RunState.QUEUED,
                "attempt": 0,
                "created_at": record.created_at,
            }
            for id, record, _, _ in fresh
        ],
    )
    connection.execute(
        insert(jobs), [{"run_id": id, "attempts": 0, "submitter": record.submitter} for id, record, _, _ in fresh]
    )
    keyed = [{"key": key, "fingerprint": fingerprint, "run_id": id} for id, _, key, fingerprint in fresh if key]
    if keyed:
        connection.execute(insert(idempotency_keys), keyed)
