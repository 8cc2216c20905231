"""The records and errors of storage. The ports are in `tasks`, `runs`, `reviews` and `access`.

Only the state of a run, of its job, of a claim and of a draft is updated in place. Runs, reviews and withdrawals are
appended.

    StorageError            our failure, a bug perhaps; retried by workers; becomes 500
        UnavailableError    the database cannot be read or written now (locked, disk full); nothing was stored; becomes 503
    NotFoundError           the row does not exist; becomes 404
    ConflictError           the row is no longer in the state that the caller believes; becomes 409
        KeyConflictError    an idempotency key that was used for something else
        ClaimedError        another reviewer has the run open
        AlreadyReviewedError    this reviewer's review of the run stands
    NoRoomError             the submitter would have more runs in the queue than their share; becomes 503
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NewType

from graders.interface import Submission, SubmissionId, TaskId
from rubrics.model import Prefill, Review
from rubrics.signals import Signal
from sandboxes.interface import Tier

RunId = NewType("RunId", str)
ReviewerId = NewType("ReviewerId", str)

ONE_TIME_PREFIX = "once_"
"""Prefix of a sign-in link's token, which must not be taken for an API token."""


class StorageError(Exception):
    """The database failed us."""


class UnavailableError(StorageError):
    """The database cannot be read or written now: it is locked, its disk is full, or it is gone."""


class NotFoundError(Exception):
    """The thing that the message names does not exist."""


class ConflictError(Exception):
    """The caller's picture of the row is out of date."""


class KeyConflictError(ConflictError):
    """Idempotency keys came back with other content.

    Args:
        positions: which of the records handed to `Runs.accept`.
    """

    def __init__(self, positions: Sequence[int]) -> None:
        super().__init__(f"{len(positions)} idempotency keys were used for other content")
        self.positions = tuple(positions)


class ClaimedError(ConflictError):
    """Another reviewer has claimed the run."""


class AlreadyReviewedError(ConflictError):
    """A review by this reviewer stands, and it must be withdrawn before they decide anything else."""

    def __init__(self) -> None:
        super().__init__("you have reviewed this response already; undo on its page reopens it")


class NoRoomError(Exception):
    """The submission would take more of the queue than the submitter's share. Nothing was stored.

    Args:
        own: the submitter's runs that wait or are under way.
        others: those of everybody else.
        most: how many the submitter may have beside those of the others.
    """

    def __init__(self, *, own: int, others: int, most: int) -> None:
        super().__init__(f"{own} of at most {most} runs, beside {others} of others")
        self.own, self.others, self.most = own, others, most


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    """Final. `outcome` is set."""


class RunOutcome(StrEnum):
    PASSED = "passed"
    """Every expected hidden case passed."""
    FAILED = "failed"
    DISPUTED = "disputed"
    """No case failed, but the two examinations disagree on some. A reviewer decides, and gets these runs first."""
    UNGRADABLE = "ungradable"
    """Our failure or the task's, after all attempts; never the submission's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskRecord:
    id: TaskId
    version: str
    title: str
    files: Mapping[str, str]
    """The package as uploaded: path -> text. `graders.tasks.package.load` makes a `Task` of it."""
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmissionRecord:
    submission: Submission
    task_version: str
    client_id: str
    """The submitter's own id, given back in every answer; may be empty."""
    tag: str
    """The submitter's label for a batch; runs are listed by it."""
    created_at: datetime
    minimum_tier: Tier = Tier.JAIL
    """What the submitter asked for; task and operator may ask for more."""
    submitter: str = ""
    """The name on the submitter's token; two tokens of one name are one person. Empty if the submission is older than this
    field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunResult:
    """Everything that an evaluation produced: the argument of `Runs.finish`."""

    outcome: RunOutcome
    signals: tuple[Signal, ...]
    """In the order in which they were reported. After a trip through storage, the cases come first."""
    prefills: tuple[Prefill, ...]
    rubric_id: str
    rubric_version: str
    grader_versions: Mapping[str, str]
    sandbox: str
    """`Sandbox.name`: tier and image digest; empty if the run is ungradable."""
    ends: Mapping[str, int]
    """`End` value -> number of the submission's executions that ended so."""
    diagnostics: Mapping[str, str]
    """The reason why the run is ungradable or disputed; empty otherwise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One evaluation of a submission."""

    id: RunId
    submission: SubmissionRecord
    state: RunState
    attempt: int
    """How often it was started; more than 1 only after our own failures."""
    created_at: datetime
    finished_at: datetime | None
    findings: RunResult | None
    """Set when `state` is DONE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """The cases of a run, counted."""

    passed: int
    total: int
    share: float | None
    """The share that counts as passed (`rubrics.prefill.share_passed`)."""
    disputed: int = 0
    not_tried: int = 0

    @property
    def failed(self) -> int:
        """Return the number of cases that neither passed nor are open."""
        return self.total - self.passed - self.disputed - self.not_tried


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run without its long parts: the submission's files, and the cases. Answers and lists are made from it."""

    id: RunId
    submission_id: SubmissionId
    task_id: TaskId
    task_version: str
    submitter: str
    client_id: str
    tag: str
    state: RunState
    attempt: int
    created_at: datetime
    finished_at: datetime | None
    tally: Tally | None
    """Set when `state` is DONE."""
    findings: RunResult | None
    """Without cases among its signals. Cases that pre-fills cite lack the texts given, wanted, got and noted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftDecision:
    """A criterion that a reviewer has decided, or noted something on, while others are still open."""

    criterion: str
    """A criterion of the rubric; a harm flag raised on the page is kept under `harm`, with level 1."""
    level: int | None
    """None while there is only a note."""
    note: str
    milliseconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueEntry:
    """A line of the reviewer's queue."""

    run_id: RunId
    task_id: TaskId
    title: str
    outcome: RunOutcome
    cases_passed: int
    cases_tried: int
    flags: int
    """Number of integrity flags raised. A finding of severity low is not a flag."""
    state: str
    """`open`, `mine` (claimed by this reviewer), `taken`, `reviewed` (by this reviewer), `skipped`."""
    finished_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerProgress:
    """A reviewer's work, counted."""

    done: int
    """Standing reviews that this reviewer has made since a given time."""
    left: int
    """Runs that `claim_next` may still return, own claims included; not capped like `queue`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewRecord:
    id: str
    run_id: RunId
    reviewer: ReviewerId
    review: Review
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewKey:
    """A standing review of a gradable run, and the group of responses that the run belongs to."""

    id: str
    run_id: RunId
    task_id: TaskId
    task_version: str
    group_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The caller: an API token or a signed-in reviewer."""

    name: str
    scopes: frozenset[str]
    """A subset of `admin`, `author`, `submitter`, `reviewer`."""

    @property
    def sees_all(self) -> bool:
        """Return True if the caller sees the whole of every run. A submitter sees their own runs, without hidden parts."""
        return bool(self.scopes & {"admin", "author", "reviewer"})
