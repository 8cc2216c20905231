"""Tasks of HumanEval, HumanEval+, HumanEvalPack, and any benchmark in their formats.

HumanEval: `prompt`, `canonical_solution`, `entry_point` and a `test` with `check(candidate)`; becomes a `pytest` suite.
HumanEvalPack: the same, with a `buggy_solution`, which becomes a submission that has to fail.
HumanEval+: the same, with `base_input`, `plus_input` and `atol`; becomes a `call` suite, judged outside the box like
`evalplus.evaluate` judges: the answer of `prompt + canonical_solution` is expected, with a tolerance for floats.
"""

import ast
import re
from collections.abc import Mapping
from typing import Any

from rubrics.input_error import InputError
from service.importers.names import check_asserts, defined, forgotten_modules, is_python, parsed, used
from service.importers.package_text import (
    REFERENCE,
    TEST_SECONDS,
    ImportedTask,
    SuiteText,
    call_suite,
    fenced,
    package,
    pytest_suite,
)

RELATIVE = 1e-07
"""The tolerance of `numpy.allclose(out, exp, rtol=1e-07, atol=atol)` in evalplus."""
FLOAT_ABSOLUTE = 1e-6
"""The tolerance of evalplus if a task does not state one and the expected value is a float."""

_TEST_FILE = '''"""The tests of the benchmark, which call their argument."""
{prompt}

{test}

benchmark_check = check
# pytest takes whatever is called test... for a test, the stub in the prompt too.
{entry_point}.__test__ = False


def test_check():
    # Now, not above: the prompt may define a stub of the function, and the tests call it by its name.
    global {names}
    from solution import {names}

    benchmark_check({entry_point})
'''

_ROOT_OF_POLYNOMIAL = '''"""Any root will do: evalplus looks at the value of the polynomial there, not at the reference's root."""
import math


def accepts(args, expected, got):
    (coefficients,) = args
    if not isinstance(got, (int, float)):
        return False
    try:
        value = sum(factor * math.pow(got, power) for power, factor in enumerate(coefficients))
    except OverflowError:
        return False
    return abs(value) <= {tolerance!r}
'''


def humaneval(row: Mapping[str, Any]) -> ImportedTask:
    """Return a task with the benchmark's own test code. Helpers come from the prompt, not from the submission."""
    return _task(row, _checked(row))


def humaneval_pack(row: Mapping[str, Any]) -> ImportedTask:
    """Return the same, with the setup of its test, and the benchmark's own wrong solution."""
    test = "\n".join(filter(None, (row.get("import"), row.get("test_setup"), row["test"])))
    return _task(
        row, _checked({**row, "test": test}), {"submissions/wrong/buggy.py": row["prompt"] + row["buggy_solution"]}
    )


def _checked(row: Mapping[str, Any]) -> SuiteText:
    """Return a suite whose test imports what it uses of the solution; the benchmark runs both as one module."""
    prompt, test = row["prompt"], _without_own_call(row["test"])
    if "check" not in defined(test, "test"):
        raise InputError(
            "test", f"a function `check(candidate)`, as HumanEval's tests have; it defines {_spoken(test)}"
        )
    check_asserts(test, "test")
    modules = "".join(f"import {name}\n" for name in forgotten_modules(f"{prompt}\n{test}", "test"))
    solved = defined(_reference(row), "canonical_solution") - defined(prompt, "prompt")
    names = {row["entry_point"]} | (used(test, "test") & solved)
    text = _TEST_FILE.format(
        prompt=modules + prompt, test=test, names=", ".join(sorted(names)), entry_point=row["entry_point"]
    )
    return pytest_suite(text, {"seconds": TEST_SECONDS})


def _spoken(test: str) -> str:
    return ", ".join(sorted(defined(test, "test"))) or "nothing"


def _without_own_call(test: str) -> str:
    """Return test code without the `check(function)` at its end, which only some files have."""
    match parsed(test, "test").body[-1:]:
        case [ast.Expr(value=ast.Call(func=ast.Name(id="check"))) as last]:
            return "\n".join(test.split("\n")[: last.lineno - 1])
    return test


def humaneval_plus(row: Mapping[str, Any]) -> ImportedTask:
    """Return a task whose inputs are sent one at a time and whose answers are compared with the reference's."""
    inputs = [*row["base_input"], *row["plus_input"]]
    if row["entry_point"] == "find_zero":
        predicate = _ROOT_OF_POLYNOMIAL.format(tolerance=row["atol"])
        suite = call_suite(
            entry_point="find_zero", inputs=inputs, options={"checker": "predicate"}, predicate=predicate
        )
    else:
        suite = call_suite(entry_point=row["entry_point"], inputs=inputs, options=tolerant(row["atol"]))
    return _task(row, suite)


def tolerant(atol: float) -> dict[str, object]:
    """Return the checker options of a task with this `atol`. All but floats is compared exactly."""
    return {"checker": "float", "absolute": atol or FLOAT_ABSOLUTE, "relative": RELATIVE}


def _reference(row: Mapping[str, Any]) -> str:
    """Return prompt and solution; only the solution if the two are indented differently (MBPP in this format)."""
    prompt, solution = row["prompt"], row["canonical_solution"]
    if is_python(prompt + solution):
        return str(prompt + solution)
    first = next((line for line in solution.split("\n") if line.strip() and not line.startswith("#")), "")
    indent = first[: len(first) - len(first.lstrip())]
    again = re.sub(r"^    ", indent, prompt, flags=re.MULTILINE) + solution
    return again if is_python(again) else str(prompt + solution)


def _task(row: Mapping[str, Any], suite: SuiteText, submissions: Mapping[str, str] | None = None) -> ImportedTask:
    files = package(
        id=row["task_id"],
        title=row["entry_point"],
        prompt=f"Complete this Python code.\n\n{fenced(row['prompt'])}",
        suite=suite,
        submissions={REFERENCE: _reference(row), **(submissions or {})},
    )
    return ImportedTask(id=row["task_id"], files=files, completed_prompt=row["prompt"])
