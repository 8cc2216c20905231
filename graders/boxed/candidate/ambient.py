"""The candidate's side of the process state, see rpc/ambient.py: it applies what tests set, and reports the
submission's changes.

`logging` and `random` are not imported here. When a submission imports one of them, it is set up as the tests have set
it.
"""

import builtins
import io
import os
import re
import struct
import sys
import warnings
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from graders.boxed.rpc.ambient import (
    STATE_WORDS,
    Ambient,
    pairs,
    read_setting,
    read_text,
    set_levels,
    stored_environment,
)
from graders.boxed.rpc.connection import Connection
from graders.boxed.rpc.shared_files import SharedFiles, is_code, is_settled
from graders.boxed.shared.encoding import Decoder, Encoder, Tree, array, text

MAX_KEPT = 1000
"""Log records, and warnings, that are kept for one call. The rest is lost."""
MAX_CHARACTERS = 10_000
MAX_BLOCKS = 100
"""Blocks of 624 random words that are followed; a submission that draws more at once is not."""


class FilesOfCandidate(SharedFiles):
    """Files that the tests have shared, and files that the submission makes in the working directory."""

    folder = ""
    """The working directory of the tests."""

    def is_still(self) -> bool:
        """Return True if certainly nothing has changed. It costs one `stat` of the working directory."""
        if len(self.roots) > 1 or len(self._known) > 1:
            return False
        if not self.folder:
            return not self.roots
        try:
            found = os.stat(self.folder)
        except OSError:
            return False
        return self._known.get(self.folder, ((-1,), ""))[0][0] == found.st_mtime_ns and is_settled(found)

    def may_write(self, path: str) -> bool:
        return True

    def sends(self, path: str) -> bool:
        return not is_code(path)

    def again(self) -> None:
        self._known = {}

    def _take_root(self, path: str, *, folder: bool) -> None:
        os.makedirs(path if folder else os.path.dirname(path), exist_ok=True)
        self.roots.setdefault(path, folder)


class AmbientOfCandidate(Ambient):
    """The process state around the calls of a submission."""

    files: FilesOfCandidate

    def __init__(self, line: Connection) -> None:
        super().__init__(FilesOfCandidate())
        self._line = line
        self._records: list[Any] = []
        self._warnings: list[Any] = []
        self._random: Any = None
        self._state: Any = None
        self._given_levels: dict[str, int] = {}
        self._given_disabled = 0
        warnings._showwarnmsg_impl = self._warned  # type: ignore[attr-defined] # noqa: SLF001
        builtins.input = self._ask_input
        sys.stdin = sys.__stdin__ = PromptedInput(line)  # type: ignore[assignment,misc]
        sys.meta_path.insert(0, ImportWatch({"logging": self._watch_logging, "random": self._watch_random}))

    def crosses(self, name: str) -> bool:
        return True

    # --- what the submission does -------------------------------------------------------------------------------------

    def changes(self, encoder: Encoder, said: object) -> list[Tree]:
        told: list[Tree] = []
        if stored_environment() != self.environment:
            told += self.environment_changes(encoder)
        if self.levels:
            told.append(self.level_changes(encoder))
        if self._records:
            told.append(["records", [_write_record(encoder, record, last) for record, last in self._records]])
            self._records = []
        if self._warnings:
            told.append(
                ["warnings", [[encoder.tree(m.message), encoder.tree(m.filename), m.lineno] for m in self._warnings]]
            )
            self._warnings = []
        if self._state is not None and (drawn := self._drawn()):
            told.append(["drawn", drawn])
        if not self.files.is_still() and (files := self.files.changes(encoder)) is not None:
            told.append(["files", files])
        return told

    def again(self) -> None:
        super().again()
        self.files.again()

    def _drawn(self) -> int:
        """Return how many words have been drawn since the last message; 0 if drawing does not explain the new state."""
        now = self._random.getstate()
        before, self._state = self._state, now
        if now[1] == before[1]:
            return 0
        if now[1][:-1] == before[1][:-1] and now[1][-1] > before[1][-1]:
            return int(now[1][-1] - before[1][-1])
        steps = self._random.Random()
        steps.setstate((3, before[1], None))
        words = STATE_WORDS - 1 - before[1][-1]
        if words:
            steps.getrandbits(32 * words)
        for _ in range(MAX_BLOCKS):
            steps.getrandbits(32)
            if steps.getstate()[1][:-1] == now[1][:-1]:
                return int(words + now[1][-1])
            steps.getrandbits(32 * (STATE_WORDS - 2))
            words += STATE_WORDS - 1
        return 0

    def _warned(self, message: Any) -> None:
        if len(self._warnings) < MAX_KEPT:
            self._warnings.append(message)

    def _ask_input(self, *prompt: object) -> str:
        answer = self._line.ask("ambient", 0, "input", prompt)
        if answer is not None:
            return answer[0]  # type: ignore[no-any-return]
        for each in prompt:
            sys.stdout.write(str(each))
        line = sys.stdin.readline()
        if not line:
            raise EOFError("EOF when reading a line")
        return line.removesuffix("\n")

    def _watch_random(self, module: Any) -> None:
        self._random = module
        state = self._line.ask("ambient", 0, "random") if self._line.serving else None
        if state is not None:
            self._take_state(state)

    def _watch_logging(self, module: Any) -> None:
        call_handlers, set_level = module.Logger.callHandlers, module.Logger.setLevel

        def call_handlers_noted(logger: Any, record: Any) -> None:
            if len(self._records) < MAX_KEPT:
                last = logger
                while last.parent is not None and last.propagate:
                    last = last.parent
                self._records.append((record, last.name))
            call_handlers(logger, record)

        def set_level_noted(logger: Any, level: Any) -> None:
            set_level(logger, level)
            self.levels[logger.name] = logger.level

        module.Logger.callHandlers, module.Logger.setLevel = call_handlers_noted, set_level_noted
        # Under pytest the root logger always has a handler: `basicConfig` does nothing, and records do not go to stderr.
        module.root.addHandler(module.NullHandler())
        for name, level in self._given_levels.items():
            vars(module.getLogger(name or None))["level"] = level
        module.disable(self._given_disabled)

    # --- what tests have set ------------------------------------------------------------------------------------------

    def apply(self, decoder: Decoder, name: str, content: Tree) -> None:
        getattr(self, f"_take_{name}")(decoder, content)

    def replay(self) -> None:
        pass

    def _take_environment(self, decoder: Decoder, content: Tree) -> None:
        for name, value in pairs(content):
            key, stored = read_setting(decoder, name, value)
            if stored is None:
                os.environ.pop(os.fsdecode(key), None)
            else:
                os.environ[os.fsdecode(key)] = os.fsdecode(stored)
        self.environment = dict(stored_environment())

    def _take_arguments(self, decoder: Decoder, content: Tree) -> None:
        sys.argv[:] = [read_text(decoder, each) for each in array(content)]

    def _take_folder(self, decoder: Decoder, content: Tree) -> None:
        folder = read_text(decoder, content)
        os.makedirs(folder, exist_ok=True)
        os.chdir(folder)
        self.files.roots.setdefault(folder, True)
        self.files.folder = folder

    def _take_levels(self, decoder: Decoder, content: Tree) -> None:
        if "logging" in sys.modules:
            set_levels(decoder, content)
        else:
            self._given_levels |= {read_text(decoder, name): level for name, level in pairs(content)}

    def _take_disabled(self, decoder: Decoder, content: Tree) -> None:
        if "logging" in sys.modules:
            sys.modules["logging"].disable(content)
        else:
            self._given_disabled = content  # type: ignore[assignment]

    def _take_filters(self, decoder: Decoder, content: Tree) -> None:
        kept = list(warnings.filters) if content is None else [_read_filter(decoder, each) for each in array(content)]
        warnings.resetwarnings()  # a warning that was already shown is shown again
        warnings.filters[:] = kept  # type: ignore[index]

    def _take_random(self, decoder: Decoder, content: Tree) -> None:
        self._take_state(content)

    def _take_files(self, decoder: Decoder, content: Tree) -> None:
        self.files.apply(decoder, content)

    def _take_state(self, content: Tree) -> None:
        words = struct.unpack(f"<{STATE_WORDS}I", bytes.fromhex(text(content)))
        self._random.setstate((3, words, None))
        self._state = self._random.getstate()


class ImportWatch:
    """Finds no module itself, but calls a function for a few modules of the standard library once they are imported."""

    def __init__(self, then: dict[str, Callable[[Any], None]]) -> None:
        self._then = then
        for name in [name for name in then if name in sys.modules]:
            then.pop(name)(sys.modules[name])

    def find_spec(self, name: str, path: Sequence[str] | None, target: object = None) -> ModuleSpec | None:
        if name not in self._then:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is None or spec.loader is None or spec.origin is None or not spec.origin.startswith(_LIBRARY):
            return None
        spec.loader = Followed(spec.loader, self._then.pop(name))  # type: ignore[assignment]
        return spec


_LIBRARY = os.path.dirname(os.__file__) + os.sep


class Followed:
    """A loader with a function to call after it. Not a class of importlib.abc, which imports `random`."""

    def __init__(self, loader: Any, then: Callable[[Any], None]) -> None:
        self._loader = loader
        self._then = then

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        made: ModuleType | None = self._loader.create_module(spec)
        return made

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        self._then(module)


class PromptedInput(io.TextIOBase):
    """stdin of the submission: each read is a request to the tests' stdin."""

    encoding = "utf-8"

    def __init__(self, line: Connection, *, binary: bool = False) -> None:
        self._line = line
        self._binary = binary

    @property
    def buffer(self) -> Any:
        return PromptedInput(self._line, binary=True)

    def readable(self) -> bool:
        return True

    def _ask(self, what: str, size: int | None) -> Any:
        return self._line.ask("ambient", 0, what, (-1 if size is None else size, self._binary))

    def read(self, size: int | None = -1, /) -> Any:
        return self._ask("read", size)

    def readline(self, size: int | None = -1, /) -> Any:
        return self._ask("readline", size)


def _read_filter(decoder: Decoder, content: Tree) -> Any:
    action, message, category, module, line = array(content, 5)
    first, second = (decoder.value(each) for each in (message, module))
    return (
        text(action), None if first is None else re.compile(first, re.IGNORECASE), decoder.value(category),
        None if second is None else re.compile(second), line,
    )  # fmt: skip


def _write_record(encoder: Encoder, record: Any, last: str) -> Tree:
    try:
        message = record.getMessage()
    except Exception:
        message = str(record.msg)
    error = record.exc_info[1] if isinstance(record.exc_info, tuple) and len(record.exc_info) == 3 else None
    ordinary = sys.modules["logging"].makeLogRecord({})
    extra = {
        name: value for name, value in vars(record).items() if name not in vars(ordinary) and type(value) in _PLAIN
    }
    words = (record.name, message, record.pathname, record.funcName or "", last)
    name, said, path, function, root = (encoder.tree(str(each)[:MAX_CHARACTERS]) for each in words)
    return [
        name, int(record.levelno), said, path, int(record.lineno), function, encoder.tree(error),
        [[encoder.tree(key), encoder.tree(value)] for key, value in extra.items()], root,
    ]  # fmt: skip


_PLAIN = (str, int, float, bool, type(None))
