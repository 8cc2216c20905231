"""A storage on a real SQLite file, with its jobs and a clock."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from service.jobs.table import TableJobs
from service.storage.sql import SqlStorage
from tests.integration.stored import Clock


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[SqlStorage]:
    opened = SqlStorage.open(f"sqlite:///{tmp_path}/assay.sqlite3")
    yield opened
    opened.close()


@pytest.fixture
def jobs(storage: SqlStorage) -> TableJobs:
    return TableJobs(storage.database)


@pytest.fixture
def clock() -> Clock:
    return Clock()
