"""Removing containers while the engine is away: done when it is back, given up in the end."""

import gc
import time
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from docker import DockerClient
from docker.errors import DockerException

from sandboxes.engine.remover import CLOSING_SECONDS, Remover
from sandboxes.engine.sweep import MARK_LABEL, labels, new_mark, remove_marked
from sandboxes.interface import Sandbox

SOCKET = Path("/var/run/docker.sock")

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the SDK's refused sockets


@pytest.fixture
def away(tmp_path: Path) -> Iterator[tuple[DockerClient, Path]]:
    """A client whose engine answers once its socket exists."""
    path = tmp_path / "engine.sock"
    client = DockerClient(base_url=f"unix://{path}", version="1.41")
    yield client, path
    client.close()
    gc.collect()


@pytest.fixture
def mark(client: DockerClient, sandbox: Sandbox) -> Iterator[str]:
    """Of a container that does nothing."""
    mark = new_mark()
    client.api.create_container(sandbox.name.partition("@")[2], labels=labels(mark), network_disabled=True)
    yield mark
    remove_marked(client, mark)


def made(client: DockerClient, mark: str) -> list[str]:
    """The ids of the containers with this mark."""
    return [row["Id"] for row in client.api.containers(all=True, filters={"label": f"{MARK_LABEL}={mark}"})]


def test_what_an_absent_engine_could_not_remove_is_removed_when_it_is_back(
    client: DockerClient, away: tuple[DockerClient, Path], mark: str
) -> None:
    remover = Remover(away[0])
    removal = remover.remove_marked(mark)
    with pytest.raises(TimeoutError):
        removal.result(timeout=0.5)
    away[1].symlink_to(SOCKET)
    removal.result(timeout=30)
    assert not made(client, mark)
    remover.close()


def test_what_is_left_at_the_end_is_tried_once_more(
    client: DockerClient, away: tuple[DockerClient, Path], mark: str
) -> None:
    remover = Remover(away[0])
    removal = remover.remove_marked(mark)
    with pytest.raises(TimeoutError):
        removal.result(timeout=2)
    away[1].symlink_to(SOCKET)
    remover.close()
    assert not made(client, mark)
    assert remover.remove_marked(mark).done(), "one that is gone is no error, nor is a remover that is closed"


def test_an_engine_that_stays_away_is_given_up(away: tuple[DockerClient, Path]) -> None:
    remover = Remover(away[0])
    removals = [remover.remove("no-such-container") for _ in range(4)]
    began = time.monotonic()
    remover.close()
    assert time.monotonic() - began < CLOSING_SECONDS + 60
    assert all(removal.done() for removal in removals)


class StubbornEngine:
    """Refuses to remove some containers, as a real one does while something holds their files."""

    def __init__(self) -> None:
        self.api = self
        self.stubborn = True

    def remove_container(self, container: str, **_: bool) -> None:
        if self.stubborn and container.startswith("held"):
            raise DockerException("device or resource busy")


def test_what_cannot_be_removed_keeps_no_other_waiting() -> None:
    """Else two such containers would let all others stay, and each submission of tier container wait for its own."""
    engine = StubbornEngine()
    remover = Remover(cast("DockerClient", engine))
    try:
        held = [remover.remove(f"held {number}") for number in range(6)]
        for _ in range(5):
            remover.remove("free").result(timeout=60)
        assert not any(removal.done() for removal in held)
    finally:
        engine.stubborn = False
        remover.close()
    assert all(removal.done() for removal in held)
