"""Storage in a database that speaks SQL: SQLite now, the same schema on PostgreSQL later.

Each method is one transaction; the statements are in the modules `..._rows`.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Self

from graders.interface import TaskId
from rubrics.signals import CaseOutcome
from service.storage import run_rows, task_rows, token_rows
from service.storage.database import Database
from service.storage.interface import (
    ONE_TIME_PREFIX,
    Principal,
    RunId,
    RunRecord,
    RunResult,
    RunState,
    RunSummary,
    SubmissionRecord,
    TaskRecord,
)
from service.storage.reviews import SqlReviews


class SqlStorage:
    """`service.storage.interface.Storage`; safe to share between threads. Every method may raise StorageError."""

    def __init__(self, database: Database) -> None:
        self.database = database
        """Shared with `TableJobs`, whose jobs end in the transactions of this storage."""
        self.reviews = SqlReviews(database)

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the database at an SQLAlchemy URL such as `sqlite:////var/lib/assay/assay.sqlite3`.

        Makes it, or brings its schema to the newest revision. Raises StorageError.
        """
        database = Database(url)
        database.migrate()
        return cls(database)

    # tasks
    def add_task(self, task: TaskRecord) -> bool:
        with self.database.writing() as connection:
            return task_rows.add(connection, task)

    def task(self, id: TaskId, version: str | None = None) -> TaskRecord:
        with self.database.reading() as connection:
            return task_rows.get(connection, id, version)

    def newest_version(self, id: TaskId) -> str:
        with self.database.reading() as connection:
            return task_rows.newest_version(connection, id)

    def tasks(self, *, after: str = "", limit: int = 100) -> Sequence[TaskRecord]:
        with self.database.reading() as connection:
            return task_rows.page(connection, after, limit)

    # submissions and runs
    def accept(
        self,
        records: Sequence[SubmissionRecord],
        keys: Sequence[str],
        fingerprints: Sequence[str],
        *,
        queue_limit: int | None = None,
    ) -> Sequence[RunId]:
        with self.database.writing() as connection:
            return run_rows.accept(connection, records, keys, fingerprints, queue_limit=queue_limit)

    def run(self, id: RunId) -> RunRecord:
        with self.database.reading() as connection:
            return run_rows.get(connection, id)

    def summary(self, id: RunId) -> RunSummary:
        with self.database.reading() as connection:
            return run_rows.summary(connection, id)

    def cases(self, id: RunId) -> Sequence[CaseOutcome]:
        with self.database.reading() as connection:
            return run_rows.cases_of(connection, id)

    def done(self, ids: Collection[RunId]) -> frozenset[RunId]:
        with self.database.reading() as connection:
            return run_rows.done(connection, ids)

    def finished_runs(
        self, *, tag: str | None, submitter: str | None = None, after: str = "", limit: int = 100
    ) -> tuple[Sequence[RunSummary], str]:
        with self.database.reading() as connection:
            rows = run_rows.finished(connection, tag=tag, submitter=submitter, after=int(after or 0), limit=limit)
        # Unpacked with the connection given back already.
        return [run_rows.summarized(row) for row in rows], str(rows[-1].sequence) if rows else after

    def run_counts(self) -> Mapping[RunState, int]:
        with self.database.reading() as connection:
            return run_rows.counts(connection)

    def start_run(self, id: RunId, attempt: int) -> None:
        with self.database.writing() as connection:
            run_rows.start(connection, id, attempt)

    def finish_run(self, id: RunId, attempt: int, findings: RunResult, now: datetime) -> bool:
        with self.database.writing() as connection:
            return run_rows.finish(connection, id, attempt, findings, now)

    # access
    def add_token(
        self,
        name: str,
        scopes: frozenset[str],
        now: datetime,
        *,
        expires_at: datetime | None,
        one_time: bool = False,
    ) -> str:
        with self.database.writing() as connection:
            return token_rows.add(connection, name, scopes, now, expires_at=expires_at, one_time=one_time)

    def principal(self, token: str, now: datetime) -> Principal | None:
        # Only a one-time token that there is writes; all others must not wait for the writer.
        with self.database.reading() as connection:
            if not token.startswith(ONE_TIME_PREFIX) or not token_rows.exists(connection, token):
                return token_rows.principal(connection, token, now)
        with self.database.writing() as connection:
            return token_rows.principal(connection, token, now)

    def has_tokens(self) -> bool:
        with self.database.reading() as connection:
            return token_rows.any_exists(connection)

    def check_write(self) -> None:
        with self.database.writing() as connection:
            run_rows.count_check(connection)

    def close(self) -> None:
        self.database.close()
