"""What tier gvisor needs beside a container of the usual kind: its runtime, known to the engine, and room for its kernel.

The engine calls our wrapper, which adds our options to `runsc`. It is registered where Assay itself starts the engine; an
engine that runs already is left as it is, and one without the runtime does not offer the tier.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from docker.api import APIClient

from sandboxes import hardening

RUNTIME = "assay-runsc"
"""By this name the engine knows it."""
WRAPPER = Path("/usr/local/lib/assay/runsc")
"""Written by root, because the engine runs it as root."""

KERNEL_MIB = 64
"""Room in the container's memory for gVisor's own kernel and file server; measured: 25 to 40 MiB."""
KERNEL_TASKS = 256
"""Room in the container's limit of tasks for the threads of gVisor's own two processes."""
TASKS_PER_PROCESS = 4
"""Tasks of the host that gVisor needs for one process of the program at most: its stub and the threads that serve it."""


def host_config(api: APIClient, *, memory_mib: int, processes: int, disk_mib: int) -> dict[str, Any]:
    """As `hardening.host_config`, for a container under gVisor."""
    config = hardening.host_config(
        api,
        memory_mib=memory_mib + KERNEL_MIB,
        processes=KERNEL_TASKS + TASKS_PER_PROCESS * processes,
        disk_mib=disk_mib,
        runtime=RUNTIME,
    )
    # Its kernel would mount an unlimited one of its own over the image's link to /box/tmp.
    config["Tmpfs"]["/tmp"] = f"rw,nosuid,nodev,exec,mode=1777,size={disk_mib}m"  # noqa: S108
    return config


def program() -> str:
    """The path of runsc, or empty where this host has none."""
    return shutil.which("runsc") or shutil.which("runsc", path="/usr/bin:/usr/local/bin") or ""


def engine_options() -> list[str]:
    """The engine's options that register the runtime; none where runsc is not installed. Writes the wrapper; for root."""
    runsc = program()
    if not runsc:
        return []
    options = f"--platform={_platform(runsc)} --network=none --cgroupfs"
    text = f'#!/bin/sh\nexec {runsc} {options} "$@"\n'
    WRAPPER.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    new = WRAPPER.with_name(f"{WRAPPER.name}.{os.getpid()}")
    new.write_text(text, encoding="ascii")
    new.chmod(0o755)
    new.replace(WRAPPER)
    return [f"--add-runtime={RUNTIME}={WRAPPER}"]


def _platform(runsc: str) -> str:
    """systrap, which is several times as fast, where this release knows it; else ptrace. Neither needs virtualization."""
    with tempfile.TemporaryDirectory(prefix="assay-runsc-") as folder:
        trial = [runsc, "--platform=systrap", f"--root={folder}", "list"]
        known = subprocess.run(trial, capture_output=True, check=False).returncode == 0
    return "systrap" if known else "ptrace"
