"""A typed, synchronous client of the HTTP API, with retries that last through a long batch.

    ApiError                the server refused, or could not be reached for longer than `patience_seconds`
        RefusedError        it refused one submission of a batch; `index` is its position

It knows the API's schemas and nothing else of the server.
"""

import secrets
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, ValidationError

from service.schemas import Accepted, BatchOut, CaseOut, CasesOut, Problem, RunOut, RunsOut, SubmissionIn, TaskOut

BATCH_SIZE = 200
"""Submissions in one request; the server takes up to 500, and half of that keeps a refused request cheap to repeat."""
BATCH_BYTES = 4 * 1024 * 1024
"""Most bytes of code in one request, unless a single submission has more. The server accepts 16 MiB of JSON."""
IN_FLIGHT = 2000
"""Runs that `run_many` has under way: enough for any number of workers, and no flood for the server's queue."""
LONGEST_WAIT_SECONDS = 60
"""The server holds a `?wait=` no longer than this."""
_FIRST_CONTACT_SECONDS = 5.0
"""Patience with a server that never answered yet: long enough for one that is starting, short for a wrong address."""
_BUSY = frozenset({429, 502, 503, 504})

Answer = TypeVar("Answer", bound=BaseModel)


class ApiError(Exception):
    """An error answer. Its text is the server's own explanation, field by field.

    Args:
        message: text for people.
        status: HTTP status; 0 if there was no answer.
        type: the stable `type` of the problem document; empty if there was none.
    """

    def __init__(self, message: str, *, status: int = 0, type: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.type = type


class RefusedError(ApiError):
    """One submission of a batch was refused; those before it in the same batch, and after it, may have been accepted."""

    def __init__(self, message: str, *, index: int, status: int = 0, type: str = "") -> None:
        super().__init__(message, status=status, type=type)
        self.index = index
        """Position in the iterable given to `submit_many`, from 0."""


class Client:
    """One server, one token. Thread-compatible, not thread-safe; close it or use it as a context manager.

    Args:
        base_url: such as `http://127.0.0.1:8000`.
        token: an API token; a call fails with a clear error if the token lacks its scope.
        patience_seconds: how long one call keeps trying while the server is busy (429, 503) or away.
        batch_size: submissions in one request.
        pause: sleeps between retries; tests replace it to lose no time.
    """

    def __init__(
        self,
        base_url: str,
        token: str,
        *,
        patience_seconds: float = 300.0,
        batch_size: int = BATCH_SIZE,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._patience_seconds = patience_seconds
        self._batch_size = batch_size
        self._pause = pause
        self._reached = False
        url = httpx2.URL(base_url)
        if url.scheme not in ("http", "https") or not url.host:
            raise ApiError(f"{base_url!r} is not an address: expected something like http://127.0.0.1:8000")
        self._http = httpx2.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=httpx2.Timeout(60.0, read=LONGEST_WAIT_SECONDS + 30.0),
            # A proxy of the environment is for the world outside; it would refuse, or log, requests to this machine.
            trust_env=url.host not in ("127.0.0.1", "localhost", "::1"),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def put_task(self, files: Mapping[str, str]) -> TaskOut:
        """Store a task package (path -> text). `created` is False if this version was stored before."""
        return self._call(TaskOut, "POST", "/v1/tasks", json={"files": dict(files)})

    def task(self, task_id: str) -> TaskOut:
        """Return the newest version of a task."""
        return self._call(TaskOut, "GET", f"/v1/tasks/{quote(task_id)}")

    def submit(self, submission: SubmissionIn) -> Accepted:
        """Submit one response; it is stored once even if the request has to be repeated."""
        return self._call(Accepted, "POST", "/v1/submissions", json=_body(submission))

    def submit_many(self, submissions: Iterable[SubmissionIn]) -> Iterator[Accepted]:
        """Submit many, in batches as the result is consumed, and yield the answers in the same order.

        Raises RefusedError at the first that the server refuses. A batch whose answer was lost is sent again, and none of
        it runs twice.
        """
        for start, batch in _batches(submissions, self._batch_size):
            yield from self._submit_batch(batch, start)

    def run_many(
        self,
        submissions: Iterable[SubmissionIn],
        *,
        tag: str,
        in_flight: int = IN_FLIGHT,
        refused: "Callable[[RefusedError], None] | None" = None,
    ) -> Iterator[RunOut]:
        """Submit many and yield their runs as they finish, with at most `in_flight` under way.

        Each submission carries this tag. One that is found again by its idempotency key yields its earlier run. `refused`
        receives each one that the server refuses, and the others go on. Without it, raises RefusedError at the first; those
        under way then go on by themselves.
        """
        batches = _batches(submissions, self._batch_size)
        pages = self._pages(tag)
        waiting: set[str] = set()
        # Runs of the tag that are not awaited yet: a later batch may find them again by its keys.
        early: dict[str, RunOut] = {}
        more = True
        while more or waiting:
            while more and len(waiting) + self._batch_size <= max(in_flight, self._batch_size):
                start, batch = next(batches, (0, []))
                more = bool(batch)
                waiting.update(accepted.run_id for accepted in self._submit_batch(batch, start, refused))
            early |= {run.run_id: run for run in next(pages)}
            for run_id in waiting & early.keys():
                waiting.remove(run_id)
                yield early.pop(run_id)

    def run(self, run_id: str, *, wait_seconds: float = 0) -> RunOut:
        """Return a run, after up to `wait_seconds` (at most 60) for it to be done."""
        wait = min(wait_seconds, LONGEST_WAIT_SECONDS)
        return self._call(RunOut, "GET", f"/v1/runs/{quote(run_id)}", params={"wait": wait} if wait else {})

    def cases(self, run_id: str) -> Iterator[CaseOut]:
        """Yield the hidden cases of a run that did not pass, in their order. Needs the scope `author` or `reviewer`."""
        after, more = "", True
        while more:
            page = self._call(CasesOut, "GET", f"/v1/runs/{quote(run_id)}/cases", params={"limit": 500, "after": after})
            yield from page.cases
            after = page.next
            more = bool(after)

    def iter_runs(self, tag: str, *, run_ids: Collection[str]) -> Iterator[RunOut]:
        """Yield the runs of `run_ids`, each once, as they finish; ends when all have.

        They must have been submitted with this tag: the server lists by it, one cursor for the whole batch.
        """
        waiting = set(run_ids)
        for page in self._pages(tag) if waiting else ():
            for run in page:
                if run.run_id in waiting:
                    waiting.remove(run.run_id)
                    yield run
            if not waiting:
                return

    def export(self, format: str) -> Iterator[str]:
        """Yield the lines of an export: `preference`, `kto` or `jsonl`. A broken connection raises; nothing is repeated."""
        try:
            with self._http.stream("GET", f"/v1/exports/{quote(format)}") as response:
                if response.status_code != 200:
                    response.read()
                    raise _refusal(response)
                yield from (line for line in response.iter_lines() if line)
        except httpx2.TransportError as error:
            raise ApiError(f"the server at {self._http.base_url} went away during the export: {error}") from error

    def _submit_batch(
        self, batch: Sequence[SubmissionIn], start: int, refused: "Callable[[RefusedError], None] | None" = None
    ) -> Iterator[Accepted]:
        if not batch:
            return
        body = {"submissions": [_body(submission) for submission in batch]}
        for index, item in enumerate(self._call(BatchOut, "POST", "/v1/submissions:batch", json=body).results, start):
            if item.accepted is None:
                message, type_ = _explain(item.problem, "the server gave no reason")
                error = RefusedError(
                    message, index=index, status=int((item.problem or {}).get("status", 0)), type=type_
                )
                if refused is None:
                    raise error
                refused(error)
                continue
            yield item.accepted

    def _pages(self, tag: str) -> Iterator[Sequence[RunOut]]:
        """Yield finished runs with this tag in the order of their ends, endlessly; pauses if there are none."""
        after = ""
        idle_seconds = 0.0
        while True:
            page = self._call(RunsOut, "GET", "/v1/runs", params={"tag": tag, "limit": 100, "after": after})
            yield page.runs
            after = page.next
            idle_seconds = 0.0 if page.runs else min(1.0, idle_seconds + 0.1)
            if idle_seconds:
                self._pause(idle_seconds)

    def _call(self, answer: type[Answer], method: str, path: str, **content: Any) -> Answer:
        """Return the answer to a request. Tries again, slower each time, while the server is away or busy."""
        waited_seconds = 0.0
        pause_seconds = 0.1
        while True:
            try:
                response = self._http.request(method, path, **content)
            except httpx2.TransportError as error:
                problem = ApiError(f"cannot reach the server at {self._http.base_url}: {error}")
                problem.__cause__ = error
            else:
                self._reached = True
                if response.is_success:
                    return self._read(answer, response)
                problem = _refusal(response)
                if response.status_code not in _BUSY:
                    raise problem
                pause_seconds = max(pause_seconds, _retry_after_seconds(response))
            patience_seconds = self._patience_seconds if self._reached else _FIRST_CONTACT_SECONDS
            if waited_seconds + pause_seconds > min(patience_seconds, self._patience_seconds):
                raise problem
            self._pause(pause_seconds)
            waited_seconds += pause_seconds
            pause_seconds = min(10.0, pause_seconds * 2)

    def _read(self, answer: type[Answer], response: httpx2.Response) -> Answer:
        try:
            return answer.model_validate_json(response.content)
        except ValidationError as error:
            message = (
                f"the server at {self._http.base_url} does not answer like Assay ({error.error_count()} fields differ)"
            )
            raise ApiError(message, status=response.status_code) from error


def _batches(submissions: Iterable[SubmissionIn], size: int) -> Iterator[tuple[int, list[SubmissionIn]]]:
    """Yield each request's submissions, limited in count and bytes, and the position of its first."""
    batch: list[SubmissionIn] = []
    start = taken = 0
    for submission in submissions:
        own = _bytes(submission)
        if batch and taken + own > BATCH_BYTES:
            yield start, batch
            start, batch, taken = start + len(batch), [], 0
        batch.append(submission)
        taken += own
        if len(batch) == size:
            yield start, batch
            start, batch, taken = start + len(batch), [], 0
    if batch:
        yield start, batch


def _bytes(submission: SubmissionIn) -> int:
    """Return the approximate size of its code in a request."""
    texts = [submission.solution or "", *(submission.files or {}).values()]
    return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)


def _body(submission: SubmissionIn) -> dict[str, Any]:
    """Return the body, with a key if it lacks one: a repeated request must not make a second submission."""
    return {"idempotency_key": secrets.token_hex(16), **submission.model_dump(exclude_defaults=True)}


def _retry_after_seconds(response: httpx2.Response) -> float:
    try:
        return max(0.0, float(response.headers.get("Retry-After", "0")))
    except ValueError:
        return 0.0  # the form with a date: our own back-off is as good


def _refusal(response: httpx2.Response) -> ApiError:
    try:
        document = response.json()
    except ValueError:
        document = None
    message, type_ = _explain(document, f"the server answered {response.status_code} {response.reason_phrase}")
    return ApiError(message, status=response.status_code, type=type_)


def _explain(document: Any, otherwise: str) -> tuple[str, str]:
    """Return the sentence for people and the stable type of a problem document, which may be malformed."""
    try:
        problem = Problem.model_validate(document)
    except ValidationError:
        return otherwise, ""
    fields = "; ".join(f"{error.field}: {error.expected}" for error in problem.errors)
    return ": ".join(text for text in (problem.title, problem.detail, fields) if text), problem.type
