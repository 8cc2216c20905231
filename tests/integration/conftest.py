"""A storage on a real SQLite file, with its jobs and a clock; sessions of real sandboxes."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient
from docker.transport.unixconn import UnixHTTPConnection

from sandboxes.engine import connection
from sandboxes.interface import Session, Tier
from sandboxes.tiers import Tiers
from service.jobs.table import TableJobs
from service.storage.storage import Storage
from tests.databases import storage_in
from tests.integration.api import Api
from tests.integration.stored import Clock


@pytest.fixture(scope="module")
def client(tiers: Tiers) -> Iterator[DockerClient]:
    """Yield a client of the tiers' engine."""
    client = connection.connect()
    yield client
    client.close()


@pytest.fixture(scope="module")
def session(tiers: Tiers) -> Iterator[Session]:
    """Yield a session in tier jail."""
    with tiers.at_least(Tier.JAIL).session() as session:
        yield session


@pytest.fixture(scope="module", params=[Tier.JAIL, Tier.CONTAINER])
def every_tier(request: pytest.FixtureRequest, tiers: Tiers) -> Iterator[Session]:
    with tiers.at_least(request.param).session() as session:
        yield session


@pytest.fixture
def tidy_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Docker SDK leaves the socket of each refused connection open, for the garbage collector to complain of."""

    def connect_or_close(self: UnixHTTPConnection) -> None:
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connection.settimeout(self.timeout)
        try:
            connection.connect(self.unix_socket)
        except OSError:
            connection.close()
            raise
        self.sock = connection

    monkeypatch.setattr(UnixHTTPConnection, "connect", connect_or_close)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    opened = storage_in(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def jobs(storage: Storage) -> TableJobs:
    return TableJobs(storage.database)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(storage: Storage, jobs: TableJobs, clock: Clock) -> Api:
    return Api(storage, jobs, clock).with_task()
