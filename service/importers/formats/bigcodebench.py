"""Tasks of BigCodeBench: a function that uses libraries, and unittest classes.

The benchmark runs solution and test as one module. Here the test file has the solution's imports and takes the solution's
definitions from it. If the tests patch or seed something, or work on files, they run beside the submission.
"""

import ast
from collections.abc import Mapping
from typing import Any

from rubrics.input_error import InputError
from service.importers.formats.classeval import needs_one_box
from service.importers.names import check_unittests, defined, imports, parsed, used
from service.importers.package_text import REFERENCE, TEST_SECONDS, ImportedTask, fenced, package, pytest_suite

_TEST_FILE = '''"""The unittest classes of the benchmark."""
{imports}

from solution import {names}

{test}
'''
_SHARED_STATE = frozenset(
    {"seed", "patch", "assertLogs", "assertWarns", "catch_warnings", "environ", "chdir", "stdin", "stdout"}
)
"""Names that a test uses to read or change the state of the whole process."""


def bigcodebench(row: Mapping[str, Any]) -> ImportedTask:
    """Return a task of BigCodeBench. Raises InputError if the test lacks unittest classes or does not use the function."""
    test, name = row["test"], row["entry_point"]
    reference = f"{row['code_prompt']}{row['canonical_solution']}"
    check_unittests(test, "test")
    known = defined(reference, "code_prompt, canonical_solution")
    names = known & used(test, "test") - defined(test, "test")
    if name not in names:
        raise InputError("test", f"a use of {name}, which the solution defines")
    statements = dict.fromkeys(imports(reference, "code_prompt"))
    text = _TEST_FILE.format(imports="\n".join(statements), names=", ".join(sorted(names)), test=test)
    shared = {"isolation": "shared"} if needs_one_box(test) or _sets_for_all(test) else {}
    files = package(
        id=row["task_id"],
        title=name,
        prompt=f"Complete this Python code.\n\n{fenced(row['complete_prompt'])}",
        suite=pytest_suite(text, {"seconds": TEST_SECONDS, **shared}),
        submissions={REFERENCE: reference},
    )
    return ImportedTask(id=row["task_id"], files=files, completed_prompt=row["complete_prompt"])


def _sets_for_all(test: str) -> bool:
    for node in ast.walk(parsed(test, "test")):
        match node:
            case ast.Attribute(attr=name) | ast.Name(id=name) if name in _SHARED_STATE:
                return True
    return False
