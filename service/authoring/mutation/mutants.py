"""Mutants of a program: each has one small mistake. The mutants that a suite notices show what it is worth. Pure.

Each mutant differs from the source in one place, as if a person had slipped there. The rest of the text stays as it is,
so that its diff reads like a patch. The same source always yields the same mutants.

A mutant is left out if its byte code equals the source's or another mutant's. Equivalence is undecidable in general, so
survivors are left to the reader to judge.
"""

import ast
import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType

from service.authoring.mutation.branches import is_main_guard
from service.authoring.mutation.operators import OPERATORS, Edit, Site

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_STRIDE = 0.618033988749895
"""Golden section: multiples of it, wrapped around, are spread evenly for any number of candidates."""
_RAISED_OR_HINTS = (ast.Raise, ast.Assert)
_HINT_FIELDS = {"annotation", "returns", "type_params", "decorator_list"}
"""Type hints do nothing at run time; and a decorator that is left out (a cache) is more often equivalent than not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """A program with one mistake."""

    source: str
    diff: str
    """From the original to it, as a unified diff of one place."""
    line: int
    """Line of the original at which the change begins."""
    operator: str
    """The kind of mistake: a name in `service.authoring.mutation.operators.OPERATORS`."""
    needed: str
    """Which case would notice it: a phrase that completes "a case is missing"."""


def mutants(source: str, *, most: int, entry_point: str = "", path: str = "solution.py") -> Sequence[Mutant]:
    """Return at most `most` mutants of a program in the order of its lines; if there are more, an even choice of them.

    Args:
        source: a program that can be parsed.
        most: upper bound on the number of mutants.
        entry_point: a function of the program; functions that it cannot reach are left as they are.
        path: the file's name, for the diffs.

    Raises SyntaxError or ValueError if `source` is not a program.
    """
    tree = ast.parse(source)
    text = _Text(source)
    whole = _essence(compile(source, path, "exec", dont_inherit=True))
    edits = [edit for site in _sites(tree, _reachable(tree, entry_point)) for edit in _edits(site)]
    seen = {whole}
    made: list[tuple[int, Mutant]] = []
    for number in _evenly(len(edits)):
        if len(made) == most:
            break
        mutated = _applied(text, tree, edits[number])
        if mutated is None:
            continue
        essence = _essence(compile(mutated, path, "exec", dont_inherit=True))
        if essence not in seen:
            seen.add(essence)
            made.append((number, _mutant(source, mutated, edits[number], path)))
    return [mutant for _, mutant in sorted(made, key=lambda numbered: numbered[0])]


def _edits(site: Site) -> Iterator[Edit]:
    for operator in OPERATORS:
        yield from operator(site)


def _evenly(count: int) -> Iterator[int]:
    """Yield every number below `count` once, so that each prefix is spread over the whole range."""
    order = sorted(range(count), key=lambda number: (number * _STRIDE) % 1.0)
    # The n-th number of the sequence k * stride mod 1 lies in the largest gap so far; its rank is the candidate.
    ranks = {number: rank for rank, number in enumerate(order)}
    return (ranks[number] for number in range(count))


def _mutant(source: str, mutated: str, edit: Edit, path: str) -> Mutant:
    lines = difflib.unified_diff(
        source.splitlines(), mutated.splitlines(), f"a/{path}", f"b/{path}", lineterm="", n=2
    )  # fmt: skip
    return Mutant(
        source=mutated, diff="\n".join(lines), line=edit.first.lineno, operator=edit.operator, needed=edit.needed
    )  # fmt: skip


class _Text:
    """A source text in which the places of its syntax tree can be found."""

    def __init__(self, source: str) -> None:
        self.source = source
        self._starts = [0]
        self._lines = _LINE.findall(source)
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))

    def span(self, first: ast.AST, last: ast.AST) -> tuple[int, int]:
        """Return the character offsets of the text from which these nodes, and all between them, were parsed."""
        return self._offset(first.lineno, first.col_offset), self._offset(last.end_lineno, last.end_col_offset)  # type: ignore[attr-defined] # expressions and statements have places

    def _offset(self, line: int, column: int) -> int:
        before = self._lines[line - 1].encode()[:column] if line <= len(self._lines) else b""
        return self._starts[min(line - 1, len(self._lines))] + len(before.decode(errors="replace"))


def _applied(text: _Text, tree: ast.Module, edit: Edit) -> str | None:
    """Return the source with this edit; None if the text cannot be edited there (in an f-string before Python 3.12)."""
    start, end = text.span(edit.first, edit.last)
    wanted = edit.applied(lambda: ast.dump(tree))
    for new in (*edit.texts(text.source[start:end]), edit.unparsed, f"({edit.unparsed})"):
        mutated = text.source[:start] + new + text.source[end:]
        try:
            if ast.dump(ast.parse(mutated)) == wanted:
                return mutated
        except (SyntaxError, ValueError, RecursionError):
            continue
    return None


def _essence(code: CodeType) -> tuple[object, ...]:
    """Return what a program does, without positions: instructions, constants and names, including inner functions."""
    constants = tuple(
        _essence(item) if isinstance(item, CodeType) else (type(item), repr(item)) for item in code.co_consts
    )
    return (
        code.co_code, constants, code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars,
        code.co_exceptiontable if hasattr(code, "co_exceptiontable") else b"",
    )  # fmt: skip


def _reachable(tree: ast.Module, entry_point: str) -> set[ast.stmt]:
    """Return the top-level statements that running the module, or calling the entry point, can reach."""
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    reached: set[ast.stmt] = {node for node in tree.body if node not in functions.values()}
    waiting: list[ast.stmt] = [*reached]
    if entry_point not in functions:
        return set(tree.body)
    waiting.append(functions[entry_point])
    while waiting:
        statement = waiting.pop()
        reached.add(statement)
        names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        waiting += [functions[name] for name in names & functions.keys() if functions[name] not in reached]
    return reached


def _sites(tree: ast.Module, reachable: set[ast.stmt]) -> Iterator[Site]:
    """Yield every place that may have a mistake, in the order of the text."""
    for index, statement in enumerate(tree.body):
        if statement in reachable and not is_main_guard(statement):
            yield from _below(Site(tree, "body", index, statement, ()))


def _below(site: Site) -> Iterator[Site]:
    node = site.node
    if _is_docstring(site):
        return
    yield site
    inside = (*site.inside, node)
    for field, value in ast.iter_fields(node):
        if field in _HINT_FIELDS or (isinstance(node, _RAISED_OR_HINTS) and field != "test"):
            # No case looks at the message of an exception.
            continue
        for index, child in _children(value):
            # Positions inside an f-string are right from Python 3.12 on; `_applied` notices wrong ones.
            if not (isinstance(node, ast.JoinedStr) and isinstance(child, ast.Constant)):
                yield from _below(Site(node, field, index, child, inside))


def _children(value: object) -> Iterable[tuple[int | None, ast.AST]]:
    if isinstance(value, ast.AST):
        return [(None, value)]
    if isinstance(value, list):
        return [(index, item) for index, item in enumerate(value) if isinstance(item, ast.AST)]
    return []


def _is_docstring(site: Site) -> bool:
    node = site.node
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
