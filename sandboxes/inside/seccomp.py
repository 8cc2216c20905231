"""The program's own system call filter: which calls it refuses, and which it asks an observer about.

Theory of operation
-------------------
The box's outer filter (`sandboxes/engine/seccomp_profile.py`) is an allow-list for everything in the box, our own processes
included. This one is put on the program alone, by the program's process itself, as the last thing before the program's
code, and only takes away. A call is

    allowed    most calls; the kernel remembers these by number and does not even run the filter for them
    refused    calls that no program here needs, with the errno of `REFUSED`
    noticed    allowed, but the observer is asked first and notes the path or address: see `watch.py`

Calls that are refused or noticed go to the observer through the listener, a descriptor that `install` returns. Without a
listener, a refused call fails with its errno and a noticed call passes. The calls of another architecture (32-bit code on a
64-bit kernel) have other numbers and no use here, and end the program. Numbers that are newer than this table do not exist
(ENOSYS).

Price decides which calls are noticed. One notification costs a program 25 to 40 microseconds on an idle processor, more
on a crowded one. A filter cannot see what a path leads to, because it reads no memory and keeps no state. So acts that
honest programs do in loops are not asked about: reading, removing, making folders, temporary files (made with O_EXCL or
O_TMPFILE). Opening a file for writing by its name is noticed. A program that
writes 1,000 files in its own place pays about 45 ms, more than the files themselves; one that writes ten pays 0.5 ms.

If the observer also reaps dead processes (tier container), new processes are noticed too, for the reason in `supervisor.py`.
The notification's cost is too small to measure beside that of a process. A thread costs little more than a notification, so
threads are not noticed. A signal may interrupt a notified call, which cannot happen to fork(2), but libc blocks all signals meanwhile.
"""

import ctypes
import errno
import functools
import os
import struct

NUMBERS: dict[str, tuple[int | None, int | None]] = {
    # name: (number on x86_64, number on aarch64); other processes
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "process_madvise": (440, 440), "process_mrelease": (448, 448), "pidfd_getfd": (438, 438), "kcmp": (312, 272),
    # namespaces and mounts
    "unshare": (272, 97), "setns": (308, 268), "chroot": (161, 51), "pivot_root": (155, 41), "mount": (165, 40),
    "umount2": (166, 39), "mount_setattr": (442, 442), "open_tree": (428, 428), "open_tree_attr": (467, 467),
    "move_mount": (429, 429), "fsopen": (430, 430), "fsconfig": (431, 431), "fsmount": (432, 432),
    "fspick": (433, 433), "statmount": (457, 457), "listmount": (458, 458),
    # large and often broken into: programs in the kernel, its memory and its rings, keys
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427), "memfd_secret": (447, 447),
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # objects that would outlive the program
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "shmdt": (67, 197), "semget": (64, 190),
    "semop": (65, 193), "semctl": (66, 191), "semtimedop": (220, 192), "msgget": (68, 186), "msgsnd": (69, 189),
    "msgrcv": (70, 188), "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181),
    # files by handle, of the whole host
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263), "lookup_dcookie": (212, 18), "quotactl": (179, 60), "quotactl_fd": (443, 443),
    "syncfs": (306, 267),  # of the image's files: it has all of the host's disk written out
    # the host itself
    "acct": (163, 89), "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "swapon": (167, 224), "swapoff": (168, 225),
    "reboot": (169, 142), "sethostname": (170, 161), "setdomainname": (171, 162), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171), "syslog": (103, 116),
    "vhangup": (153, 58), "lsm_get_self_attr": (459, 459), "lsm_set_self_attr": (460, 460),
    "lsm_list_modules": (461, 461), "move_pages": (279, 239), "migrate_pages": (256, 238),
    # left over from long ago
    "create_module": (174, None), "get_kernel_syms": (177, None), "query_module": (178, None),
    "nfsservctl": (180, 42), "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None),
    "uselib": (134, None), "ustat": (136, None), "sysfs": (139, None), "_sysctl": (156, None),
    # decided by their arguments, see `_rules`
    "fork": (57, None), "vfork": (58, None), "clone": (56, 220), "clone3": (435, 435),
    "personality": (135, 92), "seccomp": (317, 277), "ioctl": (16, 29),
    "socket": (41, 198), "socketpair": (53, 199), "connect": (42, 203), "bind": (49, 200), "sendto": (44, 206),
    "execve": (59, 221), "execveat": (322, 281),
    "open": (2, None), "creat": (85, None), "openat": (257, 56), "openat2": (437, 437), "truncate": (76, 45),
    "rename": (82, None), "renameat": (264, 38), "renameat2": (316, 276), "symlink": (88, None), "symlinkat": (266, 36),
    "link": (86, None), "linkat": (265, 37), "chmod": (90, None), "fchmodat": (268, 53), "fchmodat2": (452, 452),
    "prlimit64": (302, 261), "setpriority": (141, 140), "sched_setscheduler": (144, 119), "sched_setparam": (142, 118),
    "sched_setaffinity": (203, 122), "sched_setattr": (314, 274), "ioprio_set": (251, 30),
}  # fmt: skip
NEWEST = 469
"""Numbers above this one (file_setattr, Linux 6.17) are not known here. From 424 on they are the same everywhere."""

ARGUMENTS_DECIDE = (
    "fork", "vfork", "clone", "clone3", "personality", "seccomp", "ioctl", "socket", "socketpair", "connect", "bind", "sendto",
    "execve", "execveat", "open", "creat", "openat", "openat2", "truncate", "rename", "renameat", "renameat2", "symlink", "symlinkat", "link", "linkat", "chmod", "fchmodat", "fchmodat2",
    "prlimit64", "setpriority", "sched_setscheduler", "sched_setparam", "sched_setaffinity", "sched_setattr", "ioprio_set",
)  # fmt: skip
OF_A_PROCESS = {
    # call: which argument is the process
    "prlimit64": 0, "setpriority": 1, "sched_setscheduler": 0, "sched_setparam": 0, "sched_setaffinity": 0,
    "sched_setattr": 0, "ioprio_set": 1,
}  # fmt: skip
"""Process 1 of a box has the program's user, so the kernel would let the program set its limits and its scheduling. Without CPU time
or descriptors process 1 could neither end the program nor report."""
ABSENT = ("io_uring_setup", "io_uring_enter", "io_uring_register", "memfd_secret", "userfaultfd", "lookup_dcookie")
"""Calls that fail as if this kernel lacked them, so that a runtime which only tries them does without."""
REFUSED = {
    name: errno.ENOSYS if name in ABSENT else errno.EPERM for name in NUMBERS if name not in ARGUMENTS_DECIDE
} | dict.fromkeys(OF_A_PROCESS, errno.EPERM) | {
    "clone": errno.EPERM, "personality": errno.EPERM, "seccomp": errno.EPERM, "ioctl": errno.EPERM,
    "socket": errno.EAFNOSUPPORT, "socketpair": errno.EAFNOSUPPORT,
}  # fmt: skip
"""Call -> errno, for calls that are refused always or for some arguments. EPERM, because programs expect it."""

# linux/audit.h
_AUDIT_ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32_BIT = 0x40000000
# linux/seccomp.h
SET_MODE_FILTER = 1
FLAG_NEW_LISTENER = 1 << 3
FLAG_WAIT_KILLABLE_RECV = 1 << 5  # since Linux 5.19: a signal handler does not ask the observer twice
LISTENING = (FLAG_NEW_LISTENER | FLAG_WAIT_KILLABLE_RECV, FLAG_NEW_LISTENER)
"""The flags to try, best first."""
KILL_PROCESS = 0x80000000
ERRNO = 0x00050000
USER_NOTIFY = 0x7FC00000
ALLOW = 0x7FFF0000
# linux/bpf_common.h, linux/filter.h
LOAD_WORD, JUMP, JUMP_EQUAL, JUMP_GREATER_EQUAL, JUMP_BITS, RETURN = 0x20, 0x05, 0x15, 0x35, 0x45, 0x06
# linux/sched.h, linux/fcntl.h (those that are the same on both architectures), linux/personality.h, asm/ioctls.h
CLONE_NEW = 0x7E020000
"""Any of CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET."""
CLONE_THREAD = 0x10000
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
TEMPORARY = os.O_EXCL | 0x400000  # the second is the part of O_TMPFILE that has no other meaning
AT_FDCWD = 0xFFFFFF9C
AF_UNIX = 1
PERSONALITY_QUERY = 0xFFFFFFFF
TIOCSTI, TIOCLINUX = 0x5412, 0x541C

Instruction = tuple[int, int, int, int]
"""Code, steps to jump if true, steps to jump if false, constant."""
Block = tuple[Instruction, ...]
"""Instructions that end in a return on every way. They find the call's number in the accumulator."""


def _return(action: int) -> Block:
    return ((RETURN, 0, 0, action),)


def _argument(index: int, *, high: bool = False) -> Instruction:
    """Return the instruction that loads half of an argument. Both architectures are little-endian; flags and families are 32 bits to the kernel."""
    return (LOAD_WORD, 0, 0, 16 + 8 * index + 4 * high)


def _either(index: int, test: int, value: int, then: Block, otherwise: Block) -> Block:
    """Return a block that does `then` if the argument's low half passes the test, `otherwise` if not."""
    return (_argument(index), (test, 0, len(then), value), *then, *otherwise)


def _rules(*, listen: bool, forks: bool) -> dict[str, Block]:
    """Return what to do with each call of `NUMBERS`."""
    allow = _return(ALLOW)
    notice = _return(USER_NOTIFY) if listen else allow
    fork = notice if forks else allow
    refuse = {name: _return(USER_NOTIFY if listen else ERRNO | code) for name, code in REFUSED.items()}
    writing = {
        flags: _either(flags, JUMP_BITS, TEMPORARY, allow, _either(flags, JUMP_BITS, WRITING, notice, allow))
        for flags in (1, 2)
    }
    return {
        **dict.fromkeys(ARGUMENTS_DECIDE, notice),
        **refuse,
        # its flags are in memory, which a filter cannot read; libc then uses clone
        "clone3": _return(ERRNO | errno.ENOSYS),
        "clone": _either(
            0, JUMP_BITS, CLONE_NEW, refuse["clone"], _either(0, JUMP_BITS, CLONE_THREAD, allow, fork)
        ),
        "fork": fork, "vfork": fork,
        "personality": _either(
            0, JUMP_EQUAL, PERSONALITY_QUERY, allow, _either(0, JUMP_EQUAL, 0, allow, refuse["personality"])
        ),
        **{name: _either(at, JUMP_EQUAL, 1, refuse[name], allow) for name, at in OF_A_PROCESS.items()},
        # a program may put more filters on itself, but no listener beside ours
        "seccomp": _either(1, JUMP_BITS, FLAG_NEW_LISTENER, refuse["seccomp"], allow),
        "ioctl": _either(
            1, JUMP_EQUAL, TIOCSTI, refuse["ioctl"], _either(1, JUMP_EQUAL, TIOCLINUX, refuse["ioctl"], allow)
        ),
        # an observer is asked about every socket, local ones included
        "socket": notice if listen else _either(0, JUMP_EQUAL, AF_UNIX, allow, refuse["socket"]),
        "socketpair": _either(0, JUMP_EQUAL, AF_UNIX, allow, refuse["socketpair"]),
        # only with an address; `send` is the same call without
        "sendto": (
            _argument(4), (JUMP_EQUAL, 0, 3, 0), _argument(4, high=True), (JUMP_EQUAL, 0, 1, 0), *allow, *notice,
        ),
        "open": writing[1],
        "openat": writing[2],
    }  # fmt: skip


def _search(ranges: list[tuple[int, Block]]) -> Block:
    """Return a binary search for the block of the range that the number in the accumulator lies in.

    `ranges` are sorted (first number, block), each up to the next one's first number.
    """
    if len(ranges) == 1:
        return ranges[0][1]
    middle = len(ranges) // 2
    lower, upper = _search(ranges[:middle]), _search(ranges[middle:])
    first = ranges[middle][0]
    if len(lower) <= 255:  # the farthest a conditional jump goes
        return ((JUMP_GREATER_EQUAL, len(lower), 0, first), *lower, *upper)
    return ((JUMP_GREATER_EQUAL, 0, 1, first), (JUMP, 0, 0, len(lower)), *lower, *upper)


def assemble(machine: str, *, listen: bool, forks: bool) -> Block:
    """Return the whole filter for `machine` (`x86_64` or `aarch64`). Raises KeyError for another."""
    column = list(_AUDIT_ARCH).index(machine)
    special = sorted(
        (number, block)
        for name, block in _rules(listen=listen, forks=forks).items()
        if (number := NUMBERS[name][column]) is not None
    )
    ranges: list[tuple[int, Block]] = []
    upcoming = 0
    for number, block in special:
        if number > upcoming:
            ranges.append((upcoming, _return(ALLOW)))
        if not ranges or ranges[-1][1] != block:
            ranges.append((number, block))
        upcoming = number + 1
    ranges += [
        (upcoming, _return(ALLOW)),
        (NEWEST + 1, _return(ERRNO | errno.ENOSYS)),
        (_X32_BIT, _return(KILL_PROCESS)),
    ]
    return (
        (LOAD_WORD, 0, 0, 4),
        (JUMP_EQUAL, 1, 0, _AUDIT_ARCH[machine]),
        *_return(KILL_PROCESS),
        (LOAD_WORD, 0, 0, 0),
        *_search(ranges),
    )


class _FilterProgram(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


@functools.cache
def prepare(*, listen: bool, forks: bool = False) -> _FilterProgram:
    """Return the filter in the kernel's form. Made once, before forking, so that no program waits for it.

    `listen`: there is an observer; `forks`: it is asked about new processes.
    """
    block = assemble(os.uname().machine, listen=listen, forks=forks)
    code = b"".join(struct.pack("<HBBI", *instruction) for instruction in block)
    return _FilterProgram(len(block), code)


_syscall = ctypes.CDLL(None, use_errno=True).syscall  # looked up once, before any fork


def install() -> int:
    """Put the filter on this process, which has one thread and no_new_privs, for it and all that it starts.

    It notices new processes too. Returns the listener's descriptor, or -1 if the kernel cannot notify (gVisor). Raises
    OSError if no filter could be installed.
    """
    number = NUMBERS["seccomp"][list(_AUDIT_ARCH).index(os.uname().machine)]
    for flags in (*LISTENING, 0):
        program = prepare(listen=flags != 0, forks=True)
        answer: int = _syscall(number, SET_MODE_FILTER, flags, ctypes.byref(program))
        if answer >= 0:
            return answer if flags else -1
        if ctypes.get_errno() != errno.EINVAL:
            break
    raise OSError(ctypes.get_errno(), f"no filter for system calls: {os.strerror(ctypes.get_errno())}")
