"""Runs inside the examiner's box: what a submission may do with objects that the tests hand over.

Objects of the tests' own classes and mocks can be called and iterated. Only the attributes that the reference has read
or set can be read or set: a double is used, never rewritten. A mock has every name, so reading any name other than a
mock's controls counts as a use. A new attribute can be added to an object of the tests' own class: no test looks at it.
"""

import functools
import sys
import types
from typing import Any

from graders.boxed.examiner.learnt import Learnt
from graders.boxed.examiner.watch import name_of
from graders.boxed.rpc.connection import Connection, LineBroken
from graders.boxed.rpc.proxies import run_to_end
from graders.boxed.rpc.proxy_classes import FORWARDED, GROUPS
from graders.boxed.shared.encoding import EncodingError

_SPECIALS = FORWARDED | {"__eq__", "__ne__", "__hash__"}
_OF_ALL = frozenset({"__call__", "__iter__", "__next__", "__aiter__", "__anext__", "__eq__", "__ne__", "__hash__"})
_CALLED_ONLY = (
    types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.MethodWrapperType, type, types.ModuleType,
    types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, types.FrameType, types.CodeType, types.TracebackType,
    functools.partial,
)  # fmt: skip
_OF_THE_RUNNER = frozenset({"pytest", "_pytest", "pluggy", "unittest", "inspect", "graders", "importlib"})
_MOCKS = "unittest.mock"
_CHANGING = {"__setitem__", "__delitem__"} | {name for name, group in GROUPS.items() if name == f"__i{group}__"}
HEAP = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: a class that Python code has made."""


class Doubles:
    """Serves the submission's requests to objects that the tests handed over."""

    def __init__(self, line: Connection, learnt: Learnt) -> None:
        self._line = line
        self._learnt = learnt
        self._loops: list[Any] = []

    def perform(self, operation: str, target: Any, name: str | None, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Serve a request. Raises AttributeError for a forbidden use, LineBroken for an object that was never handed
        over.
        """
        try:
            found = self._line.exported(target)
        except EncodingError as error:
            raise LineBroken(str(error)) from error
        try:
            return self._do(operation, found, name, args, kwargs)
        except BaseException as error:
            self._line.trust.failed(error)
            raise

    def _do(self, operation: str, found: Any, name: str | None, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if operation == "call" and name is None:
            return found(*args, **kwargs)
        if operation == "await" and isinstance(found, types.CoroutineType):
            return run_to_end(found, self._loops)
        if operation == "call" and _is_offered(found, str(name)) and self._is_used(found, str(name)):
            return getattr(type(found), str(name))(found, *args)
        if operation == "call" and name == "__iter__" and isinstance(found, type):
            return iter(found)  # type: ignore[call-overload]
        if not _is_public(found, str(name)):
            raise _refused(found, str(name))
        if (
            operation == "set"
            and len(args) == 1
            and type(found).__flags__ & HEAP
            and self._is_set(found, str(name), args[0])
        ):
            return setattr(found, str(name), args[0])
        if operation in ("call", "get") and self._is_read(found, str(name)):
            value = getattr(found, str(name))
            return value(*args, **kwargs) if operation == "call" else value
        raise _refused(found, str(name))

    def _is_used(self, found: Any, name: str) -> bool:
        """Return whether an operator may be used. One that changes an object needs the same use by the reference."""
        return name not in _CHANGING or is_mock(found) or self._may(found, "set", name, "changes")

    def _is_set(self, found: Any, name: str, value: object) -> bool:
        """Return whether a name may be set. No test looks at a new name, or at a name that keeps its value."""
        if not is_mock(found) and not self._learnt.learning and getattr(found, name, value) is value:
            return True
        return self._may(found, "set", name, "sets")

    def _is_read(self, found: Any, name: str) -> bool:
        if isinstance(found, BaseException) and not self._line.trust.tells(found):
            return False
        if is_mock(found):
            return name not in _controls() or self._may(found, "use", name, "reads")
        return _is_of_the_library(found, name) or self._may(found, "use", name, "reads")

    def _may(self, found: Any, way: str, name: str, does: str) -> bool:
        place = f"{name_of(type(found))}.{name}"
        # Reading what the reference does not read is unusual; setting it rewrites a double.
        return self._learnt.allows(f"{way} {place}", f"it {does} {place}, which is the tests'", held=way == "set")


def is_mock(found: object) -> bool:
    return type(found).__module__ == _MOCKS


@functools.cache
def _controls() -> frozenset[str]:
    """Return the names that set up a mock and report its calls."""
    mock: Any = sys.modules[_MOCKS]
    return frozenset({*dir(mock.MagicMock()), *dir(mock.AsyncMock())})


def _is_of_the_library(found: object, name: str) -> bool:
    """Return whether the attribute comes from its class, and that class or base is the standard library's."""
    kind = next((base for base in type(found).__mro__ if name in base.__dict__), type(found))
    return kind.__module__.partition(".")[0] in sys.stdlib_module_names


def _is_offered(found: object, name: str) -> bool:
    """Return True for operators and the methods of generators, and for `repr` and the like if Python code defined
    them.
    """
    if isinstance(found, _CALLED_ONLY):
        driven = isinstance(found, types.GeneratorType) and name in ("send", "throw", "close")
        return driven or (name in _OF_ALL and not isinstance(found, type))
    if name in ("__repr__", "__str__", "__format__"):
        return any(name in base.__dict__ and base.__flags__ & HEAP for base in type(found).__mro__)
    return name in _SPECIALS


def _is_public(found: object, name: str) -> bool:
    return (
        name.isidentifier()
        and not name.startswith("_")
        and not isinstance(found, _CALLED_ONLY)
        and not _is_of_the_runner(type(found))
    )


def _is_of_the_runner(kind: type) -> bool:
    return kind.__module__ != _MOCKS and str(kind.__module__).partition(".")[0] in _OF_THE_RUNNER


def _refused(found: object, name: str) -> AttributeError:
    return AttributeError(f"{type(found).__name__!r} object has no attribute {name!r} for the submission")
