"""Calls of a function that are written down somewhere: in a prompt's examples, in tests. Pure: they are read, not run."""

import ast
import re

from service.authoring.inputs.domain import Call

_LONGEST = 2000
"""Characters of a call in running text."""


def in_text(text: str, entry_point: str) -> list[Call]:
    """Return the calls in running text or in a doctest: `>>> median([1, 2])`, `median([1]) == 1`, `median([]) -> error`.

    Only calls with literal arguments, each once, in their order.
    """
    found = []
    for match in re.finditer(rf"(?<![\w.]){re.escape(entry_point)}\s*\(", text):
        call = _shortest_call(text[match.start() : match.start() + _LONGEST])
        # `def median(values):` has no literals, so it is not taken for a call.
        found += [] if call is None else [call]
    return _once_each(found)


def in_program(source: str, entry_point: str) -> list[Call]:
    """Return the calls in a program, such as a test file, by any name that ends with the function's, or by `candidate`."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    names = {entry_point, "candidate"}
    nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _name(node.func) in names]
    in_order = sorted(nodes, key=lambda node: (node.lineno, node.col_offset))
    return _once_each([call for call in map(_call, in_order) if call is not None])


def _shortest_call(text: str) -> Call | None:
    for match in re.finditer(r"\)", text):
        try:
            node = ast.parse(text[: match.end()], mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        return _call(node) if isinstance(node, ast.Call) else None
    return None


def _name(function: ast.expr) -> str:
    if isinstance(function, ast.Attribute):
        return function.attr
    return function.id if isinstance(function, ast.Name) else ""


def _call(node: ast.Call) -> Call | None:
    try:
        kwargs = {str(keyword.arg): ast.literal_eval(keyword.value) for keyword in node.keywords if keyword.arg}
        call = Call(tuple(map(ast.literal_eval, node.args)), kwargs)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    return call if len(kwargs) == len(node.keywords) and (call.args or call.kwargs) else None


def _once_each(calls: list[Call]) -> list[Call]:
    return list({repr(call): call for call in calls}.values())
