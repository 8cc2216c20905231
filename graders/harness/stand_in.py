"""What stands here for the objects of the other box: classes, instances, functions, generators, exceptions. Both boxes use it.

A value of a type that the encoding has crosses as itself. Everything else stays where it is and is stood for:

    {"$own": number}                        an object of the receiver's own comes home
    {"$its": [number, class]}               an object that stays with the sender; what is done with it is asked there
    {"$held": [number, class, value]}       one whose class derives from an immutable built-in: it holds that value as well
    {"$class": [number, description]}       a class; described the first time, null afterwards
    {"$function": [number, facts]}          anything whose only use is to be called
    {"$generator": number}  {"$awaitable": number}
    {"$error": [class, args, text, attributes, notes, cause, number]}
    {"$type": name}  {"$builtin": name}  {"$one": name}     what both sides have: classes, functions, Ellipsis
    {"$collection": [name, option, content]}  {"$view": [kind, items]}  {"$path": text}  {"$number": [dtype, value]}

A stand-in class has the name, the module and, as far as that is possible, the bases of the real one, so that isinstance,
`except` and pytest.raises work. Its special methods are those that the real class defines, as far as FORWARDED has them.
"""

import builtins
import collections
import collections.abc
import dataclasses
import math
import operator
import pathlib
import sys
import types
from collections.abc import Callable, Generator, Iterable
from typing import Any, NoReturn
from weakref import WeakKeyDictionary, ref

from graders.encoding import Array, Decoder, Encoder, EncodingError, Tree, array, held, mro_of, text
from graders.harness.line import Line, Ref

_BINARY = (
    "add", "sub", "mul", "truediv", "floordiv", "mod", "divmod", "pow", "lshift", "rshift", "and", "or", "xor", "matmul",
)  # fmt: skip
ORDERING = frozenset({"__lt__", "__le__", "__gt__", "__ge__"})
DECIDING = ORDERING | {f"__{way}{name}__" for name in _BINARY for way in ("", "r", "i")}
"""Operators whose answer decides what a test asserts: `abs(result - 2.5) < 1e-6` is true of an object that says so."""
FORWARDED = DECIDING | {
    "__len__", "__bool__", "__contains__", "__iter__", "__next__", "__reversed__", "__length_hint__",
    "__getitem__", "__setitem__", "__delitem__", "__call__", "__enter__", "__exit__", "__aenter__", "__aexit__",
    "__aiter__", "__anext__", "__await__", "__index__", "__int__", "__float__", "__complex__", "__round__", "__trunc__",
    "__floor__", "__ceil__", "__abs__", "__neg__", "__pos__", "__invert__", "__str__", "__repr__", "__format__",
    "__bytes__", "__fspath__",
}  # fmt: skip
CONTAINERS = (list, dict, set, bytearray, collections.deque)
COLLECTIONS: dict[str, type] = {
    "deque": collections.deque,
    "Counter": collections.Counter,
    "OrderedDict": collections.OrderedDict,
    "defaultdict": collections.defaultdict,
}
_VIEWS: dict[type, str] = {type({}.keys()): "keys", type({}.values()): "values", type({}.items()): "items"}
_HELD = (int, float, complex, str, bytes, tuple, frozenset)
_CALLABLE = (
    types.FunctionType,
    types.MethodType,
    types.BuiltinFunctionType,
    types.MethodWrapperType,
    types.WrapperDescriptorType,
)
_AWAITABLE = ("coroutine", "async_generator_asend", "async_generator_athrow")
_ONES = {"Ellipsis": ..., "NotImplemented": NotImplemented}
_PURE = {"builtins": {"len", "abs", "min", "max", "sum", "sorted", "ord", "chr", "repr", "any", "all", "round", "hash"}}
REF = "_assay_ref"
MAX_CAUSES = 5


class StandInMeta(type):
    """Class of all classes that stand for one of the other side's."""

    _assay_stand_ins: "StandIns"
    _assay_ref: Ref
    _assay_facts: dict[str, Any]

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any]) -> NoReturn:
        raise TypeError(
            f'{bases[0].__name__} runs in another process and has no subclasses here; see isolation = "shared"'
        )

    def _assay_ask(cls, operation: str, name: str | None = None, args: Iterable[object] = (), **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return cls._assay_stand_ins.line.ask(operation, cls._assay_ref.number, name, args, **kwargs)

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return cls._assay_ask("call", None, args, kwargs=kwargs)

    def __getattr__(cls, name: str) -> Any:
        __tracebackhide__ = True
        if _is_special(name):
            raise AttributeError(f"type object {cls.__name__!r} has no attribute {name!r}")
        return cls._assay_ask("get", name)

    def __setattr__(cls, name: str, value: object) -> None:
        cls._assay_ask("set", name, (value,))

    def __delattr__(cls, name: str) -> None:
        cls._assay_ask("del", name)

    def __iter__(cls) -> Any:
        return cls._assay_ask("call", "__iter__")

    def __getitem__(cls, key: object) -> Any:
        return cls._assay_ask("call", "__getitem__", (key,))

    def __contains__(cls, item: object) -> bool:
        return bool(cls._assay_ask("call", "__contains__", (item,)))

    def __len__(cls) -> int:
        length: int = cls._assay_ask("call", "__len__")
        return length

    def __bool__(cls) -> bool:
        return True

    def __dir__(cls) -> list[str]:
        return [str(name) for name in cls._assay_ask("dir")]

    def __reduce_ex__(cls, protocol: object) -> NoReturn:  # type: ignore[override]
        raise TypeError(f"{cls.__name__} runs in another process and cannot be pickled")


def _is_special(name: str) -> bool:
    return name.startswith("__") and name.endswith("__") and name != "__dict__"


def _number_of(stand_in: object) -> int:
    found: Ref = object.__getattribute__(stand_in, REF)
    return found.number


class StandIns:
    """All that stands here for objects of the other side of a line."""

    def __init__(self, line: Line, *, equal: Callable[[Any, Any], Any], named: Callable[[type], bool]) -> None:
        """`equal(one, other)`: what `==` gives for a stand-in; `named(class)`: whether the task knows that class."""
        self.line = line
        self.equal = equal
        self.named = named
        self.decided: set[str] = set()
        """Operators of the other side's own classes that had something to decide."""
        self._classes: dict[int, StandInMeta] = {}
        self._described: set[int] = set()
        self._wrappers: WeakKeyDictionary[Any, Ref] = WeakKeyDictionary()
        """Functions, generators and coroutines made here, which are real ones -> what they stand for."""
        self._members: dict[int, object] = {}
        """Members of enumerations that are numbers, too: they have an identity, but Python has no weak reference to one."""
        line.foreign = self._write
        line.readers = {
            "$own": self._read_own, "$its": self._read_its, "$held": self._read_held, "$class": self._read_class,
            "$function": self._read_function, "$generator": self._read_generator, "$awaitable": self._read_awaitable,
            "$error": self._read_error, "$type": _read_type, "$builtin": _read_builtin, "$one": _read_one,
            "$collection": _read_collection, "$view": _read_view, "$path": _read_path, "$number": _read_number,
            "$numpy": _read_numpy,
        }  # fmt: skip

    def classes(self) -> list[StandInMeta]:
        """All that have been met."""
        return list(self._classes.values())

    # --- writing ----------------------------------------------------------------------------------------------------

    def _write(self, encoder: Encoder, value: Any, depth: int) -> Tree:  # noqa: C901, PLR0912 - one table, in the order of likelihood
        kind = type(value)
        meta = type(kind)
        if meta is StandInMeta:
            return {"$own": _number_of(value)}
        if kind is StandInMeta:
            return {"$own": value._assay_ref.number}  # noqa: SLF001
        if isinstance(value, _CALLABLE) or kind in (types.GeneratorType, types.CoroutineType):
            ours = self._wrappers.get(value) if kind is not types.MethodType else None
            if ours is not None:
                return {"$own": ours.number}
            if kind is types.GeneratorType:
                return {"$generator": self.line.export(value)}
            if kind is types.CoroutineType:
                return {"$awaitable": self.line.export(value)}
            return _write_builtin(value) or {"$function": [self.line.export(value), _facts_of_function(value)]}
        if isinstance(value, type):
            return _write_type(value) or self._write_class(encoder, value, depth)
        if isinstance(value, BaseException):
            return self._write_error(encoder, value, depth)
        if kind in COLLECTIONS.values():
            return _write_collection(encoder, value, depth)
        if kind in _VIEWS:
            return {"$view": [_VIEWS[kind], encoder.each(value, depth)]}
        if kind is types.TracebackType:
            return None  # as the third argument of __exit__; frames stay where they are
        if value is ... or value is NotImplemented:
            return {"$one": repr(value)}
        if kind in (pathlib.PosixPath, pathlib.PurePosixPath):
            return {"$path": [kind.__name__, str(value)]}
        if kind.__module__ == "numpy" and kind.__name__ == "ndarray":
            tree = encoder.plain(value, depth)
            return {"$numpy": tree["$array"]}  # type: ignore[index, call-overload]
        if kind.__module__ == "numpy" and hasattr(value, "dtype") and hasattr(value, "item"):
            return {"$number": [value.dtype.str, encoder.tree(value.item(), depth + 1)]}
        if kind.__name__ in _AWAITABLE and kind.__module__ == "builtins":
            return {"$awaitable": self.line.export(value)}
        if isinstance(value, types.ModuleType | types.FrameType | types.CodeType) and not self.writes_all:
            raise EncodingError(f"a {kind.__name__} is nothing that the submission may have")
        number = self.line.export(value)
        base = held(kind)
        if base in _HELD:
            assert base is not None
            # Of the exact type, made by its own method, whatever the class overrides.
            plain = encoder.plain(value, depth)
            return {"$held": [number, self._write_class(encoder, kind, depth), plain]}
        return {"$its": [number, self._write_class(encoder, kind, depth)]}

    writes_all = True
    """False where nothing may be told of modules, frames and code."""

    def _write_class(self, encoder: Encoder, kind: type, depth: int) -> Tree:
        number = self.line.export(kind)
        if number in self._described:
            return {"$class": [number, None]}
        self._described.add(number)
        mro = mro_of(kind)
        names = {name for base in mro[:-1] for name in base.__dict__}
        fields = kind.__dict__.get("__dataclass_fields__")
        hashes = next((base.__dict__["__hash__"] for base in mro if "__hash__" in base.__dict__), None)
        real = next((base for base in mro if _write_type(base) and issubclass(base, BaseException)), held(kind))
        abstract = [base.__name__ for base in mro if base.__module__ == "collections.abc"]
        return {
            "$class": [
                number,
                {
                    "name": str(kind.__name__),
                    "qualname": str(kind.__qualname__),
                    "module": str(kind.__module__),
                    "doc": kind.__doc__ if type(kind.__doc__) is str else None,
                    "bases": [
                        self._write_class(encoder, base, depth + 1)
                        for base in kind.__bases__
                        if base is not object and not _write_type(base)
                    ],
                    "real": _write_type(real)["$type"]
                    if real in _HELD or (real and issubclass(real, BaseException))
                    else None,  # type: ignore[index, call-overload]
                    "container": next((base.__name__ for base in mro if base in CONTAINERS), None),
                    "abstract": abstract,
                    "specials": sorted(names & FORWARDED),
                    "methods": sorted(
                        name
                        for name in names
                        if not _is_special(name)
                        and type(next(base.__dict__[name] for base in mro if name in base.__dict__))
                        is types.FunctionType
                    ),
                    "equal": "__eq__" in names,
                    "hash": "none" if hashes is None else "identity" if hashes is object.__hash__ else "own",
                    "fields": list(fields) if type(fields) is dict else None,
                    "match": list(getattr(kind, "__match_args__", ())),
                    "enum": any(base.__name__ == "Enum" and base.__module__ == "enum" for base in mro),
                },
            ]
        }

    def _write_error(self, encoder: Encoder, error: BaseException, depth: int) -> Tree:
        if type(type(error)) is StandInMeta:
            return {"$own": _number_of(error)}
        kind = type(error)
        known = _write_type(kind)
        if known is not None and REF in vars(error):
            return {"$own": _number_of(error)}
        try:
            words = str(error)
        except BaseException:
            words = ""
        cause = error.__cause__
        notes = [note for note in getattr(error, "__notes__", ()) if isinstance(note, str)]
        attributes = {} if known is None else {k: v for k, v in vars(error).items() if not k.startswith("_")}
        return {
            "$error": [
                known or self._write_class(encoder, kind, depth),
                self._plain_args(encoder, error.args, depth),
                encoder.tree(words[:100_000]),
                [[name, self._or_nothing(encoder, value, depth)] for name, value in attributes.items()],
                [encoder.tree(note) for note in notes],
                None if cause is None or depth > MAX_CAUSES else self._write_error(encoder, cause, depth + 1),
                self.line.export(error) if known is None or not self.writes_all else None,
            ]
        }

    def _plain_args(self, encoder: Encoder, args: tuple[object, ...], depth: int) -> Tree:
        return [self._or_nothing(encoder, arg, depth) for arg in args]

    def _or_nothing(self, encoder: Encoder, value: object, depth: int) -> Tree:
        """What is said of an exception must not keep it from being raised."""
        try:
            return encoder.tree(value, depth + 1)
        except EncodingError:
            return None

    # --- reading ----------------------------------------------------------------------------------------------------

    def _read_own(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        return self.line.exported(payload)

    def _read_class(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        number, facts = array(payload, 2)
        if facts is None:
            if type(number) is not int or number not in self._classes:
                raise EncodingError("a class that was never described")
            return self._classes[number]
        if number in self._classes:
            raise EncodingError("a class that is described twice")
        made = self._classes[number] = self._make_class(decoder, self.line.ref(number), facts, depth)
        return made

    def _class(self, decoder: Decoder, tree: Tree, depth: int) -> StandInMeta:
        kind = decoder.value(tree, depth + 1)
        if type(kind) is not StandInMeta:
            raise EncodingError("expected a class")
        return kind

    def _read_its(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        number, tree = array(payload, 2)
        kind = self._class(decoder, tree, depth)
        link = self.line.ref(number)
        stand_in = link.stand_in() if link.stand_in is not None else None
        if stand_in is not None:
            return stand_in
        container = kind._assay_facts["container"]  # noqa: SLF001
        if container and not self.named(kind):
            # A list of a class that the task does not know is a list here, and nothing that it does counts.
            return self.line.ask("content", link.number)
        stand_in = object.__new__(kind)
        object.__setattr__(stand_in, REF, link)
        link.stand_in = ref(stand_in)
        return stand_in

    def _read_held(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        number, tree, plain = array(payload, 3)
        kind = self._class(decoder, tree, depth)
        value = decoder.value(plain, depth + 1)
        base = next((base for base in mro_of(kind) if base in _HELD), None)
        if base is None or type(value) is not base:
            raise EncodingError("a value of another type than its class")
        if number in self._members:
            return self._members[number]
        made = base.__new__(kind, value)
        object.__setattr__(made, REF, self.line.ref(number))
        if kind._assay_facts["enum"]:  # noqa: SLF001
            self._members[number] = made
        return made

    def _read_function(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        number, facts = array(payload, 2)
        link = self.line.ref(number)
        made = link.stand_in() if link.stand_in is not None else None
        if made is None:
            made = _make_function(self.line, link)
            name, qualname, module, doc = (None if fact is None else text(fact) for fact in array(facts, 4))
            made.__name__, made.__qualname__ = name or "function", qualname or name or "function"
            made.__module__, made.__doc__ = module or "", doc
            link.stand_in = ref(made)
            self._wrappers[made] = link
        return made

    def _read_generator(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        link = self.line.ref(payload)
        made = link.stand_in() if link.stand_in is not None else None
        if made is None:
            made = _generate(self.line, link)
            link.stand_in = ref(made)
            self._wrappers[made] = link
        return made

    def _read_awaitable(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        link = self.line.ref(payload)
        made = _await(self.line, link)
        self._wrappers[made] = link
        return made

    def _read_error(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        tree, args, words, attributes, notes, cause, number = array(payload, 7)
        if type(number) is int and (link := self.line.ref(number)).stand_in is not None:
            known = link.stand_in()
            if known is not None:
                return known
        kind = decoder.value(tree, depth + 1)
        values = [decoder.value(arg, depth + 1) for arg in array(args)]
        if not (isinstance(kind, type) and issubclass(kind, BaseException)):
            raise EncodingError("an exception of a class that is none")
        error = _make_error(kind, values)
        if type(kind) is StandInMeta or number is not None:
            link = self.line.ref(number)
            object.__setattr__(error, REF, link)
            if type(kind) is StandInMeta:  # there are no weak references to the built-in ones
                link.stand_in = ref(error)
            object.__setattr__(error, "_assay_text", text(decoder.value(words)))
        for name, value in (array(pair, 2) for pair in array(attributes)):
            if not text(name).startswith("_"):
                try:
                    setattr(error, name, decoder.value(value, depth + 1))
                except AttributeError:
                    pass
        for note in array(notes):
            error.add_note(text(decoder.value(note)))
        if cause is not None:
            reason = decoder.value(cause, depth + 1)
            if isinstance(reason, BaseException):
                error.__cause__ = reason
        return error

    # --- classes ----------------------------------------------------------------------------------------------------

    def _make_class(self, decoder: Decoder, link: Ref, facts: Any, depth: int) -> StandInMeta:
        if type(facts) is not dict:
            raise EncodingError("expected a description of a class")
        bases: list[type] = [self._class(decoder, base, depth) for base in array(facts["bases"])]
        real = _read_type(decoder, facts["real"], depth) if facts["real"] is not None else None
        if real is not None and not (real in _HELD or issubclass(real, BaseException)):
            raise EncodingError("a base that no class from there has")
        if real is not None and not any(issubclass(base, real) for base in bases):
            bases.append(real)
        namespace: dict[str, Any] = {
            "__module__": text(facts["module"]),
            "__qualname__": text(facts["qualname"]),
            "__doc__": facts["doc"] and text(facts["doc"]),
            "__match_args__": tuple(map(text, array(facts["match"]))),
            "__dict__": property(lambda instance: self.line.ask("get", _number_of(instance), "__dict__")),
            # Functions, as a bound method would not be bound to the instance.
            "__getattr__": lambda instance, name: self._attribute(instance, name),
            "__setattr__": lambda instance, name, value: self._set_attribute(instance, name, value),
            "__delattr__": lambda instance, name: self.line.ask("del", _number_of(instance), name),
            "__dir__": lambda instance: [str(name) for name in self.line.ask("dir", _number_of(instance))],
            "__copy__": lambda instance: self.line.ask("copy", _number_of(instance)),
            "__deepcopy__": lambda instance, memo: self.line.ask("deepcopy", _number_of(instance)),
            "__reduce_ex__": _no_pickle,
        }
        if type(facts["fields"]) is list:
            namespace["__dataclass_fields__"] = {text(name): _field(name) for name in facts["fields"]}
        for name in map(text, array(facts["methods"])):
            if not _is_special(name) and name != "__dict__":
                namespace[name] = self._method(name)
        if real is None:
            namespace |= self._comparison(facts)
        elif issubclass(real, BaseException):
            namespace |= {"__str__": lambda error: object.__getattribute__(error, "_assay_text")}
            namespace["__setattr__"] = lambda error, name, value: self._set_on_error(error, name, value)
        made: Any = type.__new__(StandInMeta, text(facts["name"]), tuple(bases), namespace)
        for name, value in (("_assay_stand_ins", self), (REF, link), ("_assay_facts", facts)):
            type.__setattr__(made, name, value)
        known = self.named(made)
        for name in set(map(text, array(facts["specials"]))) & FORWARDED:
            inherited = (
                real is not None and name in ("__str__", "__repr__", "__format__") and issubclass(real, BaseException)
            )
            if inherited or (not known and (real is not None or name == "__contains__")):
                continue
            type.__setattr__(made, name, self._special(name, deciding=name in DECIDING, named=known))
        for name in map(text, array(facts["abstract"])):
            abstract = getattr(collections.abc, name, None)
            if isinstance(abstract, type):
                abstract.register(made)  # type: ignore[attr-defined]
        return made  # type: ignore[no-any-return]

    def _comparison(self, facts: dict[str, Any]) -> dict[str, Any]:
        def own_hash(instance: object) -> int:
            return int(self.line.ask("call", _number_of(instance), "__hash__"))

        hashes = {"none": None, "own": own_hash}.get(facts["hash"], lambda instance: hash(_number_of(instance)))
        return {"__eq__": lambda one, other: self.equal(one, other), "__hash__": hashes}

    def _attribute(self, instance: object, name: str) -> Any:
        __tracebackhide__ = True
        if _is_special(name) or name in (REF, "_assay_text"):
            raise AttributeError(f"{type(instance).__name__!r} object has no attribute {name!r}")
        return self.line.ask("get", _number_of(instance), name)

    def _set_attribute(self, instance: object, name: str, value: object) -> None:
        __tracebackhide__ = True
        self.line.ask("set", _number_of(instance), name, (value,))

    def _set_on_error(self, error: BaseException, name: str, value: object) -> None:
        if name.startswith("__"):
            object.__setattr__(error, name, value)
        else:
            self._set_attribute(error, name, value)

    def _method(self, name: str) -> "Method":
        ask = self.line.ask

        def method(self: object, *args: Any, **kwargs: Any) -> Any:
            __tracebackhide__ = True
            return ask("call", _number_of(self), name, args, kwargs)

        method.__name__ = method.__qualname__ = name
        return Method(method)

    def _special(self, name: str, *, deciding: bool, named: bool) -> Callable[..., Any]:
        ask, decided = self.line.ask, self.decided

        def special(self: object, *args: Any) -> Any:
            __tracebackhide__ = True
            if deciding and not all(type(type(arg)) is StandInMeta for arg in args):
                if not named:
                    return NotImplemented
                decided.add(f"{type(self).__name__}.{name}")
            value = ask("call", _number_of(self), name, args)
            if name in ORDERING and type(value) is not bool and value is not NotImplemented:
                raise TypeError(f"{type(self).__name__}.{name} gives {type(value).__name__}, not bool")
            return value

        if name == "__await__":
            return lambda instance: _await(self.line, object.__getattribute__(instance, REF)).__await__()
        special.__name__ = special.__qualname__ = name
        return special


class Method:
    """A method of a stand-in class, which spares asking for it before it is called."""

    def __init__(self, function: Any) -> None:
        self._function = function

    def __get__(self, instance: object, owner: Any) -> Any:
        if instance is None:  # Base.method(instance) is this class's, whatever the instance's own class has
            return owner._assay_ask("get", self._function.__name__)
        return types.MethodType(self._function, instance)


def _make_function(line: Line, link: Ref) -> Any:
    ask = line.ask

    def function(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return ask("call", link.number, None, args, kwargs)

    return function


def _generate(line: Line, link: Ref) -> Generator[Any, Any, Any]:
    __tracebackhide__ = True
    name: str = "__next__"
    args: tuple[object, ...] = ()
    while True:
        try:
            value = line.ask("call", link.number, name, args)
        except StopIteration as stop:
            return stop.value
        try:
            sent = yield value
        except GeneratorExit:
            if not line.exchanging and line.failure is None:
                line.ask("call", link.number, "close")
            raise
        except BaseException as error:
            name, args = "throw", (error,)
        else:
            name, args = ("__next__", ()) if sent is None else ("send", (sent,))


async def _await(line: Line, link: Ref) -> Any:
    __tracebackhide__ = True
    return line.ask("await", link.number)


def run_to_end(awaitable: Any, loops: list[Any]) -> Any:
    """Run an awaitable on this side's loop, which is kept in `loops`; inside of a running one, on another."""
    import asyncio  # noqa: PLC0415 - few submissions need it, and each fork would pay for it

    running = asyncio.events._get_running_loop()
    asyncio.events._set_running_loop(None)

    async def wait() -> Any:
        return await awaitable

    try:
        if running is not None:
            loop = asyncio.new_event_loop()
            try:
                return loop.run_until_complete(wait())
            finally:
                loop.close()
        if not loops:
            loops.append(asyncio.new_event_loop())
        return loops[0].run_until_complete(wait())
    finally:
        asyncio.events._set_running_loop(running)


def _no_pickle(instance: object, protocol: object) -> NoReturn:
    raise TypeError(f"{type(instance).__name__} runs in another process and cannot be pickled")


def _field(name: str) -> Any:
    field: Any = dataclasses.field()
    field.name, field.type, field._field_type = name, object, dataclasses._FIELD  # type: ignore[attr-defined]
    return field


def _make_error(kind: type[BaseException], values: list[object]) -> BaseException:
    if kind.__module__ == "builtins" and type(kind) is type:
        try:
            return kind(*values)
        except TypeError:
            pass
    error = kind.__new__(kind, *values)
    object.__setattr__(error, "args", tuple(values))  # not asked of the other side
    return error


# --- what both sides have ---------------------------------------------------------------------------------------------

_NO_MODULES = frozenset({"unittest", "doctest", "bdb", "pdb"})
"""Of the standard library, whose exceptions mean something to a test runner."""


def _write_type(kind: Any) -> Tree:
    """The name of a class that both sides have, or None."""
    module = kind.__module__
    if type(module) is str and _known(module, kind.__qualname__) is kind:
        return {"$type": f"{module}.{kind.__qualname__}"}
    return None


def _known(module: str, name: str) -> type | None:
    """A class of the standard library under this name: a value type, a built-in or an exception."""
    if module.partition(".")[0] not in sys.stdlib_module_names or module.partition(".")[0] in _NO_MODULES:
        return None
    found = getattr(sys.modules.get(module), name, None)
    if not isinstance(found, type) or "." in name:
        return None
    if module == "builtins" or issubclass(found, BaseException) or module in _VALUE_MODULES:
        return found
    return None


_VALUE_MODULES = frozenset({"collections", "datetime", "decimal", "fractions", "uuid"})


def _read_type(decoder: Decoder, payload: Tree, depth: int) -> type:
    module, _, name = text(payload).rpartition(".")
    found = _known(module, name)
    if found is None:
        if module.partition(".")[0] in sys.stdlib_module_names:
            return Exception
        raise EncodingError("an unknown class")
    return found


def _write_builtin(value: Any) -> Tree:
    name = getattr(value, "__name__", "")
    for module in ("operator", "math", "builtins"):
        if _find_builtin(module, name) is value:
            return {"$builtin": [module, name]}
    return None


def _find_builtin(module: str, name: str) -> Any:
    if module == "builtins":
        return getattr(builtins, name) if name in _PURE["builtins"] else None
    home = {"operator": operator, "math": math}[module]
    return getattr(home, name, None) if not name.startswith("_") else None


def _read_builtin(decoder: Decoder, payload: Tree, depth: int) -> Any:
    module, name = map(text, array(payload, 2))
    found = _find_builtin(module, name) if module in ("operator", "math", "builtins") else None
    if found is None:
        raise EncodingError("an unknown function")
    return found


def _read_one(decoder: Decoder, payload: Tree, depth: int) -> object:
    if text(payload) not in _ONES:
        raise EncodingError("an unknown object")
    return _ONES[payload]  # type: ignore[index]


def _facts_of_function(value: Any) -> list[Tree]:
    facts = (getattr(value, name, None) for name in ("__name__", "__qualname__", "__module__", "__doc__"))
    return [fact if type(fact) is str else None for fact in facts]


def _write_collection(encoder: Encoder, value: Any, depth: int) -> Tree:
    kind = type(value)

    def write() -> Tree:
        if kind is collections.deque:
            return {"$collection": ["deque", value.maxlen, encoder.each(value, depth)]}
        option = None
        if kind is collections.defaultdict and value.default_factory is not None:
            factory = _write_type(value.default_factory)
            option = factory["$type"] if factory else encoder.tree(value.default_factory, depth + 1)  # type: ignore[index, call-overload]
        return {"$collection": [kind.__name__, option, encoder.pairs(dict.items(value), depth)]}

    return encoder.container(value, write)


def _read_collection(decoder: Decoder, payload: Tree, depth: int) -> Any:
    name, option, content = array(payload, 3)
    if name == "deque":
        if option is not None and (type(option) is not int or option < 0):
            raise EncodingError("expected a length")
        return decoder.begin(
            collections.deque(maxlen=option), lambda new: new.extend(decoder.each(content, depth)), depth
        )
    if text(name) not in COLLECTIONS:
        raise EncodingError("an unknown collection")
    new = COLLECTIONS[name]()
    if name == "defaultdict" and option is not None:
        new.default_factory = (
            _read_type(decoder, option, depth) if type(option) is str else decoder.value(option, depth + 1)
        )  # type: ignore[attr-defined]
    # dict.update: a Counter's own adds up
    return decoder.begin(new, lambda new: dict.update(new, decoder.pairs(content, depth)), depth)


def _read_view(decoder: Decoder, payload: Tree, depth: int) -> Any:
    kind, items = array(payload, 2)
    values = decoder.each(items, depth)
    if kind == "keys":
        return dict.fromkeys(values).keys()
    if kind == "items":
        return dict(values).items()
    return dict(enumerate(values)).values()


def _read_path(decoder: Decoder, payload: Tree, depth: int) -> Any:
    kind, path = map(text, array(payload, 2))
    return pathlib.PosixPath(path) if kind == "PosixPath" else pathlib.PurePosixPath(path)


def _read_numpy(decoder: Decoder, payload: Tree, depth: int) -> Any:
    found = decoder.value({"$array": payload}, depth)
    assert isinstance(found, Array)
    import numpy  # noqa: PLC0415 - takes longer than most tests

    return numpy.array(found.items, dtype=found.dtype).reshape(found.shape)


def _read_number(decoder: Decoder, payload: Tree, depth: int) -> Any:
    dtype, value = array(payload, 2)
    number = decoder.value({"$array": [dtype, [], [value]]}, depth).items[0]
    if "numpy" not in sys.modules:
        return number
    return sys.modules["numpy"].dtype(dtype).type(number)
