"""Statements on submissions, their runs and what came of them."""

import hashlib
import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import MISSING, fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, delete, func, insert, select, update

from graders.interface import Submission, SubmissionId, TaskId
from rubrics import signals as signal_json
from rubrics.model import Prefill
from rubrics.prefill import share_passed
from rubrics.records import prefill_from_json, prefill_to_json
from rubrics.signals import CaseOutcome, Finding, Outcome
from sandboxes.interface import Tier
from service.storage.interface import (
    KeyConflictError,
    NoRoomError,
    NotFoundError,
    RunId,
    RunOutcome,
    RunRecord,
    RunResult,
    RunState,
    RunSummary,
    SubmissionRecord,
    Tally,
)
from service.storage.tables import cases, counters, findings, idempotency_keys, jobs, pack, runs, submissions, unpack

_LONG = ("given", "wanted", "got", "note")
"""What a case that a pre-fill cites is without where it is only cited."""
_USUAL = {
    name: {field.name: field.default for field in fields(kind) if field.default is not MISSING}
    for name, kind in signal_json.KINDS.items()
}
"""Kind of signal -> its fields that have a default."""


def accept(
    connection: Connection,
    records: Sequence[SubmissionRecord],
    keys: Sequence[str],
    fingerprints: Sequence[str],
    *,
    queue_limit: int | None,
) -> Sequence[RunId]:
    seen = _seen_keys(connection, [key for key in keys if key])
    ids: list[RunId] = []
    conflicts: list[int] = []
    fresh: list[tuple[RunId, SubmissionRecord, str, str]] = []
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


def _check_room(connection: Connection, submitter: str, more: int, queue_limit: int) -> None:
    """Raises NoRoomError. Whoever comes next always has as many places as the one before: no one fills the queue."""
    count = select(func.count()).select_from(jobs)
    own = connection.execute(count.where(jobs.c.submitter == submitter)).scalar_one()
    others = connection.execute(count).scalar_one() - own
    most = max(0, queue_limit - others + 1) // 2
    if own + more > most:
        raise NoRoomError(own=own, others=others, most=most)


def get(connection: Connection, id: RunId) -> RunRecord:
    row = connection.execute(_RECORDS.where(runs.c.id == id)).first()
    if row is None:
        raise NotFoundError(f"run {id}")
    return _record(row)


def summary(connection: Connection, id: RunId) -> RunSummary:
    row = connection.execute(_SUMMARIES.where(runs.c.id == id)).first()
    if row is None:
        raise NotFoundError(f"run {id}")
    return summarized(row)


def cases_of(connection: Connection, id: RunId) -> Sequence[CaseOutcome]:
    query = select(cases.c.outcomes).select_from(runs).outerjoin(cases, cases.c.run_id == runs.c.id)
    row = connection.execute(query.where(runs.c.id == id)).first()
    if row is None:
        raise NotFoundError(f"run {id}")
    return _cases(row)


def done(connection: Connection, ids: Collection[RunId]) -> frozenset[RunId]:
    query = select(findings.c.run_id).where(findings.c.run_id.in_(list(ids)))
    return frozenset(RunId(id) for id in connection.scalars(query))


def finished(
    connection: Connection, *, tag: str | None, submitter: str | None, after: int, limit: int
) -> Sequence[Row[Any]]:
    """For `summarized`, each with its `sequence`."""
    query = _SUMMARIES.where(findings.c.sequence > after).order_by(findings.c.sequence).limit(limit)
    if tag is not None:
        query = query.where(findings.c.tag == tag)
    if submitter is not None:
        # Empty is nobody's name: runs from before it was kept.
        query = query.where(findings.c.submitter == submitter, findings.c.submitter != "")
    return connection.execute(query).all()


def counts(connection: Connection) -> Mapping[RunState, int]:
    rows = connection.execute(select(runs.c.state, func.count()).group_by(runs.c.state))
    return dict.fromkeys(RunState, 0) | {RunState(state): count for state, count in rows}


def start(connection: Connection, id: RunId, attempt: int) -> None:
    # A frozen worker that comes back late must not take the attempt number down again.
    connection.execute(
        update(runs)
        .where(runs.c.id == id, runs.c.state != RunState.DONE, runs.c.attempt < attempt)
        .values(state=RunState.RUNNING, attempt=attempt)
    )


def finish(connection: Connection, id: RunId, attempt: int, result: RunResult, now: datetime) -> bool:
    held = delete(jobs).where(jobs.c.run_id == id, jobs.c.attempts == attempt, jobs.c.worker.is_not(None))
    if connection.execute(held).rowcount != 1:
        return False
    own = select(submissions.c.tag, submissions.c.submitter).join_from(runs, submissions).where(runs.c.id == id)
    submission = connection.execute(own).one()
    outcomes = [signal for signal in result.signals if isinstance(signal, CaseOutcome)]
    others = [signal for signal in result.signals if not isinstance(signal, CaseOutcome)]
    places = _places(outcomes)
    connection.execute(
        insert(findings).values(
            run_id=id,
            sequence=_next_number(connection),
            tag=submission.tag,
            submitter=submission.submitter,
            outcome=result.outcome,
            cases_passed=sum(outcome.outcome is Outcome.PASSED for outcome in outcomes),
            cases_total=len(outcomes),
            cases_disputed=sum(outcome.outcome is Outcome.DISPUTED for outcome in outcomes),
            cases_not_tried=sum(outcome.outcome is Outcome.NOT_TRIED for outcome in outcomes),
            share=share_passed(outcomes),
            flags=sum(isinstance(signal, Finding) and signal.is_raised for signal in result.signals),
            position=position(id),
            signals=pack([_without_defaults(signal_json.to_json(signal)) for signal in others]),
            prefills=pack([_prefill_row(prefill, places) for prefill in result.prefills]),
            diagnostics=pack(dict(result.diagnostics)),
            rubric_id=result.rubric_id,
            rubric_version=result.rubric_version,
            grader_versions=dict(result.grader_versions),
            sandbox=result.sandbox,
            ends=dict(result.ends),
            finished_at=now,
        )
    )
    if outcomes:
        packed = pack([_without_defaults(signal_json.to_json(outcome)) for outcome in outcomes])
        connection.execute(insert(cases).values(run_id=id, outcomes=packed))
    connection.execute(update(runs).where(runs.c.id == id).values(state=RunState.DONE, attempt=attempt))
    return True


def position(name: str) -> int:
    """A pseudo-random number below 2**62, the same for a name for ever: a place in the reviewers' queue."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) >> 2


def _next_number(connection: Connection) -> int:
    # The row stays locked until this transaction ends: a higher number never becomes visible before a lower one,
    # so that a poller that continues after the highest it saw has missed none.
    query = update(counters).where(counters.c.name == "finish").values(value=counters.c.value + 1)
    return int(connection.execute(query.returning(counters.c.value)).scalar_one())


def count_check(connection: Connection) -> None:
    """Write a row. Its number grows, because a database may skip the write of what is there already."""
    counted = update(counters).where(counters.c.name == "check").values(value=counters.c.value + 1)
    if connection.execute(counted).rowcount == 0:
        connection.execute(insert(counters).values(name="check", value=1))


def _seen_keys(connection: Connection, keys: Sequence[str]) -> dict[str, tuple[str, RunId]]:
    if not keys:
        return {}
    query = select(idempotency_keys).where(idempotency_keys.c.key.in_(keys))
    return {row.key: (row.fingerprint, RunId(row.run_id)) for row in connection.execute(query)}


def _insert(connection: Connection, fresh: Sequence[tuple[RunId, SubmissionRecord, str, str]]) -> None:
    connection.execute(insert(submissions), [_submission_values(record) for _, record, _, _ in fresh])
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


def _submission_values(record: SubmissionRecord) -> dict[str, Any]:
    submission = record.submission
    return {
        "id": submission.id,
        "task_id": submission.task_id,
        "task_version": record.task_version,
        "files": pack(dict(submission.files)),
        "model": submission.model,
        "group_id": submission.group_id,
        "client_id": record.client_id,
        "tag": record.tag,
        "created_at": record.created_at,
        "minimum_tier": record.minimum_tier,
        "submitter": record.submitter,
    }


_SUMMARIES: Select[Any] = (
    select(
        runs.c.id,
        runs.c.state,
        runs.c.attempt,
        runs.c.created_at,
        submissions.c.id.label("submission_id"),
        submissions.c.task_id,
        submissions.c.task_version,
        submissions.c.submitter,
        submissions.c.client_id,
        submissions.c.tag,
        findings.c.sequence,
        findings.c.outcome,
        findings.c.cases_passed,
        findings.c.cases_total,
        findings.c.cases_disputed,
        findings.c.cases_not_tried,
        findings.c.share,
        findings.c.signals,
        findings.c.prefills,
        findings.c.diagnostics,
        findings.c.rubric_id,
        findings.c.rubric_version,
        findings.c.grader_versions,
        findings.c.sandbox,
        findings.c.ends,
        findings.c.finished_at,
    )
    .join_from(runs, submissions)
    .outerjoin(findings, findings.c.run_id == runs.c.id)
)
_RECORDS: Select[Any] = _SUMMARIES.add_columns(
    submissions.c.files,
    submissions.c.model,
    submissions.c.group_id,
    submissions.c.created_at.label("submitted_at"),
    submissions.c.minimum_tier,
    cases.c.outcomes,
).outerjoin(cases, cases.c.run_id == runs.c.id)


def summarized(row: Row[Any]) -> RunSummary:
    """From a row of `_SUMMARIES`."""
    known = row.outcome is not None
    return RunSummary(
        id=RunId(row.id),
        submission_id=SubmissionId(row.submission_id),
        task_id=TaskId(row.task_id),
        task_version=row.task_version,
        submitter=row.submitter,
        client_id=row.client_id,
        tag=row.tag,
        state=RunState(row.state),
        attempt=row.attempt,
        created_at=row.created_at,
        finished_at=row.finished_at,
        tally=_tally(row) if known else None,
        findings=_findings(row, None) if known else None,
    )


def _tally(row: Row[Any]) -> Tally:
    return Tally(
        passed=row.cases_passed,
        total=row.cases_total,
        share=row.share,
        disputed=row.cases_disputed,
        not_tried=row.cases_not_tried,
    )


def _record(row: Row[Any]) -> RunRecord:
    submission = Submission(
        id=SubmissionId(row.submission_id),
        task_id=TaskId(row.task_id),
        files=unpack(row.files),
        model=row.model,
        group_id=row.group_id,
    )
    return RunRecord(
        id=RunId(row.id),
        submission=SubmissionRecord(
            submission=submission,
            task_version=row.task_version,
            client_id=row.client_id,
            tag=row.tag,
            created_at=row.submitted_at,
            minimum_tier=Tier(row.minimum_tier),
            submitter=row.submitter,
        ),
        state=RunState(row.state),
        attempt=row.attempt,
        created_at=row.created_at,
        finished_at=row.finished_at,
        findings=None if row.outcome is None else _findings(row, _cases(row)),
    )


def _cases(row: Row[Any]) -> tuple[CaseOutcome, ...]:
    rows = [] if row.outcomes is None else unpack(row.outcomes)
    return tuple(case for case in map(signal_json.from_json, rows) if isinstance(case, CaseOutcome))


def _places(outcomes: Sequence[CaseOutcome]) -> Mapping[int, int]:
    """By identity: pre-fills cite the very objects, and hashing a thousand cases with their texts would take long."""
    return {id(outcome): place for place, outcome in enumerate(outcomes)}


def _prefill_row(prefill: Prefill, places: Mapping[int, int]) -> dict[str, Any]:
    """As JSON; a cited case in short, `at` its place among the run's cases."""
    row = prefill_to_json(prefill)
    for signal, cited in zip(prefill.because, row["because"], strict=True):
        if id(signal) in places:
            cited |= {**dict.fromkeys(_LONG, ""), "at": places[id(signal)]}
    return {**row, "because": [_without_defaults(cited) for cited in row["because"]]}


def _without_defaults(row: dict[str, Any]) -> dict[str, Any]:
    """What `from_json` makes the same signal of: reading a page of runs is mostly reading such rows."""
    usual = _USUAL[row["kind"]]
    return {name: value for name, value in row.items() if name not in usual or value != usual[name]}


def _prefill(row: dict[str, Any], outcomes: Sequence[CaseOutcome] | None) -> Prefill:
    """Inverse of `_prefill_row`; without the outcomes, cited cases are left short."""
    places = [cited.pop("at", None) for cited in row["because"]]
    prefill = prefill_from_json(row)
    if outcomes is None:
        return prefill
    whole = (short if at is None else outcomes[at] for at, short in zip(places, prefill.because, strict=True))
    return replace(prefill, because=tuple(whole))


def _findings(row: Row[Any], outcomes: Sequence[CaseOutcome] | None) -> RunResult:
    """`outcomes`: the run's cases; None for its findings without them."""
    return RunResult(
        outcome=RunOutcome(row.outcome),
        signals=(*(outcomes or ()), *(signal_json.from_json(signal) for signal in unpack(row.signals))),
        prefills=tuple(_prefill(prefill, outcomes) for prefill in unpack(row.prefills)),
        rubric_id=row.rubric_id,
        rubric_version=row.rubric_version,
        grader_versions=row.grader_versions,
        sandbox=row.sandbox,
        ends=row.ends,
        diagnostics=unpack(row.diagnostics),
    )
