"""The engine fails under load, on an engine of its own: every submission comes to its own outcome, once (benchmarks/faults.py)."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sandboxes.interface import Sandbox

ROOT = Path(__file__).parents[2]
SUBMISSIONS = 24
FAULTS = ("kill", "stop", "crash", "disk", "image")

pytestmark = pytest.mark.timeout(900)  # an engine of its own, five faults, attempts up to a minute apart


@pytest.fixture(scope="module", params=["jail", "container"])
def suffered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Any:
    """What `benchmarks/faults.py --json` wrote for a tier."""
    file = tmp_path_factory.mktemp("faults") / "result.json"
    arguments = ["--submissions", str(SUBMISSIONS), "--seconds", "3", "--tiers", request.param, "--json", str(file)]
    done = subprocess.run(
        [sys.executable, "faults.py", *arguments],
        cwd=ROOT / "benchmarks",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert file.exists(), done.stdout + done.stderr
    result = json.loads(file.read_text())
    assert (done.returncode == 0) is result["held"]
    return result


@pytest.mark.parametrize("fault", FAULTS)
def test_no_submission_is_graded_by_our_failure(suffered: Any, fault: str) -> None:
    [result] = [each for each in suffered["results"] if each["fault"] == fault]
    assert result["struck"] >= 1, "the fault did not come about"
    assert result["wrong"] == []
    assert sum(result["outcomes"].values()) == result["submissions"] >= SUBMISSIONS
    assert set(result["outcomes"]) == {"passed", "failed"}


def test_boxes_that_were_killed_cost_attempts(suffered: Any) -> None:
    """Or the boxes of honest runs were not among those that were killed, and nothing was shown."""
    attempts = [each["attempts"] for each in suffered["results"] if each["fault"] in ("kill", "image")]
    assert any(int(number) > 1 for numbers in attempts for number in numbers)


def test_nothing_is_left_behind(suffered: Any) -> None:
    assert not any(suffered["left"].values()), suffered["left"]
