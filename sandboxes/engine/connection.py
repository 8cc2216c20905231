"""Finds the Docker engine and, where this host has one that is not running, starts it.

An engine that answers is used: it is not restarted, and only one that Assay started is ever configured (own_engine.py).
"""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from docker import DockerClient
from docker.errors import DockerException

from sandboxes.engine import own_engine
from sandboxes.interface import SandboxError

LOG = Path("/var/log/assay-dockerd.log")
PID_FILES = {
    Path("/var/run/docker.pid"): "dockerd",
    Path("/var/run/docker/containerd/containerd.pid"): "containerd",
}
START_SECONDS = 60.0
POOL_SIZE = 32
"""Connections to the engine that may be open at once; one for each box that runs, and some."""

Report = Callable[[str], None]
"""Takes a line about each step."""


def connect() -> DockerClient:
    """Return a client of the engine that DOCKER_HOST names, or of the local one. Raises SandboxError if none answers."""
    host = os.environ.get("DOCKER_HOST", "local")
    if not _listening():
        raise SandboxError("no Docker engine answers", host=host)
    try:
        client = DockerClient.from_env(timeout=120, max_pool_size=POOL_SIZE)
        client.ping()
    except DockerException as error:
        raise SandboxError("no Docker engine answers", host=host, error=error) from error
    return client


def running() -> bool:
    try:
        connect().close()
    except SandboxError:
        return False
    return True


def _listening() -> bool:
    """Return False if nothing listens on the engine's local socket. Checked first, because the SDK leaks a socket per refused try."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not host.startswith("unix://"):
        return True  # for the SDK to find out
    with socket.socket(socket.AF_UNIX) as trial:
        return trial.connect_ex(host.removeprefix("unix://")) == 0


def start(report: Report) -> None:
    """Start the local engine and wait until it answers. Raises SandboxError, whose message names the steps by hand."""
    if os.environ.get("DOCKER_HOST"):
        raise SandboxError(
            f"DOCKER_HOST is {os.environ['DOCKER_HOST']}, but no engine answers there; start it, or unset it"
        )
    dockerd = shutil.which("dockerd") or shutil.which("dockerd", path="/usr/sbin:/sbin")
    if dockerd is None:
        raise SandboxError("no Docker engine is installed; on Debian or Ubuntu: apt-get install docker.io")
    if os.geteuid() != 0:
        raise SandboxError("the Docker engine is not running and only root may start it: sudo systemctl start docker")
    if Path("/run/systemd/system").is_dir():
        report("starting the Docker engine with systemctl")
        subprocess.run(["systemctl", "start", "docker"], check=False)
        _wait(lambda: "see journalctl -u docker", lambda: True)
        return
    report(f"starting the Docker engine (log: {LOG})")
    for path, program in PID_FILES.items():
        forget_dead(path, program)
    with LOG.open("ab") as log, Path(os.devnull).open("rb") as nothing:
        # A session of its own: the engine serves others after this program has ended. Not a Popen, which would be waited for.
        streams = [(os.POSIX_SPAWN_DUP2, source.fileno(), fd) for fd, source in enumerate((nothing, log, log))]
        pid = os.posix_spawn(dockerd, [dockerd, *own_engine.options()], os.environ, file_actions=streams, setsid=True)
    _wait(lambda: _tail(LOG), lambda: os.waitpid(pid, os.WNOHANG) == (0, 0))


def forget_dead(path: Path, program: str) -> None:
    """Remove a pid file that an engine which was killed left behind, unless that process is still this program.

    The engine itself only checks whether some process has that number, even a zombie. If one has, it refuses to start, or waits
    in vain for its containerd.
    """
    try:
        pid = int(path.read_text())
        name, _, rest = Path(f"/proc/{pid}/stat").read_text().partition("(")[2].rpartition(") ")
        alive = name == program and not rest.startswith("Z")
    except (OSError, ValueError):
        alive = False
    if not alive:
        path.unlink(missing_ok=True)


def _wait(explain: Callable[[], str], alive: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not running():
        if not alive():
            raise SandboxError(f"the Docker engine did not start:\n{explain()}")
        if time.monotonic() > deadline:
            raise SandboxError(f"the Docker engine did not answer within {START_SECONDS:.0f} s:\n{explain()}")
        time.sleep(0.2)


def _tail(path: Path) -> str:
    return "\n".join(path.read_text(errors="replace").splitlines()[-8:])
