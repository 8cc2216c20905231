"""Which names a program defines, and which a test uses: what a test file has to import. Nothing is run."""

import ast
import sys
from typing import TypeGuard

from rubrics.input_error import InputError


def parsed(code: str, field: str) -> ast.Module:
    """Return the syntax tree. Raises InputError with the field of the row that has the code."""
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise InputError(field, f"Python that can be parsed ({error})") from error


def is_python(code: str) -> bool:
    try:
        ast.parse(code)
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return False
    return True


def defined(code: str, field: str) -> set[str]:
    """Return the functions, classes and variables that the module itself defines, without imports."""
    names = set()
    for node in parsed(code, field).body:
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Assign(targets=targets):
                names |= {target.id for target in targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    return names


def check_unittests(code: str, field: str) -> None:
    """Raise InputError if the code does not have unittest tests."""
    for node in parsed(code, field).body:
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base).endswith("TestCase") for base in node.bases):
            return
    raise InputError(field, "a class that derives from unittest.TestCase")


def check_asserts(code: str, field: str) -> None:
    """Raise InputError if the tests would pass with any submission."""
    if not any(isinstance(node, ast.Assert | ast.Raise) for node in ast.walk(parsed(code, field))):
        raise InputError(field, f"an assert, not only {code.strip()!r:.80}")


def imports(code: str, field: str) -> list[str]:
    """Return the import statements of the module itself."""
    statements = parsed(code, field).body
    return [ast.unparse(node) for node in statements if isinstance(node, ast.Import | ast.ImportFrom)]


def forgotten_modules(code: str, field: str) -> list[str]:
    """Return modules of the standard library that it uses without an import, as tests do that ran after a solution."""
    known = {node.id for node in ast.walk(parsed(code, field)) if _binds(node)} | defined(code, field)
    for node in ast.walk(parsed(code, field)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            known |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
    read = {
        node.value.id
        for node in ast.walk(parsed(code, field))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }
    return sorted((read - known) & sys.stdlib_module_names)


def _binds(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)


def used(code: str, field: str) -> set[str]:
    """Return all names that are read or called anywhere in it."""
    return {node.id for node in ast.walk(parsed(code, field)) if isinstance(node, ast.Name)}
