"""Namespaces and mounts that a slot of tier jail makes once. Raw calls, because Python offers few of them.

The calls for each program are in jail.c. Standard library only.
"""

import ctypes
import os

NEWNS = 0x00020000
NEWUTS = 0x04000000
NEWIPC = 0x08000000
NEWUSER = 0x10000000
NEWPID = 0x20000000
NEWNET = 0x40000000

MS_RDONLY, MS_NOSUID, MS_NODEV, MS_REMOUNT, MS_BIND, MS_REC, MS_PRIVATE = 1, 2, 4, 0x20, 0x1000, 0x4000, 0x40000
MNT_DETACH = 2
PR_SET_DUMPABLE = 4
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
PROC = "/box/proc"
"""The same path as in jail.c."""
UID, GID = os.getuid(), os.getgid()
"""Read before any user namespace is made: a fresh one shows every id as `nobody` until it has a map."""

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p]


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    _checked(_libc.unshare(flags), f"unshare {flags:#x}")


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    result = _libc.mount(source.encode(), target.encode(), kind.encode(), flags, options.encode())
    _checked(result, f"mount {kind or source} on {target}")


def pivot_root(new_root: str, put_old: str) -> None:
    number = PIVOT_ROOT[os.uname().machine]
    _checked(_libc.syscall(number, new_root.encode(), put_old.encode()), f"pivot_root {new_root}")


def unmount(target: str) -> None:
    _checked(_libc.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def write_file(path: str, text: str, folder: int | None = None) -> None:
    fd = os.open(path, os.O_WRONLY, dir_fd=folder)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def map_identity(proc: int) -> None:
    """Keep this process's own user and group after `unshare(NEWUSER)`. `proc`: an open folder of a procfs."""
    write_file("self/setgroups", "deny", proc)
    write_file("self/uid_map", f"{UID} {UID} 1", proc)
    write_file("self/gid_map", f"{GID} {GID} 1", proc)


def set_dumpable(value: int) -> None:
    _checked(_libc.prctl(PR_SET_DUMPABLE, value, 0, 0, 0), "prctl dumpable")


def build_root(folder: str, empty: tuple[str, ...], links: dict[str, str]) -> None:
    """Make the file system that programs will see in `folder` and move into it; the old one is gone afterwards.

    /usr and /etc as the image has them (read-only already, by the container), the five harmless devices, and nothing else: no
    /proc, no /sys. `empty` are further folders, `links` further symbolic links (path -> where to).

    The container's /proc is kept in PROC for jail.c, which covers it in each child.
    """
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    os.mkdir(folder)
    mount("tmpfs", folder, "tmpfs", MS_NOSUID, "size=64m,mode=755")
    for path in ("/usr", "/etc", "/dev", "/old", *empty, PROC):
        os.makedirs(folder + path)
    for name in os.listdir("/"):
        # /bin, /lib, ... of a merged /usr
        if os.path.islink("/" + name) and os.readlink("/" + name).startswith("usr/"):
            os.symlink(os.readlink("/" + name), f"{folder}/{name}")
    for path, where in links.items():
        os.symlink(where, folder + path)
    for path, place in (("/usr", "/usr"), ("/etc", "/etc"), ("/proc", PROC)):
        mount(path, folder + place, flags=MS_BIND | MS_REC)
    for name in ("null", "zero", "full", "random", "urandom"):
        os.close(os.open(f"{folder}/dev/{name}", os.O_CREAT | os.O_WRONLY))
        mount(f"/dev/{name}", f"{folder}/dev/{name}", flags=MS_BIND)
    pivot_root(folder, folder + "/old")
    os.chdir("/")
    unmount("/old")
    os.rmdir("/old")


def freeze_root() -> None:
    """Make the built file system read-only for every user."""
    mount("none", "/", flags=MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID)
