"""One hostile program, and what must be true while it runs and after it: the engine under the tables of attacks.

An attack takes three: the attack itself, which must come to a fitting end in time (`suffer`); a neighbour in a session of its
own, which holds a conversation all the while and must stay right (`neighbour`); and an honest program after the attack in
the same session, which must find everything as new.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from textwrap import dedent
from threading import Event, Thread
from types import EllipsisType

from sandboxes.container.sandbox import SUPERVISOR_PROCESSES
from sandboxes.engine import gvisor
from sandboxes.interface import Behaviour, Command, End, Execution, Limits, Sandbox, Session

SMALL = Limits(wall_seconds=10, cpu_seconds=5, memory_mib=128, processes=24, disk_mib=16, output_kib=64)
"""Memory, processes and disk are the same for all, so that the boxes of a pool fit."""
GRACE_SECONDS = 15.0
"""Past the wall limit, on a loaded machine with a slow kernel: one that hangs takes longer. What is promised is far less, and benchmarks measure it."""

UNANSWERED_SECONDS = 2.0
"""How long an answer is waited for that need not come."""

SECRET = "neighbour-" + "s3cr3t"
"""The neighbour has it in its environment, its files, its arguments and its memory."""

CTYPES = """
import ctypes, os, platform
libc = ctypes.CDLL(None, use_errno=True)
ARM = platform.machine() == "aarch64"
def call(number, *arguments):
    # the raw system call: 0 or more, or -errno
    ctypes.set_errno(0)
    result = libc.syscall(ctypes.c_long(number), *(ctypes.c_long(a) if isinstance(a, int) else a for a in arguments))
    return result if result != -1 else -ctypes.get_errno()
"""
"""The start of a program that makes system calls by number."""

CHANNEL = """
import os, socket, struct, time
def question():
    size = struct.unpack(">I", exactly(4))[0]
    return exactly(size)
def exactly(size):
    data = b""
    while len(data) < size:
        part = os.read(3, size - len(data))
        if not part: os._exit(0)
        data += part
    return data
def answer(data):
    data = struct.pack(">I", len(data)) + data
    while data: data = data[os.write(3, data):]
"""
"""The start of a program that talks over the channel."""

Answer = bytes | None | EllipsisType
"""What a question must bring: this very answer, none at all, or `...`: whatever it is, as long as we do not fail."""


@dataclass(frozen=True, kw_only=True)
class Attack:
    name: str
    code: str
    """Python, run with `-c`."""
    ends: frozenset[End]
    """The ends that fit; more than one where it is the kernel's choice which limit is met first."""
    says: str | None
    """What it must print, for a program that tells by itself what it got through with."""
    evidence: frozenset[Behaviour]
    """What must at least be told of it, in the tiers that see it."""
    limits: Limits
    question: bytes
    answers: tuple[Answer, ...]
    """Not empty: it is asked this many times over the channel."""


def attack(
    name: str,
    code: str,
    *ends: End,
    says: str | None = None,
    evidence: tuple[Behaviour, ...] = (),
    question: bytes = b"x",
    answers: tuple[Answer, ...] = (),
    **limits: float,
) -> Attack:
    """A row of a table. `limits` are the changes to SMALL."""
    if End.WALL_TIMEOUT not in ends:
        limits.setdefault("wall_seconds", 120)  # on a busy host it takes long to come to its end
    elif answers:
        limits.setdefault("wall_seconds", 2 * UNANSWERED_SECONDS)
    return Attack(
        name=name,
        code=dedent(code),
        ends=frozenset(ends),
        says=says,
        evidence=frozenset(evidence),
        limits=replace(SMALL, **limits),  # type: ignore[arg-type]
        question=question,
        answers=answers,
    )


# --- the attack -------------------------------------------------------------------------------------------------------


def suffer(sandbox: Sandbox, attack: Attack, *, sees: bool) -> None:
    """Run an attack before an honest program; the neighbour is the caller's. AssertionError says what did not hold."""
    with sandbox.session() as session:
        held(attack, perform(session, attack), sees=sees)
        honest(session)


def perform(session: Session, attack: Attack) -> Execution:
    prelude = CHANNEL if attack.answers else ""
    command = Command(argv=("python3", "-c", prelude + attack.code), limits=attack.limits)
    if not attack.answers:
        return session.run(command)
    with session.converse(command) as conversation:
        for wanted in attack.answers:
            got = conversation.ask(attack.question, seconds=UNANSWERED_SECONDS if wanted in (None, ...) else 30)
            assert wanted is ... or got == wanted, (wanted, got)
        return conversation.finish()


def held(attack: Attack, execution: Execution, *, sees: bool) -> None:
    """The attack came to a fitting end, within its limits, and was noticed."""
    assert execution.end in attack.ends, execution
    assert execution.wall_seconds < attack.limits.wall_seconds + GRACE_SECONDS, execution
    assert execution.peak_memory_mib <= attack.limits.memory_mib + _room_mib(attack.limits, sees=sees), execution
    assert len(execution.stdout) + len(execution.stderr) <= attack.limits.output_kib << 10
    assert attack.says is None or execution.stdout.decode().strip() == attack.says, execution
    noticed = {evidence.behaviour for evidence in execution.evidence}
    assert attack.evidence <= noticed or not sees, execution
    for evidence in execution.evidence:
        assert len(evidence.detail) <= 200 and evidence.detail.isascii() and evidence.detail.isprintable(), evidence


# --- the neighbour ----------------------------------------------------------------------------------------------------

NEIGHBOUR = f"""
{CHANNEL}
import sys
secret = sys.argv[1]
for path in ("mine", "/tmp/mine", "/dev/shm/mine"): open(path, "w").write(secret)
while True:
    number = int(question())
    assert os.environ["MINE"] == secret and all(open(p).read() == secret for p in ("mine", "/tmp/mine", "/dev/shm/mine"))
    answer(str(sum(n * n for n in range(number))).encode())
"""


NEIGHBOUR_SECONDS = 30.0
"""Of one conversation: far from its limits, also where an answer takes long."""


@contextmanager
def neighbour(sandbox: Sandbox) -> Iterator[Callable[[], None]]:
    """Honest conversations in sessions of its own, one after the other for as long as the context is open.

    The context begins with the first right answer. What it gives waits for the next one, and raises what went wrong since it was
    called last; so does leaving the context.
    """
    answered, enough = Event(), Event()
    wrong: list[BaseException] = []

    def live() -> None:
        while not enough.is_set():
            try:
                with sandbox.session() as session:
                    while not enough.is_set():
                        _talk(session, answered, enough)
            except BaseException as error:
                wrong.append(error)
                answered.set()
                enough.wait(0.1)

    def undisturbed() -> None:
        answered.clear()
        answered.wait()
        if wrong:
            first = wrong[0]
            wrong.clear()  # the next attack has a neighbour that begins anew
            raise AssertionError("the neighbour was disturbed") from first

    thread = Thread(target=live)
    thread.start()
    try:
        answered.wait()
        yield undisturbed
    finally:
        enough.set()
        thread.join()
    if wrong:
        raise AssertionError("the neighbour was disturbed") from wrong[0]


def _talk(session: Session, answered: Event, enough: Event) -> None:
    command = Command(
        argv=("python3", "-c", NEIGHBOUR, SECRET),
        environment={"MINE": SECRET},
        limits=replace(SMALL, wall_seconds=120, cpu_seconds=60),
    )
    with session.converse(command) as conversation:
        enough_of_this = time.monotonic() + NEIGHBOUR_SECONDS
        for number in range(1, 2000):
            answer = conversation.ask(str(number).encode(), seconds=60)
            assert answer == str((number - 1) * number * (2 * number - 1) // 6).encode(), answer
            answered.set()
            if enough.wait(0.005) or time.monotonic() > enough_of_this:
                break
        execution = conversation.finish()
    assert (execution.end, execution.exit_code, execution.stderr) == (End.EXITED, 0, b""), execution
    assert not execution.evidence, execution


# --- the honest program after it ----------------------------------------------------------------------------------------

HONEST = """
import gc, json, os, signal, socket, stat, sys, threading, time, resource
def is_open(fd):
    try: os.fstat(fd)
    except OSError: return False
    return True
def others():
    try: os.kill(-1, 0)
    except ProcessLookupError: return False
    return True
found = {
    "fds": [fd for fd in range(1024) if is_open(fd)],
    "others": others(),
    "files": {place: sorted(os.listdir(place)) for place in (".", "/tmp", "/var/tmp", "/dev/shm", os.environ["HOME"])},
    "cwd": os.getcwd(),
    "umask": os.umask(0o22),
    "environment": sorted(os.environ),
    "host": socket.gethostname(),
    "threads": threading.active_count(),
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
    "ignored": sorted(n for n in signal.valid_signals() if signal.getsignal(n) == signal.SIG_IGN),
    "timer": signal.getitimer(signal.ITIMER_REAL)[0],
    "zone": time.tzname,
    "niceness": os.nice(0),
    "core": resource.getrlimit(resource.RLIMIT_CORE)[1],
    "stack": resource.getrlimit(resource.RLIMIT_STACK)[0] > 1 << 20,
    "files at once": resource.getrlimit(resource.RLIMIT_NOFILE)[0] >= 256,
    "argv": sys.argv,
}
open("mine", "w").write("x" * 4096)
child = os.fork()
if child == 0: os._exit(42)
found["child"] = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
ran = []
threads = [threading.Thread(target=ran.append, args=(n,)) for n in range(8)]
for t in threads: t.start()
for t in threads: t.join()
found["ran"] = len(ran)
left, right = socket.socketpair()
left.send(b"through"); found["socket"] = right.recv(9).decode()
found["sum"] = sum(n * n for n in range(1000))
print(json.dumps(found))
"""
FOUND = {
    "fds": [0, 1, 2],
    "others": False,
    "files": {".": [], "/tmp": [], "/var/tmp": [], "/dev/shm": [], "/box/tmp": []},
    "cwd": "/box/work",
    "umask": 0o22,
    "environment": ["HOME", "LANG", "PATH", "PYTHONHASHSEED", "PYTHONINTMAXSTRDIGITS", "TMPDIR"],
    "host": "box",
    "threads": 1,
    "blocked": [],
    "ignored": [13, 25],
    "timer": 0.0,
    "zone": ["UTC", "UTC"],
    "niceness": 0,
    "core": 0,
    "stack": True,
    "files at once": True,
    "argv": ["-c"],
    "child": 42,
    "ran": 8,
    "socket": "through",
    "sum": 332833500,
}
"""What an honest program finds in a clean box. Python itself ignores the signals 13 (SIGPIPE) and 25 (SIGXFSZ)."""


def honest(session: Session) -> None:
    """An honest program finds a clean box, is right, and is charged for nothing but itself."""
    started = time.monotonic()
    execution = session.run(Command(argv=("python3", "-c", HONEST), limits=SMALL))
    assert (execution.end, execution.exit_code, execution.stderr) == (End.EXITED, 0, b""), execution
    found = json.loads(execution.stdout)
    assert found == FOUND, {name: value for name, value in found.items() if value != FOUND[name]}
    assert not execution.evidence, execution
    assert execution.cpu_seconds < SMALL.cpu_seconds - 1, execution
    assert execution.peak_memory_mib < 100, execution
    assert time.monotonic() - started < 30, "a slow start after the attack"


def _room_mib(limits: Limits, *, sees: bool) -> int:
    """How far beyond its memory limit a program may be seen."""
    if sees:
        return 1  # what a slot itself needs varies
    # gVisor is looked at several times a second, less often under a bomb; what holds is the container's limit behind that.
    return gvisor.room_mib(limits.processes + SUPERVISOR_PROCESSES)
