"""The examiner's side of the process state, see rpc/ambient.py: it sends all that tests set, and accepts little.

Changes by a candidate are accepted only if they cannot decide anything here:

* names of the environment that the tests' process did not start with and that do not begin with one of REFUSED; processes
  that tests start do not inherit them;
* the number of random numbers drawn, never the ones to come;
* files below a folder that tests named, or new ones in the working directory; no links, no files that are run by name;
* log records and warnings: text, a level, and a class that both sides have or a proxy.

Files that lie beside the tests are shared one by one when tests name them, and never if the submission named the file
first: a test of `f(f(x)) == f(x)` would otherwise hand out the file whose name the submission guesses.
"""

import builtins
import logging
import os
import random
import struct
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import PosixPath
from typing import Any

from graders.boxed.rpc.ambient import (
    STATE_WORDS,
    Ambient,
    pairs,
    read_setting,
    read_text,
    set_levels,
    stored_environment,
    whole,
)
from graders.boxed.rpc.proxy_classes import StandInMeta
from graders.boxed.rpc.shared_files import SharedFiles, below, is_code
from graders.boxed.shared.encoding import Decoder, Encoder, EncodingError, Tree, array, text

REFUSED = ("PY", "LD_", "HYPOTHESIS", "_", "PATH", "HOME", "TMP", "TEMP")
MAX_RECORDS = 1000
MAX_DRAWN = 1_000_000
MAX_CHARACTERS = 100_000
_ORDINARY = frozenset(vars(logging.makeLogRecord({})))


class FilesOfTests(SharedFiles):
    """Files that tests name in the values that they hand over."""

    def __init__(self, folders: Sequence[str]) -> None:
        """`folders`: the folders of the tests, absolute."""
        super().__init__()
        self._temporary = tempfile.gettempdir() + "/"
        self._folders = folders
        beside = (path for folder in folders for path, _ in below(folder))
        self._data = {path for path in beside if not is_code(path) and not os.path.isdir(path)}
        self.names = {os.path.basename(path) for path in self._data}
        self._distrusted: set[str] = set()
        self._made: set[str] = set()
        """Files that the submission has made in the working directory."""

    def name(self, said: object) -> None:
        """Share the files that this value names: in the first 100 items of each container, at most 4 levels deep."""
        level: Any = (said,)
        for _ in range(4):
            inside: list[Any] = []
            for value in level:
                kind = type(value)
                if kind is str:
                    if self.names or value.startswith(self._temporary):
                        self._share_named(value)
                elif kind is tuple or kind is list:
                    inside += value[:100]
                elif kind is dict:
                    if value:
                        inside += islice(value.values(), 100)
                elif kind is PosixPath:
                    self._share_named(str(value))
            if not inside:
                return
            level = inside

    def _share_named(self, word: str) -> None:
        path = os.path.normpath(os.path.join(os.getcwd(), word))
        if path.startswith(self._temporary):
            self._share_temporary(path)
        elif self.names:
            self._share_data(path)

    def enter(self, folder: str) -> None:
        """Share the new working directory if it is temporary; files in the tests' own folder are shared one by one."""
        if folder.startswith(self._temporary):
            self.share(folder, folder=True)

    def _share_temporary(self, path: str) -> None:
        folder = os.path.isdir(path) and not os.path.islink(path)
        if folder or os.path.isdir(os.path.dirname(path)):
            self.share(path, folder=folder)

    def _share_data(self, path: str) -> None:
        if any(folder == path or folder.startswith(path + "/") for folder in self._folders):
            return
        for data in self._data:
            if (data == path or data.startswith(path + "/")) and os.path.basename(data) not in self._distrusted:
                self.share(data, folder=False)

    def overhear(self, tree: Tree) -> None:
        """Note the files that the submission names itself: they are not given to it."""
        said = "".join(_words(tree))
        self._distrusted |= {name for name in self.names if name in said}

    def may_write(self, path: str) -> bool:
        folder = os.path.dirname(path)
        if is_code(path) or path in self._data or os.path.realpath(folder) != folder:
            return False
        if self.is_shared(path):
            return not (os.path.isfile(path) and os.access(path, os.X_OK))
        here = os.getcwd()
        hidden = any(part.startswith((".", "__")) for part in path[len(here) :].split("/"))
        if not path.startswith(here + "/") or hidden:
            return False
        if path not in self._made and os.path.lexists(path):
            return False
        self._made.add(path)
        return True


def _words(tree: Tree) -> Iterator[str]:
    if isinstance(tree, str):
        yield tree
        yield "\n"
    elif isinstance(tree, list):
        for each in tree:
            yield from _words(each)
    elif isinstance(tree, dict):
        for each in tree.values():
            yield from _words(each)


class AmbientOfTests(Ambient):
    """The process state that the tests of one run set, and the changes that are accepted from the submission."""

    files: FilesOfTests

    def __init__(self, folders: Sequence[str]) -> None:
        """`folders`: the folders of the tests, absolute."""
        super().__init__(FilesOfTests(folders))
        self._first = frozenset(self.environment)
        self._arguments = list(sys.argv)
        self._moved = True
        self._disabled = 0
        self._filters: tuple[Any, list[Any]] = ([], [])
        """The list that was last sent, and its content."""
        self.draws = False
        """True once the submission has asked for the state of `random`."""
        self._state: object = None
        """The state of `random` that both sides have; None while no test has seeded it."""
        self._seeded = False
        self._input = builtins.input

    def watch(self) -> None:
        """Hook the functions that change rare state, which is cheaper than looking for changes before each call."""
        set_level, seed, set_state = logging.Logger.setLevel, random.seed, random.setstate

        def set_level_noted(logger: logging.Logger, level: int | str) -> None:
            set_level(logger, level)
            self.levels[logger.name] = logger.level

        def seed_noted(*args: Any, **kwargs: Any) -> None:
            seed(*args, **kwargs)
            self._seeded = True

        def set_state_noted(state: Any) -> None:
            set_state(state)
            self._seeded = True

        move = os.chdir

        def move_noted(path: Any) -> None:
            move(path)
            self._moved = True

        os.chdir = move_noted
        logging.Logger.setLevel = set_level_noted  # type: ignore[assignment, method-assign]
        random.seed, random.setstate = seed_noted, set_state_noted

    def crosses(self, name: str) -> bool:
        return not name.startswith("PYTEST_")  # one of them is the name of the test

    def changes(self, encoder: Encoder, said: object) -> list[Tree]:
        told: list[Tree] = []
        if stored_environment() != self.environment:
            self.files.name([value for _, value in self._changed_names()])
            told += self.environment_changes(encoder)
        if self.levels:
            told.append(self.level_changes(encoder))
        if sys.argv != self._arguments:
            self._arguments = list(sys.argv)
            self.files.name(self._arguments)
            told.append(["arguments", [encoder.tree(str(each)) for each in sys.argv]])
        if self._moved:
            self._moved = False
            self.files.enter(os.getcwd())
            told.append(["folder", encoder.tree(os.getcwd())])
        disabled = logging.root.manager.disable
        if disabled != self._disabled:
            self._disabled = disabled
            told.append(["disabled", disabled])
        filters = warnings.filters
        if filters is not self._filters[0] or filters != self._filters[1]:
            same = filters == self._filters[1]
            self._filters = (filters, list(filters))
            told.append(["filters", None if same else [_filter(encoder, each) for each in filters if _is_known(each)]])
        if self.draws and self._seeded and (state := random.getstate()) != self._state:
            self._state = state
            told.append(["random", write_state(state)])
        self.files.name(said)
        if self.files.roots and (files := self.files.changes(encoder)) is not None:
            told.append(["files", files])
        return told

    def again(self) -> None:
        super().again()
        self.files.again()
        self._arguments, self._moved, self._disabled, self._filters, self._state = [], True, -1, ([], []), None

    # --- what comes back ----------------------------------------------------------------------------------------------

    def apply(self, decoder: Decoder, name: str, content: Tree) -> None:
        if name == "environment":
            self._take_environment(decoder, content)
        elif name == "levels":
            set_levels(decoder, content)
        elif name == "drawn":
            self._draw(whole(content, 0, MAX_DRAWN))
        elif name == "files":
            self.files.apply(decoder, content)
        elif name in ("records", "warnings"):
            each = array(content)
            if len(each) > MAX_RECORDS:
                raise EncodingError(f"more than {MAX_RECORDS} {name}")
            read = _read_record if name == "records" else _read_warning
            self.heard += [read(decoder, one) for one in each]
        else:
            raise EncodingError("a change of nothing")

    def _take_environment(self, decoder: Decoder, content: Tree) -> None:
        for name, value in pairs(content):
            key, stored = read_setting(decoder, name, value)
            if key in self._first or os.fsdecode(key).startswith(REFUSED):
                continue
            for kept in (stored_environment(), self.environment):
                if stored is None:
                    kept.pop(key, None)
                else:
                    kept[key] = stored

    def _draw(self, words: int) -> None:
        """Draw as many numbers as the submission has drawn, if both sides started from the same state."""
        if self._state is not None and random.getstate() == self._state:
            if words:
                random.getrandbits(32 * words)
            self._state = random.getstate()

    def replay(self) -> None:
        heard, self.heard = self.heard, []
        for each in heard:
            each()

    def asked(self, what: str, args: Sequence[object]) -> object:
        """Answer a request that the submission makes while it runs. Raises what the tests' own `input` raises."""
        if what == "random":
            self.draws = True
            self._state = random.getstate() if self._seeded else None
            return write_state(random.getstate()) if self._seeded else None
        if what == "input":
            return None if builtins.input is self._input else (builtins.input(*args),)
        if what in ("read", "readline") and len(args) == 2 and type(args[0]) is int and type(args[1]) is bool:
            stream: Any = sys.stdin.buffer if args[1] else sys.stdin
            return getattr(stream, what)(args[0])
        raise EncodingError("a request of another form")


def write_state(state: Any) -> Tree:
    """Return the state of Python's generator as hex. The second value of a `gauss` pair does not cross."""
    return struct.pack(f"<{STATE_WORDS}I", *state[1]).hex()


def _is_known(entry: Any) -> bool:
    categories = entry[2] if type(entry[2]) is tuple else (entry[2],)
    return all(kind.__module__ == "builtins" or type(kind) is StandInMeta for kind in categories)


def _filter(encoder: Encoder, entry: Any) -> Tree:
    action, message, category, module, line = entry
    patterns = [each if each is None or type(each) is str else each.pattern for each in (message, module)]
    return [action, encoder.tree(patterns[0]), encoder.tree(category), encoder.tree(patterns[1]), line]


def _read_record(decoder: Decoder, content: Tree) -> Callable[[], None]:
    name, level, message, path, line, function, error, extra, last = array(content, 9)
    words = [read_text(decoder, each)[:MAX_CHARACTERS] for each in (name, message, path, function, last)]
    raised = decoder.value(error)
    record = logging.LogRecord(
        words[0], whole(level, 0, 1000), words[2], whole(line, 0, 1 << 31), words[1], None,
        (type(raised), raised, None) if isinstance(raised, BaseException) else None, words[3],
    )  # fmt: skip
    for key, value in pairs(extra):
        if text(key) not in _ORDINARY and not text(key).startswith("_"):
            vars(record)[text(key)] = decoder.value(value)
    return lambda: _handle(record, words[4])


def _handle(record: logging.LogRecord, last: str) -> None:
    """Do what Logger.handle and callHandlers do. `last`: the logger at which the submission stops propagation.

    Above `last` only pytest's capturing handlers run: pytest also adds them to loggers that do not propagate.
    """
    logger: Any = logging.getLogger(record.name)
    if logger.disabled or not logger.filter(record):
        return
    while logger is not None:
        for handler in list(logger.handlers):
            if record.levelno >= handler.level:
                handler.handle(record)
        if not logger.propagate:
            return
        if logger.name == last and logger is not logging.root:
            for handler in [each for each in logging.root.handlers if type(each).__module__ == "_pytest.logging"]:
                if record.levelno >= handler.level:
                    handler.handle(record)
            return
        logger = logger.parent


def _read_warning(decoder: Decoder, content: Tree) -> Callable[[], None]:
    tree, path, line = array(content, 3)
    message = decoder.value(tree)
    if not isinstance(message, Warning):
        raise EncodingError("what was warned of is no warning")
    shown = warnings.WarningMessage(message, type(message), read_text(decoder, path), whole(line, 0, 1 << 31))
    return lambda: warnings._showwarnmsg(shown)  # type: ignore[attr-defined]  # noqa: SLF001
