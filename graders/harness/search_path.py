"""Runs inside the box: how a driver makes the submission's folder importable, after all its own imports."""

import os
import sys


def make_importable(folder: str) -> None:
    """Put the folder first on the search path; its modules are found as if no driver ran in this process.

    A submission may have a `queue.py`, a `types.py` or a `graders.py`. Where a driver, or what it was forked from, has
    imported a module of that name, it is forgotten, and the submission's own is found, as a plain interpreter would.
    Modules of installed packages stay: hidden tests are to meet the real pytest.
    """
    sys.path.insert(0, os.path.abspath(folder))
    ours = {*sys.stdlib_module_names, __name__.partition(".")[0]}
    shadowed = ours & {name.partition(".")[0] for name in os.listdir(folder)}
    if shadowed:  # after a fork, to look at each name is to copy the page that it is on
        for name in [name for name in sys.modules if name.partition(".")[0] in shadowed and not _is_fixed(name)]:
            del sys.modules[name]


def _is_fixed(name: str) -> bool:
    """True for what every interpreter has imported before its program, so that nothing can take its place."""
    spec = getattr(sys.modules[name], "__spec__", None)
    return name == "__main__" or spec is None or spec.origin in ("built-in", "frozen")
