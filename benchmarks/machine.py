"""The machine that the numbers were measured on."""

import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from engine import Engine


def facts(engine: Engine) -> dict[str, object]:
    """Everything that a number depends on, and nothing that names the machine."""
    version = engine.client.version()
    box = engine.client.containers.run(
        engine.image, ["-c", "import sys, pytest; print(sys.version.split()[0], pytest.__version__)"],
        entrypoint="python3", network_mode="none", remove=True,
    ).decode().split()  # fmt: skip
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "kernel": platform.release(),
        "architecture": platform.machine(),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "load_before": round(os.getloadavg()[0], 2),
        "cgroup_version": engine.cgroup_version,
        "docker": version["Version"],
        "runc": next((part["Version"] for part in version["Components"] if part["Name"] == "runc"), ""),
        "storage": engine.client.info()["Driver"],
        "python_of_the_host": platform.python_version(),
        "python_of_the_box": box[0],
        "pytest": box[1],
    }


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
