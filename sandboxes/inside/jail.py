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


class SlotStruct(ctypes.Structure):
    """Mirror of `struct slot`, which documents the fields."""

    _fields_ = (
        *_fields(ctypes.c_int32, "control proc own_pid_namespace loadavg from_child tripwires observer listeners"),
        *_fields(ctypes.c_int32, "events counted to_parent to_observer"),
        *_fields(ctypes.c_uint32, "uid gid"),
        *_fields(Counter, "cpu memory peak limit limit_hits oom_kills forks_refused processes"),
        ("cpu_unit", ctypes.c_double),
        *_fields(ctypes.c_int64, "inodes pid_max"),
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


_jail = ctypes.PyDLL(LIBRARY)  # with the interpreter's lock kept: it forks
settle, serve, begin = _jail.settle, _jail.serve, _jail.begin
for _function in (settle, serve, begin):
    _function.argtypes = [ctypes.POINTER(SlotStruct)]
if _jail.slot_size() != ctypes.sizeof(SlotStruct):
    raise ImportError(f"libjail.so has a slot of {_jail.slot_size()} bytes, jail.py one of {ctypes.sizeof(SlotStruct)}")
make_immortal = _jail.make_immortal
make_immortal.argtypes = [ctypes.py_object, ctypes.py_object, ctypes.c_int64]
make_immortal.restype = None
