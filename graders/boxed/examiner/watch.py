"""Runs inside the examiner's box: notes what a submission does that the reference did not; learnt.py lists the facts.

A *place* is the origin of a submission's object, in names that the tests chose: `solution.find()` for a function's
result, `solution.Tree.root` for an attribute, and `solution.Tree[]` for the elements of an object of a class that the
task knows. Results of an iterator, a coroutine or a callable object of the library belong to the place of that object.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pytest

from graders.boxed.examiner.learnt import Learnt
from graders.boxed.rpc.connection import LIVE, PLAIN, REMEMBERED, Connection, Ref, Trust
from graders.boxed.rpc.proxy_classes import StandInMeta

_MAX_PLACE = 300
MAX_PLACES = 20
_GOES_ON = frozenset({"__next__", "__anext__", "send", "throw", "close", "asend", "athrow", "aclose"})
_ELEMENTS = frozenset({"__iter__", "__aiter__", "__reversed__", "__getitem__"})


Places = tuple[str, ...] | None
"""The places of an object, which is held to each of them; None if any object may be there."""


class TestWatch(Trust):
    """The examiner's trust in the candidate, for one run of the tests."""

    def __init__(self, line: Connection, learnt: Learnt, named: Callable[[type], bool]) -> None:
        self._line = line
        self._learnt = learnt
        self._named = named
        self._modules: dict[int, str] = {}
        self._bases: dict[str, tuple[str, ...]] = {}
        """Name of each class of the reference -> names of its bases."""
        self.test = ""
        self.changed: dict[str, None] = {}
        """Objects that the submission changed in the running test and the reference did not."""
        self.hiding = False
        """True in a run of the test in which such changes do not reach the tests."""
        self._ours: dict[int, BaseException] = {}
        """Assertions of the tests' own that failed while the submission was calling them."""
        self._unheard: dict[int, BaseException] = {}
        """Assertions among them that have not come back yet."""

    def next_test(self, test: str, *, hiding: bool = False) -> None:
        self.test, self.hiding = test, hiding
        self.changed.clear()
        self._ours.clear()
        self._unheard.clear()

    # --- places -----------------------------------------------------------------------------------------------------

    def module(self, number: int, name: str) -> None:
        """Note the handle of a module."""
        self._modules[number] = name

    def _owner(self, target: Any) -> Places:
        if target in self._modules:
            return (self._modules[target],)
        link = self._line.known_ref(target)
        return () if link is None else link.places

    def _here(self) -> Places:
        """Return the place of the value that is being read, by all its names."""
        operation, target, name = self._line.reading
        if operation == "links":
            return ("links",)
        if operation == "served":
            return (f"into {self._described(target)}.{name or ''}()",)
        owners = self._owner(target)
        if operation == "call" and (name is None or name == "__call__"):
            after = "()"
        elif operation == "call" and name in _ELEMENTS:
            after = "[]"
        elif operation not in ("call", "get") or name in _GOES_ON:
            return owners
        else:
            after = f".{name}" if operation == "get" else f".{name}()"
        return None if owners is None else tuple(f"{owner}{after}"[:_MAX_PLACE] for owner in owners or ("",))

    def _described(self, target: object) -> str:
        found = self._line.exported(target)
        return str(getattr(found, "__qualname__", None) or name_of(type(found)))

    def place(self, target: object, name: object) -> str:
        return f"{name_of(type(self._line.exported(target)))}.{name}"

    def standing(self, link: Ref, kind: Any) -> int:
        here = self._here()
        specials = kind._assay_facts["specials"]  # noqa: SLF001
        if "__next__" in specials:
            _add_places(link, here)
            return LIVE
        objects = self._hold_objects(here)
        known = self._known(kind)
        if known and not _is_of_the_library(kind):
            link.places = (known,)
        else:
            # The results of a callable object belong to the place of the object itself, as a function's do.
            _add_places(link, None if objects and not known and "__call__" not in specials else here)
        return PLAIN if not objects else LIVE if known else REMEMBERED

    def came(self, link: Ref, kind: Any = None) -> None:
        known = None if kind is None or _is_of_the_library(kind) else self._known(kind)
        if known:
            link.places = (known,)
        else:
            _add_places(link, self._here())

    def _known(self, kind: Any) -> str | None:
        """Return the name under which the task knows a class: its own, or that of its nearest known base."""
        names = [name_of(base) for base in kind.__mro__ if type(base) is StandInMeta]
        if self._learnt.learning:
            self._bases[names[0]] = tuple(names[1:])
            return names[0]
        return next((name for name in names if self._learnt.has(f"class {name}")), None)

    def holds_objects(self) -> bool:
        return self._hold_objects(self._here())

    def _hold_objects(self, here: Places) -> bool:
        return here is None or all(list(map(self._holds_objects, here)))

    def _holds_objects(self, here: str) -> bool:
        for name, bases in self._bases.items() if self._learnt.learning else ():
            if here.startswith((f"{name}.", f"{name}[")):
                for base in bases:
                    self._learnt.has(f"object {base}{here[len(name) :]}")
        return self._learnt.has(f"object {here}")

    # --- operators of objects ----------------------------------------------------------------------------------------

    def operator(self, kind: Any, group: str) -> bool:
        names = [name_of(base) for base in kind.__mro__ if type(base) is StandInMeta]
        facts = [f"operator {name} {group}" for name in names]
        found = [fact for fact in facts if self._learnt.has(fact)]
        # An object of a class that the task does not know may be another representation of a right answer.
        known = any(self._learnt.has(f"class {name}") for name in names)
        what = f"an object of {names[0]} was asked for {group!r}"
        return bool(found) or self._learnt.allows(facts[0], what, held=known)

    # --- exceptions --------------------------------------------------------------------------------------------------

    def tells(self, error: BaseException) -> bool:
        return not is_failure(error) and self._learnt.has(f"raises {name_of(type(error))} {self.test}")

    def failed(self, error: BaseException) -> None:
        """Note an exception of the tests' own code, which the submission has called."""
        for each in _failures(error):
            if id(each) in self._ours or not hasattr(each, _THEIRS):
                self._ours[id(each)] = self._unheard[id(each)] = each

    def heard(self, error: BaseException) -> None:
        for each in _failures(error):
            self._unheard.pop(id(each), None)
            if id(each) not in self._ours:
                setattr(each, _THEIRS, True)

    def swallowed(self, error: BaseException) -> None:
        for each in _failures(error):
            if not hasattr(each, _THEIRS):
                self._ours[id(each)] = self._unheard[id(each)] = each

    def objections(self) -> list[str]:
        """Return the reasons for which the test has not passed, even if pytest reports that it has."""
        if not self._unheard or self._learnt.has(f"swallowed {self.test}"):
            return []
        return [
            f"an assertion of the test failed while the submission was calling it, and the submission kept it to itself: "
            f"{type(error).__name__}: {str(error)[:500]}"
            for error in list(self._unheard.values())[:3]
        ]

    # --- what is changed ---------------------------------------------------------------------------------------------

    def carries_out(self, container: object, args: Iterable[object], kwargs: Mapping[str, object]) -> bool:
        operation, target, name = self._line.reading
        place = " ".join(self._owner(target) or ("",))
        what = place if name is None or operation != "call" else f"{place}.{name}"
        which = next((str(key) for key, arg in [*enumerate(args), *kwargs.items()] if _holds(arg, container)), "?")
        return self._is_expected(
            f"{what}() {which}", f"{what}() changes its argument {which} ({type(container).__name__})"
        )

    def carries_out_at(self, place: str) -> bool:
        return self._is_expected(place, f"it changes {place}, which is the tests'")

    def _is_expected(self, fact: str, what: str) -> bool:
        if self._learnt.allows(f"changed {fact}", what):
            return True
        self.changed[what] = None
        return not self.hiding


_THEIRS = "_assay_theirs"
"""Marks an assertion that failed in the submission."""


def is_failure(error: BaseException) -> bool:
    """Return whether the exception means that a test has failed."""
    return bool(_failures(error))


def _failures(error: BaseException) -> list[BaseException]:
    """Return the exceptions that mean that a test has failed: the exception itself, or some of a group."""
    if isinstance(error, BaseExceptionGroup):
        return [failure for each in error.exceptions for failure in _failures(each)]
    return [error] if isinstance(error, AssertionError | pytest.fail.Exception) else []


def name_of(kind: Any) -> str:
    """Return the name by which the task knows a class: without its module, because a submission may use any."""
    if type(kind) is StandInMeta and not _is_of_the_library(kind):
        return str(kind.__qualname__)
    return f"{kind.__module__}.{kind.__qualname__}"


def _is_of_the_library(kind: Any) -> bool:
    return str(kind.__module__).partition(".")[0] in sys.stdlib_module_names


def _add_places(link: Ref, here: Places) -> None:
    """Add a place. If an object has several places, each of them must allow it."""
    if not here:
        link.places = link.places or here
    elif not link.places:
        link.places = here
    elif not set(here) <= set(link.places):
        link.places = tuple(dict.fromkeys((*link.places, *here)))[:MAX_PLACES]


def _holds(arg: Any, container: object, depth: int = 5) -> bool:
    if arg is container:
        return True
    if depth == 0 or not isinstance(arg, list | tuple | dict | set | frozenset):
        return False
    inside = [*arg.keys(), *arg.values()] if isinstance(arg, dict) else arg
    return any(_holds(item, container, depth - 1) for item in inside)
