"""Made-up records for tests of the storage and of the API, and a clock that a test moves."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from graders.interface import Submission, SubmissionId, TaskId
from rubrics.model import Criterion, Decision, Level, Prefill, Review, Rubric
from rubrics.review import decide
from rubrics.signals import CaseOutcome, Finding, Outcome, Severity, UntrustedText
from service.evaluation.disputes import of_disputes
from service.jobs.interface import Jobs
from service.storage.interface import (
    ReviewerId,
    ReviewRecord,
    RunId,
    RunOutcome,
    RunResult,
    SubmissionRecord,
    TaskRecord,
)
from service.storage.storage import Storage

START = datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **times: float) -> datetime:
        self.now += timedelta(**times)
        return self.now


def task(version: str = "v1", id: str = "numbers/double") -> TaskRecord:
    return TaskRecord(id=TaskId(id), version=version, title=f"Double {version}", files={"a": version}, created_at=START)


def record(number: int | str = 0, tag: str = "", **fields: str) -> SubmissionRecord:
    submission = Submission(
        id=SubmissionId(f"sub-{number}"),
        task_id=TaskId("numbers/double"),
        files={"solution.py": f"x = {number}"},
        model=fields.get("model", ""),
        group_id=fields.get("group_id", ""),
    )
    return SubmissionRecord(
        submission=submission,
        task_version="v1",
        client_id=f"mine-{number}",
        tag=tag,
        created_at=START,
        submitter=fields.get("submitter", ""),
    )


def accept(storage: Storage, count: int, tag: str = "") -> list[RunId]:
    storage.tasks.add(task())
    records = [record(number, tag) for number in range(count)]
    return list(storage.runs.accept(records, [""] * count, [""] * count))


FLAG = Finding(
    grader="assay/integrity",
    criterion="correctness",
    rule="exit-game",
    message=UntrustedText("calls os._exit"),
    severity=Severity.HIGH,
    confidence=Severity.HIGH,
    path="solution.py",
    line=3,
    flag=True,
)


def case(name: str, outcome: Outcome, **texts: str) -> CaseOutcome:
    return CaseOutcome(
        grader="assay/hidden-tests",
        criterion="correctness",
        suite="hidden",
        case=name,
        outcome=outcome,
        **{key: UntrustedText(text) for key, text in texts.items()},  # type: ignore[arg-type]
    )


FAILED_CASE = replace(
    case(
        "big[987654]", Outcome.FAILED, given="double(987654)", wanted="1975308", got="0\x00\ud800", note="not 1975308"
    ),
    number=2,
)


DISPUTED_CASE = replace(
    FAILED_CASE, outcome=Outcome.DISPUTED, note=UntrustedText('987654 passes together only: isolation = "shared"')
)


def disputed_findings() -> RunResult:
    """Of a run with a case on which two examinations disagree."""
    disputed = (case("one", Outcome.PASSED), DISPUTED_CASE)
    undecided = Prefill(
        criterion="correctness", level=None, confidence=None, because=(DISPUTED_CASE,), rule="undecided", says="open"
    )
    return replace(
        findings(RunOutcome.DISPUTED), signals=disputed, prefills=(undecided,), diagnostics=of_disputes(disputed)
    )


def findings(outcome: RunOutcome = RunOutcome.FAILED) -> RunResult:
    prefill = Prefill(
        criterion="correctness",
        level=1,
        confidence=None,
        because=(FAILED_CASE, FLAG),
        rule="most-fail",
        says="half fail",
    )
    return RunResult(
        outcome=outcome,
        signals=(case("one", Outcome.PASSED), FAILED_CASE, FLAG),
        prefills=(prefill,),
        rubric_id=RUBRIC.id,
        rubric_version=RUBRIC.version,
        grader_versions={"assay/hidden-tests": "1"},
        sandbox="fake@1",
        ends={"exited": 2},
        diagnostics={},
    )


LEVELS = tuple(Level(value=value, title=f"level {value}", anchor=f"as good as {value}") for value in range(3))
RUBRIC = Rubric(
    id="default",
    version="r1",
    title="Default",
    criteria=(
        Criterion(
            id="correctness",
            title="Correctness",
            question="Is it right?",
            weight=1,
            levels=LEVELS,
            rules=(),
            no_basis="-",
        ),
    ),
)


def review(level: int = 1, note: str = "") -> Review:
    decision = Decision(criterion="correctness", level=level, note=note, milliseconds=1200)
    return decide(RUBRIC, findings().prefills, [decision])


def add_review(storage: Storage, run: RunId, reviewer: ReviewerId, review: Review, now: datetime) -> ReviewRecord:
    with storage.reviews.work_on(run, reviewer, now) as work:
        return work.complete(review)


def finish_next(storage: Storage, jobs: Jobs, now: datetime, outcome: RunOutcome = RunOutcome.FAILED) -> RunId:
    """Do what a worker does with the oldest job."""
    lease = jobs.lease("worker", now)
    assert lease is not None
    storage.runs.start(lease.run_id, lease.attempt)
    found = disputed_findings() if outcome is RunOutcome.DISPUTED else findings(outcome)
    assert storage.runs.finish(lease.run_id, lease.attempt, found, now)
    return lease.run_id


PACKAGE = {
    "task.toml": """
        id = "numbers/double"
        title = "Double a number"
        language = "python"
        reference = "submissions/accepted/reference.py"
        [[suite]]
        id = "hidden"
        kind = "call"
        files = ["hidden/*"]
        entry_point = "double"
    """,
    "prompt.md": "Write double(n).",
    "hidden/cases.jsonl": '{"call": "double(21)", "returns": "42"}\n{"call": "double(987654)", "returns": "1975308"}\n',
    "submissions/accepted/reference.py": "def double(n):\n    return 2 * n\n",
}
