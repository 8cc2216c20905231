"""The schema, its migrations, and how SQLite is set up."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, Integer, MetaData, text

from service.storage.database import Database
from service.storage.interface import StorageError
from service.storage.storage import Storage
from service.storage.tables import metadata, pack, unpack
from tests.integration.stored import START, task


def differences(connection: Connection, wanted: MetaData) -> list[object]:
    return list(compare_metadata(MigrationContext.configure(connection), wanted))


def test_the_migrations_together_make_the_schema(storage: Storage) -> None:
    with storage.database.reading() as connection:
        assert differences(connection, metadata) == []


def test_a_column_without_a_migration_would_be_noticed(storage: Storage) -> None:
    changed = MetaData()
    for table in metadata.tables.values():
        table.to_metadata(changed)
    changed.tables["runs"].append_column(Column("forgotten", Integer))
    with storage.database.reading() as connection:
        assert "forgotten" in str(differences(connection, changed))


def test_opening_again_keeps_what_is_there(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/folder/assay.sqlite3"
    first = Storage.open(url)
    first.tasks.add(task())
    first.close()
    second = Storage.open(url)
    assert second.tasks.page() == [task()]
    second.close()


def test_many_may_open_a_new_database_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/assay.sqlite3"
    with ThreadPoolExecutor(6) as threads:
        opened = list(threads.map(Storage.open, [url] * 6))
    assert all(storage.tasks.page() == [] for storage in opened)
    for storage in opened:
        storage.close()


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 1), ("foreign_keys", 1), ("busy_timeout", 5_000)]
)
def test_sqlite_is_set_up_on_every_connection(storage: Storage, pragma: str, value: object) -> None:
    with storage.database.reading(), storage.database.reading() as second:
        assert second.execute(text(f"PRAGMA {pragma}")).scalar() == value


def test_a_writer_takes_the_lock_where_it_begins(tmp_path: Path) -> None:
    storage = Storage.open(f"sqlite:///{tmp_path}/assay.sqlite3")
    impatient = Database(f"sqlite:///{tmp_path}/assay.sqlite3?timeout=0")
    with storage.database.writing(), storage.database.reading() as reader:
        assert reader.execute(text("SELECT count(*) FROM runs")).scalar() == 0
        with impatient.reading() as connection:
            connection.exec_driver_sql("PRAGMA busy_timeout=0")
        with pytest.raises(StorageError, match="locked"), impatient.writing():
            pytest.fail("two writers at once")
    impatient.close()
    storage.close()


def test_a_failed_transaction_leaves_nothing(storage: Storage) -> None:
    with pytest.raises(ZeroDivisionError), storage.database.writing() as connection:
        connection.execute(metadata.tables["tokens"].delete())
        connection.execute(
            metadata.tables["counters"].insert().values(name="half", value=1),
        )
        raise ZeroDivisionError
    with storage.database.reading() as connection:
        assert connection.execute(text("SELECT name FROM counters")).scalars().all() == ["finish"]


def test_a_file_that_is_no_database_is_our_failure_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "assay.sqlite3").write_bytes(b"not a database, " * 100)
    with pytest.raises(StorageError, match="not a database"):
        Storage.open(f"sqlite:///{tmp_path}/assay.sqlite3")


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(StorageError, match="database_url"):
        Storage.open("assay.sqlite3")


def test_a_time_without_a_zone_is_refused(storage: Storage) -> None:
    with pytest.raises(StorageError, match="without a zone"):
        storage.access.add_token("a", frozenset(), START.replace(tzinfo=None), expires_at=None)


def test_packing_keeps_what_a_submission_may_print() -> None:
    value = {"\x00": ["\ud800", "\u202e", float("inf"), 2**70]}
    assert unpack(pack(value)) == value
