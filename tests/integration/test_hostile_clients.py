"""Clients that cost more than they send, over real sockets: they end themselves, and `/healthz` answers the next moment."""

import json
import os
import select
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest

from service.edge import guard
from service.edge.access import COOKIE
from service.http.server import CRUMBS
from service.reading.body import MOST_MEMBERS
from service.reading.readers import BODIES as LARGE
from service.reading.readers import PACKAGES, Reader
from service.runs import waiting
from tests.integration.api import Api
from tests.integration.connections import GOOD, Server, head, serving, token, until_closed
from tests.integration.stored import PACKAGE, finish_next

pytestmark = pytest.mark.timeout(120)

CLOSE = "Connection: close"


@pytest.fixture
def server(api: Api) -> Iterator[Server]:
    with serving(api) as served:
        yield served


def answers(server: Server) -> bool:
    return server.status(head("GET", "/healthz", "", None, CLOSE)) == 200


@pytest.mark.parametrize("who", ["nobody", "submitter"])
def test_a_body_in_crumbs_ends_its_connection(api: Api, server: Server, who: str) -> None:
    """300,000 chunks of one byte took the event loop three seconds, and nobody had to be known for it."""
    sent = token(api, "submitter") if who == "submitter" else ""
    with closing(server.connect()) as connection:
        connection.sendall(head("POST", "/v1/submissions", sent, None, "Transfer-Encoding: chunked"))
        crumbs = b"1\r\n \r\n" * (2 * CRUMBS)
        connection.sendall(crumbs)  # and no end: only the crumbs can end it
        said = until_closed(connection)
    assert not said or said.split()[1] in (b"400", b"401")
    assert answers(server)


def test_an_honest_body_in_chunks_is_taken(api: Api, server: Server) -> None:
    """As a client sends that does not know the length ahead, in the pieces of a slow line."""
    body = json.dumps({**GOOD, "solution": "#" * 300_000}).encode()
    pieces = [body[at : at + 200] for at in range(0, len(body), 200)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"
    request = head("POST", "/v1/submissions", token(api, "submitter"), None, "Transfer-Encoding: chunked", CLOSE)
    assert server.status(request, chunks) == 202


@pytest.mark.parametrize(
    "flood",
    [
        pytest.param(b"a:\r\n" * 10_000, id="headers"),
        pytest.param(b"Cookie: " + b"a;" * 20_000 + b"\r\n", id="a long header"),
    ],
)
def test_a_head_that_is_too_long_is_refused_before_it_is_read(server: Server, flood: bytes) -> None:
    assert server.status(b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + flood + b"\r\n") == 400
    assert server.status(b"GET /healthz?" + b"a&" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n") == 400
    assert answers(server)


def test_a_cookie_of_escapes_is_read_at_once(api: Api, server: Server) -> None:
    """The standard library's reader takes time with the square of it: seconds, in each of the few threads."""
    cookie = f'Cookie: {COOKIE}="' + '\\"' * 7_500 + '"'
    with ExitStack() as stack:
        asking = [stack.enter_context(closing(server.connect())) for _ in range(60)]
        for each in asking:
            each.sendall(head("GET", "/v1/runs", "", None, cookie, CLOSE))
        assert {until_closed(each).split()[1] for each in asking} == {b"401"}


@pytest.mark.parametrize(
    ("cookie", "status"),
    [
        ("{name}={session}", 200),
        ("theme=dark; {name}={session}; {name}=x", 200),
        ("{name}x={session}", 401),
        ("x{name}={session}", 401),
        ("{name}", 401),
        ("{name}=", 401),
        (";;=; ={session}", 401),
    ],
)
def test_the_session_is_found_among_other_cookies(api: Api, server: Server, cookie: str, status: int) -> None:
    sent = cookie.format(name=COOKIE, session=token(api, "submitter"))
    assert server.status(head("GET", "/v1/runs", "", None, f"Cookie: {sent}", CLOSE)) == status


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", b"zz\r\n"),
        (b"", b"-1\r\nx\r\n"),
        (b"1\r\nx\r\n", b"1\r\nxy\r\n"),
        (b"", b"fffffffffffffffffffffff\r\n"),
        (b"", b"1" + b";a" * 20_000 + b"\r\n"),
    ],
)
def test_what_is_no_chunk_ends_the_connection_also_after_the_answer(
    server: Server, caplog: pytest.LogCaptureFixture, before: bytes, after: bytes
) -> None:
    """After a 401 nothing can be said any more; it was a traceback in the log for every such client."""
    with closing(server.connect()) as connection:
        connection.sendall(head("POST", "/v1/submissions", "", None, "Transfer-Encoding: chunked") + before)
        assert connection.recv(12) == b"HTTP/1.1 401"
        connection.sendall(after)
        until_closed(connection)
    assert answers(server)
    assert "Traceback" not in caplog.text


def test_who_takes_no_answers_is_closed(api: Api) -> None:
    """Asking on and on without reading: the answers waited, and the connection with them, for ever."""
    with serving(api, answer_seconds=0.5) as server, closing(server.connect()) as connection:
        asking = head("GET", "/openapi.json")
        connection.settimeout(60)
        with pytest.raises(OSError, match=r"reset|Broken pipe"):
            while True:
                connection.sendall(asking * 100)
        assert answers(server)


def test_who_takes_no_answers_counts_as_waiting(api: Api) -> None:
    with serving(api, waiting_connections=3) as server, ExitStack() as stack:
        for _ in range(6):
            connection = stack.enter_context(closing(server.connect()))
            connection.settimeout(0.5)
            with pytest.raises(OSError):  # no room any more, or closed already
                while True:
                    connection.sendall(head("GET", "/openapi.json") * 100)
            assert answers(server)


def test_an_answer_that_is_taken_slowly_is_taken_whole(api: Api) -> None:
    with serving(api) as server, closing(server.connect()) as connection:
        connection.sendall(head("GET", "/openapi.json") * 30 + head("GET", "/openapi.json", "", None, CLOSE))
        received = bytearray()
        while more := connection.recv(2000):
            received += more
    assert received.count(b"HTTP/1.1 200") == 31


BODIES: dict[str, tuple[str, bytes, int]] = {
    "unknown members": (
        "submissions",
        b'{"task_id":"x",' + b",".join(b'"k%d":1' % i for i in range(60_000)) + b"}",
        413,
    ),
    "files that are no texts": (
        "submissions",
        b'{"task_id":"x","files":{' + b",".join(b'"k%d":1' % i for i in range(60_000)) + b"}}",
        413,
    ),
    "long integers": ("submissions", b'{"a":[' + b",".join([b"1" * 4000] * 4000) + b"]}", 400),
    "long fractions": ("submissions", b'{"a":[' + b",".join([b"1." + b"7" * 4000] * 4000) + b"]}", 400),
    "a name without a character": ("submissions", b'{"task_id":"x","\\ud800":1}', 422),
    "a path without a character": ("submissions", b'{"task_id":"numbers/double","files":{"\\ud800":"x"}}', 422),
    "a task with such a path": ("tasks", b'{"files":{"\\ud800":"x"}}', 422),
    "an item with such a name": ("submissions:batch", b'{"submissions":[{"\\ud800":1}]}', 200),
    "an item of many mistakes": (
        "submissions:batch",
        json.dumps({"submissions": [{f"k{at}": 1 for at in range(120)}] * 500}).encode(),
        200,
    ),
    "the same member twice": ("submissions", b'{"task_id":"nobody/has-it","task_id":"x","solution":""}', 404),
    "no numbers": ("submissions", b'{"task_id":NaN,"solution":-Infinity}', 422),
    "another encoding": ("submissions", json.dumps(GOOD).encode("utf-16"), 400),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_of_mistakes_is_told_in_a_few_words(api: Api, server: Server, name: str) -> None:
    """Each mistake cost time on the event loop and a line of the answer, and some could not be told at all."""
    path, body, status = BODIES[name]
    sent = token(api, "submitter", "author")
    said = server.says(head("POST", f"/v1/{path}", sent, len(body), CLOSE), body)
    assert int(said.split()[1]) == status, said[:500]
    assert len(said) < 2_000_000
    assert answers(server)


def test_the_largest_honest_objects_are_no_mistake(api: Api, server: Server) -> None:
    files = {f"f{at}.py": "" for at in range(999)}
    body = json.dumps({"files": {**files, "task.toml": ""}}).encode()
    said = server.says(head("POST", "/v1/tasks", token(api, "author"), len(body), CLOSE), body)
    assert b"invalid-task" in said and len(files) + 1 <= MOST_MEMBERS


ODD: list[tuple[bytes, int]] = [
    (b"HEAD /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405),
    (b"OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404),
    (b"TRACE /v1/runs HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 405),
    (b"GET http://elsewhere/healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404),
    (b"GET //healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404),
    (b"GET /%00%ff%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 404),
    (b"GET /v1/runs/%ed%a0%80 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\nConnection: close\r\n\r\n", 404),
    (b"GET /v1/tasks/%00 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\nConnection: close\r\n\r\n", 404),
    (b"GET /v1/tasks/x?version=%00%ff HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\nConnection: close\r\n\r\n", 404),
    (b"GET /v1/runs?tag=%00&tag=%ff HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\nConnection: close\r\n\r\n", 200),
    (b"GET /v1/runs?limit=1&limit=-1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\nConnection: close\r\n\r\n", 422),
    (b"GET /v1/runs?after=\xd9\xa3 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", 400),
    (b"GET /v1/runs?after=%d9%a3 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\nConnection: close\r\n\r\n", 422),
    (b"GET /v1/runs?after=999999999999999999 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN\r\nConnection: close\r\n\r\n", 200),
    (b"GET /v1/runs HTTP/1.0\r\nAuthorization: bearer TOKEN\r\n\r\n", 200),
    (b"GET /v1/runs HTTP/1.1\r\nHost: a\r\nAuthorization: Basic TOKEN\r\nConnection: close\r\n\r\n", 401),
    (b"GET /v1/runs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nAuthorization: Bearer TOKEN\r\nConnection: close\r\n\r\n", 401),
    (b"GET /v1/runs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nCookie: assay_session=TOKEN\r\nConnection: close\r\n\r\n", 401),
    (b"GET /v1/runs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer TOKEN, TOKEN\r\nConnection: close\r\n\r\n", 401),
    (b"GET /v1/runs HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \xff\xfe\r\nConnection: close\r\n\r\n", 401),
    (b"GET /v1/runs HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n", 400),
    (b"GET /healthz HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade, close\r\n\r\n", 200),
    (b"POST /v1/submissions HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", 400),
    (b"POST /v1/submissions HTTP/1.1\r\nHost: a\r\nContent-Length: +5\r\n\r\n", 400),
    (b"POST /v1/submissions HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", 501),
    (b"POST /v1/submissions HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 9\r\nConnection: close\r\n\r\n", 401),
    (b"POST /v1/submissions HTTP/1.1\r\nHost: a\r\nCookie: assay_session=TOKEN\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}", 403),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    (b"\x00" * 70_000, 400),
]  # fmt: skip


@pytest.mark.parametrize("at", range(len(ODD)))
def test_an_odd_request_has_an_answer_of_ours(api: Api, server: Server, at: int) -> None:
    request, status = ODD[at]
    sent = request.replace(b"TOKEN", token(api, "submitter").encode())
    with closing(server.connect()) as connection:
        connection.sendall(sent)
        said = until_closed(connection)
    assert int(said.split()[1]) in {status, 400 if status == 501 else status}, said[:500]
    assert answers(server)


def test_healthz_answers_while_every_thread_waits_for_the_database(api: Api, tmp_path: Path) -> None:
    """Forty requests that write while it is locked hold all threads; so do forty strangers with a link that is none."""
    body = json.dumps(GOOD).encode()
    with serving(api) as server, ExitStack() as stack:
        sent = token(api, "submitter")
        other = stack.enter_context(closing(sqlite3.connect(tmp_path / "assay.sqlite3", isolation_level=None)))
        other.execute("BEGIN IMMEDIATE")
        writing = []
        for _ in range(60):
            writing.append(stack.enter_context(closing(server.connect())))
            writing[-1].sendall(head("POST", "/v1/submissions", sent, len(body), CLOSE) + body)
        done: list[int] = []
        asking = threading.Thread(target=lambda: done.append(server.status(head("GET", "/healthz", "", None, CLOSE))))
        asking.start()
        asking.join(60)
        ready = server.says(head("GET", "/readyz", "", None, CLOSE))
        other.execute("ROLLBACK")
        assert done == [200]
        assert b"503" in ready[:20] and b"the database did not answer within 2 s" in ready
        # Whoever waited too long is told when to come again.
        assert {until_closed(each).split()[1] for each in writing} <= {b"202", b"503"}


def test_a_link_that_is_none_waits_for_no_writer(api: Api, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "assay.sqlite3", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answer: list[Any] = []
        asking = threading.Thread(target=lambda: answer.append(api.client().get("/sign-in?token=once_x")))
        asking.start()
        asking.join(60)
        said = list(answer)
        other.execute("ROLLBACK")
        asking.join()
    assert [each.status_code for each in said] == [403]


def test_bodies_of_one_person_have_a_room_that_is_not_anothers(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hundreds of large bodies at once, each within its cap and never finished, were gigabytes for a minute."""
    monkeypatch.setattr(guard, "MOST_HELD_MIB", 3)
    most = b" " * (1 << 20)
    body = json.dumps(GOOD).encode()
    with serving(api) as server, ExitStack() as stack:
        greedy, other = (
            token(api, "submitter"),
            api.storage.access.add_token("other", frozenset({"submitter"}), api.clock.now, expires_at=None),
        )
        halves = [stack.enter_context(closing(server.connect())) for _ in range(5)]
        for each in halves:
            each.sendall(head("POST", "/v1/submissions", greedy, 2 << 20) + most)
        refused = [each for each in halves if readable(each)]
        assert 1 <= len(refused) <= 3
        assert all(b"503" in each.recv(20) for each in refused)
        assert server.status(head("POST", "/v1/submissions", other, len(body), CLOSE), body) == 202
        for each in halves:
            each.close()
        deadline = time.monotonic() + 30
        while server.status(head("POST", "/v1/submissions", greedy, len(body), CLOSE), body) != 202:
            assert time.monotonic() < deadline
    assert not api.app.state.assay.held


def readable(connection: socket.socket) -> bool:
    return bool(select.select([connection], [], [], 1)[0])


def test_half_bodies_count_as_waiting(api: Api) -> None:
    """Each held a connection for a minute, however many there were."""
    sent = token(api, "submitter")
    with serving(api, waiting_connections=4) as server, ExitStack() as stack:
        halves = []
        for _ in range(10):
            halves.append(stack.enter_context(closing(server.connect())))
            halves[-1].sendall(head("POST", "/v1/submissions", sent, 1000) + b"{")
            assert answers(server)
        assert [until_closed(each) for each in halves[:6]] == [b""] * 6


def test_of_those_that_come_at_once_the_first_is_no_worse(api: Api) -> None:
    """Where many connected while the service was busy, the first one counted as the one that had owed its head the longest."""
    busy, go_on = threading.Event(), threading.Event()

    async def hold() -> None:
        busy.set()
        go_on.wait(60)  # as long as anything may keep the event loop

    api.app.add_api_route("/hold", hold)
    with serving(api, waiting_connections=3) as server, ExitStack() as stack:
        holding, first, *others = [stack.enter_context(closing(server.connect())) for _ in range(2)]
        holding.sendall(head("GET", "/hold", "", None, CLOSE))
        assert busy.wait(60)
        late = stack.enter_context(closing(server.connect()))
        late.sendall(head("GET", "/healthz", "", None, CLOSE))
        for _ in range(10):
            others.append(stack.enter_context(closing(server.connect())))
            others[-1].sendall(b"GET /healthz HTTP/1.1\r\n")
        go_on.set()
        assert until_closed(late).split()[1] == b"200"
        assert until_closed(first) == b""  # it has owed its head since before


def test_large_bodies_are_parsed_one_after_the_other_and_small_ones_beside_them(api: Api) -> None:
    """All at once, they shared the interpreter with the event loop, which had a turn now and then."""
    sent, go_on = token(api, "submitter"), threading.Event()
    large = json.dumps({**GOOD, "solution": "#" * 100_000}).encode()
    small = json.dumps(GOOD).encode()
    with serving(api) as server, ExitStack() as stack:
        stack.callback(go_on.set)
        LARGE._thread.submit(go_on.wait)  # in the place of a body that takes long
        waiting_ones = [stack.enter_context(closing(server.connect())) for _ in range(3)]
        for each in waiting_ones:
            each.sendall(head("POST", "/v1/submissions", sent, len(large), CLOSE) + large)
        assert server.status(head("POST", "/v1/submissions", sent, len(small), CLOSE), small) == 202
        assert not select.select(waiting_ones, [], [], 0.2)[0]
        go_on.set()
        assert {until_closed(each).split()[1] for each in waiting_ones} == {b"202"}


@pytest.mark.parametrize(
    ("reader", "path", "body", "status"),
    [
        (LARGE, "submissions", {**GOOD, "solution": "#" * 100_000}, b"202"),
        (PACKAGES, "tasks", {"files": {**PACKAGE, "prompt.md": "Another."}}, b"201"),
    ],
    ids=["body", "package"],
)
def test_what_takes_the_interpreter_long_is_read_in_another_process(
    api: Api, reader: Reader, path: str, body: dict[str, Any], status: bytes
) -> None:
    """In a thread of this one a parser stopped the event loop, for half a second on a busy machine."""
    content, sent = json.dumps(body).encode(), token(api, "submitter", "author")
    api.as_("submitter").post("/v1/submissions", json=GOOD)  # the task is known by then
    LARGE.body(b"[]").result()
    with serving(api) as server, closing(server.connect()) as asking:
        assert reader._child is not None
        os.kill(reader._child.pid, signal.SIGSTOP)
        try:
            asking.sendall(head("POST", f"/v1/{path}", sent, len(content), CLOSE) + content)
            assert answers(server)
            assert not select.select([asking], [], [], 1)[0]
        finally:
            os.kill(reader._child.pid, signal.SIGCONT)
        assert until_closed(asking).split()[1] == status


def test_above_so_many_that_wait_an_answer_comes_at_once(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MOST_WAITING", 3)
    run_id = api.as_("submitter", name="s").post("/v1/submissions", json=GOOD).json()["run_id"]
    asking = head("GET", f"/v1/runs/{run_id}?wait=60", token(api, "submitter"), None, CLOSE)
    with serving(api) as server, ExitStack() as stack:
        held = [stack.enter_context(closing(server.connect())) for _ in range(5)]
        for each in held:
            each.sendall(asking)
        answered, _, _ = select.select(held, [], [], 30)
        while len(answered) < 2:
            answered, _, _ = select.select(held, [], [], 30)
        assert len(answered) == 2 and all(b'"queued"' in until_closed(each) for each in answered)


def test_those_who_leave_while_they_wait_are_forgotten_when_it_is_over(api: Api) -> None:
    """Hundreds ask for a run and are gone at once: the run finishes, and nothing of them is left."""
    run_id = api.as_("submitter", name="s").post("/v1/submissions", json=GOOD).json()["run_id"]
    asking = head("GET", f"/v1/runs/{run_id}?wait=60", token(api, "submitter"))
    with serving(api) as server:
        for _ in range(200):
            with closing(server.connect()) as connection:
                connection.sendall(asking)
        assert answers(server)
        finish_next(api.storage, api.jobs, api.clock.now)
        finished = api.app.state.assay.finished
        deadline = time.monotonic() + 60
        while finished._waiting:
            assert time.monotonic() < deadline
            time.sleep(0.05)
