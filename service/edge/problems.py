"""Errors of a request, as RFC 9457 problem documents.

    ProblemError            one of the kinds below, with the fields at fault; raised anywhere below a route

docs/reference/problems.md explains each kind; a test compares the two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from pydantic_core import ErrorDetails
from starlette.exceptions import HTTPException as StarletteHTTPException

from rubrics.review import ReviewError
from service.schemas import ErrorField, Problem
from service.storage.interface import ConflictError, NotFoundError, UnavailableError

_log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
"""`Retry-After` of every problem that may pass by itself."""
MOST_FIELDS = 100
"""Number of fields at fault that an answer names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    status: int
    title: str


KINDS: Mapping[str, Kind] = {
    "malformed-body": Kind(status=400, title="The body is not JSON in UTF-8"),
    "unauthenticated": Kind(status=401, title="Nobody is signed in, or the token is not valid"),
    "forbidden": Kind(status=403, title="The token lacks a scope"),
    "csrf": Kind(status=403, title="The request did not come from our own page"),
    "sign-in-link": Kind(status=403, title="The sign-in link is used or expired"),
    "not-found": Kind(status=404, title="There is no such thing"),
    "unknown-task": Kind(status=404, title="There is no such task"),
    "method-not-allowed": Kind(status=405, title="The method does not fit this address"),
    "body-too-slow": Kind(status=408, title="The body did not arrive in time"),
    "conflict": Kind(status=409, title="Something else happened in between"),
    "idempotency-conflict": Kind(status=409, title="The idempotency key was used for other content"),
    "body-too-large": Kind(status=413, title="The body is too large"),
    "unsupported-encoding": Kind(status=415, title="The body is compressed"),
    "invalid-request": Kind(status=422, title="Some field of the request is wrong"),
    "invalid-submission": Kind(status=422, title="Some field of the submission is wrong"),
    "invalid-task": Kind(status=422, title="Something in the task package is wrong"),
    "invalid-review": Kind(status=422, title="Some field of the review is wrong"),
    "internal": Kind(status=500, title="We failed"),
    "queue-full": Kind(status=503, title="Too much is waiting"),
    "storage-unavailable": Kind(status=503, title="The database does not answer"),
}

_BY_STATUS = {401: "unauthenticated", 403: "forbidden", 404: "not-found", 405: "method-not-allowed"}


class ProblemError(HTTPException):
    """A problem to answer with. An HTTPException, because FastAPI lets only those through while it reads a body.

    Args:
        kind: a key of KINDS.
        detail: what is wrong this time, in a sentence.
        errors: the fields at fault.
    """

    def __init__(self, kind: str, detail: str, errors: Sequence[ErrorField] = ()) -> None:
        headers = {"WWW-Authenticate": "Bearer"} if kind == "unauthenticated" else {}
        if KINDS[kind].status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers["Retry-After"] = str(RETRY_SECONDS)
        if KINDS[kind].status == HTTPStatus.REQUEST_TIMEOUT:
            headers["Connection"] = "close"  # the rest of the body may never come
        super().__init__(KINDS[kind].status, detail, headers)
        self.problem = document(kind, detail, errors)


def document(kind: str, detail: str, errors: Sequence[ErrorField] = (), *, request_id: str = "") -> Problem:
    """Return the problem document of a kind."""
    return Problem(
        type=f"urn:assay:problem:{kind}",
        title=KINDS[kind].title,
        status=KINDS[kind].status,
        detail=detail,
        errors=list(errors),
        request_id=request_id,
    )


def described(description: str) -> dict[str, Any]:
    """Return a problem as a response of a route, for its OpenAPI description."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"model": Problem, "description": description, "content": content}


OF_A_BODY: dict[int | str, dict[str, Any]] = {
    400: described("The body is not JSON in UTF-8."),
    408: described("The body did not arrive in time."),
    413: described("The body is too large, or holds too many values."),
    415: described("The body is compressed."),
}
"""Responses of every route that takes a body."""


def install(app: FastAPI) -> None:
    """Answer every error of a route with a problem document.

    Other errors, a StorageError among them, are bugs of ours: `service.edge.middleware` logs them and answers 500.
    """
    app.add_exception_handler(StarletteHTTPException, _answer_http)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(NotFoundError, _answer_storage)
    app.add_exception_handler(ConflictError, _answer_storage)
    app.add_exception_handler(ReviewError, _answer_review)
    app.add_exception_handler(UnavailableError, _answer_unavailable)


def respond(request: Request, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """Return the problem as JSON, or as a small page if a browser asks for a page."""
    if "text/html" in request.headers.get("accept", "") and not request.url.path.startswith("/v1/"):
        return HTMLResponse(_page(problem), problem.status, headers)
    return JSONResponse(problem.model_dump(), problem.status, headers, MEDIA_TYPE)


def field_errors(errors: Sequence[ErrorDetails]) -> list[ErrorField]:
    """Return what pydantic found, by path: `submissions.3.task_id`. The path `body` is the whole body."""
    return [ErrorField(field=_path(error["loc"]), expected=_expected(error)) for error in errors]


def _path(loc: tuple[int | str, ...]) -> str:
    places = loc[1:] if loc and loc[0] in ("body", "query", "path", "header") else loc
    return ".".join(str(place) for place in places) or "body"


def _expected(error: ErrorDetails) -> str:
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return "a value; it is required"
        case "extra_forbidden":
            return "no field of this name"
        case "model_attributes_type" | "model_type" | "dict_type":
            return "a JSON object (and Content-Type: application/json)"
        case "string_pattern_mismatch":
            return f"text that matches {context['pattern']}"
        case "string_too_short" | "too_short":
            return f"at least {context['min_length']} (characters, or entries of a list)"
        case "string_too_long" | "too_long":
            return f"at most {context['max_length']} (characters, or entries of a list)"
    return error["msg"].removeprefix("Input should be ").removeprefix("Value error, ")


def _answer_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, StarletteHTTPException)
    if isinstance(error, ProblemError):
        return respond(request, error.problem, error.headers)
    if error.status_code == HTTPStatus.BAD_REQUEST:  # FastAPI, when it cannot read the body
        return respond(request, _malformed("text in UTF-8, nested less deeply than the interpreter can parse"))
    kind = _BY_STATUS.get(error.status_code, "internal")
    detail = "Nothing is at this address." if kind == "not-found" else f"{error.detail}."
    return respond(request, document(kind, detail), error.headers)


def _malformed(expected: str) -> Problem:
    field = ErrorField(field="body", expected=f"JSON: {expected}")
    return document("malformed-body", "The body could not be read as JSON.", [field])


def _answer_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    details: Sequence[ErrorDetails] = error.errors()
    for detail in details:
        if detail["type"] == "json_invalid":
            reason = f"{detail.get('ctx', {}).get('error', 'it cannot be parsed')} at character {detail['loc'][-1]}"
            return respond(request, _malformed(reason))
    fields = field_errors(details[:MOST_FIELDS])
    return respond(request, document("invalid-request", _summary(fields), fields))


def _summary(fields: Sequence[ErrorField]) -> str:
    return "; ".join(f"{field.field}: expected {field.expected}" for field in fields[:3])


def _answer_storage(request: Request, error: Exception) -> Response:
    if isinstance(error, NotFoundError):
        return respond(request, document("not-found", f"There is no {error}."))
    return respond(request, document("conflict", f"{error}."))


def _answer_unavailable(request: Request, error: Exception) -> Response:
    # The text of the error names files and statements of ours, so it goes to the log only.
    _log.warning(
        "the database is unavailable",
        action="storage.unavailable",
        request_id=request.state.request_id,
        path=request.url.path,
        error=str(error),
        cause=repr(error.__cause__),
    )
    problem = ProblemError("storage-unavailable", "The database does not answer; try again in a moment.")
    return respond(request, problem.problem, problem.headers)


def _answer_review(request: Request, error: Exception) -> Response:
    assert isinstance(error, ReviewError)
    field = ErrorField(field=error.field, expected=error.expected)
    return respond(request, document("invalid-review", f"{error}.", [field]))


def _page(problem: Problem) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Assay</title></head>'
        f"<body><main><h1>{escape(problem.title)}</h1><p>{escape(problem.detail)}</p></main></body></html>"
    )
