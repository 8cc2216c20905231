"""Calls of print in code that other code is to call."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from graders.interface import Abstention, Context, Example, Finding, Grader


@dataclass(frozen=True)
class NoPrint(Grader):
    """Library code should return values, not print them."""

    id, version, criterion = "acme/no-print", "1", "best_practices"
    examples = (
        Example("def double(x):\n    return 2 * x\n"),
        Example("print(1)\n", reports=(Finding,)),
        Example("def", reports=(Abstention,)),
    )

    allowed: int = 0

    def grade(self, context: Context) -> Iterator[Finding]:
        for path, tree in context.parsed(".py"):
            lines = sorted(node.lineno for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_print(node))
            for line in lines[self.allowed :]:
                yield self.finding("prints", at=(path, line), severity="low")


def _is_print(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "print"
