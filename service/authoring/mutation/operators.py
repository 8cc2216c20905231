"""The kinds of mistakes that `service.authoring.mutation.mutants` makes: a function for each, from a site to edits. Pure.

An operator yields nothing if it does not apply. Mistakes that every case would notice at once (an unknown name, an
argument of the wrong type) are left out as far as possible: they would only make a suite look strong.
"""

import ast
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

_Result = TypeVar("_Result")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Site:
    """A node and its position in the tree."""

    holder: ast.AST
    field: str
    index: int | None
    """Index in the list that the field holds; None if the field holds the node itself."""
    node: ast.AST
    inside: tuple[ast.AST, ...]
    """The enclosing nodes, outermost first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One mistake: what hangs at a place of the tree from then on, and the part of the text that becomes it."""

    operator: str
    holder: ast.AST
    field: str
    value: object
    """The field's value after the edit."""
    first: Any
    """The first node of the changed text."""
    last: Any
    """The last node of the changed text."""
    new: ast.AST
    """The node that replaces it."""
    needed: str
    """Which case would notice it: a phrase that completes "a case is missing"."""
    words: tuple[tuple[str, str], ...] = ()
    """(old, new) for edits that change one word of the text, so that the rest keeps its form."""

    def applied(self, look: Callable[[], _Result]) -> _Result:
        """Return the result of `look` while the tree has this edit."""
        before = getattr(self.holder, self.field)
        setattr(self.holder, self.field, self.value)
        try:
            return look()
        finally:
            setattr(self.holder, self.field, before)

    @property
    def unparsed(self) -> str:
        return ast.unparse(ast.fix_missing_locations(self.new)) or "pass"

    def texts(self, old: str) -> Iterator[str]:
        """Yield the text with one occurrence of a word changed, for each occurrence."""
        for word, new in self.words:
            at = old.find(word)
            while at >= 0:
                yield old[:at] + new + old[at + len(word) :]
                at = old.find(word, at + 1)


Operator = Callable[[Site], Iterator[Edit]]


def _at(site: Site, new: ast.AST) -> object:
    """Return the value of the site's field with `new` in place of the node."""
    if site.index is None:
        return new
    items = list(getattr(site.holder, site.field))
    items[site.index] = new
    return items


def _replace(site: Site, operator: str, new: ast.AST, needed: str, *words: tuple[str, str]) -> Edit:
    return Edit(
        operator=operator, holder=site.holder, field=site.field, value=_at(site, new), first=site.node, last=site.node,
        new=new, needed=needed, words=words,
    )  # fmt: skip


def _said(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return f"`{text}`" if len(text) <= 60 else f"`{text[:57]}...`"


_SYMBOLS: dict[type[ast.AST], str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^",
}  # fmt: skip
_BOUNDARY: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
}  # fmt: skip
_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.GtE, ast.LtE: ast.Gt, ast.Gt: ast.LtE, ast.GtE: ast.Lt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Add, ast.Div: ast.Mult, ast.FloorDiv: ast.Div, ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult, ast.LShift: ast.RShift, ast.RShift: ast.LShift, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}  # fmt: skip


def _compared(site: Site, table: dict[type[ast.cmpop], type[ast.cmpop]], operator: str) -> Iterator[tuple[Edit, int]]:
    node = site.node
    assert isinstance(node, ast.Compare)
    for index, old in enumerate(node.ops):
        if type(old) in table:
            ops: list[ast.cmpop] = list(node.ops)
            ops[index] = table[type(old)]()
            new = ast.Compare(node.left, ops, node.comparators)
            words = (_SYMBOLS[type(old)], _SYMBOLS[type(ops[index])])
            yield _replace(site, operator, new, "", words), index


def boundary(site: Site) -> Iterator[Edit]:
    """`a < b` becomes `a <= b`, and so on."""
    if isinstance(site.node, ast.Compare):
        for edit, index in _compared(site, _BOUNDARY, "boundary"):
            left = ([site.node.left, *site.node.comparators])[index]
            yield _with(edit, f"in which {_said(left)} equals {_said(site.node.comparators[index])}")


def comparison(site: Site) -> Iterator[Edit]:
    """`a < b` becomes `a >= b`, `==` becomes `!=`, `in` becomes `not in`, and so on."""
    if isinstance(site.node, ast.Compare):
        for edit, _ in _compared(site, _OPPOSITE, "comparison"):
            yield _with(edit, f"whose answer depends on {_said(site.node)}")


def _with(edit: Edit, needed: str) -> Edit:
    return Edit(
        operator=edit.operator, holder=edit.holder, field=edit.field, value=edit.value, first=edit.first, last=edit.last,
        new=edit.new, needed=needed, words=edit.words,
    )  # fmt: skip


def arithmetic(site: Site) -> Iterator[Edit]:
    """`a + b` becomes `a - b`, `//` becomes `/`, and so on; in `a += b` too."""
    node = site.node
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _ARITHMETIC and not _joins_text(node):
        op = _ARITHMETIC[type(node.op)]()
        new: ast.AST = (
            ast.BinOp(node.left, op, node.right)
            if isinstance(node, ast.BinOp)
            else ast.AugAssign(node.target, op, node.value)
        )
        needed = f"in which {_said(node)} and {_said(new)} lead to different answers"
        yield _replace(site, "arithmetic", new, needed, (_SYMBOLS[type(node.op)], _SYMBOLS[type(op)]))


def _joins_text(node: ast.BinOp | ast.AugAssign) -> bool:
    """Return whether text or lists are joined or text is formatted: another operator raises TypeError there in every case."""
    parts = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.value,)
    literal = (ast.JoinedStr, ast.List, ast.ListComp, ast.Tuple)
    return any(
        isinstance(part, literal) or (isinstance(part, ast.Constant) and isinstance(part.value, str)) for part in parts
    )


def unary(site: Site) -> Iterator[Edit]:
    """`-a` becomes `a`, and `not a` too."""
    node = site.node
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield _replace(
            site, "unary", node.operand, f"in which {_said(node)} and {_said(node.operand)} lead to different answers"
        )


def boolean(site: Site) -> Iterator[Edit]:
    """`a and b` becomes `a or b`, or loses one of its parts; and the other way round."""
    node = site.node
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        words = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        different = ", ".join(map(_said, node.values))
        yield _replace(
            site,
            "boolean",
            ast.BoolOp(other, node.values),
            f"in which some but not all of {different} hold",
            words,
        )
        for index, part in enumerate(node.values):
            rest = [value for number, value in enumerate(node.values) if number != index]
            new = rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)
            decides = "fails" if isinstance(node.op, ast.And) else "holds"
            yield _replace(
                site, "boolean", new, f"in which {_said(part)} {decides} and nothing else in {_said(node)} does"
            )


def condition(site: Site) -> Iterator[Edit]:
    """`if a` becomes `if not a`, `if True` and `if False`; of loops, the first only."""
    if site.field not in ("test", "ifs") or isinstance(site.holder, ast.Assert):
        return
    node = site.node
    assert isinstance(node, ast.expr)
    if not isinstance(node, ast.Compare | ast.UnaryOp | ast.Constant):
        yield _replace(site, "condition", ast.UnaryOp(ast.Not(), node), f"whose answer depends on {_said(node)}")
    if not isinstance(site.holder, ast.While) and not isinstance(node, ast.Constant):
        yield _replace(site, "condition", ast.Constant(True), f"whose answer depends on {_said(node)} being false")
        yield _replace(site, "condition", ast.Constant(False), f"whose answer depends on {_said(node)} being true")


def constant(site: Site) -> Iterator[Edit]:
    """A number grows and shrinks by one, True becomes False, a text becomes another or empty."""
    node = site.node
    if not isinstance(node, ast.Constant):
        return
    needed = f"whose answer depends on the exact value {_said(node)}"
    for value in _other_values(node.value):
        yield _replace(site, "constant", ast.Constant(value), needed)


def _other_values(value: object) -> Sequence[str | bytes | bool | float]:
    match value:
        case bool():
            return (not value,)
        case int() | float():
            return (value + 1, value - 1)
        case str():
            return ("", value + "X") if value else ("X",)
        case bytes():
            return (b"", value + b"X") if value else (b"X",)
        case _:
            return ()


def slices(site: Site) -> Iterator[Edit]:
    """`xs[a:b]` loses a bound, or has it moved by one."""
    node = site.node
    if not isinstance(node, ast.Slice):
        return
    for name in ("lower", "upper", "step"):
        bound = getattr(node, name)
        if bound is None:
            continue
        parts: dict[str, Any] = {"lower": node.lower, "upper": node.upper, "step": node.step}
        needed = f"whose answer depends on where the slice {_said(node)} begins and ends"
        yield _replace(site, "slice", ast.Slice(**{**parts, name: None}), needed)
        if not isinstance(bound, ast.Constant | ast.UnaryOp) and name != "step":
            for moved in (ast.Add(), ast.Sub()):
                new = ast.BinOp(bound, moved, ast.Constant(1))
                yield _replace(site, "slice", ast.Slice(**{**parts, name: new}), needed)


def off_by_one(site: Site) -> Iterator[Edit]:
    """A bound of `range` that is not a number moves by one."""
    node = site.node
    is_bound = isinstance(site.holder, ast.Call) and site.field == "args" and _called(site.holder) == "range"
    if not is_bound or isinstance(node, ast.Constant | ast.UnaryOp | ast.Starred):
        return
    assert isinstance(node, ast.expr)
    assert isinstance(site.holder, ast.Call)
    if site.index == 2:
        return
    for moved in (ast.Add(), ast.Sub()):
        new = ast.BinOp(node, moved, ast.Constant(1))
        yield _replace(site, "off-by-one", new, f"whose answer depends on where {_said(site.holder)} begins and ends")


def _called(call: ast.Call) -> str:
    """Return the name of the function or method; empty if it does not have one."""
    match call.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def returned(site: Site) -> Iterator[Edit]:
    """`return a` becomes `return None`."""
    node = site.node
    if isinstance(node, ast.Return) and node.value is not None and not _is_none(node.value):
        yield _replace(site, "return value", ast.Return(ast.Constant(None)), f"that reaches {_said(node)}")
    if isinstance(node, ast.Yield) and node.value is not None and not _is_none(node.value):
        yield _replace(site, "return value", ast.Yield(ast.Constant(None)), f"that reaches {_said(node)}")


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def removed(site: Site) -> Iterator[Edit]:
    """A statement does nothing: a call, a raise, a break, or an assignment to a target that has a value already."""
    node = site.node
    gone = (
        ast.Expr,
        ast.AugAssign,
        ast.Delete,
        ast.Raise,
        ast.Continue,
        ast.Break,
        ast.Assert,
        ast.Global,
        ast.Nonlocal,
    )
    if isinstance(node, gone) or (isinstance(node, ast.Assign) and _had_value(node, site.inside)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom | ast.Await):
            return
        needed = (
            f"in which {_said(node)} is reached"
            if isinstance(node, ast.Raise)
            else f"whose answer depends on {_said(node)}"
        )
        yield _replace(site, "removed statement", ast.Pass(), needed)


def _had_value(node: ast.Assign, inside: tuple[ast.AST, ...]) -> bool:
    """Return whether the target is an item, an attribute, a parameter, or bound earlier in the same function."""
    [target, *more] = node.targets
    if more or isinstance(target, ast.Attribute | ast.Subscript):
        return not more
    functions = [holder for holder in inside if isinstance(holder, _Function)]
    if not isinstance(target, ast.Name) or not functions:
        return False
    parameters = {argument.arg for argument in ast.walk(functions[-1].args) if isinstance(argument, ast.arg)}
    bound = (
        other.id
        for other in ast.walk(functions[-1])
        if isinstance(other, ast.Name) and isinstance(other.ctx, ast.Store) and other.lineno < node.lineno
    )
    return target.id in parameters or target.id in bound


def raised(site: Site) -> Iterator[Edit]:
    """`raise ValueError` becomes `raise Exception`, which a case that expects `ValueError` rejects."""
    node = site.node
    if isinstance(node, ast.Raise) and node.exc is not None:
        named = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        if isinstance(named, ast.Name) and named.id not in ("Exception", "NotImplementedError"):
            new = ast.Raise(ast.Call(ast.Name("Exception", ast.Load()), [], []))
            yield _replace(site, "exception", new, f"that must raise `{named.id}`")


def handled(site: Site) -> Iterator[Edit]:
    """The handler raises the exception again."""
    node = site.node
    if isinstance(node, ast.ExceptHandler) and not (len(node.body) == 1 and isinstance(node.body[0], ast.Raise)):
        caught = _said(node.type) if node.type else "an exception"
        yield Edit(
            operator="exception", holder=node, field="body", value=[ast.Raise()], first=node.body[0], last=node.body[-1],
            new=ast.Raise(), needed=f"in which {caught} is raised and caught",
        )  # fmt: skip


def jump(site: Site) -> Iterator[Edit]:
    """`break` becomes `continue`, and the other way round."""
    if isinstance(site.node, ast.Break):
        yield _replace(site, "jump", ast.Continue(), "in which the loop could go on after `break`")
    if isinstance(site.node, ast.Continue):
        yield _replace(site, "jump", ast.Break(), "in which the loop goes on after `continue`")


_SYMMETRIC = {
    "max",
    "min",
    "gcd",
    "lcm",
    "hypot",
    "isclose",
    "isinstance",
    "issubclass",
    "getattr",
    "hasattr",
    "setattr",
    "print",
}
"""Swapped, the answer is the same, or every case notices."""


def swapped(site: Site) -> Iterator[Edit]:
    """`f(a, b)` becomes `f(b, a)`."""
    node = site.node
    if isinstance(node, ast.Call) and len(node.args) >= 2 and _called(node) not in _SYMMETRIC:
        first, second, *rest = node.args
        if not isinstance(first, ast.Starred) and not isinstance(second, ast.Starred):
            new = ast.Call(node.func, [second, first, *rest], node.keywords)
            yield _replace(site, "swapped arguments", new, f"in which {_said(node)} and {_said(new)} differ")


_CONFUSED = {
    "min": "max", "max": "min", "any": "all", "all": "any", "lower": "upper", "upper": "lower", "startswith": "endswith",
    "endswith": "startswith", "find": "rfind", "rfind": "find", "index": "rindex", "rindex": "index", "split": "rsplit",
    "rsplit": "split", "partition": "rpartition", "rpartition": "partition", "strip": "rstrip", "lstrip": "strip",
    "rstrip": "strip", "bisect_left": "bisect_right", "bisect_right": "bisect_left", "bisect": "bisect_left",
    "insort_left": "insort_right", "floor": "ceil", "ceil": "floor", "appendleft": "append",
    "popleft": "pop", "union": "intersection", "intersection": "union", "isdigit": "isalnum", "isalpha": "isalnum",
    "isalnum": "isalpha", "islower": "isupper", "isupper": "islower", "title": "capitalize", "capitalize": "title",
    "fullmatch": "match", "match": "search", "search": "match",
}  # fmt: skip
_UNDONE = {"sorted": "list", "set": "list", "frozenset": "tuple"}
_LEFT_OUT = {"abs", "reversed", "round"}


def confused(site: Site) -> Iterator[Edit]:
    """A function is taken for its neighbour: `min` for `max`, `strip` for `rstrip`, `sorted(xs)` for `list(xs)`."""
    node = site.node
    if not isinstance(node, ast.Call):
        return
    name = _called(node)
    other = _CONFUSED.get(name)
    if name in ("split", "rsplit") and len(node.args) + len(node.keywords) < 2:
        return  # without a limit both are one
    if other is not None:
        func: ast.expr = ast.Name(other, ast.Load())
        if isinstance(node.func, ast.Attribute):
            func = ast.Attribute(node.func.value, other, ast.Load())
        new = ast.Call(func, node.args, node.keywords)
        yield _replace(site, "confused function", new, f"in which `{name}` and `{other}` differ", (name, other))
    elif isinstance(node.func, ast.Name) and node.args and not isinstance(node.args[0], ast.Starred):
        needed = f"whose answer depends on {_said(node)}"
        if name in _UNDONE:
            yield _replace(
                site, "confused function", ast.Call(ast.Name(_UNDONE[name], ast.Load()), node.args[:1], []), needed
            )
        elif name in _LEFT_OUT:
            yield _replace(site, "confused function", node.args[0], needed)


def keyword(site: Site) -> Iterator[Edit]:
    """A keyword argument is forgotten."""
    node = site.node
    if isinstance(node, ast.Call):
        for index, argument in enumerate(node.keywords):
            rest = [other for number, other in enumerate(node.keywords) if number != index]
            if argument.arg is not None:
                needed = f"whose answer depends on `{argument.arg}=` in {_said(node)}"
                yield _replace(site, "forgotten keyword", ast.Call(node.func, node.args, rest), needed)


def iterated(site: Site) -> Iterator[Edit]:
    """A loop leaves out its last item."""
    node = site.node
    if site.field == "iter" and isinstance(node, ast.Name):
        assert isinstance(node, ast.expr)
        but_last = ast.Slice(None, ast.UnaryOp(ast.USub(), ast.Constant(1)))
        new = ast.Subscript(ast.Call(ast.Name("list", ast.Load()), [node], []), but_last, ast.Load())
        yield _replace(site, "loop", new, f"whose answer depends on the last item of {_said(node)}")


OPERATORS: tuple[Operator, ...] = (
    boundary, comparison, arithmetic, unary, boolean, condition, constant, slices, off_by_one, returned, removed, raised,
    handled, jump, swapped, confused, keyword, iterated,
)  # fmt: skip
