"""Removing containers while the engine is away: done when it is back, given up in the end."""

import gc
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from docker import DockerClient

from sandboxes.interface import Sandbox
from sandboxes.remover import CLOSING_SECONDS, Remover
from sandboxes.sweep import new_name

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
def container(client: DockerClient, sandbox: Sandbox) -> Iterator[str]:
    """Name of a container that does nothing."""
    name = new_name()
    client.api.create_container(sandbox.name.partition("@")[2], name=name, network_disabled=True)
    yield name
    if exists(client, name):
        client.api.remove_container(name, force=True)


def exists(client: DockerClient, name: str) -> bool:
    return bool(client.api.containers(all=True, filters={"name": f"^/{name}$"}))


def test_what_an_absent_engine_could_not_remove_is_removed_when_it_is_back(
    client: DockerClient, away: tuple[DockerClient, Path], container: str
) -> None:
    remover = Remover(away[0])
    removal = remover.remove(container)
    with pytest.raises(TimeoutError):
        removal.result(timeout=0.5)
    away[1].symlink_to(SOCKET)
    removal.result(timeout=30)
    assert not exists(client, container)
    remover.close()


def test_what_is_left_at_the_end_is_tried_once_more(
    client: DockerClient, away: tuple[DockerClient, Path], container: str
) -> None:
    remover = Remover(away[0])
    removal = remover.remove(container)
    with pytest.raises(TimeoutError):
        removal.result(timeout=2)
    away[1].symlink_to(SOCKET)
    remover.close()
    assert not exists(client, container)
    assert remover.remove(container).done(), "one that is gone is no error, nor is a remover that is closed"


def test_an_engine_that_stays_away_is_given_up(away: tuple[DockerClient, Path]) -> None:
    remover = Remover(away[0])
    removals = [remover.remove(new_name()) for _ in range(4)]
    began = time.monotonic()
    remover.close()
    assert time.monotonic() - began < CLOSING_SECONDS + 60
    assert all(removal.done() for removal in removals)
