"""Tasks of ClassEval: a class to write, and unittest suites for it and for each of its methods.

The benchmark runs test and solution as one module; here the test file imports from the solution what it names, and has the
solution's imports of its own.
"""

import ast
from collections.abc import Mapping
from typing import Any

from service.importers.names import defined, imports, parsed, used
from service.importers.package_text import REFERENCE, FormatError, ImportedTask, fenced, package, pytest_suite

_TEST_FILE = '''"""The unittest suites of the benchmark."""
{imports}

from solution import {names}

{test}
'''

_FILES = frozenset({"os", "pathlib", "shutil", "sqlite3", "tempfile", "zipfile"})
_SHARED = {"isolation": "shared"}


def classeval(row: Mapping[str, Any]) -> ImportedTask:
    """Raises FormatError for a test that does not use the class."""
    code, test, name = row["solution_code"], row["test"], row["class_name"]
    names = defined(code, "solution_code") & used(test, "test")
    if name not in names:
        raise FormatError("test", f"a use of the class {name}, which `solution_code` defines")
    statements = dict.fromkeys(["import unittest", *row["import_statement"], *imports(code, "solution_code")])
    text = _TEST_FILE.format(imports="\n".join(statements), names=", ".join(sorted(names)), test=test)
    files = package(
        id=row["task_id"],
        title=name,
        prompt=f"Complete this Python class.\n\n{fenced(row['skeleton'])}",
        suite=pytest_suite(text, _SHARED if shares_files(test) else None),
        submissions={REFERENCE: code},
    )
    return ImportedTask(id=row["task_id"], files=files)


def shares_files(test: str) -> bool:
    """Whether the test has to lie beside the class, because both work on one file or one of them patches the other.

    Two boxes share no file, and a test cannot replace a function in a box that it cannot reach.
    """
    tree = parsed(test, "test")
    modules = {
        alias.name.partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    modules |= {(node.module or "").partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return bool((modules | names) & _FILES or names & {"open", "patch"})
