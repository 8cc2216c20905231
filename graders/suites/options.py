"""How a kind of suite reads the options in its table of task.toml. Pure.

Each kind reads them into a type of its own, in one place: `with options_of(suite) as table`. The defaults are stated
there and nowhere else. A package with an option that its kind does not read is refused: the author would not notice
the mistake.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from graders.interface import Suite
from graders.suites import fields
from graders.suites.fields import PackageError

T = TypeVar("T")
Default = TypeVar("Default")

MOST_SECONDS = 3600
"""The most that a case may have. More is a mistake in the unit."""
MOST_GROUPS = 100
"""The most that a suite may have."""
NOT_OPTIONS = frozenset({"id", "kind", "files", "weight"})
"""Keys of a suite's table that are fields of `Suite` itself."""
TOLERANCES: Mapping[str, float] = {"float": 1e-9, "lines": 0.0}
"""The checkers that know numbers that are near -> the tolerance if none is stated."""


class OptionTable:
    """A table of options, and which of them have been read."""

    def __init__(self, stated: Mapping[str, object], place: str) -> None:
        """`place`: the name of the table in messages, such as `suite.hidden`."""
        self._stated = stated
        self._place = place
        self._read: set[str] = set()

    def has(self, key: str) -> bool:
        """Return whether the author states this option."""
        self._read.add(key)
        return key in self._stated

    def wrong(self, key: str, expected: str) -> PackageError:
        """Return the error for a value that does not fit."""
        return PackageError(f"{self._place}.{key}", expected)

    def required(self, key: str, read: Callable[[object, str], T]) -> T:
        """Return the option as `read(value, field)` reads it. That refuses None, which stands for a missing one."""
        self._read.add(key)
        return read(self._stated.get(key), f"{self._place}.{key}")

    def optional(self, key: str, read: Callable[[object, str], T], default: Default) -> T | Default:
        """Return the option as `read(value, field)` reads it, or the default."""
        return self.required(key, read) if self.has(key) else default

    def flag(self, key: str, *, default: bool = False) -> bool:
        return self.optional(key, fields.true_or_false, default)

    def one_of(self, key: str, allowed: tuple[str, ...], default: str) -> str:
        return self.optional(key, lambda value, field: fields.one_of(value, field, allowed), default)

    def whole(self, key: str, least: int, most: int, default: Default) -> int | Default:
        return self.optional(key, lambda value, field: fields.whole(value, field, least, most), default)

    def seconds(self, default: Default) -> float | Default:
        """Return the time of one case."""
        return self.optional("seconds", _seconds, default)

    def tolerance(self, checker: str) -> tuple[float, float]:
        """Return `absolute` and `relative`, which only some checkers have."""
        usual = TOLERANCES.get(checker)
        for key in ("absolute", "relative"):
            if self.has(key) and usual is None:
                raise self.wrong(key, 'no tolerance unless checker = "float", or "lines" of a stdio suite')
        absolute, relative = (self.optional(key, _tolerance, usual or 0.0) for key in ("absolute", "relative"))
        return absolute, relative

    def refuse_unread(self, *others: str) -> None:
        """Raise PackageError if the author states an option that has not been read. `others`: more known keys."""
        fields.refuse_unknown(self._stated, {*self._read, *others}, f"{self._place}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class CommonOptions:
    """The options that every kind of suite has."""

    stop_on_failure: bool
    groups: Mapping[str, float]
    """Name -> weight."""

    @classmethod
    def of(cls, table: OptionTable) -> "CommonOptions":
        return cls(
            stop_on_failure=table.flag("stop_on_failure"),
            groups=table.optional("groups", _groups, {}),
        )


@contextmanager
def options_of(suite: Suite) -> Iterator[OptionTable]:
    """Yield the table of a suite. At the end raise PackageError if it has an option that was not read."""
    table = OptionTable(suite.options, f"suite.{suite.id}")
    CommonOptions.of(table)
    yield table
    table.refuse_unread(*NOT_OPTIONS)


def common_options(suite: Suite) -> CommonOptions:
    """Return those options of a suite that do not depend on its kind."""
    return CommonOptions.of(OptionTable(suite.options, f"suite.{suite.id}"))


def _groups(stated: object, field: str) -> Mapping[str, float]:
    groups = fields.table(stated, field)
    if len(groups) > MOST_GROUPS:
        raise PackageError(field, f"at most {MOST_GROUPS} groups, not {len(groups)}")
    return {
        fields.matching(name, f"{field}.{name}", fields.NAME, fields.NAME_IN_WORDS): fields.weight(
            weight, f"{field}.{name}"
        )
        for name, weight in groups.items()
    }


def _seconds(value: object, field: str) -> float:
    seconds = fields.positive(value, field)
    if seconds > MOST_SECONDS:
        raise PackageError(field, f"at most {MOST_SECONDS} seconds, not {value!r}")
    return seconds


def _tolerance(value: object, field: str) -> float:
    if not fields.is_number(value) or not 0 <= value <= sys.float_info.max:
        raise PackageError(field, f"a number of at least 0 that a float can hold, not {value!r:.80}")
    return float(value)
