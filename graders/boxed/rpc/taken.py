"""Proxies for objects of the submission that must not decide: each is taken as what it shows at the first look.

There are two kinds. A *plain* one is in a place where the reference had only plain values, and is taken as one: one
number, one dict or one row of elements, from which all other answers are computed here; it has no operator, and none of
the methods with which plain values answer questions. The other kind is in a place where the reference had an object
too, but the task does not know its class: it answers each look in the same way until the tests do something other than
look.

Iterators are left alone: they answer differently each time, and have no other use.
"""

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import islice
from numbers import Number
from typing import Any

from graders.boxed.rpc.connection import Connection, Ref

_OF_PLAIN = frozenset(
    name for kind in (str, bytes, int, float, list, tuple, dict, set) for name in vars(kind) if name[0] != "_"
)
_OF_MAPPINGS = frozenset({"keys", "values", "items", "get", "copy"})
_ACTS = frozenset(
    {"__setitem__", "__delitem__", "__call__", "__next__", "__anext__", "__enter__", "__exit__", "__aenter__", "__aexit__"}
)  # fmt: skip
_VALUES_OF_NUMBERS = ("__index__", "__float__", "__complex__", "__int__")
"""Methods by which an object shows which number it is; the first one that its class has is called."""
_OF_NUMBERS: dict[str, Callable[..., Any]] = {
    "__index__": operator.index, "__int__": int, "__float__": float, "__complex__": complex, "__round__": round,
    "__trunc__": math.trunc, "__floor__": math.floor, "__ceil__": math.ceil,
}  # fmt: skip
_TEXTS: dict[str, Callable[..., str]] = {"__str__": str, "__repr__": repr, "__format__": format}
_ATOMS = frozenset({int, float, complex, str, bytes, bool, type(None)})


class Taken:
    """Used in the place of a Ref. `plain`: the proxy is in the place of a plain value."""

    __slots__ = (
        "__weakref__", "_at", "_content", "_has", "_line", "_looks", "_mapping", "_table", "_text", "_value", "link", "number", "plain",
    )  # fmt: skip

    def __init__(self, link: Ref, *, plain: bool, has: Iterable[str], mapping: bool) -> None:
        """`has`: the special methods of its class; `mapping`: the class has `keys`, so its elements are found by
        key.
        """
        self.link = link
        self.number = link.number
        self.plain = plain
        self._line: Connection = link.line
        self._has = frozenset(has)
        self._mapping = mapping
        self._looks: dict[object, tuple[bool, Any, object]] = {}
        """Request -> whether it succeeded, the value or the exception, and the arguments, which keeps their ids
        unique."""
        self._content: Content | None = None
        self._table: dict[Any, Any] | None = None
        self._value: Any = None
        """The number as which it was taken; None before that."""
        self._text: str | None = None
        self._at = -1

    def look(self, operation: str, name: str, args: tuple[object, ...] = ()) -> Any:
        """Return the answer to a request that is sent only once."""
        __tracebackhide__ = True
        self._forget()
        key = (operation, name, tuple(map(_identity, args)))
        if key not in self._looks:
            before = self._line.actions
            try:
                answer = (True, self._line.ask(operation, self.number, name, args), args)
            except Exception as error:
                answer = (False, error, args)
            self._line.actions = self._at = before
            self._looks[key] = answer
        fine, value, _ = self._looks[key]
        if fine:
            return value
        raise value

    def special(self, name: str, args: tuple[object, ...], *, iterable: bool) -> Any:
        """Call a special method that is not an operator. `iterable`: its class has `__iter__` and is not an
        iterator.
        """
        __tracebackhide__ = True
        if name in _ACTS:
            return self._line.ask("call", self.number, name, args)
        if name == "__iter__" and iterable:
            return iter(self._elements() if self.plain and self._mapping else self._items())
        if name == "__contains__":
            items = self._elements() if self.plain and self._mapping else self._items()
            return any(item is args[0] or item == args[0] for item in items)
        return self._plain_special(name, args) if self.plain else self.look("call", name, args)

    def truth(self) -> bool:
        """Return the truth of an object with elements whose class has neither `__bool__` nor `__len__`."""
        return bool(self._plain_special("__bool__", ())) if self.plain else True

    def _plain_special(self, name: str, args: tuple[object, ...]) -> Any:
        if name == "__bool__":
            if self._value is None and self._has_elements():
                return any(True for _ in (self._elements() if self._mapping else self._items()))
            if self._value is not None or not self._has.isdisjoint(_VALUES_OF_NUMBERS):
                return bool(self._as_number(name, ()))
        elif name in _OF_NUMBERS:
            return _OF_NUMBERS[name](self._as_number(name, args), *args)
        elif name in _TEXTS:
            return self._as_text(name, args)
        elif self._has_elements() and name in ("__len__", "__length_hint__"):
            return len(self._elements())
        elif self._mapping and name == "__getitem__":
            table = self._elements()
            return table[args[0]] if args[0] in table else self.look("call", name, args)
        elif self._has_elements() and (name == "__reversed__" or isinstance(args[0], int)):
            return getattr(list(self._elements()), name)(*args)
        elif self._has_elements() and isinstance(args[0], slice):
            return self._slice(args[0])
        return self.look("call", name, args)

    def _slice(self, places: slice) -> Any:
        """Return its own slice if that is a text or tuple of the right elements, else the list of these elements."""
        elements = self._elements()[places]
        said = self.look("call", "__getitem__", (places,))
        return said if type(said) in (str, bytes, tuple) and list(said) == elements else elements

    def _as_number(self, name: str, args: tuple[object, ...]) -> Any:
        """Return the number that it is taken as: from its first number method, else from the method asked for
        (`name`).
        """
        if self._content is not None or self._table is not None:
            raise TypeError("an object that was taken for its elements is no number")
        if self._value is None:
            source = next((each for each in _VALUES_OF_NUMBERS if each in self._has), name)
            value = self.look("call", source, args if source == name else ())
            if not isinstance(value, Number) or (self._text is not None and not _is_written(value, self._text)):
                raise TypeError("an object in the place of a plain value is one number, or one text")
            self._value = value
        return self._value

    def _as_text(self, name: str, args: tuple[object, ...]) -> str:
        """Return its text; if it was taken as a number, the text of that number."""
        said: object = self.look("call", name, args) if self._value is None else _TEXTS[name](self._value, *args)
        if type(said) is not str:
            raise TypeError(f"{name} gives {type(said).__name__}, not str")
        if name != "__repr__":
            self._text = said
        return said

    def _has_elements(self) -> bool:
        return self._mapping or not self._has.isdisjoint(("__iter__", "__getitem__"))

    def _elements(self) -> Any:
        """Return all its elements: as a dict if it has keys, else as a list."""
        if not self._mapping:
            return self._items().all()
        if self._value is not None:
            raise TypeError("an object that was taken for a number has no elements")
        if self._table is None:
            if "__getitem__" in self._has:
                keys = list(self.look("call", "keys"))
                self._table = {key: self.look("call", "__getitem__", (key,)) for key in keys}
            else:
                self._table = dict(self.look("call", "items"))
        return self._table

    def method(self, name: str, args: tuple[object, ...], kwargs: dict[str, Any]) -> Any:
        """Call a method by its name."""
        __tracebackhide__ = True
        if self.plain and name in _OF_PLAIN:
            return self._plain_method(name, *args)
        return self._line.ask("call", self.number, name, args, kwargs)

    def _plain_method(self, name: str, *args: object) -> Any:
        """Call a method that plain values have as well."""
        if self._mapping and name in _OF_MAPPINGS:
            return getattr(self._elements(), name)(*args)
        if not self._mapping and name in ("count", "index"):
            return getattr(self._elements(), name)(*args)
        raise _refused(name)

    def attribute(self, name: str) -> Any:
        """Return an attribute that is not a method of the class."""
        __tracebackhide__ = True
        value = self.look("get", name)
        return partial(self._plain_method, name) if self.plain and name in _OF_PLAIN and callable(value) else value

    def _items(self) -> "Content":
        self._forget()
        if self._value is not None:
            raise TypeError("an object that was taken for a number has no elements")
        if self._content is None:
            self._content = Content(self.look("call", "__iter__") if "__iter__" in self._has else self._by_place())
        return self._content

    def _by_place(self) -> Iterator[Any]:
        """Yield the elements of an object without `__iter__`, by position."""
        length = self.look("call", "__len__") if "__len__" in self._has else None
        place = 0
        while length is None or place < length:
            try:
                yield self.look("call", "__getitem__", (place,))
            except IndexError:
                return
            place += 1

    def _forget(self) -> None:
        if not self.plain and self._at != self._line.actions:
            self._looks.clear()
            self._content = None
            self._at = self._line.actions


class Content:
    """The items of an iterable, which is read only once however often they are looked at."""

    def __init__(self, source: Any) -> None:
        self._source = iter(source)
        self._seen: list[Any] = []

    def __iter__(self) -> Iterator[Any]:
        place = 0
        while place < len(self._seen) or self._more():
            yield self._seen[place]
            place += 1

    def all(self) -> list[Any]:
        while self._more():
            pass
        return self._seen

    def _more(self) -> bool:
        found = list(islice(self._source, 1))
        self._seen += found
        return bool(found)


def _is_written(number: Any, text: str) -> bool:
    """Return whether the text is that number."""
    try:
        return bool(complex(text) == number)
    except ValueError:
        return False


def _refused(name: str) -> AttributeError:
    return AttributeError(f"an object in the place of a plain value has no {name!r}")


def _identity(arg: Any) -> object:
    """Return a key that is equal for the same argument: `1`, `1.0` and `True` are three."""
    if type(arg) in _ATOMS:
        return (type(arg), arg)
    if type(arg) is tuple:
        return tuple(map(_identity, arg))
    if type(arg) is slice:
        return (slice, *map(_identity, (arg.start, arg.stop, arg.step)))
    return id(arg)
