"""Plugins as the evaluator has them: each looks from a process of its own, and whatever becomes of that costs its own criterion.

PluginError             the plugin's process came to no end of its own; says why, in half a sentence
"""

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import structlog

from graders.fence import cut, is_own
from graders.interface import Abstain, Command, Context, Conversation, Execution, Grader, Signal, Task
from graders.registry import GraderChoiceError, Registry
from rubrics.signals import from_json
from service.child import Child, how
from service.command_json import bytes_of_text, command_from_json
from service.wire import Wire, WireError, down, from_below

_log = structlog.get_logger()

BOX_TIMES = 10
"""With its boxes a plugin may take so many times its own seconds."""
MOST_OPEN = 8
"""Conversations that a plugin may have at once: each is a box."""
END_SECONDS = 15.0
"""From the order to end a fork to its end, with all that it left behind."""


class PluginError(Exception):
    """The plugin's process came to no end of its own, or says what no plugin's process says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """What is known of a plugin without importing it."""

    id: str
    version: str
    criterion: str
    place: str
    """Where its class is: `acme.graders:NoPrint`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginLimits:
    seconds: float
    """For its import, and for each submission; time in boxes is not counted, up to BOX_TIMES as much."""
    memory_mib: int
    """That it may have beyond what it has after its import."""


def plugins_of(registry: Registry) -> tuple[Plugin, ...]:
    """The plugins among the graders of an installation, in the process that has imported them."""
    return tuple(
        Plugin(id=id, version=kind.version, criterion=kind.criterion, place=f"{kind.__module__}:{kind.__qualname__}")
        for id, kind in registry.graders.items()
        if not is_own(id)
    )


class IsolatedPlugins:
    """The graders of tasks, where plugins look from processes of their own. For one thread; `close` ends the processes."""

    def __init__(self, own: Registry, plugins: tuple[Plugin, ...], limits: PluginLimits) -> None:
        """`own`: the built-in graders, which look from this very process."""
        self._own = own
        self._plugins = {plugin.id: plugin for plugin in plugins}
        self._limits = limits
        self._processes: dict[str, PluginProcess] = {}

    def for_task(self, task: Task) -> tuple[Grader, ...]:
        """As `graders.registry.Registry.for_task`. Raises GraderChoiceError for a grader that there is not."""
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
        """The plugin's signals on a submission. Raises Abstain with what became of it, and SandboxError for its boxes."""
        try:
            process = self._processes.get(plugin.id)
            if process is None:
                process = self._processes[plugin.id] = PluginProcess(plugin, self._limits)
            yield from process.look(options, context)
        except PluginError as error:
            _log.warning("plugin failed", action="grade", grader=plugin.id, reason=str(error))
            raise Abstain(f"{plugin.id} {error}") from error
        finally:
            process = self._processes.get(plugin.id)
            if process is not None and not process.is_ready:
                self._processes.pop(plugin.id).close()


class _Isolated(Grader):
    """Stands for a plugin; its class has the plugin's id, version and criterion."""

    def __init__(self, plugins: IsolatedPlugins, plugin: Plugin, options: Mapping[str, object]) -> None:
        self._plugins = plugins
        self._plugin = plugin
        self._options = options

    def grade(self, context: Context) -> Iterator[Signal]:
        return self._plugins.look(self._plugin, self._options, context)


def stand_in(plugin: Plugin) -> type[_Isolated]:
    """A class that has what is known of the plugin."""
    named = {"id": plugin.id, "version": plugin.version, "criterion": plugin.criterion, "examples": ()}
    return type("Isolated", (_Isolated,), named)


@cache
def _tell_unreadable(grader: str, folders: str) -> None:
    """In the log, once."""
    _log.info(
        "a plugin is a user of its own, which cannot read all that Python imports from: what it imports while it grades fails",
        action="plugin.started",
        grader=grader,
        folders=folders,
    )


class PluginProcess:
    """A plugin's process, which forks for each submission (service/plugin_process.py)."""

    def __init__(self, plugin: Plugin, limits: PluginLimits) -> None:
        """Start it and have it import the plugin. Raises PluginError."""
        self._limits = limits
        self._child = Child("service.plugin_process")
        self.is_ready = False
        """False while it has a fork, and for ever where that did not end: then it takes no other submission."""
        try:
            self._child.wire.send(down((plugin.place, limits.memory_mib << 20)))
            message = self._child.wire.receive(limits.seconds)
            unreadable = self._check_ready(message)
        except WireError:
            raise PluginError(f"cannot be imported: {how(self._child.end(within=1))}") from None
        except BaseException:
            self.close()
            raise
        self.is_ready = True
        if unreadable:
            _tell_unreadable(plugin.id, unreadable)

    def _check_ready(self, message: bytes | None) -> str:
        """Where it can import nothing from any more, in words."""
        if message is None:
            raise PluginError(f"cannot be imported: it did not finish within {self._limits.seconds:g} s")
        word = from_below(message)
        if "ready" not in word:
            raise PluginError(f"cannot be used: {cut(str(word.get('broken')))}")
        return cut(", ".join(map(str, word.get("unreadable", ()))))

    def close(self) -> None:
        self._child.end(within=0 if not self.is_ready else 1)

    def look(self, options: Mapping[str, object], context: Context) -> Iterator[Signal]:
        """The signals of a fork that looks at this submission. Raises Abstain, PluginError, SandboxError."""
        with self._fork((options, context.task, context.submission)) as wire:
            yield from _Look(wire, context, self._limits.seconds).signals()

    def check(self, options: Mapping[str, object]) -> None:
        """Have a fork make the grader with these options. Raises GraderChoiceError, or PluginError."""
        with self._fork((options, None, None)) as wire:
            message = wire.receive(self._limits.seconds)
            if message is None:
                raise PluginError(f"did not finish within {self._limits.seconds:g} s")
            word = from_below(message)
        if "choice" in word:
            field, expected = word["choice"]
            raise GraderChoiceError(cut(str(field)), cut(str(expected)))
        if "crashed" in word:
            raise PluginError(f"crashed: {cut(str(word['crashed']))}")

    @contextmanager
    def _fork(self, request: object) -> Iterator[Wire]:
        """What a fork says to this request. Raises PluginError for one that leaves before it has said all."""
        self.is_ready = False
        ours, theirs = socket.socketpair()
        wire = Wire(ours)
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
            code, by_itself = int(word["ended"]), bool(word["by_itself"])
        except (WireError, KeyError, TypeError, ValueError):
            return "lost its process"
        self.is_ready = True
        return f"did not finish: {how(code)}" if by_itself else "did not finish: it closed its connection"


class _Look:
    """What a fork says while it looks, and the boxes that it asks for."""

    def __init__(self, wire: Wire, context: Context, seconds: float) -> None:
        self._wire = wire
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
        """Its next word. Raises Abstain where that is its last one."""
        left = min(self._own_end, self._end) - time.monotonic()
        message = self._wire.receive(left) if left > 0 else None
        if message is None:
            raise PluginError(f"did not finish within {self._seconds:g} s")
        word = from_below(message)
        if "abstains" in word:
            raise Abstain(cut(str(word["abstains"])))
        if "crashed" in word:
            raise Abstain(f"the grader crashed: {cut(str(word['crashed']))}")
        if "refused" in word:
            raise PluginError(cut(str(word["refused"])))
        return word

    def _answer(self, word: dict[str, Any]) -> None:
        """Do what it asks for in a box, and tell it. Raises SandboxError."""
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
        raise PluginError("said what no plugin says")

    def _command(self, row: Any) -> Command:
        """The command, which ends when the plugin's time does."""
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
            raise PluginError("said what no plugin says")
        return value


def _signal(row: Any) -> Signal:
    try:
        return from_json(row)
    except (KeyError, TypeError, ValueError) as error:
        raise PluginError("said what no plugin says") from error
