"""Runs inside a container: programs as bare subprocesses, without any isolation of one from another.

    python3 -I -S runner.py SOCKET

Serves each connection from a fork of its own. A request is a line of JSON {"argv", "files", "environment"}, the answer one
of {"code", "output"}. The least that anybody does: a fresh folder with the files, posix_spawn, wait, remove the folder.
Standard library only: this is the box's interpreter, so that the baseline runs on the same one as what is compared to it.
"""

import json
import os
import socket
import sys
from pathlib import Path
from typing import Any


def run(request: dict[str, Any], folder: str) -> dict[str, object]:
    place = Path(folder)
    place.mkdir()
    os.chdir(place)
    for path, text in request["files"].items():
        Path(path).write_text(text)
    reading, writing = os.pipe()
    streams = [(os.POSIX_SPAWN_DUP2, writing, fd) for fd in (1, 2)]
    environment = {**os.environ, **request["environment"]}
    pid = os.posix_spawnp(request["argv"][0], request["argv"], environment, file_actions=streams)
    os.close(writing)
    output = b""
    while part := os.read(reading, 65536):
        output += part
    os.close(reading)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    remove(place)
    return {"code": code, "output": output.decode("utf-8", "replace")}


def remove(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            remove(path)
        else:
            path.unlink()
    folder.rmdir()


def serve(connection: socket.socket) -> None:
    with connection.makefile("rwb") as lines:
        for number, line in enumerate(lines):
            answer = run(json.loads(line), f"/box/{os.getpid()}-{number}")
            lines.write(json.dumps(answer).encode() + b"\n")
            lines.flush()


def main() -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    Path(sys.argv[1]).chmod(0o666)
    listener.listen()
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            serve(connection)
            os._exit(0)
        connection.close()


main()
