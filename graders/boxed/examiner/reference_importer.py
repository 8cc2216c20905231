"""Runs inside the box of the tests: `import reference` for properties that compare the submission with the reference.

A file of the reference that imports another by its name gets the reference's, though the submission may have one of that name
as well. Where the submission is in the same box, its files do not get the reference by that name: they may have a module
`reference` of their own. In a box of its own there is nothing of it.
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
    """Finds the entry file as `reference`, and everything beside it under that name as well."""

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
        # The entry file stands for the folder as well, so that what is beside it is found below its name.
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
        # Once more, for modules among what is named.
        return builtins.__import__(module.__name__, globals, locals, fromlist, 0) if below else module


class Imports:
    """In the place of `__import__`, beside a submission: what its files mean by `reference` is in its own folder, if anywhere."""

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
    """Have `import reference` give what is in the folder, whatever the submission has of that name.

    `submission`: the folder of it, where it is in this box.
    """
    found = ReferenceFinder(folder, entry)
    sys.meta_path.insert(0, found)
    if submission:
        builtins.__import__ = Imports(found, submission)
