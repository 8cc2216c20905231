"""Types that exist in both boxes and therefore cross by value. Everything else is proxied (proxies.py).

    {"$type": name}  {"$builtin": [module, name]}  {"$one": name}       classes, functions without effects, Ellipsis
    {"$collection": [name, option, content]}  {"$view": [kind, items]}  {"$path": [kind, text]}
    {"$numpy": [dtype, shape, items]}  {"$number": [dtype, value]}

Messages from a candidate's box may be hostile: they can name one of the few classes and functions here, and no other.
"""

import builtins
import collections
import math
import operator
import pathlib
import sys
from typing import Any

from graders.boxed.shared.encoding import Array, Decoder, Encoder, EncodingError, Read, Tree, array, text

COLLECTIONS: dict[str, type] = {
    "deque": collections.deque,
    "Counter": collections.Counter,
    "OrderedDict": collections.OrderedDict,
    "defaultdict": collections.defaultdict,
}
VIEWS: dict[type, str] = {type({}.keys()): "keys", type({}.values()): "values", type({}.items()): "items"}
_ONES = {"Ellipsis": ..., "NotImplemented": NotImplemented}
_PURE = {"len", "abs", "min", "max", "sum", "sorted", "ord", "chr", "repr", "any", "all", "round", "hash"}


_NO_MODULES = frozenset({"unittest", "doctest", "bdb", "pdb"})
"""Modules of the standard library whose exceptions mean something to a test runner."""


def name_of_type(kind: type) -> str | None:
    """Return the name of a class that both sides have, else None."""
    module = kind.__module__
    if type(module) is str and _known(module, kind.__qualname__) is kind:
        return f"{module}.{kind.__qualname__}"
    return None


def write_type(kind: Any) -> Tree:
    """Return the tree of a class that both sides have, else None."""
    name = name_of_type(kind)
    return None if name is None else {"$type": name}


def _known(module: str, name: str) -> type | None:
    """Return the value type, built-in or exception of the standard library with this name, else None."""
    if not _is_in_both(module) or module.partition(".")[0] in _NO_MODULES:
        return None
    found = getattr(sys.modules.get(module), name, None)
    if not isinstance(found, type) or "." in name:
        return None
    if module == "builtins" or issubclass(found, BaseException) or module in _VALUE_MODULES:
        return found
    return None


def _is_in_both(module: str) -> bool:
    """Return whether the module is of the standard library, or of numpy, which has exceptions of its own."""
    return module.partition(".")[0] in sys.stdlib_module_names or module.partition(".")[0] == "numpy"


_VALUE_MODULES = frozenset({"collections", "datetime", "decimal", "fractions", "uuid"})


def known_type(name: str) -> type:
    """Return the class of that name. Raises EncodingError if there is none, or if it may not be named."""
    found = _known(*name.rpartition(".")[::2])
    if found is None:
        if _is_in_both(name):
            return Exception  # an exception of a module that is not imported here, so no code here can name it
        raise EncodingError("an unknown class")
    return found


def read_type(decoder: Decoder, payload: Tree, depth: int) -> type:
    return known_type(text(payload))


def write_builtin(value: Any) -> Tree:
    name = getattr(value, "__name__", "")
    for module in ("operator", "math", "builtins"):
        if _find_builtin(module, name) is value:
            return {"$builtin": [module, name]}
    return None


def _find_builtin(module: str, name: str) -> Any:
    if module == "builtins":
        return getattr(builtins, name) if name in _PURE else None
    home = {"operator": operator, "math": math}[module]
    return getattr(home, name, None) if not name.startswith("_") else None


def read_builtin(decoder: Decoder, payload: Tree, depth: int) -> Any:
    module, name = map(text, array(payload, 2))
    found = _find_builtin(module, name) if module in ("operator", "math", "builtins") else None
    if found is None:
        raise EncodingError("an unknown function")
    return found


def read_one(decoder: Decoder, payload: Tree, depth: int) -> object:
    if text(payload) not in _ONES:
        raise EncodingError("an unknown object")
    return _ONES[payload]  # type: ignore[index]


def facts_of_function(value: Any) -> list[Tree]:
    facts = (getattr(value, name, None) for name in ("__name__", "__qualname__", "__module__", "__doc__"))
    return [fact if type(fact) is str else None for fact in facts]


def write_collection(encoder: Encoder, value: Any, depth: int) -> Tree:
    kind = type(value)

    def write() -> Tree:
        if kind is collections.deque:
            return {"$collection": ["deque", value.maxlen, encoder.each(value, depth)]}
        option: Tree = None
        if kind is collections.defaultdict and value.default_factory is not None:
            factory = value.default_factory
            name = name_of_type(factory) if isinstance(factory, type) else None
            option = name or encoder.tree(factory, depth + 1)
        return {"$collection": [kind.__name__, option, encoder.pairs(dict.items(value), depth)]}

    return encoder.container(value, write)


def read_collection(decoder: Decoder, payload: Tree, depth: int) -> Any:
    name, option, content = array(payload, 3)
    if name == "deque":
        if option is not None and (type(option) is not int or option < 0):
            raise EncodingError("expected a length")
        return decoder.begin(
            collections.deque(maxlen=option), lambda new: new.extend(decoder.each(content, depth)), depth
        )
    if text(name) not in COLLECTIONS:
        raise EncodingError("an unknown collection")
    new: Any = COLLECTIONS[name]()
    if name == "defaultdict" and option is not None:
        new.default_factory = (
            read_type(decoder, option, depth) if type(option) is str else decoder.value(option, depth + 1)
        )
    # dict.update: a Counter's own adds up
    return decoder.begin(new, lambda new: dict.update(new, decoder.pairs(content, depth)), depth)


def read_view(decoder: Decoder, payload: Tree, depth: int) -> Any:
    kind, items = array(payload, 2)
    values = decoder.each(items, depth)
    if kind == "keys":
        return dict.fromkeys(values).keys()
    if kind == "items":
        return dict(values).items()
    return dict(enumerate(values)).values()


def write_path_or_numpy(encoder: Encoder, value: Any, depth: int) -> Tree:
    """Return the tree of a path, or of an array or a number of numpy's, else None."""
    kind = type(value)
    if kind in (pathlib.PosixPath, pathlib.PurePosixPath):
        return {"$path": [kind.__name__, str(value)]}
    if kind.__name__ == "ndarray":
        tree: Any = encoder.plain(value, depth)
        return {"$numpy": tree["$array"]}
    if hasattr(value, "dtype") and hasattr(value, "item"):
        return {"$number": [value.dtype.str, encoder.tree(value.item(), depth + 1)]}
    return None


def read_path(decoder: Decoder, payload: Tree, depth: int) -> Any:
    kind, path = map(text, array(payload, 2))
    return pathlib.PosixPath(path) if kind == "PosixPath" else pathlib.PurePosixPath(path)


def read_numpy(decoder: Decoder, payload: Tree, depth: int) -> Any:
    found = decoder.value({"$array": payload}, depth)
    assert isinstance(found, Array)
    import numpy  # noqa: PLC0415 - takes longer than most tests

    return numpy.array(found.items, dtype=found.dtype).reshape(found.shape)


def read_number(decoder: Decoder, payload: Tree, depth: int) -> Any:
    dtype, value = array(payload, 2)
    number = decoder.value({"$array": [dtype, [], [value]]}, depth).items[0]
    if "numpy" not in sys.modules:
        return number
    return sys.modules["numpy"].dtype(dtype).type(number)


READERS: dict[str, Read] = {
    "$type": read_type, "$builtin": read_builtin, "$one": read_one, "$collection": read_collection, "$view": read_view,
    "$path": read_path, "$number": read_number, "$numpy": read_numpy,
}  # fmt: skip
