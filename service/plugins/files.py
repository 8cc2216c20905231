"""The files that a plugin's process sees: all that Python imports from, and temporary folders of its own.

A user that owns nothing cannot enter a folder such as /root (mode 0700), so an interpreter or a virtual environment below it
would be useless. In a mount namespace of its own, such a folder is covered by an empty one that every user may enter, and the
folders that Python needs are bound into it. Nothing else of the folder remains visible. Bound folders keep their modes.
"""

import ctypes
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path

OWN = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108 - these are what is replaced
"""Folders that everybody may write to: a plugin has them for itself, and nothing is left of them when its process ends."""
_TOLD = 3
"""Most folders that a sentence names."""
_CLONE_NEWNS, _CLONE_NEWIPC = 0x00020000, 0x08000000
_MS_NOSUID, _MS_NODEV, _MS_BIND, _MS_REC, _MS_SLAVE = 2, 4, 4096, 16384, 1 << 19
_libc = ctypes.CDLL(None, use_errno=True)


def imported_from() -> tuple[str, ...]:
    """Return the existing folders and archives that `sys.path` names. Call it before `separate`."""
    return tuple(dict.fromkeys(folder for folder in sys.path if Path(folder).is_absolute() and Path(folder).exists()))


def separate(folders: Sequence[str], memory_bytes: int) -> None:
    """Give this process, which is root, such a view, with this many bytes in each temporary folder.

    `folders` and Python itself stay visible. If the kernel refuses the view, the process sees all files.
    """
    os.chdir("/")  # The working folder is open already, whatever its parents' modes are.
    os.umask(0o022)
    needed = (*folders, sys.base_prefix, sys.prefix)
    # Parents before what is below them; each as it is written, and as it is without links.
    paths = sorted({form for each in needed for form in (os.path.normpath(each), os.path.realpath(each))})
    with ExitStack() as stack, suppress(OSError):
        _call(_libc.unshare, _CLONE_NEWNS | _CLONE_NEWIPC)
        # What is unmounted outside, such as a box, is unmounted here too; what is mounted here is nowhere else.
        _mount("none", "/", "", _MS_REC | _MS_SLAVE)
        opened = {path: os.open(path, os.O_PATH) for path in paths}
        for fd in opened.values():
            stack.callback(os.close, fd)
        for own in OWN:
            if Path(own).is_dir():
                _mount("none", own, "tmpfs", _MS_NOSUID | _MS_NODEV, f"mode=1777,size={memory_bytes}")
        for path, fd in opened.items():
            _show(Path(path), fd)


def out_of_reach(folders: Sequence[str]) -> list[str]:
    """Return the folders, or modules in them, that this process cannot import from."""
    return [text for folder in folders for text in _closed(Path(folder))]


def remedy(closed: Sequence[str]) -> str:
    """Return the fault of these folders and the remedy, in half a sentence; empty if there are none."""
    if not closed:
        return ""
    barred = list(dict.fromkeys(str(_barred(Path(each))) for each in closed))
    more = f" and {len(closed) - _TOLD} more" if len(closed) > _TOLD else ""
    return (
        f"a plugin runs as a user of its own, which cannot enter {', '.join(barred[:_TOLD])} and so imports nothing from "
        f"{', '.join(closed[:_TOLD])}{more}: move Python, its virtual environment and the plugin to a folder that every user "
        "can enter, such as /opt, or let others in (chmod -R o+rX)"
    )


def _show(path: Path, fd: int) -> None:
    """Mount the opened folder at this path, and let every user enter its parents."""
    for folder in list(reversed(path.parents))[1:]:
        if not folder.exists():  # in a folder that is covered
            folder.mkdir()
        elif not folder.stat().st_mode & stat.S_IXOTH:
            _mount("none", str(folder), "tmpfs", _MS_NOSUID | _MS_NODEV, "mode=0755,size=1m")
    there = os.fstat(fd)
    if path.exists() and os.path.samestat(path.stat(), there):
        return
    if stat.S_ISDIR(there.st_mode):
        path.mkdir(exist_ok=True)
    else:
        path.touch()
    _mount(f"/proc/self/fd/{fd}", str(path), "", _MS_BIND | _MS_REC)


def _closed(folder: Path) -> Iterator[str]:
    try:
        modules = [each for each in folder.iterdir() if each.stem.isidentifier()] if folder.is_dir() else []
    except PermissionError:
        yield str(folder)
        return
    for each in (folder, *modules):
        with suppress(OSError):
            if not os.access(each, os.R_OK | os.X_OK if each.is_dir() else os.R_OK):
                yield str(each)


def _barred(path: Path) -> Path:
    """Return the topmost folder on the way that cannot be entered; `path` itself if there is none."""
    return next((folder for folder in reversed(path.parents) if not os.access(folder, os.X_OK)), path)


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    _call(_libc.mount, source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())


def _call(function: "ctypes._NamedFuncPointer", *arguments: object) -> None:
    if function(*arguments) != 0:
        raise OSError(ctypes.get_errno(), "the kernel does not let this process have a view of its own")
