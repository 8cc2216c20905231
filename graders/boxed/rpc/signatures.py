"""`inspect`, `typing` and `enum` on functions and classes of the other box: answered there, when a test asks.

Annotations that are texts are never evaluated here: evaluating them would run code of the submission.
"""

import enum
import functools
import inspect
import operator
import types
import typing
from collections.abc import Callable
from typing import Any

from graders.boxed.rpc.proxy_classes import StandInMeta, number_of
from graders.boxed.shared.encoding import EncodingError, Tree

_EMPTY = inspect.Parameter.empty
MAX_PARAMETERS = 255


def seen(found: Any, name: str | None, what: str) -> object:
    """Return the answer to the question `what`, on the side that has the object (or its method `name`)."""
    if name is not None:
        found = getattr(found, name)
    if what == "signature":
        signature = inspect.signature(found)
        each = [
            [p.name, int(p.kind), *_present(p.default), *_present(p.annotation)] for p in signature.parameters.values()
        ]
        return [each, *_present(signature.return_annotation)]
    if what == "flags":
        code = getattr(inspect.unwrap(found), "__code__", None)
        return code.co_flags if isinstance(code, types.CodeType) else 0
    return inspect.isabstract(found) if what == "abstract" else typing.get_type_hints(found)


def _present(value: object) -> tuple[bool, object]:
    return (False, None) if value is _EMPTY else (True, value)


def facts_of(function: types.FunctionType) -> list[Any] | None:
    """Return the facts of a function that cross with it: annotations and default values; None if it has neither."""
    annotations = {name: each for name, each in function.__annotations__.items() if _is_harmless(each)}
    defaults, named = function.__defaults__, function.__kwdefaults__
    return [annotations, defaults, named] if annotations or defaults or named else None


def _is_harmless(annotation: object) -> bool:
    return (
        annotation is None
        or isinstance(annotation, type)
        or (isinstance(annotation, str) and annotation.isidentifier())
    )


def put(function: types.FunctionType, facts: Any) -> None:
    """Set on the proxy function what `facts_of` returned. Raises EncodingError for anything else."""
    annotations, defaults, named = facts if type(facts) is list and len(facts) == 3 else (None, None, None)
    if type(annotations) is not dict or not all(map(_is_harmless, annotations.values())):
        raise EncodingError("no annotations of a function")
    if not (defaults is None or type(defaults) is tuple) or not (named is None or type(named) is dict):
        raise EncodingError("no default values of a function")
    # The proxy function accepts any arguments, so these values do not affect its calls.
    function.__annotations__, function.__defaults__, function.__kwdefaults__ = annotations, defaults, named


def write_alias(encoder: Any, value: Any, depth: int) -> Tree:
    """Return the tree of `list[int]` or `int | None` if every part is a class, else None."""
    kind = type(value)
    args = [] if kind not in (types.GenericAlias, types.UnionType) else list(value.__args__)
    if not args or not all(isinstance(arg, type) for arg in args):
        return None
    origin = value.__origin__ if kind is types.GenericAlias else None
    if origin is not None and origin.__module__ != "builtins":
        return None
    return {"$alias": [encoder.tree(None if each is types.NoneType else each, depth + 1) for each in (origin, *args)]}


def read_alias(decoder: Any, payload: Any, depth: int) -> Any:
    origin, *args = [decoder.value(each, depth + 1) for each in payload]
    if (
        not args
        or not all(each is None or isinstance(each, type) for each in args)
        or origin not in (None, list, dict, set, tuple, frozenset, type)
    ):
        raise EncodingError("no alias of a type")
    if origin is None:
        return functools.reduce(operator.or_, args)
    return types.GenericAlias(origin, tuple(args))


def install(reference_of: Callable[[Any], Any]) -> None:
    """Make them ask the other side. `reference_of(function)` returns the Ref of a proxy function, else None."""
    signature_of, has_flag, is_abstract, hints_of = (
        vars(inspect)["_signature_from_callable"], vars(inspect)["_has_code_flag"], inspect.isabstract, typing.get_type_hints,
    )  # fmt: skip

    def ask(found: Any, what: str) -> Any:
        """Return the other side's answer as the only item of a tuple; None if the object is not a proxy."""
        name = None
        link: Any
        if isinstance(found, types.MethodType) and type(type(found.__self__)) is StandInMeta:
            found, name = found.__self__, found.__func__.__name__
        if type(found) is StandInMeta:
            link = found._assay_ref  # noqa: SLF001
        elif type(type(found)) is StandInMeta:
            side = type(found)._assay_side  # noqa: SLF001
            return (side.line.ask("inspect", number_of(found), name, (what,)),)
        else:
            link = reference_of(found) if isinstance(found, types.FunctionType) else None
        return None if link is None else (link.line.ask("inspect", link.number, name, (what,)),)

    def signature(found: Any, **options: Any) -> Any:
        said = ask(found, "signature")
        return signature_of(found, **options) if said is None else _signature(*said)

    def flag(found: Any, wanted: int) -> bool:
        said = ask(found, "flags")
        return bool(has_flag(found, wanted)) if said is None else type(said[0]) is int and bool(said[0] & wanted)

    def abstract(found: Any) -> bool:
        return bool(ask(found, "abstract") == (True,)) if type(found) is StandInMeta else is_abstract(found)

    def hints(found: Any, *args: Any, **options: Any) -> Any:
        said = ask(found, "hints")
        return hints_of(found, *args, **options) if said is None else said[0]

    _have_families()
    vars(inspect).update(_signature_from_callable=signature, _has_code_flag=flag, isabstract=abstract)
    vars(typing)["get_type_hints"] = hints


def _signature(said: Any) -> inspect.Signature:
    each, *returned = said
    parameters = []
    for name, kind, has_default, default, has_annotation, annotation in each[:MAX_PARAMETERS]:
        parameters.append(
            inspect.Parameter(
                str(name),
                vars(inspect)["_ParameterKind"](kind),
                default=default if has_default is True else _EMPTY,
                annotation=annotation if has_annotation is True else _EMPTY,
            )
        )
    return inspect.Signature(parameters, return_annotation=returned[1] if returned[0] is True else _EMPTY)


def _have_families() -> None:
    """Make `issubclass(solution.Colour, enum.Enum)` and the like true, though no proxy class derives from Enum."""
    is_subclass = type.__subclasscheck__

    def subclass(family: Any, kind: Any) -> bool:
        if type(kind) is not StandInMeta or family.__module__ != "enum":
            return is_subclass(family, kind)
        facts = (vars(base)["_assay_facts"] for base in kind.__mro__ if type(base) is StandInMeta)
        return any(family.__name__ in each["abstract"] for each in facts)

    def instance(family: Any, value: object) -> bool:
        return subclass(family, type(value))

    for name, answer in (("__subclasscheck__", subclass), ("__instancecheck__", instance)):
        setattr(enum.EnumType, name, answer)
