"""The additions of tier gvisor to a container of the usual kind: a runtime that the engine knows, and room for gVisor's kernel.

An engine knows a runtime by its configuration. Assay changes it only for an engine that Assay started (own_engine.py). Any other
engine is left as it is, and does not offer the tier if it lacks the runtime.
"""

import shutil
import subprocess
import tempfile
from typing import Any

from docker.api import APIClient

from sandboxes.engine import hardening

RUNTIME = "assay-runsc"
"""The engine's name for the runtime."""
OPTIONS = ("--network=none", "--cgroupfs")
"""Options of `runsc`, beside its platform."""

KERNEL_MIB = 96
MIB_PER_PROCESS = 5
"""Room in the container's memory for gVisor itself; measured: 30 to 50 MiB for its two processes, 4 for each stub."""
TASKS_PER_MIB = 8
"""Threads that gVisor may have on the host: it dies without a message if it gets none, so memory has to run out first.

Measured: a process of the program costs 4 MiB and 5 threads; less memory if most processes still wait for their first turn.
"""
SUPERVISOR_RIGHTS = ("KILL", "SETGID", "SETUID")
"""Capabilities in gVisor's own kernel, not in the host's: with them the supervisor is another user than the program."""


def room_mib(processes: int) -> int:
    """Return the memory of a container with `processes` processes beyond its program's memory, for gVisor itself."""
    return KERNEL_MIB + MIB_PER_PROCESS * processes


def host_config(api: APIClient, *, memory_mib: int, processes: int, disk_mib: int) -> dict[str, Any]:
    """Return the host configuration of a container under gVisor: `hardening.host_config`, but wider, because gVisor counts too.

    The program's own limits are held inside (`sandboxes/inside/under_gvisor.py`); these stand behind them.
    """
    whole_mib = memory_mib + room_mib(processes)
    config = hardening.host_config(
        api,
        memory_mib=whole_mib,
        processes=TASKS_PER_MIB * whole_mib,
        disk_mib=disk_mib,
        runtime=RUNTIME,
    )
    # gVisor would mount an unlimited one of its own over the image's link to /box/tmp.
    config["CapAdd"] = list(SUPERVISOR_RIGHTS)
    config["Tmpfs"]["/tmp"] = f"rw,nosuid,nodev,exec,mode=1777,size={disk_mib}m"  # noqa: S108
    return config


def program() -> str:
    """Return the path of runsc; empty if this host does not have it."""
    return shutil.which("runsc") or shutil.which("runsc", path="/usr/bin:/usr/local/bin") or ""


def runtimes() -> dict[str, Any]:
    """Return the entry for an engine's configuration under `runtimes`; empty if runsc is not installed."""
    runsc = program()
    if not runsc:
        return {}
    return {RUNTIME: {"path": runsc, "runtimeArgs": [f"--platform={_platform(runsc)}", *OPTIONS]}}


def _platform(runsc: str) -> str:
    """Return systrap, which is several times as fast, if this release knows it; else ptrace. Neither needs virtualization."""
    with tempfile.TemporaryDirectory(prefix="assay-runsc-") as folder:
        trial = [runsc, "--platform=systrap", f"--root={folder}", "list"]
        known = subprocess.run(trial, capture_output=True, check=False).returncode == 0
    return "systrap" if known else "ptrace"
