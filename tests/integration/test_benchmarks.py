"""The benchmark counts correctly. These tests do not assert how long anything takes.

Most of them are nightly: they are about our benchmarks, which no promise of the service depends on. Each run of the tests still
runs one of the benchmarks, on the engine that they make (tests/adversarial/test_faults.py).
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandboxes.interface import Sandbox

ROOT = Path(__file__).parents[2]
BENCHMARKS = ROOT / "benchmarks"
CONTENDERS = {
    "small/bare",
    "small/fork",
    "small/fork-immortal",
    "small/jail",
    "small/docker run",
    "pytest/bare",
    "calls/jail",
}
CGROUPS = Path("/sys/fs/cgroup")

pytestmark = [
    pytest.mark.usefixtures("sandbox"),  # which prepares the host's engine and the image
    pytest.mark.timeout(600),  # an engine of its own, twice, on a machine that may be busy
]


def run(*arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=BENCHMARKS,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> tuple[dict, str, str]:
    folder = tmp_path_factory.mktemp("benchmark")
    plot, numbers = folder / "plot.svg", folder / "numbers.json"
    only = (*CONTENDERS, "costs/jail")
    # No time for a contender in a round: two evaluations, the least.
    printed = run("sandbox.py", "--repeat", "2", "--seconds", "0", "--json", numbers, "--plot", plot, "--only", *only)
    return json.loads(numbers.read_text()), printed, plot.read_text()


@pytest.mark.nightly
def test_each_contender_does_the_asked_evaluations_in_the_asked_rounds(measured: tuple[dict, str, str]) -> None:
    contenders = measured[0]["contenders"]
    assert set(contenders) == CONTENDERS
    for numbers in contenders.values():
        assert numbers["evaluations"] == 4
        assert len(numbers["cpu_ms_by_round"]) == 2
        assert min(numbers["cpu_ms_by_round"]) <= numbers["cpu_ms"] <= max(numbers["cpu_ms_by_round"])
        assert 0 < numbers["wall_p50_ms"] <= numbers["wall_p95_ms"]


@pytest.mark.nightly
def test_a_ratio_is_to_the_bare_program_of_the_same_job(measured: tuple[dict, str, str]) -> None:
    contenders = measured[0]["contenders"]
    assert contenders["small/bare"]["ratio_to_bare"] == contenders["pytest/bare"]["ratio_to_bare"] == 1
    assert contenders["small/docker run"]["ratio_to_bare"] > 1  # it starts the same interpreter, and a container
    # a call suite is compared to the program that asserts the same
    assert contenders["calls/jail"]["ratio_to_bare"] != 1


@pytest.mark.nightly
def test_targets_are_judged_by_their_numbers(measured: tuple[dict, str, str]) -> None:
    numbers, printed, _ = measured
    unmeasured = ("ten tests", "throughput", "assay eval")
    asked = [target["what"] for target in numbers["targets"]]
    assert len(asked) == len(set(asked)) == 10
    assert not [what for what in asked if any(part in what for part in unmeasured)]
    for target in numbers["targets"]:
        kept = target["value"] <= target["limit"] if target["at_most"] else target["value"] >= target["limit"]
        assert target["reached"] is kept
        assert f"| {target['what']} |" in printed


@pytest.mark.nightly
def test_the_costs_of_a_tier_are_of_as_many_repetitions(measured: tuple[dict, str, str]) -> None:
    [(tier, costs)] = measured[0]["costs"].items()
    assert tier == "jail"
    assert len(costs["spin_overruns_ms"]) == len(costs["fork_bomb_overruns_ms"]) == 2
    assert len(costs["answers_ms"]) == 199  # without the first, which waits for the program to start
    for memory in costs["idle_memory"].values():
        assert 1 < memory["unique_mib"] <= memory["proportional_mib"]


@pytest.mark.nightly
def test_numbers_come_with_what_they_were_measured_on(measured: tuple[dict, str, str]) -> None:
    machine = measured[0]["machine"]
    assert machine["kernel"] == os.uname().release
    assert machine["cgroup_version"] in (1, 2)
    assert all(machine[name] for name in ("cpu", "cores", "docker", "python_of_the_box", "date"))


@pytest.mark.nightly
def test_the_drawing_has_a_bar_for_each_contender(measured: tuple[dict, str, str]) -> None:
    assert measured[2].count("<rect") == len(CONTENDERS) + 1  # and the bare program, once more, beside the call suite


COUNTED = """
import engine
with engine.started(print) as own:
    burn = "import os, time\\nif os.fork() == 0:\\n    while time.process_time() < 0.5: pass\\n    os._exit(0)\\nos.wait()"
    before = own.settle()
    own.client.containers.run(own.image, ["-c", burn], entrypoint="python3", network_mode="none", remove=True)
    assert own.settle() - before >= 0.5, "the time of a dead process in a removed container"
    print("folder:", own.folder)
    print("cgroup:", own.counter.parent.name)
"""


@pytest.mark.nightly
def test_the_counter_sees_the_dead_and_the_engine_leaves_nothing_behind() -> None:
    said = dict(line.split(": ") for line in run("-c", COUNTED).splitlines() if line.startswith(("folder", "cgroup")))
    assert not Path(said["folder"]).exists()
    assert not list(CGROUPS.glob(f"**/{said['cgroup']}"))
    assert said["folder"] not in Path("/proc/mounts").read_text()


def test_a_wrong_answer_is_not_counted_as_a_fast_one() -> None:
    program = "import jobs\ntry:\n    jobs.SMALL.passed(0, b'all wro')\nexcept RuntimeError:\n    print('refused')"
    assert run("-c", program) == "refused\n"
