"""Makes objects immortal: their references are no longer counted, so a fork can use them and its memory stays shared.

CPython keeps the reference count in the object. A program that only calls functions imported before the fork still writes to the
count, and each page that is written to is copied: that was half of all pages that a program touched. An immortal object has a
special count that never changes (PEP 683, made for this; Python 3.12). Only the interpreter itself creates that count, so
the zygote copies it from None into all objects that exist before its first fork. None of these is freed any more, in the zygote or in
a program. A program can observe that by `sys.getrefcount`, by weak references, and by finalizers that do not run.
"""

from __future__ import annotations

import ctypes
import gc
import sys
import types

from sandboxes.inside import jail

OF_CODE = (
    "co_consts", "co_names", "co_name", "co_qualname", "co_filename", "co_linetable", "co_exceptiontable",
    "co_varnames", "co_cellvars", "co_freevars",
)  # fmt: skip
"""Attributes of a code object that refer to other objects. The collector does not follow them, because they cannot form a cycle.

The last three are made on request, and fill memory pages that were half used, so that a fork's own objects lie closer together.
"""


def make_immortal() -> None:
    """Make all existing objects immortal; none if this interpreter's counts cannot be read as expected."""
    forever = ctypes.c_int64.from_address(id(None)).value
    if sys.version_info < (3, 12) or forever != sys.getrefcount(None):
        return
    found = gc.get_objects()
    while found:
        made: list[object] = []
        jail.make_immortal(found, made, forever)
        found = gc.get_referents(*made)
        for each in made:
            if type(each) is types.CodeType:
                found += [getattr(each, name) for name in OF_CODE]
            elif type(each) is dict:
                found += each  # the collector passes over keys that are text
