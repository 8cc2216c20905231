"""Tasks of ClassEval: a class to write, and unittest suites for it and for each of its methods.

The benchmark runs test and solution as one module; here the test file imports from the solution what it names, and has the
solution's imports of its own.
"""

import ast
from collections.abc import Mapping
from typing import Any

from rubrics.input_error import InputError
from service.importers.names import check_unittests, defined, imports, parsed, used
from service.importers.package_text import REFERENCE, TEST_SECONDS, ImportedTask, fenced, package, pytest_suite

_TEST_FILE = '''"""The unittest suites of the benchmark."""
{imports}

from solution import {names}

{test}
'''

_FILES = frozenset({"os", "pathlib", "shutil", "sqlite3", "tempfile", "zipfile"})
_CHANGES = frozenset({"add", "append", "clear", "extend", "insert", "pop", "remove", "setdefault", "update"})


def classeval(row: Mapping[str, Any]) -> ImportedTask:
    """Return a task of ClassEval. Raises InputError for a test that does not use the class."""
    code, test, name = row["solution_code"], row["test"], row["class_name"]
    check_unittests(test, "test")
    names = defined(code, "solution_code") & used(test, "test")
    if name not in names:
        raise InputError("test", f"a use of the class {name}, which `solution_code` defines")
    statements = dict.fromkeys(["import unittest", *row["import_statement"], *imports(code, "solution_code")])
    text = _TEST_FILE.format(imports="\n".join(statements), names=", ".join(sorted(names)), test=test)
    files = package(
        id=row["task_id"],
        title=name,
        prompt=f"Complete this Python class.\n\n{fenced(row['skeleton'])}",
        suite=pytest_suite(text, {"seconds": TEST_SECONDS} | ({"isolation": "shared"} if needs_one_box(test) else {})),
        submissions={REFERENCE: code},
    )
    return ImportedTask(id=row["task_id"], files=files)


def needs_one_box(test: str) -> bool:
    """Return whether the test must run in the same process as the class, because two boxes do not share what it needs.

    That is the case for a file that both work on, for a function that the test replaces, and for a container inside an
    object of the class that the test changes (`tally.counts["a"] = 1`): the test gets a copy of such a container.
    """
    nodes = list(ast.walk(parsed(test, "test")))
    modules = {alias.name.partition(".")[0] for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {(node.module or "").partition(".")[0] for node in nodes if isinstance(node, ast.ImportFrom)}
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    return bool((modules | names) & _FILES or names & {"open", "patch"} or any(map(_changes_inside, nodes)))


def _changes_inside(node: ast.AST) -> bool:
    match node:
        case ast.Subscript(value=container, ctx=ast.Store() | ast.Del()):
            return _is_inside(container)
        case ast.Call(func=ast.Attribute(value=container, attr=name)):
            return name in _CHANGES and _is_inside(container)
    return False


def _is_inside(container: ast.expr) -> bool:
    """Return True for an attribute such as `tally.counts`, but not for `self.names`, which belongs to the test."""
    while isinstance(container, ast.Subscript):
        container = container.value
    match container:
        case ast.Attribute(value=ast.Name(id="self")):
            return False
    return isinstance(container, ast.Attribute)
