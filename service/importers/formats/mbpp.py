"""Tasks of MBPP as it was published, whole or sanitized: `code`, and `test_list` with an assert in each text.

A task becomes a `pytest` suite with a test for each assert, and one for the program `test` if the row has it, as MBPP+ does in
this form. Only the tests name the function, so the first of them is part of the prompt, as in every use of the benchmark.
"""

import ast
from collections.abc import Mapping, Sequence
from typing import Any

from rubrics.input_error import InputError
from service.importers.names import check_asserts, defined, imports, parsed, used
from service.importers.package_text import REFERENCE, TEST_SECONDS, ImportedTask, fenced, package, pytest_suite

_TEST_FILE = '''"""The asserts of the benchmark, a test each."""
{setup}
'''
_TEST = """

def test_{number}():
    # In here, not above: pytest would take a function whose name begins with `test` for a test.
    from solution import {names}

{body}
"""


def mbpp(row: Mapping[str, Any]) -> ImportedTask:
    """Return a task of MBPP. Raises InputError for asserts that do not fit the code."""
    tests = [*row["test_list"], *row.get("challenge_test_list", [])]
    setup = "\n".join([*row.get("test_imports", []), row.get("test_setup_code", "")]).strip()
    if not tests or not all(isinstance(test, str) for test in tests):
        raise InputError("test_list", "at least one text, an assert in each")
    for test in tests:
        check_asserts(test, "test_list")
    program = row.get("test", "")
    if program.strip():
        check_asserts(program, "test")
    known = defined(row["code"], "code")
    names = sorted(known & set().union(*(used(test, "test_list") for test in tests)))
    if not names:
        raise InputError("test_list", f"a call of what `code` defines ({', '.join(sorted(known)) or 'nothing'})")
    id = str(row["task_id"])
    id = f"MBPP/{id}" if id.isdecimal() else id
    # Which of the names is called first is the one that is asked for; the others may be classes that it takes.
    title = _first_called(tests, names)
    files = package(
        id=id,
        title=title,
        prompt=f"{(row.get('prompt') or row['text']).strip()}\n\nIt must satisfy this test:\n\n{fenced(tests[0])}",
        suite=pytest_suite(_test_file(setup, names, tests) + _program(program, known), {"seconds": TEST_SECONDS}),
        submissions={REFERENCE: row["code"].replace("\r\n", "\n")},
    )
    return ImportedTask(id=id, files=files)


def _test_file(setup: str, names: Sequence[str], tests: Sequence[str]) -> str:
    parts = [_TEST_FILE.format(setup=setup)]
    for number, test in enumerate(tests, start=1):
        # unparse: a test may have several lines, and lines inside of a text must not be indented.
        body = "\n".join(f"    {line}" for line in ast.unparse(ast.parse(test)).split("\n"))
        parts.append(_TEST.format(number=number, names=", ".join(names), body=body))
    return "".join(parts)


def _program(code: str, known: set[str]) -> str:
    """Return a test that runs the program. Its imports move to the file, because `import *` is only allowed there."""
    if not code.strip():
        return ""
    names = sorted(known & used(code, "test"))
    if not names:
        raise InputError("test", f"a call of what `code` defines ({', '.join(sorted(known)) or 'nothing'})")
    tree = parsed(code, "test")
    tree.body = [node for node in tree.body if not isinstance(node, ast.Import | ast.ImportFrom)]
    body = "\n".join(f"    {line}" for line in ast.unparse(tree).split("\n"))
    above = "".join(f"{statement}\n" for statement in imports(code, "test"))
    return "\n\n" + above + _TEST.format(number="program", names=", ".join(names), body=body)


def _first_called(tests: Sequence[str], names: Sequence[str]) -> str:
    for node in ast.walk(ast.parse(tests[0])):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in names:
                return name
    return names[0]
