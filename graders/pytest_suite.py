"""`pytest` suites in one box with the submission: outcomes are marked `integrity: reduced`.

Which tests there are is learnt from the reference, in a box of its own, once per task version and worker: every id that it
passed is expected of a submission, and an id that is not reported as passed has not passed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from graders.behaviour import beyond
from graders.driver import PYTEST
from graders.examination import Examinee, examine
from graders.interface import (
    CaseOutcome,
    Context,
    End,
    Evidence,
    Execution,
    Limits,
    Outcome,
    Suite,
    TaskUnusable,
    UntrustedText,
)

COLLECT_SECONDS = 30.0
TEST_SECONDS = 10.0
"""pytest-timeout's limit inside the box; the host waits a little longer before it ends the box."""
GRACE_SECONDS = 5.0
RESTARTS = 2
SHOWN_CASES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReport:
    """What was said of one test; `outcome` is pytest's word or `ended` or `not-run`."""

    outcome: str
    text: str = ""
    end: str = ""
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRun:
    reports: Mapping[str, CaseReport]
    """Node id -> report."""
    executions: tuple[Execution, ...]
    problem: str = ""
    """Why nothing could be collected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What the reference's run taught of the suite."""

    tests: tuple[str, ...]
    """Node ids, in order; it passed them all."""
    evidence: tuple[Evidence, ...]
    """What the tests themselves do in the box, which they share with the submission."""


def run_suite(
    context: Context, files: Mapping[str, str], suite: Suite, expected: Sequence[str] | None, *, limits: Limits
) -> SuiteRun:
    """Run the suite against the program in `files`; `expected` are the tests to run, None for all there are."""
    reports: dict[str, CaseReport] = {}
    executions: list[Execution] = []
    problem = ""
    boxed = {f"submission/{path}": text for path, text in files.items()}
    boxed |= {f"tests/{path}": text for path, text in suite.files.items()}
    for _ in range(1 + RESTARTS):
        left = None if expected is None else [test for test in expected if test not in reports]
        with examine(context.session, PYTEST, ("tests", "submission"), boxed, limits) as examinee:
            first = examinee.ask({"tests": left, "seconds": TEST_SECONDS}, seconds=COLLECT_SECONDS)
            collected = _names(first)
            died_in = _follow(examinee, collected, reports) if collected else ""
            if not collected:
                problem = str((first or {}).get("text", "")) or examinee.broke or "the program ended before a test ran"
            execution = examinee.finish()
        executions.append(execution)
        if not died_in:
            break
        reports[died_in] = CaseReport(outcome="ended", text=examinee.broke, end=execution.end.value)
        if execution.end is not End.EXITED:
            break
    return SuiteRun(reports=reports, executions=tuple(executions), problem=problem)


def _names(answer: Mapping[str, object] | None) -> list[str]:
    collected = (answer or {}).get("collected")
    return [str(name) for name in collected] if isinstance(collected, list) else []


def _follow(examinee: Examinee, collected: Sequence[str], reports: dict[str, CaseReport]) -> str:
    """Take one report after the other; returns the test during which the program ended, `` when all was said."""
    for test in collected:
        answer = examinee.ask({}, seconds=TEST_SECONDS + GRACE_SECONDS)
        if answer is None or answer.get("test") != test:
            return test
        text = str(answer.get("text", ""))
        reports[test] = CaseReport(outcome=str(answer.get("outcome")), text=text, seconds=examinee.seconds)
    return ""


def run_reference(context: Context, suite: Suite) -> Sequence[Execution]:
    """One run of the reference, to measure it."""
    return run_suite(context, context.task.reference, suite, None, limits=context.task.limits).executions


def outcomes(context: Context, suite: Suite, limits: Limits, grader: str, criterion: str) -> Iterator[CaseOutcome]:
    """One outcome for each expected test, in the order of the suite. `limits` are the submission's.

    Raises TaskUnusable.
    """
    reference = context.remember(f"pytest/{suite.id}/reference", lambda: _learn(context, suite))
    assert isinstance(reference, Reference)
    run = run_suite(context, context.submission.files, suite, reference.tests, limits=limits)
    for execution in run.executions:
        context.ended(beyond(execution, reference.evidence))
    shown = 0
    for test in reference.tests:
        report = run.reports.get(test, CaseReport(outcome="not-run", text=run.problem))
        passed = report.outcome == "passed"
        tell = not passed and shown < SHOWN_CASES
        shown += tell
        yield CaseOutcome(
            grader=grader,
            criterion=criterion,
            suite=suite.id,
            case=test,
            outcome=_OUTCOMES.get(report.outcome, Outcome.FAILED),
            weight=suite.weight,
            end=report.end,
            seconds=report.seconds,
            given=UntrustedText(test if tell else ""),
            wanted=UntrustedText("the test passes" if tell else ""),
            got=UntrustedText((report.text or report.outcome) if tell else ""),
            integrity="reduced",
        )


_OUTCOMES = {
    "passed": Outcome.PASSED,
    "failed": Outcome.FAILED,
    "ended": Outcome.ERROR,
    "skipped": Outcome.NOT_RUN,
    "not-run": Outcome.NOT_RUN,
}


def _learn(context: Context, suite: Suite) -> Reference:
    run = run_suite(context, context.task.reference, suite, None, limits=context.task.limits)
    if not run.reports:
        raise TaskUnusable(f"suite {suite.id}: no test could be collected with the reference: {run.problem[-1000:]}")
    for test, report in run.reports.items():
        if report.outcome != "passed":
            raise TaskUnusable(
                f"suite {suite.id}: the reference does not pass {test}: {report.text[-1000:] or report.outcome}"
            )
    evidence = tuple(seen for execution in run.executions for seen in execution.evidence)
    return Reference(tests=tuple(run.reports), evidence=evidence)
