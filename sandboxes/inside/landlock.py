"""Landlock: a process gives up writing outside of its own places, even where file modes allow it.

A second wall behind the read-only mounts, in kernels that have it (5.13 and later, if it is switched on). Reading and
executing stay as they are. Standard library only.
"""

import ctypes
import os
import stat
import struct

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446  # the same on all architectures
_GIVE_VERSION = 1
_PATH_BENEATH = 1
# linux/landlock.h: rights to files
_WRITE_FILE, _REMOVE_DIR, _REMOVE_FILE = 1 << 1, 1 << 4, 1 << 5
_MAKE_CHAR, _MAKE_DIR, _MAKE_REG, _MAKE_SOCK, _MAKE_FIFO, _MAKE_BLOCK, _MAKE_SYM = (1 << bit for bit in range(6, 13))
_REFER, _TRUNCATE, _IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15  # since ABI 2, 3, 5
_DEVICES = _MAKE_CHAR | _MAKE_BLOCK
"""Never allowed, not even in the program's own places."""
_NET = 0b11  # bind and connect over TCP: since ABI 4
_SCOPES = 0b11  # abstract sockets of, and signals to, processes outside: since ABI 6

_syscall = ctypes.CDLL(None, use_errno=True).syscall  # looked up once, before any fork


def version() -> int:
    """Return the kernel's version of Landlock; 0 if it has none or it is switched off."""
    return max(0, int(_syscall(_CREATE_RULESET, None, 0, _GIVE_VERSION)))


def rights() -> tuple[bytes, int, int]:
    """Return all rights that this kernel can refuse, in its own form; those allowed in own folders; those allowed on single files.

    Empty and 0 if there is no Landlock.
    """
    abi = version()
    if abi == 0:
        return b"", 0, 0
    files = _WRITE_FILE | (_TRUNCATE if abi >= 3 else 0) | (_IOCTL_DEVICE if abi >= 5 else 0)
    folders = (
        files | _REMOVE_DIR | _REMOVE_FILE | _MAKE_DIR | _MAKE_REG | _MAKE_SOCK | _MAKE_FIFO | _MAKE_SYM
        | (_REFER if abi >= 2 else 0)
    )  # fmt: skip
    # An older kernel takes a shorter struct: files, since ABI 4 network, since ABI 6 scopes.
    attributes = struct.pack("<QQQ", folders | _DEVICES, _NET, _SCOPES)[: 8 if abi < 4 else 16 if abi < 6 else 24]
    return attributes, folders, files


def restrict(writable: tuple[str, ...]) -> int:
    """From here on this process and all that it starts write only below `writable`, folders or files that exist.

    Needs no_new_privs. If the kernel can: no TCP, no abstract sockets of others, no signals to processes outside.
    Returns the version used; 0 if the kernel has no Landlock. Raises OSError if it has one and refuses.
    """
    attributes, folders, files = rights()
    if not attributes:
        return 0
    ruleset = _checked(_syscall(_CREATE_RULESET, attributes, len(attributes), 0))
    try:
        for path in writable:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                allowed = folders if stat.S_ISDIR(os.fstat(place).st_mode) else files
                _checked(_syscall(_ADD_RULE, ruleset, _PATH_BENEATH, struct.pack("<Qi", allowed, place), 0))
            finally:
                os.close(place)
        _checked(_syscall(_RESTRICT_SELF, ruleset, 0))
    finally:
        os.close(ruleset)
    return version()


def _checked(answer: int) -> int:
    if answer < 0:
        raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
    return answer
