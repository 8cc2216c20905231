"""The API in this process, behind real sockets: what is sent is bytes, and every clock is far away but the one in question."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import uvicorn

from service.http.server import patient
from service.settings import Settings
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
def serving(api: Api, *, rest_seconds: float = FAR, answer_seconds: float = FAR, **settings: float) -> Iterator[Server]:
    """The application with these limits and patience of no end for the others."""
    patience = {"head_seconds": FAR, "body_seconds": FAR, "waiting_connections": 10_000, **settings}
    limits = Settings(**patience)  # type: ignore[arg-type]
    api.app.state.assay = replace(api.app.state.assay, settings=limits)
    protocol = patient(limits, rest_seconds=rest_seconds, answer_seconds=answer_seconds)
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
    return api.storage.access.add_token("s", frozenset(scopes), api.clock.now, expires_at=None)
