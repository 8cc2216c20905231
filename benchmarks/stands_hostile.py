"""Clients that mean harm: each is a function that does its thing once, and is called again and again while the service is watched."""

import json
import random
import socket
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from threading import Event, Thread

from service.client import ApiError, Client
from tests.integration.connections import head, until_closed
from tests.unit.test_hostile_packages import PACKAGES

MIB = 1 << 20
SLOW_SECONDS = 0.2
"""From one byte of a slow client to its next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """The service, and tokens that it knows."""

    address: tuple[str, int]
    submitter: str
    author: str
    over: Event

    def connect(self) -> socket.socket:
        return socket.create_connection(self.address, timeout=60)

    def says(self, *parts: bytes) -> str:
        """Return the status of the answer to these parts; "closed" if there was no answer."""
        with closing(self.connect()) as connection:
            with suppress(OSError):  # it may have answered, and closed, before it had all
                for part in parts:
                    connection.sendall(part)
            with suppress(OSError):
                said = until_closed(connection)
                return said.split()[1].decode() if said else "closed"
            return "closed"

    def post(self, path: str, token: str, body: bytes) -> str:
        return self.says(head("POST", path, token, len(body), "Connection: close"), body)


Attack = Callable[[Target], str]


def _half_heads(target: Target) -> str:
    """Open more connections than may wait, and never send the rest of the head."""
    with ExitStack() as stack:
        for _ in range(300):
            connection = stack.enter_context(closing(target.connect()))
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n")
        target.over.wait(5)
    return "held"


def _slowly(target: Target, request: bytes) -> str:
    with ExitStack() as stack:
        held = [stack.enter_context(closing(target.connect())) for _ in range(50)]
        for at in range(len(request)):
            if target.over.wait(SLOW_SECONDS):
                break
            for each in list(held):
                try:
                    each.send(request[at : at + 1])
                except OSError:
                    held.remove(each)
            if not held:
                break
    return "held" if held else "closed"


def _slow_heads(target: Target) -> str:
    return _slowly(target, head("GET", "/v1/runs", target.submitter))


def _slow_bodies(target: Target) -> str:
    request = head("POST", "/v1/submissions", target.submitter, 1000)
    with ExitStack() as stack:
        held = [stack.enter_context(closing(target.connect())) for _ in range(50)]
        for each in held:
            each.sendall(request)
        while held and not target.over.wait(SLOW_SECONDS):
            for each in list(held):
                try:
                    each.send(b" ")
                except OSError:
                    held.remove(each)
    return "held" if held else "closed"


def _bodies() -> Iterator[tuple[str, bytes]]:
    """Yield the bodies that take a parser longest, each of the largest size: 16 MiB of a submission, 32 of a task."""
    for text in (
        b"x",
        b"\\n",
        b"\\u00e9",
        b"\\ud83d\\ude00",
        "\N{GRINNING FACE}".encode(),
        "\\n\N{GRINNING FACE}".encode(),
    ):
        yield "submissions", b'{"task_id": "median", "solution": "%s"}' % (text * (15 * MIB // len(text)))
        yield "tasks", b'{"files": {"task.toml": "%s"}}' % (text * (31 * MIB // len(text)))
    item = b'{"task_id": "median", "solution": "%s"}' % (b"\\u00e9" * 5000)
    yield "submissions:batch", b'{"submissions": [%s]}' % b",".join([item] * 500)
    mistakes = [{f"k{at}": 1 for at in range(120)}] * 500
    yield "submissions:batch", json.dumps({"submissions": mistakes}).encode()
    yield "submissions:batch", b'{"submissions": [%s]}' % b",".join([b"[]"] * 99_000)
    yield (
        "submissions",
        b'{"task_id": "median", "files": {%s}}' % b",".join(b'"f%d.py": "%d"' % (n, n) for n in range(1900)),
    )
    yield "submissions", b'{"a": [%s]}' % b",".join([b"1" * 29] * 190_000)


BODIES = tuple(_bodies())


def _large_bodies(target: Target) -> str:
    path, body = random.choice(BODIES)
    return target.post(f"/v1/{path}", target.author, body)


def _many_large_bodies(target: Target) -> str:
    """All parsed at once."""
    largest = max((body for path, body in BODIES if path == "submissions"), key=len)
    with ExitStack() as stack:
        held = [stack.enter_context(closing(target.connect())) for _ in range(6)]
        for each in held:
            with suppress(OSError):
                each.sendall(head("POST", "/v1/submissions", target.submitter, len(largest)) + largest[:-1])
        for each in held:
            with suppress(OSError):
                each.sendall(largest[-1:])
        said = Counter(_status(each) for each in held)
    return " ".join(sorted(said))


def _status(connection: socket.socket) -> str:
    with suppress(OSError):
        return connection.recv(12).decode()[9:] or "closed"
    return "closed"


def _deep_json(target: Target) -> str:
    bodies = (b"[" * 199_000, b'{"a":' * 60_000 + b"1", b'{"a":' + b"[" * 90_000 + b"]" * 90_000 + b"}")
    return target.post("/v1/submissions", target.submitter, random.choice(bodies))


def _wrong_tokens(target: Target) -> str:
    token = f"assay_{random.getrandbits(160):x}"
    said = {target.says(head("GET", "/v1/runs", token, None, "Connection: close")) for _ in range(20)}
    said.add(target.post("/v1/submissions", token, b"x" * (4 * MIB)))
    return " ".join(sorted(said))


def _crumbs(target: Target) -> str:
    request = head("POST", "/v1/submissions", target.submitter, None, "Transfer-Encoding: chunked")
    return target.says(request, b"1\r\n \r\n" * 50_000)


def _long_heads(target: Target) -> str:
    said = {target.says(b"GET /healthz HTTP/1.1\r\nHost: a\r\n" + b"a:\r\n" * 10_000 + b"\r\n")}
    said.add(target.says(head("GET", "/v1/runs", "", None, 'Cookie: assay_session="' + '\\"' * 7_500 + '"')))
    return " ".join(sorted(said))


def _takes_no_answers(target: Target) -> str:
    with closing(target.connect()) as connection:
        connection.settimeout(2)
        with suppress(OSError):
            while not target.over.is_set():
                connection.sendall(head("GET", "/openapi.json") * 100)
        target.over.wait(3)
    return "held"


def _waits(target: Target) -> str:
    """Pages of runs, the largest, many at once."""
    request = head("GET", "/v1/runs?limit=500&wait=5", target.submitter, None, "Connection: close")
    with ExitStack() as stack:
        held = [stack.enter_context(closing(target.connect())) for _ in range(20)]
        for each in held:
            each.sendall(request)
        said = Counter(_status(each) for each in held)
    return " ".join(sorted(said))


def _packages(target: Target) -> str:
    name = random.choice(sorted(PACKAGES))
    with Client(f"http://{target.address[0]}:{target.address[1]}", target.author) as client:
        try:
            client.put_task(PACKAGES[name][0]())
        except ApiError as error:
            return str(error.status)
    return "201"


ATTACKS: Mapping[str, Attack] = {
    "half heads": _half_heads,
    "slow heads": _slow_heads,
    "slow bodies": _slow_bodies,
    "large bodies": _large_bodies,
    "many large bodies at once": _many_large_bodies,
    "deep JSON": _deep_json,
    "wrong tokens": _wrong_tokens,
    "bodies in crumbs": _crumbs,
    "long heads": _long_heads,
    "takes no answers": _takes_no_answers,
    "pages of runs": _waits,
    "packages": _packages,
}


class Clients:
    """A thread for each attack, from `start` to `stop`."""

    def __init__(self, target: Target, only: str) -> None:
        self.said: dict[str, Counter[str]] = {name: Counter() for name in ATTACKS if only in name}
        """Attack -> the result of each try: a status, several of them, or `held` and `closed`."""
        self.moments: list[tuple[float, float, str]] = []
        """From when to when each try took, by the monotonic clock."""
        self._target = target
        self._threads = [Thread(target=self._go_on, args=(name,)) for name in self.said]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._target.over.set()
        for thread in self._threads:
            thread.join()

    def _go_on(self, name: str) -> None:
        while not self._target.over.is_set():
            began = time.monotonic()
            try:
                said = ATTACKS[name](self._target)
            except OSError as error:
                said = type(error).__name__
            self.said[name][said] += 1
            self.moments.append((began, time.monotonic(), name))
            self._target.over.wait(0.02)


def failures(said: Mapping[str, Counter[str]]) -> int:
    """Return the number of answers that no client should get, whatever it sends: failures of the service itself."""
    wrong = ("500", "502", "504")
    return sum(
        count for by in said.values() for what, count in by.items() if any(code in what.split() for code in wrong)
    )
