"""Runs inside the box: what `stdio` suites need there beside the submission's own process.

    build           the submission is compiled, once for all cases; none of it runs
    judge           the author's program gives its verdict: on an output (checker), or while it converses (interactor)
    run ENTRY PRELUDE       the submission, after the task's prelude
    become ENTRY PRELUDE    puts the line to the interactor where a program's stdin and stdout are, and becomes the submission

The first two answer one question on the channel each:

    build   {"files": [path...]}                    answer {"tag": str, "code": tree of [bytes or None...]}
                                                    or {"problem": str}: the first file cannot be compiled
    judge   {"program": path, "arguments": [str...], "stdin": path}       a path, or "" for the line
            answer {"exit_code": int} or {"crash": str} or {"left": str} or {"flood": int}
                   and "message", "score", "printed": str; of a conversation also "waited": [str, seconds], "transcript": str

The submission's process has neither channel nor line open besides its stdin and stdout, and there is nothing else in it.
"""

import collections
import io
import os
import py_compile
import runpy
import sys
import time
import traceback
import types
from typing import TYPE_CHECKING

from graders.encoding import to_json
from graders.harness.channel import CHANNEL, receive, send
from graders.harness.search_path import make_importable, prelude_of

if TYPE_CHECKING:
    from collections.abc import Mapping

LINE = 4
FEEDBACK = "feedback"
"""The folder in which a program of the author's may leave judgemessage.txt and score.txt, as in Kattis' format."""
MOST_READ = 8 << 20
"""Bytes that an interactor takes from the submission; one that says more is not heard to the end."""
MOST_UNHEARD = 1 << 16
"""Bytes that an interactor may say to a submission that has left."""
MOST_TEXT = 4000
"""Characters of each text in an answer, the last ones."""


def main(role: str, *arguments: str) -> None:
    if role == "build":
        build()
    elif role == "judge":
        judge()
    elif role == "run":
        run(*arguments)
    else:
        become(*arguments)


def build() -> None:
    question = receive()
    code: list[bytes | None] = []
    problem = ""
    for path in question["files"]:
        try:
            compiled = py_compile.compile(
                path, dfile=os.path.abspath(path), doraise=True,
                invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
            )  # fmt: skip
            code.append(_content(compiled or ""))
        except Exception as error:
            # Any other file may be broken: it is the program's own affair whether it imports it.
            if not code:
                problem = str(error)
                break
            code.append(None)
    answer = {"problem": problem[-MOST_TEXT:]} if problem else {"code": to_json(code)}
    send({"nonce": question["nonce"], "tag": sys.implementation.cache_tag, **answer})


def become(module: str, prelude: str, *command: str) -> None:
    """`command`: what to execute instead of running `module` here."""
    os.dup2(LINE, 0)
    os.dup2(LINE, 1)
    os.close(LINE)
    os.close(CHANNEL)
    if command:
        os.execvp(command[0], command)  # noqa: S606 - in the submission's own box
    run(module, prelude)


def run(module: str, prelude: str) -> None:
    """`prelude`: the path of the task's; `` where it has none."""
    make_importable(".")
    sys.argv = [""]
    # As `python3 -m` does it: all that the program makes lives until the interpreter ends, and ends as it does then.
    sys.modules["__main__"] = types.ModuleType("__main__")
    if prelude:
        prelude_of(prelude)(vars(sys.modules["__main__"]))
    runpy._run_module_as_main(module)  # type: ignore[attr-defined]  # noqa: SLF001


class FloodError(BaseException):
    """The submission said more than an interactor is to take. No Exception: the interactor is not to catch it."""


class Line(io.RawIOBase):
    """The line as the interactor has it: whether the other side has left, how much it said, and what was waited for."""

    def __init__(self) -> None:
        self.left = False
        self.taken = 0
        self._unheard = 0
        self.waited = ("", 0.0)
        """The last that was waited for, `read` or `write`, and how many seconds."""
        self._said: collections.deque[tuple[str, bytes]] = collections.deque(maxlen=1000)

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        since = time.monotonic()
        try:
            size = os.readv(LINE, [buffer])
        except ConnectionError:  # it left without having read all
            size = 0
        self.waited = ("read", time.monotonic() - since)
        self.left = self.left or size == 0
        self.taken += size
        self._said.append(("submission", bytes(memoryview(buffer)[: min(size, MOST_TEXT)])))
        if self.taken > MOST_READ:
            raise FloodError
        return size

    def write(self, data: "bytes | memoryview") -> int:  # type: ignore[override]
        since = time.monotonic()
        self._said.append(("interactor", bytes(memoryview(data)[:MOST_TEXT])))
        try:
            return os.write(LINE, data)
        except ConnectionError:
            # What it said before it left is still to be read, so this alone is no reason to stop. Talking on for ever is.
            self.left = True
            self._unheard += len(data)
            if self._unheard > MOST_UNHEARD:
                raise
            return len(data)
        finally:
            self.waited = ("write", time.monotonic() - since)

    def transcript(self) -> str:
        """The end of the conversation, a line for each, with who said it."""
        lines = [
            f"{who}: {line}"
            for who, said in self._said
            for line in said.decode("utf-8", "backslashreplace").splitlines()
        ]
        return "\n".join(lines)[-MOST_TEXT:]


def judge() -> None:
    question = receive()
    os.mkdir(FEEDBACK)
    line = Line() if not question["stdin"] else None
    for path, number in (("printed", 1), ("complaints", 2)):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), number)
    if line is None:
        os.dup2(os.open(question["stdin"], os.O_RDONLY), 0)
    else:
        sys.stdin = io.TextIOWrapper(io.BufferedReader(line), errors="replace")
        # Each line is sent when it is written, so that an author need not think of flushing.
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(line), line_buffering=True, write_through=True)
    sys.argv = [question["program"], *question["arguments"]]
    answer = {"nonce": question["nonce"], **_verdict(question["program"], line)}
    if line is not None:
        answer["waited"] = list(line.waited)
        answer["transcript"] = line.transcript()
    else:
        sys.stdout.flush()
    sys.stderr.flush()
    message = _text(f"{FEEDBACK}/judgemessage.txt") or _text("complaints") or _text("printed")
    send({**answer, "message": message, "score": _text(f"{FEEDBACK}/score.txt"), "printed": _text("printed")})


def _verdict(program: str, line: Line | None) -> "Mapping[str, object]":
    try:
        sys.path.insert(0, os.path.dirname(os.path.abspath(program)))
        runpy.run_path(program, run_name="__main__")
        if line is not None:
            sys.stdout.flush()
    except SystemExit as stop:
        if isinstance(stop.code, str):
            sys.stderr.write(stop.code)
        return {"exit_code": 0 if stop.code is None else stop.code if isinstance(stop.code, int) else 1}
    except FloodError:
        return {"flood": MOST_READ}
    except (EOFError, ConnectionError) as error:
        if line is not None and line.left:
            return {"left": type(error).__name__}
        return {"crash": traceback.format_exc()[-MOST_TEXT:]}
    except BaseException:
        return {"crash": traceback.format_exc()[-MOST_TEXT:]}
    return {"exit_code": 0}


def _text(path: str) -> str:
    try:
        return _content(path)[-4 * MOST_TEXT :].decode("utf-8", "replace")[-MOST_TEXT:]
    except OSError:
        return ""


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
