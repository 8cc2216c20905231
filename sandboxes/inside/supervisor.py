"""Process 1 of a box: receives one program over stdin, runs it, relays its streams, reports how it ended.

Theory of operation
-------------------
The host attaches to this process's stdin and stdout before it starts. Everything is frames: one byte of kind, four
bytes of length (big-endian), payload.

    from the host   R  request: JSON {argv, environment, harness and files: [[path, size]...], stdin_size, channel, line,
                       limits}
                    F  content of the harness, of the files and of stdin, concatenated, in as many frames as it takes
                    C  bytes for the program's channel (its file descriptor 3)
                    L  bytes for its line to another program (descriptor 4); empty: that program has ended its side
                    Q  no more questions: close the channel, give the program a moment, end it
                    K  end everything now
    to the host     S  the program is locked in, and begins
                    O, E  bytes it printed on stdout, stderr
                    C  bytes it wrote on its channel
                    L  bytes it wrote on its line; empty: it has closed it
                    A  under gVisor: gVisor's count of CPU time is over the limit. It counts too much: the host decides
                    T  how many bytes of its line the program has taken, four bytes
                    X  final report: JSON, see `report`

The program runs as the same user, so the kernel keeps it away from this process: signals from inside the pid
namespace do not reach pid 1, PR_SET_DUMPABLE=0 closes /proc/1/{fd,mem,environ} and ptrace, and the host's streams are
not inherited. Still nothing here is trusted with a verdict: a program that forged a report could only
misstate how it ended, and an exit code is never a pass.

Orphans become children of this process, and dead ones count against the program's limit of processes until they are waited
for. The kernel could reap them itself, but then the program's own end would be lost. So a fork is held until every process that
died before it was waited for. That keeps the limit exact on a machine that is too busy to run this process in time.

The host owns the wall clock. This process owns what can only be seen inside: reaping, CPU time of the whole tree, the
cgroup's counters, and what the program's filter of system calls refuses or notices (watch.py). Standard library only; started
as `python3 -I -S`.
"""

import ctypes
import errno
import json
import os
import resource
import select
import signal
import socket
import struct
import sys
import time
from contextlib import nullcontext
from typing import Any, NoReturn

OURS = "/opt/assay"
sys.path.insert(0, OURS)

from sandboxes.inside import landlock, seccomp, under_gvisor, watch  # noqa: E402 - -I keeps our folder off the path
from sandboxes.inside.counters import Counters, started, written  # noqa: E402

WORK = "/box/work"
HARNESS = "/box/harness"
DO_NOT_FIT = (errno.ENOSPC, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EEXIST, errno.EISDIR)
"""Errors that mean that a program's files do not fit: there is not enough room, or their names exclude one another."""
CHUNK = 65536
CPU_POLL_SECONDS = 0.05
LEAVE_SECONDS = 0.3
WRITABLE = ("/box", "/dev", "/proc")
"""A program may write below these folders, as far as file modes allow, and nowhere else."""
ROUNDING_BYTES = 1 << 20
"""The kernel charges memory in steps, so it may refuse memory this far below a limit."""
PR_SET_DUMPABLE = 4

Request = dict[str, Any]


def read_exactly(fd: int, size: int) -> bytes:
    """Return `size` bytes from `fd`. Raise SystemExit if the host has gone."""
    parts: list[bytes] = []
    while size:
        part = os.read(fd, min(size, 1 << 20))
        if not part:
            raise SystemExit("the host closed the connection")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def read_frame(fd: int) -> tuple[bytes, bytes]:
    kind, size = struct.unpack(">cI", read_exactly(fd, 5))
    return kind, read_exactly(fd, size)


def write_all(fd: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def write_frame(kind: bytes, payload: bytes = b"") -> None:
    write_all(1, struct.pack(">cI", kind, len(payload)) + payload)


# --- accounting: the box's own cgroup, version 1 or 2, mounted read-only at /sys/fs/cgroup -----------------------------


def read_text(path: str) -> str:
    try:
        with open(path) as file:
            return file.read()
    except OSError:
        return ""


COUNTERS = Counters()


def cpu_seconds() -> float:
    return under_gvisor.usage()["cpu_seconds"] if under_gvisor.PRESENT else COUNTERS.cpu_seconds()


def usage() -> dict[str, float]:
    if under_gvisor.PRESENT:
        used: dict[str, float] = under_gvisor.usage()
        return used
    peak = COUNTERS.read("peak")
    return {
        "cpu_seconds": cpu_seconds(),
        "peak_bytes": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 if peak is None else peak,
        "oom_kills": COUNTERS.read("oom_kills") or 0,
        "forks_refused": COUNTERS.read("forks_refused") or 0,
    }


def limit_hits() -> int | None:
    """Return how often the box met its memory limit; on version 1, whose newer kernels do not count it, 1 if it did."""
    hits = COUNTERS.read("limit_hits")
    if hits is not None:
        return hits
    peak, most = COUNTERS.read("peak"), COUNTERS.read("limit")
    return None if peak is None or most is None else int(peak > most - ROUNDING_BYTES)


def last_process() -> int:
    """Return the number that the kernel gave out last to a process or thread; 0 if this kernel does not show it."""
    return int((read_text("/proc/loadavg").split() or ["0"])[-1])


def written_bytes() -> int:
    """Return how many bytes the children that were waited for passed to write(2).

    Call it only when no child is left, because it makes this process's own files readable for a moment.
    """
    set_dumpable(1)
    whole, own = (written(read_text(f"/proc/self/{place}io")) for place in ("", f"task/{os.getpid()}/"))
    set_dumpable(0)
    return whole - own


def disk_full() -> bool:
    """Return whether the box's writable places have run out of room or inodes."""
    for path in ("/box", "/dev/shm"):  # noqa: S108
        room = os.statvfs(path)
        if room.f_blocks and (room.f_bavail == 0 or (room.f_files and room.f_favail == 0)):
            return True
    return False


# --- starting the program ---------------------------------------------------------------------------------------------


def receive_request() -> tuple[Request, bytes]:
    kind, payload = read_frame(0)
    if kind != b"R":
        raise SystemExit("expected a request")
    request = json.loads(payload)
    wanted = sum(size for _, size in request["harness"] + request["files"]) + request["stdin_size"]
    content = bytearray()
    while len(content) < wanted:
        kind, payload = read_frame(0)
        if kind != b"F":
            raise SystemExit("expected file content")
        content += payload
    return request, bytes(content)


def place_files(request: Request, content: bytes) -> bytes:
    """Write the harness and the working directory. Return the rest of the content: the program's stdin.

    If they do not fit into the box, the request's command becomes one that fails with that message.
    """
    os.mkdir("/box/tmp", 0o1777)
    offset = 0
    for folder, files in ((HARNESS, request["harness"]), (WORK, request["files"])):
        os.mkdir(folder)
        for path, size in files:
            target = os.path.normpath(os.path.join(folder, path))
            if not target.startswith(folder + "/"):
                raise SystemExit(f"a file outside of {folder}: {path}")
            offset += size
            try:
                os.makedirs(os.path.dirname(target), exist_ok=True)
                with open(target, "wb") as file:
                    file.write(content[offset - size : offset])
            except OSError as error:
                if error.errno not in DO_NOT_FIT:
                    raise
                request["argv"] = [sys.executable, "-I", "-S", "-c", "raise SystemExit('assay: the files do not fit')"]
    return content[offset:]


def set_dumpable(value: int) -> None:
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, value, 0, 0, 0)


def limit(request: Request) -> None:
    limits = request["limits"]
    if not under_gvisor.PRESENT:  # gVisor counts threads that wait for a processor
        seconds = int(limits["cpu_seconds"]) + 2  # behind the poll of the whole tree's time, which is exact
        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))  # by SIGXCPU first, which says what it was
    resource.setrlimit(resource.RLIMIT_FSIZE, (limits["disk_mib"] << 20,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def become_program(request: Request, fds: list[int], link: socket.socket) -> NoReturn:
    """Become the program. Runs in the child and never returns."""
    try:
        os.setsid()
        if under_gvisor.PRESENT:
            under_gvisor.become_user()
        set_dumpable(1)  # inherited as 0, which would close /proc/self to this child too
        for number, fd in enumerate(fds):
            # all of them are above 3 (the wake-up pipe is 3 and 4), so none is overwritten before it was copied
            os.dup2(fd, number, inheritable=True)
        to_parent = socket.socket(fileno=os.dup2(link.fileno(), len(fds), inheritable=False))
        os.closerange(len(fds) + 1, 1024)
        limit(request)
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("1000")  # the program is to die first, not this supervisor
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.chdir(WORK)
        landlock.restrict(WRITABLE)
        listener = seccomp.install()
        socket.send_fds(to_parent, [b"L"], [listener] if listener >= 0 else [])
        os.execvpe(request["argv"][0], request["argv"], request["environment"])  # noqa: S606
    except BaseException as error:
        os.write(2, f"assay: cannot start {request['argv'][0]}: {error}\n".encode())
    finally:
        os._exit(127)


class Link:
    """A descriptor of the program that leads both ways, seen from here."""

    def __init__(self, kind: bytes) -> None:
        self.kind = kind
        self.ours, self.theirs = socket.socketpair()
        self.ours.setblocking(False)
        self.outgoing = bytearray()
        self.closing = False
        self.heard_out = False
        """True once the program has closed its sending side; it may still read."""

    def events(self) -> int:
        return (0 if self.heard_out else select.POLLIN) | (select.POLLOUT if self.outgoing else 0)

    def feed(self) -> None:
        try:
            taken = self.ours.send(self.outgoing[:CHUNK])
        except BlockingIOError:
            return
        except OSError:  # the program closed its end; the host sees that no answer comes
            taken = len(self.outgoing)
        del self.outgoing[:taken]
        if self.kind == b"L":
            write_frame(b"T", taken.to_bytes(4, "big"))
        if self.closing:
            self.close_our_side()

    def is_over(self) -> bool:
        """Return whether the program has closed it in both directions."""
        look = select.poll()
        look.register(self.ours, 0)
        return bool(look.poll(0))

    def close_our_side(self) -> None:
        """End our side as soon as the program has taken all that was sent to it."""
        self.closing = True
        if not self.outgoing:
            try:
                self.ours.shutdown(socket.SHUT_WR)
            except OSError:
                pass


class SupervisedProgram:
    """The running program and the ends of its streams that this process holds."""

    def __init__(self, request: Request, stdin: bytes) -> None:
        self.stdin = memoryview(stdin)
        self.to_stdin: int | None
        with under_gvisor.as_user() if under_gvisor.PRESENT else nullcontext():  # the owner may reopen /dev/stdin
            child_in, self.to_stdin = os.pipe()
            self.stdout, child_out = os.pipe()
            self.stderr, child_err = os.pipe()
        fds = [child_in, child_out, child_err]
        self.links = {
            kind: Link(kind) for kind, wanted in ((b"C", request["channel"]), (b"L", request["line"])) if wanted
        }
        """The channel and the line, if the request asks for them."""
        fds += [link.theirs.detach() for link in self.links.values()]
        link, child_link = socket.socketpair()
        self.status: int | None = None
        """The status from wait(2), once the program has ended."""
        self.pid = os.fork()
        if self.pid == 0:
            become_program(request, fds, child_link)
        for fd in fds:
            os.close(fd)
        child_link.close()
        self.watch = self.await_filter(link)
        os.set_blocking(self.to_stdin, False)
        self.leave_at = float("inf")  # set when the host has no more questions

    def await_filter(self, link: socket.socket) -> watch.FileWatch | None:
        """Wait until the child is locked in. Return the observer of its filter; None if this kernel cannot have one."""
        with link:
            word, listeners, _, _ = socket.recv_fds(link, 1, 1)
        if not word:
            raise SystemExit("the program could not be locked in")
        if not listeners:
            return None
        own = WRITABLE + watch.OWN
        return watch.FileWatch(listeners[0], own=own, expected_programs=1, before_fork=self.collect)

    def feed_stdin(self, poll: select.poll) -> None:
        assert self.to_stdin is not None
        try:
            self.stdin = self.stdin[os.write(self.to_stdin, self.stdin[:CHUNK]) :]
        except BlockingIOError:
            return
        except BrokenPipeError:
            self.stdin = self.stdin[:0]
        if not self.stdin:
            poll.unregister(self.to_stdin)
            os.close(self.to_stdin)
            self.to_stdin = None

    def collect(self) -> None:
        """Wait for every process that has ended, orphans too."""
        while self._wait(os.WNOHANG):
            pass

    def end(self) -> None:
        """End every process of the box but this one. Repeats, because a fork may be under way."""
        while True:
            try:
                os.kill(-1, signal.SIGKILL)
            except ProcessLookupError:
                pass
            if not self._wait(0):
                return

    def _wait(self, options: int) -> bool:
        """Wait for one process, with these options of waitpid(2). Return False if there was none to wait for."""
        try:
            pid, status = os.waitpid(-1, options)
        except ChildProcessError:
            return False
        if pid == self.pid:
            self.status = status
        return pid != 0


# --- the loop -----------------------------------------------------------------------------------------------------------


def relay(  # noqa: C901, PLR0912 - one loop over all that can happen; split up, it would hide the order
    program: "SupervisedProgram", limits: dict[str, float], wake: int, base_cpu: float
) -> str:
    """Carry bytes both ways until the program is to end. Return why; empty if it ended by itself."""
    poll = select.poll()
    sources = {program.stdout: b"O", program.stderr: b"E"}
    sources |= {link.ours.fileno(): kind for kind, link in program.links.items()}
    for fd in (0, wake, *sources):
        poll.register(fd, select.POLLIN)
    assert program.to_stdin is not None  # open until all of it was written
    poll.register(program.to_stdin, select.POLLOUT)
    if program.watch is not None:
        poll.register(program.watch, select.POLLIN)
    next_look_at_cpu = 0.0
    while True:
        for link in program.links.values():
            poll.register(link.ours, link.events())
        for fd, _ in poll.poll(CPU_POLL_SECONDS * 1000):
            if fd == 0:
                if from_host(program):
                    return "killed"
            elif fd == wake:
                os.read(wake, 4096)
            elif fd == program.to_stdin:
                program.feed_stdin(poll)
            elif program.watch is not None and fd == program.watch.fileno():
                program.watch.handle()
            else:
                forward(poll, program, sources, fd)
        program.collect()
        if program.status is not None:
            return ""
        now = time.monotonic()
        if now >= program.leave_at:
            return "left"
        if now >= next_look_at_cpu:
            next_look_at_cpu = now + CPU_POLL_SECONDS
            late = cpu_seconds() - base_cpu > limits["cpu_seconds"]
            if late and not under_gvisor.PRESENT:
                return "cpu"
            if late:
                write_frame(b"A")
            if under_gvisor.PRESENT and under_gvisor.beyond(limits):
                return "killed"


def from_host(program: "SupervisedProgram") -> bool:
    """Take one frame from the host. Return whether it asks to end everything."""
    kind, payload = read_frame(0)
    if kind in program.links and payload:
        program.links[kind].outgoing += payload
    elif kind in program.links:
        program.links[kind].close_our_side()
    elif kind == b"L":
        write_frame(b"T", len(payload).to_bytes(4, "big"))  # the program has closed its line, so this is dropped
    if kind == b"Q":
        if b"C" in program.links:
            program.links[b"C"].close_our_side()
        program.leave_at = time.monotonic() + LEAVE_SECONDS
    return kind == b"K"


def forward(poll: select.poll, program: "SupervisedProgram", sources: dict[int, bytes], fd: int) -> None:
    """Move what is there from one of the program's streams to the host."""
    link = program.links.get(sources[fd])
    if link is not None and link.heard_out:
        if link.outgoing:
            link.feed()
        if link.is_over():
            drop(poll, program, sources, fd)
        return
    try:
        if link is not None and link.outgoing:
            link.feed()
        data = os.read(fd, CHUNK)
    except BlockingIOError:
        return
    except OSError:
        data = b""
    if data:
        write_frame(sources[fd], data)
        return
    if sources[fd] == b"L":
        write_frame(b"L")
    if link is not None and sources[fd] == b"L" and not link.is_over():
        link.heard_out = True
        return
    drop(poll, program, sources, fd)


def drop(poll: select.poll, program: "SupervisedProgram", sources: dict[int, bytes], fd: int) -> None:
    """Forget a stream of the program that has ended; a link has ended in both directions."""
    poll.unregister(fd)
    link = program.links.pop(sources.pop(fd), None)
    if link is not None:
        link.ours.close()


def drain(program: "SupervisedProgram") -> None:
    """Send what the program wrote before it ended: it is still in the pipes, and no process can add to it any more."""
    for fd, kind in ((program.stdout, b"O"), (program.stderr, b"E")):
        os.set_blocking(fd, False)
        try:
            while data := os.read(fd, CHUNK):
                write_frame(kind, data)
        except BlockingIOError:
            pass
    for kind, link in program.links.items():
        try:
            while data := link.ours.recv(CHUNK):
                write_frame(kind, data)
        except OSError:
            pass


def report(
    status: int | None, why: str, before: dict[str, float], processes: int, evidence: list[dict[str, object]]
) -> dict[str, object]:
    """Return the final report: exit_code or signal (the other is None), why the program was stopped, what it used and tried."""
    after = usage()
    return {
        "exit_code": os.WEXITSTATUS(status) if status is not None and os.WIFEXITED(status) else None,
        "signal": os.WTERMSIG(status) if status is not None and os.WIFSIGNALED(status) else None,
        "stopped": why,
        "cpu_seconds": max(0.0, after["cpu_seconds"] - before["cpu_seconds"]),
        "peak_bytes": after["peak_bytes"],
        "oom_kills": after["oom_kills"] - before["oom_kills"],
        "forks_refused": after["forks_refused"] - before["forks_refused"],
        "limit_hits": limit_hits(),
        "disk_full": disk_full(),
        "processes": processes,
        "written_bytes": written_bytes(),
        "evidence": evidence,
    }


def main() -> None:
    set_dumpable(0)
    seccomp.prepare(listen=True, forks=True)
    wake, wake_writer = os.pipe()
    os.set_blocking(wake_writer, False)
    # A signal from inside reaches process 1 only if it has a handler, and Python installs one for SIGINT.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_writer)
    request, content = receive_request()
    with under_gvisor.as_user() if under_gvisor.PRESENT else nullcontext():
        stdin = place_files(request, content)
    before = usage()
    tripwires = watch.Tripwires()
    tripwires.watch((f"{OURS}/sandboxes/inside",))
    last_before = last_process()
    program = SupervisedProgram(request, stdin)
    write_frame(b"S")
    why = relay(program, request["limits"], wake, before["cpu_seconds"])
    program.end()
    drain(program)
    processes = started(last_before, last_process(), int(read_text("/proc/sys/kernel/pid_max") or 0))
    evidence = tripwires.collect() + (program.watch.evidence() if program.watch is not None else [])
    write_frame(b"X", json.dumps(report(program.status, why, before, processes, evidence)).encode())
    # The host removes the container; leaving by ourselves would lose frames that are still on their way.
    while os.read(0, 4096):
        pass


if __name__ == "__main__":
    main()
