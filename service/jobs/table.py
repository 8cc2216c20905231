"""Jobs as rows of a table in the storage's own database.

A row exists until its run is done, and `worker` names the holder of its lease. `attempts` grows by one with each delivery,
so it is the fencing token: a worker with an older number has lost the lease.

Finding whose turn it is costs a few look-ups for each submitter with jobs, however many jobs they have: the query skips from
one name to the next in the index.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Select, and_, func, insert, not_, or_, select, update

from service.jobs.interface import LEASE_SECONDS, Lease
from service.storage.database import Database
from service.storage.interface import RunId
from service.storage.tables import jobs, turns

_LEASE = timedelta(seconds=LEASE_SECONDS)
_IMPOSSIBLE = 20 * _LEASE
"""A lease that ends later than this was made before the clock was set back; no job waits for its end."""


class TableJobs:
    """`service.jobs.interface.Jobs` on SQLite, for workers of one machine. Raises StorageError like the storage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lease(self, worker: str, now: datetime) -> Lease | None:
        taken = (
            update(jobs)
            .where(jobs.c.sequence == _next(now).scalar_subquery())
            .values(worker=worker, attempts=jobs.c.attempts + 1, due_at=now + _LEASE)
            .returning(jobs.c.run_id, jobs.c.attempts, jobs.c.submitter)
        )
        with self._database.writing() as connection:
            row = connection.execute(taken).first()
            if row is None:
                return None
            _had_a_turn(connection, row.submitter)
        return Lease(run_id=RunId(row.run_id), attempt=row.attempts)

    def renew(self, lease: Lease, now: datetime) -> bool:
        kept = update(jobs).where(_held(lease)).values(due_at=now + _LEASE)
        with self._database.writing() as connection:
            return connection.execute(kept).rowcount == 1

    def release(self, lease: Lease, now: datetime, *, retry_in_seconds: float) -> None:
        due_at = now + timedelta(seconds=retry_in_seconds)
        with self._database.writing() as connection:
            connection.execute(update(jobs).where(_held(lease)).values(worker=None, due_at=due_at))

    def depth(self, now: datetime) -> int:  # noqa: ARG002 - other engines need to know what is due
        with self._database.reading() as connection:
            return connection.execute(select(func.count()).select_from(jobs)).scalar_one()

    def overdue(self, now: datetime) -> timedelta:
        oldest = select(func.min(jobs.c.due_at)).where(jobs.c.worker.is_not(None))
        with self._database.reading() as connection:
            due_at = connection.execute(oldest).scalar_one()
        return max(timedelta(0), now - due_at) if due_at is not None else timedelta(0)


def _next(now: datetime) -> Select[tuple[int]]:
    """Return the query for the job to deliver next; it finds none if none is due."""
    due = or_(
        jobs.c.due_at.is_(None),
        jobs.c.due_at <= now,
        and_(jobs.c.worker.is_not(None), jobs.c.due_at > now + _IMPOSSIBLE),
    )
    names = select(func.min(jobs.c.submitter).label("submitter")).cte("names", recursive=True)
    following = select(func.min(jobs.c.submitter)).where(jobs.c.submitter > names.c.submitter).scalar_subquery()
    names = names.union_all(select(following).where(names.c.submitter.is_not(None)))
    own = jobs.c.submitter == names.c.submitter
    oldest = select(jobs.c.sequence).where(own, due).order_by(jobs.c.sequence).limit(1).scalar_subquery()
    under_way = select(func.count()).where(own, jobs.c.worker.is_not(None), not_(due)).scalar_subquery()
    candidates = (
        select(oldest.label("sequence"), under_way.label("under_way"), func.coalesce(turns.c.number, 0).label("turn"))
        .select_from(names.outerjoin(turns, turns.c.submitter == names.c.submitter))
        .where(names.c.submitter.is_not(None))
        .subquery("candidates")
    )
    return (
        select(candidates.c.sequence)
        .where(candidates.c.sequence.is_not(None))
        .order_by(candidates.c.under_way, candidates.c.turn, candidates.c.sequence)
        .limit(1)
    )


def _had_a_turn(connection: Connection, submitter: str) -> None:
    number = select(func.coalesce(func.max(turns.c.number), 0) + 1).scalar_subquery()
    if connection.execute(update(turns).where(turns.c.submitter == submitter).values(number=number)).rowcount == 0:
        connection.execute(insert(turns).values(submitter=submitter, number=number))


def _held(lease: Lease) -> ColumnElement[bool]:
    return and_(jobs.c.run_id == lease.run_id, jobs.c.attempts == lease.attempt, jobs.c.worker.is_not(None))
