"""Runs inside the box: radon on the source of one file at a time."""

import ast
from collections.abc import Iterator
from typing import Any

import radon
from radon.metrics import mi_compute, mi_parameters
from radon.visitors import ComplexityVisitor

from graders.boxed.analysis.one_file import code_lines, parse

Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
Scope = ast.Module | Definition
NAME_CAP = 200
TOOL = f"radon-{radon.__version__}"


def scopes(tree: ast.Module) -> Iterator[tuple[str, Scope]]:
    """Return every function, class body and the module with its qualified name, each without the definitions inside it.

    radon by itself does not see a class inside a function, nor code outside of functions; here each scope is handed to
    it alone. This changes the tree: a definition is removed from the scope that contains it.
    """
    waiting: list[tuple[str, Scope]] = [("", tree)]
    while waiting:
        name, scope = waiting.pop()
        prefix = f"{name}." if name else ""
        waiting.extend((prefix + definition.name, definition) for definition in _lift(scope))
        yield name or "<module>", scope


def _lift(scope: Scope) -> Iterator[Definition]:
    nodes: list[ast.AST] = [scope]
    while nodes:
        for _, value in ast.iter_fields(nodes.pop()):
            if isinstance(value, list):
                yield from (item for item in value if isinstance(item, Definition))
                value[:] = [item for item in value if not isinstance(item, Definition)]
                nodes += [item for item in value if isinstance(item, ast.AST)]
            elif isinstance(value, ast.AST):
                nodes.append(value)


def paths(scope: Scope) -> int:
    """Return the cyclomatic complexity of a scope, with its decorators, parameter defaults and base classes.

    Assertions at the top of the module do not count: they are a list, and add no complexity.
    """
    around: list[ast.expr] = []
    if not isinstance(scope, ast.Module):
        around = [*scope.decorator_list]
    if isinstance(scope, ast.ClassDef):
        around += [*scope.bases, *(keyword.value for keyword in scope.keywords)]
    elif isinstance(scope, ast.FunctionDef | ast.AsyncFunctionDef):
        around += [*scope.args.defaults, *filter(None, scope.args.kw_defaults)]
    body: list[ast.stmt] = [*map(ast.Expr, around), *scope.body]
    tree = ast.Module(body=body, type_ignores=[])
    return int(ComplexityVisitor.from_ast(tree, no_assert=isinstance(scope, ast.Module)).complexity)


def analyze(source: bytes) -> dict[str, Any]:
    """Return the measures of a file.

    {"lines", "worst": {"name", "line", "complexity", "lines"}, "weighted_sum", "maintainability", "reason"}: `worst` is
    the scope with the most paths, `weighted_sum` is paths x lines summed over the scopes, `lines` their lines of code,
    `maintainability` is None if radon cannot compute it, and `reason` is why.
    """
    total, weighted = 0, 0
    worst: dict[str, Any] = {"name": "<module>", "line": 0, "complexity": 0, "lines": 0}
    for name, scope in scopes(parse(source)):
        lines = code_lines(scope)
        complexity = paths(scope) if lines else 0
        total += lines
        weighted += lines * complexity
        if (complexity, lines) > (worst["complexity"], worst["lines"]):
            line = getattr(scope, "lineno", 1)
            worst = {"name": name[:NAME_CAP], "line": line, "complexity": complexity, "lines": lines}
    found = {"lines": total, "worst": worst, "weighted_sum": weighted, "maintainability": None, "reason": ""}
    try:
        found["maintainability"] = maintainability(source.decode("utf-8-sig"))
    except Exception as error:  # radon's own line counter gives up on a form feed inside a string, for one
        found["reason"] = f"radon: {type(error).__name__}: {error}"[:NAME_CAP]
    return found


def maintainability(text: str) -> float:
    """Return radon's maintainability index, 0 to 100, higher is better.

    radon rates a file without a single operator as 100 at any length, because the logarithm of a Halstead volume of 0
    is undefined. A volume of 1 is the natural end of the scale, and lets length and branches count.
    """
    volume, complexity, lines, comments = mi_parameters(_without_long_texts(text))
    return float(mi_compute(max(volume, 1), complexity, lines, comments))


LONG_TEXT = 50
"""Lines of a text. radon's time for one grows with their square: a few thousand take minutes."""


def _without_long_texts(text: str) -> str:
    """Return the source with an empty text in the place of each that has very many lines: these are data, and no lines
    of code.
    """
    lines = text.encode().splitlines(keepends=True)
    tree = ast.parse(text)
    formatted = [node for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
    parts = {id(part) for node in formatted for part in ast.walk(node) if part is not node}
    found = [
        node
        for node in ast.walk(tree)
        if (isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)))
        and id(node) not in parts
        and (node.end_lineno or 0) - node.lineno > LONG_TEXT
    ]
    for node in sorted(found, key=lambda node: node.lineno, reverse=True):
        assert node.end_lineno is not None
        begin, end = lines[node.lineno - 1][: node.col_offset], lines[node.end_lineno - 1][node.end_col_offset :]
        empty = b'b""' if isinstance(node, ast.Constant) and isinstance(node.value, bytes) else b'""'
        lines[node.lineno - 1 : node.end_lineno] = [begin + empty + end]
    return b"".join(lines).decode()
