"""The Python side of jail.c: the slot's state, which both write, and its functions."""

import ctypes
import os

LIBRARY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "libjail.so")
GONE, PROGRAM = range(2)
"""Results of `serve`: the host has hung up; this is the program's process."""


def _fields(kind: type, names: str) -> tuple[tuple[str, type], ...]:
    return tuple((name, kind) for name in names.split())


class Counter(ctypes.Structure):
    _fields_ = (("fd", ctypes.c_int32), ("key", ctypes.c_char * 20))


class LevelStruct(ctypes.Structure):
    _fields_ = (
        ("cpu_seconds", ctypes.c_double),
        *_fields(ctypes.c_int64, "memory peak limit_hits oom_kills forks_refused processes last_process"),
    )


class FieldStruct(ctypes.Structure):
    _fields_ = (("name", ctypes.c_char_p), ("offset", ctypes.c_size_t))


class SlotStruct(ctypes.Structure):
    """Mirror of `struct slot`, which documents the fields."""

    _fields_ = (
        *_fields(ctypes.c_int32, "control proc own_pid_namespace loadavg from_child tripwires observer listeners"),
        *_fields(ctypes.c_int32, "events counted to_parent to_observer"),
        *_fields(ctypes.c_uint32, "uid gid"),
        *_fields(Counter, "cpu memory peak limit limit_hits oom_kills forks_refused processes"),
        ("cpu_unit", ctypes.c_double),
        *_fields(ctypes.c_int64, "inodes pid_max reserved_numbers"),
        ("filters", ctypes.c_void_p * 2),
        ("filter_flags", ctypes.c_uint32 * 2),
        ("landlock_attributes", ctypes.c_char_p),
        *_fields(ctypes.c_uint64, "landlock_size landlock_folders"),
        ("memory_bytes", ctypes.c_int64),
        ("words", ctypes.c_void_p),
        ("words_size", ctypes.c_uint64),
        *_fields(ctypes.c_int32, "becomes_python"),
        *_fields(ctypes.c_int32, "init pid ended box account streams fitting has_listener noticed"),
        ("disk_mib", ctypes.c_uint32),
        ("processor", ctypes.c_int32),
        *_fields(ctypes.c_double, "cpu_limit look_at_cpu"),
        ("memory_limit", ctypes.c_int64),
        *((name, ctypes.c_char * size) for name, size in (("stopped", 16), ("problem", 512), ("doubt", 512))),
        ("cpus", ctypes.c_byte * 128),
        ("level", LevelStruct),
    )


def described_differently(library: ctypes.CDLL) -> set[str]:
    """Return the fields of the slot whose offset differs between the library and `SlotStruct`."""
    theirs = set()
    field = ctypes.addressof(FieldStruct.in_dll(library, "slot_fields"))
    while True:
        entry = FieldStruct.from_address(field)
        theirs.add((entry.name.decode(), entry.offset))
        if not entry.name:
            break
        field += ctypes.sizeof(FieldStruct)
    return {name or "its size" for name, _ in theirs ^ {*offsets(SlotStruct), ("", ctypes.sizeof(SlotStruct))}}


def offsets(kind: type[ctypes.Structure], prefix: str = "", start: int = 0) -> list[tuple[str, int]]:
    """Return each field's name and offset; those of a structure inside of it one by one."""
    found = []
    for name, field, *_ in kind._fields_:
        offset = start + getattr(kind, name).offset
        if issubclass(field, ctypes.Structure):
            found += offsets(field, f"{prefix}{name}.", offset)
        else:
            found.append((prefix + name, offset))
    return found


_jail = ctypes.PyDLL(LIBRARY)  # with the interpreter's lock kept: it forks
settle, serve, begin = _jail.settle, _jail.serve, _jail.begin
for _function in (settle, serve, begin):
    _function.argtypes = [ctypes.POINTER(SlotStruct)]
if differing := described_differently(_jail):
    raise ImportError(f"libjail.so and jail.py describe the slot differently: {', '.join(sorted(differing))}")
make_immortal = _jail.make_immortal
make_immortal.argtypes = [ctypes.py_object, ctypes.py_object, ctypes.c_int64]
make_immortal.restype = None
