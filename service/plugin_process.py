"""The process of one plugin: imports it once, and forks for each submission that it looks at.

Started by `service.plugins` as `python -m service.plugin_process FD`. Each fork is a process group with limits of its own: what the
plugin does there, leaves, replaces or breaks ends with the fork, and no later submission meets it. This process itself runs nothing
of the plugin but its import, and is a user of its own from then on (service/plugin_user.py). It ends whatever a fork leaves behind, and itself when its starter is gone.
"""

import importlib
import os
import resource
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn

from graders.fence import Refused, admit, text_of, told
from graders.interface import Abstain, Context, Conversation, Execution, Grader, Submission, Task
from graders.registry import GraderChoiceError, Registry
from rubrics.signals import to_json
from sandboxes.interface import Command
from service.child import PR_SET_PDEATHSIG, limit_memory, prctl, unlimit_memory
from service.command_json import command_to_json, text_of_bytes
from service.plugin_user import leave_root
from service.wire import Wire, WireError, from_above, up

_PR_SET_CHILD_SUBREAPER = 36
_DYING_SECONDS = 0.2
_LEFT_BEHIND_SECONDS = 5.0
"""How long what a fork left behind is ended, before this process gives up and is ended itself."""


def main() -> None:
    """Import the plugin that the first message names, then fork for each message that follows."""
    control = Wire(socket.socket(fileno=int(sys.argv[1])))
    unlimit_memory()  # its import is not limited
    prctl(_PR_SET_CHILD_SUBREAPER, 1)  # orphans of a fork become children of this process, which ends them
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # an import that hangs does not see that the starter is gone
    with suppress(WireError):
        place, memory_bytes = from_above(control.receive() or b"")
        try:
            grader = _imported(place)
        except BaseException as error:  # noqa: BLE001 - code of a plugin
            control.send(up({"broken": f"importing it failed: {told(error)}"}))
            return
        prctl(PR_SET_PDEATHSIG, 0)
        control.send(up({"ready": True, "unreadable": leave_root()}))
        while (request := control.receive_with_fd()) is not None:
            ended = _forked(control, grader, *request, memory_bytes)
            control.receive()  # that the starter has seen the end too, or wanted it
            control.send(up(ended))


def _forked(control: Wire, grader: type[Grader], message: bytes, fd: int, memory_bytes: int) -> dict[str, Any]:
    """Have a fork look at a submission until it ends, or the starter says so; how it ended."""
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


def _imported(place: str) -> type[Grader]:
    """The class at a place such as `acme.graders:NoPrint`."""
    module, _, names = place.partition(":")
    found: Any = importlib.import_module(module)
    for name in names.split("."):
        found = getattr(found, name)
    assert isinstance(found, type)
    return found


# --- this process -----------------------------------------------------------------------------------------------------


def _wait(control: Wire, pid: int) -> dict[str, Any]:
    """Until the fork ends, or the starter wants it to: its exit code, or minus a signal's number, and who ended it."""
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
    # Nobody has waited for it yet, so its number, and that of its group, is still its own.
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
        for child in _children():
            with suppress(ProcessLookupError):
                os.kill(child, signal.SIGKILL)
    raise RuntimeError("what a plugin left behind does not end")


def _children() -> Iterator[int]:
    own = str(os.getpid())
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                # after the parenthesised command, which may contain anything: state and parent
                if (folder / "stat").read_text().rpartition(")")[2].split()[1] == own:
                    yield int(folder.name)


# --- the fork ---------------------------------------------------------------------------------------------------------


def _grade(grader: type[Grader], message: bytes, wire: Wire, memory_bytes: int) -> NoReturn:
    """Look at one submission, tell what it reports, and end. Never returns, whatever the plugin does."""
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
    except Exception:  # noqa: BLE001 - nobody above is to go on with a fork
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
    """Let it have so much memory more than it has after its import. What it crashes with is not kept as a file."""
    limit_memory(memory_bytes)
    hard = resource.getrlimit(resource.RLIMIT_AS)[0]
    resource.setrlimit(resource.RLIMIT_AS, (hard, hard))


def _context(starter: "_Starter", task: Task, submission: Submission) -> Context:
    made: dict[str, object] = {}

    def remember(key: str, make: Callable[[], object]) -> object:
        if key not in made:
            made[key] = make()
        return made[key]

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
        """A copy of this process that the plugin made says nothing: it would say everything twice."""
        if os.getpid() != self._pid:
            os._exit(0)

    def tell(self, message: dict[str, Any]) -> None:
        self.only_here()
        self._wire.send(up(message))

    def ask(self, message: dict[str, Any]) -> Any:
        """What the starter answers. Raises ValueError for what it finds wrong in the question."""
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


if __name__ == "__main__":
    main()
