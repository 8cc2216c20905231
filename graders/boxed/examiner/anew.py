"""Runs beside a submission: its functions get copies of the values that a property drew, so the oracle's stay
unchanged.

If tests and submission are in two boxes, the connection does this. In one box, tests that import `solution` get a
module whose functions copy the lists, dicts, sets and bytearrays among their arguments before they call the
submission's. Calls inside the submission are not affected.
"""

import functools
import sys
import types
from collections import deque
from collections.abc import Callable
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec
from typing import Any

_COPIED = (list, dict, set, bytearray, deque)


class Giving(types.ModuleType):
    """The module that tests get in the place of the submission's."""

    def __getattr__(self, name: str) -> Any:
        if "_assay_module" not in vars(self):  # the import system reads attributes before the module is loaded
            raise AttributeError(name)
        found = getattr(vars(self)["_assay_module"], name)
        return giving(found) if isinstance(found, types.FunctionType) else found

    def __dir__(self) -> list[str]:
        return dir(vars(self)["_assay_module"])


@functools.cache
def giving(function: Callable[..., object]) -> Callable[..., object]:
    """Return a function that calls the given one with copies of its arguments."""

    @functools.wraps(function)
    def given(*args: object, **kwargs: object) -> object:
        __tracebackhide__ = True
        made: dict[int, object] = {}
        return function(*(_anew(arg, made) for arg in args), **{name: _anew(arg, made) for name, arg in kwargs.items()})

    return given


def _anew(value: Any, made: dict[int, object]) -> Any:
    kind = type(value)
    if kind is tuple:
        return tuple(_anew(item, made) for item in value)
    if kind not in _COPIED:
        return value
    if id(value) in made:
        return made[id(value)]
    new = made[id(value)] = value.copy()
    if kind is dict:
        for key in new:
            new[key] = _anew(new[key], made)
    elif kind in (list, deque):
        for position, item in enumerate(new):
            new[position] = _anew(item, made)
    return new


class EntryFinder(MetaPathFinder, Loader):
    """Finds the entry module for the tests. Imports while it is being loaded come from the submission, and get the real
    one.
    """

    def __init__(self, entry: str) -> None:
        self._entry = entry

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        return ModuleSpec(fullname, self, origin="the submission") if fullname == self._entry else None

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        return Giving(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        spec = PathFinder.find_spec(self._entry, None)
        if spec is None or spec.loader is None:
            raise ModuleNotFoundError(f"No module named {self._entry!r}", name=self._entry)
        real = module_from_spec(spec)
        sys.modules[self._entry] = real
        try:
            spec.loader.exec_module(real)
        finally:
            sys.modules[self._entry] = module
        shown = {name: value for name, value in vars(real).items() if name in ("__doc__", "__file__", "__all__")}
        vars(module).update(shown, _assay_module=real)


def install(entry: str) -> None:
    """Give tests the copying functions in the place of this module's."""
    sys.meta_path.insert(0, EntryFinder(entry))
