"""Proxies for the objects of the other box: classes, instances, functions, generators, exceptions. Both boxes use them.

A value of a type that the encoding has crosses as itself. Everything else stays in its box, and the other box gets a
proxy:

    {"$own": number}                        an object of the receiver's own comes home
    {"$its": [number, class]}               an object that stays with the sender; each operation on it is a request
    {"$held": [number, class, value]}       an object whose class derives from an immutable built-in, with that value
    {"$class": [number, description]}       a class; described the first time, null afterwards
    {"$function": [number, facts, more, attributes]}        a callable, see signatures.py
    {"$alias": [origin or null, class...]}  list[int], and int | None
    {"$generator": number}  {"$awaitable": number}
    {"$error": [class, args, text, attributes, notes, cause, number]}

shared_types.py has the rest.

A proxy class has the name, the module and, as far as that is possible, the bases of the real one, so that isinstance,
`except` and pytest.raises work. Its special methods are those that the real class defines, as far as FORWARDED has
them.
"""

import types
from collections.abc import Callable, Generator
from typing import Any, cast
from weakref import WeakKeyDictionary, ref

from graders.boxed.rpc.connection import LIVE, PLAIN, Connection, Ref
from graders.boxed.rpc.proxy_classes import (
    HELD,
    REF,
    TEXT,
    StandInMeta,
    describe,
    hand,
    make_class,
    number_of,
    wait_for,
)
from graders.boxed.rpc.shared_types import (
    COLLECTIONS,
    READERS,
    VIEWS,
    facts_of_function,
    write_builtin,
    write_collection,
    write_path_or_numpy,
    write_type,
)
from graders.boxed.rpc.signatures import facts_of, put, read_alias, write_alias
from graders.boxed.rpc.taken import Taken
from graders.boxed.shared.encoding import MAX_DEPTH, Decoder, Encoder, EncodingError, Tree, array, held, mro_of, text

_CALLABLE = (
    types.FunctionType,
    types.MethodType,
    types.BuiltinFunctionType,
    types.MethodWrapperType,
    types.WrapperDescriptorType,
)
_AWAITABLE = ("coroutine", "async_generator_asend", "async_generator_athrow")
MAX_CAUSES = 5


class Proxies:
    """All proxies of one side of a connection."""

    def __init__(self, line: Connection, *, equal: Callable[[Any, Any], Any], named: Callable[[type], bool]) -> None:
        """`equal(one, other)` answers `==` for a proxy; `named(class)` says whether the task knows that class."""
        self.line = line
        self.equal = equal
        self.named = named
        self.decided: set[str] = set()
        """Operators of the other side's own classes whose answer reached the tests."""
        self._classes: dict[int, StandInMeta] = {}
        self._described: set[int] = set()
        self._wrappers: WeakKeyDictionary[Any, Ref] = WeakKeyDictionary()
        """Proxies that are real functions, generators and coroutines of this side -> the handle of each."""
        self._members: dict[int, object] = {}
        """Enumeration members that are numbers as well: they need an identity, and Python has no weak references to
        them."""
        line.foreign = self._write
        line.readers = {
            "$own": self._read_own, "$its": self._read_its, "$held": self._read_held, "$class": self._read_class,
            "$function": self._read_function, "$generator": self._read_generator, "$awaitable": self._read_awaitable,
            "$error": self._read_error, "$alias": read_alias, **READERS, **line.readers,
            "$type": self._read_type, "$builtin": self._read_builtin,
        }  # fmt: skip

    def reference_of(self, function: Any) -> Ref | None:
        """Return the handle behind a proxy function; None for any other function."""
        return self._wrappers.get(function)

    # --- writing ----------------------------------------------------------------------------------------------------

    def _write(self, encoder: Encoder, value: Any, depth: int) -> Tree:  # noqa: C901, PLR0912 - one table, in the order of likelihood
        kind = type(value)
        meta = type(kind)
        if meta is StandInMeta:
            return {"$own": number_of(value)}
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
            return write_builtin(value) or self._write_function(encoder, value, depth)
        if isinstance(value, type):
            return write_type(value) or self._write_class(encoder, value, depth)
        if isinstance(value, BaseException):
            return self._write_error(encoder, value, depth)
        if kind in COLLECTIONS.values():
            return write_collection(encoder, value, depth)
        if kind in VIEWS:
            return {"$view": [VIEWS[kind], encoder.each(value, depth)]}
        if kind is types.TracebackType:
            return None  # as the third argument of __exit__; frames stay where they are
        if value is ... or value is NotImplemented:
            return {"$one": repr(value)}
        if (
            kind.__module__.partition(".")[0] in ("numpy", "pathlib")
            and (tree := write_path_or_numpy(encoder, value, depth)) is not None
        ):
            return tree
        if kind.__name__ in _AWAITABLE and kind.__module__ == "builtins":
            return {"$awaitable": self.line.export(value)}
        if isinstance(value, types.ModuleType | types.FrameType | types.CodeType) and not self.writes_all:
            raise EncodingError(f"a {kind.__name__} is nothing that the submission may have")
        if (alias := write_alias(encoder, value, depth)) is not None:
            return alias
        number = self.line.export(value)
        base = held(kind)
        if base in HELD:
            assert base is not None
            # A value of the exact type, made by the built-in's own method: the class may override anything.
            plain = encoder.plain(value, depth)
            return {"$held": [number, self._write_class(encoder, kind, depth), plain]}
        return {"$its": [number, self._write_class(encoder, kind, depth)]}

    def _write_function(self, encoder: Encoder, value: Any, depth: int) -> Tree:
        """Describe a function. A test's own function crosses without defaults, annotations and attributes."""
        more: list[Tree] = [None, None]
        if self.writes_all and type(value) is types.FunctionType:
            if value.__annotations__ or value.__defaults__ or value.__kwdefaults__:
                more[0] = self._or_nothing(encoder, facts_of(value), depth)
            if value.__dict__:
                more[1] = self.line.linked(encoder, value.__dict__, depth)
        return {"$function": [self.line.export(value), facts_of_function(value), *more]}

    writes_all = True
    """False on the examiner's side, which must not disclose modules, frames and code."""

    def _write_class(self, encoder: Encoder, kind: type, depth: int) -> Tree:
        number = self.line.export(kind)
        if number in self._described:
            return {"$class": [number, None]}
        self._described.add(number)
        bases: list[Tree] = [
            self._write_class(encoder, base, depth + 1)
            for base in kind.__bases__
            if base is not object and write_type(base) is None
        ]
        return {"$class": [number, {**describe(kind), "bases": bases}]}

    def _write_error(self, encoder: Encoder, error: BaseException, depth: int) -> Tree:
        if type(type(error)) is StandInMeta:
            return {"$own": number_of(error)}
        kind = type(error)
        known = write_type(kind)
        if known is not None and REF in vars(error):
            return {"$own": number_of(error)}
        number = self.line.export(error) if known is None or not self.writes_all else None
        if not self.line.trust.tells(error):
            named = known or self._write_class(encoder, kind, depth)
            args: Tree = []
            if isinstance(error, BaseExceptionGroup):  # a group cannot be made without the exceptions in it
                args = self._plain_args(encoder, ("", list(error.exceptions)), depth)
            return {"$error": [named, args, "", [], [], None, number]}
        try:
            words = str(error)
        except BaseException:
            words = ""
        cause = error.__cause__
        notes = [note for note in getattr(error, "__notes__", ()) if isinstance(note, str)]
        attributes = {} if known is None else _attributes(error)
        return {
            "$error": [
                known or self._write_class(encoder, kind, depth),
                self._plain_args(encoder, error.args, depth),
                encoder.tree(words[:100_000]),
                [[name, self._or_nothing(encoder, value, depth)] for name, value in attributes.items()],
                [encoder.tree(note) for note in notes],
                None if cause is None or depth > MAX_CAUSES else self._write_error(encoder, cause, depth + 1),
                number,
            ]
        }

    def _plain_args(self, encoder: Encoder, args: tuple[object, ...], depth: int) -> Tree:
        return [self._or_nothing(encoder, arg, depth) for arg in args]

    def _or_nothing(self, encoder: Encoder, value: object, depth: int) -> Tree:
        """Return the tree, or None if the value cannot cross: a detail must not keep an exception from being raised."""
        try:
            return encoder.tree(value, depth + 1)
        except EncodingError:
            return None

    # --- reading ----------------------------------------------------------------------------------------------------

    def _read_own(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        return self.line.exported(payload)

    def _read_type(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        self.line.trust.holds_objects()  # records the place, where a submission may have a class of its own
        return READERS["$type"](decoder, payload, depth)

    def _read_builtin(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        self.line.trust.holds_objects()
        return READERS["$builtin"](decoder, payload, depth)

    def _read_class(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        """Return the proxy of a class that is itself a value. In the place of a plain value it can only be called."""
        made = self._described_class(decoder, payload, depth)
        if not self.line.trust.holds_objects():
            return self._bare(made._assay_ref)  # noqa: SLF001
        self.line.trust.came(made._assay_ref, made)  # noqa: SLF001
        return made

    def _described_class(self, decoder: Decoder, payload: Tree, depth: int) -> StandInMeta:
        number, facts = array(payload, 2)
        if facts is None:
            if type(number) is not int or number not in self._classes:
                raise EncodingError("a class that was never described")
            return self._classes[number]
        if number in self._classes:
            raise EncodingError("a class that is described twice")
        made = self._classes[number] = self._make_class(decoder, self.line.ref(number), facts, depth)
        return made

    def _make_class(self, decoder: Decoder, link: Ref, facts: Any, depth: int) -> StandInMeta:
        if type(facts) is not dict:
            raise EncodingError("expected a description of a class")
        bases = [self._class(decoder, base, depth) for base in array(facts["bases"])]
        return make_class(self, link, facts, bases)

    def _class(self, decoder: Decoder, tree: Tree, depth: int) -> StandInMeta:
        if type(tree) is not dict or tree.keys() != {"$class"} or depth > MAX_DEPTH:
            raise EncodingError("expected a class")
        return self._described_class(decoder, tree["$class"], depth + 1)

    def _read_its(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        number, tree = array(payload, 2)
        kind = self._class(decoder, tree, depth)
        link = self.line.ref(number)
        standing = self.line.trust.standing(link, kind)
        known = link.taken if standing == PLAIN else link.proxy
        proxy = known() if known is not None else None
        if proxy is not None:
            return proxy
        facts = kind._assay_facts  # noqa: SLF001
        if facts["container"] and (standing == PLAIN or not self.named(kind)):
            # An object of an unknown class that derives from list becomes a plain list: its methods must not decide.
            return self.line.ask("content", link.number)
        proxy = object.__new__(cast(type, kind))
        if standing == LIVE:
            object.__setattr__(proxy, REF, link)
        else:
            has, methods = (list(map(text, array(facts[key]))) for key in ("specials", "methods"))
            taken = Taken(link, plain=standing == PLAIN, has=has, mapping="keys" in methods)
            object.__setattr__(proxy, REF, taken)
        if standing == PLAIN:
            link.taken = ref(proxy)
        else:
            link.proxy = ref(proxy)
        return proxy

    def _read_held(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        number, tree, plain = array(payload, 3)
        kind = self._class(decoder, tree, depth)
        value = decoder.value(plain, depth + 1)
        base = next((base for base in mro_of(kind) if base in HELD), None)
        if base is None or type(value) is not base:
            raise EncodingError("a value of another type than its class")
        link = self.line.ref(number)
        if self.line.trust.standing(link, kind) == PLAIN:
            return value
        if number in self._members:
            return self._members[number]
        made = cast(Any, base).__new__(kind, value)
        object.__setattr__(made, REF, link)
        if kind._assay_facts["enum"]:  # noqa: SLF001
            self._members[number] = made
        return made

    def _read_function(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        number, facts, more, attributes = array(payload, 4)
        link = self.line.ref(number)
        if not self.line.trust.holds_objects():
            return self._bare(link)
        made = link.proxy() if link.proxy is not None else None
        if made is None:
            made = _make_function(self.line, link)
            name, qualname, module, doc = (None if fact is None else text(fact) for fact in array(facts, 4))
            made.__name__, made.__qualname__ = name or "function", qualname or name or "function"
            made.__module__, made.__doc__ = module or "", doc
            link.proxy = ref(made)
            self._wrappers[made] = link
        said = None if more is None else decoder.value(more, depth + 1)
        if said is not None:
            put(made, said)
        if attributes is not None:
            kept = decoder.value(attributes, depth + 1)
            if type(kept) is not dict or not all(type(name) is str for name in kept):
                raise EncodingError("no attributes of a function")
            made.__dict__ = kept
        self.line.trust.came(link)
        return made

    def _bare(self, link: Ref) -> Any:
        """Return a proxy for a function or a class in the place of a plain value: callable, without readable facts."""
        made = _make_function(self.line, link)
        self._wrappers[made] = link
        self.line.trust.came(link)
        return made

    def _read_generator(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        link = self.line.ref(payload)
        made = link.proxy() if link.proxy is not None else None
        if made is None:
            made = _generate(self.line, link)
            link.proxy = ref(made)
            self.line.trust.came(link)
            self._wrappers[made] = link
        return made

    def _read_awaitable(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        link = self.line.ref(payload)
        self.line.trust.came(link)
        made = wait_for(self.line, link)
        self._wrappers[made] = link
        return made

    def _read_error(self, decoder: Decoder, payload: Tree, depth: int) -> Any:
        tree, args, words, attributes, notes, cause, number = array(payload, 7)
        if type(number) is int and (link := self.line.ref(number)).proxy is not None:
            known = link.proxy()
            if known is not None:
                return known
        kind: Any = (
            READERS["$type"](decoder, tree["$type"], depth) if "$type" in tree else self._class(decoder, tree, depth)
        )
        values = [decoder.value(arg, depth + 1) for arg in array(args)]
        error = _make_error(kind, values)
        if type(kind) is StandInMeta or number is not None:
            link = self.line.ref(number)
            object.__setattr__(error, REF, link)
            object.__setattr__(error, TEXT, text(decoder.value(words)))
        if type(kind) is StandInMeta:
            self.line.trust.came(link, kind)
            link.proxy = ref(error)  # Python has no weak references to instances of built-in exceptions
        else:
            _set_attributes(
                error, {text(name): decoder.value(value, depth + 1) for name, value in map(_pair, array(attributes))}
            )
        for note in array(notes):
            error.add_note(text(decoder.value(note)))
        if cause is not None:
            reason = decoder.value(cause, depth + 1)
            if isinstance(reason, BaseException):
                error.__cause__ = reason
        return error


def _make_function(line: Connection, link: Ref) -> Any:
    ask = line.ask

    def function(*args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        return ask("call", link.number, None, args, kwargs)

    return function


def _generate(line: Connection, link: Ref) -> Generator[Any, Any, Any]:
    __tracebackhide__ = True
    name: str = "__next__"
    args: tuple[Any, ...] = ()
    while True:
        try:
            if name == "throw":
                value = hand(line, args[0], link.number, name, args)
            else:
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


def run_to_end(awaitable: Any, loops: list[Any]) -> Any:
    """Run an awaitable on this side's loop, which is kept in `loops`; inside a running loop, on a new one."""
    import asyncio  # noqa: PLC0415 - few submissions need it, and each fork would pay for it

    running = asyncio.events._get_running_loop()  # noqa: SLF001 - the only way to run a loop within a loop
    asyncio.events._set_running_loop(None)  # noqa: SLF001

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
        asyncio.events._set_running_loop(running)  # noqa: SLF001


def _pair(payload: Tree) -> list[Any]:
    return array(payload, 2)


_FIELDS: dict[type[BaseException], tuple[str, ...]] = {
    OSError: ("filename", "filename2"), ImportError: ("name", "path"), NameError: ("name",), AttributeError: ("name",),
}  # fmt: skip
"""Fields of built-in exceptions that are neither in `args` nor in `__dict__`."""


def _attributes(error: BaseException) -> dict[str, object]:
    fields = next((names for kind, names in _FIELDS.items() if isinstance(error, kind)), ())
    held = {name: getattr(error, name) for name in fields if getattr(error, name) is not None}
    return held | {name: value for name, value in vars(error).items() if not name.startswith("_")}


def _set_attributes(error: BaseException, attributes: dict[str, object]) -> None:
    for name, value in attributes.items():
        if not name.startswith("_"):
            try:
                setattr(error, name, value)
            except AttributeError:  # one that its class computes
                pass


def _make_error(kind: Any, values: list[object]) -> BaseException:
    if not (isinstance(kind, type) and issubclass(kind, BaseException)):
        raise EncodingError("an exception of a class that is none")
    if kind.__module__ == "builtins" and type(kind) is type:
        try:
            return kind(*values)
        except TypeError:
            pass
    if issubclass(kind, BaseExceptionGroup):
        return _make_group(kind, values)
    error = kind.__new__(kind, *values)
    object.__setattr__(error, "args", tuple(values))  # not asked of the other side
    return error


def _make_group(kind: Any, values: list[object]) -> BaseException:
    """Make an exception group from what has crossed of its members, or from a plain Exception if none has."""
    inside = values[1] if len(values) > 1 else None
    errors = [error for error in inside if isinstance(error, BaseException)] if isinstance(inside, list) else []
    if issubclass(kind, Exception):
        errors = [error for error in errors if isinstance(error, Exception)]
    made: BaseException = kind.__new__(kind, str(values[0]) if values else "", errors or [Exception()])
    return made
