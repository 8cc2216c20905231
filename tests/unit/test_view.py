"""What a submitter is told of a run: what graders fixed, never what a program chose. Pure."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.interface import SubmissionId, TaskId
from rubrics.model import Prefill
from rubrics.signals import Abstention, CaseOutcome, Finding, Measurement, Outcome, Severity, Signal, UntrustedText
from service.evaluation.disputes import TO_SUBMITTER, of_disputes
from service.http.view import WITHHELD, about, run_out
from service.runs import diagnostics
from service.storage.interface import RunId, RunOutcome, RunResult, RunState, RunSummary, Tally

SECRET = "what-it-was-asked"
U = UntrustedText


def finding(**changes: Any) -> Finding:
    made = Finding(
        grader="acme/watch", criterion="security", rule="acme/opened", message=U(SECRET), severity=Severity.MEDIUM,
        confidence=Severity.HIGH, path=SECRET, line=17, more=SECRET,
    )  # fmt: skip
    return replace(made, **changes)


MEASURED = Measurement(
    grader="acme/watch", criterion="security", name="opened", value=48151, unit="files", path=SECRET, note=U(SECRET)
)
ABSTAINED = Abstention(grader="acme/watch", criterion="security", reason=SECRET, path=SECRET)
CASE = CaseOutcome(
    grader="assay/hidden-tests", criterion="correctness", suite="hidden", case=f"t[{SECRET}]", outcome=Outcome.FAILED,
    credit=0.25, group=SECRET, end="wall-timeout", given=U(SECRET), wanted=U(SECRET), got=U(SECRET), note=U(SECRET), number=3,
)  # fmt: skip


def told(*signals: Signal, sees_all: bool = False, outcome: RunOutcome = RunOutcome.FAILED, **why: str) -> Any:
    cited = Prefill(criterion="security", level=1, confidence=None, because=signals, rule="r", says="s")
    result = RunResult(
        outcome=outcome,
        signals=tuple(signal for signal in signals if not isinstance(signal, CaseOutcome)),
        prefills=(cited,),
        rubric_id="default",
        rubric_version="1",
        grader_versions={},
        sandbox="fake@1",
        ends={},
        diagnostics=why,
    )
    time = datetime(2031, 1, 1, tzinfo=UTC)
    run = RunSummary(
        id=RunId("run_1"), submission_id=SubmissionId("sub_1"), task_id=TaskId("t"), task_version="1", submitter="ann",
        client_id="", tag="", state=RunState.DONE, attempt=1, created_at=time, finished_at=time,
        tally=Tally(passed=0, total=1, share=0.0), findings=result,
    )  # fmt: skip
    return run_out(run, sees_all=sees_all)


def test_signals_of_a_plugin_are_not_for_submitters_unless_it_says_so() -> None:
    run = told(finding(), MEASURED, ABSTAINED, CASE)
    assert SECRET not in run.model_dump_json()
    assert "48151" not in run.model_dump_json()
    assert run.prefills[0].evidence == [
        "acme/opened, medium",
        "opened: measured while it ran",
        f"acme/watch: {WITHHELD}",
        "hidden, case 3: failed (wall-timeout), 25% of its weight",
    ]
    assert run.abstentions == [{"grader": "acme/watch", "criterion": "security", "reason": WITHHELD, "path": ""}]


def test_what_was_read_in_their_own_files_is_told_whole() -> None:
    run = told(replace(finding(), public=True), replace(MEASURED, public=True), replace(ABSTAINED, public=True))
    full = told(
        replace(finding(), public=True), replace(MEASURED, public=True), replace(ABSTAINED, public=True), sees_all=True
    )
    assert run == full
    assert run.findings[0]["message"] == SECRET


def test_authors_and_reviewers_are_told_all() -> None:
    run = told(finding(), MEASURED, ABSTAINED, CASE, sees_all=True)
    assert run.findings[0]["message"] == run.abstentions[0]["reason"] == SECRET
    assert run.findings[1]["value"] == 48151
    assert run.prefills[0].evidence[3] == (
        f"hidden/t[{SECRET}]: failed (wall-timeout), 25% of its weight, in group {SECRET}"
    )


def test_however_many_things_it_was_done_to_a_behaviour_is_told_once_with_a_rough_count() -> None:
    acts = [finding(message=U(f"{SECRET} {number}"), times=3) for number in range(20)]
    high = finding(severity=Severity.HIGH)
    run = told(*acts, high)
    assert [(each["severity"], each["times"]) for each in run.findings] == [("medium", 10), ("high", 1)]
    assert run.prefills[0].evidence == ["acme/opened, medium", "acme/opened, high"]


def test_a_dispute_is_told_to_its_submitter_without_what_the_hidden_test_says() -> None:
    disputed = replace(CASE, outcome=Outcome.DISPUTED)
    why = of_disputes([replace(CASE, outcome=Outcome.PASSED), disputed, disputed])
    assert why["message"] == f"two examinations disagree on case t[{SECRET}] of suite hidden and 1 more: {SECRET}"
    run = told(disputed, outcome=RunOutcome.DISPUTED, **why)
    assert SECRET not in run.model_dump_json()
    assert run.diagnostics == {
        "kind": "disputed", "suite": "hidden", "case": "3", "message": TO_SUBMITTER, "reference": "run_1",
    }  # fmt: skip
    assert of_disputes([CASE]) == {}


@given(st.integers(1, 10**12))
def test_a_rough_count_says_no_more_than_its_size(count: int) -> None:
    assert about(count) <= count < 10 * about(count)
    assert set(str(about(count))) <= {"0", "1"}


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (diagnostics.TaskUnusable(SECRET, suite="hidden", case=4), {"kind": "task", "suite": "hidden", "case": "4"}),
        (diagnostics.TaskUnusable(SECRET), {"kind": "task"}),
        (diagnostics.SandboxError(SECRET, suite=SECRET, state=SECRET), {"kind": "sandbox"}),
        (RuntimeError(SECRET), {"kind": "internal"}),
        (type(SECRET, (Exception,), {})(), {"kind": "internal"}),
    ],
    ids=str,
)
def test_of_a_failure_of_ours_the_submitter_gets_kind_place_and_reference(
    error: Exception, said: dict[str, str]
) -> None:
    known = diagnostics.of_failure(RunId("run_1"), error)
    run = told(outcome=RunOutcome.UNGRADABLE, **known)
    full = told(outcome=RunOutcome.UNGRADABLE, sees_all=True, **known)
    assert SECRET in full.model_dump_json()
    assert SECRET not in run.model_dump_json()
    assert run.diagnostics.items() >= said.items()
    assert run.diagnostics.keys() == {*said, "message", "reference"}
    assert run.diagnostics["reference"] == full.diagnostics["reference"]


def test_a_reference_is_the_same_for_the_same_failure_and_no_other() -> None:
    def reference(run: str, why: str) -> str:
        return diagnostics.of_failure(RunId(run), RuntimeError(why))["reference"]

    assert reference("run_1", "a") == reference("run_1", "a")
    assert len({reference("run_1", "a"), reference("run_2", "a"), reference("run_1", "b")}) == 3


def test_what_was_stored_before_there_were_references_is_found_by_its_run() -> None:
    run = told(outcome=RunOutcome.UNGRADABLE, message=SECRET)
    assert run.diagnostics["reference"] == "run_1"
