"""Proxy classes for classes of the other box. Their instances send each operation as a request."""

import abc
import collections
import collections.abc
import dataclasses
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NoReturn, Protocol

from graders.boxed.rpc.connection import Connection, Ref
from graders.boxed.rpc.shared_types import known_type, name_of_type
from graders.boxed.rpc.taken import Taken
from graders.boxed.shared.encoding import EncodingError, Tree, array, held, mro_of, text

_BINARY = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "lshift", "rshift", "and", "or", "xor", "matmul",
)  # fmt: skip
ORDERING = frozenset({"__lt__", "__le__", "__gt__", "__ge__"})
DECIDING = ORDERING | {f"__{way}{name}__" for name in _BINARY for way in ("", "r", "i")}
"""Operators whose answer decides an assertion: an object's own `__sub__` can make `abs(result - 2.5) < 1e-6` true."""
GROUPS = {f"__{way}{name}__": name for name in _BINARY for way in ("", "r", "i")} | dict.fromkeys(ORDERING, "ordering")
"""Operator -> its operation: `+`, reflected `+` and `+=` are one, and so are all four orderings."""
PREDICATES = frozenset({"startswith", "endswith", "issubset", "issuperset", "isdisjoint", "count", "index", "find"})
"""Methods of built-in types whose answer decides an assertion as well: `result.startswith("x")`."""
_LEAVING = frozenset({"__exit__", "__aexit__", "athrow"})
"""Methods that are handed an exception. Those whose name has an `a` are awaited."""
FORWARDED = DECIDING | {
    "__len__", "__bool__", "__contains__", "__iter__", "__next__", "__reversed__", "__length_hint__",
    "__getitem__", "__setitem__", "__delitem__", "__call__", "__enter__", "__exit__", "__aenter__", "__aexit__",
    "__aiter__", "__anext__", "__await__", "__index__", "__int__", "__float__", "__complex__", "__round__", "__trunc__",
    "__floor__", "__ceil__", "__abs__", "__neg__", "__pos__", "__invert__", "__str__", "__repr__", "__format__",
    "__bytes__", "__fspath__",
}  # fmt: skip
_OF_FUNCTIONS = frozenset({"__name__", "__qualname__", "__wrapped__"})
"""Attributes that functools.update_wrapper sets on a callable object, besides `__doc__`."""
CONTAINERS = (list, dict, set, bytearray, collections.deque)
HELD = (int, float, complex, str, bytes, tuple, frozenset)
"""Immutable built-ins: a proxy for an instance of a subclass holds the value."""
REF = "_assay_ref"
TEXT = "_assay_text"


class Side(Protocol):
    """The part of graders.boxed.rpc.proxies.Proxies that a proxy class uses."""

    line: Connection
    equal: Callable[[Any, Any], Any]
    named: Callable[[Any], bool]
    decided: set[str]


class StandInMeta(type):
    """Metaclass of all proxy classes."""

    _assay_side: "Side"
    _assay_ref: Ref
    _assay_facts: dict[str, Any]

    def __new__(cls, name: str, bases: tuple[type, ...], *rest: object) -> Any:
        raise TypeError(
            f'{bases[0].__name__} runs in another process and has no subclasses here; see isolation = "shared"'
        )

    def _assay_ask(cls, operation: str, name: str | None = None, args: Iterable[object] = (), **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return cls._assay_side.line.ask(operation, cls._assay_ref.number, name, args, **kwargs)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return cls._assay_ask("call", None, args, kwargs=kwargs)

    def __getattr__(cls, name: str) -> Any:
        __tracebackhide__ = True
        if is_special(name):
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        return cls._assay_ask("get", name)

    def __setattr__(cls, name: str, value: object) -> None:
        cls._assay_ask("set", name, (value,))

    def __delattr__(cls, name: str) -> None:
        cls._assay_ask("del", name)

    def _assay_look(cls, name: str, *args: object) -> Any:
        """Use a class as a container, such as an enumeration, if the reference's class was used as one."""
        __tracebackhide__ = True
        if not cls._assay_side.line.trust.operator(cls, f"class.{name}"):
            raise TypeError(f"type object {cls.__name__!r} has no {name}")
        return cls._assay_ask("call", name, args)

    def __iter__(cls) -> Any:
        return cls._assay_look("__iter__")

    def __getitem__(cls, key: object) -> Any:
        return cls._assay_look("__getitem__", key)

    def __contains__(cls, item: object) -> bool:
        return bool(cls._assay_look("__contains__", item))

    def __len__(cls) -> int:
        length: int = cls._assay_look("__len__")
        return length

    def __bool__(cls) -> bool:
        return True

    def __dir__(cls) -> list[str]:
        return [str(name) for name in cls._assay_ask("dir")]

    def __reduce_ex__(cls, protocol: object) -> NoReturn:
        raise TypeError(f"{cls.__name__} runs in another process and cannot be pickled")


def is_special(name: str) -> bool:
    """Return True for `__names__`, which never cross as attributes; FORWARDED has those that cross as operations."""
    return name.startswith("__") and name.endswith("__") and name != "__dict__"


def number_of(proxy: object) -> int:
    """Return the handle of a proxy."""
    found: Ref | Taken = object.__getattribute__(proxy, REF)
    return found.number


def describe(kind: type) -> dict[str, Tree]:
    """Return the description of a class that the other side makes a proxy class from, without its bases."""
    mro = mro_of(kind)
    found: dict[str, object] = {}
    for base in mro[:-1]:
        found = {**base.__dict__, **found}
    fields = kind.__dict__.get("__dataclass_fields__")
    hashes = found.get("__hash__", object.__hash__)
    methods = sorted(name for name in found if not is_special(name) and type(found[name]) is types.FunctionType)
    return {
        "name": str(kind.__name__),
        "qualname": str(kind.__qualname__),
        "module": str(kind.__module__),
        "doc": kind.__doc__ if type(kind.__doc__) is str else None,
        "real": _real_base(kind),
        "container": next((base.__name__ for base in mro if base in CONTAINERS), None),
        "abstract": [
            base.__name__ for base in mro if base.__module__ in ("collections.abc", "enum") or base is abc.ABC
        ],
        "specials": sorted(FORWARDED.intersection(found)),  # type: ignore[dict-item]
        "methods": methods,  # type: ignore[dict-item]
        "equal": "__eq__" in found,
        "hash": "none" if hashes is None else "identity" if hashes is object.__hash__ else "own",
        "fields": list(fields) if type(fields) is dict else None,
        "match": [name for name in getattr(kind, "__match_args__", ()) if type(name) is str],
        "enum": any(base.__name__ == "Enum" and base.__module__ == "enum" for base in mro),
    }


def _real_base(kind: type) -> str | None:
    """Return the name of its nearest exception that both sides have, or of the immutable built-in it derives from."""
    for base in mro_of(kind):
        if issubclass(base, BaseException) and (name := name_of_type(base)) is not None:
            return name
    base_held = held(kind)
    return f"builtins.{base_held.__name__}" if base_held in HELD and base_held is not None else None


def make_class(side: Side, link: Ref, facts: Mapping[str, Any], bases: Sequence[StandInMeta]) -> StandInMeta:
    """Make the proxy class from a description. Raises EncodingError, LookupError and TypeError for hostile facts."""
    real = known_type(text(facts["real"])) if facts["real"] is not None else None
    if real is not None and not (real in HELD or issubclass(real, BaseException)):
        raise EncodingError("a base that no class from there has")
    missing = () if real is None or any(issubclass(base, real) for base in bases) else (real,)
    doc = text(facts["doc"]) if facts["doc"] else None
    namespace: dict[str, Any] = {
        "__module__": text(facts["module"]),
        "__qualname__": text(facts["qualname"]),
        "__doc__": Doc(doc) if "__call__" in array(facts["specials"]) else doc,
        "__match_args__": tuple(map(text, array(facts["match"]))),
        **_everywhere(side.line),
    }
    if type(facts["fields"]) is list:
        namespace["__dataclass_fields__"] = {text(name): _field(name) for name in facts["fields"]}
    if real is None:
        namespace |= _comparison(side, text(facts["hash"]))
    elif issubclass(real, BaseException):
        namespace |= _of_errors(side.line)
    made: Any = type.__new__(StandInMeta, text(facts["name"]), (*bases, *missing), namespace)
    for name, value in (("_assay_side", side), (REF, link), ("_assay_facts", facts)):
        type.__setattr__(made, name, value)
    _add_methods(side, made, facts, real)
    for name in map(text, array(facts["abstract"])):
        abstract: Any = abc.ABC if name == "ABC" else getattr(collections.abc, name, None)
        if isinstance(abstract, abc.ABCMeta):
            abstract.register(made)
    found: StandInMeta = made
    return found


def _add_methods(side: Side, made: Any, facts: Mapping[str, Any], real: type | None) -> None:
    known = side.named(made)
    for name in map(text, array(facts["methods"])):
        if not is_special(name) and name != "__dict__" and name not in PREDICATES:
            type.__setattr__(made, name, Method(_method(side.line, name)))
    is_error = real is not None and issubclass(real, BaseException)
    specials = FORWARDED.intersection(map(text, array(facts["specials"])))
    iterable = "__iter__" in specials and "__next__" not in specials
    for name in specials:
        if _is_forwarded(name, known=known, real=real is not None, is_error=is_error):
            way = (
                _leaving(side.line, name) if name in _LEAVING else _special(side, name, known=known, iterable=iterable)
            )
            type.__setattr__(made, name, way)
    if iterable and real is None and specials.isdisjoint(("__bool__", "__len__")):
        type.__setattr__(made, "__bool__", _truth)


def _truth(instance: object) -> bool:
    link = object.__getattribute__(instance, REF)
    return link.truth() if type(link) is Taken else True


def _is_forwarded(name: str, *, known: bool, real: bool, is_error: bool) -> bool:
    """Return whether a special method becomes a request: not the text of an exception, nor what only a known class
    decides.
    """
    if is_error and name in ("__str__", "__repr__", "__format__"):
        return False
    return known or not (real or name == "__contains__")


def _attribute(line: Connection) -> Callable[[object, str], Any]:
    """Return the `__getattr__` of proxies: it requests attributes that neither the proxy nor its class has."""

    def attribute(instance: object, name: str) -> Any:
        __tracebackhide__ = True
        kind: Any = type(instance)
        if (is_special(name) and not _is_of_functions(kind, name)) or name in (REF, TEXT):
            raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")
        if name == "athrow":
            return types.MethodType(_leaving(line, name), instance)
        link = object.__getattribute__(instance, REF)
        value = link.attribute(name) if type(link) is Taken else line.ask("get", link.number, name)
        if name in PREDICATES and callable(value) and not (type(link) is Taken and link.plain):
            named = kind._assay_side.named(kind)  # noqa: SLF001
            if type(link) is Taken or not named or not line.trust.operator(kind, name):
                raise AttributeError(f"{kind.__name__!r} object has no attribute {name!r}")
        return value

    return attribute


def _is_of_functions(kind: Any, name: str) -> bool:
    return name in _OF_FUNCTIONS and "__call__" in kind._assay_facts["specials"]  # noqa: SLF001


class Doc:
    """The `__doc__` of a class whose instances are callable: an instance may have a `__doc__` of its own."""

    def __init__(self, text: str | None) -> None:
        self._text = text

    def __get__(self, instance: object, owner: Any) -> Any:
        if instance is None:
            return self._text
        return owner._assay_side.line.ask("get", number_of(instance), "__doc__")  # noqa: SLF001


def _everywhere(line: Connection) -> dict[str, Any]:
    """Return what all proxy classes have: plain functions, because a bound method would not be bound to the
    instance.
    """

    def set_attribute(instance: object, name: str, value: object) -> None:
        __tracebackhide__ = True
        line.ask("set", number_of(instance), name, (value,))

    def delete_attribute(instance: object, name: str) -> None:
        __tracebackhide__ = True
        line.ask("del", number_of(instance), name)

    def names(instance: object) -> list[str]:
        return [str(name) for name in line.ask("dir", number_of(instance))]

    def variables(instance: object) -> Any:
        return line.ask("get", number_of(instance), "__dict__")

    def shallow(instance: object) -> Any:
        return line.ask("copy", number_of(instance))

    def deep(instance: object, memo: object) -> Any:
        return line.ask("deepcopy", number_of(instance))

    def no_pickle(instance: object, protocol: object) -> NoReturn:
        raise TypeError(f"{type(instance).__name__} runs in another process and cannot be pickled")

    return {
        "__getattr__": _attribute(line), "__setattr__": set_attribute, "__delattr__": delete_attribute, "__dir__": names,
        "__dict__": property(variables), "__copy__": shallow, "__deepcopy__": deep, "__reduce_ex__": no_pickle,
    }  # fmt: skip


def _comparison(side: Side, hashes: str) -> dict[str, Any]:
    def equal(one: object, other: object) -> Any:
        return side.equal(one, other)

    def own_hash(instance: object) -> int:
        return int(side.line.ask("call", number_of(instance), "__hash__"))

    def hash_of_handle(instance: object) -> int:
        return hash(number_of(instance))

    return {"__eq__": equal, "__hash__": {"none": None, "own": own_hash}.get(hashes, hash_of_handle)}


def _of_errors(line: Connection) -> dict[str, Any]:
    """Return the methods of proxy exceptions: the text as it was when raised; the interpreter sets `__cause__` and such
    here.
    """

    def words(error: object) -> str:
        return str(object.__getattribute__(error, TEXT))

    def set_attribute(error: object, name: str, value: object) -> None:
        if name.startswith("__"):
            object.__setattr__(error, name, value)
        else:
            line.ask("set", number_of(error), name, (value,))

    return {"__str__": words, "__setattr__": set_attribute}


class Method:
    """A method of a proxy class: it saves the request for the attribute before the call."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def __get__(self, instance: object, owner: Any) -> Any:
        if instance is None:  # Base.method(instance) calls this class's method, even if a subclass overrides it
            return owner._assay_ask("get", self._function.__name__)  # noqa: SLF001
        return types.MethodType(self._function, instance)


def _method(line: Connection, name: str) -> Callable[..., Any]:
    ask = line.ask

    def method(self: object, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        link = object.__getattribute__(self, REF)
        if type(link) is Taken:
            return link.method(name, args, kwargs)
        return ask("call", link.number, name, args, kwargs)

    method.__name__ = method.__qualname__ = name
    return method


def _special(side: Side, name: str, *, known: bool, iterable: bool) -> Callable[..., Any]:
    """`known`: the task knows the class; `iterable`: the class has `__iter__` and is not an iterator."""
    if name in GROUPS:
        return _named(name, _operator(side, name, known=known))
    line = side.line

    def call(self: object, /, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return line.ask("call", number_of(self), None, args, kwargs)

    if name == "__call__":
        return _named(name, call)

    def special(self: object, *args: Any) -> Any:
        __tracebackhide__ = True
        link = object.__getattribute__(self, REF)
        if type(link) is Taken:
            return link.special(name, args, iterable=iterable)
        if name == "__contains__" and not line.trust.operator(type(self), "contains"):
            return any(item is args[0] or item == args[0] for item in iter(self))  # type: ignore[call-overload]
        return line.ask("call", link.number, name, args)

    def wait(self: object) -> Any:
        return wait_for(line, object.__getattribute__(self, REF)).__await__()

    return _named(name, wait if name == "__await__" else special)


def _named(name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    function.__name__ = function.__qualname__ = name
    return function


def _operator(side: Side, name: str, *, known: bool) -> Callable[..., Any]:
    line, decided, group = side.line, side.decided, GROUPS[name]

    def operator(self: object, *args: Any) -> Any:
        __tracebackhide__ = True
        link = object.__getattribute__(self, REF)
        among_themselves = all(type(type(arg)) is StandInMeta for arg in args)
        if type(link) is Taken:
            if link.plain or not among_themselves:
                return NotImplemented
        elif not among_themselves or known:
            if not known or not line.trust.operator(type(self), group):
                return _as_held(line, self, name, args)
            if not among_themselves:
                decided.add(f"{type(self).__name__}.{name}")
        value = line.ask("call", link.number, name, args)
        if name in ORDERING and type(value) is not bool and value is not NotImplemented:
            raise TypeError(f"{type(self).__name__}.{name} gives {type(value).__name__}, not bool")
        return value

    return operator


def _as_held(line: Connection, self: object, name: str, args: tuple[object, ...]) -> Any:
    """Apply the operator to the built-in value that an object holds; NotImplemented if it holds none."""
    facts = type(self)._assay_facts  # type: ignore[attr-defined] # noqa: SLF001
    base = next((base for base in mro_of(type(self)) if base in HELD), None)
    if base is not None:
        value: Any = self
    elif facts["container"]:
        value = line.ask("content", number_of(self))
        base = type(value)
    way = getattr(base, name, None)
    return NotImplemented if way is None else way(value, *args)


def hand(line: Connection, error: BaseException | None, number: int, name: str, args: tuple[object, ...]) -> Any:
    """Call a method that is handed an exception, and report to `trust` if the exception was swallowed there."""
    __tracebackhide__ = True
    try:
        answer = line.ask("call", number, name, args)
    except BaseException as raised:
        if error is not None and raised is not error:
            line.trust.swallowed(error)
        raise
    if error is not None and (answer or name == "throw"):
        line.trust.swallowed(error)
    return answer


def _leaving(line: Connection, name: str) -> Callable[..., Any]:
    def leave(self: object, *args: Any) -> Any:
        __tracebackhide__ = True
        return hand(line, _error_in(args), number_of(self), name, args)

    async def leave_later(self: object, *args: Any) -> Any:
        __tracebackhide__ = True
        error = _error_in(args)
        try:
            answer = await line.ask("call", number_of(self), name, args)
        except BaseException as raised:
            if error is not None and raised is not error:
                line.trust.swallowed(error)
            raise
        if error is not None and (answer or name == "athrow"):
            line.trust.swallowed(error)
        return answer

    return leave if name == "__exit__" else leave_later


def _error_in(args: tuple[object, ...]) -> BaseException | None:
    return next((arg for arg in args if isinstance(arg, BaseException)), None)


async def wait_for(line: Connection, link: Ref) -> Any:
    """Run a coroutine of the other side to its end."""
    __tracebackhide__ = True
    return line.ask("await", link.number)


def _field(name: str) -> Any:
    """Return a dataclass field in the form that dataclasses.fields expects."""
    field: Any = dataclasses.field()
    field.name, field.type, field._field_type = name, object, dataclasses._FIELD  # type: ignore[attr-defined] # noqa: SLF001
    return field
