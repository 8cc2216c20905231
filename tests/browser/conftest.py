"""A real service on a real SQLite file and a free port, and a real browser that looks at it."""

import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from graders.interface import Submission, SubmissionId
from graders.plugins.registry import Registry
from graders.tasks.package import load
from service.app import create_app
from service.edge.access import sign_in_link
from service.jobs.table import TableJobs
from service.settings import Settings
from service.storage.interface import RunId, RunResult, SubmissionRecord, TaskRecord
from service.storage.storage import Storage
from tests.browser.made_runs import RUBRIC, MadeRun
from tests.databases import storage_in

FLAGS = (
    "--no-sandbox",  # the tests run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE_MILLISECONDS = 60_000
"""Until an expectation of the page counts as failed; reached only by a test that fails."""
expect.set_options(timeout=PATIENCE_MILLISECONDS)  # its own would be five seconds, which a busy host may need


class Clock:
    """The service's clock: real time, and whatever a test lets pass."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class LiveService:
    """The service as a reviewer meets it, with the storage at hand."""

    def __init__(self, storage: Storage, clock: Clock, base_url: str) -> None:
        self.storage = storage
        self.clock = clock
        self.base_url = base_url
        self._jobs = TableJobs(storage.database)
        self._number = 0

    def link(self, name: str) -> str:
        return sign_in_link(self.storage, self.base_url, name, frozenset({"reviewer"}), self.clock())

    def add(self, made: MadeRun, findings: RunResult | None = None) -> RunId:
        """A finished run, by the way that all runs go: accept, lease, start, finish."""
        self._number += 1
        now = self.clock()
        files = _package(f"task-{self._number}", made)
        task = load(files)
        self.storage.tasks.add(
            TaskRecord(id=task.id, version=task.version, title=task.title, files=files, created_at=now)
        )
        submission = Submission(
            id=SubmissionId(f"submission-{self._number}"), task_id=task.id, files=made.files, model=made.model
        )
        record = SubmissionRecord(
            submission=submission, task_version=task.version, client_id="", tag=made.model, created_at=now
        )
        (run_id,) = self.storage.runs.accept([record], [""], [""])
        lease = self._jobs.lease("test", now)
        assert lease is not None
        assert lease.run_id == run_id
        self.storage.runs.start(run_id, lease.attempt)
        assert self.storage.runs.finish(run_id, lease.attempt, findings or made.findings(), now)
        return run_id


def _package(id: str, made: MadeRun) -> dict[str, str]:
    return {
        "task.toml": f"""
            id = "{id}"
            title = {json.dumps(made.title)}
            language = "python"
            reference = "submissions/accepted/reference.py"
            [[suite]]
            id = "hidden"
            kind = "call"
            files = ["hidden/*"]
            entry_point = "merge"
        """,
        "prompt.md": made.prompt,
        "hidden/cases.jsonl": '{"call": "merge([])", "returns": "[]"}\n',
        "submissions/accepted/reference.py": "def merge(intervals):\n    return []\n",
    }


@pytest.fixture
def service(tmp_path: Path) -> Iterator[LiveService]:
    storage = storage_in(tmp_path)
    clock = Clock()
    app = create_app(
        storage=storage,
        jobs=TableJobs(storage.database),
        rubrics={RUBRIC.id: RUBRIC},
        registry=Registry.discover({criterion.id for criterion in RUBRIC.criteria}),
        settings=Settings(home=tmp_path, port=0),
        now=clock,
    )
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        yield LiveService(storage, clock, f"http://127.0.0.1:{listener.getsockname()[1]}")
        server.should_exit = True
        thread.join()
    storage.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each module, not for the session: Playwright keeps an event loop running in the thread of the tests."""
    chromium = shutil.which("chromium")
    assert chromium, "the browser tests need Debian's chromium: apt-get install chromium"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=list(FLAGS))
        yield browser
        browser.close()


@pytest.fixture
def sign_in(service: LiveService, browser: Browser) -> Iterator[Callable[..., Page]]:
    """`sign_in("ada")`: a page of a browser of their own, signed in through the one-time link and on the queue.

    More arguments go to `Browser.new_context`. Errors of a page's scripts, and what its CSP blocks, fail the test.
    """
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def signed_in(name: str, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: "Content Security" in message.text and complaints.append(message.text))
        page.goto(service.link(name))
        page.wait_for_url("**/review")
        return page

    yield signed_in
    for context in contexts:
        context.close()
    assert complaints == []
