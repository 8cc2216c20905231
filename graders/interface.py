"""The port of a grader: its context, the signals that it may report, and the exceptions that it may raise.

    Abstain             raised by a grader (or a `Context` helper) that cannot look; becomes an `Abstention`
    TaskUnusable        the task itself is broken (its reference fails): the run is ungradable, its author is informed

Everything that a plugin needs is importable from here, the signals included.
"""

import ast
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, NewType, Protocol, Self, TypeVar

from rubrics.signals import (
    Abstention,
    CaseOutcome,
    Finding,
    Measurement,
    Outcome,
    Severity,
    Signal,
    UntrustedText,
)
from sandboxes.interface import (
    Behaviour,
    Command,
    Conversation,
    End,
    Execution,
    Harness,
    Limits,
    Observation,
    Session,
    Tier,
)

__all__ = [
    "Abstain",
    "Abstention",
    "Behaviour",
    "CaseOutcome",
    "Command",
    "Context",
    "ContextCache",
    "Conversation",
    "End",
    "Example",
    "Execution",
    "Finding",
    "Grader",
    "Harness",
    "Limits",
    "Measurement",
    "Observation",
    "Outcome",
    "Session",
    "Severity",
    "Signal",
    "Submission",
    "SubmissionId",
    "Suite",
    "Task",
    "TaskId",
    "TaskUnusable",
    "Tier",
    "UntrustedText",
    "fresh_cache",
    "uncached",
]

TaskId = NewType("TaskId", str)
SubmissionId = NewType("SubmissionId", str)
T = TypeVar("T")

MOST_LOST = 5
"""A count, not a time for all cases together: so a program gets the same outcomes on a busy machine. A larger count
would show more of a program that is slow now and then, and cost more for one that hangs each time."""
SOURCE_CAP_BYTES = 256 * 1024
"""Analyzers read files up to this size; a larger one is an abstention (larger ones are decompression bombs in disguise)."""


class Abstain(Exception):
    """This grader cannot look at this submission. The argument is a sentence with the reason."""


class TaskUnusable(Exception):
    """The task is broken: its reference does not load or fails its own suite. Our side's failure, never a grade.

    Args:
        message: for the author; it may quote hidden files.
        suite: the suite that showed it; empty if it concerns all of them.
        case: the number of the case (`CaseOutcome.number`); 0 if it concerns all of them.
    """

    def __init__(self, message: str, *, suite: str = "", case: int = 0) -> None:
        super().__init__(message)
        self.suite = suite
        self.case = case

    def __copy__(self) -> Self:
        """Return a copy without the traceback. It works for subclasses with any __init__."""
        new = type(self).__new__(type(self), *self.args)
        new.__dict__.update(self.__dict__)
        return new

    def place(self) -> Mapping[str, str]:
        """Return suite and case as text, if they are known. Submitters may read no more of the error."""
        return ({"suite": self.suite} if self.suite else {}) | ({"case": str(self.case)} if self.case else {})


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """A set of hidden cases. What the kinds mean, and their `options`, is in docs/reference/task-package.md."""

    id: str
    kind: str
    """`call`, `stdio`, `pytest`, `property` or `program`."""
    files: Mapping[str, str]
    """The suite's own files, path inside the package -> text."""
    options: Mapping[str, object] = field(default_factory=dict)
    """The rest of its table in task.toml. The suite's kind reads it, see graders/suites/kind.py."""
    weight: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One version of a task; immutable."""

    id: TaskId
    version: str
    """First 12 hex digits of the SHA-256 of the package's files."""
    title: str
    prompt: str
    language: str
    entry_file: str
    """The file that a single-file solution becomes; hidden tests import it by its stem."""
    suites: tuple[Suite, ...]
    reference: Mapping[str, str]
    """Files of a solution known to be right. Never enters a submission's box."""
    limits: Limits
    graders: Mapping[str, Mapping[str, object]]
    """Grader id -> its options, for each grader that this task asks for beyond the built-in ones or sets options of."""
    rubric_id: str
    relative: Mapping[str, float] = field(default_factory=dict)
    """`cpu_seconds`, `wall_seconds` -> how many times what the reference takes; `limits` has what the reference gets."""
    minimum_tier: Tier = Tier.JAIL
    """The weakest tier that its submissions and its reference run in; a request or the operator may ask for more."""
    visible: Mapping[str, str] = field(default_factory=dict)
    """Files of `visible/`, path inside the package -> text: examples that the model is shown. No suite has them."""
    prelude: str = ""
    """Python that runs in the entry module before the submission's code. It is not part of the submission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One response to a task."""

    id: SubmissionId
    task_id: TaskId
    files: Mapping[str, str]
    model: str = ""
    group_id: str = ""
    """Responses to one prompt share it."""

    @property
    def is_blank(self) -> bool:
        """True if its files hold no code. Then it passes no case."""
        return not any(text.strip() for text in self.files.values())


class ContextCache(Protocol):
    """A cache for `Context.remember` and `Context.once`. Callers that share a key must make the same value for it."""

    def __call__(self, key: str, make: Callable[[], T], /) -> T:
        """Return the value of `make()`, made once for each key."""


def uncached(_: str, make: Callable[[], T]) -> T:
    """Return `make()`, and keep nothing: the `ContextCache` of a context without one."""
    return make()


def fresh_cache() -> ContextCache:
    """Return an empty cache. If `make` raises, the next call tries again.

    Threads that ask for the same key at the same time may each make its value.
    """
    made: dict[str, Any] = {}

    def remember(key: str, make: Callable[[], T], /) -> T:
        if key not in made:
            made[key] = make()
        value: T = made[key]
        return value

    return remember


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The input of a grader. It grows by fields, never by positional arguments."""

    task: Task
    submission: Submission
    session: Session
    """Boxes for this submission's executions. The reference never runs in the same box as the submission."""
    remember: ContextCache = uncached
    """Values of this task version, each made once per worker: `remember(key, make)`."""
    once: ContextCache = uncached
    """Values of this run that several graders need, each made once: `once(key, make)`."""
    ended: Callable[[Execution], None] = lambda execution: None
    """Called for each execution of the submission's own code."""
    no_verdict: Callable[[str], None] = lambda case: None
    """Called with the id of each case on which the author's checker or interactor came to no verdict, though it
    accepts the reference's answer. The submission is rejected, and the author should mend the program."""
    most_lost: int = MOST_LOST
    """After this many cases of a suite that ran out of a limit or ended the program, the rest is not tried."""

    def texts(self, suffix: str = "") -> Iterator[tuple[str, str]]:
        """Yield the submission's files whose path ends with `suffix`, sorted by path."""
        for path in sorted(self.submission.files):
            if path.endswith(suffix):
                yield path, self.submission.files[path]

    def parsed(self, suffix: str = ".py") -> Iterator[tuple[str, ast.Module]]:
        """Yield the submission's Python files as syntax trees. Raise Abstain for one that cannot be parsed."""
        for path, text in self.texts(suffix):
            if len(text.encode("utf-8", "surrogatepass")) > SOURCE_CAP_BYTES:
                raise Abstain(f"{path} is larger than {SOURCE_CAP_BYTES // 1024} KiB")
            try:
                yield path, ast.parse(text, filename=path)
            except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
                raise Abstain(f"{path} cannot be parsed: {type(error).__name__}") from error


@dataclass(frozen=True, slots=True)
class Example:
    """A submission and the kinds of signal that the grader reports on it: documentation and test in one."""

    code: str
    reports: tuple[type[Signal], ...] = ()


class Grader(ABC):
    """Base of all graders: a frozen dataclass whose fields are its options.

    The docstring is the documentation that reviewers see, `examples` are its tests (`graders.plugins.testing.check`).
    """

    id: ClassVar[str]
    """`namespace/name`, unique: `acme/no-print`."""
    version: ClassVar[str]
    criterion: ClassVar[str]
    """The rubric criterion that its signals are evidence for."""
    examples: ClassVar[tuple[Example, ...]]
    public: ClassVar[bool] = False
    """True if all that it reports was read in the submission's own files: submitters may read that too. Of other
    graders they see rule, severity and count only: a program that runs beside hidden inputs could leak them in any
    text or number.
    """

    @abstractmethod
    def grade(self, context: Context) -> Iterator[Signal]:
        """Yield signals as they are found; what was yielded before a crash is kept. Raise Abstain to abstain."""

    def finding(
        self,
        message: str,
        *,
        rule: str = "",
        severity: str = "medium",
        confidence: str = "high",
        at: tuple[str, int] = ("", 0),
        cwe: int | None = None,
        more: str = "",
        flag: bool = False,
        times: int = 1,
    ) -> Finding:
        """Return a finding in this grader's name; `rule` defaults to the grader's id."""
        return Finding(
            grader=self.id,
            criterion=self.criterion,
            rule=rule or self.id,
            message=UntrustedText(message),
            severity=Severity(severity),
            confidence=Severity(confidence),
            path=at[0],
            line=at[1],
            cwe=cwe,
            more=more,
            flag=flag,
            public=self.public,
            times=times,
        )

    def measurement(
        self, name: str, value: float, unit: str, *, at: tuple[str, int] = ("", 0), note: str = ""
    ) -> Measurement:
        """Return a measurement in this grader's name."""
        return Measurement(
            grader=self.id,
            criterion=self.criterion,
            name=name,
            value=value,
            unit=unit,
            path=at[0],
            line=at[1],
            note=UntrustedText(note),
            public=self.public,
        )

    def abstention(self, reason: str, *, path: str = "") -> Abstention:
        """Return an abstention for one file, if the grader goes on with others; otherwise raise Abstain."""
        return Abstention(grader=self.id, criterion=self.criterion, reason=reason, path=path, public=self.public)
