"""`assay test`: prepares this host and runs the project's own tests from its checkout."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from service import host

PROGRAMS = {"chromium": "chromium", "fc-list": "fontconfig", "runsc": "runsc"}
"""What the tests need beyond what the service needs: a browser for the reviewer's pages, and gVisor for its tier."""

SIDE_BY_SIDE = (f"--numprocesses={min(4, 2 * (os.cpu_count() or 1))}", "--dist=loadfile", "--no-loadscope-reorder")
"""More processes than processors, because many tests wait for a limit; each has a sandbox of its own. The tests of a file, or of a group
that it names (tests/conftest.py), stay together with what they share, and the files in order: the slow ones first."""


def run(arguments: Sequence[str]) -> int:
    """Run the tests; `arguments` go to pytest as they are. Returns pytest's exit code.

    Raises HostError or SandboxError where this host cannot run them: what is missing is a failure, never a skip.
    """
    checkout = Path(__file__).parent.parent
    if not (checkout / "tests").is_dir():
        raise host.HostError(
            "`assay test` runs in a checkout of the project; this copy was installed without its tests"
        )
    host.install_programs(PROGRAMS, _report)
    host.prepare(_report).close()  # the tests open their own
    lacks = host.lacks()
    if lacks:
        lines = (f"\n  {tier}: {problem}" for tier, problem in lacks.items())
        raise host.HostError("the tests try every tier, and this host cannot hold all of them:" + "".join(lines))
    return subprocess.run(
        [sys.executable, "-m", "pytest", *SIDE_BY_SIDE, *arguments], cwd=checkout, check=False
    ).returncode


def _report(line: str) -> None:
    print(f"assay: {line}", file=sys.stderr, flush=True)
