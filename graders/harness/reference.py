"""Runs inside the examiner's box: `import reference` for properties that compare the submission with the reference.

A file of the reference that imports another by its name gets the reference's, though the submission may have one of that name
as well. The submission's box has nothing of it.
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


class Reference(MetaPathFinder):
    """Finds the entry file as `reference`, and everything beside it under that name as well."""

    def __init__(self, folder: str, entry: str) -> None:
        self._folder = os.path.abspath(folder)
        self._entry = entry
        self._names = {name.removesuffix(".py") for name in os.listdir(folder)}

    def find_spec(self, fullname: str, path: object, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        first, *rest = fullname.split(".")
        if first != NAME:
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


def install(folder: str, entry: str) -> None:
    """Have `import reference` give what is in the folder, whatever the submission has of that name."""
    sys.meta_path.insert(0, Reference(folder, entry))
