"""The pipeline attributes each failure to its cause, a crash included."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from graders.interface import (
    Abstain,
    Abstention,
    CaseOutcome,
    Context,
    Example,
    Finding,
    Grader,
    Limits,
    Outcome,
    Signal,
    Submission,
    SubmissionId,
    Suite,
    Task,
    TaskId,
    TaskUnusable,
)
from sandboxes.fake import FakeProgram, FakeSandbox
from sandboxes.interface import SandboxError
from service.evaluation.pipeline import EvaluationError, evaluate
from service.rubric_files import builtin_rubrics
from service.storage.interface import RunOutcome, RunResult

TASK = Task(
    id=TaskId("t"), version="1", title="t", prompt="p", language="python", entry_file="solution.py",
    suites=(Suite(id="hidden", kind="call", files={}),), reference={}, limits=Limits(), graders={}, rubric_id="default",
)  # fmt: skip
SUBMISSION = Submission(id=SubmissionId("s"), task_id=TASK.id, files={"solution.py": "x = 1"})


@dataclass(frozen=True)
class Judge(Grader):
    """Reports the outcomes it was made with."""

    id, version, criterion = "assay/judge", "1", "correctness"
    examples = (Example(""),)
    outcomes: tuple[Outcome, ...] = (Outcome.PASSED,)

    def grade(self, context: Context) -> Iterator[Signal]:
        for number, outcome in enumerate(self.outcomes):
            yield CaseOutcome(
                grader=self.id, criterion=self.criterion, suite="hidden", case=str(number), outcome=outcome
            )


@dataclass(frozen=True)
class Failing(Grader):
    """Finds something, then fails."""

    id, version, criterion = "test/failing", "1", "security"
    examples = (Example(""),)
    error: Exception = ZeroDivisionError("oops")

    def grade(self, context: Context) -> Iterator[Signal]:
        yield self.finding("seen before the failure")
        raise self.error


def run(*graders: Grader) -> RunResult:
    sandbox = FakeSandbox(lambda command: FakeProgram())
    findings = evaluate(
        TASK, SUBMISSION, graders=graders, rubric=builtin_rubrics()["default"], sandbox=sandbox,
        remember=lambda key, make: make(),
    )  # fmt: skip
    assert sandbox.open_sessions == 0
    return findings


@pytest.mark.parametrize("error", [ZeroDivisionError("oops"), Abstain("too large"), RecursionError()])
def test_a_failing_grader_costs_its_own_criterion_only(error: Exception) -> None:
    findings = run(Failing(error), Judge())
    assert findings.outcome is RunOutcome.PASSED
    kinds = [type(signal) for signal in findings.signals]
    assert kinds == [Finding, Abstention, CaseOutcome]
    abstention = findings.signals[1]
    assert isinstance(abstention, Abstention) and abstention.criterion == "security" and abstention.reason


@dataclass(frozen=True)
class Open(Failing):
    """States that all it reports was read in the submission's own files."""

    id, public = "test/open", True


@pytest.mark.parametrize(("error", "public"), [(Abstain("too large"), True), (KeyError("hidden/cases.jsonl"), False)])
def test_what_a_grader_crashed_of_is_never_for_the_submitter(error: Exception, public: bool) -> None:
    finding, abstention, _ = run(Open(error), Judge()).signals
    assert isinstance(finding, Finding) and finding.public
    assert isinstance(abstention, Abstention) and abstention.public is public


@pytest.mark.parametrize("error", [SandboxError("engine gone"), TaskUnusable("reference fails")])
def test_our_failure_passes_through(error: Exception) -> None:
    with pytest.raises(type(error)):
        run(Failing(error), Judge())


@pytest.mark.parametrize(
    ("outcomes", "run_outcome"),
    [
        ((Outcome.PASSED, Outcome.DISPUTED), RunOutcome.DISPUTED),
        ((Outcome.DISPUTED, Outcome.DISPUTED), RunOutcome.DISPUTED),
        ((Outcome.DISPUTED, Outcome.FAILED, Outcome.PASSED), RunOutcome.FAILED),
        ((Outcome.DISPUTED, Outcome.NOT_TRIED), RunOutcome.FAILED),
        ((Outcome.PASSED, Outcome.NOT_TRIED), RunOutcome.FAILED),
    ],
)
def test_a_run_is_disputed_where_no_case_failed(outcomes: tuple[Outcome, ...], run_outcome: RunOutcome) -> None:
    findings = run(Judge(outcomes))
    assert findings.outcome is run_outcome
    correctness = findings.prefills[0]
    assert correctness.criterion == "correctness"
    assert (correctness.level, correctness.rule) == (None, "undecided")


@dataclass(frozen=True)
class Flags(Grader):
    """Raises a flag of `rule`, after the hidden tests have been run."""

    id, version, criterion = "assay/flags", "1", "correctness"
    examples = (Example(""),)
    rule: str = "assay/lying-equality"

    def grade(self, context: Context) -> Iterator[Signal]:
        yield self.finding("it lies", rule=self.rule, severity="high", flag=True)


def test_a_dispute_of_a_submission_that_tampers_is_a_failure() -> None:
    findings = run(Judge((Outcome.PASSED, Outcome.DISPUTED)), Flags())
    assert findings.outcome is RunOutcome.FAILED
    assert [signal.outcome for signal in findings.signals if isinstance(signal, CaseOutcome)] == [
        Outcome.PASSED,
        Outcome.FAILED,
    ]
    assert findings.prefills[0].level == 2, "half of the cases passed, and that is decided"
    assert run(Judge((Outcome.DISPUTED,)), Flags("assay/box-network")).outcome is RunOutcome.DISPUTED
    assert run(Judge((Outcome.PASSED,)), Flags()).outcome is RunOutcome.PASSED


@pytest.mark.parametrize("bad", [Outcome.FAILED, Outcome.ERROR, Outcome.NOT_RUN])
def test_one_case_that_did_not_pass_fails_the_run(bad: Outcome) -> None:
    assert run(Judge((Outcome.PASSED, bad, Outcome.PASSED))).outcome is RunOutcome.FAILED


@dataclass(frozen=True)
class Silent(Judge):
    """Crashes before the first outcome."""

    id = "assay/silent"

    def grade(self, context: Context) -> Iterator[Signal]:
        raise KeyError("bug")


def test_a_suite_without_outcomes_is_our_failure_and_never_a_grade() -> None:
    with pytest.raises(EvaluationError, match=r"hidden.*KeyError"):
        run(Silent())
    with pytest.raises(EvaluationError):
        run(Judge(()))


def test_versions_are_recorded() -> None:
    findings = run(Judge())
    assert findings.grader_versions == {"assay/judge": "1"}
    assert findings.sandbox == "fake@none" and findings.rubric_version
