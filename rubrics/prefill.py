"""A suggested level for each criterion, from signals, or the reason why there is none. Pure.

A rule holds if each of its conditions holds. Conditions look at the signals of the rule's own criterion only. They ignore
integrity flags (`Finding.flag`), which the reviewer reads, and findings about the task.

    passed_at_least, passed_below   the weighted share of hidden cases that passed; needs a case. FAILED, ERROR and NOT_RUN
                                    count as not passed, except for the partial credit of a FAILED one. A case of a group
                                    counts only if all of its group passed. The share is 1 only if every case passed.
    finding_at_least                some finding is this severe (and the tool this sure: confidence_at_least)
    at_least, below                 the largest value of the named measurement; needs one. NaN is ignored.
    grader                          restricts the two above to the reports of this grader

The first rule that holds suggests its level. **An open case, DISPUTED or NOT_TRIED, can only remove a suggestion**: the share
lies between its value if all such cases failed and its value if all passed, and a level is suggested only if every share in
that range leads to the same one. **An abstention can only remove a suggestion** too, never change it. With one in the
criterion, a rule counts only if the missing part could not undo it (some finding exists, some value is this large) and its level
is not above the middle of the scale. So a dangerous line in one file is still suggested if another file was skipped, but
neither a share of the cases nor anything good is.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import fsum, inf, nextafter

from rubrics.model import Criterion, Prefill, Rubric, Rule
from rubrics.signals import OPEN, Abstention, CaseOutcome, Finding, Measurement, Outcome, Severity, Signal

CITED_AT_MOST = 20
"""Signals that a pre-fill cites; a reviewer reads the first few, and the run keeps them all."""

NO_EVIDENCE, ABSTAINED, NO_RULE, UNDECIDED = "no-evidence", "abstained", "no-rule", "undecided"
"""Values of `Prefill.rule` if no level is suggested: nothing was reported, a grader abstained, no rule held, or the level
depends on open cases.
"""


def prefill(rubric: Rubric, signals: Iterable[Signal]) -> tuple[Prefill, ...]:
    """Return one pre-fill for each criterion, in rubric order, whatever the order of the signals.

    `because` cites signals of the rule that held (for `abstained` the abstentions, for `no-rule` the findings, for
    `undecided` the open cases), the most important first: cases that did not pass, the severest findings, the largest
    values. `confidence` is None; it is measured later, on decisions. Signals of unknown criteria are ignored. Never raises.
    """
    reported = tuple(signals)
    return tuple(_prefill_one(criterion, _Evidence.of(criterion.id, reported)) for criterion in rubric.criteria)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Evidence:
    """The signals of one criterion by kind, each most telling first."""

    cases: tuple[CaseOutcome, ...]
    findings: tuple[Finding, ...]
    measurements: tuple[Measurement, ...]
    abstentions: tuple[Abstention, ...]

    @staticmethod
    def of(criterion: str, signals: Iterable[Signal]) -> "_Evidence":
        # repr settles what the telling part leaves open, so that the order of arrival never shows.
        own = sorted((signal for signal in signals if signal.criterion == criterion), key=repr)
        return _Evidence(
            cases=tuple(sorted((s for s in own if isinstance(s, CaseOutcome)), key=_case_order)),
            findings=tuple(
                sorted(
                    (s for s in own if isinstance(s, Finding) and not s.flag and not s.is_about_the_task),
                    key=_finding_order,
                )
            ),
            # A comparison with NaN is false, which is how NaN stays out.
            measurements=tuple(
                sorted((s for s in own if isinstance(s, Measurement) and s.value >= -inf), key=lambda s: -s.value)
            ),
            abstentions=tuple(s for s in own if isinstance(s, Abstention)),
        )

    @property
    def is_empty(self) -> bool:
        return not (self.cases or self.findings or self.measurements or self.abstentions)


def _prefill_one(criterion: Criterion, evidence: _Evidence) -> Prefill:
    if evidence.is_empty:
        return _without_level(criterion, NO_EVIDENCE, criterion.no_basis)
    possible = [_suggested(criterion, evidence, share) for share in _shares_to_try(criterion, evidence.cases)]
    still_open = tuple(case for case in evidence.cases if case.outcome in OPEN)
    if len({prefill.level for prefill in possible}) > 1:
        says = f"{_told_open(still_open)}, and the level depends on {'it' if len(still_open) == 1 else 'them'}."
        return _without_level(criterion, UNDECIDED, says, still_open[:CITED_AT_MOST])
    careful = possible[0]
    counts_cases = careful.level is not None and any(isinstance(signal, CaseOutcome) for signal in careful.because)
    if not (still_open and counts_cases):
        return careful
    return replace(careful, says=f"{careful.says} {_told_open(still_open)}: the level is the same either way.")


def _suggested(criterion: Criterion, evidence: _Evidence, share: float | None) -> Prefill:
    """Return the pre-fill if this share of the cases passed."""
    incomplete = bool(evidence.abstentions)
    for rule in criterion.rules:
        cited = _cited(rule, evidence, share)
        if cited:
            if incomplete and not _stands_when_incomplete(rule, criterion):
                break
            says = f"{rule.says} Not everything could be looked at." if incomplete else rule.says
            return Prefill(
                criterion=criterion.id,
                level=rule.level,
                confidence=None,
                because=cited[:CITED_AT_MOST],
                rule=rule.id,
                says=says,
            )
    if incomplete:
        says = "A grader could not look, so the other reports are not enough for a level."
        return _without_level(criterion, ABSTAINED, says, evidence.abstentions[:CITED_AT_MOST])
    return _without_level(criterion, NO_RULE, _unruled(criterion, evidence.findings), evidence.findings[:CITED_AT_MOST])


def _shares_to_try(criterion: Criterion, cases: Sequence[CaseOutcome]) -> tuple[float | None, ...]:
    """Return the least share that may have passed, and one share from each range in which the same rules hold."""
    if not any(case.outcome in OPEN for case in cases):
        return (_share(cases),)
    least, most = (_share(_settled(cases, outcome)) for outcome in (Outcome.FAILED, Outcome.PASSED))
    if least is None or most is None:
        return (None,)
    bounds = {bound for rule in criterion.rules for bound in (rule.passed_at_least, rule.passed_below)}
    return (least, most, *(bound for bound in bounds if bound is not None and least < bound < most))


def _settled(cases: Sequence[CaseOutcome], outcome: Outcome) -> Sequence[CaseOutcome]:
    """Return the cases with that outcome for those that are open."""
    return [replace(case, outcome=outcome, credit=None) if case.outcome in OPEN else case for case in cases]


def _told_open(cases: Sequence[CaseOutcome]) -> str:
    return " and ".join(_counted(cases))


def _counted(cases: Sequence[CaseOutcome]) -> Iterator[str]:
    for outcome, one, more in (
        (Outcome.DISPUTED, "1 case is disputed", "cases are disputed"),
        (Outcome.NOT_TRIED, "1 case was not tried", "cases were not tried"),
    ):
        number = sum(case.outcome is outcome for case in cases)
        if number:
            yield one if number == 1 else f"{number} {more}"


def _unruled(criterion: Criterion, findings: Sequence[Finding]) -> str:
    """Return why there is no level although no grader abstained. It mentions the findings, although no rule counts them."""
    if not findings:
        return criterion.no_basis
    number = "1 finding" if len(findings) == 1 else f"{len(findings)} findings"
    return f"No rule of this criterion counts what was found ({number}). {criterion.no_basis}"


def _without_level(criterion: Criterion, rule: str, says: str, because: tuple[Signal, ...] = ()) -> Prefill:
    return Prefill(criterion=criterion.id, level=None, confidence=None, because=because, rule=rule, says=says)


def _stands_when_incomplete(rule: Rule, criterion: Criterion) -> bool:
    can_be_undone = rule.passed_at_least is not None or rule.passed_below is not None or rule.below is not None
    above_the_middle = 2 * rule.level > max(level.value for level in criterion.levels)
    return not can_be_undone and not above_the_middle


def _cited(rule: Rule, evidence: _Evidence, share: float | None) -> tuple[Signal, ...]:
    """Return the signals by which the rule holds at this share of passed cases; empty if it does not hold or is empty."""
    conditions: list[tuple[Signal, ...]] = []
    if rule.finding_at_least is not None:
        conditions.append(_findings_that_hold(rule, rule.finding_at_least, evidence.findings))
    if rule.passed_at_least is not None or rule.passed_below is not None:
        conditions.append(_cases_that_hold(rule, evidence.cases, share))
    if rule.measurement is not None:
        conditions.append(_measurements_that_hold(rule, evidence.measurements))
    return tuple(signal for cited in conditions for signal in cited) if all(conditions) else ()


def _findings_that_hold(rule: Rule, severity: Severity, findings: tuple[Finding, ...]) -> tuple[Signal, ...]:
    confidence = rule.confidence_at_least or Severity.LOW
    return tuple(
        finding
        for finding in findings
        if finding.severity.rank >= severity.rank
        and finding.confidence.rank >= confidence.rank
        and rule.grader in (None, finding.grader)
    )


def _cases_that_hold(rule: Rule, cases: tuple[CaseOutcome, ...], share: float | None) -> tuple[Signal, ...]:
    if share is None or not _within(share, rule.passed_at_least, rule.passed_below):
        return ()
    return tuple(case for case in cases if case.outcome is not Outcome.PASSED) or cases


def _measurements_that_hold(rule: Rule, measurements: tuple[Measurement, ...]) -> tuple[Signal, ...]:
    named = [
        measurement
        for measurement in measurements
        if measurement.name == rule.measurement and rule.grader in (None, measurement.grader)
    ]
    if not named or not _within(named[0].value, rule.at_least, rule.below):
        return ()
    return tuple(measurement for measurement in named if _within(measurement.value, rule.at_least, rule.below))


def _within(value: float, at_least: float | None, below: float | None) -> bool:
    return (at_least is None or value >= at_least) and (below is None or value < below)


def share_passed(cases: Sequence[CaseOutcome]) -> float | None:
    """Return the share of passed cases among those tried, by weight, group and credit; disputed cases do not pass.

    From 0 to 1, and 1 only if every case passed. None if no case was tried, or if the weights do not make a share.
    """
    share = _share([case for case in cases if case.outcome is not Outcome.NOT_TRIED])
    all_passed = all(case.outcome is Outcome.PASSED for case in cases)
    return share if share is None or all_passed else min(share, _LESS_THAN_ALL)


_LESS_THAN_ALL = nextafter(1.0, -inf)


def _share(cases: Sequence[CaseOutcome]) -> float | None:
    heaviest = max((case.weight for case in cases), default=0.0)
    if not all(0 <= case.weight <= sys.float_info.max for case in cases) or heaviest == 0:
        return None
    broken = {_group(case) for case in cases if case.group and case.outcome is not Outcome.PASSED}
    # Relative to the heaviest, because the sum of two large weights may be no number.
    passed = fsum(case.weight / heaviest * _credit(case) for case in cases if _group(case) not in broken)
    # Rounded, so that nine of ten are 0.9 even if the weights are not exact in binary.
    share = round(passed / fsum(case.weight / heaviest for case in cases), 9)
    all_passed = all(case.outcome is Outcome.PASSED for case in cases)
    return share if all_passed else min(share, _LESS_THAN_ALL)


def _group(case: CaseOutcome) -> tuple[str, str, str]:
    return case.grader, case.suite, case.group


def _credit(case: CaseOutcome) -> float:
    """Return the share of its weight that a case earned by itself, 0 to 1. NaN earns nothing."""
    if case.outcome is Outcome.PASSED:
        return 1.0
    partial = case.outcome is Outcome.FAILED and case.credit is not None and case.credit > 0
    return min(1.0, case.credit or 0.0) if partial else 0.0


_OUTCOMES_BY_TELLING = (
    Outcome.FAILED,
    Outcome.ERROR,
    Outcome.NOT_RUN,
    Outcome.DISPUTED,
    Outcome.NOT_TRIED,
    Outcome.PASSED,
)


def _case_order(case: CaseOutcome) -> tuple[int, float]:
    return _OUTCOMES_BY_TELLING.index(case.outcome), -case.weight


def _finding_order(finding: Finding) -> tuple[int, int, str, int]:
    return -finding.severity.rank, -finding.confidence.rank, finding.path, finding.line
