"""The branches of a program, and for each a program that ends itself when it takes that branch. Pure.

To find out whether a suite takes a branch, the changed program runs in it: if it passes, the suite never takes the branch.
That needs no tracing in the box and works for suites of every kind.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

SHOWN_CHARACTERS = 60
_END = ast.parse("__import__('os').abort()").body[0]
"""No exception: the program might catch it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """One way that a program can go."""

    line: int
    never: str
    """What it means that no case takes the branch, as a clause: "`if x < low` is never true"."""
    source: str
    """The program that ends itself there."""


def branches(source: str) -> list[Branch]:
    """Return all branches of a program by line: functions, both sides of conditions, loops, handlers, cases of match.

    Code that runs only in the main program (`if __name__ == "__main__"`) is left out. Raises SyntaxError or ValueError if
    `source` is not a program.
    """
    tree = ast.parse(source)
    found = []
    for node in ast.walk(tree):
        for block, never in _blocks(node):
            block.insert(0, _END)
            found.append(Branch(line=_line(node), never=never, source=ast.unparse(tree)))
            del block[0]
        if isinstance(node, ast.IfExp):
            found += _sides(tree, node)
    return sorted(found, key=lambda branch: branch.line)


def _line(node: ast.AST) -> int:
    place = node.pattern if isinstance(node, ast.match_case) else node
    return int(getattr(place, "lineno", 1))


def _blocks(node: ast.AST) -> Iterator[tuple[list[ast.stmt], str]]:
    """Yield the statements of each branch of a node, and what it means that the branch is never taken."""
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield node.body, f"`{node.name}` is never called"
        case ast.If() if not is_main_guard(node):
            condition = _shown("if", node.test)
            yield node.body, f"{condition} is never true"
            yield node.orelse, f"{condition} is never false"
        case ast.For() | ast.AsyncFor():
            loop = _shown("for", node.target, "in", node.iter)
            yield node.body, f"{loop} never has an element"
            yield node.orelse, f"{loop} never comes to its end"
        case ast.While():
            condition = _shown("while", node.test)
            yield node.body, f"{condition} is never true"
            if not isinstance(node.test, ast.Constant):
                yield node.orelse, f"{condition} is never false"
        case ast.ExceptHandler():
            caught = _shown("except", node.type) if node.type else "`except`"
            yield node.body, f"{caught} never catches anything"
        case ast.match_case():
            guard = ("if", node.guard) if node.guard else ()
            yield node.body, f"{_shown('case', node.pattern, *guard)} never matches"


def is_main_guard(statement: ast.AST) -> bool:
    """`if __name__ == "__main__":`"""
    return isinstance(statement, ast.If) and any(
        isinstance(node, ast.Name) and node.id == "__name__" for node in ast.walk(statement.test)
    )


def _sides(tree: ast.Module, node: ast.IfExp) -> Iterator[Branch]:
    shown = _shown(node)
    for side, truth in (("body", "true"), ("orelse", "false")):
        before = getattr(node, side)
        setattr(node, side, _END.value)  # type: ignore[attr-defined] # an expression statement
        yield Branch(
            line=node.lineno, never=f"the condition of {shown} is never {truth}", source=ast.unparse(tree)
        )  # fmt: skip
        setattr(node, side, before)


def _shown(*parts: str | ast.AST) -> str:
    text = " ".join(part if isinstance(part, str) else ast.unparse(part) for part in parts)
    text = " ".join(text.split())
    return f"`{text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + '...'}`"
