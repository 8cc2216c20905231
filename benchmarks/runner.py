"""Runs inside a container: programs as bare subprocesses or plain forks, without any isolation of one from another.

    python3 -I runner.py SOCKET

Serves each connection from a process of its own. A request is a line of JSON {"argv", "files", "environment", "way",
"harness", "preload"}, the answer one of {"code", "output"}. The least that anybody does: a fresh folder with the files, then
posix_spawn, or (way `fork`) a fork of an interpreter that is up and has the harness imported, wait, remove the folder. With
way `fork-immortal` that interpreter's objects are as in the jail's zygote. Standard library only: this is the box's
interpreter, so that the baselines run on the same one as what is compared to them.
"""

# pathlib would make the heap larger that is forked, and the comparison easier for the jail.
# ruff: noqa: PTH101, PTH102, PTH103, PTH106, PTH108, PTH109, PTH120, PTH123

import gc
import importlib
import json
import os
import runpy
import socket
import sys
import types


def run(request: dict, folder: str) -> dict[str, object]:
    os.mkdir(folder)
    os.chdir(folder)
    for path, text in request["files"].items():
        with open(path, "w") as file:
            file.write(text)
    reading, writing = os.pipe()
    environment = {**os.environ, **request["environment"]}
    if request["way"] != "bare":
        pid = os.fork()
        if pid == 0:
            become(request["argv"], request["environment"], writing)
    else:
        streams = [(os.POSIX_SPAWN_DUP2, writing, fd) for fd in (1, 2)]
        pid = os.posix_spawnp(request["argv"][0], request["argv"], environment, file_actions=streams)
    os.close(writing)
    output = b""
    while part := os.read(reading, 65536):
        output += part
    os.close(reading)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    remove(folder)
    return {"code": code, "output": output.decode("utf-8", "replace")}


def become(argv: list[str], environment: dict[str, str], writing: int) -> None:
    """Run `python3 [options] (FILE | -m MODULE) [ARGUMENT...]` in this interpreter, and leave."""
    os.setsid()
    for fd in (1, 2):
        os.dup2(writing, fd)
    os.environ.update(environment)
    sys.path.insert(0, os.getcwd())
    code = 0
    try:
        if "-m" in argv:
            place = argv.index("-m") + 1
            sys.argv = argv[place:]
            runpy.run_module(argv[place], run_name="__main__", alter_sys=True)
        else:
            sys.argv = argv[1:]
            sys.modules["__main__"] = main_module = types.ModuleType("__main__")
            with open(argv[1], "rb") as file:
                exec(compile(file.read(), argv[1], "exec"), main_module.__dict__)
    except SystemExit as stop:
        code = int(stop.code or 0)
    except BaseException as error:  # noqa: BLE001 - any error of the job is its answer
        sys.stderr.write(repr(error))
        code = 1
    sys.stdout.flush()
    os._exit(code)


def remove(folder: str) -> None:
    for entry in os.scandir(folder):
        if entry.is_dir(follow_symlinks=False):
            remove(entry.path)
        else:
            os.unlink(entry.path)
    os.rmdir(folder)


def serve(connection: socket.socket) -> None:
    ready = False
    with connection.makefile("rwb") as lines:
        for number, line in enumerate(lines):
            request = json.loads(line)
            if request["way"] != "bare" and not ready:
                import_ahead(request["harness"], request["preload"], immortal=request["way"] == "fork-immortal")
                ready = True
            answer = run(request, f"/box/{os.getpid()}-{number}")
            lines.write(json.dumps(answer).encode() + b"\n")
            lines.flush()


def import_ahead(files: dict[str, str], preload: list[str], *, immortal: bool) -> None:
    folder = f"/box/harness-{os.getpid()}"
    for path, text in files.items():
        os.makedirs(os.path.dirname(f"{folder}/{path}"), exist_ok=True)
        with open(f"{folder}/{path}", "w") as file:
            file.write(text)
    sys.path.insert(0, folder)
    for name in preload:
        importlib.import_module(name)
    gc.collect()
    if immortal:
        sys.path.insert(0, "/opt/assay")
        importlib.import_module("sandboxes.inside.immortal").make_immortal()
        sys.path.remove("/opt/assay")
    gc.freeze()


def main() -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(sys.argv[1])
    os.chmod(sys.argv[1], 0o666)
    listener.listen()
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            serve(connection)
            os._exit(0)
        connection.close()


main()
