"""Process 1 of a slot: an interpreter that is already up, forked once for each program, each fork locked in by itself.

Theory of operation
-------------------
The slot is a hardened container without rights. This process connects to the host's socket (a SEQPACKET socket in a folder
that the host has mounted; the container has no network), makes namespaces of its own, builds the file system that programs
will see, imports what the host asks for and then serves, one program at a time:

    host    setup    JSON {"preload": [module...]}, with a memfd: the harness, in the form of a request
    slot    ready    JSON {"memory_bytes": int, "enforces": {...}} or {"problem": str}
    host    R        the limits (LIMITS), with descriptors: request, stdin, stdout, stderr, and the channel if there is one
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
import struct
import sys
import time

OURS = "/opt/assay"
sys.path.insert(0, OURS)

from sandboxes.harness import landlock, namespaces, program, seccomp, watch  # noqa: E402 - -I keeps our folder off the path
from sandboxes.harness.counters import Counters  # noqa: E402

SOCKET = "/run/assay/s"
HARNESS = "/harness"
LIMITS = struct.Struct(">dIB")
"""CPU seconds, disk MiB, whether there is a channel."""
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

COUNTED, TO_PARENT = 8, 9
"""Descriptors of a child: its io account in /proc, and its way to the zygote. All below are kept taken, so that what is
received lies above them."""


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
        self.cpus = os.sched_getaffinity(0)
        self.tripwires: watch.Tripwires
        self.main: types.ModuleType
        self.memory_bytes = 0
        """In use when nothing runs."""

    def last_process(self) -> int:
        """The number that was given to a process last, of all that live in here or in namespaces below."""
        return int(os.pread(self.loadavg, 256, 0).split()[-1])


# --- once ---------------------------------------------------------------------------------------------------------------


def build(setup: dict[str, Any], harness: int) -> None:
    """Make the file system of the programs and import what they start from."""
    folders = ("/box", "/harness", "/run", "/var", *(os.path.dirname(path) for path in DECOYS))
    links = {"/tmp": "/box/tmp", "/var/tmp": "/box/tmp", "/dev/shm": "/box/shm", "/var/run": "/run"}  # noqa: S108
    namespaces.build_root("/box/root", folders, links)
    for path in DECOYS:
        with open(path, "w") as file:
            file.write("nothing\n")
    request, content = program.read_request(harness)
    for path, size in request["files"]:
        target = os.path.join(HARNESS, path)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        with open(target, "wb") as file:
            file.write(content[:size])
        content = content[size:]
    if request["files"]:
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
    slot.memory_bytes = slot.counters.read("memory") or 0


def serve(control: socket.socket, proc: int) -> Becoming | None:
    """Until the host closes the connection: None. In the child of a fork that goes on as Python: what it is to run."""
    message, (harness,) = receive(control)
    setup = json.loads(message)
    slot = Slot(control, proc)
    build(setup, harness)
    os.close(harness)
    slot.tripwires = watch.Tripwires(DECOYS)
    settle(slot)
    facts = {"landlock": landlock.version(), "missing_counters": slot.counters.missing()}
    control.send(json.dumps({"memory_bytes": slot.memory_bytes, "facts": facts}).encode())
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
        self.cpu_seconds, self.disk_mib, channel = LIMITS.unpack(limits)
        self.channel = bool(channel)
        self.before = {name: slot.counters.read(name) or 0 for name in ("oom_kills", "forks_refused")}
        self.peak_before = slot.counters.read("peak") or 0
        self.memory_before = slot.counters.read("memory") or 0
        self.cpu_before = slot.counters.cpu_seconds()
        self.watch: watch.Watch | None = None
        self.last_before = slot.last_process()
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
            request, content = program.read_request(fds[0])
            fitting = program.place_files(request["files"], content)
            self._limit()
            self._only_streams(fds[1:])
            namespaces.drop_rights()
            landlock.restrict(WRITABLE)
            call = program.python_call(request["argv"], request["environment"])
            box = os.open("/box", os.O_RDONLY | os.O_CLOEXEC)
            listener = seccomp.install(listen=True)
            handed = [box, COUNTED, listener] if listener >= 0 else [box, COUNTED]
            socket.send_fds(to_parent, [b"python" if call else b"exec"], handed)
            to_parent.close()
            os.closerange(3 + self.channel, TO_PARENT)
            if not fitting:
                os.write(2, b"assay: the files do not fit into the box\n")
                os._exit(1)
        except BaseException as error:
            to_parent.send(f"problem {type(error).__name__}: {error}".encode()[:4000])
            os._exit(126)
        if call is None:
            program.execute(request["argv"], request["environment"])
        program.prepare_interpreter(call, request["argv"], request["environment"])
        return call, slot.main

    def _only_streams(self, streams: list[int]) -> None:
        """Put the program's streams on 0, 1, 2 (and 3) and close all else, but the way to the parent."""
        for number, fd in enumerate(streams):
            os.dup2(fd, number)
        os.closerange(len(streams), COUNTED)
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
        control, child = self.slot.control.fileno(), self.slot.from_child.fileno()
        poll = select.poll()
        for fd in (control, child, ended):
            poll.register(fd, select.POLLIN)
        look_at_cpu = time.monotonic() + CPU_POLL_SECONDS
        while not self.stopped:
            ready = dict(poll.poll(CPU_POLL_SECONDS * 1000))
            self._attend(poll, ready)
            if child in ready:
                self._hear(poll)
            if ended in ready:
                break
            if control in ready:
                self.stopped = self._asked_to_stop()
            elif time.monotonic() > look_at_cpu:
                look_at_cpu = time.monotonic() + CPU_POLL_SECONDS
                if self.slot.counters.cpu_seconds() - self.cpu_before > self.cpu_seconds:
                    self.stopped = "cpu"
        os.close(ended)
        written = self._written_bytes()
        status = self._end_everything()
        if self.box is None and not self.problem:
            self._hear(poll)  # it ended in the very moment
        return self._report(status, written)

    def _attend(self, poll: select.poll, ready: dict[int, int]) -> None:
        """Answer what the filter asks."""
        if self.watch is None or self.watch.fileno() not in ready:
            return
        if ready[self.watch.fileno()] & select.POLLIN:
            self.watch.handle()
        else:  # all under the filter are dying; that takes a while, and would be told again and again
            poll.unregister(self.watch)

    def _hear(self, poll: select.poll) -> None:
        """The child has locked itself in, or says why it could not."""
        try:
            message, fds, _, _ = socket.recv_fds(self.slot.from_child, 4096, 3, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return
        word, _, rest = message.decode("utf-8", "replace").partition(" ")
        if word == "problem":
            self.problem = rest
            return
        self.box, self.counted, *listener = fds
        if listener:
            self.watch = watch.Watch(listener[0], expected_programs=int(word == "exec"))
            poll.register(self.watch.fileno(), select.POLLIN)

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
        return next((int(line.split()[1]) for line in text.splitlines() if line.startswith("wchar:")), 0)

    def _end_everything(self) -> int:
        """End what is in the namespace. Returns the program's wait status."""
        os.kill(self.init, signal.SIGKILL)
        # While process 1 of the namespace ends, the kernel ends all others in it. The program is our child: we reap it.
        _, status, used = os.wait4(self.pid, 0)
        self.largest = used.ru_maxrss << 10
        os.waitpid(self.init, 0)
        os.sched_setaffinity(0, self.slot.cpus)
        return status

    def _peak_bytes(self) -> int:
        """Exact where this program used more than any before it; otherwise what its largest process held at once.

        A host that may reset the counter of the control group (slot.py) has the exact figure always, and takes it.
        """
        peak = self.slot.counters.read("peak") or 0
        exact = max(0, peak - self.memory_before)
        return exact if peak > self.peak_before else min(exact, self.largest)

    def _disk_full(self) -> bool:
        if self.box is None:
            return False
        room = os.fstatvfs(self.box)
        os.close(self.box)
        return room.f_bavail == 0 or room.f_favail == 0

    def _report(self, status: int, written: int) -> dict[str, object]:
        counters = self.slot.counters
        processes = self.slot.last_process() - self.last_before - 1  # the sleeping process 1 is ours
        evidence = self.slot.tripwires.collect()
        if self.watch is not None:
            evidence += self.watch.evidence()
            if self.watch.asked_for_socket:
                namespaces.unshare(namespaces.NEWNET)
            self.watch.close()
        return {
            "exit_code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
            "stopped": self.stopped,
            "cpu_seconds": max(0.0, counters.cpu_seconds() - self.cpu_before),
            "peak_bytes": self._peak_bytes(),
            **{name: (counters.read(name) or 0) - self.before[name] for name in self.before},
            "limit_hits": self._limit_hits(),
            "disk_full": self._disk_full(),
            "processes": processes,
            "written_bytes": written,
            "evidence": evidence,
            "memory_before": self.memory_before,
            "problem": self.problem,
            "doubt": self._doubt(),
        }

    def _limit_hits(self) -> int | None:
        """Whether the box met its memory limit. By its peak, because newer kernels do not count it in version 1."""
        peak, most = self.slot.counters.read("peak"), self.slot.counters.read("limit")
        return None if peak is None or most is None else int(peak > most - ROUNDING_BYTES)

    def _doubt(self) -> str:
        """Why this slot should serve nobody any more; empty where it is as it was."""
        processes = self.slot.counters.read("processes")
        if processes is not None and processes > OWN_PROCESSES:
            return f"{processes - OWN_PROCESSES} processes are left over"
        memory = self.slot.counters.read("memory")
        if memory is not None and memory > self.slot.memory_bytes + GROWTH_BYTES:
            return f"{(memory - self.slot.memory_bytes) >> 20} MiB are left over"
        return ""


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
