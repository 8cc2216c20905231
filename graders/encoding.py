"""The closed, typed encoding in which values cross between a box and the host. Never pickle.

JSON's own null, booleans, numbers, strings and arrays mean themselves (an array is a `list`); every other type is an
object with one `$` key:

    {"$tuple": [...]}  {"$set": [...]}  {"$frozenset": [...]}  {"$dict": [[key, value], ...]}
    {"$bytes": "hex"}  {"$bytearray": "hex"}  {"$int": "hex"} beyond 64 bits  {"$str": "hex"} with lone surrogates
    {"$float": "nan" | "inf" | "-inf"}  {"$complex": [real, imag]}  {"$range": [start, stop, step]}
    {"$decimal": "1.10"}  {"$fraction": [n, d]}  {"$date": iso}  {"$time": iso}  {"$datetime": iso}
    {"$timedelta": [days, seconds, microseconds]}  {"$uuid": "hex"}

A value of a subclass (a Counter, a namedtuple, an IntEnum, a numpy float64, and any class that a submission derives
from a built-in to lie about equality) crosses as the built-in value that it holds, read with the built-in's own methods.
What comes out on the other side is made of exact built-in types, so comparing it runs no code of the submission.

This file is also sent into the box, so it imports the standard library only. The host reads what comes out of a box
with the same caps: depth, and size of the whole message (the channel's).
"""

import datetime
import decimal
import fractions
import json
import math
import uuid
from collections.abc import Callable

MAX_DEPTH = 100
"""Containers inside containers."""
MAX_INT_BITS = 1 << 22
"""Larger integers are refused. A million decimal digits, which HumanEval+ asks for, fit; their hex text is made in
milliseconds, and 1 MiB of it is well below what a message may have."""

Tree = None | bool | int | float | str | list["Tree"] | dict[str, "Tree"]
"""What the `json` module reads and writes."""


class EncodingError(ValueError):
    """The value, or the tree, has no place in the encoding. Says which type or key."""


def _encode_int(value: int, depth: int) -> Tree:
    plain = int.__pos__(value)
    if plain.bit_length() <= 64:
        return plain
    if plain.bit_length() > MAX_INT_BITS:
        raise EncodingError(f"an integer of {plain.bit_length()} bits is too large")
    return {"$int": hex(plain)}


def _encode_float(value: float, depth: int) -> Tree:
    plain = float.__pos__(value)
    return plain if math.isfinite(plain) else {"$float": repr(plain)}


def _encode_str(value: str, depth: int) -> Tree:
    plain = str.__str__(value)
    try:
        plain.encode()
    except UnicodeEncodeError:
        # JSON would join two lone surrogates that happen to stand side by side into one character.
        return {"$str": plain.encode("utf-8", "surrogatepass").hex()}
    return plain


def _encode_list(value: list[object], depth: int) -> Tree:
    return [_encode(item, depth + 1) for item in list.__iter__(value)]


def _encode_dict(value: dict[object, object], depth: int) -> Tree:
    return {"$dict": [[_encode(key, depth + 1), _encode(item, depth + 1)] for key, item in dict.items(value)]}


def _encode_tuple(value: tuple[object, ...], depth: int) -> Tree:
    return {"$tuple": [_encode(item, depth + 1) for item in tuple.__iter__(value)]}


def _encode_set(value: set[object], depth: int) -> Tree:
    return {"$set": [_encode(item, depth + 1) for item in set.__iter__(value)]}


def _encode_frozenset(value: frozenset[object], depth: int) -> Tree:
    return {"$frozenset": [_encode(item, depth + 1) for item in frozenset.__iter__(value)]}


def _encode_complex(value: complex, depth: int) -> Tree:
    plain = complex.__pos__(value)
    return {"$complex": [_encode_float(plain.real, depth), _encode_float(plain.imag, depth)]}


# bool before int, datetime before date: the first that the type derives from is taken.
_ENCODERS: tuple[tuple[type, Callable[..., Tree]], ...] = (
    (bool, lambda value, depth: value),
    (int, _encode_int),
    (float, _encode_float),
    (str, _encode_str),
    (list, _encode_list),
    (dict, _encode_dict),
    (tuple, _encode_tuple),
    (set, _encode_set),
    (frozenset, _encode_frozenset),
    (bytes, lambda value, depth: {"$bytes": bytes.hex(value)}),
    (bytearray, lambda value, depth: {"$bytearray": bytearray.hex(value)}),
    (complex, _encode_complex),
    (range, lambda value, depth: {"$range": [_encode_int(n, depth) for n in (value.start, value.stop, value.step)]}),
    (decimal.Decimal, lambda value, depth: {"$decimal": decimal.Decimal.__str__(value)}),
    (
        fractions.Fraction,
        lambda value, depth: {
            "$fraction": [_encode_int(value.numerator, depth), _encode_int(value.denominator, depth)]
        },
    ),
    (datetime.datetime, lambda value, depth: {"$datetime": datetime.datetime.isoformat(value)}),
    (datetime.date, lambda value, depth: {"$date": datetime.date.isoformat(value)}),
    (datetime.time, lambda value, depth: {"$time": datetime.time.isoformat(value)}),
    (
        datetime.timedelta,
        lambda value, depth: {"$timedelta": [int.__pos__(n) for n in (value.days, value.seconds, value.microseconds)]},
    ),
    (uuid.UUID, lambda value, depth: {"$uuid": f"{int.__pos__(value.int):032x}"}),
)
_EXACT = dict(_ENCODERS)


def _encode(value: object, depth: int) -> Tree:
    if value is None:
        return None
    if depth > MAX_DEPTH:
        raise EncodingError(f"more than {MAX_DEPTH} containers inside each other, or one that contains itself")
    kind = type(value)
    encoder = _EXACT.get(kind)
    if encoder is not None:
        return encoder(value, depth)
    mro = type.__dict__["__mro__"].__get__(kind)
    for known, encoder in _ENCODERS:
        if known in mro:
            return encoder(value, depth)
    if kind.__module__ == "numpy" and hasattr(value, "item") and not hasattr(value, "__len__"):
        return _encode(value.item(), depth + 1)
    raise EncodingError(f"a value of type {kind.__module__}.{kind.__qualname__} cannot leave the box")


def to_json(value: object) -> Tree:
    """The value as a tree for the `json` module. Raises EncodingError for what the encoding does not have."""
    return _encode(value, 0)


def _ints(payload: Tree, count: int) -> list[int]:
    items = [from_json(item) for item in _array(payload)]
    if len(items) != count or not all(type(item) is int for item in items):
        raise EncodingError(f"expected {count} integers")
    return items  # type: ignore[return-value]


def _array(payload: Tree) -> list[Tree]:
    if not isinstance(payload, list):
        raise EncodingError("expected an array")
    return payload


def _text(payload: Tree) -> str:
    if not isinstance(payload, str):
        raise EncodingError("expected a string")
    return payload


def _items(payload: Tree, depth: int) -> list[object]:
    return [_decode(item, depth + 1) for item in _array(payload)]


def _decode_dict(payload: Tree, depth: int) -> dict[object, object]:
    pairs = [_array(pair) for pair in _array(payload)]
    if any(len(pair) != 2 for pair in pairs):
        raise EncodingError("expected pairs of key and value")
    return {_decode(key, depth + 1): _decode(item, depth + 1) for key, item in pairs}


def _decode_float(payload: Tree, depth: int) -> float:
    if payload not in ("nan", "inf", "-inf"):
        raise EncodingError("expected nan, inf or -inf")
    return float(_text(payload))


def _decode_int(payload: Tree, depth: int) -> int:
    text = _text(payload)
    if len(text) > MAX_INT_BITS // 4 + 4:
        raise EncodingError("an integer is too large")
    return int(text, 16)


def _decode_complex(payload: Tree, depth: int) -> complex:
    real, imaginary = _items(payload, depth)
    if type(real) is not float or type(imaginary) is not float:
        raise EncodingError("expected two floats")
    return complex(real, imaginary)


_DECODERS: dict[str, Callable[[Tree, int], object]] = {
    "$tuple": lambda payload, depth: tuple(_items(payload, depth)),
    "$set": lambda payload, depth: set(_items(payload, depth)),
    "$frozenset": lambda payload, depth: frozenset(_items(payload, depth)),
    "$dict": _decode_dict,
    "$bytes": lambda payload, depth: bytes.fromhex(_text(payload)),
    "$bytearray": lambda payload, depth: bytearray.fromhex(_text(payload)),
    "$int": _decode_int,
    "$str": lambda payload, depth: bytes.fromhex(_text(payload)).decode("utf-8", "surrogatepass"),
    "$float": _decode_float,
    "$complex": _decode_complex,
    "$range": lambda payload, depth: range(*_ints(payload, 3)),
    "$decimal": lambda payload, depth: decimal.Decimal(_text(payload)),
    "$fraction": lambda payload, depth: fractions.Fraction(*_ints(payload, 2)),
    "$datetime": lambda payload, depth: datetime.datetime.fromisoformat(_text(payload)),
    "$date": lambda payload, depth: datetime.date.fromisoformat(_text(payload)),
    "$time": lambda payload, depth: datetime.time.fromisoformat(_text(payload)),
    "$timedelta": lambda payload, depth: datetime.timedelta(*_ints(payload, 3)),
    "$uuid": lambda payload, depth: uuid.UUID(_text(payload)),
}


def _decode(tree: Tree, depth: int) -> object:
    if depth > MAX_DEPTH:
        raise EncodingError(f"more than {MAX_DEPTH} containers inside each other")
    if isinstance(tree, list):
        return [_decode(item, depth + 1) for item in tree]
    if isinstance(tree, dict):
        if len(tree) != 1:
            raise EncodingError("an object needs exactly one key, such as $tuple")
        [(key, payload)] = tree.items()
        decoder = _DECODERS.get(key)
        if decoder is None:
            raise EncodingError(f"unknown key {key[:40]!r}")
        return decoder(payload, depth)
    return tree


def from_json(tree: Tree) -> object:
    """Inverse of `to_json`: a value of exact built-in types. Raises EncodingError for any tree that it did not write."""
    try:
        return _decode(tree, 0)
    except EncodingError:
        raise
    except (ValueError, TypeError, ArithmeticError, OverflowError) as error:
        # bytes.fromhex, Decimal, fromisoformat, an unhashable dict key, Fraction(1, 0): all hostile or damaged input.
        raise EncodingError(f"malformed value: {type(error).__name__}") from error


def pack(value: object) -> bytes:
    """`to_json` as JSON text in ASCII."""
    return json.dumps(to_json(value), separators=(",", ":")).encode("ascii")


def parse(message: bytes) -> Tree:
    """JSON text to a tree; hostile input (deep nesting, huge number literals, bad UTF-8) raises EncodingError."""
    try:
        tree: Tree = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise EncodingError(f"not JSON: {type(error).__name__}") from error
    return tree
