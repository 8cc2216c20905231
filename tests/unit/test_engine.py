"""What an engine that was killed leaves behind does not keep the next one from starting."""

import os
import subprocess
from pathlib import Path

import pytest

from sandboxes.engine import connection
from sandboxes.engine.connection import forget_dead
from sandboxes.interface import SandboxError

OWN_NAME = Path("/proc/self/comm").read_text().strip()


@pytest.mark.parametrize(
    "text", ["4194999", str(os.getpid()), "", "x"], ids=["nobody", "another program", "empty", "no pid"]
)
def test_a_pid_file_of_a_dead_engine_is_removed(text: str, tmp_path: Path) -> None:
    path = tmp_path / "docker.pid"
    path.write_text(text)
    forget_dead(path, "dockerd")
    assert not path.exists()
    forget_dead(path, "dockerd")  # nothing there is fine


def test_a_pid_file_of_a_living_engine_stays(tmp_path: Path) -> None:
    path = tmp_path / "docker.pid"
    path.write_text(str(os.getpid()))
    forget_dead(path, OWN_NAME)
    assert path.exists()


def test_an_engine_that_is_dead_but_not_waited_for_is_dead(tmp_path: Path) -> None:
    path = tmp_path / "docker.pid"
    process = subprocess.Popen(["sleep", "60"])
    path.write_text(str(process.pid))
    forget_dead(path, "sleep")
    assert path.exists()
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    forget_dead(path, "sleep")
    assert not path.exists()
    process.wait()


def test_an_engine_that_is_not_there_is_not_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The SDK forgets to close a socket per refused try, and the collector finds it at any time after."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(SandboxError, match="no Docker engine answers") as raised:
        connection.connect()
    assert raised.value.__cause__ is None
