"""Objects whose references are counted no more, so that a fork can use them and its memory stays shared.

CPython keeps the count in the object. A program that only calls what was imported before the fork writes to it all the same,
and each page that is written to is copied: that was half of all that a program touched. An object may have a count that says
"for ever" instead, which is never changed (PEP 683, made for this; Python 3.12). Only the interpreter itself gives it, so
the zygote copies it from None, into all that is there before its first fork. None of that is freed any more, in the zygote or in
a program: a difference that a program can tell, by `sys.getrefcount`, by weak references, and by finalizers that do not run.
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
"""What a code object refers to; the collector does not know, because none of it can be part of a cycle.

The last three are made when they are asked for, and fill what memory was half used: what a fork makes lies closer together.
"""


def make_immortal() -> None:
    """All objects that are there now; none where this interpreter's counts cannot be read as expected."""
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
