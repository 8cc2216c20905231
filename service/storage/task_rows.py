"""Statements on task versions."""

from collections.abc import Sequence

from sqlalchemy import Connection, Row, func, insert, select

from graders.interface import TaskId
from service.storage.interface import NotFoundError, TaskRecord
from service.storage.tables import pack, tasks, unpack


def add(connection: Connection, task: TaskRecord) -> bool:
    same = select(tasks.c.sequence).where(tasks.c.id == task.id, tasks.c.version == task.version)
    if connection.execute(same).first():
        return False
    connection.execute(
        insert(tasks).values(
            id=task.id,
            version=task.version,
            title=task.title,
            files=pack(dict(task.files)),
            created_at=task.created_at,
        )
    )
    return True


def get(connection: Connection, id: TaskId, version: str | None) -> TaskRecord:
    query = select(tasks).where(tasks.c.id == id).order_by(tasks.c.sequence.desc()).limit(1)
    if version is not None:
        query = query.where(tasks.c.version == version)
    row = connection.execute(query).first()
    if row is None:
        raise NotFoundError(f"task {id}" if version is None else f"version {version} of task {id}")
    return _record(row)


def newest_version(connection: Connection, id: TaskId) -> str:
    query = select(tasks.c.version).where(tasks.c.id == id).order_by(tasks.c.sequence.desc()).limit(1)
    version = connection.execute(query).scalar()
    if version is None:
        raise NotFoundError(f"task {id}")
    return str(version)


def page(connection: Connection, after: str, limit: int) -> Sequence[TaskRecord]:
    newest = (
        select(func.max(tasks.c.sequence))
        .where(tasks.c.id > after)
        .group_by(tasks.c.id)
        .order_by(tasks.c.id)
        .limit(limit)
    )
    rows = connection.execute(select(tasks).where(tasks.c.sequence.in_(newest)).order_by(tasks.c.id))
    return [_record(row) for row in rows]


def _record(row: Row[tuple[object, ...]]) -> TaskRecord:
    return TaskRecord(
        id=TaskId(row.id), version=row.version, title=row.title, files=unpack(row.files), created_at=row.created_at
    )
