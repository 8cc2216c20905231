"""Prepares this host for `./assay demo` and `./assay test`: engine, image tools, box image.

Installs only on Debian and Ubuntu, only as root and only what is missing; elsewhere it says what to install.
"""

import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sandboxes import engine, images
from sandboxes.container_sandbox import ContainerSandbox
from sandboxes.engine import Report
from sandboxes.sweep import sweep


class HostError(Exception):
    """This host lacks something that Assay cannot install by itself. The message says what to do."""


def prepare(report: Report, *, base_image: str = "") -> ContainerSandbox:
    """Everything that a box needs, made where it is missing; `report` is told each step as it begins.

    Raises HostError or SandboxError, each with what to do.
    """
    with _one_at_a_time():
        if not engine.running():
            _install({"dockerd": "docker.io"}, report)
            if not engine.running():  # installing it starts it where systemd runs
                engine.start(report)
        client = engine.connect()
        if images.find(client, base_image) is None and not base_image:
            _install({"mmdebstrap": "mmdebstrap"}, report, optional=True)
        sandbox = ContainerSandbox(client, images.ensure(client, report, base=base_image))
        left_over = sweep(client)
        if left_over:
            report(f"removed {left_over} containers that an earlier run left behind")
        return sandbox


def missing() -> Sequence[str]:
    """What a worker needs and this host lacks right now, in words for an operator."""
    return () if engine.running() else ("the Docker engine does not answer",)


def install_programs(programs: dict[str, str], report: Report) -> None:
    """Install the Debian packages of those programs (program -> package) that are missing. Raises HostError."""
    with _one_at_a_time():
        _install(programs, report)


def _install(programs: dict[str, str], report: Report, *, optional: bool = False) -> None:
    missing = [package for program, package in programs.items() if not _has(program)]
    if not missing:
        return
    names = " ".join(missing)
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        if optional:
            return
        raise HostError(f"install {names} first; on Debian or Ubuntu, as root: apt-get install {names}")
    report(f"installing {names} with apt-get")
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    _apt(["update"], environment)
    # what is recommended beside docker.io (a CRI, git, ...) is not needed to run it; its own engine parts are dependencies
    _apt(["install", "-y", "--no-install-recommends", *missing], environment)


def _has(program: str) -> bool:
    return shutil.which(program) is not None or shutil.which(program, path="/usr/sbin:/sbin") is not None


def _apt(arguments: Sequence[str], environment: dict[str, str]) -> None:
    command = ["apt-get", "-q", "-o", "DPkg::Lock::Timeout=300", *arguments]
    done = subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        last_words = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise HostError(f"`{' '.join(command)}` failed:\n{last_words}")


@contextmanager
def _one_at_a_time() -> Iterator[None]:
    """Two first runs at once (a demo beside the tests) must not both build or install."""
    path = Path(tempfile.gettempdir()) / f"assay-host-{os.getuid()}.lock"
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
