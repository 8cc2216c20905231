"""The HTTP API's pydantic models. Unknown fields are refused, so that a misspelt one is not silently lost."""

from datetime import datetime
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    most_mib: ClassVar[int] = 0
    """Cap on the request's body, in MiB, below the service's own; 0 for that one alone."""

    @field_validator("*")
    @classmethod
    def writable(cls, value: object) -> object:
        r"""Refuse lone surrogates: JSON can express \ud800, which neither a database nor an answer could carry."""
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError as error:
                raise ValueError("text that can be written as UTF-8 (it has a lone surrogate)") from error
        return value


class TaskIn(Body):
    """A task package."""

    files: dict[str, str] = Field(description="Path inside the package -> text; `task.toml` is required.")


class TaskOut(BaseModel):
    task_id: str
    version: str
    title: str
    prompt: str
    language: str
    entry_file: str = Field(description="The file that a single-file solution becomes, such as solution.py.")
    minimum_tier: str = Field(description="The weakest tier that it runs in: jail, container or gvisor.")
    suites: list[dict[str, Any]] = Field(description="Id, kind and number of cases of each suite; never the cases.")
    created: bool = Field(default=False, description="True if this request stored a new version.")
    loads: bool = Field(
        default=True,
        description="False if this version of Assay refuses the stored package, which an older one accepted: store it anew.",
    )


class TasksOut(BaseModel):
    tasks: list[TaskOut]
    next: str = Field(description="Pass as `after` to go on; empty when this was the last page.")


class SubmissionIn(Body):
    """One response to a task. Give `solution` (one file) or `files`."""

    most_mib = 16  # 1 MiB of files in the longest JSON escapes. A slightly larger body still gets an error that names the field.

    task_id: str = Field(min_length=1, max_length=200)
    task_version: str | None = Field(default=None, description="Default: the newest.")
    solution: str | None = Field(default=None, description="The whole program, as the task's entry file.")
    files: dict[str, str] | None = Field(default=None, description="Relative path -> text.")
    id: str = Field(default="", max_length=200, description="Your own id; comes back in every answer.")
    tag: str = Field(default="", max_length=100, description="Your label for a batch; `GET /v1/runs?tag=` lists by it.")
    model: str = Field(default="", max_length=200, description="Who wrote it. Never shown to reviewers.")
    group_id: str = Field(default="", max_length=200, description="Responses to one prompt share it.")
    minimum_tier: str = Field(
        default="",
        max_length=20,
        description="jail, container or gvisor: run it in that tier or a stricter one. The strictest of this, the task's "
        "and the operator's counts, so a weaker one changes nothing.",
    )
    idempotency_key: str = Field(default="", max_length=200, description="The same key and content give the same run.")


class BatchIn(Body):
    most_mib = 16
    submissions: list[dict[str, Any]] = Field(
        min_length=1, max_length=500, description="Each as for POST /v1/submissions."
    )


class Accepted(BaseModel):
    id: str
    submission_id: str
    run_id: str
    links: dict[str, str]


class BatchItem(BaseModel):
    """An item in the order of the request: the accepted submission, or why it was refused."""

    accepted: Accepted | None = None
    problem: dict[str, Any] | None = None


class BatchOut(BaseModel):
    results: list[BatchItem]


class Cases(BaseModel):
    passed: int
    failed: int = Field(description="Those that failed, ended the program or did not run.")
    disputed: int = Field(
        default=0, description="They pass in one examination and fail in the other: neither passed nor failed."
    )
    not_tried: int = Field(
        default=0, description="Left out after the time-outs that a suite has: neither passed nor failed."
    )
    total: int
    share: float | None = Field(
        default=None,
        description="What of those that were tried counts as passed, 0 to 1, by their weights, groups and partial credit; disputed "
        "ones do not, and it is 1 only if all passed.",
    )


class PrefillOut(BaseModel):
    criterion: str
    level: int | None
    confidence: float | None
    rule: str
    says: str
    evidence: list[str] = Field(
        description="The cited signals, a line each, without hidden inputs. Who only submits gets cases by number."
    )


class RunOut(BaseModel):
    """One evaluation. `outcome` and what follows are set once `state` is `done`."""

    run_id: str
    id: str
    task_id: str
    task_version: str
    submission_id: str
    tag: str
    state: str = Field(description="queued, running or done")
    attempt: int
    outcome: str | None = Field(
        default=None,
        description="passed, failed, disputed (no case failed, and two examinations disagree on some) or ungradable (our failure, "
        "never the submission's)",
    )
    reward: float | None = Field(
        default=None,
        description="For training: 1 if it passed, 0 if it failed, null if it is disputed or ungradable. null is not 0: "
        "leave the run out.",
    )
    cases: Cases | None = None
    ends: dict[str, int] = {}
    flags: list[str] = Field(default=[], description="Rules of the integrity flags raised.")
    levels: dict[str, int | None] = {}
    prefills: list[PrefillOut] = []
    findings: list[dict[str, Any]] = Field(
        default=[],
        description="What was found and measured. Who only submits gets all of what was read in their own files; of what came of "
        "running them the rule, the severity and how often (rounded down to 1, 10, 100, ...), and no measurements.",
    )
    abstentions: list[dict[str, str]] = []
    sandbox: str = Field(default="", description="What it ran in: tier and image, `container@sha256:...`.")
    graders: dict[str, str] = {}
    rubric: str = ""
    diagnostics: dict[str, str] = Field(
        default={},
        description="Why it is ungradable or disputed. Who only submits gets `kind`, `suite`, `case` (its number), a sentence and `reference`, "
        "which stands in the full answer and in the log too.",
    )
    created_at: datetime
    finished_at: datetime | None = None
    links: dict[str, str] = {}


class RunsOut(BaseModel):
    runs: list[RunOut]
    next: str = Field(description="Pass as `after` to go on; the same value again when nothing has finished since.")


class CaseOut(BaseModel):
    """One hidden case of a run."""

    suite: str
    case: str
    outcome: str = Field(
        description="passed, failed, error (the program ended, or ran out of a limit, before it answered), not-run, disputed (it passes "
        "in one examination and fails in the other) or not-tried (left out after the time-outs that a suite has)"
    )
    weight: float
    credit: float | None = Field(description="Share of its weight, if the author grants partial credit.")
    group: str
    end: str = Field(description="How the program ended, if that decided the case.")
    seconds: float | None
    given: str = Field(description="The call, the input or the test. Empty for a case that passed.")
    wanted: str
    got: str
    note: str = Field(description="The checker's note, or why there is no verdict.")
    integrity: str = Field(description="full, or reduced if tests and submission shared a process")


class CasesOut(BaseModel):
    cases: list[CaseOut]
    next: str = Field(description="Pass as `after` to go on; empty when this was the last page.")


class DecisionIn(Body):
    criterion: str
    level: int
    note: str = Field(default="", max_length=10_000)
    milliseconds: int = Field(default=0, ge=0)


class ReviewIn(Body):
    """A complete review: a decision on each criterion of the rubric."""

    most_mib = 1

    decisions: list[DecisionIn]
    harm: bool = False
    harm_note: str = Field(default="", max_length=10_000)


class ReviewOut(BaseModel):
    review_id: str
    run_id: str
    reviewer: str
    created_at: datetime
    decided: list[dict[str, Any]] = Field(description="criterion, level, verdict, suggested, note, milliseconds")
    harm: bool
    harm_note: str


class ReviewsOut(BaseModel):
    reviews: list[ReviewOut]


class RubricLevelOut(BaseModel):
    value: int
    title: str
    anchor: str


class CriterionOut(BaseModel):
    id: str
    title: str
    question: str
    weight: float
    levels: list[RubricLevelOut]


class RubricOut(BaseModel):
    id: str
    version: str
    title: str
    criteria: list[CriterionOut]


class RubricsOut(BaseModel):
    rubrics: list[RubricOut]


class GradersOut(BaseModel):
    graders: dict[str, str] = Field(description="Id -> version.")
    broken: dict[str, str] = Field(description="What could not be loaded -> why. A task that needs it is refused.")


class HealthOut(BaseModel):
    status: str
    missing: list[str] = Field(default=[], description="What the service lacks to do its work.")


class ErrorField(BaseModel):
    field: str = Field(description="The field's path: `files.solution.py`, `submissions.3.task_id`.")
    expected: str


class Problem(BaseModel):
    """RFC 9457 problem details. `type` is stable; docs/reference/problems.md explains each."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[ErrorField] = []
    request_id: str = Field(default="", description="Set if the failure is ours; the log has it too.")
