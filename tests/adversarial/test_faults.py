"""The engine fails under load, on an engine of its own: every submission comes to its own outcome, once (benchmarks/faults.py).

Each run of the tests has one fault for each tier, the nightly ones all faults in both.
"""

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

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
]  # an engine of its own, five faults, attempts up to a minute apart


OF_EACH_RUN = {"jail": "kill", "container": "kill"}
"""It always costs attempts, and the engine lives. That a lost image is made again, and what an engine costs that is away for a while, is
shown in each run one by one as well (test_container_pool.py, test_jail_slots.py, test_remover.py)."""


@pytest.fixture(scope="module")
def suffered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Any:
    """What `benchmarks/faults.py --json` wrote for a tier and these faults."""
    tier, faults = request.param
    file = tmp_path_factory.mktemp("faults") / "result.json"
    arguments = ["--submissions", str(SUBMISSIONS), "--seconds", "3", "--tiers", tier, "--json", str(file)]
    arguments += ["--faults", *faults]
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


RUNS = [pytest.param((tier, (fault,)), id=f"{tier}-{fault}") for tier, fault in OF_EACH_RUN.items()]
RUNS += [pytest.param((tier, FAULTS), id=f"{tier}-all", marks=pytest.mark.nightly) for tier in OF_EACH_RUN]
in_each_run = pytest.mark.parametrize("suffered", RUNS, indirect=True)


@in_each_run
def test_no_submission_is_graded_by_our_failure(suffered: Any) -> None:
    assert suffered["results"]
    for result in suffered["results"]:
        assert result["struck"] >= 1, f"{result['fault']} did not come about"
        assert result["wrong"] == [], result
        assert sum(result["outcomes"].values()) == result["submissions"] >= SUBMISSIONS, result
        assert set(result["outcomes"]) == {"passed", "failed"}, result


@in_each_run
def test_boxes_that_were_killed_cost_attempts(suffered: Any) -> None:
    """Or the boxes of honest runs were not among those that were killed, and nothing was shown."""
    attempts = [each["attempts"] for each in suffered["results"] if each["fault"] in ("kill", "image")]
    assert any(int(number) > 1 for numbers in attempts for number in numbers)


@in_each_run
def test_nothing_is_left_behind(suffered: Any) -> None:
    assert not any(suffered["left"].values()), suffered["left"]
