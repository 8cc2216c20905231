"""Tasks of MBPP+: `call` suites, judged like `evalplus.evaluate` judges them.

JSON lacks tuples, sets and complex numbers, so the file alone does not determine the arguments of a call. The benchmark's code
does, and this module has it as a table by task number. The same holds for tasks with several right answers, and for three whose
answer is a match object: only "a match or none" counts there.
"""

import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from rubrics.input_error import InputError
from service.importers.formats.humaneval import tolerant
from service.importers.package_text import REFERENCE, ImportedTask, call_suite, package, pytest_suite

Arguments = list[Any]


def _first(convert: Callable[[Any], object]) -> Callable[[Arguments], Arguments]:
    return lambda arguments: [convert(arguments[0]), *arguments[1:]]


def _each(convert: Callable[[Any], object]) -> Callable[[Arguments], Arguments]:
    return lambda arguments: [convert(argument) for argument in arguments]


def _tuples(items: Iterable[Iterable[object]]) -> list[tuple[object, ...]]:
    return [tuple(item) for item in items]


def _tuple_of_tuples(items: Iterable[Iterable[object]]) -> tuple[tuple[object, ...], ...]:
    return tuple(_tuples(items))


def _lists_inside_to_tuples(items: Iterable[object]) -> tuple[object, ...]:
    return tuple(tuple(item) if isinstance(item, list) else item for item in items)


def _all_lists_to_tuples(value: object) -> object:
    return tuple(_all_lists_to_tuples(item) for item in value) if isinstance(value, list) else value


def _sets(items: Iterable[Any]) -> list[object]:
    # An empty list was an empty dict before it became JSON.
    return [set(item) if isinstance(item, list) and item else {} for item in items]


def _dict_of_tuples(table: Mapping[str, Iterable[object]]) -> dict[str, tuple[object, ...]]:
    return {key: tuple(items) for key, items in table.items()}


_CONVERSIONS: tuple[tuple[frozenset[int], Callable[[Arguments], Arguments]], ...] = (
    (
        frozenset(
            {2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424, 429, 470, 560, 579, 596, 616, 630, 726, 740, 744, 809}
        ),
        _each(tuple),
    ),
    (frozenset({63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780}), _each(_tuples)),
    (frozenset({259, 401, 445}), _each(_tuple_of_tuples)),
    (frozenset({580, 615, 791}), _each(_all_lists_to_tuples)),
    (frozenset({250, 307, 405, 446, 617, 720, 763, 808}), _first(tuple)),
    (frozenset({75, 413, 444, 753}), _first(_tuples)),
    (frozenset({278}), _first(_lists_inside_to_tuples)),
    (frozenset({115}), _first(_sets)),
    (frozenset({722}), _first(_dict_of_tuples)),
    (frozenset({252}), _first(complex)),
    (frozenset({124}), lambda arguments: [float(arguments[0]), complex(arguments[1])]),
    (frozenset({106, 750}), lambda arguments: [arguments[0], tuple(arguments[1])]),
)

_SAME_ELEMENTS = '''"""The order of the answer, and how often a value is in it, do not matter."""


def accepts(args, expected, got):
    try:
        return set(got) == set(expected)
    except TypeError:
        return False
'''
_ANYTHING = '''"""The task is ambiguous; its authors accept every answer."""


def accepts(args, expected, got):
    return True
'''
_OR_ZERO = '''"""Whether a number divides itself is left open by the task; its authors accept 0 as well."""


def accepts(args, expected, got):
    return got == expected or got == 0
'''
_EITHER_HEIGHT = '''"""The height may be read as the slant height or as that of the apex over the base."""
import math


def accepts(args, expected, got):
    edge, height = args
    if not isinstance(got, (int, float)):
        return False
    upright = round(edge**2 + 4 * (edge * math.sqrt((edge / 2) ** 2 + height**2)) / 2)
    return got == expected or abs(got - upright) <= {tolerance!r}
'''
_PADDED_DIGITS = '''"""Numbers of different length may be compared after filling the shorter one up with zeros."""


def accepts(args, expected, got):
    first, second = map(str, args)
    width = max(len(first), len(second))
    pairs = zip(first.zfill(width), second.zfill(width))
    try:
        return got == expected or got == sum(abs(int(one) - int(other)) for one, other in pairs)
    except ValueError:
        return False
'''

_SAME_ELEMENTS_TASKS = (
    "similar_elements", "find_char_long", "common_in_nested_lists", "extract_singly", "larg_nnum",
    "intersection_array", "find_dissimilar", "Diff",
)  # fmt: skip
_PREDICATES: Mapping[str, str] = {
    **dict.fromkeys(_SAME_ELEMENTS_TASKS, _SAME_ELEMENTS),
    "are_equivalent": _ANYTHING,
    "sum_div": _OR_ZERO,
    "surface_Area": _EITHER_HEIGHT,
    "digit_distance_nums": _PADDED_DIGITS,
}

_COMBINATIONS_TASK = "combinations_colors"
_MOST_COLORS = 1_000_000


def _has_an_answer_of_some_size(arguments: Arguments) -> bool:
    """Return whether the answer is small enough. Five inputs of one task have answers of up to a gigabyte."""
    colors, length = arguments
    return math.comb(len(colors) + length - 1, length) * length <= _MOST_COLORS if colors else True


_MATCH_OR_NONE_TASKS = ("check_str", "text_match_three", "text_starta_endb")
_MATCH_OR_NONE = '''"""A match object cannot leave the box, so these tests run beside the submission."""
import pytest

from solution import {entry_point} as candidate

REFERENCE = {{}}
exec({reference!r}, REFERENCE)


@pytest.mark.parametrize("arguments", {inputs!r})
def test_finds_a_match_where_there_is_one(arguments):
    found = candidate(*arguments)
    wanted = REFERENCE[{entry_point!r}](*arguments) is not None
    assert (found if isinstance(found, bool) else found is not None) == wanted
'''


def mbpp_plus(row: Mapping[str, Any]) -> ImportedTask:
    """Return a task of MBPP+. Raises InputError if an input does not fit the task's number."""
    entry_point = row["entry_point"]
    reference = row["prompt"] + row["canonical_solution"]
    inputs = arguments_of(row["task_id"], [*row["base_input"], *row["plus_input"]])
    if entry_point == _COMBINATIONS_TASK:
        inputs = [arguments for arguments in inputs if _has_an_answer_of_some_size(arguments)]
    if entry_point in _MATCH_OR_NONE_TASKS:
        suite = pytest_suite(_MATCH_OR_NONE.format(entry_point=entry_point, reference=reference, inputs=inputs))
    elif entry_point in _PREDICATES:
        predicate = _PREDICATES[entry_point].format(tolerance=row["atol"])
        suite = call_suite(
            entry_point=entry_point, inputs=inputs, options={"checker": "predicate"}, predicate=predicate
        )
    else:
        suite = call_suite(entry_point=entry_point, inputs=inputs, options=tolerant(row["atol"]))
    files = package(
        id=row["task_id"],
        title=entry_point,
        prompt=row["prompt"],
        suite=suite,
        submissions={REFERENCE: reference},
    )
    return ImportedTask(id=row["task_id"], files=files, completed_prompt=row["prompt"])


def arguments_of(task_id: str, inputs: Iterable[Arguments]) -> list[Arguments]:
    """Return inputs read from JSON, with the types that the task's function takes."""
    benchmark, _, number = task_id.partition("/")
    if benchmark != "Mbpp" or not number.isdecimal():
        # Tasks in the same format that are not part of MBPP+.
        return list(inputs)
    for numbers, convert in _CONVERSIONS:
        if int(number) in numbers:
            try:
                return [convert(arguments) for arguments in inputs]
            except (TypeError, ValueError, IndexError, AttributeError) as error:
                raise InputError(f"{task_id}: inputs", f"those of MBPP+ task {number} ({error})") from error
    return list(inputs)
