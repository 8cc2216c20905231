"""Connections that owe us bytes, over real sockets: nobody keeps one for nothing, and nobody unknown is listened to."""

import json
import threading
from contextlib import ExitStack, closing

import pytest

from service.reading.body import MOST_VALUES
from service.storage.interface import RunState
from tests.integration.api import Api
from tests.integration.connections import GOOD, head, serving, token, until_closed


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
    assert api.storage.runs.counts()[RunState.QUEUED] == 0


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
