"""HumanEval and HumanEval+ rows, made by hand in the format of the published files."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.suites.call.cases import NO_ANSWER, parse_cases
from graders.suites.call.suite import CallSuite
from graders.suites.values.description import described
from graders.tasks.package import load
from rubrics.input_error import InputError
from service.importers.formats.humaneval import humaneval, humaneval_plus
from service.importers.package_text import REFERENCE, fenced, package, pytest_suite

PROMPT = '''import math


def halve(x):
    """ Halves a number {not twice}.
    >>> halve(3.0)
    1.5
    """
'''
PLUS = {
    "task_id": "Made/7",
    "prompt": PROMPT,
    "entry_point": "halve",
    "canonical_solution": "    return x / 2\n",
    "test": "def check(candidate):\n    assert candidate(3.0) == 1.5\n",
    "base_input": [[3.0]],
    "plus_input": [[1e300], [2**70], [float("inf")]],
    "atol": 0,
}
PLAIN = {key: PLUS[key] for key in ("task_id", "prompt", "entry_point", "canonical_solution", "test")}


def test_all_inputs_become_cases_whose_answer_is_the_references() -> None:
    task = load(humaneval_plus(PLUS).files)
    [suite] = task.suites
    cases = parse_cases(suite.files["hidden/cases.jsonl"], name="cases", entry_point="halve")
    assert [case.args for case in cases] == [(3.0,), (1e300,), (2**70,), (float("inf"),)]
    assert all(case.expected is NO_ANSWER for case in cases)
    assert suite.kind == "call"
    assert task.id == "Made/7"
    assert task.reference == {"solution.py": PROMPT + "    return x / 2\n"}


def test_a_completion_goes_after_the_prompt() -> None:
    assert humaneval_plus(PLUS).completed_prompt == PROMPT
    assert humaneval(PLAIN).completed_prompt == PROMPT


@pytest.mark.parametrize(
    ("atol", "expected", "got", "passes"),
    [
        (0, 1.0, 1.0 + 5e-7, True),  # no tolerance stated: floats get evalplus' own
        (0, 1.0, 1.0 + 5e-6, False),
        (1e-4, 1.0, 1.0 + 5e-5, True),
        (0, 1e12, 1e12 + 1e4, True),  # rtol=1e-07 of numpy.allclose
        (0, 10**12, 10**12 + 1, False),  # integers of any size are exact
        (0, 3, 3.0, True),
        (0, [1.0, 2.0], (1.0, 2.0), False),
        (0, [1.0, 2.0], [1.0, 2.0, 3.0], False),
        (0, "1.0", 1.0, False),
    ],
)
def test_answers_are_compared_like_evalplus_compares_them(atol: float, expected: Any, got: Any, passes: bool) -> None:
    check = CallSuite.of(load(humaneval_plus({**PLUS, "atol": atol}).files).suites[0]).check
    assert check is not None and check(described(expected), described(got)) is passes


def test_any_root_of_the_polynomial_is_a_zero() -> None:
    row = {**PLUS, "entry_point": "find_zero", "atol": 1e-4, "base_input": [[[-1, 0, 1, 0]]], "plus_input": []}
    suite = load(humaneval_plus(row).files).suites[0]
    assert suite.options["checker"] == "predicate"
    names: dict[str, Any] = {}
    exec(suite.files["hidden/accepts.py"], names)
    accepts = names["accepts"]
    arguments = [[-1, 0, 1, 0]]
    assert accepts(arguments, 1.0, -1.0)
    assert accepts(arguments, 1.0, 1.00001)
    for wrong in (0.0, 1.1, None, "1.0", [1.0], float("nan"), 1e200, 1j):
        assert not accepts(arguments, 1.0, wrong)


HELPED = {
    **PLAIN,
    "prompt": 'def twice(x):\n    return 2 * x\n\n\ndef quarter(x):\n    """ The inverse of twice, twice. """\n',
    "entry_point": "quarter",
    "canonical_solution": "    return x / 4\n",
    "test": "def check(candidate):\n    assert candidate(twice(twice(5))) == 5\n    assert quarter is candidate\n",
}


@pytest.mark.parametrize(
    ("solution", "passes"),
    [
        ("def quarter(x):\n    return x / 4\n", True),  # the helper need not be repeated
        ("def quarter(x):\n    return x / 2\n", False),
        ("def twice(x):\n    return 0\n\ndef quarter(x):\n    return 5\n", True),
        ("twice = lambda x: 0\ndef quarter(x):\n    return 5 if x == 0 else None\n", False),  # nor can it be replaced
        ("def other(x):\n    return x / 4\n", False),
    ],
)
def test_the_benchmarks_tests_run_with_the_helpers_of_its_prompt(tmp_path: Path, solution: str, passes: bool) -> None:
    [suite] = load(humaneval(HELPED).files).suites
    assert suite.kind == "pytest"
    (tmp_path / "solution.py").write_text(solution)
    (tmp_path / "test_hidden.py").write_text(suite.files["hidden/test_hidden.py"])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_hidden.py"]
    assert (subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0) is passes


@given(text=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1))
def test_whatever_the_texts_hold_they_come_back_from_the_package(text: str) -> None:
    title = f"x{text}x"
    suite = pytest_suite("x = 1\n")
    files = package(id="a/b", title=title, prompt=f"p{text}", suite=suite, submissions={REFERENCE: f"# {text!r}"})
    task = load(files)
    assert task.title == title
    assert task.prompt == f"p{text}"


@given(code=st.text(alphabet="`a\n", max_size=30))
def test_no_code_ends_its_own_fence(code: str) -> None:
    opening, *_, closing = fenced(code).rstrip("\n").split("\n")
    assert closing == opening.removesuffix("python")
    assert closing not in code


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(inputs=st.lists(st.lists(JSON_VALUES, max_size=3), min_size=1, max_size=4))
def test_whatever_the_inputs_are_the_cases_call_with_them(inputs: list[list[Any]]) -> None:
    files = humaneval_plus({**PLUS, "base_input": inputs, "plus_input": []}).files
    cases = parse_cases(files["hidden/cases.jsonl"], name="cases", entry_point="halve")
    assert [list(case.args) for case in cases] == inputs


def test_errors_say_where_and_what() -> None:
    error = InputError("file:3", "a text")
    assert (error.field, error.expected, str(error)) == ("file:3", "a text", "file:3: expected a text")
