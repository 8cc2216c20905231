"""The closed, typed encoding in which values cross between a box and the host, and between two boxes. Never pickle.

JSON's own null, booleans, numbers, strings and arrays mean themselves (an array is a `list`); every other type is an
object with one `$` key. docs/reference/encoding.md has the table.

Aliasing is kept: lists, dicts, sets and bytearrays are numbered in the order in which they begin, and a second
occurrence of one is written as `{"$ref": number}`. A container that contains itself is refused.

With `to_json`, a value of a subclass (a Counter, a namedtuple, an IntEnum, and any class that a submission derives from
a built-in to lie about equality) crosses as the built-in value that it holds, read with the built-in's own methods.
`from_json` makes values of exact built-in types and of the three classes below. It makes values in boxes, and on the
host only those of an author: a submission's answer stays a tree there (graders/suites/values/description.py), because
the content of a Decimal or a set decides how much work it makes. `Encoder` and `Decoder` also have a hook for values
outside the encoding: graders/boxed/rpc/connection.py uses it for its handles.

This file is also sent into the box, so it imports the standard library only.
"""

import collections
import datetime
import decimal
import fractions
import itertools
import json
import math
import re
import types
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol, cast

MAX_DEPTH = 100
"""Levels of containers inside containers."""
MAX_INT_BITS = 1 << 22
"""Larger integers are refused. A million decimal digits, which HumanEval+ asks for, fit; their hex text is made in
milliseconds, and 1 MiB of it is well below what a message may have."""
MAX_DIMENSIONS = 64
"""Dimensions of an array, as in numpy."""
MAX_SIZE = 10_000_000
"""Values inside a value, each counted as often as a walk through it meets it: thirty lists, each of which holds the one
before it twice, are a short message, but a walk meets a billion values."""

Tree = None | bool | int | float | str | list["Tree"] | dict[str, "Tree"]
"""The values that the `json` module reads and writes."""

_WORD = 1 << 64
_OPEN = object()
"""Marks a container that is being read."""


class EncodingError(ValueError):
    """The encoding does not have the value or the tree. The message names the type or key."""


@dataclass(frozen=True, slots=True)
class EnumValue:
    """A member of an enumeration that is not a number or a text as well."""

    type: str
    name: str
    value: object


@dataclass(frozen=True, slots=True)
class Record:
    """An instance of a dataclass: its fields in their order."""

    type: str
    fields: tuple[tuple[str, object], ...]


@dataclass(frozen=True, slots=True)
class Array:
    """A numpy array, row by row. `dtype` is numpy's own short form, such as `<i8`."""

    dtype: str
    shape: tuple[int, ...]
    items: tuple[object, ...]


Foreign = Callable[["Encoder", Any, int], Tree]


class Linked(Protocol):
    """Containers that both sides keep the same, see graders/boxed/rpc/shared_containers.py."""

    linking: bool

    def number(self, container: object) -> int | None: ...

    def own(self, container: Any) -> int | None: ...


class Encoder:
    """Writes the values of one message. `containers` are those with an identity, in the order in which they began."""

    def __init__(self, foreign: Foreign | None = None, links: Linked | None = None) -> None:
        """`foreign` gets each value whose type is not exactly one of the encoding's; without it, subclasses are
        plain.
        """
        self._links = links
        self.containers: list[object] = []
        self._numbers: dict[int, int] = {}  # negative while the container is incomplete: -1 - number
        self._foreign = foreign

    def knows(self, containers: Iterable[object]) -> None:
        """Treat these containers as already written, numbered in this order."""
        for container in containers:
            self._numbers.setdefault(id(container), len(self.containers))
            self.containers.append(container)

    def tree(self, value: object, depth: int = 0) -> Tree:
        """Return the value as a tree for the `json` module. Raises EncodingError if the encoding does not have it."""
        kind = type(value)
        if kind is int:
            if -_WORD < value < _WORD:  # type: ignore[operator]
                return value  # type: ignore[return-value]
        elif kind is str:
            if value.isascii():  # type: ignore[attr-defined]
                return value  # type: ignore[return-value]
        elif value is None or kind is bool:
            return value  # type: ignore[return-value]
        if depth > MAX_DEPTH:
            raise EncodingError(f"more than {MAX_DEPTH} containers inside each other")
        encode = _EXACT.get(kind)
        if encode is not None:
            return encode(self, value, depth)
        if self._foreign is not None:
            return self._foreign(self, value, depth)
        return self.plain(value, depth)

    def plain(self, value: object, depth: int) -> Tree:
        """Return the tree of the built-in value that an instance of a subclass holds."""
        base = held(type(value))
        if base is not None:
            return _EXACT[base](self, value, depth)
        kind = type(value)
        mro = mro_of(kind)
        if Enum in mro:
            fields = object.__getattribute__(value, "__dict__")
            return {"$enum": [kind.__name__, str(fields["_name_"]), self.tree(fields["_value_"], depth + 1)]}
        if "__dataclass_fields__" in kind.__dict__:
            names = [name for name, field in kind.__dict__["__dataclass_fields__"].items() if _is_stored(field)]
            return {
                "$record": [
                    kind.__name__,
                    [[name, self.tree(object.__getattribute__(value, name), depth + 1)] for name in names],
                ]
            }
        for wrappers, inside in _WRAPPERS:
            if any(base in wrappers for base in mro):
                return self.tree(inside(value), depth)
        if kind.__module__ == "numpy":
            return self._numpy(value, depth)
        raise EncodingError(f"a value of type {kind.__module__}.{kind.__qualname__} cannot leave the box")

    def _numpy(self, value: Any, depth: int) -> Tree:
        if type(value).__name__ == "ndarray" and _DTYPE.fullmatch(value.dtype.str):
            items = [self.tree(item, depth + 1) for item in value.ravel().tolist()]
            return {"$array": [value.dtype.str, list(value.shape), items]}
        if hasattr(value, "item") and not hasattr(value, "__len__"):
            return self.tree(value.item(), depth + 1)
        raise EncodingError(f"a value of type numpy.{type(value).__qualname__} cannot leave the box")

    def container(self, value: object, write: Callable[..., Any], *args: Any) -> Tree:
        """Return the tree from `write(*args)`, or a reference if the container has been written before."""
        links = self._links
        if links is not None and (known := links.number(value)) is not None:
            return {"$link": [known, None]}
        number = self._numbers.get(id(value))
        if number is None:
            number = len(self.containers)
            self._numbers[id(value)] = -1 - number
            self.containers.append(value)
            tree: Tree = write(*args)
            self._numbers[id(value)] = number
            if links is not None and links.linking and (known := links.own(value)) is not None:
                return {"$link": [known, tree]}
            return tree
        if number < 0:
            raise EncodingError("a container that contains itself")
        return {"$ref": number}

    def each(self, items: Iterable[object], depth: int) -> list[Tree]:
        """Return the trees of a container's items."""
        items = list(items)
        if len(items) > 8 and len(kinds := set(map(type, items))) == 1:  # most long lists have items of one type
            kind = kinds.pop()
            if (
                (kind is int and min(items) > -_WORD and max(items) < _WORD)  # type: ignore[type-var, operator]
                or (kind is str and all(map(str.isascii, items)))  # type: ignore[arg-type]
                or (kind is float and all(map(math.isfinite, items)))  # type: ignore[arg-type]
            ):
                return cast(list[Tree], items)
        depth += 1
        return [self.tree(item, depth) for item in items]

    def pairs(self, items: Iterable[tuple[object, object]], depth: int) -> list[Tree]:
        depth += 1
        return [[self.tree(key, depth), self.tree(item, depth)] for key, item in items]


def mro_of(kind: type) -> tuple[type, ...]:
    """Return the real bases of a class, without asking its metaclass."""
    mro: tuple[type, ...] = type.__dict__["__mro__"].__get__(kind)
    return mro


def held(kind: type) -> type | None:
    """Return the type of the encoding from which the class derives, else None."""
    mro = mro_of(kind)
    return next((known for known in _EXACT if known in mro), None)


def _is_stored(field: Any) -> bool:
    return getattr(getattr(field, "_field_type", None), "name", "") == "_FIELD"


_DTYPE = re.compile(r"[<>|][biufc][0-9]{1,2}")


def _encode_int(encoder: Encoder, value: int, depth: int) -> Tree:
    plain = int.__pos__(value)
    if plain.bit_length() <= 64:
        return plain
    if plain.bit_length() > MAX_INT_BITS:
        raise EncodingError(f"an integer of {plain.bit_length()} bits is too large")
    return {"$int": hex(plain)}


def _encode_float(encoder: Encoder, value: float, depth: int) -> Tree:
    plain = float.__pos__(value)
    return plain if math.isfinite(plain) else {"$float": repr(plain)}


def _encode_str(encoder: Encoder, value: str, depth: int) -> Tree:
    plain = str.__str__(value)
    try:
        plain.encode()
    except UnicodeEncodeError:
        # JSON would join two lone surrogates that happen to stand side by side into one character.
        return {"$str": plain.encode("utf-8", "surrogatepass").hex()}
    return plain


def _encode_list(encoder: Encoder, value: list[object], depth: int) -> Tree:
    return encoder.container(value, encoder.each, list.__iter__(value), depth)


def _encode_dict(encoder: Encoder, value: dict[object, object], depth: int) -> Tree:
    return encoder.container(value, lambda: {"$dict": encoder.pairs(dict.items(value), depth)})


def _encode_set(encoder: Encoder, value: set[object], depth: int) -> Tree:
    return encoder.container(value, lambda: {"$set": encoder.each(set.__iter__(value), depth)})


def _encode_tuple(encoder: Encoder, value: tuple[object, ...], depth: int) -> Tree:
    return {"$tuple": encoder.each(tuple.__iter__(value), depth)}


def _encode_complex(encoder: Encoder, value: complex, depth: int) -> Tree:
    plain = complex.__pos__(value)
    return {"$complex": [_encode_float(encoder, plain.real, depth), _encode_float(encoder, plain.imag, depth)]}


def _encode_ints(key: str, encoder: Encoder, *numbers: int) -> Tree:
    return {key: [_encode_int(encoder, number, 0) for number in numbers]}


_EXACT: dict[type, Callable[[Encoder, Any, int], Tree]] = {
    # bool before int, datetime before date: the first that a class derives from is taken.
    type(None): lambda encoder, value, depth: value,
    bool: lambda encoder, value, depth: value,
    int: _encode_int,
    float: _encode_float,
    str: _encode_str,
    list: _encode_list,
    dict: _encode_dict,
    tuple: _encode_tuple,
    set: _encode_set,
    frozenset: lambda encoder, value, depth: {"$frozenset": encoder.each(frozenset.__iter__(value), depth)},
    bytes: lambda encoder, value, depth: {"$bytes": bytes.hex(value)},
    bytearray: lambda encoder, value, depth: encoder.container(value, lambda: {"$bytearray": bytearray.hex(value)}),
    complex: _encode_complex,
    range: lambda encoder, value, depth: _encode_ints("$range", encoder, value.start, value.stop, value.step),
    slice: lambda encoder, value, depth: {"$slice": encoder.each((value.start, value.stop, value.step), depth)},
    decimal.Decimal: lambda encoder, value, depth: {"$decimal": decimal.Decimal.__str__(value)},
    fractions.Fraction: lambda encoder, value, depth: _encode_ints(
        "$fraction", encoder, value.numerator, value.denominator
    ),
    datetime.datetime: lambda encoder, value, depth: {"$datetime": datetime.datetime.isoformat(value)},
    datetime.date: lambda encoder, value, depth: {"$date": datetime.date.isoformat(value)},
    datetime.time: lambda encoder, value, depth: {"$time": datetime.time.isoformat(value)},
    datetime.timedelta: lambda encoder, value, depth: {
        "$timedelta": [int.__pos__(n) for n in (value.days, value.seconds, value.microseconds)]
    },
    uuid.UUID: lambda encoder, value, depth: {"$uuid": f"{int.__pos__(value.int):032x}"},
    EnumValue: lambda encoder, value, depth: {"$enum": [value.type, value.name, encoder.tree(value.value, depth + 1)]},
    Record: lambda encoder, value, depth: {"$record": [value.type, encoder.pairs(value.fields, depth)]},
    Array: lambda encoder, value, depth: {"$array": [value.dtype, list(value.shape), encoder.each(value.items, depth)]},
}


_WRAPPERS: tuple[tuple[frozenset[type], Callable[[Any], object]], ...] = (
    (frozenset({collections.UserDict, collections.ChainMap, types.MappingProxyType}), dict),
    (frozenset({collections.UserList}), list),
    (frozenset({collections.UserString}), str),
    (frozenset({type({}.keys()), type({}.items())}), set),
    (frozenset({memoryview}), bytes),
)
"""Wrappers in Python's library that are equal to the built-in value inside, with the type to unwrap them to."""


class Decoder:
    """Reads the values of one message: the inverse of `Encoder`."""

    def __init__(self, known: Iterable[object] = (), foreign: Mapping[str, "Read"] | None = None) -> None:
        """`known`: the containers that were already read; `foreign`: readers for keys that the encoding does not
        have.
        """
        self.containers: list[object] = list(known)
        self.references = 0
        self._foreign = foreign or {}

    def value(self, tree: Tree, depth: int = 0) -> Any:
        """Return the value. Raises EncodingError, and any of MALFORMED if the tree was not written by an Encoder."""
        kind = type(tree)
        if kind is list:  # the same as `begin`, in line
            if depth > MAX_DEPTH:
                raise EncodingError(f"more than {MAX_DEPTH} containers inside each other")
            number = len(self.containers)
            self.containers.append(_OPEN)
            new = self.containers[number] = self.each(tree, depth)
            return new
        if kind is dict:
            if len(tree) != 1:  # type: ignore[arg-type]
                raise EncodingError("an object needs exactly one key, such as $tuple")
            [(key, payload)] = tree.items()  # type: ignore[union-attr]
            read = _DECODERS.get(key) or self._foreign.get(key)
            if read is None:
                raise EncodingError(f"unknown key {key[:40]!r}")
            if depth > MAX_DEPTH:
                raise EncodingError(f"more than {MAX_DEPTH} containers inside each other")
            return read(self, payload, depth)
        return tree

    def each(self, payload: Tree, depth: int) -> list[Any]:
        """Return the values of a container's items."""
        items = array(payload)
        if not {list, dict}.intersection(map(type, items)):
            return items
        depth += 1
        return [self.value(item, depth) for item in items]

    def pairs(self, payload: Tree, depth: int) -> Iterator[tuple[Any, Any]]:
        depth += 1
        for pair in array(payload):
            key, item = array(pair, 2)
            yield self.value(key, depth), self.value(item, depth)

    def weigh(self, key: str, parts: list[Any]) -> None:
        """Hook: check parts whose use may cost more than their length: numbers of a fraction, items that are hashed.

        May raise EncodingError.
        """

    def hashed(self, key: str, payload: Tree, depth: int) -> list[Any]:
        """Return the elements of a set."""
        items = self.each(payload, depth)
        self.weigh(key, items)
        return items

    def keyed(self, key: str, payload: Tree, depth: int) -> list[tuple[Any, Any]]:
        """Return the pairs of a dict."""
        pairs = list(self.pairs(payload, depth))
        self.weigh(key, [name for name, _ in pairs])
        return pairs

    def begin(self, new: Any, fill: Callable[[Any], object], depth: int) -> Any:
        """Fill and return the container `new`, numbered before its items."""
        if depth > MAX_DEPTH:
            raise EncodingError(f"more than {MAX_DEPTH} containers inside each other")
        number = len(self.containers)
        self.containers.append(_OPEN)
        fill(new)
        self.containers[number] = new
        return new

    def reference(self, payload: Tree, depth: int) -> object:
        if type(payload) is not int or not 0 <= payload < len(self.containers):
            raise EncodingError("a reference to nothing")
        found = self.containers[payload]
        if found is _OPEN:
            raise EncodingError("a container that contains itself")
        self.references += 1
        return found


Read = Callable[[Decoder, Any, int], Any]


def array(payload: object, count: int | None = None) -> list[Any]:
    """Return the payload, which has to be an array, of `count` items if given. Raises EncodingError."""
    if type(payload) is not list or (count is not None and len(payload) != count):
        raise EncodingError("expected an array" if count is None else f"expected an array of {count}")
    return payload


def text(payload: object) -> str:
    """Return the payload, which has to be a string. Raises EncodingError."""
    if type(payload) is not str:
        raise EncodingError("expected a string")
    return payload


def _ints(decoder: Decoder, payload: Tree, count: int) -> list[int]:
    items = decoder.each(array(payload, count), 0)
    if not all(type(item) is int for item in items):
        raise EncodingError(f"expected {count} integers")
    return items


def _decode_float(decoder: Decoder, payload: Tree, depth: int) -> float:
    if payload not in ("nan", "inf", "-inf"):
        raise EncodingError("expected nan, inf or -inf")
    return float(text(payload))


def _decode_int(decoder: Decoder, payload: Tree, depth: int) -> int:
    digits = text(payload)
    if len(digits) > MAX_INT_BITS // 4 + 4:
        raise EncodingError("an integer is too large")
    return int(digits, 16)


def _decode_complex(decoder: Decoder, payload: Tree, depth: int) -> complex:
    real, imaginary = decoder.each(array(payload, 2), depth)
    if type(real) is not float or type(imaginary) is not float:
        raise EncodingError("expected two floats")
    return complex(real, imaginary)


def _decode_fraction(decoder: Decoder, payload: Tree, depth: int) -> fractions.Fraction:
    numbers = _ints(decoder, payload, 2)
    decoder.weigh("$fraction", numbers)
    return fractions.Fraction(*numbers)


def _decode_enum(decoder: Decoder, payload: Tree, depth: int) -> EnumValue:
    kind, name, value = array(payload, 3)
    return EnumValue(text(kind), text(name), decoder.value(value, depth + 1))


def _decode_record(decoder: Decoder, payload: Tree, depth: int) -> Record:
    kind, fields = array(payload, 2)
    return Record(text(kind), tuple((text(name), value) for name, value in decoder.pairs(fields, depth)))


def array_parts(payload: object) -> tuple[str, tuple[int, ...], list[Any]]:
    """Return type, shape and items of an `$array`. Raises EncodingError if the items do not fit the shape."""
    dtype, shape, items = array(payload, 3)
    sizes = array(shape)
    if (
        not _DTYPE.fullmatch(text(dtype))
        or len(sizes) > MAX_DIMENSIONS
        or not all(type(size) is int and 0 <= size < 1 << 63 for size in sizes)
    ):
        raise EncodingError("expected a type of numpy's and a shape")
    if len(array(items)) != math.prod(sizes):
        raise EncodingError("expected as many numbers as the shape says")
    return dtype, tuple(sizes), items


def _decode_array(decoder: Decoder, payload: Tree, depth: int) -> Array:
    dtype, sizes, items = array_parts(payload)
    values = tuple(decoder.each(items, depth))
    if not all(type(value) in (bool, int, float, complex) for value in values):
        raise EncodingError("expected as many numbers as the shape says")
    return Array(dtype, sizes, values)


_DECODERS: dict[str, Read] = {
    "$ref": Decoder.reference,
    "$tuple": lambda decoder, payload, depth: tuple(decoder.each(payload, depth)),
    "$set": lambda decoder, payload, depth: decoder.begin(
        set(), lambda new: new.update(decoder.hashed("$set", payload, depth)), depth
    ),
    "$frozenset": lambda decoder, payload, depth: frozenset(decoder.hashed("$frozenset", payload, depth)),
    "$dict": lambda decoder, payload, depth: decoder.begin(
        {}, lambda new: new.update(decoder.keyed("$dict", payload, depth)), depth
    ),
    "$bytes": lambda decoder, payload, depth: bytes.fromhex(text(payload)),
    "$bytearray": lambda decoder, payload, depth: decoder.begin(
        bytearray(), lambda new: new.extend(bytes.fromhex(text(payload))), depth
    ),
    "$int": _decode_int,
    "$str": lambda decoder, payload, depth: bytes.fromhex(text(payload)).decode("utf-8", "surrogatepass"),
    "$float": _decode_float,
    "$complex": _decode_complex,
    "$range": lambda decoder, payload, depth: range(*_ints(decoder, payload, 3)),
    "$slice": lambda decoder, payload, depth: slice(*decoder.each(array(payload, 3), depth)),
    "$decimal": lambda decoder, payload, depth: decimal.Decimal(text(payload)),
    "$fraction": _decode_fraction,
    "$datetime": lambda decoder, payload, depth: datetime.datetime.fromisoformat(text(payload)),
    "$date": lambda decoder, payload, depth: datetime.date.fromisoformat(text(payload)),
    "$time": lambda decoder, payload, depth: datetime.time.fromisoformat(text(payload)),
    "$timedelta": lambda decoder, payload, depth: datetime.timedelta(*_ints(decoder, payload, 3)),
    "$uuid": lambda decoder, payload, depth: uuid.UUID(text(payload)),
    "$enum": _decode_enum,
    "$record": _decode_record,
    "$array": _decode_array,
}

MALFORMED = (ValueError, TypeError, ArithmeticError, AttributeError, LookupError, RecursionError)
"""Exceptions from reading a tree that no Encoder wrote: bytes.fromhex, Decimal, fromisoformat, an unhashable dict key,
..."""


def to_json(value: object) -> Tree:
    """Return the value as a tree for the `json` module. Raises EncodingError if the encoding does not have it."""
    return Encoder().tree(value)


def from_json(tree: Tree, decoder: Decoder | None = None) -> object:
    """Return the value of a tree from `to_json`. Raises EncodingError for any other tree. `decoder`: an unused one."""
    decoder = decoder or Decoder()
    try:
        value = decoder.value(tree)
        if decoder.references:
            check_size(value)
    except EncodingError:
        raise
    except MALFORMED as error:
        raise EncodingError(f"malformed value: {type(error).__name__}") from error
    return value


def check_size(value: object) -> None:
    """Raise EncodingError if a walk through the value would meet more than MAX_SIZE values."""
    sizes: dict[int, int] = {}

    def size(item: object) -> int:
        kind = type(item)
        if kind is dict:
            inside: Iterable[object] = itertools.chain.from_iterable(item.items())  # type: ignore[attr-defined]
        elif kind in (list, tuple, set, frozenset):
            inside = item  # type: ignore[assignment]
        elif kind is Record:
            inside = item.fields  # type: ignore[attr-defined]
        else:
            return 1
        known = sizes.get(id(item))
        if known is None:
            known = sizes[id(item)] = 1 + sum(map(size, inside))
        return known

    if size(value) > MAX_SIZE:
        raise EncodingError(f"more than {MAX_SIZE} values, because the same ones are in it again and again")


_load = json.JSONDecoder().decode
_dump = vars(json.encoder)["c_make_encoder"](  # JSONEncoder.encode makes this anew for each message, at twice the cost
    None, None, json.encoder.encode_basestring_ascii, None, ":", ",", False, False, True
)


def dump(tree: Tree) -> str:
    """Return a tree as JSON text in ASCII."""
    return "".join(_dump(tree, 0))


def pack(value: object) -> bytes:
    """Return `to_json(value)` as JSON text in ASCII."""
    return dump(to_json(value)).encode("ascii")


def parse(message: bytes) -> Tree:
    """Return the tree of a JSON text. Raises EncodingError for hostile input: deep nesting, huge numbers, bad UTF-8."""
    try:
        tree: Tree = _load(message.decode())
    except (ValueError, RecursionError) as error:
        raise EncodingError(f"not JSON: {type(error).__name__}") from error
    return tree
