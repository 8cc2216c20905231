"""A program that runs, in any tier: the rules of its conversation, the caps on what it prints, its account.

It is the port's `Conversation` without the transport, which is in `ContainerProgram` and `JailedProgram`.
"""

import select
import struct
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping

from sandboxes.classify import EndFacts, Report, StoppedFor, classify
from sandboxes.engine.control_group import Scheduled, busiest
from sandboxes.interface import AHEAD, Behaviour, Command, Execution, Observation

MAX_MESSAGE_BYTES = 16 << 20
"""Longest message on a channel, either way."""
UNTAKEN_ANSWER_BYTES = 2 * MAX_MESSAGE_BYTES
"""Bytes of a channel that are kept before the caller asks for them. While one program of a pair is waited for, both are read."""
AHEAD_BYTES = 1 << 16
"""While the questions that wait for an answer hold this many bytes, no further one is sent."""
LOOK_SECONDS = 1.0
"""Interval at which a slow program is checked for being kept from computing."""
KEPT_SHARE, KEPT_TIMES = 0.1, 6
"""A program is idle if it computes for less than this share of the time, and so does each of its threads, not counting the time
in which others keep it from a processor. The deadline of one that is not idle is extended up to KEPT_TIMES."""
START_SECONDS = 30.0
"""From the request to the word that the program begins: our own time, not charged to the program."""
LAST_WORDS_SECONDS = 5.0
"""How long the box's own program may take to end everything and to report: milliseconds, but now and then seconds on a busy machine."""


class Poller:
    """The descriptors of programs that run side by side: while one is waited for, all are attended to."""

    def __init__(self) -> None:
        self._poll = select.poll()
        self._whose: dict[int, RunningProgram] = {}
        self.programs: list[RunningProgram] = []

    def add(self, fd: int, events: int, talk: "RunningProgram") -> None:
        """Have `talk` attend to the descriptor on these events of select.poll; called again, on others."""
        self._whose[fd] = talk
        self._poll.register(fd, events)

    def remove(self, fd: int) -> None:
        if self._whose.pop(fd, None) is not None:
            self._poll.unregister(fd)

    def wait(self, deadline: float, who: "RunningProgram") -> None:
        """Wait for something to come, or the deadline. `who` checks its own wall limit; those of the others are checked here."""
        others = [program for program in self.programs if program is not who and not program.over()]
        left = min([deadline, *(other.wall_deadline() for other in others)]) - time.monotonic()
        self._attend(max(0.0, left) * 1000 + 1)
        for other in others:
            other.keep_to_the_wall()

    def look(self) -> None:
        """Take what is there."""
        self._attend(0)

    def _attend(self, milliseconds: float) -> None:
        for fd, _ in self._poll.poll(milliseconds):
            if fd in self._whose:
                self._whose[fd].attend(fd)


class RunningProgram(ABC):
    """One program from its start to its account."""

    _command: Command
    _attention: Poller

    def __init__(self) -> None:
        self._output = {"stdout": bytearray(), "stderr": bytearray()}
        self._printed = 0
        self._answer = bytearray()  # from the program: bytes on its channel
        self._report: Report | None = None
        self._gone = False  # nothing will come from the box any more
        self._sent_at = 0.0
        self._started_at: float | None = None  # when the box said that the program begins
        self._ended_at: float | None = None
        self._stopped_for: StoppedFor = ""
        self._broke: list[Observation] = []
        self._execution: Execution | None = None

    # --- what carries the bytes ---------------------------------------------------------------------------------------

    @abstractmethod
    def _post(self, message: bytes) -> None:
        """Have these bytes on their way to the program's channel."""

    @abstractmethod
    def attend(self, fd: int) -> None:
        """Take or give what there is on one of its descriptors."""

    @abstractmethod
    def _end_all(self) -> None:
        """End everything in the box, and wait for its report, if one still comes."""

    @abstractmethod
    def _catch_up(self) -> None:
        """Take what the program has already written on its channel, if that needs no waiting."""

    @abstractmethod
    def _cpu_seconds(self) -> float | None:
        """CPU time of all that ran in its box so far; None if that cannot be seen."""

    @abstractmethod
    def _threads(self) -> Mapping[int, Scheduled]:
        """The live threads in its box; see `control_group.threads`."""

    # --- the caller's side --------------------------------------------------------------------------------------------

    def ask(self, message: bytes, *, seconds: float) -> bytes | None:
        return next(self.ask_each([(message, seconds)]), None)

    def ask_each(self, questions: Iterable[tuple[bytes, float]]) -> Iterator[bytes]:
        if self.over():
            return
        self._catch_up()
        if self._answer:
            self._refuse("an answer before the question")
            return
        source = iter(questions)
        owed: deque[tuple[int, float]] = deque()  # of each question without an answer: its bytes, its seconds
        while True:
            if len(owed) <= AHEAD // 2:
                self._ask_ahead(source, owed)
            if not owed:
                return
            _, seconds = owed.popleft()
            answer = self._next_answer(seconds)
            if answer is None:
                return
            if self._answer and not owed:
                self._refuse("more than one answer to a question")
                return
            yield answer

    def _ask_ahead(self, source: Iterator[tuple[bytes, float]], owed: deque[tuple[int, float]]) -> None:
        """Send what comes next, as far as it may be sent ahead; at least one question if no answer is owed."""
        messages = bytearray()
        room = AHEAD_BYTES - sum(size for size, _ in owed)
        while not owed or (len(owed) < AHEAD and room > 0):
            message, seconds = next(source, (None, 0.0))
            if message is None:
                break
            if len(message) > MAX_MESSAGE_BYTES:
                raise ValueError(f"a message may have {MAX_MESSAGE_BYTES} bytes, not {len(message)}")
            messages += struct.pack(">I", len(message)) + message
            owed.append((len(message), seconds))
            room -= len(message)
        if messages and not self.over():
            self._post(bytes(messages))

    def _next_answer(self, seconds: float) -> bytes | None:
        self._await_start()
        self._await_answer(seconds)
        if not self._has_answer():
            if not self.over():
                self._stop("wall")
            return None
        end = 4 + self._answer_size()
        answer = bytes(self._answer[4:end])
        del self._answer[:end]
        self._check_size()
        return answer

    def _await_answer(self, seconds: float) -> None:
        """Wait for an answer for `seconds`, and longer if other programs keep this one from computing.

        On a busy machine an honest program gets only part of a processor, and wall time means little. While it computes whenever
        it may, and has computed for less than half of its seconds, its deadline is extended. A program that sleeps has its
        seconds and no more, plus a check or two if it computed before that: an interpreter starts slowly in tier gvisor.
        """
        begun = time.monotonic()
        self._pump(self._has_answer, min(begun + LOOK_SECONDS, begun + seconds / 2, self.wall_deadline()))
        if self._has_answer() or self.over():
            return
        first = last = self._computed()
        threads = self._all_threads()
        looked = time.monotonic()
        self._pump(self._has_answer, min(begun + seconds, self.wall_deadline()))
        latest = min(begun + KEPT_TIMES * seconds, self.wall_deadline())
        while not self._has_answer() and not self.over() and time.monotonic() < latest:
            before, last, since = last, self._computed(), looked
            threads_before, threads = threads, self._all_threads()
            looked = time.monotonic()
            if first is None or before is None or last is None or last - first >= seconds / 2:
                return
            window = looked - since
            if last - before <= KEPT_SHARE * window and busiest(threads_before, threads, window) <= KEPT_SHARE:
                return
            self._pump(self._has_answer, min(looked + LOOK_SECONDS, latest))

    def _computed(self) -> float | None:
        """Return the CPU time so far, that of its peer included: in a pair, one waits for what the other computes."""
        seconds = [program._cpu_seconds() for program in self._attention.programs]  # noqa: SLF001 - of its own kind
        return None if None in seconds else sum(filter(None, seconds))

    def _all_threads(self) -> Mapping[int, Scheduled]:
        """Return the live threads, those of its peer included."""
        programs = self._attention.programs
        return {number: thread for program in programs for number, thread in program._threads().items()}  # noqa: SLF001 - of its own kind

    def wait(self) -> None:
        """Wait until the program ends by itself, or stop it at its wall limit."""
        self._await_start()
        self._pump(lambda: False, self.wall_deadline())
        if not self.over():
            self._stop("wall")

    # --- waiting ------------------------------------------------------------------------------------------------------

    def _await_start(self) -> None:
        """Wait until the program begins. A delay before that is ours: its clock does not run yet."""
        if self._started_at is None and not self.over():
            self._pump(lambda: self._started_at is not None, self.wall_deadline())

    def _pump(self, enough: Callable[[], bool], deadline: float) -> None:
        """Carry bytes until `enough()`, the report, the end of the connection or the deadline.

        What has come by the deadline counts, even if this process gets its turn only later.
        """
        late = False
        while not (enough() or late or self._report is not None or self._gone):
            late = time.monotonic() >= deadline
            self._attention.wait(deadline, self)

    def keep_to_the_wall(self) -> None:
        """Stop it if it is beyond its wall limit. For a program that the caller does not wait for."""
        if not self.over() and time.monotonic() >= self.wall_deadline():
            self._stop("wall")

    # --- questions about the state ------------------------------------------------------------------------------------

    def over(self) -> bool:
        return self._report is not None or self._gone or bool(self._stopped_for)

    def wall_deadline(self) -> float:
        if self._started_at is None:
            return self._sent_at + START_SECONDS
        return self._started_at + self._command.limits.wall_seconds

    def _ended_within(self) -> float:
        """Return the seconds within which the engine should see its end: its streams close before that. 0 if they have not."""
        return LAST_WORDS_SECONDS if self._gone else 0.0

    def _answer_size(self) -> int:
        return int.from_bytes(self._answer[:4], "big")

    def _has_answer(self) -> bool:
        return len(self._answer) >= 4 and len(self._answer) >= 4 + self._answer_size()

    # --- stopping -----------------------------------------------------------------------------------------------------

    def _refuse(self, what: str) -> None:
        """The program broke the channel's protocol: that ends the program, nothing else."""
        self._broke.append(Observation(behaviour=Behaviour.CHANNEL, detail=what, refused=True))
        self._stop("protocol")

    def _stop(self, why: StoppedFor) -> None:
        self._stopped_for = why
        self._ended_at = time.monotonic()
        self._end_all()

    # --- what the program wrote ---------------------------------------------------------------------------------------

    def _over_printed(self) -> bool:
        return self._printed > self._command.limits.output_kib << 10

    def _keep_output(self, name: str, data: bytes) -> None:
        cap = self._command.limits.output_kib << 10
        self._output[name] += data[: max(0, cap - self._printed)]
        self._printed += len(data)
        if self._over_printed() and not self._stopped_for:
            self._stop("output")

    def _keep_answer(self, data: bytes) -> None:
        if self._stopped_for:
            return
        self._answer += data
        self._check_size()

    def _check_size(self) -> None:
        if len(self._answer) >= 4 and self._answer_size() > MAX_MESSAGE_BYTES and not self.over():
            self._refuse("a message longer than allowed")
        if len(self._answer) > UNTAKEN_ANSWER_BYTES and not self.over():
            self._refuse("more on the channel than was asked for")

    # --- the account --------------------------------------------------------------------------------------------------

    def _account(self, state: Mapping[str, object], peak_bytes: int, supervisor_error: str = "") -> Execution:
        """Return the execution. `state`: the engine's state of a container that did not report. Raises SandboxError if we failed."""
        report = self._report
        end = classify(
            EndFacts(
                report=report,
                stopped_for=self._stopped_for,
                started=self._started_at is not None,
                container_oom=bool(state.get("OOMKilled")),
                container_exit_code=state.get("ExitCode"),  # type: ignore[arg-type]
                supervisor_error=supervisor_error,
            )
        )
        assert self._started_at is not None
        wall = (self._ended_at or time.monotonic()) - self._started_at
        return Execution(
            end=end,
            exit_code=report.exit_code if report else None,
            signal=report.signal if report else None,
            stdout=bytes(self._output["stdout"]),
            stderr=bytes(self._output["stderr"]),
            truncated=self._over_printed(),
            wall_seconds=wall,
            cpu_seconds=report.cpu_seconds if report else wall,
            peak_memory_mib=(peak_bytes if report else self._command.limits.memory_mib << 20) / (1 << 20),
            processes=report.processes if report else 0,
            written_bytes=report.written_bytes if report else 0,
            evidence=(*self._broke, *(report.evidence if report else ())),
        )
