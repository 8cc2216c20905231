"""Reviews in storage: the reviewers' queue, their claims, drafts, reviews and skips.

A claim is a row whose primary key is the run, so a run never has two claims. An expired claim counts for nothing, and the
next reviewer's claim replaces it. A review is never changed or deleted: to take it back is another row.

The queue also reads runs, submissions and tasks, in one statement: what a reviewer may take depends on all of them.
Nothing here writes to a table of another aggregate.
"""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, Row, and_, case, delete, exists, func, insert, or_, select

from graders.interface import TaskId
from rubrics.model import Review
from rubrics.records import review_from_json, review_to_json
from service.storage.database import Database
from service.storage.interface import (
    AlreadyReviewedError,
    ClaimedError,
    ConflictError,
    DraftDecision,
    NotFoundError,
    QueueEntry,
    ReviewerId,
    ReviewerProgress,
    ReviewKey,
    ReviewRecord,
    RunId,
    RunOutcome,
)
from service.storage.run_rows import position
from service.storage.tables import claims, drafts, findings, reviews, runs, skips, submissions, tasks, withdrawals

CLAIM_TIME = timedelta(minutes=30)


class OpenReview(Protocol):
    """One reviewer's work on one run, inside one transaction."""

    def standing(self) -> ReviewRecord | None:
        """Return this reviewer's review of the run, unless it was withdrawn."""
        ...

    def drafts(self) -> Mapping[str, DraftDecision]:
        """Return what this reviewer has decided so far, by criterion."""
        ...

    def claim(self) -> None:
        """Claim the run for CLAIM_TIME from now. Raise ClaimedError if another reviewer's claim has not expired."""
        ...

    def keep(self, draft: DraftDecision) -> None:
        """Store the draft in place of the one on the same criterion."""
        ...

    def clear(self, criterion: str) -> None:
        """Delete the draft on a criterion, if there is one."""
        ...

    def complete(self, review: Review) -> ReviewRecord:
        """Store a complete review and end the claim.

        The same review again returns the stored one. Raise AlreadyReviewedError if another review of this reviewer stands,
        and ConflictError if the run is not done.
        """
        ...

    def withdraw(self) -> None:
        """Mark the standing review as withdrawn. Claim the run again, unless a colleague has claimed it."""
        ...

    def skip(self, reason: str) -> None:
        """Store that this reviewer skipped the run, and end their claim."""
        ...


class Reviews(Protocol):
    """The port of reviews. `now` is an argument, aware UTC. Every method may raise StorageError."""

    def queue(self, reviewer: ReviewerId, *, now: datetime, limit: int = 50) -> Sequence[QueueEntry]:
        """Return gradable runs: own claims first, then disputed runs, each in this reviewer's stable pseudo-random order."""
        ...

    def progress(self, reviewer: ReviewerId, *, since: datetime, now: datetime) -> ReviewerProgress:
        """Return the number of standing reviews made since then, and of runs that are left to take."""
        ...

    def claim_next(self, reviewer: ReviewerId, *, now: datetime) -> RunId | None:
        """Claim the next run of the queue for CLAIM_TIME, in one transaction. Return None if there is none."""
        ...

    def drafts(self, run_id: RunId, reviewer: ReviewerId) -> Mapping[str, DraftDecision]:
        """Return what the reviewer has decided so far, by criterion."""
        ...

    def standing(self, run_id: RunId) -> Sequence[ReviewRecord]:
        """Return the reviews of a run that were not withdrawn, oldest first."""
        ...

    def keys(self) -> Sequence[ReviewKey]:
        """Return the keys of all standing reviews of gradable runs, oldest first: a picture of one moment.

        With them, the reviews themselves can be read in batches later, because a review never changes.
        """
        ...

    def by_id(self, ids: Collection[str]) -> Mapping[str, ReviewRecord]:
        """Return these reviews, withdrawn or not."""
        ...

    def work_on(self, run_id: RunId, reviewer: ReviewerId, now: datetime) -> AbstractContextManager[OpenReview]:
        """Open a transaction that ends with the block: kept whole, or not at all if the block raises.

        Raise NotFoundError if the run does not exist.
        """
        ...


class SqlReviews:
    """`Reviews` in a SQL database; safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def queue(self, reviewer: ReviewerId, *, now: datetime, limit: int = 50) -> Sequence[QueueEntry]:
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
        with self._database.reading() as connection:
            rows = connection.execute(query).all()
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
            for row in rows
        ]

    def progress(self, reviewer: ReviewerId, *, since: datetime, now: datetime) -> ReviewerProgress:
        done = select(func.count()).where(reviews.c.reviewer == reviewer, reviews.c.created_at >= since, _STANDING)
        left = select(func.count()).select_from(findings).where(_offered(reviewer), _takeable(reviewer, now))
        with self._database.reading() as connection:
            return ReviewerProgress(
                done=connection.execute(done).scalar_one(), left=connection.execute(left).scalar_one()
            )

    def claim_next(self, reviewer: ReviewerId, *, now: datetime) -> RunId | None:
        query = (
            select(findings.c.run_id)
            .where(_offered(reviewer), _takeable(reviewer, now))
            .order_by(*_order(reviewer, _state(reviewer, now)))
            .limit(1)
        )
        with self._database.writing() as connection:
            found = connection.execute(query).scalar()
            if found is None:
                return None
            _SqlOpenReview(connection, RunId(found), reviewer, now).claim()
            return RunId(found)

    def drafts(self, run_id: RunId, reviewer: ReviewerId) -> Mapping[str, DraftDecision]:
        with self._database.reading() as connection:
            return _drafts(connection, run_id, reviewer)

    def standing(self, run_id: RunId) -> Sequence[ReviewRecord]:
        query = select(reviews).where(reviews.c.run_id == run_id, _STANDING).order_by(reviews.c.sequence)
        with self._database.reading() as connection:
            return [_record(row) for row in connection.execute(query)]

    def keys(self) -> Sequence[ReviewKey]:
        query = (
            select(
                reviews.c.id,
                reviews.c.run_id,
                submissions.c.task_id,
                submissions.c.task_version,
                submissions.c.group_id,
            )
            .join_from(reviews, findings, findings.c.run_id == reviews.c.run_id)
            .join(runs, runs.c.id == reviews.c.run_id)
            .join(submissions)
            .where(_STANDING, findings.c.outcome != RunOutcome.UNGRADABLE)
            .order_by(reviews.c.sequence)
        )
        with self._database.reading() as connection:
            return [
                ReviewKey(
                    id=row.id,
                    run_id=RunId(row.run_id),
                    task_id=TaskId(row.task_id),
                    task_version=row.task_version,
                    group_id=row.group_id,
                )
                for row in connection.execute(query)
            ]

    def by_id(self, ids: Collection[str]) -> Mapping[str, ReviewRecord]:
        query = select(reviews).where(reviews.c.id.in_(list(ids)))
        with self._database.reading() as connection:
            return {row.id: _record(row) for row in connection.execute(query)}

    @contextmanager
    def work_on(self, run_id: RunId, reviewer: ReviewerId, now: datetime) -> Iterator[OpenReview]:
        with self._database.writing() as connection:
            if connection.execute(select(runs.c.id).where(runs.c.id == run_id)).first() is None:
                raise NotFoundError(f"run {run_id}")
            yield _SqlOpenReview(connection, run_id, reviewer, now)


class _SqlOpenReview:
    def __init__(self, connection: Connection, run_id: RunId, reviewer: ReviewerId, now: datetime) -> None:
        self._connection = connection
        self._run_id = run_id
        self._reviewer = reviewer
        self._now = now

    def standing(self) -> ReviewRecord | None:
        mine = (reviews.c.run_id == self._run_id, reviews.c.reviewer == self._reviewer)
        row = self._connection.execute(select(reviews).where(*mine, _STANDING)).first()
        return None if row is None else _record(row)

    def drafts(self) -> Mapping[str, DraftDecision]:
        return _drafts(self._connection, self._run_id, self._reviewer)

    def claim(self) -> None:
        holder = self._holder()
        if holder not in (None, self._reviewer):
            raise ClaimedError(f"run {self._run_id} is being reviewed by {holder}")
        self._connection.execute(delete(claims).where(claims.c.run_id == self._run_id))
        expires_at = self._now + CLAIM_TIME
        self._connection.execute(
            insert(claims).values(run_id=self._run_id, reviewer=self._reviewer, expires_at=expires_at)
        )

    def keep(self, draft: DraftDecision) -> None:
        self.clear(draft.criterion)
        self._connection.execute(
            insert(drafts).values(
                run_id=self._run_id,
                reviewer=self._reviewer,
                criterion=draft.criterion,
                level=draft.level,
                note=draft.note,
                milliseconds=draft.milliseconds,
            )
        )

    def clear(self, criterion: str) -> None:
        mine = (drafts.c.run_id == self._run_id, drafts.c.reviewer == self._reviewer)
        self._connection.execute(delete(drafts).where(*mine, drafts.c.criterion == criterion))

    def complete(self, review: Review) -> ReviewRecord:
        standing = self.standing()
        if standing is not None:
            if standing.review == review:
                return standing
            raise AlreadyReviewedError
        if self._connection.execute(select(findings.c.run_id).where(findings.c.run_id == self._run_id)).first() is None:
            raise ConflictError(f"run {self._run_id} is not done yet")
        record = ReviewRecord(
            id=f"review_{secrets.token_hex(10)}",
            run_id=self._run_id,
            reviewer=self._reviewer,
            review=review,
            created_at=self._now,
        )
        self._connection.execute(
            insert(reviews).values(
                id=record.id,
                run_id=self._run_id,
                reviewer=self._reviewer,
                review=review_to_json(review),
                created_at=self._now,
            )
        )
        self._end_claim()
        return record

    def withdraw(self) -> None:
        standing = self.standing()
        if standing is None:
            return
        self._connection.execute(insert(withdrawals).values(review_id=standing.id, created_at=self._now))
        if self._holder() in (None, self._reviewer):
            self.claim()

    def skip(self, reason: str) -> None:
        self._connection.execute(
            insert(skips).values(run_id=self._run_id, reviewer=self._reviewer, reason=reason, created_at=self._now)
        )
        self._end_claim()

    def _holder(self) -> str | None:
        query = select(claims.c.reviewer).where(claims.c.run_id == self._run_id, claims.c.expires_at > self._now)
        return self._connection.execute(query).scalar()

    def _end_claim(self) -> None:
        mine = (claims.c.run_id == self._run_id, claims.c.reviewer == self._reviewer)
        self._connection.execute(delete(claims).where(*mine))


_STANDING = ~exists().where(withdrawals.c.review_id == reviews.c.id)


def _drafts(connection: Connection, run_id: RunId, reviewer: ReviewerId) -> Mapping[str, DraftDecision]:
    rows = connection.execute(select(drafts).where(drafts.c.run_id == run_id, drafts.c.reviewer == reviewer))
    return {
        row.criterion: DraftDecision(
            criterion=row.criterion, level=row.level, note=row.note, milliseconds=row.milliseconds
        )
        for row in rows
    }


def _reviewed_by(condition: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(reviews.c.run_id == findings.c.run_id, condition, _STANDING)


def _claimed_by(condition: ColumnElement[bool], now: datetime) -> ColumnElement[bool]:
    return exists().where(claims.c.run_id == findings.c.run_id, claims.c.expires_at > now, condition)


def _skipped_by(reviewer: ReviewerId) -> ColumnElement[bool]:
    return exists().where(skips.c.run_id == findings.c.run_id, skips.c.reviewer == reviewer)


def _offered(reviewer: ReviewerId) -> ColumnElement[bool]:
    """The run is gradable, and no other reviewer has settled it."""
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
    """Return the order of the queue: own claims, open runs, the rest; in each, disputed runs first, then pseudo-random.

    The pseudo-random place is `position XOR a number of the reviewer`: it stays the same for one reviewer, differs between
    reviewers, and puts new runs anywhere. SQLite lacks XOR.
    """
    rank = case({"mine": 0, "open": 1, "taken": 2, "skipped": 3}, value=state, else_=4)
    mask = position(reviewer)
    place = findings.c.position.bitwise_or(mask) - findings.c.position.bitwise_and(mask)
    undisputed = case((findings.c.outcome == RunOutcome.DISPUTED, 0), else_=1)
    return rank, undisputed, place, findings.c.run_id


def _record(row: Row[Any]) -> ReviewRecord:
    return ReviewRecord(
        id=row.id,
        run_id=RunId(row.run_id),
        reviewer=ReviewerId(row.reviewer),
        review=review_from_json(row.review),
        created_at=row.created_at,
    )
