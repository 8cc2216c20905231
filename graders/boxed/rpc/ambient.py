"""The process state around a call, kept the same in both boxes: what tests set for the code that they call.

Changes cross with the changes of linked containers (shared_containers.py), before each message, as `[name, content]`:

    to the candidate    environment  [[name, text or null]...]      arguments  [text...]        folder  path
                        levels  [[logger, level]...]                disabled  level             filters  [filter...] or null
                        random  state                               files, see shared_files.py
    to the examiner     environment, levels, files as above         drawn  how many words of 32 bits
                        records  [record...]                        warnings  [[exception, path, line]...]

Nothing crosses while nothing has changed. State that only one test in a hundred needs is requested when it is used
(`asked` in examiner/ambient.py): input from stdin, and the state of `random`.

Standard library only, and neither `logging` nor `random` is imported here: a fork pays for what it imports.
"""

import os
import sys
from collections.abc import Iterator
from typing import Any

from graders.boxed.rpc.shared_files import SharedFiles
from graders.boxed.shared.encoding import Decoder, Encoder, EncodingError, Tree, array, text

MAX_NAMES = 1000
"""Names of the environment or of loggers in one message."""
STATE_WORDS = 625
"""Words in the state of Python's generator: the Mersenne Twister's 624, and how many of them are used up."""


class Ambient:
    """The process state of one side. examiner/ambient.py and candidate/ambient.py differ in what they send and
    accept.
    """

    def __init__(self, files: SharedFiles) -> None:
        self.files = files
        self.environment: dict[bytes, bytes] = dict(stored_environment())
        """The environment that both sides have, except for names that do not cross."""
        self.levels: dict[str, int] = {}
        """Levels of loggers that were set here since the last message."""
        self.heard: list[Any] = []
        """Log records and warnings that arrived; `replay` handles them once the message is read."""

    def changes(self, encoder: Encoder, said: object) -> list[Tree]:
        """Return the changes that the other side does not know yet. `said`: the content of the message, which may name
        files.

        It runs before each message, so it must be fast if nothing has changed.
        """
        raise NotImplementedError

    def environment_changes(self, encoder: Encoder) -> list[Tree]:
        names = list(self._changed_names())
        self.environment = dict(stored_environment())
        return [["environment", [[encoder.tree(name), encoder.tree(value)] for name, value in names]]] if names else []

    def level_changes(self, encoder: Encoder) -> Tree:
        levels, self.levels = self.levels, {}
        return ["levels", [[encoder.tree(name), level] for name, level in levels.items()]]

    def apply(self, decoder: Decoder, name: str, content: Tree) -> None:
        """Apply a change of the other side. Raises EncodingError for a change that no honest side sends."""
        raise NotImplementedError

    def replay(self) -> None:
        """Handle the log records and warnings that arrived. Raises what the tests' own handlers raise."""
        raise NotImplementedError

    def again(self) -> None:
        """Send everything again: the last changes may not have reached the other side."""
        self.environment = {}

    def _changed_names(self) -> Iterator[tuple[str, str | None]]:
        now = stored_environment()
        for key in {**self.environment, **now}:
            if now.get(key) != self.environment.get(key) and self.crosses(name := os.fsdecode(key)):
                value = now.get(key)
                yield name, None if value is None else os.fsdecode(value)

    def crosses(self, name: str) -> bool:
        """Return whether a name of the environment crosses."""
        raise NotImplementedError


def stored_environment() -> dict[bytes, bytes]:
    """Return the content of `os.environ` as it is stored: comparing it takes less than a microsecond."""
    try:
        return os.environ._data  # type: ignore[attr-defined, no-any-return] # noqa: SLF001
    except AttributeError:  # a test has put another mapping in its place
        return {os.fsencode(name): os.fsencode(value) for name, value in os.environ.items()}


def pairs(content: Tree) -> Iterator[tuple[Any, Any]]:
    """Yield at most MAX_NAMES pairs. Raises EncodingError if there are more."""
    each = array(content)
    if len(each) > MAX_NAMES:
        raise EncodingError(f"more than {MAX_NAMES} changes")
    for pair in each:
        first, second = array(pair, 2)
        yield first, second


def read_text(decoder: Decoder, tree: Tree) -> str:
    return text(decoder.value(tree))


def read_setting(decoder: Decoder, name: Tree, value: Tree) -> tuple[bytes, bytes | None]:
    """Return a name of the environment and its new value, as they are stored."""
    try:
        key = os.fsencode(read_text(decoder, name))
        stored = None if value is None else os.fsencode(read_text(decoder, value))
    except UnicodeEncodeError as error:
        raise EncodingError("no text of the environment") from error
    if not key or b"=" in key or b"\0" in key + (stored or b""):
        raise EncodingError("no text of the environment")
    return key, stored


def whole(value: object, least: int, most: int) -> int:
    """Return the value if it is a whole number within these bounds. Raises EncodingError otherwise."""
    if type(value) is not int or not least <= value <= most:
        raise EncodingError("expected a whole number")
    return value


def set_levels(decoder: Decoder, content: Tree) -> None:
    """Set the levels of loggers that the other side has set."""
    getlogger = sys.modules["logging"].getLogger
    for name, level in pairs(content):
        vars(getlogger(read_text(decoder, name)[:200] or None))["level"] = whole(level, 0, 1000)
    getlogger().manager._clear_cache()  # noqa: SLF001 - as setLevel does
