"""The real API on a real SQLite file and a free port, with workers that need no box; and a network that fails on demand."""

import http.client
import http.server
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

import uvicorn

from service.app import create_app
from service.jobs.table import TableJobs
from service.runs.worker import WorkerPool
from service.settings import Settings
from service.storage.interface import RunOutcome, RunRecord, RunResult
from service.storage.storage import Storage
from tests.databases import storage_in
from tests.integration.api import REGISTRY
from tests.integration.stored import RUBRIC, disputed_findings, findings


class ReadingEvaluation:
    """In the place of the evaluation in boxes: a submission passes where its text says `right`."""

    def __init__(self) -> None:
        self.held = threading.Event()
        self.held.set()
        """Cleared, it keeps every run under way until it is set again."""

    def __call__(self, run: RunRecord) -> RunResult:
        self.held.wait()
        text = "".join(run.submission.submission.files.values())
        if "ungradable" in text:
            return self.ungradable({"message": "the engine went away"})
        if "disputed" in text:
            return disputed_findings()
        return findings(RunOutcome.PASSED if "right" in text else RunOutcome.FAILED)

    def ungradable(self, diagnostics: Mapping[str, str]) -> RunResult:
        return replace(findings(RunOutcome.UNGRADABLE), signals=(), prefills=(), diagnostics=diagnostics)


class Live:
    """A running service."""

    def __init__(self, base_url: str, storage: Storage, evaluation: ReadingEvaluation) -> None:
        self.base_url = base_url
        self.storage = storage
        self.evaluation = evaluation

    def token(self, *scopes: str) -> str:
        return self.storage.access.add_token("tester", frozenset(scopes), datetime.now(UTC), expires_at=None)


@contextmanager
def live_service(home: Path) -> Iterator[Live]:
    evaluation = ReadingEvaluation()
    with closing(storage_in(home)) as storage:
        jobs = TableJobs(storage.database)
        pool = WorkerPool(storage=storage, jobs=jobs, evaluate=evaluation, size=2, name="test")
        app = create_app(
            storage=storage,
            jobs=jobs,
            rubrics={RUBRIC.id: RUBRIC},
            registry=REGISTRY,
            settings=Settings(home=home),
            wake=pool.wake,
        )
        pool.start()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", timeout_graceful_shutdown=1))
            thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                yield Live(f"http://127.0.0.1:{listener.getsockname()[1]}", storage, evaluation)
            finally:
                evaluation.held.set()
                server.should_exit = True
                thread.join()
                pool.stop(drain_seconds=10)


class Network:
    """A proxy in front of the service; `troubles` happen to the next requests, in order.

    `busy` answers 503 with Retry-After: 7, `crowded` 429 without, `broken` closes the connection before the request
    reaches the service, `lost` after the service has answered.
    """

    def __init__(self, target: str) -> None:
        self.troubles: list[str] = []
        self.seen: list[str] = []
        self._address = target.removeprefix("http://")
        network = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                network._handle(self)

            do_GET = do_POST  # noqa: N815 - the name that http.server looks for

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self.base_url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handle(self, request: http.server.BaseHTTPRequestHandler) -> None:
        body = request.rfile.read(int(request.headers.get("Content-Length", "0")))
        trouble = self.troubles.pop(0) if self.troubles else ""
        self.seen.append(trouble or request.path)
        if trouble in ("busy", "crowded"):
            self._answer(
                request, 503 if trouble == "busy" else 429, {"Retry-After": "7"} if trouble == "busy" else {}, b""
            )
            return
        if trouble != "broken":
            with closing(http.client.HTTPConnection(self._address)) as upstream:
                upstream.request(request.command, request.path, body, dict(request.headers))
                answer = upstream.getresponse()
                content = answer.read()
        if trouble:
            request.close_connection = True
            request.connection.shutdown(socket.SHUT_RDWR)
            return
        headers = {"Content-Type": answer.headers["Content-Type"]}
        self._answer(request, answer.status, headers, content)

    def _answer(
        self, request: http.server.BaseHTTPRequestHandler, status: int, headers: Mapping[str, str], content: bytes
    ) -> None:
        request.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            request.send_header(name, value)
        request.end_headers()
        request.wfile.write(content)
