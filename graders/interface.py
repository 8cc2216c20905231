"""The port of a grader: what it is given, what it may report, and how it says that it could not look.

    Abstain             raised by a grader (or a `Context` helper) that cannot look; becomes an `Abstention`
    TaskUnusable        the task itself is broken (its reference fails): the run is ungradable, the author is told

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
"""A count, and no time that all may take together: the same program gets the same outcomes on a busy machine. More would tell more of
a program that is slow now and then, and cost more for one that hangs each time."""
SOURCE_CAP_BYTES = 256 * 1024
"""Analyzers read files up to this size; a larger one is an abstention (larger ones are decompression bombs in disguise)."""


class Abstain(Exception):
    """This grader cannot look at this submission; the argument says why, in a sentence."""


class TaskUnusable(Exception):
    """The task is broken: its reference does not load or fails its own suite. Our side's failure, never a grade.

    Args:
        message: for the author; it may quote what is hidden.
        suite: which suite showed it; empty where it is none in particular.
        case: the number of the case (`CaseOutcome.number`); 0 where it is none in particular.
    """

    def __init__(self, message: str, *, suite: str = "", case: int = 0) -> None:
        super().__init__(message)
        self.suite = suite
        self.case = case

    def __copy__(self) -> Self:
        """Of any kind of it, whatever its own __init__ asks for: without its traceback."""
        new = type(self).__new__(type(self), *self.args)
        new.__dict__.update(self.__dict__)
        return new

    def place(self) -> Mapping[str, str]:
        """Suite and case as text, as far as they are known: all of it that submitters may read."""
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
    """The rest of its table in task.toml, checked by the grader that runs this kind."""
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
    """Python that is run in the entry module before what a submission has there; it is no part of the submission."""


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
        """True where it holds no code, whatever files it has: it passes nothing."""
        return not any(text.strip() for text in self.files.values())


class ContextCache(Protocol):
    """A cache for `Context.remember` and `Context.once`. All callers that share a key must make the same value for it."""

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
    """What a grader is given. It grows by fields, never by positional arguments."""

    task: Task
    submission: Submission
    session: Session
    """Boxes for this submission's executions. The reference never runs in the same box as the submission."""
    remember: ContextCache = uncached
    """Values of this task version, each made once per worker: `remember(key, make)`."""
    once: ContextCache = uncached
    """Values of this run that several graders need, each made once: `once(key, make)`."""
    ended: Callable[[Execution], None] = lambda execution: None
    """To be told of each execution of the submission's own code, and how it ended."""
    no_verdict: Callable[[str], None] = lambda case: None
    """To be told of each case (its id) that the author's own checker or interactor came to no verdict on, though it accepts
    the reference's: the submission is rejected, and the author has something to mend."""
    most_lost: int = MOST_LOST
    """After so many cases of a suite that ran out of a limit or ended the program, the rest is not tried."""

    def texts(self, suffix: str = "") -> Iterator[tuple[str, str]]:
        """The submission's files whose path ends with `suffix`, sorted by path."""
        for path in sorted(self.submission.files):
            if path.endswith(suffix):
                yield path, self.submission.files[path]

    def parsed(self, suffix: str = ".py") -> Iterator[tuple[str, ast.Module]]:
        """The submission's Python files as syntax trees. Raises Abstain for one that cannot be parsed."""
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
    """The rubric criterion it gives evidence for."""
    examples: ClassVar[tuple[Example, ...]]
    public: ClassVar[bool] = False
    """True where all that it reports was read in the submission's own files: submitters may read that too. Of anything else
    they get rule, severity and how often: a program that runs beside hidden inputs could tell them in any text or number.
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
        """A finding in this grader's name; `rule` defaults to the grader's id."""
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
        """A measurement in this grader's name."""
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
        """An abstention for one file, where the grader goes on with others; otherwise raise Abstain."""
        return Abstention(grader=self.id, criterion=self.criterion, reason=reason, path=path, public=self.public)
