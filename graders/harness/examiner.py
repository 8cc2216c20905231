"""Runs inside the examiner's box: `import solution` for tests whose submission runs in another box.

Every byte from there may be hostile. What it can do is answer what it is asked; what it cannot is to ask for more than tests
hand over: what they pass can be called, iterated, read and set by public names, and used with the operators that its class
defines. `equal` decides on equality: the other side has no say in it.
"""

import functools
import inspect
import sys
import types
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_loader
from typing import Any

from graders.encoding import EncodingError
from graders.harness import signatures, stand_in, stand_in_class
from graders.harness.ambient_of_tests import AmbientOfTests
from graders.harness.line import Line, LineBroken
from graders.harness.stand_in import StandIns, run_to_end
from graders.harness.stand_in_class import FORWARDED, StandInMeta, is_special, number_of

_SPECIALS = FORWARDED | {"__eq__", "__ne__", "__hash__"}
_OF_ALL = frozenset({"__call__", "__iter__", "__next__", "__aiter__", "__anext__", "__eq__", "__ne__", "__hash__"})
_CALLED_ONLY = (
    types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.MethodWrapperType, type, types.ModuleType,
    types.GeneratorType, types.CoroutineType, types.AsyncGeneratorType, types.FrameType, types.CodeType, types.TracebackType,
    functools.partial,
)  # fmt: skip
_OF_THE_RUNNER = frozenset({"pytest", "_pytest", "pluggy", "unittest", "inspect", "graders", "importlib"})
_MOCKS = "unittest.mock"


class SharedOnly(Exception):  # noqa: N818 - says what to do
    """A test wants what needs one process for tests and submission."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f'{what}: the submission runs in another process. isolation = "shared" in the suite\'s table allows it'
        )


class Examiner:
    """This side of the line, for one run of pytest."""

    def __init__(self, classes: Sequence[str] | None, *, own: bool, folders: Sequence[str] = ()) -> None:
        """`classes`: those that the task knows, None for all; `own`: the `__eq__` of such a class decides; `folders`: of the
        tests, absolute.
        """
        self._classes = None if classes is None else frozenset(classes)
        self._own = own
        self.line = Line(self._perform, give_output=_print)
        self.stand_ins = StandIns(self.line, equal=self._equal, named=self._named)
        self.stand_ins.writes_all = False
        self.compared = False
        """True once two objects of the submission's own have been compared."""
        self._comparing: set[tuple[int, int]] = set()
        self._loops: list[Any] = []
        self.ambient = self.line.ambient = AmbientOfTests(folders)
        if self.ambient.files.names:
            self.line.overhear = self.ambient.files.overhear

    def next_test(self) -> None:
        """The caps are for one test."""
        self.line.calls = self.line.bytes = 0
        self.compared = False
        self.stand_ins.decided.clear()

    def _named(self, kind: type) -> bool:
        return self._classes is None or any(
            name_of(base) in self._classes for base in kind.__mro__ if type(base) is StandInMeta
        )

    # --- equality -----------------------------------------------------------------------------------------------------

    def _equal(self, one: Any, other: Any) -> Any:
        kind = type(one)
        facts = kind._assay_facts  # noqa: SLF001
        if one is other:
            return True
        if type(type(other)) is not StandInMeta:
            if self._own and facts["equal"] and self._named(kind):
                return self._asked(one, other)
            if facts["container"] is None:
                return NotImplemented  # which ends as False, unless the test's own object thinks otherwise
            return self.line.ask("content", number_of(one)) == other
        numbers = (number_of(one), number_of(other))
        if numbers[0] == numbers[1]:
            return True
        if not facts["equal"] and not type(other)._assay_facts["equal"]:  # noqa: SLF001
            return False
        if self._own and self._named(kind):
            return self._asked(one, other)
        return self._same_state(one, other, numbers)

    def _asked(self, one: Any, other: Any) -> Any:
        self.compared = True
        answer = self.line.ask("call", number_of(one), "__eq__", (other,))
        if type(answer) is not bool and answer is not NotImplemented:
            raise TypeError(f"{type(one).__name__}.__eq__ gives {type(answer).__name__}, not bool")
        return answer

    def _same_state(self, one: Any, other: Any, numbers: tuple[int, int]) -> bool:
        self.compared = True
        if type(one) is not type(other):
            return False
        if numbers in self._comparing:  # each holds itself, perhaps by way of others
            return True
        self._comparing.add(numbers)
        try:
            states = [self.line.ask("state", number) for number in numbers]
            return states[0] is not None and bool(states[0] == states[1])
        finally:
            self._comparing.discard(numbers)

    # --- what the submission may do with what it is given -------------------------------------------------------------

    def _perform(self, operation: str, target: Any, name: str | None, args: list[Any], kwargs: dict[str, Any]) -> Any:  # noqa: C901 - one table
        try:
            if operation == "ambient":
                return self.ambient.asked(str(name), args)
            found = self.line.exported(target)
        except EncodingError as error:
            raise LineBroken(str(error)) from error
        if operation == "call" and name is None:
            return found(*args, **kwargs)
        if operation == "await" and isinstance(found, types.CoroutineType):
            return run_to_end(found, self._loops)
        if operation == "call" and _is_offered(found, str(name)):
            return getattr(type(found), str(name))(found, *args)
        if operation == "call" and name == "__iter__" and isinstance(found, type):
            return iter(found)  # type: ignore[call-overload]
        if not _is_public(found, str(name)):
            raise _refused(found, str(name))
        if operation == "call":
            return getattr(found, str(name))(*args, **kwargs)
        if operation == "get":
            return getattr(found, str(name))
        if operation == "set" and len(args) == 1 and type(found).__flags__ & HEAP:
            return setattr(found, str(name), args[0])
        raise _refused(found, str(name))


HEAP = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: a class that Python code has made."""


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


def _print(stdout: str, stderr: str) -> None:
    if stdout:
        sys.stdout.write(stdout)
    if stderr:
        sys.stderr.write(stderr)


def name_of(kind: Any) -> str:
    """As it is known to the task."""
    return f"{kind.__module__}.{kind.__qualname__}"


class Module(types.ModuleType):
    """Stands for a module of the submission. What is in it is asked for each time: it may change."""

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        if is_special(name) and name not in ("__all__", "__version__", "__author__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        state = vars(self)
        return state["_assay_examiner"].line.ask("get", state["_assay_number"], name)

    def __setattr__(self, name: str, value: object) -> None:
        # What the import system itself sets: the module's own names, and submodules.
        if is_special(name) or isinstance(value, Module):
            super().__setattr__(name, value)
        else:
            raise SharedOnly(f"{self.__name__}.{name} cannot be set from outside")

    def __delattr__(self, name: str) -> None:
        raise SharedOnly(f"{self.__name__}.{name} cannot be removed from outside")

    def __dir__(self) -> list[str]:
        return [str(name) for name in vars(self)["_assay_examiner"].line.ask("dir", vars(self)["_assay_number"])]


class Importer(MetaPathFinder, Loader):
    """Finds the submission's modules, and none other, on the other side."""

    def __init__(self, examiner: Examiner, names: Sequence[str]) -> None:
        self._examiner = examiner
        self._names = frozenset(names)
        self._imported: set[str] = set()

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        return (
            spec_from_loader(fullname, self, origin="the submission")
            if fullname.partition(".")[0] in self._names
            else None
        )

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        return Module(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        __tracebackhide__ = True
        name = module.__name__
        again = name in self._imported
        number, is_package, doc = self._examiner.line.ask("import", 0, name, (again,))
        self._imported.add(name)
        vars(module).update(_assay_examiner=self._examiner, _assay_number=int(number), __doc__=doc)
        if is_package is True:
            vars(module)["__path__"] = []
            assert module.__spec__ is not None
            module.__spec__.submodule_search_locations = []


def install(examiner: Examiner, entry: str, names: Sequence[str]) -> None:
    """Have `import solution` give the submission's. A module that exists here keeps its name, but for the entry module."""
    taken = [name for name in names if name != entry and (name in sys.stdlib_module_names or _exists(name))]
    ours = [name for name in names if name not in taken]
    # Seldom; after a fork, to look at each name is to copy the page that it is on.
    if not sys.modules.keys().isdisjoint(ours):
        for name in [name for name in sys.modules if name.partition(".")[0] in ours]:
            del sys.modules[name]
    sys.meta_path.insert(0, Importer(examiner, ours))
    examiner.ambient.watch()
    signatures.install(examiner.stand_ins.reference_of)
    inspect.getfile = _getfile  # what inspect.getsource and its kin begin with


def _exists(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return True


_OURS = frozenset({stand_in.__file__, stand_in_class.__file__})
_real_getfile = inspect.getfile


def _getfile(object: Any) -> str:  # as inspect has it
    if isinstance(object, Module | StandInMeta) or type(type(object)) is StandInMeta or _is_wrapper(object):
        raise SharedOnly("the source of a submission cannot be read by its tests")
    return _real_getfile(object)


def _is_wrapper(found: Any) -> bool:
    code = getattr(found, "__code__", None)
    return isinstance(code, types.CodeType) and code.co_filename in _OURS
