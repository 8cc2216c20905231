"""Runs inside the box: makes the submission's folder importable, after all the driver's own imports, and imports it."""

import os
import sys
from importlib import import_module
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from io import open_code
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Prelude:
    """Finds the entry module and runs the task's prelude in it first: its names exist, and line numbers stay the
    same.
    """

    def __init__(self, path: str) -> None:
        """`path`: the path of the prelude's file, which is named like the module."""
        self._module = os.path.basename(path).removesuffix(".py")
        self._run_in = prelude_of(path)

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:  # noqa: ARG002
        spec = PathFinder.find_spec(name) if name == self._module else None
        if spec is None or spec.loader is None:
            return None
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            self._run_in(vars(module))
            execute(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def prelude_of(path: str) -> "Callable[[dict[str, Any]], None]":
    """Return a function that runs the task's prelude in the names of a module."""
    with open_code(path) as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    return lambda names: exec(code, names)  # noqa: S102 - the author's


def make_importable(folder: str, prelude: str = "") -> None:
    """Put the folder first on the search path; its modules are found as if no driver ran in this process.

    A submission may have a `queue.py`, a `types.py` or a `graders.py`. If the driver, or the process it was forked
    from, has imported a module of that name, it is forgotten, so that the submission's is found as in a plain
    interpreter. Modules of installed packages stay: hidden tests must get the real pytest.

    `prelude`: the path of the task's prelude, named like the entry module; "" if the task has none.
    """
    sys.path.insert(0, os.path.abspath(folder))
    names = {name.partition(".")[0] for name in os.listdir(folder)}
    shadowed = {name for name in names if name in sys.stdlib_module_names or name == __name__.partition(".")[0]}
    if shadowed:  # after a fork, looking at a name copies the page of memory that it is on
        for name in [name for name in sys.modules if name.partition(".")[0] in shadowed and not _is_fixed(name)]:
            del sys.modules[name]
    if prelude:
        sys.meta_path.insert(0, Prelude(prelude))


def test_folders(tests: str) -> list[str]:
    """Return the absolute folders that pytest's own import mode would put on the search path of the tests.

    These are the folders of tests and of conftest.py; if one is a package, the folder that contains the package.
    """
    found: dict[str, None] = {}
    for folder, folders, names in os.walk(os.path.abspath(tests)):
        folders.sort()
        if any(name.endswith(".py") for name in names):
            place = folder
            while os.path.exists(os.path.join(place, "__init__.py")):
                place = os.path.dirname(place)
            found[place] = None
    return list(found)


def _is_fixed(name: str) -> bool:
    """Return True for modules that every interpreter imports before its program, so that no file can replace them."""
    spec = getattr(sys.modules[name], "__spec__", None)
    return name == "__main__" or spec is None or spec.origin in ("built-in", "frozen")


def import_submitted(name: str) -> ModuleType:
    """Import a module of the folder that was made importable. Raises what the import raises.

    The result is that of `import_module`, but a plain file is loaded directly: after a fork, each function of the
    import system costs a copy of the pages that it is on, together a tenth of the time of a small examination.
    """
    folder = sys.path[0]
    path = os.path.join(folder, name + ".py")
    if name in sys.modules or name in sys.stdlib_module_names or not os.path.isfile(path):
        return import_module(name)
    if any(type(finder) is Prelude for finder in sys.meta_path):
        return import_module(name)
    if os.path.isdir(os.path.join(folder, name)):  # it may be a package, which Python would find first
        return import_module(name)
    spec = spec_from_file_location(name, path)
    assert spec is not None
    module = sys.modules[name] = module_from_spec(spec)
    try:
        with open_code(path) as file:
            exec(compile(file.read(), path, "exec", dont_inherit=True), vars(module))  # noqa: S102
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return sys.modules[name]
