"""Process 1 of a slot: an interpreter that is already up, forked once for each program, each fork locked in by itself.

Theory of operation
-------------------
The slot is a hardened container without rights. This process connects to the host's socket (a SEQPACKET socket in a folder
that the host has mounted; the container has no network), makes namespaces of its own, builds the file system that programs
will see, imports what the host asks for and then serves, one program at a time:

    host    setup    JSON {"preload": [module...]}, with a file in memory: the harness, in the form of a request
    slot    ready    JSON {"memory_bytes": int} or {"problem": str}
    host    R        the limits (program.LIMITS), with descriptors: request, then those that the program gets as 0, 1, 2, ...
    host    K why    end everything; `why` comes back in the report
    slot    report   JSON, see `Run.report`

For each program a process 1 is started in a fresh pid namespace (it sleeps, and its end is the end of everything
in it), then a child is forked into that namespace. The child takes fresh mount, ipc, uts and user namespaces, mounts
its own /box, gives up every right, installs the filter of system calls, and only then looks at the request: nothing that a
submission wrote is ever read by this process. The listener of the filter comes back to this process, which
watches what the program is refused (watch.py). The network namespace is made anew whenever the last program has asked
for a socket by name; until then nobody can have left anything in it.

Standard library only; started as `python3 -I`.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import resource
import select
import signal
import socket
import sys
import time

OURS = "/opt/assay"
sys.path.insert(0, OURS)

from sandboxes.harness import landlock, namespaces, program, seccomp, watch  # noqa: E402 - -I keeps our folder off the path
from sandboxes.harness.counters import Counters, written  # noqa: E402

SOCKET = "/run/assay/s"
HARNESS = "/harness"
MESSAGE_BYTES = 65536
CPU_POLL_SECONDS = 0.05
INODES = 16384
NAMESPACES = (
    namespaces.NEWUSER
    | namespaces.NEWPID
    | namespaces.NEWNS
    | namespaces.NEWIPC
    | namespaces.NEWUTS
    | namespaces.NEWNET
)
WRITABLE = ("/box", "/dev")
OWN_PROCESSES = 2
"""Process 1 of the container and this one. The paused process 1 of a program's namespace comes on top while it runs."""
ANSWERS_AT_ONCE = 32
ROUNDING_BYTES = 4 << 20
"""The kernel counts in steps, and fails before the last of them where much is wanted at once."""
GROWTH_BYTES = 16 << 20
"""What a slot may hold more after a program than before its first: more is a doubt."""


DECOYS = ("/root/.ssh/id_rsa", "/root/.aws/credentials", "/home/user/.ssh/id_rsa", "/home/user/.aws/credentials")
"""Files that are worth something on other machines. Nobody here has a use for them; opening one is noticed."""
TYPE_CHECKING = False  # see program.py: typing is not for here
if TYPE_CHECKING:
    import types
    from typing import Any

    Becoming = tuple[program.PythonCall, types.ModuleType]
    """What the child of a fork is to run, and its `__main__`."""

NOTHING, EVENTS, LISTENER, COUNTED, TO_PARENT = 5, 6, 7, 8, 9
"""Descriptors that have a fixed number, here and in a child: /dev/null, an epoll that both add to, the filter's listener (the epoll
knows it by file and number, so it has the same in both), the child's account of its reads and writes, its way to this
process. All below are kept taken, so that what is received lies above them."""


class GoneError(Exception):
    """The host closed the connection."""


def receive(control: socket.socket) -> tuple[bytes, list[int]]:
    data, fds, _, _ = socket.recv_fds(control, MESSAGE_BYTES, 8)
    if not data:
        raise GoneError
    return data, fds


class Slot:
    """The zygote's own state: what outlives a program."""

    def __init__(self, control: socket.socket, proc: int) -> None:
        self.control = control
        self.proc = proc
        """Folder of the container's procfs, which programs do not have."""
        self.counters = Counters()
        self.own_pid_namespace = os.open("self/ns/pid", os.O_RDONLY, dir_fd=proc)
        self.loadavg = os.open("loadavg", os.O_RDONLY, dir_fd=proc)
        # Over this a child hands its listener, or says why it could not lock itself in.
        self.from_child, to_parent = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        os.dup2(to_parent.detach(), TO_PARENT, inheritable=False)
        self.to_parent = socket.socket(fileno=TO_PARENT)
        with select.epoll() as events:
            os.dup2(events.fileno(), EVENTS, inheritable=False)
        self.events = select.epoll.fromfd(EVENTS)
        self.events.register(control, select.EPOLLIN)
        self.cpus = os.sched_getaffinity(0)
        self.tripwires: watch.Tripwires
        self.main: types.ModuleType
        self.memory_bytes = 0
        """In use when nothing runs."""
        self.most: int | None = None
        self.level: dict[str, float] = {}
        """As the counters stood when the last program had ended."""

    def read_level(self) -> dict[str, float]:
        """How the counters stand. Nothing runs between programs: the end of one is the start of the next."""
        names = ("peak", "memory", "oom_kills", "forks_refused", "processes")
        level: dict[str, float] = {name: self.counters.read(name) or 0 for name in names}
        level["cpu"] = self.counters.cpu_seconds()
        # the number given to a process last, of all that live in here or in namespaces below
        level["last_process"] = int(os.pread(self.loadavg, 256, 0).split()[-1])
        return level

    def limit(self) -> int:
        """Of the memory; the host sets it after this process has said what it needs itself."""
        if self.most is None:
            self.most = self.counters.read("limit") or sys.maxsize
        return self.most

    def doubt(self) -> str:
        """Why this slot should serve nobody any more; empty where it is as it was."""
        if self.level["processes"] > OWN_PROCESSES:
            return f"{self.level['processes'] - OWN_PROCESSES:.0f} processes are left over"
        if self.level["memory"] > self.memory_bytes + GROWTH_BYTES:
            return f"{(self.level['memory'] - self.memory_bytes) / (1 << 20):.0f} MiB are left over"
        return ""


# --- once ---------------------------------------------------------------------------------------------------------------


def build(setup: dict[str, Any], harness: int) -> None:
    """Make the file system of the programs and import what they start from."""
    folders = ("/box", "/harness", "/run", "/var", *(os.path.dirname(path) for path in DECOYS))
    links = {"/tmp": "/box/tmp", "/var/tmp": "/box/tmp", "/dev/shm": "/box/shm", "/var/run": "/run"}  # noqa: S108
    namespaces.build_root("/box/root", folders, links)
    for path in DECOYS:
        with open(path, "w") as file:
            file.write("nothing\n")
    request = program.Request(harness)
    request.place_files(HARNESS)
    if request.files:
        compile_ahead()
        sys.path.insert(0, HARNESS)
        os.environ["PYTHONPATH"] = program.ENVIRONMENT["PYTHONPATH"] = HARNESS
    for name in setup["preload"]:
        importlib.import_module(name)


def compile_ahead() -> None:
    """What is not imported ahead is at least compiled. In a fork, because what this imports would make every fork dearer."""
    child = os.fork()
    if child == 0:
        import compileall  # noqa: PLC0415

        compileall.compile_dir(HARNESS, quiet=2)
        os._exit(0)
    os.waitpid(child, 0)


def settle(slot: Slot) -> None:
    """After all imports: nothing more changes in here."""
    sys.path.remove(OURS)
    namespaces.freeze_root()
    seccomp.prepare(listen=True)
    slot.main = program.clear_interpreter()
    gc.collect()
    gc.freeze()
    slot.level = slot.read_level()
    slot.memory_bytes = int(slot.level["memory"])


def serve(control: socket.socket, proc: int) -> Becoming | None:
    """Until the host closes the connection: None. In the child of a fork that goes on as Python: what it is to run."""
    message, (harness,) = receive(control)
    setup = json.loads(message)
    slot = Slot(control, proc)
    build(setup, harness)
    os.close(harness)
    slot.tripwires = watch.Tripwires(DECOYS)
    settle(slot)
    control.send(json.dumps({"memory_bytes": slot.memory_bytes}).encode())
    while True:
        try:
            message, fds = receive(control)
        except GoneError:
            return None
        if message[:1] != b"R":
            continue  # a K that came too late
        run = Run(slot, message[1:])
        becoming = run.start(fds)
        if becoming is not None:
            return becoming
        control.send(json.dumps(run.follow()).encode())


# --- once for each program ------------------------------------------------------------------------------------------------


class Run:
    """One program, from its fork to its report."""

    def __init__(self, slot: Slot, limits: bytes) -> None:
        self.slot = slot
        self.cpu_seconds, self.disk_mib = program.LIMITS.unpack(limits)
        self.watch: watch.Watch | None = None
        self.box: int | None = None
        """The program's /box, to ask how full it is."""
        self.counted: int | None = None
        """The program's own account of what it reads and writes (proc(5), io)."""
        self.problem = ""
        self.stopped = ""

    def start(self, fds: list[int]) -> Becoming | None:
        """Fork the program. Returns something only in the child, which is locked in by then and is to run it."""
        slot = self.slot
        # The paused process shares our memory. On one processor with us, its name there costs no interrupts between them.
        os.sched_setaffinity(0, {namespaces.current_cpu()})
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # inherited by it: what is orphaned to it is reaped by the kernel
        self.init = namespaces.start_paused_init()
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.pid = os.fork()
        if self.pid == 0:
            return self._become_program(fds)
        namespaces.bear_children_in(slot.own_pid_namespace)
        for fd in fds:
            os.close(fd)
        return None

    def _become_program(self, fds: list[int]) -> Becoming | None:
        slot = self.slot
        to_parent = slot.to_parent
        try:
            os.setsid()
            os.sched_setaffinity(0, slot.cpus)
            namespaces.unshare(namespaces.NEWNS | namespaces.NEWIPC | namespaces.NEWUTS)
            namespaces.mount_private("/box", self.disk_mib, INODES)
            for folder in ("/box/work", "/box/tmp", "/box/shm"):
                os.mkdir(folder)
            os.chdir("/box/work")
            namespaces.set_dumpable(1)  # or this process's own files in /proc would not be its own
            namespaces.unshare(namespaces.NEWUSER)
            namespaces.map_identity(slot.proc)
            namespaces.write_file("self/oom_score_adj", "1000", slot.proc)
            os.dup2(os.open("self/io", os.O_RDONLY, dir_fd=slot.proc), COUNTED, inheritable=False)
            request = program.Request(fds[0])
            fitting = request.place_files(program.WORK)
            self._limit()
            self._only_streams(fds[1:])
            namespaces.drop_rights()
            landlock.restrict(WRITABLE)
            call = program.python_call(request.argv, request.environment)
            box = os.open("/box", os.O_RDONLY | os.O_CLOEXEC)
            listener = seccomp.install(listen=True)
            handed = [box, COUNTED, listener] if listener >= 0 else [box, COUNTED]
            socket.send_fds(to_parent, [b"python" if call else b"exec"], handed)
            if listener >= 0:
                os.dup2(listener, LISTENER)
                slot.events.register(LISTENER, select.EPOLLIN | select.EPOLLET)
            to_parent.close()
            os.closerange(len(fds) - 1, TO_PARENT)
            if not fitting:
                os.write(2, b"assay: the files do not fit into the box\n")
                os._exit(1)
        except BaseException as error:
            to_parent.send(f"problem {type(error).__name__}: {error}".encode()[:4000])
            os._exit(126)
        if call is None:
            program.execute(request.argv, request.environment)
        program.prepare_interpreter(call, request.argv, request.environment)
        return call, slot.main

    def _only_streams(self, streams: list[int]) -> None:
        """Put the program's streams on 0, 1, 2, ... and close all else, but the way to the parent."""
        for number, fd in enumerate(streams):
            os.dup2(fd, number)
        os.closerange(len(streams), EVENTS)
        os.closerange(TO_PARENT + 1, 1 << 20)
        for kept in (self.slot.control, self.slot.from_child):
            kept.detach()  # or its end, whenever that comes, would close what the program has under this number then

    def _limit(self) -> None:
        seconds = int(self.cpu_seconds) + 2  # behind the poll of the whole tree's time, which is exact
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.disk_mib << 20,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def follow(self) -> dict[str, object]:
        """Until the program has ended, by itself or by us; then everything it left is ended too. Returns the report."""
        ended = os.pidfd_open(self.pid)
        events, control = self.slot.events, self.slot.control.fileno()
        events.register(ended, select.EPOLLIN)
        look_at_cpu = time.monotonic() + CPU_POLL_SECONDS
        more = False
        while not self.stopped:
            ready = [fd for fd, _ in events.poll(0 if more else CPU_POLL_SECONDS)]
            if more or LISTENER in ready:
                more = self._attend()
            if ended in ready:
                break
            if control in ready:
                self.stopped = self._asked_to_stop()
            elif time.monotonic() > look_at_cpu:
                look_at_cpu = time.monotonic() + CPU_POLL_SECONDS
                if self.slot.counters.cpu_seconds() - self.slot.level["cpu"] > self.cpu_seconds:
                    self.stopped = "cpu"
        os.close(ended)
        self._hear()
        written_bytes = self._written_bytes()
        status = self._end_everything()
        self._hear()  # what it said in its last moment is not left for the next
        return self._report(status, written_bytes)

    def _attend(self) -> bool:
        """Answer what the filter asks. True where there may be more: the listener tells of a change only once.

        Many threads could go on asking for ever, and the host's word must be heard meanwhile.
        """
        self._hear()
        return self.watch is not None and all(self.watch.handle() for _ in range(ANSWERS_AT_ONCE))

    def _hear(self) -> None:
        """Take what the child said before it became the program: it has locked itself in, or why it could not.

        Not before it is needed: as long as the child lives, each page that this process writes has to be copied.
        """
        if self.box is not None or self.problem:
            return
        try:
            message, fds, _, _ = socket.recv_fds(self.slot.from_child, 4096, 3, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return  # it did not get so far
        word, _, rest = message.decode("utf-8", "replace").partition(" ")
        if word == "problem":
            self.problem = rest
            return
        self.box, self.counted, *listener = fds
        if listener:
            os.dup2(listener[0], LISTENER, inheritable=False)
            os.close(listener[0])
            self.watch = watch.Watch(LISTENER, expected_programs=int(word == "exec"))

    def _asked_to_stop(self) -> str:
        try:
            message, _ = receive(self.slot.control)
        except GoneError:
            return "killed"
        return message[1:].decode() or "killed"

    def _written_bytes(self) -> int:
        """Of the program and of its children that it has waited for; read while it is dead but not yet reaped."""
        if self.counted is None:
            return 0
        try:
            text = os.read(self.counted, 4096).decode()
        except PermissionError:  # it has hidden itself (PR_SET_DUMPABLE)
            text = ""
        os.close(self.counted)
        return written(text)

    def _end_everything(self) -> int:
        """End what is in the namespace. Returns the program's wait status."""
        os.kill(self.init, signal.SIGKILL)
        # While process 1 of the namespace ends, the kernel ends all others in it. The program is our child: we reap it.
        _, status, used = os.wait4(self.pid, 0)
        self.largest = used.ru_maxrss << 10
        os.waitpid(self.init, 0)
        os.sched_setaffinity(0, self.slot.cpus)
        return status

    def _disk_full(self) -> bool:
        if self.box is None:
            return False
        room = os.fstatvfs(self.box)
        os.close(self.box)
        return room.f_bavail == 0 or room.f_favail == 0

    def _report(self, status: int, written_bytes: int) -> dict[str, object]:
        slot, before = self.slot, self.slot.level
        evidence = slot.tripwires.collect()
        if self.watch is not None:
            evidence += self.watch.evidence()
            os.dup2(NOTHING, LISTENER, inheritable=False)  # closes it and keeps the number taken
        if self.watch is None or self.watch.asked_for_socket:
            namespaces.unshare(namespaces.NEWNET)
        disk_full = self._disk_full()
        after = slot.level = slot.read_level()
        # Exact where this program used more than any before it, otherwise what its largest process held at once. A host
        # that may reset the counter of the control group (slot.py) has the exact figure always, and takes it.
        peak = max(0, int(after["peak"] - before["memory"]))
        return {
            "exit_code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
            "stopped": self.stopped,
            "cpu_seconds": after["cpu"] - before["cpu"],
            "peak_bytes": peak if after["peak"] > before["peak"] else min(peak, self.largest),
            "oom_kills": after["oom_kills"] - before["oom_kills"],
            "forks_refused": after["forks_refused"] - before["forks_refused"],
            # By its peak, because newer kernels do not count it in version 1.
            "limit_hits": int(after["peak"] > slot.limit() - ROUNDING_BYTES),
            "disk_full": disk_full,
            "processes": after["last_process"] - before["last_process"] - 1,  # the sleeping process 1 is ours
            "written_bytes": written_bytes,
            "evidence": evidence,
            "memory_before": before["memory"],
            "problem": self.problem,
            "doubt": slot.doubt(),
        }


# --- process 1 of the container --------------------------------------------------------------------------------------------


def main() -> Becoming | None:
    while os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC) < TO_PARENT:
        pass
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control.connect(SOCKET)
    proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    namespaces.unshare(NAMESPACES)
    namespaces.map_identity(proc)
    zygote = os.fork()
    if zygote:
        control.close()  # the host is to see it when the zygote is gone
        os.waitpid(zygote, 0)
        return None
    namespaces.set_dumpable(0)
    try:
        return serve(control, proc)
    except Exception as error:
        control.send(json.dumps({"problem": f"{type(error).__name__}: {error}"}).encode())
        raise


if __name__ == "__main__":
    becoming = main()
    if becoming is not None:
        program.run(*becoming)
