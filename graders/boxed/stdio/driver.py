"""Runs inside the box: the programs of `stdio` suites, and the start of the submission's own process.

    build           the submission is compiled, once for all cases; none of it runs
    judge           the author's program judges: an output (checker), or the conversation that it leads (interactor)
    run ENTRY PRELUDE ARGUMENTS...
                    runs the submission, after the task's prelude; "" for none
    become ENTRY PRELUDE COUNT COMMAND... ARGUMENTS...
                    connects stdin and stdout to the interactor, and becomes the submission;
                    with a command (of COUNT words) it executes that instead

`build` and `judge` answer one question on the channel each:

    build   {"files": [path...]}                    answer {"tag": str, "code": tree of [bytes or None...]}
                                                    or {"problem": str}: the first file cannot be compiled
    judge   {"program": path, "arguments": [str...], "stdin": path, "passes": bool}
            stdin: a path, or "" for the connection to the submission
            answer {"exit_code": int} or {"crash": str} or {"left": str} or {"flood": int}
                   and "message", "score", "printed": str; of a conversation also "waited": [str, seconds], "transcript": str
                   with passes also "next": bytes or None, "feedback": {path: bytes}; "too_much": int instead

The submission's process has only its stdin and stdout open: neither the channel nor the connection, and no other
program.
"""

import _thread
import collections
import io
import os
import py_compile
import runpy
import select
import signal
import stat
import sys
import time
import traceback
import types
from typing import TYPE_CHECKING

from graders.boxed.shared.channel import CHANNEL, receive, send
from graders.boxed.shared.encoding import to_json
from graders.boxed.shared.search_path import make_importable, prelude_of

if TYPE_CHECKING:
    from collections.abc import Mapping

LINE = 4
FEEDBACK = "feedback"
"""The folder in which a program of the author's may leave judgemessage.txt and score.txt, as in Kattis' format."""
NEXT_INPUT = "nextpass.in"
MOST_KEPT = 4 << 20
"""Bytes in the feedback folder that go from one pass to the next."""
MOST_READ = 8 << 20
"""Bytes that an interactor reads from the submission. A submission that writes more is stopped."""
MOST_DESCRIPTORS = 256
CHUNK = 1 << 16
MOST_UNHEARD = 1 << 16
"""Bytes that an interactor may write to a submission that has closed its input."""
MOST_TEXT = 4000
"""Characters that are kept of each text in an answer: the last ones."""


def main(role: str, *arguments: str) -> None:
    if role == "build":
        build()
    elif role == "judge":
        judge()
    elif role == "run":
        run(*arguments)
    else:
        module, prelude, count, *words = arguments
        become(module, prelude, words[: int(count)], words[int(count) :])


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
            # Any other file may be broken: the program may never import it.
            if not code:
                problem = str(error)
                break
            code.append(None)
    answer = {"problem": problem[-MOST_TEXT:]} if problem else {"code": to_json(code)}
    send({"nonce": question["nonce"], "tag": sys.implementation.cache_tag, **answer})


def become(module: str, prelude: str, command: list[str], arguments: list[str]) -> None:
    """Become the submission. `command`: a command to execute instead of running `module` here."""
    os.dup2(LINE, 0)
    said, stdout = os.pipe()
    program = os.fork()
    os.close(CHANNEL)
    if program:
        os.close(stdout)
        _carry_for(program, said)
    os.dup2(stdout, 1)
    for number in (LINE, said, stdout):
        os.close(number)
    if command:
        os.execvp(command[0], [*command, *arguments])  # noqa: S606 - in the submission's own box
    run(module, prelude, *arguments)


def run(module: str, prelude: str, *arguments: str) -> None:
    """Run the submission. `prelude`: the path of the task's prelude; "" if it has none."""
    make_importable(".")
    sys.argv = ["", *arguments]
    # `python3 -m` does the same: the program's objects live until the interpreter ends.
    sys.modules["__main__"] = types.ModuleType("__main__")
    if prelude:
        prelude_of(prelude)(vars(sys.modules["__main__"]))
    runpy._run_module_as_main(module)  # type: ignore[attr-defined]  # noqa: SLF001


def _carry_for(program: int, said: int) -> None:
    """Forward the submission's output to the connection until it has ended; then end with the same status.

    The output comes through a pipe, so that the submission may close its stdout and go on reading. This process is the
    box's own: after the submission has ended, it still forwards the rest of the output.
    """
    ended, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    sources = [said, ended]
    while True:
        found, status = os.waitpid(program, os.WNOHANG)
        if found:
            break
        ready, _, _ = select.select(sources, [], [])
        if ended in ready:
            os.read(ended, CHUNK)
        if said in ready and not _carried(said):
            sources.remove(said)
            os.close(said)  # if the submission writes more, the write fails
            _no_more()
    if said in sources:
        os.set_blocking(said, False)
        while _carried(said):
            pass
    if os.WIFSIGNALED(status):
        if os.WTERMSIG(status) != signal.SIGKILL:
            signal.signal(os.WTERMSIG(status), signal.SIG_DFL)
        os.kill(os.getpid(), os.WTERMSIG(status))
    os._exit(os.waitstatus_to_exitcode(status))


def _carried(said: int) -> bool:
    """Forward some output of the submission. Return False if there is no more, or if the other side has closed."""
    try:
        data = os.read(said, CHUNK)
        rest = data
        while rest:
            rest = rest[os.write(LINE, rest) :]
    except (BlockingIOError, ConnectionError):
        return False
    return bool(data)


class FloodError(BaseException):
    """The submission wrote more than MOST_READ bytes. Not an Exception, so that the interactor does not catch it."""


class InteractorLine(io.RawIOBase):
    """The interactor's end of the connection. It records whether the submission has left, what it wrote, and the waits.

    The interactor's output comes through a pipe, so that it may close its stdout and go on reading, as it could if two
    pipes connected the programs.
    """

    def __init__(self) -> None:
        self.left = False
        self.taken = 0
        self.waited = ("", 0.0)
        """The last wait: `read` or `write`, and its seconds."""
        self._said: collections.deque[tuple[str, bytes]] = collections.deque(maxlen=1000)
        self._all_carried = _thread.allocate_lock()
        self._from_stdout = -1
        self._stdout = (0, 0)
        self._over = False

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 0

    def connect(self) -> None:
        """Connect it to stdin and stdout."""
        os.dup2(LINE, 0)
        self._from_stdout, stdout = os.pipe()
        self._stdout = _file(stdout)
        os.dup2(stdout, 1)
        os.close(stdout)
        self._all_carried.acquire()
        _thread.start_new_thread(self._carry, ())

    def disconnect(self) -> None:
        """Wait until all output of the interactor is forwarded."""
        self._over = True
        for number in set(range(MOST_DESCRIPTORS)) - {self._from_stdout}:
            # Not just 1: the interactor may have duplicated it, or opened another file as 1.
            if self._stdout == _file(number):
                os.close(number)
        self._all_carried.acquire()

    def readinto(self, buffer: "bytearray | memoryview") -> int:  # type: ignore[override]
        since, had_left = time.monotonic(), self.left
        try:
            size = os.readv(LINE, [buffer])
        except ConnectionError:  # it left without having read all
            size = 0
        if not had_left:
            self.waited = ("read", time.monotonic() - since)
        self.left = self.left or size == 0
        self.taken += size
        self._said.append(("submission", bytes(memoryview(buffer)[: min(size, MOST_TEXT)])))
        if self.taken > MOST_READ:
            raise FloodError
        return size

    def _carry(self) -> None:
        """Forward the interactor's stdout to the connection, in a thread of its own."""
        unheard = 0
        try:
            # Output to a submission that has left is dropped, up to a limit: its own output must still be read.
            while unheard <= MOST_UNHEARD and (data := os.read(self._from_stdout, CHUNK)):
                self._said.append(("interactor", data[:MOST_TEXT]))
                unheard += len(data) - self._write(data)
            if not self._over:
                _no_more()
        finally:
            os.close(self._from_stdout)
            self._all_carried.release()

    def _write(self, data: bytes) -> int:
        since, had_left, written = time.monotonic(), self.left, 0
        try:
            while written < len(data):
                written += os.write(LINE, data[written:])
        except ConnectionError:
            self.left = True
        if not had_left:
            self.waited = ("write", time.monotonic() - since)
        return written

    def transcript(self) -> str:
        """Return the end of the conversation, each line with the name of its writer."""
        lines = [
            f"{who}: {line}"
            for who, said in self._said
            for line in said.decode("utf-8", "backslashreplace").splitlines()
        ]
        return "\n".join(lines)[-MOST_TEXT:]


def _file(number: int) -> tuple[int, int]:
    """Return device and inode of a descriptor; both ends of a pipe have the same."""
    try:
        found = os.fstat(number)
    except OSError:
        return 0, 0
    return found.st_dev, found.st_ino


def _no_more() -> None:
    """Close the writing half: the other side reads the end of its input, and may still write."""
    import _socket  # noqa: PLC0415 - hardly any interactor needs it, and each box would pay for it

    line = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM, 0, os.dup(LINE))
    try:
        line.shutdown(_socket.SHUT_WR)
    except OSError:  # it has left
        pass
    finally:
        line.close()


def judge() -> None:
    question = receive()
    os.makedirs(FEEDBACK, exist_ok=True)
    line = InteractorLine() if not question["stdin"] else None
    os.dup2(os.open("complaints", os.O_WRONLY | os.O_CREAT), 2)
    if line is None:
        os.dup2(os.open("printed", os.O_WRONLY | os.O_CREAT), 1)
        os.dup2(os.open(question["stdin"], os.O_RDONLY), 0)
    else:
        line.connect()
        sys.stdin = io.TextIOWrapper(io.BufferedReader(line), errors="replace")
        # Each line is sent when it is written, so that authors need not flush.
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(io.FileIO(1, "w")), line_buffering=True, write_through=True)
    stdout = sys.stdout
    sys.argv = [question["program"], *question["arguments"]]
    answer = {"nonce": question["nonce"], **_verdict(question["program"], line)}
    for stream in (stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # the reader is gone, or the stream was closed
            continue
    if line is not None:
        line.disconnect()
        answer["waited"] = list(line.waited)
        answer["transcript"] = line.transcript()
    message = _text(f"{FEEDBACK}/judgemessage.txt") or _text("complaints") or _text("printed")
    score = _text(f"{FEEDBACK}/score_multiplier.txt") or _text(f"{FEEDBACK}/score.txt")
    answer |= _for_next_pass() if question["passes"] else {}
    send({**answer, "message": message, "score": score, "printed": _text("printed")})


def _verdict(program: str, line: InteractorLine | None) -> "Mapping[str, object]":
    try:
        sys.path.insert(0, os.path.dirname(os.path.abspath(program)))
        runpy.run_path(program, run_name="__main__")
        if line is not None and not sys.stdout.closed:
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


def _for_next_pass() -> "Mapping[str, object]":
    """Return the input that the author's program wrote for the next pass, and the feedback files that it keeps."""
    kept = {}
    left = MOST_KEPT
    for folder, _, names in os.walk(FEEDBACK):
        for path in (os.path.join(folder, name) for name in names):
            found = os.lstat(path)
            if stat.S_ISREG(found.st_mode):
                left -= found.st_size
                if left < 0:
                    return {"too_much": MOST_KEPT}
                kept[os.path.relpath(path, FEEDBACK)] = _content(path)
    return {"next": to_json(kept.pop(NEXT_INPUT, None)), "feedback": {path: to_json(kept[path]) for path in kept}}


def _text(path: str) -> str:
    try:
        return _content(path)[-4 * MOST_TEXT :].decode("utf-8", "replace")[-MOST_TEXT:]
    except OSError:
        return ""


def _content(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()
