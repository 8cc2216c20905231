"""The configuration of an engine that Assay starts: a file of its own, which the engine reads again while boxes run.

The file begins as a copy of the operator's own, with our runtimes added. An engine with that file in its command line is
ours, whichever process of Assay started it. If a runtime is installed later, Assay adds it to the file and signals the
engine to read it again, which disturbs no running container. Every other engine is left as it is.
"""

import json
import os
import signal
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from docker import DockerClient

from sandboxes.engine import gvisor
from sandboxes.interface import SandboxError

CONFIG = Path("/var/lib/assay/engine.json")
OPERATORS = Path("/etc/docker/daemon.json")
"""The file that an engine reads by default. An engine reads one file only."""
LEARN_SECONDS = 30.0


def options(config: Path = CONFIG) -> list[str]:
    """Write `config` and return the options of an engine of ours; for root. Raises SandboxError if the operator's file is not JSON."""
    _write(config, _with_runtimes(_read(OPERATORS)))
    return [f"--config-file={config}"]


def learn(client: DockerClient, report: Callable[[str], None], config: Path = CONFIG) -> None:
    """Add each runtime that this host has and the engine lacks, if the engine is ours; `report` gets progress.

    Raises SandboxError if the engine does not learn it in time.
    """
    wanted = gvisor.runtimes()
    if not wanted.keys() - client.info()["Runtimes"].keys():
        return
    process = _process(config)
    if process is None:
        return
    report(f"telling the Docker engine of {', '.join(wanted)}")
    try:
        _write(config, _with_runtimes(_read(config)))
        signal.pidfd_send_signal(process, signal.SIGHUP)
    except PermissionError:
        report("only root may tell the Docker engine that Assay started of a runtime: run this once as root")
        return
    finally:
        os.close(process)
    deadline = time.monotonic() + LEARN_SECONDS
    while wanted.keys() - client.info()["Runtimes"].keys():
        if time.monotonic() > deadline:
            raise SandboxError(f"the Docker engine did not read {config} again within {LEARN_SECONDS:.0f} s")
        time.sleep(0.05)


def _process(config: Path) -> int | None:
    """Return a descriptor of the engine's process; None if the engine is not ours or does not listen on a socket of this host."""
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if not host.startswith("unix://"):
        return None
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(host.removeprefix("unix://"))
        # The listener's pid: 0 if it is in another pid namespace; systemd's if systemd made the socket.
        (pid, _, _) = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    try:
        process = os.pidfd_open(pid)
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, OverflowError):
        return None
    if f"--config-file={config}".encode() in words:
        return process
    os.close(process)
    return None


def _with_runtimes(settings: dict[str, Any]) -> dict[str, Any]:
    return {**settings, "runtimes": {**settings.get("runtimes", {}), **gvisor.runtimes()}}


def _read(path: Path) -> dict[str, Any]:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise SandboxError(
            f"{path} is not JSON, so the Docker engine cannot be started with it", error=error
        ) from error
    if not isinstance(settings, dict) or not isinstance(settings.get("runtimes", {}), dict):
        raise SandboxError(f"{path} must hold a JSON object, and `runtimes` in it another")
    return settings


def _write(path: Path, settings: dict[str, Any]) -> None:
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_text(json.dumps(settings, indent=2) + "\n", encoding="utf-8")
    new.replace(path)
