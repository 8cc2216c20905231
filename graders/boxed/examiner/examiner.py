"""Runs inside the examiner's box: `import solution` for tests whose submission runs in another box.

Every byte from that box may be hostile. The submission can answer requests, and can use only objects that tests hand
over: these can be called, iterated, read and set by public names, and used with the operators that their class defines.
`_equal` decides equality on this side; the submission does not.
"""

import importlib
import inspect
import sys
import types
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec, spec_from_loader
from typing import Any

from graders.boxed.examiner.ambient import AmbientOfTests
from graders.boxed.examiner.doubles import Doubles
from graders.boxed.examiner.learnt import Learnt
from graders.boxed.examiner.watch import TestWatch, name_of
from graders.boxed.rpc import proxies, proxy_classes, signatures
from graders.boxed.rpc.connection import Connection, LineBroken
from graders.boxed.rpc.proxies import Proxies
from graders.boxed.rpc.proxy_classes import REF, StandInMeta, is_special, number_of
from graders.boxed.rpc.taken import Taken
from graders.boxed.shared.encoding import EncodingError


class SharedOnly(Exception):  # noqa: N818 - named for the remedy
    """A test does something that needs tests and submission in one process."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f'{what}: the submission runs in another process. isolation = "shared" in the suite\'s table allows it'
        )


class Examiner:
    """This side of the connection, for one run of pytest."""

    def __init__(self, facts: Sequence[str] | None, *, own: bool, folders: Sequence[str] = ()) -> None:
        """`facts`: the facts of the reference, None in the reference's own run; `own`: the `__eq__` of a known class
        decides; `folders`: the folders of the tests, absolute.
        """
        self.learnt = Learnt(facts)
        self._own = own
        self.line = Connection(self._perform, give_output=_print)
        self.watch = self.line.trust = TestWatch(self.line, self.learnt, self._named)
        self._doubles = Doubles(self.line, self.learnt)
        self.proxies = Proxies(self.line, equal=self._equal, named=self._named)
        self.proxies.writes_all = False
        self.library = frozenset(place for (place,) in self.learnt.about("library"))
        """Names in the submission's modules under which the reference's have modules of the library."""
        self.compared = False
        """True once two objects of the submission's own have been compared."""
        self.disagreements: list[str] = []
        """Messages about classes whose own `==` contradicts the compared states of two objects."""
        self._comparing: set[tuple[int, int]] = set()
        self.ambient = self.line.ambient = AmbientOfTests(folders)
        if self.ambient.files.names:
            self.line.overhear = self.ambient.files.overhear

    def next_test(self, test: str, *, hiding: bool = False) -> None:
        """Start a test with new limits. `hiding`: drop changes that the submission makes and the reference does not."""
        self.line.calls = self.line.bytes = 0
        self.compared = False
        self.proxies.decided.clear()
        self.learnt.refused.clear()
        self.disagreements.clear()
        self.watch.next_test(test, hiding=hiding)

    def _perform(self, operation: str, target: Any, name: str | None, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if operation == "ambient":
            try:
                return self.ambient.asked(str(name), args)
            except EncodingError as error:
                raise LineBroken(str(error)) from error
        return self._doubles.perform(operation, target, name, args, kwargs)

    def _named(self, kind: type) -> bool:
        """Return whether the task knows a class, by its name or by that of a base."""
        if self.learnt.learning:
            return self.learnt.has(f"class {name_of(kind)}")
        return any(self.learnt.has(f"class {name_of(base)}") for base in kind.__mro__ if type(base) is StandInMeta)

    # --- equality -----------------------------------------------------------------------------------------------------

    def _equal(self, one: Any, other: Any) -> Any:
        kind = type(one)
        facts = kind._assay_facts  # noqa: SLF001
        if one is other:
            return True
        if type(type(other)) is not StandInMeta:
            if self._own and facts["equal"] and self._named(kind) and not _is_plain(one):
                return self._asked(one, other)
            if facts["container"] is None:
                return NotImplemented  # Python then returns False, unless the test's own object has an answer
            return self.line.ask("content", number_of(one)) == other
        numbers = (number_of(one), number_of(other))
        if numbers[0] == numbers[1]:
            return True
        if _is_plain(one) or _is_plain(other):
            return False
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
        if numbers in self._comparing:  # each contains itself, directly or through other objects
            return True
        inside = bool(self._comparing)
        self._comparing.add(numbers)
        try:
            same = type(one) is type(other) and self._same(*numbers)
            if not inside:
                self._compare_with_its_own(one, other, same=same)
            return same
        finally:
            self._comparing.discard(numbers)

    def _same(self, one: int, other: int) -> bool:
        states = [self.line.ask("state", number) for number in (one, other)]
        return states[0] is not None and bool(states[0] == states[1])

    def _compare_with_its_own(self, one: Any, other: Any, *, same: bool) -> None:
        """Note a disagreement between the class's own `==` and the compared states: either of them may be right."""
        own: Any = NotImplemented
        for left, right in ((one, other), (other, one)):
            if own is NotImplemented and type(left)._assay_facts["equal"]:  # noqa: SLF001
                own = self.line.ask("call", number_of(left), "__eq__", (right,))
        if (False if own is NotImplemented else own) is same or self.learnt.has(f"disagrees {name_of(type(one))}"):
            return
        self.disagreements.append(
            f"{type(one).__name__}'s own == and the compared states of two of its objects disagree"
        )


def _is_plain(proxy: object) -> bool:
    """Return whether a proxy is in the place of a plain value."""
    link: Any = object.__getattribute__(proxy, REF)
    return type(link) is Taken and link.plain


def _print(stdout: str, stderr: str) -> None:
    if stdout:
        sys.stdout.write(stdout)
    if stderr:
        sys.stderr.write(stderr)


class Module(types.ModuleType):
    """A proxy for a module of the submission. Attributes are requested each time, because they may change."""

    def __getattr__(self, name: str) -> Any:
        __tracebackhide__ = True
        if is_special(name) and name not in ("__all__", "__version__", "__author__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        state = vars(self)
        examiner: Examiner = state["_assay_examiner"]
        place = f"{self.__name__}.{name}"
        if place in examiner.library:
            return importlib.import_module(name)
        found = examiner.line.ask("get", state["_assay_number"], name)
        if name == "__all__":
            return [name for name in found if examiner.learnt.has(f"name {self.__name__}.{name}")]
        if examiner.learnt.learning and name in sys.stdlib_module_names and _is_module(found):
            examiner.learnt.has(f"library {place}")
            return importlib.import_module(name)
        return found

    def __setattr__(self, name: str, value: object) -> None:
        # The import system itself sets the module's special names, and submodules.
        if is_special(name) or isinstance(value, Module):
            super().__setattr__(name, value)
        else:
            raise SharedOnly(f"{self.__name__}.{name} cannot be set from outside")

    def __delattr__(self, name: str) -> None:
        raise SharedOnly(f"{self.__name__}.{name} cannot be removed from outside")

    def __dir__(self) -> list[str]:
        return [str(name) for name in vars(self)["_assay_examiner"].line.ask("dir", vars(self)["_assay_number"])]


def _is_module(found: object) -> bool:
    kind = type(found)
    return type(kind) is StandInMeta and (kind.__module__, kind.__qualname__) == ("builtins", "module")


class Importer(MetaPathFinder, Loader):
    """Finds the submission's modules, and no others, on the other side."""

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
        self._examiner.watch.module(int(number), name)
        vars(module).update(_assay_examiner=self._examiner, _assay_number=int(number), __doc__=doc)
        if is_package is True:
            vars(module)["__path__"] = []
            assert module.__spec__ is not None
            module.__spec__.submodule_search_locations = []


def install(examiner: Examiner, entry: str, names: Sequence[str]) -> None:
    """Make `import solution` import the submission's. A module that exists here keeps its name, except the entry
    module.
    """
    taken = [name for name in names if name != entry and (name in sys.stdlib_module_names or _exists(name))]
    ours = [name for name in names if name not in taken]
    # Rare, and after a fork looking at a name copies the page of memory that it is on.
    if not sys.modules.keys().isdisjoint(ours):
        for name in [name for name in sys.modules if name.partition(".")[0] in ours]:
            del sys.modules[name]
    sys.meta_path.insert(0, Importer(examiner, ours))
    examiner.ambient.watch()
    signatures.install(examiner.proxies.reference_of)
    inspect.getfile = _getfile  # inspect.getsource and its relatives call it first


def _exists(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return True


_OURS = frozenset({proxies.__file__, proxy_classes.__file__})
_real_getfile = inspect.getfile


def _getfile(object: Any) -> str:  # as inspect has it
    if isinstance(object, Module | StandInMeta) or type(type(object)) is StandInMeta or _is_wrapper(object):
        raise SharedOnly("the source of a submission cannot be read by its tests")
    return _real_getfile(object)


def _is_wrapper(found: Any) -> bool:
    code = getattr(found, "__code__", None)
    return isinstance(code, types.CodeType) and code.co_filename in _OURS
