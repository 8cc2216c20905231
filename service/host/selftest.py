"""`assay test`: prepares this host for the tests that were asked for, and runs them from the project's checkout."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sandboxes.interface import Tier
from service.host import preparation

BROWSER = {"chromium": "chromium", "fc-list": "fontconfig"}
GVISOR = {"runsc": "runsc"}
"""Programs that only the tests need, a browser for the reviewer's pages and gVisor for its tier -> their Debian packages."""

SIDE_BY_SIDE = (f"--numprocesses={min(4, 2 * (os.cpu_count() or 1))}", "--dist=loadfile", "--no-loadscope-reorder")
"""More processes than processors, because many tests wait for a limit; each has a sandbox of its own. The tests of a file, or of its part
about one tier, stay together with what they share, and the long ones begin first: both are tests/conftest.py's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Some of the tests, by their marks, and what of the host they need."""

    marks: str = ""
    """The expression for pytest's `-m`; if empty, the one in pyproject.toml: all but `nightly`."""
    options: tuple[str, ...] = ()
    """Further options of pytest."""
    programs: Mapping[str, str]
    tiers: tuple[Tier, ...]
    """The tiers that the selected tests use and the host must hold. If empty, an engine is not needed."""


WHOLE = Selection(programs={**BROWSER, **GVISOR}, tiers=tuple(Tier))
FAST = Selection(
    marks="not (box or browser or gate or slow or nightly)",
    options=("--hypothesis-profile=fast",),
    programs={},
    tiers=(),
)
NIGHTLY = Selection(marks="nightly", programs=GVISOR, tiers=tuple(Tier))


def of_tier(tier: Tier) -> Selection:
    """Return the tests that run in boxes of one tier and are quick alone and together."""
    programs = GVISOR if tier is Tier.GVISOR else {}
    return Selection(marks=f"box and {tier} and not (slow or nightly)", programs=programs, tiers=(tier,))


def run(selection: Selection, arguments: Sequence[str]) -> int:
    """Run the tests and return pytest's exit code; `arguments` go to pytest unchanged.

    Raises HostError or SandboxError if this host cannot run them: a missing tool is a failure, never a skip.
    """
    checkout = Path(__file__).parents[2]
    if not (checkout / "tests").is_dir():
        raise preparation.HostError(
            "`assay test` runs in a checkout of the project; this copy was installed without its tests"
        )
    if selection.tiers:
        _prepare(selection)
    marks = ("-m", selection.marks) if selection.marks else ()
    return subprocess.run(
        [sys.executable, "-m", "pytest", *SIDE_BY_SIDE, *marks, *selection.options, *arguments],
        cwd=checkout,
        check=False,
    ).returncode


def _prepare(selection: Selection) -> None:
    preparation.install_programs(dict(selection.programs), _report)
    preparation.prepare(_report, minimum=selection.tiers[0]).close()  # the tests open their own
    lacks = {tier: problem for tier, problem in preparation.lacks().items() if tier in selection.tiers}
    if lacks:
        lines = (f"\n  {tier}: {problem}" for tier, problem in lacks.items())
        raise preparation.HostError(
            "the tests try every tier asked for, and this host cannot hold all:" + "".join(lines)
        )


def _report(line: str) -> None:
    print(f"assay: {line}", file=sys.stderr, flush=True)
