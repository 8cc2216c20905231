"""Task versions in storage: packages as they were uploaded."""

from collections.abc import Sequence
from typing import Any, Protocol

from sqlalchemy import Row, func, insert, select

from graders.interface import TaskId
from service.storage.database import Database
from service.storage.interface import NotFoundError, TaskRecord
from service.storage.tables import pack, tasks, unpack


class Tasks(Protocol):
    """The port of task versions. Each method is a transaction and may raise StorageError."""

    def add(self, task: TaskRecord) -> bool:
        """Store a version. Return False, and change nothing, if this version is stored already."""
        ...

    def get(self, id: TaskId, version: str | None = None) -> TaskRecord:
        """Return that version, or the newest. Raise NotFoundError."""
        ...

    def newest_version(self, id: TaskId) -> str:
        """Return the newest version of a task without reading its package. Raise NotFoundError."""
        ...

    def page(self, *, after: str = "", limit: int = 100) -> Sequence[TaskRecord]:
        """Return the newest version of each task, ordered by id, from the first id after `after`."""
        ...


class SqlTasks:
    """`Tasks` in a SQL database; safe to share between threads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, task: TaskRecord) -> bool:
        same = select(tasks.c.sequence).where(tasks.c.id == task.id, tasks.c.version == task.version)
        row = insert(tasks).values(
            id=task.id,
            version=task.version,
            title=task.title,
            files=pack(dict(task.files)),
            created_at=task.created_at,
        )
        with self._database.writing() as connection:
            if connection.execute(same).first():
                return False
            connection.execute(row)
            return True

    def get(self, id: TaskId, version: str | None = None) -> TaskRecord:
        query = select(tasks).where(tasks.c.id == id).order_by(tasks.c.sequence.desc()).limit(1)
        if version is not None:
            query = query.where(tasks.c.version == version)
        with self._database.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise NotFoundError(f"task {id}" if version is None else f"version {version} of task {id}")
        return _record(row)

    def newest_version(self, id: TaskId) -> str:
        query = select(tasks.c.version).where(tasks.c.id == id).order_by(tasks.c.sequence.desc()).limit(1)
        with self._database.reading() as connection:
            version = connection.execute(query).scalar()
        if version is None:
            raise NotFoundError(f"task {id}")
        return str(version)

    def page(self, *, after: str = "", limit: int = 100) -> Sequence[TaskRecord]:
        newest = (
            select(func.max(tasks.c.sequence))
            .where(tasks.c.id > after)
            .group_by(tasks.c.id)
            .order_by(tasks.c.id)
            .limit(limit)
        )
        query = select(tasks).where(tasks.c.sequence.in_(newest)).order_by(tasks.c.id)
        with self._database.reading() as connection:
            return [_record(row) for row in connection.execute(query)]


def _record(row: Row[Any]) -> TaskRecord:
    return TaskRecord(
        id=TaskId(row.id), version=row.version, title=row.title, files=unpack(row.files), created_at=row.created_at
    )
