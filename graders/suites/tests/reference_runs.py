"""The runs of the reference against a suite of tests, in the same examinations as a submission. They yield the
expected tests, or an error for the author if the reference does not pass.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from graders.interface import Observation, TaskUnusable
from graders.suites.scoring import numbers
from graders.suites.tests.agreement import OWN_EQUALITY, SHARED, CaseReport, SuiteRun, first_failure
from graders.suites.tests.suite import SuiteOfTests

TEXT_CHARACTERS = 1500
"""The length of pytest's text, which follows the sentence."""
Once = Callable[[SuiteOfTests, bool], SuiteRun]
"""One run of the reference, up to the first test that it fails; True for one together with its tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """Facts about the suite from the reference's runs."""

    tests: tuple[str, ...]
    """Node ids, in order. The reference passed each of them in each examination."""
    facts: tuple[str, ...]
    """The objects that the tests met, apart; see graders/boxed/examiner/learnt.py."""
    compiled: Mapping[str, bytes]
    """Byte code of the tests, path in their folder -> content."""
    evidence: tuple[Observation, ...]
    """Observations in its own box, apart from the tests."""
    beside: tuple[Observation, ...] = ()
    """Observations in the box that it shared with the tests: they include what the tests do."""


def learnt(suite: SuiteOfTests, runs: Sequence[SuiteRun]) -> Reference:
    """Return the facts from the runs of `examined_reference`. A test that the reference skips is not expected.

    Raise TaskUnusable if no test is left.
    """
    together, apart = runs[0], runs[-1]
    tests = tuple(test for test, report in apart.reports.items() if report.passed and together.report(test).passed)
    if not tests:
        raise TaskUnusable(f"suite {suite.id}: the reference skips all of its tests", suite=suite.id)
    return Reference(
        tests=tests, facts=apart.facts, compiled=together.compiled, evidence=_seen(apart), beside=_seen(together)
    )


def examined_reference(suite: SuiteOfTests, once: Once) -> Sequence[SuiteRun]:
    """Run the reference together with its tests and, unless the suite is shared, apart from them.

    Raise TaskUnusable if it fails a test in either run. The first sentence states what the author can do.
    """
    runs = [once(suite, True)]
    too_slow = any(report.outcome == "cut-off" for report in runs[0].reports.values())
    if not (suite.is_shared or too_slow):
        runs.append(once(suite, False))
    together, apart = runs[0].reports, runs[-1].reports
    failure = first_failure(together, apart)
    if failure is not None:
        test, *reports = failure
        problem = _not_passed(suite, test, *reports, once=once)
        raise TaskUnusable(problem, suite=suite.id, case=numbers({**together, **apart})[test])
    for run, how in zip(runs, ("together with it", "apart from it"), strict=False):
        if not run.reports:
            problem = f"suite {suite.id}: no test could be collected with the reference, {how}: {run.problem}"
            raise TaskUnusable(problem, suite=suite.id)
    differ = sorted(together.keys() ^ apart.keys())
    if differ:
        some = ", ".join(differ[:3])
        problem = f"suite {suite.id}: its tests have other ids each time they are collected with the reference: {some}"
        raise TaskUnusable(problem, suite=suite.id)
    return runs


def _not_passed(
    suite: SuiteOfTests, test: str, together: CaseReport | None, apart: CaseReport | None, *, once: Once
) -> str:
    """Return the error for a test that the reference fails in one examination, or in both."""
    failed = apart if together is None or together.passed else together
    assert failed is not None
    says = f"the reference does not pass {test}"
    if failed is not together and together is not None:
        helps = "more `seconds`" if failed.outcome == "cut-off" else _helps(suite, once)
        says = f"{says} apart from its tests, but does together with them; {helps} in the suite's table is for that"
    elif apart is not None and apart.passed:
        says = f"{says} together with its tests, as plain pytest runs them, but does apart from them"
    text = f"\n{failed.text[-TEXT_CHARACTERS:]}" if failed.text else ""
    return f"suite {suite.id}: {says}: {failed.reason}{text}"


def _helps(suite: SuiteOfTests, once: Once) -> str:
    """Return the option with which the reference would pass."""
    if suite.own_equality:
        return SHARED
    own = replace(suite, own_equality=True)
    return OWN_EQUALITY if first_failure({}, once(own, False).reports) is None else SHARED


def _seen(run: SuiteRun) -> tuple[Observation, ...]:
    return tuple(seen for execution in run.executions for seen in execution.evidence)
