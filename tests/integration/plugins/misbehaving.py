"""A plugin that does what its task tells it to: right things, and whatever else a grader should never do."""

import ctypes
import json
import mmap
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from graders.interface import (
    CaseOutcome,
    Command,
    Context,
    Example,
    Grader,
    Measurement,
    Outcome,
    Signal,
    TaskUnusable,
)
from sandboxes.interface import SandboxError


class NoWordsError(Exception):
    def __str__(self) -> str:
        raise ValueError("no words")

    __repr__ = __str__


@dataclass(frozen=True)
class Misbehaving(Grader):
    """Reports a finding of medium severity, and then does what `way` says."""

    id, version, criterion = "acme/misbehaving", "1", "best_practices"
    examples = (Example("x = 1\n"),)

    way: str = ""
    words: tuple[str, ...] = ()
    share: float = 0.5

    def grade(self, context: Context) -> Iterator[Signal]:
        if self.way:
            yield self.finding("seen before", severity="low")
            yield from getattr(self, f"_{self.way}")(context) or ()

    def _counts_lines(self, context: Context) -> Iterator[Signal]:
        yield self.measurement(
            "blank-lines", sum(not line for _, text in context.texts() for line in text.split("\n")), "lines"
        )

    def _tells_its_options(self, context: Context) -> Iterator[Signal]:
        yield self.finding(f"{self.words!r} {self.share!r}")

    def _finds(self, context: Context) -> Iterator[Signal]:
        yield self.finding("not as we write it", severity="medium")

    def _runs_boxes(self, context: Context) -> Iterator[Signal]:
        """All that a session can do."""
        said = context.session.run(Command(argv=("python3", "-c", "print(6 * 7)")))
        context.ended(said)
        talk = "import os\nwhile (d := os.read(3, 100)): os.write(3, d)\n"
        with context.session.converse(Command(argv=("python3", "-c", talk))) as conversation:
            answers = [conversation.ask(b"one", seconds=10), *conversation.ask_each([(b"two", 10), (b"three", 10)])]
            answers.append(str(conversation.finish().exit_code).encode())
        left = "import os\nos.read(3, 100)\nos.write(4, b'hello')\nos.write(3, bytes(4))\n"
        right = "import os\nos.read(3, 100)\nd = os.read(4, 100)\nos.write(3, len(d).to_bytes(4, 'big') + d)\n"
        with context.session.pair(
            Command(argv=("python3", "-c", left)), Command(argv=("python3", "-c", right))
        ) as both:
            answers += [both[0].ask(b"", seconds=10), both[1].ask(b"", seconds=10)]
        yield self.finding(f"{said.stdout!r} {answers!r}")

    def _wants_what_is_no_command(self, context: Context) -> Iterator[Signal]:
        try:
            context.session.run(Command(argv=(3,)))  # type: ignore[arg-type]
        except ValueError as error:
            yield self.finding(f"refused: {error}")

    def _yields_an_object(self, context: Context) -> Iterator[Any]:
        yield self.finding(object())  # type: ignore[arg-type]

    def _yields_a_text(self, context: Context) -> Iterator[Any]:
        yield "a string"

    def _yields_a_case(self, context: Context) -> Iterator[Any]:
        yield CaseOutcome(
            grader="assay/hidden-tests", criterion="correctness", suite="hidden", case="x", outcome=Outcome.PASSED
        )

    def _yields_for_another_criterion(self, context: Context) -> Iterator[Any]:
        yield replace(self.finding("x"), criterion="correctness")

    def _yields_in_anothers_name(self, context: Context) -> Iterator[Any]:
        yield replace(self.finding("x"), grader="assay/security")

    def _yields_no_number(self, context: Context) -> Iterator[Any]:
        yield self.measurement("x", float("nan"), "s")

    def _yields_a_subclass(self, context: Context) -> Iterator[Any]:
        class Mine(Measurement):
            pass

        yield Mine(grader=self.id, criterion=self.criterion, name="x", value=1, unit="s")

    def _yields_a_huge_text(self, context: Context) -> Iterator[Any]:
        yield self.finding("x" * 20_000_000)

    def _yields_a_huge_name(self, context: Context) -> Iterator[Any]:
        yield self.finding("x", rule="x" * 1000)

    def _yields_many(self, context: Context) -> Iterator[Any]:
        for _ in range(20_000):
            yield self.finding("many", severity="low")
        yield self.finding("the one that counts", severity="high")

    def _yields_for_ever(self, context: Context) -> Iterator[Any]:
        while True:
            yield self.finding("more", severity="low")

    def _is_no_iterator(self, context: Context) -> Any:
        return 3

    def _exits(self, context: Context) -> Any:
        sys.exit(3)

    def _is_interrupted(self, context: Context) -> Any:
        raise KeyboardInterrupt

    def _leaves_as_generators_do(self, context: Context) -> Any:
        raise GeneratorExit

    def _says_the_box_failed(self, context: Context) -> Any:
        raise SandboxError("says the plugin")

    def _says_the_task_is_broken(self, context: Context) -> Any:
        raise TaskUnusable("says the plugin")

    def _crashes_without_words(self, context: Context) -> Any:
        raise NoWordsError

    def _crashes_with_many_words(self, context: Context) -> Any:
        raise ValueError("x" * 50_000_000)

    def _recurses(self, context: Context) -> Any:
        return self._recurses(context)

    def _exits_at_once(self, context: Context) -> Any:
        os._exit(7)

    def _crashes_the_interpreter(self, context: Context) -> Any:
        ctypes.string_at(0)

    def _becomes_another_program(self, context: Context) -> Any:
        os.execv("/bin/sleep", ["sleep", "1000"])

    def _closes_all_files(self, context: Context) -> Any:
        os.closerange(0, 1000)
        self._hangs(context)

    def _hangs(self, context: Context) -> Any:
        while True:
            pass

    def _hangs_at_its_end(self, context: Context) -> Iterator[Any]:
        try:
            yield "a string"
        finally:
            self._hangs(context)

    def _forks(self, context: Context) -> Iterator[Any]:
        """The copy, which is waited for, would be the first to speak."""
        if (copy := os.fork()) != 0:
            os.waitpid(copy, 0)
        yield self.finding("the first" if copy else "its copy")

    def _burns_in_copies(self, context: Context) -> None:
        for _ in range(3):
            if os.fork() == 0:
                break
        self._hangs(context)

    def _leaves_a_daemon(self, context: Context) -> None:
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                os.closerange(0, 100)
                os.execv("/bin/sleep", ["sleep", "1000.25"])
            os._exit(0)

    def _leaves_a_thread(self, context: Context) -> None:
        threading.Thread(target=time.sleep, args=(1000,)).start()

    def _kills_its_parent(self, context: Context) -> None:
        os.kill(os.getppid(), signal.SIGKILL)
        time.sleep(1000)

    def _kills_everybody(self, context: Context) -> None:
        """Everybody that it may: its own process, which it would be rude to do as root, or as the user of whoever tests this."""
        assert os.getuid() > 1_900_000_000, "this is a user that others have as well"
        os.kill(-1, signal.SIGKILL)
        time.sleep(1000)

    def _reaches_for_the_service(self, context: Context) -> Iterator[Signal]:
        """Tells all that it gets at beyond its own process."""
        assert os.getuid() > 1_900_000_000, "this is a user that others have as well"
        home, got = os.environ["ASSAY_HOME"], []

        def attempt(what: str, act: Callable[[], object]) -> None:
            try:
                act()
            except OSError:
                return
            got.append(what)

        pid = os.getppid()
        while pid := _parent(pid):
            attempt(f"signal to {pid}", partial(os.kill, pid, 0))
            attempt(f"memory of {pid}", partial(open, f"/proc/{pid}/mem", "rb"))
            attempt(f"environment of {pid}", partial(open, f"/proc/{pid}/environ", "rb"))
            attempt(f"files of {pid}", partial(os.listdir, f"/proc/{pid}/fd"))
        attempt("the folder", partial(_list, home))
        attempt("the database", partial(open, f"{home}/assay.sqlite3", "rb"))
        attempt("a file of its own there", partial(open, f"{home}/mine", "w"))
        attempt("another user", partial(os.setuid, 0))
        attempt("another group", partial(os.setgroups, [0]))
        attempt("the engine", partial(socket.socket(socket.AF_UNIX).connect, "/var/run/docker.sock"))
        yield self.finding(", ".join(got) or "nothing")

    def _eats_memory(self, context: Context) -> None:
        eaten = []
        while True:
            eaten.append(bytearray(1 << 24))

    def _eats_shared_memory(self, context: Context) -> None:
        eaten = []
        while True:
            eaten.append(mmap.mmap(-1, 1 << 26))
            eaten[-1].write(bytes(1 << 26))

    def _changes_its_neighbours(self, context: Context) -> None:
        """What it replaces is its own; the submission after this one is looked at as before."""
        Misbehaving.grade = lambda self, context: iter([self.finding("replaced", severity="high")])  # type: ignore[method-assign]
        sys.modules["__main__"].admit = lambda signal, **_: signal  # type: ignore[attr-defined]

    def _opens_many_boxes(self, context: Context) -> Iterator[Any]:
        with ExitStack() as stack:
            try:
                for _ in range(40):
                    stack.enter_context(
                        context.session.converse(Command(argv=("python3", "-c", "import os; os.read(3, 1)")))
                    )
            except ValueError as error:
                yield self.finding(f"refused: {error}")

    def _stops_itself(self, context: Context) -> None:
        os.kill(os.getpid(), signal.SIGSTOP)

    def _stops_its_parent(self, context: Context) -> None:
        os.kill(os.getppid(), signal.SIGSTOP)

    def _makes_the_log_non_blocking(self, context: Context) -> None:
        """The stream of the whole service: who writes to it next may be told to wait, which is an error in Python."""
        os.set_blocking(2, False)
        written = 0
        while written < 1 << 20:
            try:
                written += os.write(2, b"x" * 4095 + b"\n")
            except BlockingIOError:
                break

    def _says(self, context: Context, *messages: bytes) -> None:
        """By itself, on the connection that it shares with its evaluator."""
        for folder in os.listdir("/proc/self/fd"):  # noqa: PTH208 - the numbers are what is wanted
            try:
                with socket.socket(fileno=os.dup(int(folder))) as connection:
                    for message in messages:
                        connection.sendall(message)
            except OSError:
                continue
        time.sleep(1000)

    def _says_half_a_message(self, context: Context) -> None:
        self._says(context, (1000).to_bytes(4, "big") + b"{")

    def _says_too_long_a_message(self, context: Context) -> None:
        self._says(context, b"\xff" * 4)

    def _says_a_large_message(self, context: Context) -> None:
        self._says(context, framed(b'{"abstains": "' + b"x" * (100 << 20) + b'"}'))

    def _says_a_deep_message(self, context: Context) -> None:
        self._says(context, framed(b'{"signal":' + b"[" * 100_000))

    def _says_a_broad_message(self, context: Context) -> None:
        self._says(context, framed(b'{"signal":[' + b"[]," * 10_000_000 + b"[]]}"))

    def _says_numbers_for_texts(self, context: Context) -> None:
        self._says(context, framed(b'{"open": 3}'))

    def _says_what_it_never_did(self, context: Context) -> None:
        self._says(context, framed(b'{"execution": 7}'))

    def _closes_what_is_not_open(self, context: Context) -> None:
        self._says(context, framed(b'{"close": 7}'))

    def _waits_for_no_number(self, context: Context) -> None:
        with context.session.converse(Command(argv=("python3", "-c", "import os; os.read(3, 1)"))):
            self._says(context, framed(b'{"ask": [0, 0], "message": "", "seconds": NaN}'))

    def _says_a_signal_of_anothers(self, context: Context) -> None:
        """Past the fence of its own process."""
        forged = {
            "kind": "case", "grader": "assay/hidden-tests", "criterion": "correctness", "suite": "hidden", "case": "1",
            "outcome": "failed",
        }  # fmt: skip
        self._says(context, framed(json.dumps({"signal": forged}).encode()))


def _parent(pid: int) -> int:
    with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
        return int(file.read().rpartition(")")[2].split()[1])


def _list(folder: str) -> None:
    """What a plugin sees of the folder is a cover over it, in which there is only what Python imports from."""
    if not set(os.listdir(folder)) - {"site"}:  # noqa: PTH208
        raise FileNotFoundError


def framed(message: bytes) -> bytes:
    return len(message).to_bytes(4, "big") + message
