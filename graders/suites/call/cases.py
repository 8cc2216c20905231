"""The hidden cases of a `call` suite: a JSON object a line, in a form for people or a form for programs.

    {"call": "median([3, 1, 2])", "returns": "2"}           Python literals; nan and inf are understood
    {"args": [[3, 1, 2]], "kwargs": {}, "expected": 2}      values in the encoding of `graders.boxed.shared.encoding`

Both may have `id`, `weight`, `group` and, in the place of the answer, `raises`. docs/reference/task-package.md explains them.
"""

import ast
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from graders.boxed.shared.encoding import Decoder, EncodingError, from_json
from graders.suites.case_rows import CaseBudget, CaseError, group_of, id_of, refuse_unknown, row_of, weight_of
from graders.suites.values.description import described
from graders.suites.values.shown import shown

MOST_FRACTION_BITS = 1 << 14
"""The most bits of its two numbers. The time for their common divisor grows with the square of that."""
MOST_OF_ONE_HASH = 256
"""The most elements of a set, or keys of a dict. Each is compared with all before it that have its hash."""
SHOWN_CHARACTERS = 2000
"""A call is cut to this length for showing; a case may well have arguments of a megabyte."""

_COMMON_KEYS = {"id", "weight", "raises", "group"}
_CALL_KEYS = _COMMON_KEYS | {"call", "returns"}
_ENCODED_KEYS = _COMMON_KEYS | {"args", "kwargs", "expected"}
_NO_LITERALS: Mapping[type[ast.expr], str] = {
    ast.Call: "a call",
    ast.Name: "a name",
    ast.Attribute: "an attribute",
    ast.Subscript: "a subscript",
    ast.JoinedStr: "an f-string",
    ast.Compare: "a comparison",
    ast.BoolOp: "`and` or `or`",
    ast.BinOp: "a calculation",
    ast.Starred: "a star",
}
_EMPTY_SET = ast.dump(ast.parse("set()", mode="eval").body)
"""The one call that is allowed: the empty set has no literal."""
_NAMED_FLOATS = {"nan": math.nan, "inf": math.inf}


class NoAnswer(Enum):
    """The type of NO_ANSWER. None cannot stand for it: None is an answer."""

    NO_ANSWER = "no answer"


NO_ANSWER: Final = NoAnswer.NO_ANSWER
"""The case states no answer: the reference's is expected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One call of the entry point and what is expected of it."""

    id: str
    """Unique in its suite; `line-7` if the author stated none."""
    args: tuple[object, ...]
    kwargs: Mapping[str, object]
    expected: object
    """The value to return, or NO_ANSWER."""
    raises: str | None
    """Name of the exception that is expected instead of a value; a subclass of it will do."""
    weight: float
    shown: str
    """The call as Python text, for reviewers and authors."""
    group: str = ""
    """One of the suite's `groups`; empty for none."""


def parse_cases(text: str, *, name: str, entry_point: str = "", room: CaseBudget | None = None) -> tuple[Case, ...]:
    """Return the cases of a file, in its order. Empty lines are skipped.

    Args:
        text: the file, a JSON object a line.
        name: the file's name, for messages.
        entry_point: the function that every `call` must name. If it is empty, any name will do.
        room: the budget of the package; a fresh one by default.

    Raises:
        CaseError: if a line is not a case, an id occurs twice, or the file has no case or too many.
    """
    room = room or CaseBudget()
    room.take_file(text, f"{name}:1")
    cases: dict[str, Case] = {}
    # Not splitlines(): a case may hold U+2028, which JSON allows inside a string.
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{name}:{number}"
        room.take_case(line, where)
        case = _case(line, number, where, entry_point, room)
        if case.id in cases:
            raise CaseError(where, f"an id that no other case of this file has, not {case.id!r}")
        cases[case.id] = case
    if not cases:
        raise CaseError(f"{name}:1", "at least one case")
    return tuple(cases.values())


def _case(line: str, number: int, where: str, entry_point: str, room: CaseBudget) -> Case:
    room.take_values(line, where)
    row = row_of(line, where)
    if "call" in row:
        refuse_unknown(row, _CALL_KEYS, where)
        for key in ("call", "returns"):
            room.take_literal(str(row.get(key, "")), where, key)
        args, kwargs, shown = _call(row["call"], where, entry_point)
        expected = _literal(row["returns"], where, "returns") if "returns" in row else NO_ANSWER
    else:
        refuse_unknown(row, _ENCODED_KEYS, where)
        args, kwargs = _arguments(row, where)
        shown = _shown(entry_point, args, kwargs)
        expected = _decoded(row["expected"], where, "expected") if "expected" in row else NO_ANSWER
    raises = row.get("raises")
    if raises is not None and not (isinstance(raises, str) and raises.isidentifier()):
        raise CaseError(where, f"the name of an exception in `raises`, such as ValueError, not {raises!r}")
    if raises is not None and expected is not NO_ANSWER:
        raise CaseError(where, "either an answer or `raises`, not both")
    return Case(
        id=id_of(row.get("id", f"line-{number}"), where),
        args=args,
        kwargs=kwargs,
        expected=expected,
        raises=raises,
        weight=weight_of(row.get("weight", 1.0), where),
        shown=shown if len(shown) <= SHOWN_CHARACTERS else shown[:SHOWN_CHARACTERS] + "...",
        group=group_of(row.get("group", ""), where),
    )


def _call(text: object, where: str, entry_point: str) -> tuple[tuple[object, ...], dict[str, object], str]:
    node = _expression(text, where, "call")
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise CaseError(where, f"one call such as `{entry_point or 'function'}(1, key=2)` in `call`, not {text!r:.80}")
    if entry_point and node.func.id != entry_point:
        raise CaseError(where, f"a call of {entry_point}, not of {node.func.id}")
    args = tuple(_value(argument, where, "call") for argument in node.args)
    kwargs: dict[str, object] = {}
    for keyword in node.keywords:
        if keyword.arg is None or keyword.arg in kwargs:
            raise CaseError(where, "keyword arguments by name, each once, in `call`")
        kwargs[keyword.arg] = _value(keyword.value, where, "call")
    return args, kwargs, str(text).strip()


def _literal(text: object, where: str, key: str) -> object:
    return _value(_expression(text, where, key), where, key)


def _expression(text: object, where: str, key: str) -> ast.expr:
    if not isinstance(text, str):
        raise CaseError(where, f"Python text in `{key}`, in quotes, not {text!r:.80}")
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise CaseError(where, f"a Python expression in `{key}`, not {text!r:.80} ({error})") from error


def _value(node: ast.expr, where: str, key: str) -> object:
    try:
        return ast.literal_eval(_NamedFloats().visit(node))
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError) as error:
        why = _no_literal(node) or type(error).__name__
        raise CaseError(where, f"Python literals (numbers, text, lists, ..., nan, inf) in `{key}`; {why}") from error


def _no_literal(node: ast.expr) -> str:
    """Return the part that is not a literal, in words; empty if something else is wrong."""
    for each in ast.walk(node):
        for kind, words in _NO_LITERALS.items():
            if isinstance(each, kind) and ast.dump(each) != _EMPTY_SET:
                return f"{words} is none"
    return ""


class _NamedFloats(ast.NodeTransformer):
    """Replaces the names nan and inf, which are not literals, by floats."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(_NAMED_FLOATS[node.id]) if node.id in _NAMED_FLOATS else node


def _arguments(row: dict[str, Any], where: str) -> tuple[tuple[object, ...], dict[str, object]]:
    args, kwargs = row.get("args"), row.get("kwargs", {})
    if not isinstance(args, list):
        raise CaseError(where, "a `call`, or a list of `args`")
    if not isinstance(kwargs, dict) or not all(name.isidentifier() for name in kwargs):
        raise CaseError(where, "an object in `kwargs` whose keys are names of parameters")
    return (
        tuple(_decoded(item, where, "args") for item in args),
        {name: _decoded(item, where, "kwargs") for name, item in kwargs.items()},
    )


class _Frugal(Decoder):
    """Refuses what takes more time to make than it is long."""

    def weigh(self, key: str, parts: list[Any]) -> None:
        if key == "$fraction":
            if max(number.bit_length() for number in parts) > MOST_FRACTION_BITS:
                raise EncodingError(f"a fraction may have numbers of {MOST_FRACTION_BITS} bits")
        elif len(parts) > MOST_OF_ONE_HASH and Counter(map(hash, parts)).most_common(1)[0][1] > MOST_OF_ONE_HASH:
            raise EncodingError(f"a set or dict may have {MOST_OF_ONE_HASH} elements of one hash")


def _decoded(tree: Any, where: str, key: str) -> object:
    try:
        return from_json(tree, _Frugal())
    except EncodingError as error:
        raise CaseError(
            where, f"a value in the encoding of graders.boxed.shared.encoding in `{key}` ({error})"
        ) from error


def _shown(entry_point: str, args: tuple[object, ...], kwargs: Mapping[str, object]) -> str:
    parts: list[str] = []
    room = SHOWN_CHARACTERS
    for name, item in [*(("", item) for item in args), *((f"{name}=", item) for name, item in kwargs.items())]:
        if room < 0:
            break
        # Not repr(): one page that is referred to a thousand times is a thousand pages to it.
        parts.append(name + _text(item))
        room -= len(parts[-1])
    return f"{entry_point}({', '.join(parts)})"


def _text(value: object) -> str:
    try:
        return shown(described(value), SHOWN_CHARACTERS + 1)
    except EncodingError:
        return "<a value too large to write>"
