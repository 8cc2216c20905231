"""Storages of tests on real SQLite files: the schema is made once in each process, and its file copied."""

import tempfile
from functools import cache
from pathlib import Path

from service.storage.database import Database
from service.storage.storage import Storage


@cache
def _newest_schema() -> bytes:
    """An empty database of the newest schema; copying it is ten times faster than migrating for each test."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "assay.sqlite3"
        Storage.open(f"sqlite:///{file}").close()
        return file.read_bytes()


def storage_in(folder: Path) -> Storage:
    """The storage of a service whose home is this folder; a new one, or the one that is there."""
    file = folder / "assay.sqlite3"
    if not file.exists():
        file.write_bytes(_newest_schema())
    return Storage.on(Database(f"sqlite:///{file}"))
