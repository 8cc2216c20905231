"""QuixBugs: programs with one bug each and their expected answers, in these folders:

    json_testcases/NAME.json            [[ARGUMENT, ...], EXPECTED] a line
    correct_python_programs/NAME.py     with the function NAME: the reference
    python_programs/NAME.py             with a bug: a submission that has to fail

A task becomes a `call` suite. If the function is a generator, whose value cannot leave a box, it becomes a `pytest` suite.
"""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rubrics.input_error import InputError
from service.importers.names import parsed
from service.importers.package_text import REFERENCE, ImportedTask, SuiteText, call_suite, fenced, package, pytest_suite
from service.importers.rows import json_lines

CASES, CORRECT, BUGGY = "json_testcases", "correct_python_programs", "python_programs"

_SAME = '''

def same(expected, got):
    """JSON has no tuples, so a tuple is as good as a list; and floats need not agree in each digit."""
    if isinstance(expected, list):
        return isinstance(got, (list, tuple)) and len(got) == len(expected) and all(map(same, expected, got))
    if isinstance(expected, float):
        return isinstance(got, (int, float)) and math.isclose(got, expected, rel_tol=1e-6, abs_tol=1e-6)
    return got == expected
'''
_ACCEPTS = f"""import math


def accepts(args, expected, got):
    return same(expected, got)
{_SAME}"""
_YIELDS = '''"""The function yields its answer, so these tests collect it."""
import itertools
import json
import math
from pathlib import Path

import pytest

from solution import {function} as candidate

CASES = json.loads(Path(__file__).with_name("cases.json").read_text(encoding="utf-8"))
MOST_ITEMS = 100_000
{same}

@pytest.mark.parametrize("number", range(len(CASES)))
def test_case(number):
    arguments, expected = CASES[number]
    assert same(expected, list(itertools.islice(candidate(*arguments), MOST_ITEMS)))
'''


def is_quixbugs(folder: Path) -> bool:
    return (folder / CASES).is_dir()


def programs(folder: Path) -> list[Path]:
    """Return the files of cases, one for each task. Raises InputError if the folder has none."""
    found = sorted((folder / CASES).glob("*.json"))
    if not found:
        raise InputError(str(folder / CASES), "at least one .json file with cases")
    return found


def read_program(cases: Path) -> ImportedTask:
    """Return the task with the cases in this file. Raises InputError."""
    name, folder = cases.stem, cases.parents[1]
    correct, buggy = (_source(folder / part / f"{name}.py") for part in (CORRECT, BUGGY))
    function = next(
        (node for node in parsed(correct, str(folder / CORRECT / f"{name}.py")).body if _is_function(node, name)), None
    )
    if function is None:
        raise InputError(str(folder / CORRECT / f"{name}.py"), f"a function {name}")
    pairs = list(_pairs(cases))
    files = package(
        id=f"QuixBugs/{name}",
        title=name,
        prompt=f"This program has a bug. Write it without.\n\n{fenced(buggy)}",
        suite=_yielding(name, pairs) if _yields(function) else _returning(name, pairs),
        submissions={REFERENCE: correct, "submissions/wrong/buggy.py": buggy},
    )
    return ImportedTask(id=f"QuixBugs/{name}", files=files, where=str(cases))


def _source(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(path), f"a Python program in UTF-8 ({error})") from error


def _is_function(node: ast.stmt, name: str) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == name


def _yields(function: ast.stmt) -> bool:
    return any(isinstance(node, ast.Yield | ast.YieldFrom) for node in ast.walk(function))


def _pairs(cases: Path) -> Iterator[tuple[list[Any], Any]]:
    for number, row in json_lines(cases):
        if not isinstance(row, list) or len(row) != 2:
            raise InputError(f"{cases}:{number}", "a list of two: the arguments, and what is returned")
        arguments, expected = row
        # A single argument may stand without a list.
        yield (arguments if isinstance(arguments, list) else [arguments]), expected


def _returning(name: str, pairs: list[tuple[list[Any], Any]]) -> SuiteText:
    return call_suite(
        entry_point=name,
        inputs=[arguments for arguments, _ in pairs],
        answers=[expected for _, expected in pairs],
        options={"checker": "predicate"},
        predicate=_ACCEPTS,
    )


def _yielding(name: str, pairs: list[tuple[list[Any], Any]]) -> SuiteText:
    text = _YIELDS.format(function=name, same=_SAME)
    return pytest_suite(text, more={"hidden/cases.json": json.dumps(pairs)})
