"""kill -9 of the whole service, anywhere: every accepted submission ends in exactly one final run."""

import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from sandboxes.interface import Sandbox
from service import wiring
from service.client import Client
from service.faults import VARIABLE
from service.packages import read_folder
from service.schemas import SubmissionIn
from service.settings import Settings
from service.storage.storage import Storage
from tests.integration.serving import alive, children_of, containers_of, is_evaluator, serving

pytestmark = pytest.mark.slow

MEDIAN = Path(__file__).parents[2] / "examples" / "median"
SOLUTIONS = ["import statistics\nmedian = statistics.median\n", "def median(xs): return -1\n"]


@pytest.fixture
def token(tmp_path: Path) -> str:
    return wiring.new_token(Settings(home=tmp_path), "test", frozenset({"submitter", "author"}), days=1, sign_in=False)


def submissions(count: int) -> list[SubmissionIn]:
    return [
        SubmissionIn(
            task_id="median", solution=SOLUTIONS[number % 2], id=str(number), tag="t", idempotency_key=f"k{number}"
        )
        for number in range(count)
    ]


def assert_each_once(home: Path, base_url: str, token: str, count: int) -> None:
    """Through the API: all done with the right outcome. In the database: one run and one finish for each."""
    with Client(base_url, token) as client:
        accepted = list(client.submit_many(submissions(count)))  # found again by their keys
        runs = {run.run_id: run for run in client.iter_runs("t", run_ids=[each.run_id for each in accepted])}
    assert len(runs) == count
    for number, each in enumerate(accepted):
        assert runs[each.run_id].outcome == ("passed" if number % 2 == 0 else "failed"), runs[each.run_id]
    storage = Storage.open(f"sqlite:///{home}/assay.sqlite3")
    try:
        finished, _ = storage.runs.finished(tag=None, limit=1000)
        assert len(finished) == len({run.id for run in finished}) == count
        assert len({run.submission_id for run in finished}) == count
    finally:
        storage.close()


@pytest.mark.timeout(300)
def test_sigkill_with_submissions_in_flight(tmp_path: Path, token: str, sandbox: Sandbox) -> None:
    count = 24
    with serving(tmp_path) as (process, base_url):
        with Client(base_url, token) as client:
            client.put_task(read_folder(MEDIAN))
            accepted = list(client.submit_many(submissions(count)))
            first = next(client.iter_runs("t", run_ids=[each.run_id for each in accepted]))
            assert first.state == "done"
        process.send_signal(signal.SIGKILL)
        process.wait()
    with serving(tmp_path) as (_, base_url):
        assert_each_once(tmp_path, base_url, token, count)


@pytest.mark.timeout(300)
@pytest.mark.parametrize("point", ["after-accept:1", "after-lease:2", "before-finish:2", "after-finish:2"])
def test_death_at_a_named_point(point: str, tmp_path: Path, token: str, sandbox: Sandbox) -> None:
    count = 4
    with serving(tmp_path, **{VARIABLE: point}) as (process, base_url):
        with Client(base_url, token, patience_seconds=0) as client:
            client.put_task(read_folder(MEDIAN))
            try:
                list(client.submit_many(submissions(count)))
            except Exception:  # the service may die before it can answer; a worker takes what was accepted at once
                assert point.startswith(("after-accept", "after-lease"))
        assert process.wait(timeout=120) == -signal.SIGKILL
    with serving(tmp_path) as (_, base_url):
        assert_each_once(tmp_path, base_url, token, count)


def box_is_there(client: Client, process: "subprocess.Popen[str]", run_id: str) -> set[int]:
    """Waits until a run has a box; the processes that the service has started."""
    while client.run(run_id, wait_seconds=0.5).state != "running" or not containers_of(*children_of(process.pid)):
        pass
    return children_of(process.pid)


def gone(pids: set[int]) -> None:
    """Waits until these processes and their boxes are gone, with a limit that no healthy one comes near."""
    deadline = time.monotonic() + 60
    while containers_of(*pids) or alive(*pids):
        assert time.monotonic() < deadline, (pids, containers_of(*pids))
        threading.Event().wait(0.1)


def test_evaluators_and_boxes_end_with_a_killed_service(tmp_path: Path, token: str, sandbox: Sandbox) -> None:
    with serving(tmp_path) as (process, base_url):
        with Client(base_url, token) as client:
            client.put_task(read_folder(MEDIAN))
            slow = SubmissionIn(task_id="median", solution="import time\ntime.sleep(60)\n")
            evaluators = box_is_there(client, process, client.submit(slow).run_id)
        process.send_signal(signal.SIGKILL)
        process.wait()
        gone(evaluators)


@pytest.mark.timeout(300)
def test_an_evaluator_that_is_killed_costs_an_attempt_and_leaves_no_box(
    tmp_path: Path, token: str, sandbox: Sandbox
) -> None:
    with serving(tmp_path, ASSAY_WORKERS="1") as (process, base_url), Client(base_url, token) as client:
        client.put_task(read_folder(MEDIAN))
        slow = SubmissionIn(task_id="median", solution="import time\ntime.sleep(1)\n" + SOLUTIONS[0])
        run_id = client.submit(slow).run_id
        [evaluator] = filter(is_evaluator, box_is_there(client, process, run_id))
        os.kill(evaluator, signal.SIGKILL)
        while (run := client.run(run_id, wait_seconds=5)).state != "done":
            pass
        assert (run.outcome, run.attempt) == ("passed", 2)
        gone({evaluator})


def test_boxes_of_killed_evaluators_are_swept(tmp_path: Path, token: str, sandbox: Sandbox) -> None:
    """All of a service killed at once, as an operating system does that runs out of memory."""
    with serving(tmp_path) as (process, base_url):
        with Client(base_url, token) as client:
            client.put_task(read_folder(MEDIAN))
            slow = SubmissionIn(task_id="median", solution="import time\ntime.sleep(60)\n")
            evaluators = box_is_there(client, process, client.submit(slow).run_id)
        process.send_signal(signal.SIGSTOP)
        for pid in (*evaluators, process.pid):
            os.kill(pid, signal.SIGKILL)
        process.wait()
        assert containers_of(*evaluators)
    with serving(tmp_path, ASSAY_WORKERS="1"):
        gone(evaluators)
