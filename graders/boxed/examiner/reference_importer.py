"""Runs inside the box of the tests: `import reference` for properties that compare the submission with the reference.

A file of the reference that imports another file gets the reference's, even if the submission has one of that name. If
the submission is in the same box, its own files do not get the reference as `reference`: they may have a module of that
name. In a box of its own, the submission has no access to the reference.
"""

import builtins
import importlib
import os
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from types import ModuleType
from typing import Any

NAME = "reference"


class Loader(SourceFileLoader):
    """Loads a file of the reference; its import statements look there first."""

    own_import: Any

    def exec_module(self, module: ModuleType) -> None:
        vars(module)["__builtins__"] = {**vars(builtins), "__import__": self.own_import}
        super().exec_module(module)


class ReferenceFinder(MetaPathFinder):
    """Finds the entry file as `reference`, and the files beside it as its submodules."""

    def __init__(self, folder: str, entry: str) -> None:
        self._folder = os.path.abspath(folder)
        self._entry = entry
        self.away = False
        """True while a file of the submission imports something."""
        self._names = {name.removesuffix(".py") for name in os.listdir(folder)}

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:
        first, *rest = fullname.split(".")
        if first != NAME or self.away:
            return None
        place = os.path.join(self._folder, *(rest or [self._entry]))
        found = next((path for path in (f"{place}.py", os.path.join(place, "__init__.py")) if os.path.exists(path)), "")
        if not found:
            return None
        loader = Loader(fullname, found)
        loader.own_import = self._import
        # The entry file is also the package, so that the files beside it are found as its submodules.
        folders = [os.path.dirname(found)] if not rest or found.endswith("__init__.py") else None
        return spec_from_file_location(fullname, found, loader=loader, submodule_search_locations=folders)

    def _import(
        self, name: str, globals: Any = None, locals: Any = None, fromlist: Sequence[str] | None = (), level: int = 0
    ) -> ModuleType:  # fmt: skip
        first = name.partition(".")[0]
        if level or first not in self._names:
            return builtins.__import__(name, globals, locals, fromlist or (), level)
        below = "" if first == self._entry else f".{name}"
        module = importlib.import_module(f"{NAME}{below}")
        if not fromlist:
            return sys.modules[NAME if first == self._entry else f"{NAME}.{first}"]
        # Import once more: the names of `fromlist` may be modules.
        return builtins.__import__(module.__name__, globals, locals, fromlist, 0) if below else module


class Imports:
    """Replaces `__import__` beside a submission: its files find a module `reference` only in their own folder."""

    def __init__(self, reference: ReferenceFinder, submission: str) -> None:
        self._reference = reference
        self._folder = os.path.abspath(submission) + os.sep
        self._real = builtins.__import__
        self._theirs: dict[str, ModuleType] = {}

    def __call__(
        self, name: str, globals: Any = None, locals: Any = None, fromlist: Sequence[str] | None = (), level: int = 0
    ) -> ModuleType:  # fmt: skip
        asks = str((globals or {}).get("__file__", ""))
        if self._reference.away or name.partition(".")[0] != NAME or not asks.startswith(self._folder):
            return self._real(name, globals, locals, fromlist or (), level)
        ours = self._take()
        sys.modules.update(self._theirs)
        self._reference.away = True
        try:
            return self._real(name, globals, locals, fromlist or (), level)
        finally:
            self._reference.away = False
            self._theirs = self._take()
            sys.modules.update(ours)

    def _take(self) -> dict[str, ModuleType]:
        return {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == NAME}


def install(folder: str, entry: str, submission: str) -> None:
    """Make `import reference` import the files in the folder, even if the submission has a module of that name.

    `submission`: its folder, if it is in this box; else "".
    """
    found = ReferenceFinder(folder, entry)
    sys.meta_path.insert(0, found)
    if submission:
        builtins.__import__ = Imports(found, submission)
