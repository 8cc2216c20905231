"""An engine that Assay started learns of a runtime that is installed later; what runs in it goes on, and others are left alone."""

import io
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from docker import DockerClient
from typer.testing import CliRunner

from sandboxes.engine import connection, gvisor, own_engine
from sandboxes.interface import SandboxError, Tier
from service.cli.main import app
from service.host import preparation

NAME = "assay-runsc"


@contextmanager
def running(folder: Path, options: list[str]) -> Iterator[DockerClient]:
    """An engine with nothing in it, beside that of the host: all that it has is in `folder`."""
    program = shutil.which("dockerd") or shutil.which("dockerd", path="/usr/sbin:/sbin") or "dockerd"
    places = [f"--host=unix://{folder}/docker.sock", f"--data-root={folder}/data", f"--exec-root={folder}/exec"]
    apart = [f"--pidfile={folder}/docker.pid", "--bridge=none", "--iptables=false", "--storage-driver=vfs"]
    with (folder / "log").open("wb") as log:
        # An engine without a bridge removes docker0, which is the host's.
        process = subprocess.Popen(["unshare", "--net", program, *places, *apart, *options], stdout=log, stderr=log)
    try:
        connection._wait((folder / "log").read_text, lambda: process.poll() is None)
        client = connection.connect()
        yield client
        for container in client.containers.list(all=True):
            container.remove(force=True)
        client.close()
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(
        prefix="assay-engine-", ignore_cleanup_errors=True
    ) as name:  # a short path, for sockets
        monkeypatch.setenv("DOCKER_HOST", f"unix://{name}/docker.sock")
        yield Path(name)


@pytest.fixture
def operators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The operator's own configuration: none."""
    monkeypatch.setattr(own_engine, "OPERATORS", tmp_path / "daemon.json")
    return tmp_path / "daemon.json"


def options_before_gvisor(config: Path) -> list[str]:
    with pytest.MonkeyPatch.context() as bare:
        bare.setattr(gvisor, "program", lambda: "")
        return own_engine.options(config)


def sleeper(client: DockerClient) -> str:
    """The id of a container that runs, of an image that is empty but for the host's programs."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for path in ("bin", "lib", "lib64"):
            link = tarfile.TarInfo(path)
            link.type, link.linkname = tarfile.SYMTYPE, f"usr/{path}"
            tar.addfile(link)
    client.api.import_image_from_data(content.getvalue(), repository="empty")
    usr = {"/usr": {"bind": "/usr", "mode": "ro"}}
    return str(
        client.containers.run("empty", ["/usr/bin/sleep", "600"], network_mode="none", volumes=usr, detach=True).id
    )


def test_an_engine_of_ours_learns_of_gvisor_and_loses_nothing(folder: Path, operators: Path) -> None:
    operators.write_text(json.dumps({"labels": ["kept=1"], "runtimes": {"theirs": {"path": "/bin/false"}}}))
    config, told = folder / "engine.json", []
    with running(folder, options_before_gvisor(config)) as client:
        assert NAME not in client.info()["Runtimes"]
        box = sleeper(client)
        own_engine.learn(client, told.append, config)
        info = client.info()
        assert info["Runtimes"][NAME]["path"] == gvisor.program()
        assert "theirs" in info["Runtimes"]
        assert info["Labels"] == ["kept=1"]
        container = client.containers.get(box)
        assert container.status == "running"
        assert container.exec_run(["/usr/bin/true"]).exit_code == 0
        own_engine.learn(client, told.append, config)  # which is nothing more to do
    assert told == [f"telling the Docker engine of {NAME}"]


def test_an_engine_of_somebody_else_is_left_alone_and_said_before_the_first_test(folder: Path) -> None:
    theirs, told = folder / "theirs.json", []
    theirs.write_text("{}")
    with running(folder, [f"--config-file={theirs}"]) as client:
        own_engine.learn(client, told.append, folder / "engine.json")
        assert NAME not in client.info()["Runtimes"]
        said = CliRunner().invoke(app, ["doctor", "--tier", "gvisor", "--json"], terminal_width=500)
        [(tier, problem)] = preparation.lacks().items()  # with which `assay test` ends, before its first test
        found = {each["name"]: each for each in json.loads(said.stdout)["conditions"]}
    assert told == []
    assert theirs.read_text() == "{}"
    assert not (folder / "engine.json").exists()
    assert tier is Tier.GVISOR
    remedy = found["runtime"]["remedy"]
    assert remedy in problem
    assert json.dumps({"runtimes": gvisor.runtimes()}) in remedy
    for step in ("/etc/docker/daemon.json", "systemctl reload docker", "docker info"):
        assert step in remedy


@pytest.mark.parametrize("text", ["{", "[]", '{"runtimes": 1}'])
def test_a_configuration_that_no_engine_could_read_is_named(text: str, operators: Path, tmp_path: Path) -> None:
    operators.write_text(text)
    with pytest.raises(SandboxError, match=r"daemon\.json"):
        own_engine.options(tmp_path / "engine.json")
    assert not (tmp_path / "engine.json").exists()
