"""A slot: an interpreter that is already up, forked once for each program, each fork locked in by itself.

Theory of operation
-------------------
The slot is a hardened container without rights. Its process 1 connects to the host's socket (a SEQPACKET socket in a folder
that the host has mounted; the container has no network), makes namespaces of its own and forks the zygote, which builds the file
system that programs will see, imports what the host asks for and then serves, one program at a time:

    host    setup    JSON {"preload": [module...]}, with a file in memory: the harness, in the form of a request
    slot    ready    JSON {"memory_bytes": int} or {"problem": str}
    host    R        the limits (program.LIMITS), with descriptors: request, then those that the program gets as 0, 1, 2, ...
    slot    B        the program begins. Sent by its own process, as our last act in it
    host    K why    end everything; the report repeats `why`
    slot    report   JSON, see `report` in jail.c

For each program a process 1 is started in a fresh pid namespace (it sleeps, and when it ends everything in the namespace
ends), then a child is forked into that namespace. The child takes fresh mount, ipc, uts and user namespaces, mounts
its own /box, gives up every right, installs the filter of system calls, and only then runs a submission's code. The network
namespace is made anew whenever the last program has asked for a socket by name; until then no program can have left anything in it.

Programs are copies of the zygote's memory, so nothing of a program may ever come into it. The child reads the request, not the
zygote. Process 1 of the container (observer.py), from which nothing is forked, handles the calls that the filter refuses or notices.

jail.c does the work for every program; this module does the work for a slot.
Standard library only; started by slot.py as `python3 -P -s` in an environment that holds nothing but what slot.py names. This is what
`python3 -I` protects from (modules beside this file, a user's modules, settings in PYTHON* variables), but for the one setting that
is wanted: the hash seed of every program, which an interpreter reads at its start.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import select
import socket
import sys

OURS = "/opt/assay"
sys.path.insert(0, OURS)

from sandboxes.inside import immortal, jail, landlock, namespaces, observer, program, seccomp  # noqa: E402 - -P keeps our folder off the path
from sandboxes.inside.counters import RESERVED_NUMBERS, Counters  # noqa: E402

SOCKET = "/run/assay/s"
HARNESS = "/harness"
MESSAGE_BYTES = 65536
NAMESPACES = (
    namespaces.NEWUSER
    | namespaces.NEWPID
    | namespaces.NEWNS
    | namespaces.NEWIPC
    | namespaces.NEWUTS
    | namespaces.NEWNET
)
DECOYS = ("/root/.ssh/id_rsa", "/root/.aws/credentials", "/home/user/.ssh/id_rsa", "/home/user/.aws/credentials")
"""Files that are valuable on other machines. No honest program needs them here; opening one is noticed."""
TYPE_CHECKING = False  # see program.py: typing is not for here
if TYPE_CHECKING:
    from typing import Any

EVENTS, COUNTED, TO_PARENT, TO_OBSERVER = 5, 6, 7, 8
"""Descriptors with a fixed number, here and in a child: an epoll that both add to, the child's account of its reads and
writes, its sockets to this process and to the observer. All lower numbers are kept taken, so that a received descriptor has a higher one."""


# --- once ---------------------------------------------------------------------------------------------------------------


def build(setup: dict[str, Any], harness: int) -> None:
    """Make the file system of the programs and import what they start from."""
    folders = ("/box", "/dev/fd", "/harness", "/proc/self", "/run", "/var", *(os.path.dirname(path) for path in DECOYS))
    links = {"/tmp": "/box/tmp", "/var/tmp": "/box/tmp", "/dev/shm": "/box/shm", "/var/run": "/run"}  # noqa: S108
    # The only part of /proc that a program has; see `show_descriptors` in jail.c.
    links |= {"/dev/stdin": "fd/0", "/dev/stdout": "fd/1", "/dev/stderr": "fd/2", "/proc/self/fd": "/dev/fd"}
    namespaces.build_root("/box/root", folders, links)
    for path in DECOYS:
        with open(path, "w") as file:
            file.write("nothing\n")
    if place_harness(harness):
        compile_ahead()
        sys.path.insert(0, HARNESS)
        os.environ["PYTHONPATH"] = program.ENVIRONMENT["PYTHONPATH"] = HARNESS
    os.register_at_fork = program.put_off_fork_hooks  # type: ignore[assignment]
    for name in setup["preload"]:
        importlib.import_module(name)
    os.register_at_fork = program.register_fork_hooks


def place_harness(fd: int) -> bool:
    """Write the files of this request. Return False if there are none."""
    with open(fd, "rb") as request:
        request.seek(0)
        files = program.ProgramRequest(request.read(int.from_bytes(request.read(4), "big"))).files()
        for path, size in files:
            target = os.path.join(HARNESS, path)
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with open(target, "wb") as file:
                file.write(request.read(size))
    return bool(files)


def compile_ahead() -> None:
    """Compile the modules that are not imported ahead. In a fork, because the compiler's own imports would make every fork cost more."""
    child = os.fork()
    if child == 0:
        import compileall  # noqa: PLC0415

        compileall.compile_dir(HARNESS, quiet=2)
        os._exit(0)
    os.waitpid(child, 0)


class Zygote:
    """The slot's state, and the objects that it points to, which this keeps alive."""

    def __init__(self, control: socket.socket, proc: int, line: observer.ObserverLine) -> None:
        """`proc`: a folder of the container's procfs, which programs do not have."""
        self.control = control
        self.line = line
        self.slot = slot = jail.SlotStruct(control=control.fileno(), proc=proc)
        slot.inodes, slot.reserved_numbers = program.INODES, RESERVED_NUMBERS
        slot.events, slot.counted, slot.to_parent, slot.to_observer = EVENTS, COUNTED, TO_PARENT, TO_OBSERVER
        slot.observer, slot.listeners = line.orders.fileno(), line.listeners.fileno()
        slot.tripwires = line.tripwires.fileno()
        slot.uid, slot.gid = namespaces.UID, namespaces.GID
        slot.own_pid_namespace = os.open("self/ns/pid", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc)
        slot.loadavg = os.open("loadavg", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc)
        with open(os.open("sys/kernel/pid_max", os.O_RDONLY | os.O_CLOEXEC, dir_fd=proc)) as file:
            slot.pid_max = int(file.read())
        counters = Counters()
        for name in ("cpu", "memory", "peak", "limit", "limit_hits", "oom_kills", "forks_refused", "processes"):
            fd, key = counters.place(name)
            setattr(slot, name, jail.Counter(fd, key.encode()))
        slot.cpu_unit = counters.cpu_unit
        # Over this a child reports that it is locked in, or why it could not be.
        self.from_child, to_parent = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        slot.from_child = self.from_child.fileno()
        os.dup2(to_parent.detach(), TO_PARENT, inheritable=False)
        os.dup2(line.to_listeners.detach(), TO_OBSERVER, inheritable=False)
        with select.epoll() as events:
            os.dup2(events.fileno(), EVENTS, inheritable=False)
            events.register(control, select.EPOLLIN)
        self.filters = [seccomp.prepare(listen=listen) for listen in (True, False)]
        slot.filters[:] = [ctypes.addressof(filter) for filter in self.filters]
        slot.filter_flags[:] = seccomp.LISTENING
        attributes, slot.landlock_folders, _ = landlock.rights()
        slot.landlock_attributes, slot.landlock_size = attributes, len(attributes)

    def settle(self) -> None:
        """Freeze everything, after all imports: from here on nothing changes in this process."""
        self.line.have_watched(DECOYS)
        sys.path.remove(OURS)
        namespaces.freeze_root()
        program.clear_interpreter()
        gc.collect()
        immortal.make_immortal()
        gc.freeze()
        jail.settle(self.slot)


def serve(control: socket.socket, proc: int, line: observer.ObserverLine) -> program.PythonCall | None:
    """Serve programs. Return None when the host closes the connection, and in a forked child the call that it is to run."""
    message, (harness,), _, _ = socket.recv_fds(control, MESSAGE_BYTES, 1)
    zygote = Zygote(control, proc, line)
    build(json.loads(message), harness)
    zygote.settle()
    control.send(json.dumps({"memory_bytes": zygote.slot.memory_bytes}).encode())
    event = jail.serve(zygote.slot)
    if event == jail.PROGRAM:
        return become(zygote)
    if event == jail.GONE:
        return None
    raise OSError("a program could not be started")


def become(zygote: Zygote) -> program.PythonCall:
    """Return, in the child, the call that it is to run. The child is locked in but for the filter, which this installs.

    It does not return if the program is to be executed instead.
    """
    slot = zygote.slot
    request = program.ProgramRequest(ctypes.string_at(slot.words, slot.words_size))
    call = program.python_call(request.argv, request.environment)
    slot.becomes_python = call is not None
    for kept in (zygote.control, zygote.from_child, zygote.line):
        kept.detach()  # otherwise its destructor would close a descriptor of the program with this number
    jail.begin(slot)
    if call is None:
        program.execute(request.argv, request.environment)
    program.prepare_interpreter(call, request.argv, request.environment)
    return call


# --- process 1 of the container --------------------------------------------------------------------------------------------


def main() -> program.PythonCall | None:
    while os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC) < TO_OBSERVER:
        pass
    control = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    control.connect(SOCKET)
    proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    namespaces.unshare(NAMESPACES)
    namespaces.map_identity(proc)
    namespaces.set_dumpable(0)
    line, observing = observer.connected(control)
    if os.fork():
        line.close()  # the zygote alone has the other ends: when they close, it is gone
        observing.run()
        return None
    observing.close()
    try:
        return serve(control, proc, line)
    except Exception as error:
        control.send(json.dumps({"problem": f"{type(error).__name__}: {error}"}).encode())
        raise


if __name__ == "__main__":
    call = main()
    if call is not None:
        program.run(call)
