"""Finds code that does not run in any examination: functions that the prompt does not name and that no running code
calls.
"""

import ast
import re
from collections.abc import Iterator

from graders.boxed.analysis.integrity.syntax import Code

_LOOK_UPS = frozenset(
    "builtins.globals builtins.vars builtins.locals builtins.eval builtins.exec sys.modules inspect.getmembers".split()
)
"""Ways to find a function whose name is not in the code."""


def idle_lines(code: Code) -> frozenset[int]:
    """Return the lines of functions that do not run in any examination; empty if that cannot be known.

    It can be known for the only file of a submission, if the prompt names some of its functions and the file looks up
    nothing by a computed name. Code outside of functions runs; so do functions that it names, and so on.
    """
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    own = {node.name: node for node in code.tree.body if isinstance(node, kinds)}
    named = {name for name in own if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", code.about.text)}
    if not named or len(code.about.own) > 1 or len(own) != sum(isinstance(node, kinds) for node in code.tree.body):
        return frozenset()
    waiting: list[ast.AST] = [node for node in code.tree.body if not isinstance(node, kinds)]
    waiting += [own[name] for name in named]
    seen = set(named)
    for name, definition in own.items():
        waiting += _at_once(definition)
        if _may_be_kept(code, definition):
            seen.add(name)
            waiting.append(definition)
    while waiting:
        for node in ast.walk(waiting.pop()):
            if isinstance(node, ast.Name | ast.Attribute) and code.meanings(node) & _LOOK_UPS:
                return frozenset()
            name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
            text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            for each in (name, text):
                if each in own and each not in seen:
                    seen.add(each)
                    waiting.append(own[each])
    idle = [node for name, node in own.items() if name not in seen and not name.startswith("__")]
    return frozenset(line for node in idle for line in _lines_of_bodies(node))


def _may_be_kept(code: Code, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Return True if a decorator, a base class or a metaclass may keep it, to call it later."""
    if not isinstance(node, ast.ClassDef):
        return bool(node.decorator_list)
    plain = all(each.startswith("builtins.") for base in node.bases for each in code.meanings(base) or {"?"})
    return bool(node.decorator_list or node.keywords) or not plain


def _at_once(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[ast.AST]:
    """Return the nodes that run with the definition itself: decorators, defaults, bases, and the body of a class."""
    if not isinstance(node, ast.ClassDef):
        return [
            *node.decorator_list,
            *node.args.defaults,
            *(each for each in node.args.kw_defaults if each is not None),
        ]
    found: list[ast.AST] = [*node.decorator_list, *node.bases, *node.keywords]
    for each in node.body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found += _at_once(each)
        else:
            found.append(each)
    return found


def _lines_of_bodies(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> Iterator[int]:
    """Lines that only run when the function is called, or an object of the class is made."""
    if not isinstance(node, ast.ClassDef):
        first = node.lineno if not _at_once(node) else node.body[0].lineno
        yield from range(first, (node.end_lineno or node.lineno) + 1)
        return
    for each in node.body:
        if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _lines_of_bodies(each)
