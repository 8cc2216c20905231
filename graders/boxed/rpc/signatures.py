"""What `inspect`, `typing` and `enum` say of functions and classes of the other box: asked there, and only where a test wants to know.

Texts of annotations are never evaluated here: who evaluates them runs what the submission wrote.
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
    """The answer to `what`, on the side where the object or the method of this name of it is."""
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
    """What a test reads of a function without asking: annotations and default values, None where it has none."""
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
    """Have the function show what `facts_of` has said. Raises EncodingError for anything else."""
    annotations, defaults, named = facts if type(facts) is list and len(facts) == 3 else (None, None, None)
    if type(annotations) is not dict or not all(map(_is_harmless, annotations.values())):
        raise EncodingError("no annotations of a function")
    if not (defaults is None or type(defaults) is tuple) or not (named is None or type(named) is dict):
        raise EncodingError("no default values of a function")
    # The function here takes whatever it is given, so that the values mean nothing to its call.
    function.__annotations__, function.__defaults__, function.__kwdefaults__ = annotations, defaults, named


def write_alias(encoder: Any, value: Any, depth: int) -> Tree:
    """`list[int]` or `int | None` where all in it is a class, else None."""
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
    """Have them ask. `reference_of(function)`: the Ref of what a function here stands for, or None."""
    signature_of, has_flag, is_abstract, hints_of = (
        vars(inspect)["_signature_from_callable"], vars(inspect)["_has_code_flag"], inspect.isabstract, typing.get_type_hints,
    )  # fmt: skip

    def ask(found: Any, what: str) -> Any:
        """What is said there, as the only item of a tuple; None where the object is no stand-in."""
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
    """Have `issubclass(solution.Colour, enum.Enum)` and its kin be true, though no stand-in derives from it."""
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
