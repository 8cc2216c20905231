"""Who may do what: tokens, scopes, one-time links, sessions, CSRF, headers, and errors that give nothing away."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from fastapi import Depends
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from service.edge.access import COOKIE, CSRF_HEADER, Required, Reviewer, first_start_link, sign_in_link
from service.storage.interface import StorageError, UnavailableError
from tests.integration.api import Api

EVERYBODY = {"admin", "author", "submitter", "reviewer"}
ROUTES = [
    ("GET", "/v1/runs", EVERYBODY),
    ("GET", "/v1/runs/x", EVERYBODY),
    ("GET", "/v1/runs/x/cases", {"admin", "author", "reviewer"}),
    ("GET", "/v1/tasks", EVERYBODY),
    ("GET", "/v1/tasks/x", EVERYBODY),
    ("GET", "/v1/rubrics", EVERYBODY),
    ("GET", "/v1/graders", EVERYBODY),
    ("POST", "/v1/submissions", {"admin", "submitter"}),
    ("POST", "/v1/submissions:batch", {"admin", "submitter"}),
    ("POST", "/v1/tasks", {"admin", "author"}),
    ("GET", "/v1/exports/jsonl", {"admin", "author"}),
    ("POST", "/v1/runs/x/reviews", {"admin", "reviewer"}),
    ("GET", "/v1/runs/x/reviews", {"admin", "reviewer"}),
]


def test_the_table_above_has_every_route(api: Api) -> None:
    described = {
        (method.upper(), path.replace("{run_id}", "x").replace("{task_id}", "x").replace("{format}", "jsonl"))
        for path, operations in api.app.openapi()["paths"].items()
        for method in operations
        if path.startswith("/v1/")
    }
    assert described == {(method, path) for method, path, _ in ROUTES}


@pytest.mark.parametrize(("method", "path", "allowed"), ROUTES)
def test_each_route_needs_a_scope(api: Api, method: str, path: str, allowed: set[str]) -> None:
    for scope in EVERYBODY:
        answer = api.as_(scope).request(method, path, json={} if method == "POST" else None)
        assert (answer.status_code != 403) == (scope in allowed), (scope, answer.text)
    nobody = api.client().request(method, path, json={})
    assert (nobody.status_code, nobody.json()["type"]) == (401, "urn:assay:problem:unauthenticated")
    assert nobody.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("token", ["", "x", "assay_x", "once_x", "\udcff"])
def test_a_wrong_token_is_nobody(api: Api, token: str) -> None:
    header = b"Bearer " + token.encode("latin-1", "replace")
    assert api.client().get("/v1/runs", headers={b"Authorization": header}).status_code == 401


def test_an_expired_token_is_nobody(api: Api) -> None:
    token = api.storage.access.add_token(
        "a", frozenset({"admin"}), api.clock.now, expires_at=api.clock.now + timedelta(1)
    )
    client = api.client(Authorization=f"Bearer {token}")
    assert client.get("/v1/runs").status_code == 200
    api.clock.advance(days=1)
    assert client.get("/v1/runs").status_code == 401


def link_path(link: str) -> str:
    parts = urlsplit(link)
    return f"{parts.path}?{parts.query}"


def signed_in(api: Api, *scopes: str) -> TestClient:
    client = api.client()
    link = sign_in_link(api.storage, "http://testserver", "ann", frozenset(scopes), api.clock.now)
    assert client.get(link_path(link)).status_code == 200
    return client


def test_a_link_signs_in_once(api: Api) -> None:
    link = link_path(sign_in_link(api.storage, "http://h/", "ann", frozenset({"reviewer"}), api.clock.now))
    client = api.client()
    answer = client.get(link)
    assert answer.status_code == 200
    assert 'content="0; url=/review"' in answer.text
    cookie = answer.headers["Set-Cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert client.get("/v1/runs").status_code == 200
    second = api.client().get(link)
    assert (second.status_code, second.json()["type"]) == (403, "urn:assay:problem:sign-in-link")
    assert "Set-Cookie" not in second.headers


def test_a_link_and_a_session_run_out(api: Api) -> None:
    link = link_path(sign_in_link(api.storage, "http://h", "ann", frozenset({"reviewer"}), api.clock.now))
    client = signed_in(api, "reviewer")
    api.clock.advance(hours=24)
    assert api.client().get(link).status_code == 403
    assert client.get("/v1/runs").status_code == 401


def test_a_link_is_no_api_token_and_survives_being_tried_as_one(api: Api) -> None:
    link = sign_in_link(api.storage, "http://h", "ann", frozenset({"admin"}), api.clock.now)
    token = link.partition("token=")[2]
    assert api.client(Authorization=f"Bearer {token}").get("/v1/runs").status_code == 401
    assert api.client(Cookie=f"{COOKIE}={token}").get("/v1/runs").status_code == 401
    assert api.client().get(link_path(link)).status_code == 200


def test_an_api_token_is_no_link(api: Api) -> None:
    token = api.storage.access.add_token("a", frozenset({"admin"}), api.clock.now, expires_at=None)
    assert api.client().get(f"/sign-in?token={token}").status_code == 403


def test_only_the_first_start_gives_an_administrators_link(api: Api, tmp_path: Any) -> None:
    assert first_start_link(api.storage, "http://h", api.clock.now) is None
    fresh = type(api.storage).open(f"sqlite:///{tmp_path}/fresh.sqlite3")
    link = first_start_link(fresh, "http://h", api.clock.now)
    assert link is not None
    assert fresh.access.principal(link.partition("token=")[2], api.clock.now).scopes == {"admin"}  # type: ignore[union-attr]
    assert first_start_link(fresh, "http://h", api.clock.now) is None
    fresh.close()


def with_csrf_route(api: Api) -> None:
    from service.edge.access import csrf_token

    @api.app.get("/csrf")
    def csrf(token: str = Depends(csrf_token)) -> str:
        return token

    @api.app.api_route("/change", methods=["POST", "PUT", "PATCH", "DELETE"])
    def change(who: Reviewer) -> str:
        return who.name


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_session_changes_nothing_without_its_csrf_token(api: Api, method: str) -> None:
    with_csrf_route(api)
    client, other = signed_in(api, "reviewer"), signed_in(api, "reviewer")
    token = client.get("/csrf").json()
    for headers in ({}, {CSRF_HEADER: ""}, {CSRF_HEADER: "x"}, {CSRF_HEADER: other.get("/csrf").json()}):
        answer = client.request(method, "/change", headers=headers)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:assay:problem:csrf")
    assert client.request(method, "/change", headers={CSRF_HEADER: token}).json() == "ann"
    assert api.as_("reviewer", name="ben").request(method, "/change").json() == "ben"  # no cookie, no need


@pytest.mark.parametrize("path", ["/review/x/skip", "/v1/runs/x/reviews"])
def test_a_session_without_its_csrf_token_is_refused_before_its_body_is_read(api: Api, path: str) -> None:
    client = signed_in(api, "reviewer")
    answer = client.post(path, content=b"{", headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (403, "urn:assay:problem:csrf")
    nobody = api.client().post(path, content=b"{", headers={"Content-Type": "application/json"})
    assert (nobody.status_code, nobody.json()["type"]) == (401, "urn:assay:problem:unauthenticated")


def test_a_session_has_no_more_scopes_than_its_link(api: Api) -> None:
    with_csrf_route(api)
    client = signed_in(api, "submitter")
    headers = {CSRF_HEADER: client.get("/csrf").json()}
    assert client.post("/change", headers=headers).json()["type"] == "urn:assay:problem:forbidden"


@pytest.mark.parametrize("path", ["/healthz", "/v1/runs", "/nowhere", "/sign-in?token=once_x"])
def test_every_answer_has_the_security_headers(api: Api, path: str) -> None:
    headers = api.client().get(path).headers
    assert headers["Content-Security-Policy"].startswith("default-src 'self';")
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"
    assert len(headers["X-Request-Id"]) == 16


def test_our_own_failure_says_nothing_but_an_id(api: Api) -> None:
    @api.app.get("/breaks")
    def breaks() -> None:
        raise RuntimeError("a secret of ours")

    with capture_logs() as logs:
        answer = api.client(Authorization="Bearer assay_of_somebody").get("/breaks")
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (500, "urn:assay:problem:internal")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert problem["request_id"] == answer.headers["X-Request-Id"]
    assert "secret" not in answer.text
    (entry,) = logs
    assert entry["request_id"] == problem["request_id"]
    assert "a secret of ours" in entry["traceback"]
    assert "assay_of_somebody" not in str(logs)
    assert answer.headers["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    ("statement", "error", "status", "kind", "action"),
    [
        ("SELECT 1", UnavailableError, 503, "storage-unavailable", "storage.unavailable"),
        ("SELECT 1", StorageError, 500, "internal", "request.failed"),
        ("SELECT * FROM no_such_table", None, 500, "internal", "request.failed"),
        ("INSERT INTO counters VALUES ('finish', NULL)", None, 500, "internal", "request.failed"),
    ],
)
def test_only_a_database_that_may_come_back_is_a_503_and_the_log_has_the_cause_once(
    api: Api, statement: str, error: type[Exception] | None, status: int, kind: str, action: str
) -> None:
    @api.app.get("/breaks")
    def breaks() -> None:
        with api.storage.database.writing() as connection:
            connection.exec_driver_sql(statement)
        if error is not None:
            raise error("disk full at /some/where") from OSError("the cause")

    with capture_logs() as logs:
        answer = api.client().get("/breaks")
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:assay:problem:{kind}")
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert "/some/where" not in answer.text
    assert "no_such_table" not in answer.text
    (entry,) = logs
    assert (entry["action"], entry["request_id"]) == (action, answer.headers["X-Request-Id"])
    assert "the cause" in str(entry) or "sqlite3." in str(entry)


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("DELETE", "/v1/runs", 405)])
def test_wrong_addresses_are_problems_too(api: Api, method: str, path: str, status: int) -> None:
    answer = api.as_("admin").request(method, path)
    assert (answer.status_code, answer.json()["status"]) == (status, status)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_browser_gets_a_page_in_which_nothing_of_the_request_runs(api: Api) -> None:
    @api.app.get("/page", dependencies=[Depends(Required("reviewer"))])
    def page() -> str:
        return ""

    @api.app.get("/echo")
    def echo(text: str) -> None:
        from service.storage.interface import NotFoundError

        raise NotFoundError(text)

    client = api.client(Accept="text/html")
    assert "<h1>Nobody is signed in" in client.get("/page").text
    answer = client.get("/echo", params={"text": "<script>alert(1)</script>"})
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "<script>" not in answer.text


def test_health_needs_no_token_and_readiness_names_what_is_missing(api: Api) -> None:
    client = api.client()
    assert client.get("/healthz").json()["status"] == "ok"
    assert client.get("/readyz").json() == {"status": "ready", "missing": []}
    api.missing.append("no Docker engine")
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["missing"]) == (503, ["no Docker engine"])
