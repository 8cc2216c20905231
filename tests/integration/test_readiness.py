"""`/readyz` is true at each moment: it reports what is missing while it is missing, and healthz always answers."""

import resource
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import httpx2
import pytest

from service.runs.readiness import PATIENCE_SECONDS, Check, Readiness
from tests.integration.api import Api
from tests.integration.serving import serving


def says(base_url: str, what: str) -> None:
    """Wait until the service reports this as missing; empty: until it is ready."""
    deadline = time.monotonic() + 60
    while True:
        assert httpx2.get(f"{base_url}/healthz", timeout=30).status_code == 200
        answer = httpx2.get(f"{base_url}/readyz", timeout=30)
        missing = answer.json()["missing"]
        assert answer.status_code == (503 if missing else 200)
        if any(what in line for line in missing) if what else not missing:
            return
        assert time.monotonic() < deadline, missing


def test_a_disk_that_takes_no_write_is_said_while_it_lasts(tmp_path: Path) -> None:
    with serving(tmp_path, ASSAY_WORKERS="0") as (process, base_url):
        says(base_url, "")
        soft, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, hard))
        says(base_url, "the database takes no write: the database failed: ")
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (soft, hard))
        says(base_url, "")


def test_a_database_that_is_locked_is_said_while_it_lasts(tmp_path: Path) -> None:
    with serving(tmp_path, ASSAY_WORKERS="0") as (_, base_url):
        says(base_url, "")
        with closing(sqlite3.connect(tmp_path / "assay.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            says(base_url, "the database did not answer within 2 s")
        says(base_url, "")


def test_a_run_that_its_worker_left_long_ago_is_said(api: Api) -> None:
    body = {"task_id": "numbers/double", "solution": "double = abs"}
    assert api.as_("submitter").post("/v1/submissions", json=body).status_code == 202
    assert api.jobs.lease("a worker that dies", api.clock.now) is not None
    client = api.client()
    api.clock.advance(minutes=4)
    assert client.get("/readyz").json()["missing"] == []
    api.clock.advance(minutes=4)
    time.sleep(0)  # the answer before counts for a second
    deadline = time.monotonic() + 30
    while not (missing := client.get("/readyz").json()["missing"]):
        assert time.monotonic() < deadline
    assert missing == ["a run was left by its worker 465 s ago, and no other has taken it"]


def test_a_check_that_hangs_is_said_and_asked_no_second_time() -> None:
    go_on, asked = threading.Event(), []

    def hangs() -> list[str]:
        asked.append(None)
        go_on.wait()
        return []

    readiness = Readiness([Check("the engine", hangs), Check("the rest", lambda: ["all is lost"])])
    began = time.monotonic()
    for _ in range(2):
        assert readiness.missing() == ["the engine did not answer within 2 s", "all is lost"]
    assert time.monotonic() - began >= 2 * PATIENCE_SECONDS
    assert len(asked) == 1
    go_on.set()
    while readiness.missing() != ["all is lost"]:
        pass


@pytest.mark.parametrize("error", [ValueError("no"), KeyError("no")])
def test_a_check_that_fails_is_missing(error: Exception) -> None:
    def fails() -> list[str]:
        raise error

    assert Readiness([Check("the engine", fails)]).missing() == [f"the engine failed: {type(error).__name__}: {error}"]


def test_an_answer_that_costs_something_counts_for_a_while() -> None:
    asked: list[None] = []
    answer: Callable[[], list[str]] = lambda: asked.append(None) or []  # noqa: E731
    readiness = Readiness([Check("x", answer, fresh_seconds=1000)])
    assert [readiness.missing() for _ in range(5)] == [[]] * 5 and len(asked) == 1
