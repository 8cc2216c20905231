"""Plugin graders in the evaluator: each runs in a process of its own, and its failures only cost its own criterion.

PluginError             the plugin's process did not end properly; has the reason as half a sentence
UnusableError           that happened before it saw a submission: the plugin cannot be imported, or is not a proper grader
"""

import socket
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import structlog

from graders.interface import Abstain, Command, Context, Conversation, Execution, Grader, Signal, Task
from graders.plugins.fence import NAME_CHARACTERS, cut, is_own
from graders.plugins.registry import GraderChoiceError, Registry, name_refusals
from rubrics.signals import from_json
from service.plugins.command_json import bytes_of_text, command_from_json
from service.plugins.process import Asked
from service.processes.child import Child, how
from service.processes.wire import MOST_BYTES, Wire, WireError, down, from_below

_log = structlog.get_logger()

BOX_TIMES = 10
"""With its boxes a plugin may take this many times its own seconds."""
START_SECONDS = 120.0
"""From the start of a plugin's process to its first word, on a busy machine: no code of the plugin has run yet."""
SHORT_BYTES = 1 << 20
"""Most bytes of a message that is not a signal: the process that serves HTTP reads these too."""
MOST_REASONS = 10
"""Why a plugin cannot be used."""
LEAVING_SECONDS = 10.0
"""How long the keeper of a plugin may take to end what it has started."""
MOST_OPEN = 8
"""Conversations that a plugin may have at once: each is a box."""
END_SECONDS = 15.0
"""From the order to end a fork to its end, with all that it left behind."""


class PluginError(Exception):
    """The plugin's process did not end properly, or sent a message that is not in the protocol."""


class UnusableError(PluginError):
    """The plugin failed before it saw a submission.

    Args:
        reasons: each half a sentence.
        file: the file with the fault.
    """

    def __init__(self, reasons: Sequence[str], file: str) -> None:
        super().__init__(f"cannot be used: {'; '.join(reasons)}")
        self.reasons = tuple(reasons)
        self.file = file


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """What is known of a plugin without importing it."""

    id: str
    version: str
    criterion: str
    place: str
    """The location of its class: `acme.graders:NoPrint`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginLimits:
    seconds: float
    """Time limit for its import and for each submission, without time in boxes, which may take BOX_TIMES as much."""
    memory_mib: int
    """That it may have beyond what it has after its import."""


class IsolatedPlugins:
    """The graders of tasks, with plugins in processes of their own. For one thread; `close` ends the processes."""

    def __init__(self, own: Registry, plugins: tuple[Plugin, ...], limits: PluginLimits) -> None:
        """Make the graders; `own` are the built-in ones, which run in this process."""
        self._own = own
        self._plugins = {plugin.id: plugin for plugin in plugins}
        self._limits = limits
        self._processes: dict[str, PluginProcess] = {}

    def for_task(self, task: Task) -> tuple[Grader, ...]:
        """Return a task's graders (see `graders.plugins.registry.Registry.for_task`). Raises GraderChoiceError."""
        wanted = {id for id in self._own.graders if is_own(id)} | set(task.graders)
        return tuple(self._grader(id, task.graders.get(id, {})) for id in sorted(wanted))

    def close(self) -> None:
        while self._processes:
            self._processes.popitem()[1].close()

    def _grader(self, id: str, options: Mapping[str, object]) -> Grader:
        plugin = self._plugins.get(id)
        if plugin is None:
            return self._own.build(id, options)
        grader = stand_in(plugin)(self, plugin, options)
        assert isinstance(grader, Grader)
        return grader

    def look(self, plugin: Plugin, options: Mapping[str, object], context: Context) -> Iterator[Signal]:
        """Yield the plugin's signals on a submission. Raises Abstain if the plugin fails, SandboxError if its boxes do."""
        try:
            process = self._processes.get(plugin.id)
            if process is None:
                process = self._processes[plugin.id] = self._started(plugin)
            yield from process.look(options, context)
        except PluginError as error:
            _log.warning("plugin failed", action="grade", grader=plugin.id, reason=str(error))
            raise Abstain(f"{plugin.id} {error}") from error
        finally:
            process = self._processes.get(plugin.id)
            if process is not None and not process.is_ready:
                self._processes.pop(plugin.id).close()

    def _started(self, plugin: Plugin) -> "PluginProcess":
        process = PluginProcess(plugin.place, (plugin.criterion,), self._limits)
        if process.closed:
            _tell_closed(plugin.id, process.closed)
        return process


class _Isolated(Grader):
    """Stands for a plugin; its class has the plugin's id, version and criterion."""

    def __init__(self, plugins: IsolatedPlugins, plugin: Plugin, options: Mapping[str, object]) -> None:
        self._plugins = plugins
        self._plugin = plugin
        self._options = options

    def grade(self, context: Context) -> Iterator[Signal]:
        return self._plugins.look(self._plugin, self._options, context)


def stand_in(plugin: Plugin) -> type[_Isolated]:
    """Return a class with the known facts about the plugin."""
    named = {"id": plugin.id, "version": plugin.version, "criterion": plugin.criterion, "examples": ()}
    return type("Isolated", (_Isolated,), named)


@cache
def _tell_closed(grader: str, closed: str) -> None:
    """Log once what the plugin cannot import."""
    _log.warning("a plugin cannot import all that is installed", action="plugin.started", grader=grader, reason=closed)


class PluginProcess:
    """A plugin's process, which forks for each submission (service/plugins/process.py), and its keeper."""

    def __init__(self, place: str, criteria: Collection[str], limits: PluginLimits) -> None:
        """Start it and have it import and check what is at `place`. Raises UnusableError; OSError if it cannot be started."""
        self._limits = limits
        self._child = Child("service.plugins.keeper", SHORT_BYTES)
        self.is_ready = False
        """False while a fork exists, and for good if it did not end: the process takes no other submission then."""
        try:
            asked = Asked(place=place, criteria=tuple(criteria), memory_bytes=limits.memory_mib << 20)
            self._child.wire.send(down(asked))
            # Nothing of the plugin has run before this word.
            self.closed = cut(str(self._word(START_SECONDS, place)["closed"]))
            """Folders that it cannot import from, and the remedy, in half a sentence; empty if there are none."""
            word = self._word(limits.seconds, place)
            self.file = cut(str(word.get("file") or place))
            self.plugin = self._named(word, place, criteria)
        except WireError:
            raise UnusableError([f"importing it came to no end: {how(self.close())}"], place) from None
        except BaseException:
            self.close()
            raise
        self.is_ready = True

    def _word(self, seconds: float, place: str) -> dict[str, Any]:
        message = self._child.wire.receive(seconds)
        if message is None:
            raise UnusableError([f"importing it came to no end: it did not finish within {seconds:g} s"], place)
        return from_below(message)

    def _named(self, word: dict[str, Any], place: str, criteria: Collection[str]) -> Plugin:
        """Return the plugin as it describes itself, after checking that a plugin may be so."""
        known = word.get("ready")
        if not isinstance(known, dict):
            said = word.get("broken")
            reasons = [cut(str(each)) for each in said[:MOST_REASONS]] if isinstance(said, list) else []
            reasons += [self.closed] if self.closed else []
            raise UnusableError(reasons or ["it sent a message that no plugin sends"], self.file)
        id, version, criterion = (known.get(name) for name in ("id", "version", "criterion"))
        if (
            name_refusals(id, version, criterion, criteria)
            or is_own(str(id))
            or len(f"{id}{version}") > NAME_CHARACTERS
        ):
            raise UnusableError(["it sent a message that no plugin sends"], self.file)
        return Plugin(id=str(id), version=str(version), criterion=str(criterion), place=place)

    def close(self) -> int:
        """End it, with all that the plugin has started; how it ended, as `Child.end`."""
        return self._child.end(within=LEAVING_SECONDS)

    def look(self, options: Mapping[str, object], context: Context) -> Iterator[Signal]:
        """Yield the signals of a fork that looks at this submission. Raises Abstain, PluginError, SandboxError."""
        with self._fork((options, context.task, context.submission)) as wire:
            yield from _ForkedLook(wire, context, self._limits.seconds, self.closed).signals()

    def check(self, options: Mapping[str, object]) -> None:
        """Have a fork make the grader with these options. Raises GraderChoiceError, or PluginError."""
        with self._fork((options, None, None), SHORT_BYTES) as wire:
            message = wire.receive(self._limits.seconds)
            if message is None:
                raise PluginError(f"did not finish within {self._limits.seconds:g} s")
            word = from_below(message)
        match word:
            case {"done": True}:
                return
            case {"choice": [field, expected]}:
                raise GraderChoiceError(cut(str(field)), cut(str(expected)))
            case {"crashed": crashed}:
                raise PluginError(f"crashed: {_with_remedy(crashed, self.closed)}")
        raise PluginError("sent a message that no plugin sends")

    @contextmanager
    def _fork(self, request: object, most_bytes: int = MOST_BYTES) -> Iterator[Wire]:
        """Yield the connection to a fork for this request. Raises PluginError if the fork ends before its last message."""
        self.is_ready = False
        ours, theirs = socket.socketpair()
        wire = Wire(ours, most_bytes)
        try:
            try:
                with theirs:
                    self._child.wire.send(down(request), [theirs.fileno()])
                yield wire
            finally:
                ended = self._end()
                wire.close()
        except WireError as error:
            raise PluginError(ended or str(error)) from error

    def _end(self) -> str:
        """End the fork; how it had ended by itself, in words, or how it left us."""
        try:
            self._child.wire.send(b"end")
            message = self._child.wire.receive(END_SECONDS)
            word = {} if message is None else from_below(message)
        except WireError:
            word = {}
        match word:
            case {"ended": int(code), "by_itself": bool(by_itself)} if abs(code) < 1 << 16:
                self.is_ready = True
                return f"did not finish: {how(code) if by_itself else 'it closed its connection'}"
        return "lost its process"


class _ForkedLook:
    """A fork's messages while it looks, and the boxes that it requests."""

    def __init__(self, wire: Wire, context: Context, seconds: float, closed: str) -> None:
        self._wire = wire
        self._closed = closed
        self._context = context
        self._seconds = seconds
        self._own_end = time.monotonic() + seconds
        """Later by what its boxes took."""
        self._end = time.monotonic() + BOX_TIMES * seconds
        self._executions: list[Execution] = []
        self._opened: dict[int, tuple[ExitStack, tuple[Conversation, ...]]] = {}

    def signals(self) -> Iterator[Signal]:
        try:
            while (word := self._word()).keys() != {"done"}:
                if "signal" in word:
                    yield _signal(word["signal"])
                elif "execution" in word:
                    self._context.ended(self._executions[self._number(word["execution"])])
                else:
                    self._answer(word)
        finally:
            while self._opened:
                self._opened.popitem()[1][0].close()

    def _word(self) -> dict[str, Any]:
        """Return the fork's next message. Raises Abstain if that is its last one."""
        left = min(self._own_end, self._end) - time.monotonic()
        message = self._wire.receive(left) if left > 0 else None
        if message is None:
            raise PluginError(f"did not finish within {self._seconds:g} s")
        word = from_below(message)
        if "abstains" in word:
            raise Abstain(cut(str(word["abstains"])))
        if "crashed" in word:
            raise Abstain(f"the grader crashed: {_with_remedy(word['crashed'], self._closed)}")
        if "refused" in word:
            raise PluginError(cut(str(word["refused"])))
        return word

    def _answer(self, word: dict[str, Any]) -> None:
        """Run the fork's request in a box and send it the result. Raises SandboxError."""
        began = time.monotonic()
        try:
            answer = (True, self._done(word))
        except ValueError as error:
            answer = (False, str(error))
        self._own_end += time.monotonic() - began
        self._wire.send(down(answer))

    def _done(self, word: dict[str, Any]) -> object:
        session = self._context.session
        if "run" in word:
            return self._kept(session.run(self._command(word["run"])))
        if "open" in word:
            commands = [self._command(row) for row in word["open"]]
            if sum(len(conversations) for _, conversations in self._opened.values()) + len(commands) > MOST_OPEN:
                raise ValueError(f"at most {MOST_OPEN} conversations at once")
            stack = ExitStack()
            number = max(self._opened, default=-1) + 1
            self._opened[number] = (stack, ())
            if len(commands) == 1:
                conversations: tuple[Conversation, ...] = (stack.enter_context(session.converse(commands[0])),)
            else:
                first, second = commands
                conversations = stack.enter_context(session.pair(first, second))
            self._opened[number] = (stack, conversations)
            return number
        if "ask" in word:
            seconds = min(float(word["seconds"]), self._whole_left())
            return self._conversation(word["ask"]).ask(bytes_of_text(word["message"]), seconds=seconds)
        if "finish" in word:
            return self._kept(self._conversation(word["finish"]).finish())
        if "close" in word:
            self._opened.pop(word["close"])[0].close()
            return None
        raise PluginError("sent a message that no plugin sends")

    def _command(self, row: Any) -> Command:
        """Return the command, limited to the plugin's remaining time."""
        command = command_from_json(row)
        seconds = min(command.limits.wall_seconds, self._whole_left())
        return replace(command, limits=replace(command.limits, wall_seconds=seconds))

    def _whole_left(self) -> float:
        return max(1.0, self._end - time.monotonic())

    def _conversation(self, which: Any) -> Conversation:
        try:
            opened, at = which
            conversation: Conversation = self._opened[opened][1][at]
        except (KeyError, IndexError, TypeError) as error:
            raise ValueError("this conversation is over") from error
        return conversation

    def _kept(self, execution: Execution) -> Execution:
        self._executions.append(execution)
        return execution

    def _number(self, value: Any) -> int:
        if not isinstance(value, int) or not 0 <= value < len(self._executions):
            raise PluginError("sent a message that no plugin sends")
        return value


def _with_remedy(crashed: object, closed: str) -> str:
    """Return the plugin's crash message, with the remedy if some imports are closed to it."""
    text = cut(str(crashed))
    return f"{text} ({closed})" if closed else text


def _signal(row: Any) -> Signal:
    try:
        return from_json(row)
    except (KeyError, TypeError, ValueError) as error:
        raise PluginError("sent a message that no plugin sends") from error
