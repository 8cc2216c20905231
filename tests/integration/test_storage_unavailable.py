"""While the database takes no write: who writes is told when to come again, nothing is half written, and nothing is lost."""

import resource
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx2
import pytest
from structlog.testing import capture_logs

from service import wiring
from service.client import ApiError, Client
from service.http.routes import api_app
from service.runs import worker
from service.runs.worker import WorkerPool
from service.schemas import SubmissionIn
from service.settings import Settings
from service.storage import database
from service.storage.interface import RunId, RunState, UnavailableError
from service.storage.runs import SqlRuns
from service.storage.storage import Storage
from service.storage.tables import metadata
from service.web import pages
from tests.integration.api import Api
from tests.integration.live import ReadingEvaluation, live_service
from tests.integration.serving import serving
from tests.integration.stored import PACKAGE, accept, finish_next

GOOD = {"task_id": "numbers/double", "solution": "double = abs  # right"}
DECIDED = {"decisions": [{"criterion": "correctness", "level": 1, "milliseconds": 900}]}
WRITES: dict[tuple[str, str], tuple[str, dict[str, Any] | None]] = {
    ("POST", "/v1/submissions"): ("/v1/submissions", GOOD),
    ("POST", "/v1/submissions:batch"): ("/v1/submissions:batch", {"submissions": [GOOD, GOOD]}),
    ("POST", "/v1/tasks"): ("/v1/tasks", {"files": {**PACKAGE, "prompt.md": "Another."}}),
    ("POST", "/v1/runs/{run_id}/reviews"): ("/v1/runs/OPEN/reviews", DECIDED),
    ("PUT", "/review/{run_id}/draft/{criterion}"): ("/review/OPEN/draft/correctness", {"level": 1}),
    ("DELETE", "/review/{run_id}/draft/{criterion}"): ("/review/OPEN/draft/correctness", None),
    ("PUT", "/review/{run_id}/harm"): ("/review/OPEN/harm", {"note": "n"}),
    ("DELETE", "/review/{run_id}/harm"): ("/review/OPEN/harm", None),
    ("POST", "/review/{run_id}/undo"): ("/review/REVIEWED/undo", {}),
    ("POST", "/review/{run_id}/skip"): ("/review/OPEN/skip", {"reason": "unclear"}),
    ("GET", "/review/next"): ("/review/next", None),
    ("GET", "/review/{run_id}"): ("/review/OPEN", None),
    ("GET", "/sign-in"): ("/sign-in?token=LINK", None),
}
"""By route that writes, a request that would."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of writers that wait for another one."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 0)


@pytest.fixture
def others_write(monkeypatch: pytest.MonkeyPatch) -> None:
    """The workers of a live service do, now and then."""
    monkeypatch.setattr(database, "BUSY_SECONDS", 1)


@contextmanager
def locked(file: Path) -> Iterator[None]:
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def everything(storage: Storage) -> dict[str, list[Any]]:
    with storage.database.reading() as connection:
        return {table.name: list(connection.execute(table.select())) for table in metadata.sorted_tables}


def test_no_route_that_writes_is_forgotten() -> None:
    written = {
        (method.upper(), path)
        for path, methods in api_app().openapi()["paths"].items()
        for method in methods
        if method != "get"
    }
    written |= {
        (method, route.path)  # type: ignore[attr-defined]
        for route in pages.router.routes
        for method in route.methods  # type: ignore[attr-defined]
        if method not in ("GET", "HEAD")
    }
    assert written
    assert written == {(method, path) for method, path in WRITES if method != "GET"}


@pytest.mark.parametrize("route", WRITES, ids=" ".join)
def test_a_write_is_told_when_to_come_again_and_has_changed_nothing(
    api: Api, tmp_path: Path, route: tuple[str, str]
) -> None:
    who = api.as_("admin", "reviewer", "submitter", "author", name="ann")
    ids: list[RunId] = []
    for _ in range(2):
        assert who.post("/v1/submissions", json=GOOD).status_code == 202
        ids.append(finish_next(api.storage, api.jobs, api.clock.now))
    assert who.post(f"/v1/runs/{ids[0]}/reviews", json=DECIDED).status_code == 201
    link = api.storage.access.add_token("ann", frozenset({"reviewer"}), api.clock.now, expires_at=None, one_time=True)
    path, body = WRITES[route]
    path = path.replace("REVIEWED", ids[0]).replace("OPEN", ids[1]).replace("LINK", link)
    before = everything(api.storage)
    with locked(tmp_path / "assay.sqlite3"), capture_logs() as logs:
        answer = who.request(route[0], path, json=body, follow_redirects=False)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:assay:problem:storage-unavailable"
    assert not [line for line in logs if "traceback" in line]
    assert everything(api.storage) == before
    assert who.request(route[0], path, json=body, follow_redirects=False).status_code < 400
    assert everything(api.storage) != before or route[0] == "DELETE"


def test_undo_reopens_all_or_nothing(api: Api) -> None:
    """A review that was taken back without its drafts could not be undone again."""
    run = accept(api.storage, 1)[0]
    finish_next(api.storage, api.jobs, api.clock.now)
    who = api.as_("reviewer", name="ann")
    who.put(f"/review/{run}/draft/correctness", json={"level": 1, "note": "why"})
    with api.storage.database.writing() as connection:
        connection.exec_driver_sql("CREATE TRIGGER no BEFORE INSERT ON drafts BEGIN SELECT RAISE(FAIL, 'full'); END")
    before = everything(api.storage)
    assert who.post(f"/review/{run}/undo", json={}).status_code == 500
    assert everything(api.storage) == before


@pytest.mark.usefixtures("others_write")
def test_a_client_waits_until_it_is_taken_and_it_is_taken_once(tmp_path: Path) -> None:
    with live_service(tmp_path) as live, locked_until_asked_twice(tmp_path) as pause:
        with Client(live.base_url, live.token("author", "submitter"), pause=pause) as client:
            client.put_task(PACKAGE)
            pause.lock()
            accepted = client.submit(SubmissionIn.model_validate(GOOD))
            assert pause.asked == 2
            while client.run(accepted.run_id, wait_seconds=10).state != "done":
                pass
        assert [run.id for run in live.storage.runs.finished(tag=None)[0]] == [accepted.run_id]


@pytest.mark.usefixtures("others_write")
def test_a_clients_patience_ends_with_the_servers_word(tmp_path: Path) -> None:
    with live_service(tmp_path) as live:
        waited: list[float] = []
        with Client(
            live.base_url, live.token("author", "submitter"), pause=waited.append, patience_seconds=20
        ) as client:
            client.put_task(PACKAGE)
            with locked(file_of(tmp_path)), pytest.raises(ApiError, match="The database does not answer") as caught:
                client.submit(SubmissionIn.model_validate(GOOD))
        assert caught.value.status == 503
        assert waited
        assert live.storage.runs.counts()[RunState.QUEUED] == 0


class Lock:
    """A client's pause, during the second of which the lock is given up."""

    def __init__(self, file: Path) -> None:
        self._other = sqlite3.connect(file, isolation_level=None, check_same_thread=False, timeout=30)
        self.asked = 0

    def lock(self) -> None:
        self._other.execute("BEGIN IMMEDIATE")

    def __call__(self, _seconds: float) -> None:
        self.asked += 1
        if self.asked == 2:
            self._other.execute("ROLLBACK")

    def close(self) -> None:
        self._other.close()


@contextmanager
def locked_until_asked_twice(folder: Path) -> Iterator[Lock]:
    with closing(Lock(file_of(folder))) as lock:
        yield lock


def file_of(folder: Path) -> Path:
    return next(folder.glob("*.sqlite3"))


def test_findings_wait_for_the_database_and_are_not_found_anew(
    storage: Storage, jobs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "UNAVAILABLE_SECONDS", 0.01)
    refused = threading.Semaphore(0)

    class Refused(SqlRuns):
        def finish(self, *arguments: Any) -> bool:
            try:
                return super().finish(*arguments)
            except UnavailableError:
                refused.release()
                raise

    evaluate = ReadingEvaluation()
    evaluate.held.clear()
    (id,) = accept(storage, 1)
    pool = WorkerPool(
        storage=replace(storage, runs=Refused(storage.database)), jobs=jobs, evaluate=evaluate, size=1, name="test"
    )
    pool.start()
    try:
        until(lambda: storage.runs.summary(id).state is RunState.RUNNING)
        with locked(tmp_path / "assay.sqlite3"):
            evaluate.held.set()
            for _ in range(3):
                assert refused.acquire(timeout=60)
        until(lambda: bool(storage.runs.done([id])))
    finally:
        assert pool.stop(drain_seconds=20)
    assert storage.runs.get(id).attempt == 1


def until(it_is: Callable[[], bool]) -> None:
    """With a limit that no healthy run comes near."""
    deadline = time.monotonic() + 60
    while not it_is():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


def test_a_service_that_stops_waits_for_no_database(storage: Storage, jobs: Any, tmp_path: Path) -> None:
    evaluate = ReadingEvaluation()
    evaluate.held.clear()
    (id,) = accept(storage, 1)
    pool = WorkerPool(storage=storage, jobs=jobs, evaluate=evaluate, size=1, name="test")
    pool.start()
    until(lambda: storage.runs.summary(id).state is RunState.RUNNING)
    with locked(tmp_path / "assay.sqlite3"):
        evaluate.held.set()
        assert pool.stop(drain_seconds=60)
    assert storage.runs.summary(id).state is RunState.RUNNING


def test_a_full_disk_takes_no_submission_and_loses_none(tmp_path: Path) -> None:
    token = wiring.new_token(Settings(home=tmp_path), "ann", frozenset({"submitter", "author"}), days=1, sign_in=False)
    with serving(tmp_path, ASSAY_WORKERS="0") as (process, base_url):
        with Client(base_url, token) as client:
            client.put_task(PACKAGE)
        who = {"Authorization": f"Bearer {token}"}
        body = {**GOOD, "idempotency_key": "k"}
        soft, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (1, hard))
        answer = httpx2.post(f"{base_url}/v1/submissions", json=body, headers=who, timeout=60)
        assert answer.status_code == 503 and int(answer.headers["Retry-After"]) > 0
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (soft, hard))
        taken = [httpx2.post(f"{base_url}/v1/submissions", json=body, headers=who, timeout=60) for _ in range(2)]
    assert [each.status_code for each in taken] == [202, 202]
    assert taken[0].json() == taken[1].json()
