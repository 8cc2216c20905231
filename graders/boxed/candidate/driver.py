"""Runs inside the candidate's box: the submission. The tests that call it are at the other end of the connection.

It serves the examiner's requests and learns nothing else: the tests and their expected values are not in this box.
Standard library only. A submission that takes over this process can write replies itself, and gains no more than by
returning them; see docs/adr/0006-two-processes.md.
"""

import copy
import importlib
import io
import os
import sys
from operator import contains, getitem
from os import _exit
from typing import Any

from graders.boxed.candidate.ambient import AmbientOfCandidate
from graders.boxed.rpc.connection import Connection, LineBroken, LineEnded
from graders.boxed.rpc.proxies import Proxies, run_to_end
from graders.boxed.rpc.proxy_classes import CONTAINERS, number_of
from graders.boxed.rpc.signatures import seen
from graders.boxed.shared.encoding import mro_of
from graders.boxed.shared.search_path import import_submitted, make_importable

OUTPUT_CHARACTERS = 1 << 20
"""Characters printed by one call that are sent to the tests. The rest goes to the box's own stdout, which has a
limit."""


class Printed(io.RawIOBase):
    """Collects what Python code prints on one of the two streams."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._kept = bytearray()

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._descriptor

    def write(self, data: Any) -> int:
        data = bytes(data)
        room = OUTPUT_CHARACTERS - len(self._kept)
        self._kept += data[:room]
        if data[room:]:
            os.write(self._descriptor, data[room:])
        return len(data)

    def take(self) -> str:
        if not self._kept:
            return ""
        kept, self._kept = self._kept, bytearray()
        return kept.decode("utf-8", "replace")


PRINTED = (Printed(1), Printed(2))


def take_output() -> list[str]:
    return [printed.take() for printed in PRINTED]


LOOPS: list[Any] = []


def perform(operation: str, target: Any, name: str | None, args: list[Any], kwargs: dict[str, Any]) -> Any:
    """Serve a request of the examiner. `target` is a handle; `import` uses only `name`."""
    if operation == "import":
        return _import(str(name), *args)
    found = LINE.exported(target)
    if operation == "call":
        if name is None:
            return found(*args, **kwargs)
        if name.startswith("__"):
            return _special(found, name, args)
        return getattr(found, name)(*args, **kwargs)
    if operation == "await":
        return run_to_end(found, LOOPS)
    return OPERATIONS[operation](found, name, *args)


def _special(found: Any, name: str, args: list[Any]) -> Any:
    if isinstance(found, type):
        # Use the operators, because `Box[int]` is not answered by a special method of the metaclass.
        ways: dict[str, Any] = {"__iter__": iter, "__len__": len, "__getitem__": getitem, "__contains__": contains}
        return ways[name](found, *args)
    return getattr(type(found), name)(found, *args)


def _import(name: str, again: bool) -> object:  # noqa: FBT001 - the arguments of a request
    module = import_submitted(name)
    if again:
        module = importlib.reload(module)
    return (LINE.export(module), hasattr(module, "__path__"), module.__doc__)


def _get(found: Any, name: str) -> object:
    if name == "__all__" and type(found) is type(sys):
        return list(getattr(found, "__all__", [name for name in vars(found) if not name.startswith("_")]))
    return getattr(found, name)


def _state(found: Any, name: str | None) -> object:
    """Return the state of an object: its attributes, and the content of its built-in part. None if it cannot be
    read.
    """
    kind = type(found)
    attributes: dict[str, object] = {}
    try:
        attributes |= object.__getattribute__(found, "__dict__")
    except AttributeError:
        pass
    slots = [slot for base in mro_of(kind) for slot in base.__dict__.get("__slots__", ()) if isinstance(slot, str)]
    for slot in slots:
        try:
            attributes[slot] = object.__getattribute__(found, slot)
        except AttributeError:
            pass
    content = _content(found, None) if isinstance(found, CONTAINERS) else None
    if not attributes and content is None and not any(base.__flags__ & HEAP for base in mro_of(kind)):
        return None
    return (attributes, content)


HEAP = 1 << 9
"""Py_TPFLAGS_HEAPTYPE: a class that Python code has made."""


def _content(found: Any, name: str | None) -> object:
    """Return the content of the built-in part of an object, as an exact built-in."""
    base: Any = next(base for base in mro_of(type(found)) if base in CONTAINERS)
    return dict(dict.items(found)) if base is dict else base(base.__iter__(found))


OPERATIONS: dict[str, Any] = {
    "get": _get,
    "set": setattr,
    "del": delattr,
    "dir": lambda found, name: dir(found),
    "state": _state,
    "content": _content,
    "copy": lambda found, name: copy.copy(found),
    "deepcopy": lambda found, name: copy.deepcopy(found),
    "inspect": seen,
}

LINE = Connection(perform, take_output, only_while_serving=True)


def _ask_or_not(one: Any, other: Any) -> Any:
    """Answer `==` for objects of the tests: their own class decides if it defines `__eq__`."""
    facts = type(one)._assay_facts  # noqa: SLF001
    if not facts["equal"]:
        return NotImplemented if one is not other else True
    return LINE.ask("call", number_of(one), "__eq__", (other,))


PROXIES = Proxies(LINE, equal=_ask_or_not, named=lambda kind: True)


def main(folder: str, prelude: str = "") -> None:
    sys.dont_write_bytecode = True  # the option -B comes too late for a fork
    for name, printed in zip(("stdout", "stderr"), PRINTED, strict=True):
        stream = io.TextIOWrapper(printed, "utf-8", "backslashreplace", write_through=True)  # type: ignore[type-var]
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    make_importable(folder, prelude)
    LINE.ambient = AmbientOfCandidate(LINE)
    try:
        LINE.serve_forever()
    except LineEnded:
        status = 0
    except LineBroken:
        status = 1
    _exit(status)  # without the submission's exit hooks, and without waiting for its threads
