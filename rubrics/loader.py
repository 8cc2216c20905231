"""A rubric's TOML text -> `Rubric`, or an error with the file, the line and what was expected.

The format is in docs/reference/rubric.md. Reading the file is the caller's; this module is pure.

    RubricError             the text is not a rubric
"""

import hashlib
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, fields

from rubrics import bounded_toml
from rubrics.input_error import InputError
from rubrics.model import Criterion, Level, Rubric, Rule
from rubrics.prefill import ABSTAINED, NO_EVIDENCE, NO_RULE, UNDECIDED
from rubrics.signals import Severity

MOST_LEVELS = 10
"""A level is one digit key on the reviewer's page."""
MOST_WEIGHT = 1000.0
RESERVED_CRITERIA = frozenset({"harm"})
"""`harm` is a flag of the whole review, and drafts keep it beside the criteria."""
RESERVED_RULES = frozenset({NO_EVIDENCE, ABSTAINED, NO_RULE, UNDECIDED})
RESERVED_HOTKEYS = frozenset("jkenwfsyux")
"""Letters that mean something else on the reviewer's page."""

_Path = tuple[str | int, ...]


class RubricError(InputError):
    """The text is not a rubric.

    Args:
        name: the file's name.
        line: counted from 1; None if it is not known.
        field: a path with positions from 0: `criterion.1.rule.0.level`; empty for the whole file.
        expected: what would have been right.
    """

    def __init__(self, name: str, line: int | None, field: str, expected: str) -> None:
        place = name if line is None else f"{name}, line {line}"
        super().__init__(f"{place}: {field}" if field else place, expected)
        self.line = line
        self.field = field


def load(text: str, *, name: str) -> Rubric:
    """Return the rubric in the text; `name` is the file's, for messages. Raises RubricError."""
    try:
        digest = hashlib.sha256(text.encode()).hexdigest()
        parsed = bounded_toml.loads(text)
    except ValueError as error:  # no TOML or too much of it, or a lone surrogate
        line = re.search(r"at line (\d+)", str(error))
        raise RubricError(name, int(line[1]) if line else None, "", f"TOML ({error})") from error
    table = _Table(row=parsed, path=(), name=name, lines=_lines_of(text))
    table.only("id", "title", "criterion")
    rows = table.tables("criterion")
    rubric = Rubric(
        id=table.identifier("id"),
        version=digest[:12],
        title=table.text("title"),
        criteria=tuple(_criterion(row) for row in rows),
    )
    _no_repetition(rows, "id", [criterion.id for criterion in rubric.criteria])
    _no_repetition(rows, "hotkey", [criterion.hotkey for criterion in rubric.criteria])
    if not any(criterion.weight > 0 for criterion in rubric.criteria):
        raise rows[0].error("weight", "a weight above 0 for at least one criterion")
    return rubric


def _criterion(table: "_Table") -> Criterion:
    table.only("id", "title", "question", "weight", "no_basis", "decidable", "hotkey", "level", "rule")
    levels, rules = _levels(table), table.tables("rule", at_least=0)
    criterion = Criterion(
        id=table.identifier("id", reserved=RESERVED_CRITERIA),
        title=table.text("title"),
        question=table.text("question"),
        weight=table.number("weight", 0, MOST_WEIGHT),
        levels=levels,
        rules=tuple(_rule(row, levels) for row in rules),
        no_basis=table.text("no_basis"),
        decidable=table.flag("decidable"),
        hotkey=_hotkey(table),
    )
    _no_repetition(rules, "id", [rule.id for rule in criterion.rules])
    return criterion


def _levels(table: "_Table") -> tuple[Level, ...]:
    rows = table.tables("level", at_least=2)
    if len(rows) > MOST_LEVELS:
        raise rows[MOST_LEVELS].error("", f"at most {MOST_LEVELS} levels")
    for value, row in enumerate(rows):
        row.only("value", "title", "anchor")
        if row.integer("value") != value:
            raise row.error("value", f"{value}: levels go 0, 1, 2, ... from worst to best, without a gap")
    return tuple(
        Level(value=value, title=row.text("title"), anchor=row.text("anchor")) for value, row in enumerate(rows)
    )


def _rule(table: "_Table", levels: Sequence[Level]) -> Rule:
    table.only(*(field.name for field in fields(Rule)))
    rule = Rule(
        id=table.identifier("id", reserved=RESERVED_RULES),
        level=table.integer("level"),
        says=table.text("says"),
        passed_at_least=table.optional_number("passed_at_least", 0, 1),
        passed_below=table.optional_number("passed_below", 0, 1),
        finding_at_least=table.severity("finding_at_least"),
        confidence_at_least=table.severity("confidence_at_least"),
        measurement=table.text("measurement") if "measurement" in table.row else None,
        at_least=table.optional_number("at_least"),
        below=table.optional_number("below"),
        grader=table.text("grader") if "grader" in table.row else None,
    )
    if rule.level not in [level.value for level in levels]:
        raise table.error("level", f"a level of this criterion, 0 to {len(levels) - 1}, not {rule.level}")
    _check_conditions(table, rule)
    return rule


def _check_conditions(table: "_Table", rule: Rule) -> None:
    """Refuse a rule that could never hold or would always hold, which would go unnoticed later."""
    conditions = ("passed_at_least", "passed_below", "finding_at_least", "measurement")
    if not any(condition in table.row for condition in conditions):
        raise table.error("", f"a condition: one of {', '.join(conditions)}")
    if rule.confidence_at_least and not rule.finding_at_least:
        raise table.error("confidence_at_least", "finding_at_least beside it, which it restricts")
    if rule.measurement and rule.at_least is None and rule.below is None:
        raise table.error("measurement", "at_least or below beside it")
    for bound in ("at_least", "below"):
        if bound in table.row and not rule.measurement:
            raise table.error(bound, "measurement beside it, the name of what is compared")
    if rule.grader and not (rule.finding_at_least or rule.measurement):
        raise table.error("grader", "finding_at_least or measurement beside it, which it restricts")
    for low, high in (("passed_at_least", "passed_below"), ("at_least", "below")):
        if low in table.row and high in table.row and not table.row[low] < table.row[high]:  # type: ignore[operator]
            raise table.error(low, f"less than {high}, or the rule can never hold")
    if rule.passed_below == 0:
        raise table.error("passed_below", "more than 0, or the rule can never hold")


def _hotkey(table: "_Table") -> str:
    if "hotkey" not in table.row:
        return ""
    hotkey = table.text("hotkey")
    if not re.fullmatch("[a-z]", hotkey) or hotkey in RESERVED_HOTKEYS:
        raise table.error("hotkey", f"a letter a-z that is not one of {', '.join(sorted(RESERVED_HOTKEYS))}")
    return hotkey


def _no_repetition(rows: Sequence["_Table"], key: str, values: Sequence[str]) -> None:
    for position, value in enumerate(values):
        if value and value in values[:position]:
            raise rows[position].error(key, f"another {key}; {value!r} is taken")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Table:
    """A table of the TOML with its place, so that each refusal can name field and line."""

    row: dict[str, object]
    path: _Path
    name: str
    lines: dict[_Path, int]

    def error(self, key: str, expected: str) -> RubricError:
        path = (*self.path, key) if key else self.path
        known = next((path[:length] for length in range(len(path), 0, -1) if path[:length] in self.lines), None)
        line = None if known is None else self.lines[known]
        return RubricError(self.name, line, ".".join(str(part) for part in path), expected)

    def only(self, *keys: str) -> None:
        for key in self.row:
            if key not in keys:
                raise self.error(key, f"one of {', '.join(keys)}")

    def text(self, key: str) -> str:
        value = self.row.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error(key, f"text that is not empty{self._instead(key)}")
        return value.strip()

    def identifier(self, key: str, *, reserved: frozenset[str] = frozenset()) -> str:
        value = self.text(key)
        if not re.fullmatch("[a-z][a-z0-9_-]{0,63}", value) or value in reserved:
            but = f", and not {', '.join(sorted(reserved))}" if reserved else ""
            raise self.error(key, f"a-z, 0-9, - and _, beginning with a letter, at most 64{but}{self._instead(key)}")
        return value

    def integer(self, key: str) -> int:
        value = self.row.get(key)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.error(key, f"a whole number{self._instead(key)}")
        return value

    def number(self, key: str, low: float | None = None, high: float | None = None) -> float:
        value = self.row.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= sys.float_info.max:
            raise self.error(key, f"a finite number{self._instead(key)}")
        if (low is not None and value < low) or (high is not None and value > high):
            raise self.error(key, f"a number from {low:g} to {high:g}{self._instead(key)}")
        return float(value)

    def optional_number(self, key: str, low: float | None = None, high: float | None = None) -> float | None:
        return self.number(key, low, high) if key in self.row else None

    def flag(self, key: str) -> bool:
        value = self.row.get(key, False)
        if not isinstance(value, bool):
            raise self.error(key, f"true or false{self._instead(key)}")
        return value

    def severity(self, key: str) -> Severity | None:
        if key not in self.row:
            return None
        value = self.text(key)
        if value not in list(Severity):
            raise self.error(key, f"one of {', '.join(Severity)}{self._instead(key)}")
        return Severity(value)

    def tables(self, key: str, *, at_least: int = 1) -> list["_Table"]:
        rows = self.row.get(key, [])
        if not isinstance(rows, list) or len(rows) < at_least or not all(isinstance(row, dict) for row in rows):
            header = ".".join(part for part in (*self.path, key) if isinstance(part, str))
            raise self.error(key, f"{at_least} or more tables [[{header}]]")
        return [
            _Table(row=row, path=(*self.path, key, position), name=self.name, lines=self.lines)
            for position, row in enumerate(rows)
        ]

    def _instead(self, key: str) -> str:
        return f", not {str(self.row[key])[:60]!r}" if key in self.row else "; it is missing"


def _lines_of(text: str) -> dict[_Path, int]:
    """Return the lines of headers and keys, which `tomllib` does not report: (`criterion`, 1, `level`, 0, `anchor`) -> line.

    It knows headers and bare keys at the start of a line and skips multi-line strings. For inline values the nearest known
    place is used.
    """
    lines: dict[_Path, int] = {}
    sizes: dict[_Path, int] = {}
    table: _Path = ()
    inside = ""
    for number, line in enumerate(text.split("\n"), 1):
        if not inside:
            if header := re.match(r"\s*(\[\[?)\s*([\w.-]+)", line):
                # What only looks like a header, in the midst of a text, may be long.
                table = _enter(header[2].split(".", bounded_toml.MOST_PARTS), sizes, is_array=header[1] == "[[")
                lines.setdefault(table, number)
            elif key := re.match(r"\s*([\w-]+)\s*=", line):
                lines.setdefault((*table, key[1]), number)
        for quote in ('"""', "'''"):
            if inside in ("", quote) and line.count(quote) % 2 == 1:
                inside = "" if inside else quote
                break
    return lines


def _enter(names: Sequence[str], sizes: dict[_Path, int], *, is_array: bool) -> _Path:
    path: _Path = ()
    for name in names[:-1]:
        path = (*path, name)
        if path in sizes:
            path = (*path, sizes[path] - 1)
    path = (*path, names[-1])
    if is_array:
        sizes[path] = sizes.get(path, 0) + 1
        path = (*path, sizes[path] - 1)
    return path
