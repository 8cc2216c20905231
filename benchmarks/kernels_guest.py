"""Runs in the machine of kernels.py when its engine is there: runs the tests of the box and reports in one line of JSON."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

RESULT = "ASSAY-RESULT "


def main() -> None:
    wanted = json.loads(Path("/wanted.json").read_text())
    os.chdir(wanted["root"])
    subprocess.run(["docker", "load", "--quiet", "--input", "/box.tar"], check=True)
    doctor = subprocess.run(
        [Path(sys.executable).with_name("assay"), "doctor", "--json"], capture_output=True, check=False
    )
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "told.xml")
        tests = [
            "-v", "--color=no", "--tb=short", "-p", "no:cacheprovider", f"--junit-xml={told}",
            "-k", " or ".join(wanted["tiers"]),
        ]  # fmt: skip
        subprocess.run([sys.executable, "-m", "pytest", *tests, *wanted["tests"]], check=False)
        result = {**_machine(), "tiers": _holding(doctor.stdout), **_counted(told)}
    print(f"\n{RESULT}{json.dumps(result)}", flush=True)


def _machine() -> dict[str, Any]:
    unified = Path("/sys/fs/cgroup/cgroup.controllers").exists()
    return {"cgroup": 1 + unified, "security": Path("/sys/kernel/security/lsm").read_text().strip()}


def _holding(doctor: bytes) -> list[str]:
    return [name for name, state in json.loads(doctor)["tiers"].items() if state["holds"]]


def _counted(told: Path) -> dict[str, Any]:
    cases = ElementTree.parse(told).getroot().iter("testcase")
    wrong = {case.get("name"): case.find("failure") is not None or case.find("error") is not None for case in cases}
    return {"passed": sum(not failed for failed in wrong.values()), "failed": [name for name in wrong if wrong[name]]}


if __name__ == "__main__":
    main()
