"""Rules that inputs of functions often follow: sorted, without duplicates, with matching brackets. Pure.

A prompt seldom states every rule, but the known calls of a function keep them (`service.authoring.inputs.domain`). Nothing
here depends on a task.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from re import fullmatch
from typing import Any, TypeGuard

_OPENING = {")": "(", "]": "[", "}": "{", ">": "<"}
_BRACKETS = {*_OPENING, *_OPENING.values()}


@dataclass(frozen=True, slots=True, kw_only=True)
class InputRule:
    """Something that all values at a place keep."""

    name: str
    """The rule in words: "is sorted"."""
    speaks: Callable[[Any], bool]
    """Returns whether a value is evidence for the rule: a list of one element is always sorted, so it is not."""
    holds: Callable[[Any], bool]
    """Returns whether a value keeps the rule; called only if `speaks` is true."""
    repair: Callable[[Any], object] | None = None
    """From a value that speaks, and does not keep the rule, to one like it that may."""
    evidence: int = 3
    """Number of different values that must keep it before it counts as a rule."""
    words: str = ""
    """A pattern; if the prompt matches it, one value is enough."""

    def kept(self, value: object) -> bool:
        return not self.speaks(value) or self.holds(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """Something that two arguments, or two positions of a tuple, keep to each other."""

    name: str
    """The rule in words, with {first} and {second}."""
    speaks: Callable[[Any, Any], bool]
    holds: Callable[[Any, Any], bool]
    evidence: int
    """Number of different pairs that must keep it before it counts as a rule."""

    def kept(self, first: object, second: object) -> bool:
        return not self.speaks(first, second) or self.holds(first, second)


def is_number(value: object) -> TypeGuard[int | float]:
    """Return whether the value is an int or a float, but not a bool."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_sequence(value: object) -> TypeGuard[list[object] | tuple[object, ...]]:
    return isinstance(value, list | tuple)


def _several(value: Any) -> bool:
    return is_sequence(value) and len(value) >= 2


def _alike(value: Any) -> bool:
    """Return whether there are at least two numbers, or two texts."""
    return _several(value) and (all(map(is_number, value)) or all(isinstance(item, str) for item in value))


def _rows(value: Any) -> bool:
    return _several(value) and all(map(is_sequence, value))


def _rows_or_words(value: Any) -> bool:
    return _several(value) and (all(map(is_sequence, value)) or all(isinstance(item, str) for item in value))


def _number_rows(value: Any) -> bool:
    return _rows(value) and all(is_number(item) for row in value for item in row)


def _cut(value: Any, rows: int, columns: int) -> object:
    return type(value)(row[:columns] for row in value[:rows])


def _numbers_once(value: Any) -> bool:
    flat = [item for row in value for item in row]
    return sorted(flat) == list(range(1, len(flat) + 1))


def _renumbered(value: Any) -> object:
    """Return the value with its numbers replaced by 1, 2, ... in the same order."""
    rows = [list(row) for row in value]
    places = [(row, column) for row, items in enumerate(rows) for column in range(len(items))]
    ranked = sorted(places, key=lambda place: rows[place[0]][place[1]])
    for number, (row, column) in enumerate(ranked, start=1):
        rows[row][column] = number
    return type(value)(type(old)(new) for old, new in zip(value, rows, strict=True))


def _mostly_brackets(value: Any) -> bool:
    return isinstance(value, str) and 2 * sum(character in _BRACKETS for character in value) > len(value)


def _balanced(value: str) -> str:
    """Return the text without brackets that lack a partner."""
    kept = list(value)
    open_at: list[int] = []
    for position, character in enumerate(value):
        if character in _OPENING.values():
            open_at.append(position)
        elif character in _OPENING:
            if open_at and value[open_at[-1]] == _OPENING[character]:
                open_at.pop()
            else:
                kept[position] = ""
    for position in open_at:
        kept[position] = ""
    return "".join(kept)


def _text(value: Any) -> bool:
    return isinstance(value, str) and len(value) >= 2


def _two_numbers(first: Any, second: Any) -> bool:
    return is_number(first) and is_number(second)


def _number_and_size(first: Any, second: Any) -> bool:
    return is_number(first) and isinstance(second, str | list | tuple)


def _two_sequences(first: Any, second: Any) -> bool:
    return is_sequence(first) and is_sequence(second)


RULES = (
    InputRule(
        name="is sorted", words=r"\bsorted (list|array|sequence)", speaks=_alike,
        holds=lambda value: all(one <= other for one, other in pairwise(value)),
        repair=lambda value: type(value)(sorted(value)),
    ),
    InputRule(
        name="is in descending order", speaks=_alike,
        holds=lambda value: all(one >= other for one, other in pairwise(value)),
        repair=lambda value: type(value)(sorted(value, reverse=True)),
    ),
    InputRule(
        name="has no element twice", words=r"\b(unique|distinct) (elements|integers|numbers|values)|\bduplicate", speaks=_several,
        evidence=6,  # short lists are without doubles by chance
        holds=lambda value: len(set(map(repr, value))) == len(value),
        repair=lambda value: type(value)({repr(item): item for item in value}.values()),
    ),
    InputRule(
        name="has rows of one length", speaks=_rows_or_words,
        holds=lambda value: len(set(map(len, value))) == 1,
        repair=lambda value: _cut(value, len(value), min(map(len, value))),
    ),
    InputRule(
        name="has as many rows as columns", speaks=_rows,
        holds=lambda value: all(len(row) == len(value) for row in value),
        repair=lambda value: _cut(value, *[min(len(value), *map(len, value))] * 2),
    ),
    InputRule(
        name="holds each number from 1 on once", speaks=_number_rows, holds=_numbers_once, repair=_renumbered,
    ),
    InputRule(
        name="has brackets that match", words="balanced", speaks=_mostly_brackets,
        holds=lambda value: _balanced(value) == value, repair=_balanced,
    ),
    InputRule(
        name="is the text of a whole number", speaks=_text,
        holds=lambda value: fullmatch(r"[+-]?(0|[1-9]\d*)", value) is not None,
    ),
    InputRule(
        name="is the text of a number", speaks=_text,
        holds=lambda value: fullmatch(r"[+-]?\d+([.,]\d+)?", value) is not None,
    ),
)  # fmt: skip

RELATIONS = (
    # The stricter rule first: it implies the other.
    Relation(
        name="{first} is below {second}", speaks=_two_numbers,
        holds=lambda one, other: one < other, evidence=5,  # four are by chance in that order once in sixteen times
    ),
    Relation(
        name="{first} is at most {second}", speaks=_two_numbers,
        holds=lambda one, other: one <= other, evidence=5,
    ),
    Relation(
        name="{first} is below the length of {second}", speaks=_number_and_size,
        holds=lambda one, other: one < len(other), evidence=3,
    ),
    Relation(
        name="{first} is at most the length of {second}", speaks=_number_and_size,
        holds=lambda one, other: one <= len(other), evidence=3,
    ),
    Relation(
        name="{first} is as long as {second}", speaks=_two_sequences,
        holds=lambda one, other: len(one) == len(other), evidence=3,
    ),
)  # fmt: skip
