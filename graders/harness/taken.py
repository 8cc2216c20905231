"""What stands for an object of the submission's that may not decide: it is taken as what it says at the first look.

There are two kinds of them. One stands where the reference had nothing but plain values, which is what it is taken for: one
content, of which length, elements and membership are computed here, no operator, and none of the methods with which plain
values answer questions. The other stands where the reference had an object as well, but its class is none that the task
knows: it says the same at each look, until the tests do something else than looking.

Iterators are left alone. They say something else each time, and have no other use.
"""

from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import Any

from graders.harness.line import Line, Ref

_OF_PLAIN = frozenset(
    name for kind in (str, bytes, int, float, list, tuple, dict, set) for name in vars(kind) if name[0] != "_"
)
_OF_MAPPINGS = frozenset({"keys", "values", "items", "get", "copy"})
_ACTS = frozenset(
    {"__setitem__", "__delitem__", "__call__", "__next__", "__anext__", "__enter__", "__exit__", "__aenter__", "__aexit__"}
)  # fmt: skip
_ATOMS = frozenset({int, float, complex, str, bytes, bool, type(None)})


class Taken:
    """In the place of a handle. `plain`: it stands for a plain value."""

    __slots__ = ("__weakref__", "_at", "_content", "_line", "_looks", "_mapping", "link", "number", "plain")

    def __init__(self, link: Ref, *, plain: bool, mapping: bool) -> None:
        """`mapping`: its class has `keys`, so that elements are found by them."""
        self.link = link
        self.number = link.number
        self.plain = plain
        self._line: Line = link.line
        self._mapping = mapping
        self._looks: dict[object, tuple[bool, Any, object]] = {}
        """What was asked -> whether it went well, the value or the exception, and the arguments, which keeps their ids theirs."""
        self._content: Content | None = None
        self._at = -1

    def look(self, operation: str, name: str, args: tuple[object, ...] = ()) -> Any:
        """What it says, asked once."""
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
        """A special method that is no operator. `iterable`: its class has `__iter__`, and is no iterator."""
        __tracebackhide__ = True
        if name in _ACTS:
            return self._line.ask("call", self.number, name, args)
        if name == "__iter__" and iterable:
            return iter(self._items())
        if name == "__contains__":
            return any(item is args[0] or item == args[0] for item in self._items())
        if self.plain and iterable and name in ("__len__", "__length_hint__"):
            return len(self._items().all())
        if self.plain and iterable and not self._mapping and name in ("__getitem__", "__reversed__"):
            return getattr(self._items().all(), name)(*args)
        return self.look("call", name, args)

    def method(self, name: str, args: tuple[object, ...], kwargs: dict[str, Any]) -> Any:
        """A method by its name."""
        __tracebackhide__ = True
        if self.plain and name in _OF_PLAIN:
            return self._plain_method(name, *args)
        return self._line.ask("call", self.number, name, args, kwargs)

    def _plain_method(self, name: str, *args: object) -> Any:
        """What plain values have, too."""
        if self._mapping and name in _OF_MAPPINGS:
            return self.look("call", name, args)
        if not self._mapping and name in ("count", "index"):
            return getattr(self._items().all(), name)(*args)
        raise _refused(name)

    def attribute(self, name: str) -> Any:
        """What an attribute is that no method of the class is."""
        __tracebackhide__ = True
        value = self.look("get", name)
        return partial(self._plain_method, name) if self.plain and name in _OF_PLAIN and callable(value) else value

    def _items(self) -> "Content":
        self._forget()
        if self._content is None:
            self._content = Content(self.look("call", "__iter__"))
        return self._content

    def _forget(self) -> None:
        if not self.plain and self._at != self._line.actions:
            self._looks.clear()
            self._content = None
            self._at = self._line.actions


class Content:
    """What an iterable gives, for as many looks as there are."""

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


def _refused(name: str) -> AttributeError:
    return AttributeError(f"an object in the place of a plain value has no {name!r}")


def _identity(arg: Any) -> object:
    """The same for the same argument: `1`, `1.0` and `True` are three."""
    if type(arg) in _ATOMS:
        return (type(arg), arg)
    if type(arg) is tuple:
        return tuple(map(_identity, arg))
    if type(arg) is slice:
        return (slice, *map(_identity, (arg.start, arg.stop, arg.step)))
    return id(arg)
