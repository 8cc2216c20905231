"""The observer of a program: answers what its filter asks, and keeps what a reviewer may want to know.

Theory of operation
-------------------
The kernel holds a thread of the program inside a system call until `FileWatch.handle` has answered. What was passed by pointer
is read from the program's memory; another thread may change it afterwards, so nothing that is read here decides over
anything: what is refused is refused whatever its arguments are, and what is let through meets the box's walls as
always. A program that asks for an internet socket gets a local one that leads nowhere, so that it goes on to name
the address that it wants; the kernel's network code is never reached.

A file is noted if it lies outside of the program's own places, however it is named: from the root, from the current folder,
from an open folder, by a link. The observer follows the links by name (`FileWatch._where`) and opens nothing. Opening for
reading is too frequent to be asked about. Instead `Tripwires` hold an inotify watch on files that no honest program opens; the watch
costs nothing until a program does. The harness is not among them, because interpreters open sources by themselves (imports,
tracebacks). Calls that `seccomp.py` finds too frequent to ask about stay unseen. The walls refuse them all the same.
"""

import ctypes
import errno
import fcntl
import os
import posixpath
import select
import socket
import struct
from collections.abc import Callable

from sandboxes.inside import seccomp

OWN = ("/box", "/tmp", "/var/tmp", "/dev", "/proc/self/fd")  # noqa: S108 - as the program names them
"""The program's places in every tier."""
HARNESS = "/box/harness/"
"""The exception: /harness leads here in tier container."""
MOST = 8
"""How many different pieces of evidence of one kind are kept; see `Notes`."""
LONGEST = 200
PATH_MAX = 4096
MOST_STEPS = 256
"""Folders and links that are followed to find where a name leads. A longer way serves only to cost time."""
MOST_LINKS = 40
"""The kernel's own limit."""
NOT_FILES = ("/memfd:", "/dev/zero (deleted)")
"""How the kernel names memory that is open like a file."""
ORDINARY = ("/run/nscd/socket", "/var/run/nscd/socket")
"""Sockets that libc itself connects to, to look up users and hosts."""

# linux/seccomp.h
_NOTIFICATION = struct.Struct("<QIIiIQ6Q")  # id, pid, flags, then seccomp_data: nr, arch, instruction_pointer, args
_ANSWER = struct.Struct("<QqiI")  # id, value, error, flags
_ADD_FD = struct.Struct("<QIIII")  # id, flags, srcfd, newfd, newfd_flags
_RECEIVE, _SEND, _ID_VALID, _ADDFD, _SET_FLAGS = 0xC0502100, 0xC0182101, 0x40082102, 0x40182103, 0x40082104
_CONTINUE = 1
_ADDFD_SEND = 2  # since Linux 5.14
_SYNC_WAKE_UP = 1  # since Linux 6.6: the program goes on where this process was running

_FILES = {
    # call: (folder, path) pairs by number of the argument, None if the call has no folder
    "open": ((None, 0),),
    "creat": ((None, 0),),
    "openat": ((0, 1),),
    "openat2": ((0, 1),),
    "truncate": ((None, 0),),
    "rename": ((None, 0), (None, 1)),
    "renameat": ((0, 1), (2, 3)),
    "renameat2": ((0, 1), (2, 3)),
    "symlink": ((None, 1),),
    "symlinkat": ((1, 2),),
    "link": ((None, 1),),
    "linkat": ((2, 3),),
    "chmod": ((None, 0),),
    "fchmodat": ((0, 1),),
    "fchmodat2": ((0, 1),),
}
_OF_LINKS = ("rename", "renameat", "renameat2", "symlink", "symlinkat", "link", "linkat")
"""Calls that act on a link itself, not on its target."""
_ADDRESSES = {"connect": (1, 2), "bind": (1, 2), "sendto": (4, 5)}
"""Call -> arguments that hold the address and its length."""
_REFUSED_ADDRESS = {"connect": errno.ENETUNREACH, "bind": errno.EACCES, "sendto": errno.ENETUNREACH}
_FAMILIES = {family.value: family.name for family in socket.AddressFamily}
_KINDS = {kind.value: kind.name for kind in socket.SocketKind}
_INTERNET = (socket.AF_INET, socket.AF_INET6)

_NAMES = {numbers[os.uname().machine != "x86_64"]: name for name, numbers in seccomp.NUMBERS.items()}

_libc = ctypes.CDLL(None, use_errno=True)


class _Iovec(ctypes.Structure):
    _fields_ = (("base", ctypes.c_void_p), ("length", ctypes.c_size_t))


_BUFFER = ctypes.create_string_buffer(PATH_MAX + 1)
"""The bytes read last from a program's memory. One buffer serves all observers, because this process has one thread."""
_LOCAL, _REMOTE = _Iovec(ctypes.addressof(_BUFFER), PATH_MAX), _Iovec(0, 0)


class Notes:
    """The evidence about one program so far.

    Each kind has room of its own, so that a program cannot hide one act behind many of another kind. What exceeds the room is
    counted, and reported as `left_out`. The names of system calls are ours and few: there is room for all of them.
    """

    def __init__(self) -> None:
        self._kinds: dict[tuple[str, str, bool], dict[str, int]] = {}
        self._left_out: dict[tuple[str, str, bool], int] = {}

    def add(self, behaviour: str, detail: str, *, refused: bool) -> None:
        """Note one act. For an act on an address, `detail` begins with the name of the call."""
        detail = printable(detail)
        call = detail.partition(" ")[0]
        kind = (behaviour, call if call in _ADDRESSES else "", refused)
        seen = self._kinds.setdefault(kind, {})
        if detail in seen or len(seen) < MOST or behaviour == "syscall":
            seen[detail] = seen.get(detail, 0) + 1
        else:
            self._left_out[kind] = self._left_out.get(kind, 0) + 1

    def told(self) -> list[dict[str, object]]:
        """Return the evidence in the form of the report: behaviour, detail, refused, times, left_out."""
        kept = [
            {"behaviour": behaviour, "detail": detail, "refused": refused, "times": times}
            for (behaviour, _, refused), seen in self._kinds.items()
            for detail, times in seen.items()
        ]
        rest = [
            {"behaviour": behaviour, "detail": call, "refused": refused, "times": times, "left_out": True}
            for (behaviour, call, refused), times in self._left_out.items()
        ]
        return kept + rest


def printable(text: str) -> str:
    """Return printable ASCII of at most `LONGEST` characters, because the program chose the text and people will read it."""
    escaped = text.encode("unicode_escape", "surrogatepass").decode()
    return escaped if len(escaped) <= LONGEST else escaped[: LONGEST - 3] + "..."


def _signed(argument: int) -> int:
    return int(ctypes.c_int32(argument & 0xFFFFFFFF).value)


class FileWatch:
    """Answers the notifications of one program. Not thread-safe; `handle` it whenever the listener is readable."""

    def __init__(
        self,
        listener_fd: int,
        *,
        own: tuple[str, ...] = OWN,
        proc: str = "/proc",
        expected_programs: int = 0,
        before_fork: Callable[[], None] = lambda: None,
    ) -> None:
        """Takes over the descriptor.

        Args:
            listener_fd: the descriptor that `seccomp.install` returned.
            own: the program's places.
            proc: a procfs that shows the program.
            expected_programs: how many execs are our own.
            before_fork: called before a new process is let through, if the filter notices those.
        """
        self._fd = listener_fd
        self._proc = proc
        self._below_own = tuple(place + "/" for place in own)
        self._expected_programs = expected_programs
        self._before_fork = before_fork
        self._notes = Notes()
        self._hidden = False
        self.asked_for_socket = False
        self._readable = select.poll()
        self._readable.register(listener_fd, select.POLLIN)
        os.set_inheritable(listener_fd, False)
        try:
            fcntl.ioctl(listener_fd, _SET_FLAGS, _SYNC_WAKE_UP)
        except OSError:
            pass  # an older kernel

    def fileno(self) -> int:
        return self._fd

    def close(self) -> None:
        os.close(self._fd)

    def evidence(self) -> list[dict[str, object]]:
        """Return what was refused or noticed so far."""
        return self._notes.told()

    def handle(self) -> bool:
        """Take one notification and answer it. Return False at once if there is none."""
        if not any(event & select.POLLIN for _, event in self._readable.poll(0)):
            return False  # its last process has gone; on an older kernel, receiving would now block
        try:
            notification = fcntl.ioctl(self._fd, _RECEIVE, bytes(_NOTIFICATION.size))
        except OSError:
            return True  # its process has died meanwhile
        identity, pid, _, number, _, _, *arguments = _NOTIFICATION.unpack(notification)
        try:
            try:
                self._answer(identity, pid, _NAMES[number], arguments)
            except OSError as error:  # for example no descriptor left for a decoy; the call still needs an answer
                self._send(identity, error=error.errno or errno.EIO)
        except OSError:
            pass  # it died while it was being answered
        return True

    # --- deciding -----------------------------------------------------------------------------------------------------

    def _answer(self, identity: int, pid: int, name: str, arguments: list[int]) -> None:
        if name in _FILES:
            for folder, path in _FILES[name]:
                start = seccomp.AT_FDCWD if folder is None else arguments[folder] & 0xFFFFFFFF
                self._notice_file(identity, pid, name, start, arguments[path])
            self._send(identity, flags=_CONTINUE)
        elif name in _ADDRESSES:
            self._answer_address(identity, pid, name, arguments)
        elif name in ("fork", "vfork") or (name == "clone" and not arguments[0] & seccomp.CLONE_NEW):
            self._before_fork()
            self._send(identity, flags=_CONTINUE)
        elif name == "socket":
            self._answer_socket(identity, arguments)
        elif name in ("execve", "execveat"):
            self._notice_program(identity, pid, name, arguments)
            self._send(identity, flags=_CONTINUE)
        else:
            if name == "socketpair":
                self._notes.add("network", f"socketpair {_family(arguments[0])}", refused=True)
            else:
                self._notes.add("syscall", name, refused=True)
            self._send(identity, error=seccomp.REFUSED[name])

    def _notice_file(self, identity: int, pid: int, name: str, start: int, pointer: int) -> None:
        path = self._text(pid, pointer)
        if self._hidden:
            self._note_hidden(identity, "write", name)
        where = self._where(pid, start, path, follow=name not in _OF_LINKS) if path else ""
        if where and not self._is_own(where) and not where.startswith(NOT_FILES) and self._holds(identity):
            self._notes.add("write", f"{name} {where}", refused=False)

    def _notice_program(self, identity: int, pid: int, name: str, arguments: list[int]) -> None:
        path = self._path(pid, arguments[name == "execveat"])
        if path.startswith("/") and not self._is_own(path) and not os.path.exists(path):
            return  # libc and Python try each folder of PATH in turn
        if self._expected_programs:
            self._expected_programs -= 1
        elif self._hidden:
            self._note_hidden(identity, "program", "")
        elif self._holds(identity):
            self._notes.add("program", "an open file" if path == "." else path, refused=False)

    def _answer_socket(self, identity: int, arguments: list[int]) -> None:
        self.asked_for_socket = True
        family, kind = _signed(arguments[0]), _signed(arguments[1])
        plain = kind & ~(socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        if family == socket.AF_UNIX:
            self._send(identity, flags=_CONTINUE)
            return
        self._notes.add("network", f"socket {_family(family)} {_KINDS.get(plain, plain)}", refused=True)
        if family in _INTERNET and plain in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            self._give_decoy(identity, plain | kind & socket.SOCK_NONBLOCK, kind & socket.SOCK_CLOEXEC)
        else:
            self._send(identity, error=errno.EPERM if family in _INTERNET else errno.EAFNOSUPPORT)

    def _give_decoy(self, identity: int, kind: int, flags: int) -> None:
        with socket.socket(socket.AF_UNIX, kind) as decoy:
            at_once = _ADD_FD.pack(identity, _ADDFD_SEND, decoy.fileno(), 0, flags)
            if _libc.ioctl(self._fd, _ADDFD, at_once) >= 0:
                return
            number = -1
            if ctypes.get_errno() == errno.EINVAL:  # an older kernel: give it, then answer with its number
                number = _libc.ioctl(self._fd, _ADDFD, _ADD_FD.pack(identity, 0, decoy.fileno(), 0, flags))
            if number >= 0:
                self._send(identity, value=number)
            else:  # it cannot have one more descriptor, or died
                self._send(identity, error=ctypes.get_errno())

    def _answer_address(self, identity: int, pid: int, name: str, arguments: list[int]) -> None:
        self.asked_for_socket = True  # one of a pair can have a name as well
        pointer, length = (arguments[index] for index in _ADDRESSES[name])
        raw = self._read(pid, pointer, min(length & 0xFFFFFFFF, 128))
        family, where = _address(raw)
        if not raw:
            if self._hidden:
                self._note_hidden(identity, "network", name)
            self._send(identity, flags=_CONTINUE)  # all its sockets are local anyway
            return
        if family == socket.AF_UNIX:
            path = posixpath.normpath(where) if where.startswith("/") else ""
            if path and not self._is_own(path) and path not in ORDINARY and self._holds(identity):
                self._notes.add("network", f"{name} {path}", refused=False)
            self._send(identity, flags=_CONTINUE)
            return
        if self._holds(identity):
            self._notes.add("network", f"{name} {where}", refused=True)
        self._send(identity, error=_REFUSED_ADDRESS[name])

    # --- the program's memory -----------------------------------------------------------------------------------------

    def _fetch(self, pid: int, pointer: int, size: int) -> int:
        """Copy up to `size` readable bytes of the program's memory to the buffer. Return how many; 0 if it hid or died."""
        self._hidden = False
        if not pid or not size:
            return 0
        _REMOTE.base, _REMOTE.length, _LOCAL.length = pointer, size, size
        done: int = _libc.process_vm_readv(pid, ctypes.byref(_LOCAL), 1, ctypes.byref(_REMOTE), 1, 0)
        # a bad address is another error; the kernel reads nothing there either
        self._hidden = done < 0 and ctypes.get_errno() == errno.EPERM
        return max(0, done)

    def _read(self, pid: int, pointer: int, size: int) -> bytes:
        return ctypes.string_at(_BUFFER, self._fetch(pid, pointer, size))

    def _text(self, pid: int, pointer: int) -> str:
        """Return the path at that address, as far as it can be read; empty if it cannot."""
        _BUFFER[self._fetch(pid, pointer, PATH_MAX)] = b"\0"
        return _BUFFER.value.decode("utf-8", "surrogateescape")

    def _path(self, pid: int, pointer: int) -> str:
        """Return that path in its shortest form; `.` if it cannot be read."""
        path = posixpath.normpath(self._text(pid, pointer))
        return path[1:] if path.startswith("//") else path  # which normpath leaves as it is

    def _where(self, pid: int, start: int, path: str, *, follow: bool) -> str:
        """Return the absolute path that this name leads to in the program's own view.

        All links are followed, the last one only if `follow`. Empty if the name leads nowhere: the program has gone, the
        descriptor is not that of a folder, or there are more links than the kernel follows. The name itself if the way is too long
        to be looked up. For a target without a name (a pipe), the path of its link.
        """
        done = "" if path.startswith("/") else self._folder(pid, start)
        if done is None:
            return ""
        left, links = path.split("/")[::-1], 0
        for _ in range(MOST_STEPS):
            if not left:
                return done or "/"
            part = left.pop()
            if part == "..":
                done = done.rpartition("/")[0]
            if part in {"", ".", ".."}:
                continue
            here = f"{done.rstrip('/')}/{part}"
            target = self._link(pid, here) if left or follow else None
            if target is None:
                done = here
                continue
            links += 1
            if links > MOST_LINKS:
                return ""
            done = "" if target.startswith("/") else done
            left += target.split("/")[::-1]
        return path

    def _folder(self, pid: int, start: int) -> str | None:
        try:
            return os.readlink(f"{self._proc}/{pid}/{'cwd' if start == seccomp.AT_FDCWD else f'fd/{start}'}")
        except OSError:
            return None

    def _link(self, pid: int, here: str) -> str | None:
        """Return the target of the link at this path in the program's view; None if it is not a link, or its target has no name."""
        in_jail = here.startswith("/dev/fd/")  # that folder is closed to this process, too
        try:
            target = os.readlink(f"{self._proc}/{pid}/" + (here.removeprefix("/dev/") if in_jail else f"root{here}"))
        except OSError:
            return None
        if here in {"/proc/self", "/proc/thread-self"}:
            return str(pid)  # the link is the program's, not this process's
        nameless = here.startswith(("/dev/fd/", "/proc/")) and ":[" in target and "/" not in target
        return None if nameless else target

    def _note_hidden(self, identity: int, behaviour: str, name: str) -> None:
        """Note an act whose arguments the program hides.

        Its memory is unreadable only if it made it so (prctl(2), PR_SET_DUMPABLE), and that is evidence too.
        """
        if self._holds(identity):
            self._notes.add(behaviour, f"{name} something that it hides".lstrip(), refused=False)

    def _holds(self, identity: int) -> bool:
        """Return whether the program still waits, so that what was read came from it and not from a later process."""
        try:
            fcntl.ioctl(self._fd, _ID_VALID, struct.pack("<Q", identity))
        except OSError:
            return False
        return True

    def _is_own(self, path: str) -> bool:
        return (path + "/").startswith(self._below_own) and not (path + "/").startswith(HARNESS)

    # --- answering ----------------------------------------------------------------------------------------------------

    def _send(self, identity: int, *, value: int = 0, error: int = 0, flags: int = 0) -> None:
        fcntl.ioctl(self._fd, _SEND, _ANSWER.pack(identity, value, -error, flags))


def _family(number: int) -> str:
    return _FAMILIES.get(_signed(number), f"family {_signed(number)}")


def _address(raw: bytes) -> tuple[int, str]:
    """Return a socket address as (family, text). Takes any bytes."""
    if len(raw) < 2:
        return socket.AF_UNSPEC, "unknown"
    (family,) = struct.unpack_from("<H", raw)
    if family == socket.AF_INET and len(raw) >= 8:
        return family, f"{socket.inet_ntop(family, raw[4:8])}:{int.from_bytes(raw[2:4], 'big')}"
    if family == socket.AF_INET6 and len(raw) >= 24:
        return family, f"[{socket.inet_ntop(family, raw[8:24])}]:{int.from_bytes(raw[2:4], 'big')}"
    if family == socket.AF_UNIX:
        return family, raw[2:].partition(b"\0")[0].decode("utf-8", "surrogateescape")
    return family, _family(family)


class Tripwires:
    """Files and folders that no honest program opens: an open of one is noticed. They cost nothing until then.

    Only an open that succeeds is seen, so the program must be able to read the files.
    """

    _EVENT = struct.Struct("=iIII")  # watch descriptor, mask, cookie, length of the name
    _IN_OPEN = 0x20

    def __init__(self) -> None:
        """Watch nothing yet. If this user may not have another inotify instance, nothing is ever watched."""
        self._fd: int = _libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        self._paths: dict[int, str] = {}

    def watch(self, paths: tuple[str, ...]) -> None:
        """Watch these paths; those that do not exist are skipped."""
        for path in paths if self._fd >= 0 else ():
            number: int = _libc.inotify_add_watch(self._fd, path.encode(), self._IN_OPEN)
            if number >= 0:
                self._paths[number] = path

    def fileno(self) -> int:
        """Return the descriptor; -1 if there is none."""
        return self._fd

    def collect(self) -> list[dict[str, object]]:
        """Return what was opened since the last call, in the form of `FileWatch.evidence`. The kernel counts repetitions once."""
        notes = Notes()
        while self._fd >= 0:
            try:
                events = os.read(self._fd, 65536)
            except BlockingIOError:
                break
            offset = 0
            while offset < len(events):
                number, _, _, length = self._EVENT.unpack_from(events, offset)
                offset += self._EVENT.size + length
                name = events[offset - length : offset].rstrip(b"\0").decode("utf-8", "surrogateescape")
                if number not in self._paths:
                    continue  # the kernel's word that it dropped some
                notes.add("read", posixpath.join(self._paths[number], name).rstrip("/"), refused=False)
        return notes.told()

    def close(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
