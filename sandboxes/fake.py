"""A sandbox that runs nothing: a test defines what programs would do, and sees what they were asked.

It keeps the port's promises that callers rely on: a conversation that returned None once returns None for ever, `finish` may be
called twice, and an exception of the test (such as a SandboxError) is raised from the call that would raise it in a real sandbox.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sandboxes.interface import Command, End, Execution

QUIET = Execution(
    end=End.EXITED, exit_code=0, signal=None, stdout=b"", stderr=b"", truncated=False,
    wall_seconds=0.01, cpu_seconds=0.01, peak_memory_mib=10.0,
)  # fmt: skip
"""A program that did nothing and left."""


@dataclass(frozen=True)
class FakeProgram:
    """A program's behaviour: answer each question, then end like this."""

    answer: Callable[[bytes], bytes | None] = lambda question: None
    execution: Execution = QUIET


@dataclass
class FakeSandbox:
    """`programs(command)` returns what each started command would do; `commands` are those started so far."""

    programs: Callable[[Command], FakeProgram]
    name: str = "fake@none"
    commands: list[Command] = field(default_factory=list)
    open_sessions: int = 0

    @contextmanager
    def session(self) -> Iterator["FakeSession"]:
        self.open_sessions += 1
        try:
            yield FakeSession(self)
        finally:
            self.open_sessions -= 1


@dataclass
class FakeSession:
    sandbox: FakeSandbox

    def run(self, command: Command) -> Execution:
        self.sandbox.commands.append(command)
        return self.sandbox.programs(command).execution

    @contextmanager
    def converse(self, command: Command) -> Iterator["FakeConversation"]:
        self.sandbox.commands.append(command)
        yield FakeConversation(self.sandbox.programs(command))

    @contextmanager
    def pair(self, first: Command, second: Command) -> Iterator[tuple["FakeConversation", "FakeConversation"]]:
        """Start two programs without a line between them: a test defines what each would do with one."""
        self.sandbox.commands += [first, second]
        yield FakeConversation(self.sandbox.programs(first)), FakeConversation(self.sandbox.programs(second))


@dataclass
class FakeConversation:
    program: FakeProgram
    over: bool = False

    def ask(self, message: bytes, *, seconds: float) -> bytes | None:
        if self.over:
            return None
        answer = self.program.answer(message)
        self.over = answer is None
        return answer

    def ask_each(self, questions: Iterable[tuple[bytes, float]]) -> Iterator[bytes]:
        for message, seconds in questions:
            answer = self.ask(message, seconds=seconds)
            if answer is None:
                return
            yield answer

    def finish(self) -> Execution:
        self.over = True
        return self.program.execution
