"""The assembled filter, run by an interpreter of its own language: what it decides for every call and its arguments."""

import errno
import socket
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.inside import seccomp

ALLOW, NOTIFY, KILL = "allow", "notify", "kill"
MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
AT_FDCWD = 2**64 - 100

_REFUSED = """
ptrace process_vm_readv process_vm_writev pidfd_getfd kcmp unshare setns chroot pivot_root mount umount2 move_mount open_tree
fsopen fsmount mount_setattr bpf perf_event_open userfaultfd io_uring_setup keyctl add_key request_key shmget semget msgget
mq_open open_by_handle_at fanotify_init kexec_load init_module finit_module reboot swapon sethostname clock_settime syslog
quotactl acct memfd_secret process_madvise syncfs
"""
ALWAYS_REFUSED = _REFUSED.split()
ALWAYS_NOTICED = ["execve", "execveat", "connect", "bind", "openat2", "truncate", "symlinkat"]
HONEST = {
    # number on x86_64, on aarch64
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "mmap": (9, 222), "futex": (202, 98), "fstat": (5, 80),
    "exit_group": (231, 94), "unlinkat": (263, 35), "mkdirat": (258, 34), "wait4": (61, 260), "prctl": (157, 167),
    "sendmsg": (46, 211), "recvfrom": (45, 207), "landlock_restrict_self": (446, 446), "memfd_create": (319, 279),
    "pidfd_open": (434, 434), "futex_waitv": (449, 449), "mseal": (462, 462), "rt_sigreturn": (15, 139),
}  # fmt: skip


def run(machine: str, data: bytes, *, listen: bool, forks: bool = False) -> str:
    """The filter's decision on a struct seccomp_data, in words. Fails where the kernel would refuse the filter."""
    program = seccomp.assemble(machine, listen=listen, forks=forks)
    accumulator, at = 0, 0
    while True:
        code, jump_true, jump_false, constant = program[at]
        at += 1
        if code == 0x20:
            assert constant % 4 == 0 and constant <= 60
            (accumulator,) = struct.unpack_from("<I", data, constant)
        elif code == 0x05:
            at += constant
        elif code == 0x06:
            return {0x7FFF0000: ALLOW, 0x7FC00000: NOTIFY, 0x80000000: KILL}.get(constant) or _error(constant)
        else:
            holds = {
                0x15: accumulator == constant,
                0x35: accumulator >= constant,
                0x45: bool(accumulator & constant),
            }[code]
            at += jump_true if holds else jump_false


def _error(constant: int) -> str:
    assert constant & 0xFFFF0000 == 0x00050000, hex(constant)
    return errno.errorcode[constant & 0xFFFF]


def call(machine: str, name: str | int, *arguments: int, listen: bool = True, forks: bool = False) -> str:
    column = list(MACHINES).index(machine)
    number = name if isinstance(name, int) else (seccomp.NUMBERS | HONEST)[name][column]
    assert number is not None
    padded = [argument & (2**64 - 1) for argument in arguments] + [0] * (6 - len(arguments))
    data = struct.pack("<IIQ6Q", number, MACHINES[machine], 0x1234, *padded)
    return run(machine, data, listen=listen, forks=forks)


each_machine = pytest.mark.parametrize("machine", list(MACHINES))


@each_machine
@pytest.mark.parametrize("name", ALWAYS_REFUSED)
def test_refused_whatever_the_arguments(machine: str, name: str) -> None:
    expected = "ENOSYS" if name in seccomp.ABSENT else "EPERM"
    for argument in (0, 1, 2**32 - 1, 2**64 - 1):
        assert call(machine, name, *[argument] * 6) == NOTIFY
        assert call(machine, name, *[argument] * 6, listen=False) == expected


@each_machine
@pytest.mark.parametrize("name", ALWAYS_NOTICED)
def test_noticed_or_let_through(machine: str, name: str) -> None:
    assert call(machine, name) == NOTIFY
    assert call(machine, name, listen=False) == ALLOW


@each_machine
@pytest.mark.parametrize("name", HONEST)
@pytest.mark.parametrize("listen", [True, False])
def test_allowed_whatever_the_arguments(machine: str, name: str, listen: bool) -> None:
    for argument in (0, 1, 2**32 - 1, 2**64 - 1, 0x5412):
        assert call(machine, name, *[argument] * 6, listen=listen) == ALLOW


@each_machine
@given(flags=st.integers(0, 2**64 - 1))
def test_clone_without_namespaces(machine: str, flags: int) -> None:
    new = any(flags & flag for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000))
    assert call(machine, "clone", flags) == (NOTIFY if new else ALLOW)
    assert call(machine, "clone", flags, listen=False) == ("EPERM" if new else ALLOW)
    assert call(machine, "clone3", flags) == "ENOSYS"


@each_machine
@given(flags=st.integers(0, 2**64 - 1) | st.sampled_from([17, 0x4111, 0x3D0F00, 0x01200011]))
def test_new_processes_are_noticed_where_asked_for_and_threads_are_not(machine: str, flags: int) -> None:
    if call(machine, "clone", flags) == ALLOW:
        assert call(machine, "clone", flags, forks=True) == (ALLOW if flags & 0x10000 else NOTIFY)
    else:
        assert call(machine, "clone", flags, forks=True) == NOTIFY
    if machine == "x86_64":
        for name in ("fork", "vfork"):
            assert call(machine, name, flags) == ALLOW
            assert call(machine, name, flags, forks=True) == NOTIFY


@each_machine
@given(family=st.integers(0, 60), kind=st.integers(0, 2**32 - 1), upper=st.integers(0, 2**32 - 1))
def test_sockets(machine: str, family: int, kind: int, upper: int) -> None:
    """The kernel looks at the low half of an argument only, and so must the filter."""
    given_family = upper << 32 | family
    local = family == socket.AF_UNIX
    assert call(machine, "socket", given_family, kind) == NOTIFY
    assert call(machine, "socket", given_family, kind, listen=False) == (ALLOW if local else "EAFNOSUPPORT")
    assert call(machine, "socketpair", given_family, kind) == (ALLOW if local else NOTIFY)
    assert call(machine, "socketpair", given_family, kind, listen=False) == (ALLOW if local else "EAFNOSUPPORT")


@each_machine
@given(pointer=st.integers(0, 2**64 - 1) | st.sampled_from([0, 1, 1 << 32, 1 << 63]))
def test_sending_to_an_address(machine: str, pointer: int) -> None:
    assert call(machine, "sendto", 3, 0, 0, 0, pointer) == (NOTIFY if pointer else ALLOW)


@each_machine
@given(flags=st.integers(0, 2**32 - 1), folder=st.sampled_from([AT_FDCWD, 0xFFFFFF9C, 3, 0]))
def test_opening_files(machine: str, flags: int, folder: int) -> None:
    writes = bool(flags & (0o1 | 0o2 | 0o100 | 0o1000))
    temporary = bool(flags & (0o200 | 0o20000000))
    noticed = writes and not temporary
    assert call(machine, "openat", folder, 0x1000, flags) == (NOTIFY if noticed else ALLOW)
    assert call(machine, "openat", folder, 0x1000, flags, listen=False) == ALLOW
    if machine == "x86_64":
        assert call(machine, "open", 0x1000, flags) == (NOTIFY if noticed else ALLOW)


@each_machine
@given(value=st.integers(0, 2**64 - 1) | st.sampled_from([0, 0xFFFFFFFF, 0x40000]))
def test_personality_may_be_asked_for(machine: str, value: int) -> None:
    harmless = value & 0xFFFFFFFF in (0, 0xFFFFFFFF)
    assert call(machine, "personality", value, listen=False) == (ALLOW if harmless else "EPERM")


@each_machine
@given(st.sampled_from([0x5412, 0x541C, 0x5401, 0x5413]), st.integers(0, 2**32 - 1), st.integers(0, 15))
def test_single_operations(machine: str, operation: int, upper: int, flags: int) -> None:
    assert call(machine, "ioctl", 0, upper << 32 | operation) == (NOTIFY if operation in (0x5412, 0x541C) else ALLOW)
    assert call(machine, "seccomp", 1, upper << 32 | flags) == (NOTIFY if flags & 8 else ALLOW)


@each_machine
@given(number=st.integers(0, 2**32 - 1) | st.integers(400, 600), listen=st.booleans())
def test_numbers_that_the_table_does_not_have(machine: str, number: int, listen: bool) -> None:
    column = list(MACHINES).index(machine)
    if number in {numbers[column] for numbers in seccomp.NUMBERS.values()}:
        return
    expected = ALLOW if number <= 469 else "ENOSYS" if number < 0x40000000 else KILL
    assert call(machine, number, listen=listen) == expected


@given(number=st.integers(0, 500), arch=st.sampled_from([0x40000003, 0x40000028, 0, 0xC00000B7]))
def test_calls_of_another_architecture_end_the_program(number: int, arch: int) -> None:
    assert run("x86_64", struct.pack("<IIQ6Q", number, arch, 0, *[0] * 6), listen=True) == KILL


def test_the_table_agrees_with_itself() -> None:
    for column in (0, 1):
        numbers = [pair[column] for pair in seccomp.NUMBERS.values() if pair[column] is not None]
        assert len(numbers) == len(set(numbers))
    for name, (one, other) in seccomp.NUMBERS.items():
        assert one == other or (one or 0) < 424 > (other or 0), f"{name}: from 424 on all architectures have one number"


@each_machine
@pytest.mark.parametrize(("listen", "forks"), [(True, True), (True, False), (False, False)])
def test_the_kernel_would_take_it(machine: str, listen: bool, forks: bool) -> None:
    """At most 4096 instructions; every jump lands inside and forward; every way ends in a return."""
    program = seccomp.assemble(machine, listen=listen, forks=forks)
    assert len(program) <= 4096 and program[-1][0] == 0x06
    for at, (code, jump_true, jump_false, constant) in enumerate(program):
        assert 0 <= jump_true <= 255 and 0 <= jump_false <= 255
        farthest = constant if code == 0x05 else max(jump_true, jump_false)
        assert at + 1 + farthest < len(program) or code == 0x06
