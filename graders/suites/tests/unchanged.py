"""Properties that look whether a call changed its argument, where no call can: each is given values drawn anew. Pure."""

import ast
from collections.abc import Iterator, Mapping
from typing import TypeGuard

_COPIES = frozenset({"list", "tuple", "dict", "set", "frozenset", "bytearray", "deque", "copy", "deepcopy", "repr"})


def vacuous(files: Mapping[str, str], entry: str) -> Iterator[tuple[str, str]]:
    """Name and argument of each property in which this can be seen simply.

    That is: the argument is copied, handed to something of the module `entry`, and an assertion compares it with the copy.
    """
    for path, text in sorted(files.items()):
        if not path.endswith(".py"):
            continue
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            continue  # which is told where the tests are collected
        theirs = _names_of(tree, entry)
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and any(map(_is_given, node.decorator_list)):
                yield from ((node.name, name) for name in _compared(node, theirs))


def _names_of(tree: ast.Module, entry: str) -> frozenset[str]:
    """Names under which the file has the module, or something of it."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == entry:
            names |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.asname or alias.name for alias in node.names if alias.name.partition(".")[0] == entry}
    return frozenset(names)


def _is_given(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(called).rpartition(".")[2] == "given"


def _compared(test: ast.FunctionDef, theirs: frozenset[str]) -> Iterator[str]:
    parameters = {each.arg for each in (*test.args.args, *test.args.kwonlyargs)}
    bound = [each for each in ast.walk(test) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)]
    once = {each.id for each in bound if [other.id for other in bound].count(each.id) == 1} - parameters
    rebound = {each.id for each in bound} & parameters
    for kept in ast.walk(test):
        match kept:
            case ast.Assign(targets=[ast.Name(id=copy)], value=value) if copy in once:
                name = _copied(value)
            case _:
                continue
        if name not in parameters - rebound:
            continue
        calls = [call.lineno for call in ast.walk(test) if _hands_over(call, {name, copy}, theirs)]
        looks = [
            told.lineno
            for told in ast.walk(test)
            if isinstance(told, ast.Assert) and _compares(told.test, {name, copy})
        ]
        if any(kept.lineno < call <= look for call in calls for look in looks):
            yield name


def _copied(value: ast.expr) -> str | None:
    """The name of what is copied by an expression that does no more."""
    match value:
        case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="copy"), args=[], keywords=[]):
            return name
        case ast.Call(func=called, args=[ast.Name(id=name)], keywords=[]):
            return name if ast.unparse(called).rpartition(".")[2] in _COPIES else None
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Slice(lower=None, upper=None, step=None)):
            return name
        case _:
            return None


def _hands_over(call: ast.AST, names: set[str], theirs: frozenset[str]) -> TypeGuard[ast.Call]:
    if not isinstance(call, ast.Call) or ast.unparse(call.func).partition(".")[0] not in theirs:
        return False
    given = (*call.args, *(keyword.value for keyword in call.keywords))
    return any(isinstance(each, ast.Name) and each.id in names for each in given)


def _compares(test: ast.expr, names: set[str]) -> bool:
    match test:
        case ast.Compare(left=ast.Name(id=one), ops=[ast.Eq()], comparators=[ast.Name(id=other)]):
            return {one, other} == names
        case ast.BoolOp(op=ast.And(), values=values):
            return any(_compares(each, names) for each in values)
        case _:
            return False
