"""Jobs as rows of a table in the storage's own database.

A row exists until its run is done, and `worker` names who holds its lease. `attempts` only ever grows, by one with
each delivery, so it is the fencing token: whoever comes with an older number has lost the lease.
"""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from service.jobs.interface import LEASE_SECONDS, Lease
from service.storage.database import Database
from service.storage.interface import RunId
from service.storage.tables import jobs

_LEASE = timedelta(seconds=LEASE_SECONDS)
_IMPOSSIBLE = 20 * _LEASE
"""A lease that ends later than this was given before the clock was set back; nobody may be waiting for its end."""


class TableJobs:
    """`service.jobs.interface.Jobs` on SQLite, for workers of one machine. Raises StorageError like the storage."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def lease(self, worker: str, now: datetime) -> Lease | None:
        due = or_(
            jobs.c.due_at.is_(None),
            jobs.c.due_at <= now,
            and_(jobs.c.worker.is_not(None), jobs.c.due_at > now + _IMPOSSIBLE),
        )
        oldest = select(jobs.c.sequence).where(due).order_by(jobs.c.sequence).limit(1).scalar_subquery()
        taken = (
            update(jobs)
            .where(jobs.c.sequence == oldest)
            .values(worker=worker, attempts=jobs.c.attempts + 1, due_at=now + _LEASE)
            .returning(jobs.c.run_id, jobs.c.attempts)
        )
        with self._database.writing() as connection:
            row = connection.execute(taken).first()
        return None if row is None else Lease(run_id=RunId(row.run_id), attempt=row.attempts)

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


def _held(lease: Lease) -> ColumnElement[bool]:
    return and_(jobs.c.run_id == lease.run_id, jobs.c.attempts == lease.attempt, jobs.c.worker.is_not(None))
