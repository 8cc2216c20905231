"""Tasks in the forms of APPS and LiveCodeBench: programs that read and print, or functions with JSON values.

* A program becomes a `stdio` suite.
* A function becomes a `call` suite. If the benchmark asks for a method of `class Solution`, it becomes a `pytest` suite whose
  tests take the method or a function of that name, as both benchmarks do.

The text that the benchmarks put before each program is the task's prelude.

APPS: `question`, `input_output` (`inputs`, `outputs`, and `fn_name` for a function), `solutions`.
LiveCodeBench: `question_content`, `public_test_cases` (shown to the model), `private_test_cases`; it does not have solutions.
"""

import json
import keyword
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rubrics.input_error import InputError
from sandboxes.interface import Limits
from service.importers.formats import preludes
from service.importers.formats.pickled import packed_json
from service.importers.names import is_python
from service.importers.package_text import (
    GENEROUS,
    REFERENCE,
    ImportedTask,
    SuiteText,
    call_cases,
    call_suite,
    fenced,
    package,
    pytest_suite,
    stdio_suite,
)

LIMITS = {"wall_seconds": 30, "cpu_seconds": 10, "memory_mib": 1024}
"""Limits of one case. Both benchmarks give a case a few seconds on an unspecified machine."""
APPS_TOLERANCE = {"absolute": 1e-8, "relative": 1e-5}
"""The tolerance of `numpy.allclose`, by which APPS compares numbers."""
LIVECODEBENCH_TOLERANCE = {"absolute": 1e-6, "relative": 1e-6}
"""Tolerance for floats, which LiveCodeBench compares digit by digit although its problems allow a difference."""
LARGE_CHARACTERS = 256 << 10
"""A case with more than that is files of its own, which may be larger than a line."""

_SAME = '''

def same(expected, got):
    """JSON has no tuples and no keys but texts: a tuple is as good as a list, a number as its text for a key. A number with
    a point need not agree in each digit."""
    if isinstance(expected, list):
        return isinstance(got, (list, tuple)) and len(got) == len(expected) and all(map(same, expected, got))
    if isinstance(expected, dict):
        named = {{str(key): item for key, item in got.items()}} if isinstance(got, dict) else {{}}
        return len(named) == len(expected) and all(key in named and same(expected[key], named[key]) for key in expected)
    if isinstance(expected, float) and isinstance(got, (int, float)):
        return abs(got - expected) <= {absolute!r} + {relative!r} * abs(expected)
    return got == expected
'''
_ACCEPTS = """def accepts(args, expected, got):
    return {accepted}
{same}"""
_METHOD_TESTS = '''"""Calls the method of `class Solution`, or the function, that the task asks for."""
import json
from pathlib import Path

import pytest

import solution

CASES = json.loads(Path(__file__).with_name("cases.json").read_text(encoding="utf-8"))
{same}

@pytest.mark.parametrize("number", range(len(CASES)))
def test_case(number):
    arguments, expected = CASES[number]
    holder = solution.Solution() if hasattr(solution, "Solution") else solution
    got = holder.{function}(*arguments)
    assert {accepted}
'''
_ONE, _EITHER = "same(expected, got)", "same(expected, got) or same([expected], got)"
"""Predicates. APPS puts each answer of some tasks into a list of its own and accepts it with or without the list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _ContestCases:
    """Inputs and answers of a task: texts for a program, JSON values for a function."""

    inputs: Sequence[Any]
    answers: Sequence[Any]
    tolerance: Mapping[str, float]
    alone: bool = False
    """True if each answer may be wrapped in a list."""


def apps(row: Mapping[str, Any]) -> ImportedTask:
    """Return a task of APPS. Raises InputError with the field."""
    cases = _value(row["input_output"], "input_output")
    if not isinstance(cases, dict):
        raise InputError("input_output", "an object with `inputs` and `outputs`")
    inputs, outputs = (_list(cases.get(key), f"input_output: {key}") for key in ("inputs", "outputs"))
    if not inputs or len(inputs) != len(outputs):
        raise InputError(
            "input_output", f"as many outputs as inputs, and at least one; not {len(outputs)} and {len(inputs)}"
        )
    _refuse_unknown(cases, ("inputs", "outputs", "fn_name"), "input_output")
    function = cases.get("fn_name")
    limits: Mapping[str, object] = GENEROUS
    solutions = _value(row["solutions"] or "[]", "solutions")
    program = next(filter(is_python, _list(solutions, "solutions")), None)
    starter = row.get("starter_code") or ""
    if function is None:
        texts = [[_text(item, "input_output") for item in items] for items in (inputs, outputs)]
        typed = _ContestCases(inputs=texts[0], answers=texts[1], tolerance=APPS_TOLERANCE)
        tolerance = APPS_TOLERANCE if _any_float(typed.answers) else {"absolute": 0.0, "relative": 0.0}
        suite, limits = _program_suite(typed, {"checker": "float", **tolerance}), _program_limits(typed.answers)
    else:
        alone = all(isinstance(output, list) and len(output) == 1 for output in outputs)
        arguments = [_int_keys(_list(item, "input_output: inputs")) for item in inputs]
        answers = [output[0] for output in outputs] if alone else outputs
        typed = _ContestCases(inputs=arguments, answers=answers, tolerance=APPS_TOLERANCE, alone=alone)
        suite = _function_suite(_function(function, "input_output: fn_name"), typed, starter, program or "")
    id = _id(row, "APPS", ("task_id", "problem_id", "id"))
    return _task(
        id=id,
        title=id,
        question=row["question"],
        starter=starter,
        suite=suite,
        program=program,
        prelude=preludes.APPS,
        limits=limits,
    )


def livecodebench(row: Mapping[str, Any]) -> ImportedTask:
    """Return a task of LiveCodeBench. Raises InputError with the field."""
    public = _tests(row["public_test_cases"], "public_test_cases")
    private = _tests(row["private_test_cases"], "private_test_cases")
    if not private:
        # All that there is to judge by; nothing is left to show.
        public, private = [], public
    if not private:
        raise InputError("private_test_cases", "at least one test")
    kinds = {test.get("testtype") for test in (*public, *private)}
    starter = row.get("starter_code") or ""
    limits: Mapping[str, object] = GENEROUS
    metadata = _value(row.get("metadata") or "{}", "metadata")
    if not isinstance(metadata, dict):
        raise InputError("metadata", f"an object with the name of the function, not {type(metadata).__name__}")
    _refuse_unknown(metadata, ("func_name",), "metadata")
    if kinds == {"stdin"}:
        typed = _texts(private)
        suite = _program_suite(typed, {"checker": "lines", **typed.tolerance})
        limits = _program_limits(typed.answers)
        shown = {
            f"visible/{number}.{suffix}": test[key]
            for number, test in enumerate(public, start=1)
            for suffix, key in (("in", "input"), ("ans", "output"))
        }
    elif kinds == {"functional"}:
        function = _function(metadata.get("func_name"), "metadata: func_name")
        suite = _function_suite(function, _values(private, "private_test_cases"), starter, "")
        values = _values(public, "public_test_cases")
        shown = {"visible/examples.jsonl": call_cases(values.inputs, values.answers)} if public else {}
    else:
        raise InputError("private_test_cases", f"tests of one `testtype`, stdin or functional, not {kinds}")
    id = _id(row, "LiveCodeBench", ("question_id",))
    title = row.get("question_title") or id
    return _task(
        id=id,
        title=title,
        question=row["question_content"],
        starter=starter,
        suite=suite,
        visible=shown,
        prelude=preludes.LIVECODEBENCH,
        limits=limits,
    )


def _task(
    *,
    id: str,
    title: str,
    question: str,
    starter: str,
    suite: SuiteText,
    program: str | None = None,
    limits: Mapping[str, object] = GENEROUS,
    prelude: str,
    visible: Mapping[str, str] | None = None,
) -> ImportedTask:
    prompt = f"{question.strip()}\n"
    if starter.strip():
        prompt += f"\nStart from this code:\n\n{fenced(starter)}"
    submissions = {} if program is None else {REFERENCE: program.replace("\r\n", "\n")}
    files = package(
        id=id, title=title, prompt=prompt, suite=suite, submissions=submissions, visible=visible, limits=limits,
        prelude=prelude,
    )  # fmt: skip
    return ImportedTask(id=id, files=files)


def _program_suite(cases: _ContestCases, options: Mapping[str, object]) -> SuiteText:
    rows: list[dict[str, object]] = []
    large: dict[str, str] = {}
    for number, (given, wanted) in enumerate(zip(cases.inputs, cases.answers, strict=True), start=1):
        if len(given) + len(wanted) > LARGE_CHARACTERS:
            large |= {f"hidden/case-{number}.in": given, f"hidden/case-{number}.ans": wanted}
        else:
            rows.append({"id": f"case-{number}", "input": given, "output": wanted})
    return stdio_suite(rows, options, large)


def _program_limits(answers: Sequence[str]) -> Mapping[str, object]:
    """Return limits with room for twice the largest answer, because other spaces and more digits are right as well."""
    largest = max(len(answer.encode()) for answer in answers) >> 9
    return LIMITS | ({"output_kib": largest} if largest > Limits().output_kib else {})


def _function_suite(function: str, cases: _ContestCases, starter: str, program: str) -> SuiteText:
    accepted, same = _EITHER if cases.alone else _ONE, _SAME.format(**cases.tolerance)
    if "class Solution" in starter or ("class Solution" in program and f"def {function}" in program):
        text = _METHOD_TESTS.format(function=function, accepted=accepted, same=same)
        pairs = list(zip(cases.inputs, cases.answers, strict=True))
        return pytest_suite(text, more={"hidden/cases.json": json.dumps(pairs)})
    return call_suite(
        entry_point=function,
        inputs=cases.inputs,
        answers=cases.answers,
        options={"checker": "predicate"},
        predicate=_ACCEPTS.format(accepted=accepted, same=same),
    )


def _tests(text: Any, field: str) -> list[dict[str, Any]]:
    tests = packed_json(text, field) if isinstance(text, str) else text
    for test in _list(tests, field):
        if not isinstance(test, dict) or not all(isinstance(test.get(key), str) for key in ("input", "output")):
            raise InputError(field, "objects with the texts `input` and `output`")
        _refuse_unknown(test, ("input", "output", "testtype"), field)
    return list(tests)


def _texts(tests: Sequence[Mapping[str, str]]) -> _ContestCases:
    inputs, answers = ([test[key] for test in tests] for key in ("input", "output"))
    return _ContestCases(inputs=inputs, answers=answers, tolerance=LIVECODEBENCH_TOLERANCE)


def _values(tests: Sequence[Mapping[str, str]], field: str) -> _ContestCases:
    """Return the cases of functional tests, which have one argument a line, as JSON."""
    inputs = [[_value(line, f"{field}: input") for line in test["input"].split("\n") if line.strip()] for test in tests]
    answers = [_value(test["output"], f"{field}: output") for test in tests]
    return _ContestCases(inputs=inputs, answers=answers, tolerance=LIVECODEBENCH_TOLERANCE)


def _refuse_unknown(found: Mapping[str, Any], known: Sequence[str], field: str) -> None:
    unknown = sorted(found.keys() - set(known))
    if unknown:
        raise InputError(field, f"only {', '.join(known)}, not {unknown[0]!r}")


def _id(row: Mapping[str, Any], benchmark: str, keys: Sequence[str]) -> str:
    for key in keys:
        if isinstance(row.get(key), int | str):
            return f"{benchmark}/{row[key]}" if str(row[key]).isdecimal() else str(row[key])
    raise InputError(" or ".join(keys), "the id of the task")


def _function(name: Any, field: str) -> str:
    if not isinstance(name, str) or not name.isidentifier() or keyword.iskeyword(name):
        raise InputError(field, f"the name of a function, not {name!r:.80}")
    return name


def _value(text: Any, field: str) -> Any:
    """Return a JSON value, decoded if it is JSON text."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(field, f"JSON, not {text!r:.80}") from error


def _list(value: Any, field: str) -> list[Any]:
    if not isinstance(value, list):
        raise InputError(field, f"a list, not {type(value).__name__}")
    return value


def _text(value: Any, field: str) -> str:
    """Return a text, given as one or as a list of lines."""
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        return "".join(f"{line}\n" for line in value)
    if not isinstance(value, str):
        raise InputError(field, f"texts, or lists of their lines, not {type(value).__name__}")
    return value


def _int_keys(arguments: list[Any]) -> list[Any]:
    """Return the arguments with integer keys if all keys are integers: JSON only has text for keys."""
    return [
        {int(key): item for key, item in value.items()}
        if isinstance(value, dict) and value and all(key.lstrip("-").isdecimal() for key in value)
        else value
        for value in arguments
    ]


def _any_float(answers: Sequence[str]) -> bool:
    return any("." in token and _is_float(token) for answer in answers for token in answer.split())


def _is_float(token: str) -> bool:
    try:
        float(token)
    except ValueError:
        return False
    return True
