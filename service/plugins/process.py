"""The process of one plugin: imports it once, and forks for each submission.

Forked by `service.plugins.keeper`. If the service is root, this process becomes a user of its own before any plugin code runs
(service/plugins/user.py), and sees few files (service/plugins/files.py). Each of its forks is a process group with limits:
whatever the plugin does, leaves, replaces or breaks there ends with the fork, and no later submission meets it. In this process
only the plugin's import runs. Damage by the import is the plugin's own loss; the reader of its messages trusts none of them.
"""

import os
import resource
import select
import signal
import socket
import sys
import tempfile
import time
import traceback
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, NoReturn

from graders.interface import Abstain, Context, Conversation, Execution, Grader, Submission, Task, fresh_cache
from graders.plugins.fence import Refused, admit, text_of, told
from graders.plugins.registry import GROUP, GraderChoiceError, Registry, examined
from rubrics.signals import to_json
from sandboxes.interface import Command
from service.plugins import files
from service.plugins.command_json import command_to_json, text_of_bytes
from service.plugins.user import user_of
from service.processes.child import PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, children, limit_memory, prctl
from service.processes.wire import Wire, WireError, from_above, up

_DYING_SECONDS = 0.2
_LEFT_BEHIND_SECONDS = 5.0
"""Seconds spent on ending a fork's remaining processes, before this process gives up and is ended itself."""
_IMPORTED_TIMES = 2
"""Most data of this process after the import, as a multiple of a fork's memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The first message to a plugin's process."""

    place: str
    """The location of the class: `acme.graders:NoPrint`."""
    criteria: Collection[str]
    """Those that there are."""
    memory_bytes: int


def main(control: Wire, asked: Asked) -> None:
    """Import the plugin and describe it, then fork for each message that follows."""
    prctl(PR_SET_CHILD_SUBREAPER, 1)  # orphans of a fork become children of this process, which ends them
    closed = files.remedy(_retire(asked.memory_bytes))
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # not before it is another user, which clears this
    with suppress(WireError):
        control.send(up({"began": True, "closed": closed}))
        try:
            found = examined(EntryPoint(name="", value=asked.place, group=GROUP), asked.criteria)
        except BaseException as error:  # noqa: BLE001 - code of a plugin
            control.send(up({"broken": [f"importing it failed: {told(error)}"], "file": ""}))
            return
        if found.reasons:
            control.send(up({"broken": found.reasons, "file": found.file}))
            return
        grader = found.grader
        _end_all_that_is_left()
        known = {"id": grader.id, "version": grader.version, "criterion": grader.criterion}
        control.send(up({"ready": known, "file": found.file}))
        while (request := control.receive_with_fd()) is not None:
            ended = _forked(control, grader, *request, asked.memory_bytes)
            control.receive()  # that the starter has seen the end too, or wanted it
            control.send(up(ended))


def _retire(memory_bytes: int) -> list[str]:
    """Give up, for good, what the service's user may do; what cannot be imported from then on."""
    Path("/proc/self/oom_score_adj").write_text("1000")  # If the host runs out of memory, this process is killed first.
    most = _IMPORTED_TIMES * memory_bytes
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    folders = files.imported_from()
    if (user := user_of(os.getpid())) is not None:
        files.separate(folders, memory_bytes)
        user.enter()
        os.environ["HOME"] = tempfile.gettempdir()
    return files.out_of_reach(folders)


def _forked(control: Wire, grader: type[Grader], message: bytes, fd: int, memory_bytes: int) -> dict[str, Any]:
    """Have a fork look at a submission until it ends or the starter stops it; return how it ended."""
    pid = os.fork()
    if pid == 0:
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        control.close()
        _grade(grader, message, Wire(socket.socket(fileno=fd)), memory_bytes)
    os.close(fd)
    try:
        return _wait(control, pid)
    finally:
        _end_all_that_is_left()


# --- this process -----------------------------------------------------------------------------------------------------


def _wait(control: Wire, pid: int) -> dict[str, Any]:
    """Wait for the fork's end or the starter's request; return the exit code or minus a signal, and who ended it."""
    watch = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(watch, select.POLLIN)
        poll.register(control.fileno(), select.POLLIN)
        poll.poll()
        # Its connection is closed before it has ended, so the starter may be the first to know.
        by_itself = bool(select.select([watch], [], [], _DYING_SECONDS)[0])
    finally:
        os.close(watch)
    # The fork has not been waited for, so its number and its group's number are still its own.
    for target in (-pid, pid):
        with suppress(ProcessLookupError):
            os.kill(target, signal.SIGKILL)
    return {"ended": os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), "by_itself": by_itself}


def _end_all_that_is_left() -> None:
    """Kill the descendants of a fork that has ended, also those in groups and sessions of their own."""
    deadline = time.monotonic() + _LEFT_BEHIND_SECONDS
    while time.monotonic() < deadline:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        for child in children():
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
    raise RuntimeError("what a plugin left behind does not end")


# --- the fork ---------------------------------------------------------------------------------------------------------


def _grade(grader: type[Grader], message: bytes, wire: Wire, memory_bytes: int) -> NoReturn:
    """Look at one submission, send the report, and end. Never returns, whatever the plugin does."""
    code = 1
    try:
        os.setsid()
        _limit(memory_bytes)
        options, task, submission = from_above(message)
        starter = _Starter(wire)
        # Without a task, whether it takes these options is all that is asked.
        last_word = _choice(grader, options) if task is None else _last_word(grader, options, starter, task, submission)
        starter.tell(last_word)
        with suppress(Exception):
            sys.stdout.flush()  # what it printed
        code = 0
    except Exception:  # noqa: BLE001 - no caller may continue in a fork
        traceback.print_exc()
    finally:
        os._exit(code)


def _last_word(
    kind: type[Grader], options: dict[str, Any], starter: "_Starter", task: Task, submission: Submission
) -> dict[str, Any]:
    try:
        grader = Registry(graders={kind.id: kind}, broken=()).build(kind.id, options)
        for signal_ in grader.grade(_context(starter, task, submission)):
            starter.tell({"signal": to_json(admit(signal_, id=kind.id, criterion=kind.criterion))})
    except Abstain as reason:
        word: dict[str, Any] = {"abstains": text_of(reason) or "it gave no reason"}
    except Refused as refused:
        word = {"refused": str(refused)}
    except MemoryError:
        word = {"abstains": "the grader ran out of memory"}
    except BaseException as error:  # noqa: BLE001 - however it leaves
        word = {"crashed": told(error)}
    else:
        word = {"done": True}
    return word


def _choice(kind: type[Grader], options: dict[str, Any]) -> dict[str, Any]:
    try:
        Registry(graders={kind.id: kind}, broken=()).build(kind.id, options)
    except GraderChoiceError as error:
        return {"choice": [error.field, error.expected]}
    except BaseException as error:  # noqa: BLE001 - however it leaves
        return {"crashed": told(error)}
    return {"done": True}


def _limit(memory_bytes: int) -> None:
    """Limit the process to this many bytes more than it has after its import, without core dumps."""
    limit_memory(memory_bytes)
    hard = resource.getrlimit(resource.RLIMIT_AS)[0]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _context(starter: "_Starter", task: Task, submission: Submission) -> Context:
    remember = fresh_cache()
    return Context(
        task=task,
        submission=submission,
        session=_FarSession(starter),
        remember=remember,
        once=remember,
        ended=starter.ended,
    )


class _Starter:
    """The process that wants to know. It has the boxes."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._pid = os.getpid()
        self._executions: list[Execution] = []

    def only_here(self) -> None:
        """Exit in a copy of this process that the plugin made: it would send everything twice."""
        if os.getpid() != self._pid:
            os._exit(0)

    def tell(self, message: dict[str, Any]) -> None:
        self.only_here()
        self._wire.send(up(message))

    def ask(self, message: dict[str, Any]) -> Any:
        """Return the starter's answer. Raises ValueError if the starter rejects the question."""
        self.tell(message)
        answer = self._wire.receive()
        if answer is None:
            raise WireError("no answer")
        ok, value = from_above(answer)
        if not ok:
            raise ValueError(value)
        if isinstance(value, Execution):
            self._executions.append(value)
        return value

    def ended(self, execution: Execution) -> None:
        number = next((at for at, each in enumerate(self._executions) if each is execution), None)
        if number is not None:
            self.tell({"execution": number})


class _FarSession:
    """`graders.interface.Session`: the boxes are the starter's."""

    def __init__(self, starter: _Starter) -> None:
        self._starter = starter

    def run(self, command: Command) -> Execution:
        execution = self._starter.ask({"run": command_to_json(command)})
        assert isinstance(execution, Execution)
        return execution

    @contextmanager
    def converse(self, command: Command) -> Iterator[Conversation]:
        with self._opened(command) as (conversation,):
            yield conversation

    @contextmanager
    def pair(self, first: Command, second: Command) -> Iterator[tuple[Conversation, Conversation]]:
        with self._opened(first, second) as (one, other):
            yield one, other

    @contextmanager
    def _opened(self, *commands: Command) -> Iterator[list[Conversation]]:
        number = self._starter.ask({"open": [command_to_json(command) for command in commands]})
        try:
            yield [_FarConversation(self._starter, number, at) for at in range(len(commands))]
        finally:
            self._starter.ask({"close": number})


class _FarConversation:
    """`graders.interface.Conversation`. One question at a time: each goes by way of the starter anyhow."""

    def __init__(self, starter: _Starter, opened: int, at: int) -> None:
        self._starter = starter
        self._which = [opened, at]
        self._finished: Execution | None = None

    def ask(self, message: bytes, *, seconds: float) -> bytes | None:
        question = {"ask": self._which, "message": text_of_bytes(message), "seconds": seconds}
        answer = self._starter.ask(question)
        assert answer is None or isinstance(answer, bytes)
        return answer

    def ask_each(self, questions: Any) -> Iterator[bytes]:
        for message, seconds in questions:
            answer = self.ask(message, seconds=seconds)
            if answer is None:
                return
            yield answer

    def finish(self) -> Execution:
        if self._finished is None:
            self._finished = self._starter.ask({"finish": self._which})
        assert self._finished is not None
        return self._finished
