"""Statements on the reviewers' queue, their claims, drafts and reviews.

A claim is a row whose primary key is the run, so a run never has two; one that has expired counts for nothing and is
replaced by whoever comes next.
"""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, case, delete, exists, func, insert, or_, select

from graders.interface import TaskId
from rubrics.model import Review
from rubrics.records import review_from_json, review_to_json
from service.storage.interface import (
    ConflictError,
    DraftDecision,
    NotFoundError,
    QueueEntry,
    ReviewerId,
    ReviewerProgress,
    ReviewRecord,
    RunId,
    RunOutcome,
)
from service.storage.run_rows import position
from service.storage.tables import claims, drafts, findings, reviews, runs, skips, submissions, tasks, withdrawals

CLAIM_TIME = timedelta(minutes=30)

_STANDING = ~exists().where(withdrawals.c.review_id == reviews.c.id)


def queue(connection: Connection, reviewer: ReviewerId, now: datetime, limit: int) -> Sequence[QueueEntry]:
    state = _state(reviewer, now)
    query = (
        select(
            findings.c.run_id,
            findings.c.outcome,
            findings.c.cases_passed,
            (findings.c.cases_total - findings.c.cases_not_tried).label("cases_tried"),
            findings.c.flags,
            findings.c.finished_at,
            submissions.c.task_id,
            tasks.c.title,
            state.label("state"),
        )
        .join_from(findings, runs)
        .join(submissions)
        .join(tasks, and_(tasks.c.id == submissions.c.task_id, tasks.c.version == submissions.c.task_version))
        .where(_offered(reviewer))
        .order_by(*_order(reviewer, state))
        .limit(limit)
    )
    return [
        QueueEntry(
            run_id=RunId(row.run_id),
            task_id=TaskId(row.task_id),
            title=row.title,
            outcome=RunOutcome(row.outcome),
            cases_passed=row.cases_passed,
            cases_tried=row.cases_tried,
            flags=row.flags,
            state=row.state,
            finished_at=row.finished_at,
        )
        for row in connection.execute(query)
    ]


def progress(connection: Connection, reviewer: ReviewerId, since: datetime, now: datetime) -> ReviewerProgress:
    done = select(func.count()).where(reviews.c.reviewer == reviewer, reviews.c.created_at >= since, _STANDING)
    left = select(func.count()).select_from(findings).where(_offered(reviewer), _takeable(reviewer, now))
    return ReviewerProgress(done=connection.execute(done).scalar_one(), left=connection.execute(left).scalar_one())


def claim(connection: Connection, reviewer: ReviewerId, run_id: RunId | None, now: datetime) -> RunId | None:
    if run_id is None:
        state = _state(reviewer, now)
        next_one = (
            select(findings.c.run_id)
            .where(_offered(reviewer), _takeable(reviewer, now))
            .order_by(*_order(reviewer, state))
            .limit(1)
        )
    else:
        _require_run(connection, run_id)
        gradable = findings.c.outcome != RunOutcome.UNGRADABLE
        next_one = select(findings.c.run_id).where(findings.c.run_id == run_id, gradable)
    found = connection.execute(next_one).scalar()
    if found is not None:
        _take(connection, RunId(found), reviewer, now)
    return found


def save_draft(
    connection: Connection,
    run_id: RunId,
    reviewer: ReviewerId,
    decision: DraftDecision | None,
    *,
    criterion: str,
    now: datetime,
) -> None:
    _require_run(connection, run_id)
    _take(connection, run_id, reviewer, now)
    _keep_draft(connection, run_id, reviewer, decision, criterion)


def _keep_draft(
    connection: Connection, run_id: RunId, reviewer: ReviewerId, decision: DraftDecision | None, criterion: str
) -> None:
    mine = (drafts.c.run_id == run_id, drafts.c.reviewer == reviewer, drafts.c.criterion == criterion)
    connection.execute(delete(drafts).where(*mine))
    if decision is not None:
        connection.execute(
            insert(drafts).values(
                run_id=run_id,
                reviewer=reviewer,
                criterion=criterion,
                level=decision.level,
                note=decision.note,
                milliseconds=decision.milliseconds,
            )
        )


def all_drafts(connection: Connection, run_id: RunId, reviewer: ReviewerId) -> Mapping[str, DraftDecision]:
    rows = connection.execute(select(drafts).where(drafts.c.run_id == run_id, drafts.c.reviewer == reviewer))
    return {
        row.criterion: DraftDecision(
            criterion=row.criterion, level=row.level, note=row.note, milliseconds=row.milliseconds
        )
        for row in rows
    }


def add(connection: Connection, run_id: RunId, reviewer: ReviewerId, review: Review, now: datetime) -> ReviewRecord:
    standing = _standing(connection, run_id, reviewer)
    if standing is not None:
        if standing.review == review:
            return standing
        raise ConflictError(f"{reviewer} has reviewed run {run_id} already; that review must be withdrawn first")
    _require_run(connection, run_id)
    if connection.execute(select(findings.c.run_id).where(findings.c.run_id == run_id)).first() is None:
        raise ConflictError(f"run {run_id} is not done yet")
    record = ReviewRecord(
        id=f"review_{secrets.token_hex(10)}",
        run_id=run_id,
        reviewer=reviewer,
        review=review,
        created_at=now,
        withdrawn=False,
    )
    connection.execute(
        insert(reviews).values(
            id=record.id, run_id=run_id, reviewer=reviewer, review=review_to_json(review), created_at=now
        )
    )
    connection.execute(delete(claims).where(claims.c.run_id == run_id, claims.c.reviewer == reviewer))
    return record


def withdraw(
    connection: Connection, run_id: RunId, reviewer: ReviewerId, now: datetime, again: Sequence[DraftDecision]
) -> ReviewRecord | None:
    standing = _standing(connection, run_id, reviewer)
    if standing is None:
        return None
    connection.execute(insert(withdrawals).values(review_id=standing.id, created_at=now))
    if _holder(connection, run_id, now) in (None, reviewer):  # taking a review back never takes a run from a colleague
        _take(connection, run_id, reviewer, now)
    for draft in again:
        _keep_draft(connection, run_id, reviewer, draft, draft.criterion)
    return ReviewRecord(
        id=standing.id,
        run_id=run_id,
        reviewer=reviewer,
        review=standing.review,
        created_at=standing.created_at,
        withdrawn=True,
    )


def standing_reviews(connection: Connection, run_id: RunId | None) -> Sequence[ReviewRecord]:
    query = select(reviews).where(_STANDING).order_by(reviews.c.sequence)
    if run_id is not None:
        query = query.where(reviews.c.run_id == run_id)
    return [_record(row) for row in connection.execute(query)]


def skip(connection: Connection, run_id: RunId, reviewer: ReviewerId, reason: str, now: datetime) -> None:
    _require_run(connection, run_id)
    connection.execute(insert(skips).values(run_id=run_id, reviewer=reviewer, reason=reason, created_at=now))
    connection.execute(delete(claims).where(claims.c.run_id == run_id, claims.c.reviewer == reviewer))


def _reviewed_by(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(reviews.c.run_id == findings.c.run_id, condition, _STANDING)


def _claimed_by(condition: ColumnElement[bool], now: datetime) -> ColumnElement[bool]:
    return exists().where(claims.c.run_id == findings.c.run_id, claims.c.expires_at > now, condition)


def _skipped_by(reviewer: ReviewerId) -> ColumnElement[bool]:
    return exists().where(skips.c.run_id == findings.c.run_id, skips.c.reviewer == reviewer)


def _offered(reviewer: ReviewerId) -> ColumnElement[bool]:
    """Gradable, and not settled by somebody else."""
    mine = _reviewed_by(reviews.c.reviewer == reviewer)
    return and_(
        findings.c.outcome != RunOutcome.UNGRADABLE,
        or_(mine, ~_reviewed_by(reviews.c.reviewer != reviewer)),
    )


def _takeable(reviewer: ReviewerId, now: datetime) -> ColumnElement[bool]:
    return _state(reviewer, now).in_(("mine", "open"))


def _state(reviewer: ReviewerId, now: datetime) -> ColumnElement[str]:
    return case(
        (_reviewed_by(reviews.c.reviewer == reviewer), "reviewed"),
        (_claimed_by(claims.c.reviewer == reviewer, now), "mine"),
        (_skipped_by(reviewer), "skipped"),
        (_claimed_by(claims.c.reviewer != reviewer, now), "taken"),
        else_="open",
    )


def _order(reviewer: ReviewerId, state: ColumnElement[str]) -> tuple[ColumnElement[Any], ...]:
    """Own claims, what is open, the rest; in each the disputed first, and in the order of `position XOR a number of the reviewer`.

    The same for a reviewer for ever, another one for each reviewer, new runs anywhere in it. SQLite has no XOR.
    """
    rank = case({"mine": 0, "open": 1, "taken": 2, "skipped": 3}, value=state, else_=4)
    mask = position(reviewer)
    place = findings.c.position.bitwise_or(mask) - findings.c.position.bitwise_and(mask)
    undisputed = case((findings.c.outcome == RunOutcome.DISPUTED, 0), else_=1)
    return rank, undisputed, place, findings.c.run_id


def _take(connection: Connection, run_id: RunId, reviewer: ReviewerId, now: datetime) -> None:
    holder = _holder(connection, run_id, now)
    if holder not in (None, reviewer):
        raise ConflictError(f"run {run_id} is being reviewed by {holder}")
    connection.execute(delete(claims).where(claims.c.run_id == run_id))
    connection.execute(insert(claims).values(run_id=run_id, reviewer=reviewer, expires_at=now + CLAIM_TIME))


def _holder(connection: Connection, run_id: RunId, now: datetime) -> str | None:
    query = select(claims.c.reviewer).where(claims.c.run_id == run_id, claims.c.expires_at > now)
    return connection.execute(query).scalar()


def _standing(connection: Connection, run_id: RunId, reviewer: ReviewerId) -> ReviewRecord | None:
    query: Select[Any] = select(reviews).where(reviews.c.run_id == run_id, reviews.c.reviewer == reviewer, _STANDING)
    row = connection.execute(query).first()
    return None if row is None else _record(row)


def _require_run(connection: Connection, run_id: RunId) -> None:
    if connection.execute(select(runs.c.id).where(runs.c.id == run_id)).first() is None:
        raise NotFoundError(f"run {run_id}")


def _record(row: Row[Any]) -> ReviewRecord:
    return ReviewRecord(
        id=row.id,
        run_id=RunId(row.run_id),
        reviewer=ReviewerId(row.reviewer),
        review=review_from_json(row.review),
        created_at=row.created_at,
        withdrawn=False,
    )
