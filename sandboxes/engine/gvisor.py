"""What tier gvisor needs beside a container of the usual kind: its runtime, known to the engine, and room for its kernel.

An engine knows a runtime by its configuration. One that Assay started is told (own_engine.py); one of somebody else's is
left as it is, and without the runtime it does not offer the tier.
"""

import shutil
import subprocess
import tempfile
from typing import Any

from docker.api import APIClient

from sandboxes.engine import hardening

RUNTIME = "assay-runsc"
"""By this name the engine knows it."""
OPTIONS = ("--network=none", "--cgroupfs")
"""Of `runsc`, beside its platform."""

KERNEL_MIB = 96
MIB_PER_PROCESS = 5
"""Room in the container's memory for what is gVisor's; measured: 30 to 50 MiB for its two processes, 4 for each stub."""
TASKS_PER_MIB = 8
"""Threads that gVisor may have on the host: it dies without a word where it gets none, so memory has to end first.

Measured: a process of the program costs 4 MiB and 5 threads; less memory, where so many wait for a processor that few have run.
"""
SUPERVISOR_RIGHTS = ("KILL", "SETGID", "SETUID")
"""Of gVisor's own kernel, not of the host's: with them the supervisor is another user than the program."""


def room_mib(processes: int) -> int:
    """What a container with so many processes has beyond its program's memory, for gVisor itself."""
    return KERNEL_MIB + MIB_PER_PROCESS * processes


def host_config(api: APIClient, *, memory_mib: int, processes: int, disk_mib: int) -> dict[str, Any]:
    """As `hardening.host_config`, for a container under gVisor: wider, because gVisor itself is counted too.

    What a program may use is held inside (`sandboxes/inside/under_gvisor.py`); this is behind it.
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
    """The path of runsc, or empty where this host has none."""
    return shutil.which("runsc") or shutil.which("runsc", path="/usr/bin:/usr/local/bin") or ""


def runtimes() -> dict[str, Any]:
    """As an engine's configuration has it under `runtimes`; empty where runsc is not installed."""
    runsc = program()
    if not runsc:
        return {}
    return {RUNTIME: {"path": runsc, "runtimeArgs": [f"--platform={_platform(runsc)}", *OPTIONS]}}


def _platform(runsc: str) -> str:
    """systrap, which is several times as fast, where this release knows it; else ptrace. Neither needs virtualization."""
    with tempfile.TemporaryDirectory(prefix="assay-runsc-") as folder:
        trial = [runsc, "--platform=systrap", f"--root={folder}", "list"]
        known = subprocess.run(trial, capture_output=True, check=False).returncode == 0
    return "systrap" if known else "ptrace"
