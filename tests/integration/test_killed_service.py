"""kill -9 of the whole service, anywhere: every accepted submission ends in exactly one final run."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from docker import DockerClient

from sandboxes.interface import Sandbox
from sandboxes.sweep import CREATOR_LABEL, OWNER, OWNER_LABEL
from service import wiring
from service.api.schemas import SubmissionIn
from service.client import Client
from service.faults import VARIABLE
from service.packages import read_folder
from service.settings import Settings
from service.storage.sql import SqlStorage

MEDIAN = Path(__file__).parents[2] / "examples" / "median"
SOLUTIONS = ["import statistics\nmedian = statistics.median\n", "def median(xs): return -1\n"]


@contextmanager
def serving(home: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`assay serve` in a process of its own, and its address."""
    process = subprocess.Popen(
        [str(Path(sys.executable).with_name("assay")), "serve", "--port", "0"],
        env={**os.environ, "ASSAY_HOME": str(home), **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if match := re.search(r"serving on (http://\S+),", line):
                yield process, match[1]
                break
        else:
            pytest.fail(f"the service did not start (exit code {process.wait()})")
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


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


def containers_of(pid: int) -> set[str]:
    client = DockerClient.from_env()
    try:
        rows = client.api.containers(all=True, filters={"label": f"{OWNER_LABEL}={OWNER}"})
        return {row["Id"] for row in rows if row["Labels"][CREATOR_LABEL].split("/")[3] == str(pid)}
    finally:
        client.close()


def assert_each_once(home: Path, base_url: str, token: str, count: int) -> None:
    """Through the API: all done with the right outcome. In the database: one run and one finish for each."""
    with Client(base_url, token) as client:
        accepted = list(client.submit_many(submissions(count)))  # found again by their keys
        runs = {run.run_id: run for run in client.iter_runs("t", run_ids=[each.run_id for each in accepted])}
    assert len(runs) == count
    for number, each in enumerate(accepted):
        assert runs[each.run_id].outcome == ("passed" if number % 2 == 0 else "failed"), runs[each.run_id]
    storage = SqlStorage.open(f"sqlite:///{home}/assay.sqlite3")
    try:
        finished, _ = storage.finished_runs(tag=None, limit=1000)
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


def test_boxes_of_a_killed_service_are_swept(tmp_path: Path, token: str, sandbox: Sandbox) -> None:
    with serving(tmp_path) as (process, base_url):
        with Client(base_url, token) as client:
            client.put_task(read_folder(MEDIAN))
            slow = SubmissionIn(task_id="median", solution="import time\ntime.sleep(60)\n")
            run_id = client.submit(slow).run_id
            while client.run(run_id, wait_seconds=0.5).state != "running" or not containers_of(process.pid):
                pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert containers_of(process.pid)
    with serving(tmp_path, ASSAY_WORKERS="1"):
        assert not containers_of(process.pid)
