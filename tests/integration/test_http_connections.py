"""Connections that owe us bytes, over real sockets: nobody keeps one for nothing, and nobody unknown is listened to."""

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace

import pytest
import uvicorn

from service.api.guard import MOST_VALUES
from service.http_server import patient
from service.settings import Settings
from service.storage.interface import RunState
from tests.integration.api import Api

GOOD = {"task_id": "numbers/double", "solution": "def double(n):\n    return n + n\n"}
FAR = 600.0
"""Longer than any test: a clock that is not the one in question."""


class Server:
    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=60)

    def says(self, *parts: bytes) -> bytes:
        """All that comes back for these parts, up to the end of the connection."""
        with self.connect() as connection:
            for part in parts:
                connection.sendall(part)
            return until_closed(connection)

    def status(self, *parts: bytes) -> int:
        return int(self.says(*parts).split()[1])


def until_closed(connection: socket.socket) -> bytes:
    received = b""
    try:
        while more := connection.recv(65_536):
            received += more
    except ConnectionResetError:
        pass
    return received


def head(method: str, path: str, token: str = "", length: int | None = None, *more: str) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: assay", "Content-Type: application/json", *more]
    lines += [f"Authorization: Bearer {token}"] if token else []
    lines += [f"Content-Length: {length}"] if length is not None else []
    return "\r\n".join([*lines, "", ""]).encode()


@contextmanager
def serving(api: Api, *, rest_seconds: float = FAR, **settings: float) -> Iterator[Server]:
    """The application with these limits and patience of no end for the others."""
    patience = {"head_seconds": FAR, "body_seconds": FAR, "waiting_connections": 10_000, **settings}
    limits = Settings(**patience)  # type: ignore[arg-type]
    api.app.state.assay = replace(api.app.state.assay, settings=limits)
    protocol = patient(limits, rest_seconds=rest_seconds)
    # Nothing but the clocks in question ends a connection.
    config = uvicorn.Config(
        api.app, http=protocol, ws="none", log_config=None, lifespan="off", timeout_keep_alive=int(FAR)
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0), backlog=512) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Server(listener.getsockname()[:2])
        finally:
            server.should_exit = server.force_exit = True
            thread.join()


def token(api: Api, *scopes: str) -> str:
    return api.storage.add_token("s", frozenset(scopes), api.clock.now, expires_at=None)


def test_three_hundred_half_requests_are_closed(api: Api) -> None:
    with serving(api, head_seconds=0.3) as server, ExitStack() as stack:
        halves = [stack.enter_context(closing(server.connect())) for _ in range(300)]
        for each in halves[::2]:
            each.sendall(b"GET /healthz HTTP/1.1\r\nHost: a")
        assert [until_closed(each) for each in halves] == [b""] * 300


def test_half_a_second_request_is_closed_too(api: Api) -> None:
    with serving(api, head_seconds=1) as server:
        answer = server.says(head("GET", "/healthz"), b"GET /healthz HT")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.count(b"HTTP/1.1") == 1


def test_above_so_many_waiting_connections_the_oldest_goes(api: Api) -> None:
    with serving(api, waiting_connections=5) as server, ExitStack() as stack:
        waiting = [stack.enter_context(closing(server.connect())) for _ in range(8)]
        assert [until_closed(each) for each in waiting[:3]] == [b""] * 3
        for each in waiting[3:]:
            each.sendall(head("GET", "/healthz", "", None, "Connection: close"))
        assert all(until_closed(each).startswith(b"HTTP/1.1 200") for each in waiting[3:])


def test_requests_under_way_are_not_counted_as_waiting(api: Api) -> None:
    run_id = api.as_("submitter", name="s").post("/v1/submissions", json=GOOD).json()["run_id"]
    asking = head("GET", f"/v1/runs/{run_id}?wait=1", token(api, "submitter"), None, "Connection: close")
    with serving(api, waiting_connections=2) as server, ExitStack() as stack:
        under_way = []
        for _ in range(4):
            under_way.append(stack.enter_context(closing(server.connect())))
            under_way[-1].sendall(asking)
            # Answered after what came before it was read, so that no more than these two ever wait.
            assert server.status(head("GET", "/healthz", "", None, "Connection: close")) == 200
        assert all(b'"queued"' in until_closed(each) for each in under_way)


def test_a_body_that_does_not_come_is_told_and_closed(api: Api) -> None:
    with serving(api, body_seconds=0.3) as server:
        answer = server.says(head("POST", "/v1/submissions", token(api, "submitter"), 1000), b'{"task_id":')
    header, _, body = answer.partition(b"\r\n\r\n")
    assert header.startswith(b"HTTP/1.1 408")
    assert b"connection: close" in header.lower()
    assert json.loads(body)["type"] == "urn:assay:problem:body-too-slow"
    assert api.storage.run_counts()[RunState.QUEUED] == 0


def test_a_body_that_comes_in_drops_is_no_better(api: Api) -> None:
    with serving(api, body_seconds=0.5) as server, closing(server.connect()) as connection:
        connection.sendall(head("POST", "/v1/submissions", token(api, "submitter"), 1_000_000))
        stop = threading.Event()

        def drip() -> None:
            while not stop.wait(0.02):
                try:
                    connection.sendall(b" ")
                except OSError:
                    return

        dripping = threading.Thread(target=drip)
        dripping.start()
        try:
            assert until_closed(connection).startswith(b"HTTP/1.1 408")
        finally:
            stop.set()
            dripping.join()


@pytest.mark.parametrize(("who", "status"), [("", 401), ("assay_of_nobody", 401), ("author", 403)])
def test_who_may_not_is_told_so_from_the_head_alone(api: Api, who: str, status: int) -> None:
    """Not a byte of the body is sent, and what is no JSON, too long or compressed is not looked at."""
    sent = token(api, who) if who == "author" else who
    with serving(api, rest_seconds=0.1) as server:
        for length, more in ((1000, ()), (10**12, ()), (1000, ("Content-Encoding: gzip",))):
            answer = server.says(head("POST", "/v1/submissions", sent, length, *more))
            assert answer.startswith(f"HTTP/1.1 {status}".encode()), answer


def test_the_rest_of_a_body_that_nobody_reads_may_come_for_a_while_only(api: Api) -> None:
    with serving(api, rest_seconds=0.3) as server:
        assert server.says(head("POST", "/v1/submissions", "", 1000), b"{").startswith(b"HTTP/1.1 401")


def test_a_connection_goes_on_after_a_body_that_nobody_read(api: Api) -> None:
    with serving(api) as server:
        second = head("GET", "/healthz", "", None, "Connection: close")
        answer = server.says(head("POST", "/v1/submissions", "", 200_000), b" " * 200_000 + second)
    assert answer.count(b"HTTP/1.1 401") == answer.count(b"HTTP/1.1 200") == 1


def test_millions_of_small_lists_are_refused_while_others_are_answered(api: Api) -> None:
    """Of nobody the body is not read; of a submitter it is not parsed."""
    body = b'{"task_id": "numbers/double", "pad": [' + b",".join([b"[0]"] * (3 * MOST_VALUES)) + b"]}"
    with serving(api) as server:
        for who, status in (("", 401), (token(api, "submitter"), 413)):
            request = head("POST", "/v1/submissions:batch", who, len(body), "Connection: close")
            assert server.status(request, body) == status
        assert server.status(head("GET", "/healthz", "", None, "Connection: close")) == 200
