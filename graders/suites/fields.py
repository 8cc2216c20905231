"""Checks of single values in task.toml. Pure.

Each function takes a value and the name of its field. It returns the value with its type, or raises

    PackageError            a package is wrong; names the field, and what was expected there
"""

import ast
import keyword
import math
import re
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, TypeGuard

from graders.suites.case_rows import CaseBudget, is_weight

MOST_PYTHON_CHARACTERS = 512 << 10
"""The most Python that is parsed of a package. Each KiB takes up to 2 ms, and no other thread runs meanwhile."""
PYTHON_CHARACTERS = 32 << 10
"""The longest Python file that is parsed."""
MOST_PATTERNS, PATTERN_CHARACTERS = 50, 100
NAME = re.compile(r"(?=.{1,100}\Z)[A-Za-z0-9_][A-Za-z0-9_.-]*")
"""The name of a suite or a group."""
NAME_IN_WORDS = "a name of letters, digits and . _ -"
_WILD = frozenset("*?[")
_FUNCTION = re.compile(r"^def[ \t]++(\w+)", re.MULTILINE)


class PackageError(ValueError):
    """A package does not follow docs/reference/task-package.md.

    Args:
        field: a file (`hidden/cases.jsonl:3`), or a place in task.toml (`suite.hidden.checker`).
        expected: what should have been there.
    """

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: expected {expected}")
        self.field = field
        self.expected = expected


def refuse_unknown(table: Mapping[str, Any], known: Iterable[str], prefix: str) -> None:
    """`prefix`: what comes before a key's name in the error, `limits.`."""
    unknown = sorted(set(table) - set(known))
    if unknown:
        raise PackageError(f"{prefix}{unknown[0]}", f"one of the keys {', '.join(sorted(known))}")


def text(value: object, field: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PackageError(field, "a text" if value is None else f"a text that is not empty, not {value!r}")
    _refuse_nul(value, field)
    return value


def _refuse_nul(value: str, field: str) -> None:
    """Raise PackageError for a NUL character: files, command lines and pages cannot hold it."""
    if "\0" in value:
        raise PackageError(field, "text without NUL characters")


def matching(value: object, field: str, pattern: re.Pattern[str], what: str) -> str:
    found = text(value, field)
    if not pattern.fullmatch(found):
        raise PackageError(field, f"{what}, not {found!r}")
    return found


def one_of(value: object, field: str, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise PackageError(field, f"one of {', '.join(allowed)}, not {value!r}")
    return value


def true_or_false(value: object, field: str) -> bool:
    if not isinstance(value, bool):
        raise PackageError(field, f"true or false, not {value!r}")
    return value


def texts(value: object, field: str, example: str) -> list[str]:
    """Return a list of texts. Neither the list nor a text may be empty."""
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item.strip() for item in value):
        raise PackageError(field, f"a list of texts, such as {example}, not {value!r}")
    for item in value:
        _refuse_nul(item, field)
    return value


def table(value: object, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PackageError(field, f"a table, not {value!r}")
    return value


def tables(value: object, field: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise PackageError(field, f"tables [[{field}]]")
    return [table(item, f"{field}.{number}") for number, item in enumerate(value)]


def positive(value: object, field: str) -> float:
    if not is_number(value) or not 0 < value < math.inf:
        raise PackageError(field, f"a number greater than 0, not {value!r}")
    return float(value)


def whole(value: object, field: str, least: int, most: int) -> int:
    if type(value) is not int or not least <= value <= most:
        raise PackageError(field, f"a whole number from {least} to {most}, not {value!r}")
    return value


def weight(value: object, field: str) -> float:
    """Return the weight of a suite or a group."""
    if not is_weight(value):
        raise PackageError(field, f"a number greater than 0 (from 1e-100 to 1e100), not {value!r}")
    return float(value)


def is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_name(value: str) -> bool:
    """Return whether this can be the name of a function or a module."""
    return value.isidentifier() and not keyword.iskeyword(value)


def function_name(value: object, field: str) -> str:
    found = text(value, field)
    if not is_name(found):
        raise PackageError(field, f"the name of a function, not {found!r}")
    return found


class PackageBudget:
    """The part of a package that may still be read. With it the largest package costs a second or two."""

    def __init__(self, output_kib: int) -> None:
        """`output_kib`: the most that a program of this task may print."""
        self.output_kib = output_kib
        self.cases = CaseBudget()
        self._python = MOST_PYTHON_CHARACTERS
        self._functions: dict[str, set[str]] = {}
        self._patterns = MOST_PATTERNS

    def parsed(self, path: str, source: str) -> ast.Module | None:
        """Return a Python file as a syntax tree. None if it is too long: the reference's run shows its mistakes."""
        if len(source) > min(PYTHON_CHARACTERS, self._python):
            return None
        self._python -= len(source)
        return parsed(path, source)

    def functions(self, path: str, source: str) -> set[str]:
        """Return the names of its functions. A file is parsed once, even if several suites have it."""
        if path not in self._functions:
            tree = self.parsed(path, source)
            self._functions[path] = (
                # One by one: while all are found at once, nothing else has the interpreter.
                {found[1] for found in _FUNCTION.finditer(source)}
                if tree is None
                else {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
            )
        return self._functions[path]

    def matched(self, pattern: str, files: Iterable[str], field: str) -> list[str]:
        """Return the files that a pattern of a suite matches."""
        if not set(pattern) & _WILD:
            return [pattern] if pattern in files else []
        self._patterns -= 1
        if self._patterns < 0 or len(pattern) > PATTERN_CHARACTERS:
            expected = (
                f"at most {MOST_PATTERNS} patterns in all suites, each of {PATTERN_CHARACTERS} characters at most"
            )
            raise PackageError(field, f"{expected}; a path without * ? [ is none")
        return [path for path in files if fnmatchcase(path, pattern)]


def parsed(path: str, source: str) -> ast.Module:
    """Return a file of the package as a syntax tree. Raise PackageError if it is not Python."""
    try:
        return ast.parse(source, filename=path)
    except SyntaxError as error:
        raise PackageError(f"{path}:{error.lineno}", f"Python that can be parsed ({error.msg})") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise PackageError(path, f"Python that can be parsed ({type(error).__name__})") from error
