"""Requests `/healthz` and `/readyz` at a fixed pace until its standard input ends, then prints the answers as JSON.

It is a process of its own, so that the benchmark's own work is not in the numbers. For each path it prints a list of
`[when, milliseconds, status, body]`: `when` by the monotonic clock of this machine, `milliseconds` from before the
connection is made to its end, status 0 if there was no answer.
"""

import json
import os
import socket
import sys
import threading
import time
from contextlib import suppress

PATIENCE_SECONDS = 30.0
Sample = tuple[float, float, int, str]


def main() -> None:
    host, port, pace = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
    with suppress(PermissionError):
        os.nice(-10)  # what is measured is how long the service takes, not how long this process waits for a processor
    over = threading.Event()
    seen: dict[str, list[Sample]] = {"/healthz": [], "/readyz": []}
    threads = [threading.Thread(target=_sample, args=((host, port), path, pace, over, seen[path])) for path in seen]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join()
    json.dump(seen, sys.stdout)


def _sample(address: tuple[str, int], path: str, pace: float, over: threading.Event, seen: list[Sample]) -> None:
    next_at = time.monotonic()
    while not over.wait(max(0.0, next_at - time.monotonic())):
        began = time.monotonic()
        status, body = _ask(address, path)
        seen.append((began, (time.monotonic() - began) * 1e3, status, body))
        next_at = max(next_at + pace, time.monotonic())


def _ask(address: tuple[str, int], path: str) -> tuple[int, str]:
    received = b""
    try:
        with socket.create_connection(address, timeout=PATIENCE_SECONDS) as connection:
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: assay\r\nConnection: close\r\n\r\n".encode())
            while more := connection.recv(65_536):
                received += more
    except OSError as error:
        return 0, str(error)
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), body.decode()


if __name__ == "__main__":
    main()
