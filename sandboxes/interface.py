"""The sandbox port: the requests that the rest of Assay makes of a sandbox, and their results.

Two kinds of failure never share a type:

* a failure of the *submission* (it crashed, ran too long, ate its memory) is a value: an `Execution` with an `End`;
* a failure of *ours* (engine gone, image missing, host out of disk) is a `SandboxError`, which is retried and
  never becomes a grade.

    SandboxError            our failure; carries diagnostics
    LimitsError             limits that no box can hold (a caller's mistake, found before anything runs)
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class SandboxError(Exception):
    """The sandbox failed, not the program in it. The caller retries; it never grades.

    Args:
        message: what went wrong, in words an operator can act on.
        details: facts for the log (engine state, container id, last output of our own supervisor).
    """

    def __init__(self, message: str, **details: object) -> None:
        super().__init__(message)
        self.details = details

    def diagnostics(self) -> dict[str, str]:
        """Return what an operator needs to find the cause, as text."""
        return {"message": str(self), **{name: str(value) for name, value in self.details.items()}}


class LimitsError(ValueError):
    """A limit is not a positive number, or limits contradict each other. Names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of one execution. Each counts the whole process tree, not one process."""

    wall_seconds: float = 20.0
    """From the start of the program to its end, for a conversation including the time between questions."""
    cpu_seconds: float = 20.0
    """User + system time."""
    memory_mib: int = 512
    """Resident memory, page cache of the box's own files included (they live in memory)."""
    processes: int = 64
    """Processes and threads alive at once."""
    disk_mib: int = 64
    """Bytes in files, in all writable places of the box together."""
    output_kib: int = 8192
    """Bytes printed to stdout and stderr together."""

    def __post_init__(self) -> None:
        for name in ("wall_seconds", "cpu_seconds", "memory_mib", "processes", "disk_mib", "output_kib"):
            value = getattr(self, name)
            if not value > 0:
                raise LimitsError(f"limits.{name} must be greater than 0, not {value!r}")
        if self.memory_mib < 32:
            raise LimitsError(f"limits.memory_mib must be at least 32 (the interpreter itself), not {self.memory_mib}")
        if self.disk_mib * 2 > self.memory_mib:
            raise LimitsError(
                f"limits.disk_mib may be at most half of memory_mib ({self.memory_mib}), because the box's files "
                f"live in its memory; it is {self.disk_mib}"
            )


class End(StrEnum):
    """How a program came to its end. Every member is the program's own doing."""

    EXITED = "exited"
    SIGNALLED = "signalled"
    WALL_TIMEOUT = "wall-timeout"
    CPU_TIMEOUT = "cpu-timeout"
    OUT_OF_MEMORY = "out-of-memory"
    OUTPUT_LIMIT = "output-limit"
    DISK_LIMIT = "disk-limit"
    PROCESS_LIMIT = "process-limit"


class Tier(StrEnum):
    """How strongly a program is kept apart, weakest first. A task or an operator asks for a least tier."""

    JAIL = "jail"
    """A fork with namespaces, a system call filter and no rights, in a hardened container that serves many."""
    CONTAINER = "container"
    """A hardened container of its own."""
    GVISOR = "gvisor"
    """The same under gVisor's kernel, so that the program does not talk to the host's."""

    def at_least(self, other: "Tier") -> bool:
        order = list(Tier)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Harness:
    """Our own code that a program starts from. Kept apart from the program's files; the same for many commands.

    Every box with a harness has it in the folder `/harness`, which is on the module search path of its `python3`.
    Tier jail imports `preload` once, before it forks, so that a program that imports it pays nothing.
    """

    files: tuple[tuple[str, bytes], ...] = ()
    """Relative path -> content."""
    preload: tuple[str, ...] = ()
    """Modules to import ahead; from `files` or from what the box image has installed. A package's `__main__` among them has a
    function `main`: `python3 -m PACKAGE` is then a call of that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One program to run in a box of its own."""

    argv: tuple[str, ...]
    """The program and its arguments; `python3` is the box's interpreter. Never a shell string.

    Tier jail runs `python3 [-BPsu] (FILE | -c CODE | -m MODULE) [ARGUMENT...]` in a fork of an interpreter that is
    already up; anything else is executed.
    """
    harness: Harness = Harness()
    files: Mapping[str, bytes] = field(default_factory=dict)
    """The working directory at the start: relative path -> content. Parents are made."""
    stdin: bytes = b""
    limits: Limits = field(default_factory=Limits)
    environment: Mapping[str, str] = field(default_factory=dict)
    """Added to the box's own small environment."""


class Behaviour(StrEnum):
    """A kind of act that a reviewer may want to know of."""

    NETWORK = "network"
    """Asked for a socket that is not local, or to connect, bind or send to an address."""
    PROGRAM = "program"
    """Started another program."""
    WRITE = "write"
    """Opened, made, moved or removed something outside its own places."""
    READ = "read"
    """Opened a path that holds nothing for it, such as another user's keys."""
    SYSCALL = "syscall"
    """A system call that no program here needs."""
    PROCESSES = "processes"
    """More processes or threads than allowed."""
    CHANNEL = "channel"
    """Broke the protocol of its conversation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """Something that the box refused or noticed. That is not a verdict: an honest program may start another."""

    behaviour: Behaviour
    detail: str
    """Which address, program, path or call, as printable ASCII, at most 200 characters. Untrusted: the program chose it."""
    refused: bool
    times: int = 1
    left_out: bool = False
    """True for the rest of a kind: acts that are only counted. `detail` is then their call, or empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Execution:
    """How a program ended, what it printed and what it used."""

    end: End
    exit_code: int | None
    """None unless `end` is EXITED (or a limit was noticed after the program had exited by itself)."""
    signal: int | None
    """The signal that ended it, if one did."""
    stdout: bytes
    stderr: bytes
    truncated: bool
    """True if the program printed more than `stdout` and `stderr` hold."""
    wall_seconds: float
    cpu_seconds: float
    peak_memory_mib: float
    processes: int = 1
    """Processes and threads that were started, the first included; 0 if the tier does not count them."""
    written_bytes: int = 0
    """Bytes that its processes passed to write(2) and its kin, streams included; 0 if the tier does not count them."""
    evidence: tuple[Observation, ...] = ()
    """Acts that the box refused or noticed, capped. Always empty in tier gvisor, which cannot see them."""


AHEAD = 64
"""At most this many questions of `Conversation.ask_each` wait for an answer at a time."""


class Conversation(Protocol):
    """A program that answers questions over the channel: file descriptor 3 inside the box.

    A message in either direction is 4 bytes of length (big-endian) and that many bytes. The program reads a question,
    writes one answer, and so on until its channel is closed.
    """

    def ask(self, message: bytes, *, seconds: float) -> bytes | None:
        """Send a question and return the answer, or None when there will be none.

        None means that the program ended, did not answer within `seconds`, or broke the protocol; it is stopped then,
        and `finish` reports which. If other programs keep it from computing, its deadline is extended up to six times (within its
        wall limit), until it has computed for half of its seconds. Raises SandboxError on our own failure.
        """
        ...

    def ask_each(self, questions: Iterable[tuple[bytes, float]]) -> Iterator[bytes]:
        """Ask many questions, each with its seconds. Yield the answers in order, and stop when `ask` would return None.

        Up to AHEAD questions are sent before the first of them is answered, so that neither side sleeps until the other
        wakes; they are taken from `questions` as they are sent. The seconds of an answer begin with the answer before.
        """
        ...

    def finish(self) -> Execution:
        """Close the channel, end the program if it still runs, and return its execution.

        A program that is still running is given a moment to leave after its channel is closed and is then ended;
        that alone is not a WALL_TIMEOUT. Calling it again returns the same value.
        """
        ...


class Session(Protocol):
    """The executions of one submission. Each starts from the same clean box; none sees what another left."""

    def run(self, command: Command) -> Execution:
        """Run a program to its end. Raises SandboxError on our own failure."""
        ...

    def converse(self, command: Command) -> AbstractContextManager[Conversation]:
        """Run a program that answers questions; leaving the context ends it."""
        ...

    def pair(self, first: Command, second: Command) -> AbstractContextManager[tuple[Conversation, Conversation]]:
        """Run two programs, each in a box of its own, with a line between them; leaving the context ends both.

        Each finds the line as file descriptor 4: a stream of bytes in both directions, which ends when the other program
        has. Nothing else connects them. While the caller waits for either, both are attended to: their output is taken
        and their limits hold.
        """
        ...


class Sandbox(Protocol):
    """A way to run untrusted programs."""

    @property
    def name(self) -> str:
        """Tier and image, as recorded with each run: `container@sha256:...`."""
        ...

    def session(self) -> AbstractContextManager[Session]:
        """Open a session for one submission; leaving the context always removes all that it made."""
        ...
