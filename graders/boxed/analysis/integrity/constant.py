"""Evaluates constant expressions without running the code: `"".join(map(chr, [111, 115]))` is `"os"`.

It only calls functions of a closed list of harmless ones, on values that it made itself, with limits on size.
"""

import ast
import base64
import binascii
import codecs
import json
import operator
import zlib
from collections.abc import Callable, Mapping
from typing import Any

SIZE = 200_000
"""Characters or items; more is not followed."""

LookUp = Callable[[str, int], object]
"""From a name and the depth left to its constant; raises Unknown."""


class Unknown(Exception):  # noqa: N818 - not an error: the value is unknown
    """The expression is not a constant, or exceeds a limit."""


def _rot13(value: Any, encoding: Any = "utf-8", *_: Any) -> Any:
    if encoding not in ("rot13", "rot_13", "utf-8", "utf8", "ascii", "latin-1", "hex", "hex_codec", "base64", "zlib"):
        raise Unknown
    return codecs.decode(value, encoding)


def _inflate(value: bytes, *_: Any) -> bytes:
    return zlib.decompressobj(_[0] if _ else 15).decompress(value, SIZE)


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "builtins.chr": chr, "builtins.ord": ord, "builtins.str": str, "builtins.int": int, "builtins.float": float,
    "builtins.bytes": bytes, "builtins.bytearray": bytes, "builtins.list": list, "builtins.tuple": tuple,
    "builtins.set": set, "builtins.frozenset": frozenset, "builtins.dict": dict, "builtins.reversed": lambda value: list(reversed(value)),
    "builtins.sorted": sorted, "builtins.repr": repr, "builtins.hex": hex, "builtins.zip": lambda *values: list(zip(*values)),  # noqa: B905
    "base64.b64decode": base64.b64decode, "base64.b32decode": base64.b32decode, "base64.b16decode": base64.b16decode,
    "base64.b85decode": base64.b85decode, "base64.a85decode": base64.a85decode, "base64.urlsafe_b64decode": base64.urlsafe_b64decode,
    "base64.standard_b64decode": base64.b64decode, "base64.decodebytes": base64.decodebytes,
    "binascii.unhexlify": binascii.unhexlify, "binascii.a2b_hex": binascii.unhexlify, "binascii.a2b_base64": binascii.a2b_base64,
    "builtins.bytes.fromhex": bytes.fromhex, "builtins.bytearray.fromhex": bytes.fromhex, "codecs.decode": _rot13,
    "zlib.decompress": _inflate, "json.loads": json.loads, "ast.literal_eval": ast.literal_eval,
}  # fmt: skip
_METHODS = frozenset(
    "join decode encode replace lower upper swapcase title strip lstrip rstrip split removeprefix removesuffix format "
    "hex casefold capitalize keys items copy".split()
)
_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Mod: operator.mod, ast.BitXor: operator.xor,
    ast.FloorDiv: operator.floordiv, ast.BitAnd: operator.and_, ast.BitOr: operator.or_, ast.Div: operator.truediv,
}  # fmt: skip


def evaluate(node: ast.AST, look_up: LookUp, function: Callable[[ast.AST], str], depth: int) -> Any:
    """Return the constant. `function(node)` is the dotted name of what is called. Raises Unknown."""
    if depth <= 0:
        raise Unknown
    try:
        value = _evaluate(node, look_up, function, depth)
    except (
        TypeError,
        ValueError,
        LookupError,
        ArithmeticError,
        AttributeError,
        zlib.error,
        RecursionError,
        MemoryError,
    ) as error:
        raise Unknown from error
    if isinstance(value, str | bytes | list | tuple | dict | set | frozenset) and len(value) > SIZE:
        raise Unknown
    return value


def _evaluate(node: ast.AST, look_up: LookUp, function: Callable[[ast.AST], str], depth: int) -> Any:
    def inner(child: ast.AST) -> Any:
        return evaluate(child, look_up, function, depth - 1)

    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return look_up(node.id, depth - 1)
    if isinstance(node, ast.Tuple):
        return tuple(inner(each) for each in node.elts)
    if isinstance(node, ast.List):
        return [inner(each) for each in node.elts]
    if isinstance(node, ast.Set):
        return {inner(each) for each in node.elts}
    if isinstance(node, ast.Dict):
        return {inner(key): inner(value) for key, value in zip(node.keys, node.values, strict=True) if key is not None}
    if isinstance(node, ast.JoinedStr):
        return "".join(str(inner(each.value if isinstance(each, ast.FormattedValue) else each)) for each in node.values)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -inner(node.operand)
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        left, right = inner(node.left), inner(node.right)
        if isinstance(node.op, ast.Mult):
            _check_product(left, right)
        if isinstance(node.op, ast.Mod) and isinstance(left, str | bytes) and len(left) > 1000:
            raise Unknown
        return _OPERATORS[type(node.op)](left, right)
    if isinstance(node, ast.Subscript):
        return inner(node.value)[inner(node.slice)]
    if isinstance(node, ast.Slice):
        return slice(*(None if part is None else inner(part) for part in (node.lower, node.upper, node.step)))
    if isinstance(node, ast.GeneratorExp | ast.ListComp):
        return _comprehension(node, look_up, function, depth)
    if isinstance(node, ast.Call) and not node.keywords:
        return _call(node, look_up, function, depth)
    raise Unknown


def _check_product(left: Any, right: Any) -> None:
    for one, other in ((left, right), (right, left)):
        if isinstance(one, str | bytes | list | tuple) and (not isinstance(other, int) or len(one) * other > SIZE):
            raise Unknown
        if isinstance(one, int) and one.bit_length() > 256:
            raise Unknown


def _comprehension(
    node: ast.GeneratorExp | ast.ListComp, look_up: LookUp, function: Callable[[ast.AST], str], depth: int
) -> list[Any]:
    [loop] = node.generators
    if not isinstance(loop.target, ast.Name) or loop.ifs:
        raise Unknown
    name = loop.target.id
    items = evaluate(loop.iter, look_up, function, depth - 1)
    if not isinstance(items, str | bytes | list | tuple) or len(items) > 5000:
        raise Unknown

    def with_item(item: object) -> LookUp:
        return lambda wanted, left: item if wanted == name else look_up(wanted, left)

    return [evaluate(node.elt, with_item(item), function, depth - 1) for item in items]


def _call(node: ast.Call, look_up: LookUp, function: Callable[[ast.AST], str], depth: int) -> Any:
    def inner(child: ast.AST) -> Any:
        return evaluate(child, look_up, function, depth - 1)

    name = function(node.func)
    if name == "builtins.map" and len(node.args) == 2:
        each = _FUNCTIONS[function(node.args[0])]
        return [each(item) for item in inner(node.args[1])]
    if name in _FUNCTIONS:
        arguments = [inner(argument) for argument in node.args]
        if name in ("builtins.bytes", "builtins.bytearray") and arguments and isinstance(arguments[0], int):
            raise Unknown
        return _FUNCTIONS[name](*arguments)
    if isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
        owner = inner(node.func.value)
        arguments = [inner(argument) for argument in node.args]
        if not isinstance(owner, str | bytes | dict | list):
            raise Unknown
        if node.func.attr == "format" and (len(owner) > 1000 or any(mark in owner for mark in (":", "!", ".", "["))):
            raise Unknown
        return getattr(owner, node.func.attr)(*arguments)
    raise Unknown
