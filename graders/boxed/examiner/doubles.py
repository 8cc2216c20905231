"""Runs inside the examiner's box: what a submission may do with what the tests hand over.

Whatever is called by the tests' own classes and by mocks can be called and iterated. Of their attributes, those are read and
set that the reference has read and set: a double is used, never rewritten. A mock has every name, so any name that is no
control of its own is a use of it. An attribute that nobody has can be added to an object of the tests' own class, which no
test looks at.
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
    """What the tests handed over, as the submission meets it."""

    def __init__(self, line: Connection, learnt: Learnt) -> None:
        self._line = line
        self._learnt = learnt
        self._loops: list[Any] = []

    def perform(self, operation: str, target: Any, name: str | None, args: list[Any], kwargs: dict[str, Any]) -> Any:
        """Do what the submission asks for. Raises AttributeError for what it may not, LineBroken for what nobody handed over."""
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
        """Operators change something of an object where the reference has them do so."""
        return name not in _CHANGING or is_mock(found) or self._may(found, "set", name, "changes")

    def _is_set(self, found: Any, name: str, value: object) -> bool:
        """A name that is new, or has the same object after it, is nothing that a test looks at."""
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
        # To read what the reference does not is unusual; to set it is to rewrite a double.
        return self._learnt.allows(f"{way} {place}", f"it {does} {place}, which is the tests'", held=way == "set")


def is_mock(found: object) -> bool:
    return type(found).__module__ == _MOCKS


@functools.cache
def _controls() -> frozenset[str]:
    """The names by which a mock is told what to do, and asked what was done."""
    mock: Any = sys.modules[_MOCKS]
    return frozenset({*dir(mock.MagicMock()), *dir(mock.AsyncMock())})


def _is_of_the_library(found: object, name: str) -> bool:
    """Whether what it has under this name is its class's, and that class or its base the library's."""
    kind = next((base for base in type(found).__mro__ if name in base.__dict__), type(found))
    return kind.__module__.partition(".")[0] in sys.stdlib_module_names


def _is_offered(found: object, name: str) -> bool:
    """True for operators, and for what generators are driven by. What an object says of itself has to be its author's text."""
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
