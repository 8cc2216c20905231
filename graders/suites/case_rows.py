"""The fields that each line of a file with cases may have, and the limits of such files. Pure.

CaseError               a line is not a case; names the line, and what was expected there
"""

import json
from collections.abc import Mapping
from typing import Any, TypeGuard

MOST_CASES = 10_000
"""The most that all suites of a task may have together. The next four limits are for all suites together too."""
MOST_LINES = 100_000
"""Empty lines count too."""
MOST_CASE_CHARACTERS = 16 << 20
MOST_BRACKETS = 1_000_000
MOST_LITERAL_CHARACTERS = 512 << 10
"""Each KiB takes up to 4 ms. No other thread runs while a literal is parsed, hence the next limit."""
LITERAL_CHARACTERS = 32 << 10
LINE_VALUES = 250_000
LINE_CHARACTERS = 4 << 20
"""The longest line."""
MOST_WEIGHT = 1e100
"""The largest weight of a case, a suite or a group; the smallest is its inverse. The product of three is finite."""


class CaseError(ValueError):
    """A line that is not a case.

    Args:
        where: `file:line`.
        expected: what should have been there.
    """

    def __init__(self, where: str, expected: str) -> None:
        super().__init__(f"{where}: expected {expected}")
        self.where = where
        self.expected = expected


class CaseBudget:
    """The limits of all cases of a package together. With them the largest package is read in a second or two."""

    def __init__(self) -> None:
        self._left = {
            "cases": MOST_CASES,
            "[ and { in call cases": MOST_BRACKETS,
            "characters in `call` and `returns`": MOST_LITERAL_CHARACTERS,
            "characters in files with cases": MOST_CASE_CHARACTERS,
            "lines in files with cases": MOST_LINES,
        }
        self._most = dict(self._left)

    def take_file(self, text: str, where: str) -> None:
        """Count a file that has a case on each line."""
        self._take("characters in files with cases", len(text), where)
        self._take("lines in files with cases", text.count("\n"), where)

    def take_input(self, text: str, where: str) -> None:
        """Count a file that is a case by itself."""
        self._take("characters in files with cases", len(text), where)
        self._take("cases", 1, where)

    def take_case(self, line: str, where: str) -> None:
        """Count a line, before it is read."""
        if len(line) > LINE_CHARACTERS:
            raise CaseError(where, f"a line of at most {LINE_CHARACTERS >> 20} MiB, not {len(line) / (1 << 20):.1f}")
        self._take("cases", 1, where)

    def take_values(self, line: str, where: str) -> None:
        """Count the values of a line, before they are built."""
        brackets = line.count("[") + line.count("{")
        if brackets + line.count(",") > LINE_VALUES:
            raise CaseError(where, f"a case of at most {LINE_VALUES:,} values (each , [ and {{ counts as one)")
        self._take("[ and { in call cases", brackets, where)

    def take_literal(self, text: str, where: str, key: str) -> None:
        if len(text) > LITERAL_CHARACTERS:
            instead = "write a larger value as `args` and `expected`"
            raise CaseError(
                where, f"at most {LITERAL_CHARACTERS >> 10} KiB in `{key}`, not {len(text) >> 10}; {instead}"
            )
        self._take("characters in `call` and `returns`", len(text), where)

    def _take(self, what: str, amount: int, where: str) -> None:
        self._left[what] -= amount
        if self._left[what] < 0:
            raise CaseError(where, f"at most {self._most[what]:,} {what}, in all suites and examples together")


def row_of(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line, object_pairs_hook=_without_duplicates)
    except (ValueError, RecursionError) as error:
        raise CaseError(where, f"a JSON object on one line ({error})") from error
    if not isinstance(row, dict):
        raise CaseError(where, f"a JSON object, not {type(row).__name__}")
    return row


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        raise ValueError("a key occurs twice")
    return row


def refuse_unknown(row: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(set(row) - known)
    if unknown:
        raise CaseError(where, f"only the keys {', '.join(sorted(known))}, not {unknown[0]!r}")


def id_of(value: object, where: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > 200 or not value.isprintable():
        raise CaseError(where, f"an `id` of 1 to 200 printable characters, not {value!r:.80}")
    return value


def weight_of(value: object, where: str) -> float:
    if not is_weight(value):
        raise CaseError(where, f"a `weight` greater than 0 (from 1e-100 to 1e100), not {value!r:.80}")
    return float(value)


def is_weight(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 1 / MOST_WEIGHT <= value <= MOST_WEIGHT


def group_of(value: object, where: str) -> str:
    if not isinstance(value, str) or len(value) > 100:
        raise CaseError(where, f"the name of a group in `group`, not {value!r:.80}")
    return value


def lines_with_cases(files: Mapping[str, str]) -> int:
    """Return the number of cases in the .jsonl files of a suite (path -> text)."""
    lines = (line for path, text in files.items() if path.endswith(".jsonl") for line in text.split("\n"))
    return sum(bool(line.strip()) for line in lines)
