"""The engine under the storage: connections, transactions, migrations.

SQLite writes ahead, so readers never wait for the writer. It checks foreign keys. A writing transaction takes the write lock
when it begins: one that begins as a reader and writes later fails with "database is locked" instead of waiting.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, exc, insert, update
from sqlalchemy.engine import make_url

from service.storage.interface import StorageError, UnavailableError
from service.storage.tables import counters

BUSY_SECONDS = 5
"""Seconds that a writer waits for another one. With more, waiting writers would hold every thread that could answer."""
_CONNECTIONS = 48
"""More than the threads of the web server and the workers together, so that no thread waits for a connection."""


class Database:
    """Transactions on one database.

    Every failure of the database raises StorageError: UnavailableError if it may pass, as a lock or a full disk does.
    """

    def __init__(self, url: str) -> None:
        try:
            parsed = make_url(url)
        except exc.ArgumentError as error:
            raise StorageError(f"database_url: expected something like sqlite:///assay.sqlite3, not {url!r}") from error
        if parsed.get_backend_name() == "sqlite" and parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        self.url = url
        self._engine = create_engine(parsed, pool_size=_CONNECTIONS, max_overflow=0)
        if self._engine.dialect.name == "sqlite":
            _configure_sqlite(self._engine)
        self._writer = self._engine.execution_options(assay_writes=True)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction with one consistent picture. Nothing may be written in it."""
        with _translated(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Open a transaction that is kept whole or not at all. On SQLite there is one writer at a time."""
        with _translated(), self._writer.begin() as connection:
            yield connection

    def check_write(self) -> None:
        """Write a row and keep it. Raise StorageError if that fails, as with a full disk or a lock.

        The row's number grows, because a database may skip a write that changes nothing.
        """
        counted = update(counters).where(counters.c.name == "check").values(value=counters.c.value + 1)
        with self.writing() as connection:
            if connection.execute(counted).rowcount == 0:
                connection.execute(insert(counters).values(name="check", value=1))

    def migrate(self) -> None:
        """Bring the schema to the newest revision, in one transaction. A second process waits for the first."""
        config = Config()
        config.set_main_option("script_location", str(Path(__file__).with_name("migrations")).replace("%", "%%"))
        with self.writing() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def close(self) -> None:
        self._engine.dispose()


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except exc.OperationalError as error:
        kind = StorageError if _is_a_bug(error.orig) else UnavailableError
        raise kind(f"the database failed: {error.orig}") from error
    except exc.TimeoutError as error:  # every connection of our pool is in use
        raise UnavailableError(f"the database failed: {error}") from error
    except exc.DBAPIError as error:
        raise StorageError(f"the database failed: {error.orig}") from error
    except exc.SQLAlchemyError as error:
        raise StorageError(f"the database failed: {error}") from error


def _is_a_bug(error: BaseException | None) -> bool:
    """Return True for SQLite's general error: a wrong statement, a missing table. Nothing but a repair ends those.

    SQLite reports a lock, a full disk and a lost file under codes of their own.
    """
    code = getattr(error, "sqlite_errorcode", None)
    return code is not None and code & 0xFF == sqlite3.SQLITE_ERROR


def _configure_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        for pragma in (
            "journal_mode=WAL",
            "synchronous=NORMAL",
            f"busy_timeout={BUSY_SECONDS * 1000}",
            "foreign_keys=ON",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begun(connection: Connection) -> None:
        writes = connection.get_execution_options().get("assay_writes", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
