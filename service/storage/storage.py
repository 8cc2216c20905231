"""Everything that the service keeps, by aggregate, in one SQL database: SQLite now, the same schema on PostgreSQL later."""

from dataclasses import dataclass
from typing import Self

from service.storage.access import Access, SqlAccess
from service.storage.database import Database
from service.storage.reviews import Reviews, SqlReviews
from service.storage.runs import Runs, SqlRuns
from service.storage.tasks import SqlTasks, Tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The ports of the four aggregates, and their database. Safe to share between threads."""

    tasks: Tasks
    runs: Runs
    reviews: Reviews
    access: Access
    database: Database
    """Shared with `TableJobs`: jobs begin and end in transactions of `runs`."""

    @classmethod
    def on(cls, database: Database) -> Self:
        """Return the storage in this database."""
        return cls(
            tasks=SqlTasks(database),
            runs=SqlRuns(database),
            reviews=SqlReviews(database),
            access=SqlAccess(database),
            database=database,
        )

    @classmethod
    def open(cls, url: str) -> Self:
        """Open the database at an SQLAlchemy URL such as `sqlite:////var/lib/assay/assay.sqlite3`.

        Create it, or bring its schema to the newest revision. Raise StorageError.
        """
        database = Database(url)
        database.migrate()
        return cls.on(database)

    def close(self) -> None:
        """Close every connection."""
        self.database.close()
