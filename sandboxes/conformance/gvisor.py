"""The promises of tier gvisor that differ from `sandboxes.conformance.checks`: name of a check -> the check that holds instead.

* Files are not counted, only their bytes are: an endless number of empty files ends at another limit.
* A process has no CPU limit of its own behind that of the whole box: by gVisor's count it would end a process that only waits.
* A device file can be made, but opens nothing: gVisor lacks such devices.
* Some of process 1's files in /proc can be read. They hold what every box's environment holds; its streams do not open.
"""

from dataclasses import replace

from sandboxes.conformance.checks import SMALL, Check, python
from sandboxes.interface import End, Session


def many_files_end_at_some_limit(session: Session) -> None:
    limits = replace(SMALL, cpu_seconds=1)
    execution = session.run(python("for n in range(1_000_000): open(str(n), 'w').close()", limits=limits))
    assert execution.end in (End.CPU_TIMEOUT, End.WALL_TIMEOUT, End.OUT_OF_MEMORY, End.DISK_LIMIT), execution


def a_cpu_limit_of_its_own_says_what_it_was(session: Session) -> None:
    code = """
        import resource
        assert resource.getrlimit(resource.RLIMIT_CPU) == (resource.RLIM_INFINITY,) * 2
        resource.setrlimit(resource.RLIMIT_CPU, (1, 2))
        while True: pass
    """
    execution = session.run(python(code))
    assert execution.end is End.CPU_TIMEOUT, execution
    assert execution.cpu_seconds < SMALL.cpu_seconds, execution


def privileged_calls_gain_nothing(session: Session) -> None:
    code = """
        import ctypes, os
        libc = ctypes.CDLL(None, use_errno=True)
        libc.mknod(b"/box/work/dev", 0o20600, 0x101)
        calls = {
            "mount": lambda: libc.mount(b"none", b"/box", b"tmpfs", 0, None), "chroot": lambda: libc.chroot(b"/box"),
            "ptrace": lambda: libc.ptrace(16, 1, 0, 0), "setuid": lambda: libc.setuid(0), "reboot": lambda: libc.reboot(0),
            "sethostname": lambda: libc.sethostname(b"x", 1), "device": lambda: libc.open(b"/box/work/dev", 0),
            "setgroups": lambda: libc.setgroups(0, None), "kill": lambda: libc.kill(1, 9),
        }
        print([name for name, call in calls.items() if call() != -1])
    """
    execution = session.run(python(code))
    assert execution.stdout == b"[]\n", execution


def the_supervisor_tells_nothing(session: Session) -> None:
    code = """
        import os
        for name in ("mem", "cwd", "root", "exe", "fd/0", "fd/1", "fd/2", "task/1/fd/1"):
            for flags in (os.O_RDONLY, os.O_WRONLY):
                try: print(name, os.open("/proc/1/" + name, flags))
                except OSError: pass
        variables = open("/proc/1/environ").read().split("\\0")
        print(sorted(variable.partition("=")[0] for variable in variables if variable), "HOSTNAME=box" in variables)
    """
    execution = session.run(python(code))
    assert execution.stdout == b"['HOME', 'HOSTNAME', 'LANG', 'PATH'] True\n", execution


INSTEAD: dict[str, Check] = {
    "inodes_are_limited": many_files_end_at_some_limit,
    "the_limit_behind_the_cpu_limit_says_what_it_was": a_cpu_limit_of_its_own_says_what_it_was,
    "privileged_calls_are_refused": privileged_calls_gain_nothing,
    "the_supervisor_is_out_of_reach": the_supervisor_tells_nothing,
}
