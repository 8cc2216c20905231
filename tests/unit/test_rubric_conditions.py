"""The meaning of each condition of a rule, and the effect of an abstention on it."""

from dataclasses import replace
from math import inf, nan

import pytest

from rubrics.model import Criterion, Level, Prefill, Rubric, Rule
from rubrics.prefill import prefill
from rubrics.signals import (
    Abstention,
    CaseOutcome,
    Finding,
    Measurement,
    Outcome,
    Severity,
    Signal,
    UntrustedText,
    from_json,
    to_json,
)

LEVELS = tuple(Level(value=value, title=str(value), anchor=str(value)) for value in range(5))
SKIPPED = Abstention(grader="g", criterion="c", reason="too large", path="big.py")
FOUND = Finding(
    grader="g", criterion="c", rule="r", message=UntrustedText(""), severity=Severity.HIGH, confidence=Severity.LOW
)
PASSED = CaseOutcome(grader="g", criterion="c", suite="s", case="1", outcome=Outcome.PASSED)
FAILED = CaseOutcome(grader="g", criterion="c", suite="s", case="2", outcome=Outcome.FAILED)

CONDITIONS = {
    "passed_at_least": Rule(id="r", level=0, says="-", passed_at_least=0.5),
    "passed_below": Rule(id="r", level=0, says="-", passed_below=0.6),
    "finding_at_least": Rule(id="r", level=0, says="-", finding_at_least=Severity.MEDIUM),
    "at_least": Rule(id="r", level=0, says="-", measurement="lines", at_least=10),
    "below": Rule(id="r", level=0, says="-", measurement="lines", below=11),
}


def lines(value: float, *, grader: str = "g") -> Measurement:
    return Measurement(grader=grader, criterion="c", name="lines", value=value, unit="lines")


def suggested(rules: tuple[Rule, ...], *signals: Signal) -> Prefill:
    criterion = Criterion(id="c", title="C", question="?", weight=1, levels=LEVELS, rules=rules, no_basis="-")
    (entry,) = prefill(Rubric(id="r", version="1", title="R", criteria=(criterion,)), signals)
    return entry


@pytest.mark.parametrize("rule", CONDITIONS.values(), ids=CONDITIONS)
def test_each_condition_holds_on_its_evidence_and_not_without(rule: Rule) -> None:
    evidence: tuple[Signal, ...] = (PASSED, FAILED, FOUND, lines(10))
    assert suggested((rule,), *evidence).level == 0
    others = [signal for signal in evidence if signal not in suggested((rule,), *evidence).because]
    if rule.passed_at_least is None and rule.passed_below is None:
        assert suggested((rule,), *others).level is None


@pytest.mark.parametrize("name", ["finding_at_least", "at_least", "below"])
def test_a_rule_that_names_a_grader_looks_at_what_that_one_reported(name: str) -> None:
    rule = replace(CONDITIONS[name], grader="acme/mine")
    others = (FOUND, lines(10))
    mine = (replace(FOUND, grader="acme/mine"), lines(10, grader="acme/mine"))
    assert suggested((rule,), *others).level is None
    found = suggested((rule,), *others, *mine)
    assert found.level == 0 and {cited.grader for cited in found.because} == {"acme/mine"}


@pytest.mark.parametrize("rule", CONDITIONS.values(), ids=CONDITIONS)
def test_only_what_more_looking_could_not_undo_stands_beside_an_abstention(rule: Rule) -> None:
    stands = rule.finding_at_least is not None or rule.at_least is not None
    entry = suggested((rule,), PASSED, FAILED, FOUND, lines(10), SKIPPED)
    assert entry.rule == ("r" if stands else "abstained")


@pytest.mark.parametrize(("level", "stands"), [(0, True), (1, True), (2, True), (3, False), (4, False)])
def test_nothing_above_the_middle_stands_beside_an_abstention(level: int, stands: bool) -> None:
    rule = Rule(id="r", level=level, says="-", finding_at_least=Severity.LOW)
    assert suggested((rule,), FOUND).level == level
    assert suggested((rule,), FOUND, SKIPPED).level == (level if stands else None)


def test_an_abstention_never_lets_a_later_rule_speak_instead() -> None:
    rules = (CONDITIONS["below"], Rule(id="later", level=2, says="-", finding_at_least=Severity.LOW))
    assert suggested(rules, lines(1), FOUND).level == 0
    assert suggested(rules, lines(1), FOUND, SKIPPED).rule == "abstained"


def test_all_conditions_of_a_rule_have_to_hold_and_all_are_cited() -> None:
    rule = Rule(
        id="r", level=0, says="-", passed_below=1, finding_at_least=Severity.HIGH, measurement="lines", at_least=3
    )  # fmt: skip
    assert suggested((rule,), PASSED, FAILED, FOUND, lines(3)).because == (FOUND, FAILED, lines(3))
    for missing in ((PASSED, FOUND, lines(3)), (PASSED, FAILED, lines(3)), (PASSED, FAILED, FOUND, lines(2))):
        assert suggested((rule,), *missing).rule == "no-rule"


def test_a_rule_without_a_condition_never_holds() -> None:
    assert suggested((Rule(id="r", level=0, says="-"),), PASSED, FOUND, lines(1)).rule == "no-rule"


def test_the_largest_value_counts_and_nan_is_no_value() -> None:
    below, at_least = CONDITIONS["below"], CONDITIONS["at_least"]
    assert suggested((below,), lines(1), lines(99)).level is None
    for grader in ("a", "z"):
        nothing = lines(nan, grader=grader)
        assert suggested((at_least,), nothing, lines(10), lines(99)).because == (lines(99), lines(10))
    assert suggested((below,), lines(nan), lines(1)).because == (lines(1),)
    assert suggested((at_least, below), lines(nan)).level is None
    assert suggested((at_least,), lines(inf)).level == 0


@pytest.mark.parametrize("weight", [nan, inf, -1.0])
def test_weights_that_give_no_share_are_no_basis(weight: float) -> None:
    odd = CaseOutcome(grader="g", criterion="c", suite="s", case="3", outcome=Outcome.PASSED, weight=weight)
    rules = (CONDITIONS["passed_at_least"], CONDITIONS["passed_below"])
    assert suggested(rules, PASSED, FAILED, odd).rule == "no-rule"


def test_cases_that_all_weigh_nothing_are_no_basis() -> None:
    weightless = CaseOutcome(grader="g", criterion="c", suite="s", case="3", outcome=Outcome.PASSED, weight=0)
    assert suggested((CONDITIONS["passed_at_least"],), weightless).rule == "no-rule"


def share(*cases: CaseOutcome) -> float:
    """The share of the cases that counts as passed, to a hundredth, by asking which rules hold."""
    rules = tuple(Rule(id=str(n), level=0, says="-", passed_at_least=n / 100) for n in range(100, -1, -1))
    return int(suggested(rules, *cases).rule) / 100


def test_a_group_counts_only_where_all_of_it_passed() -> None:
    one, other = replace(PASSED, group="a", weight=2), replace(FAILED, group="a", credit=0.5)
    assert share(PASSED, one) == 1
    assert share(PASSED, one, other) == 0.25
    assert share(PASSED, one, replace(other, group="b")) == 0.75
    assert share(PASSED, one, replace(other, suite="another")) == 0.75
    assert share(PASSED, one, replace(other, group="")) == 0.87


@pytest.mark.parametrize(
    ("credit", "counts"), [(None, 0.5), (0.0, 0.5), (0.5, 0.75), (1.0, 0.99), (9.0, 0.99), (-1.0, 0.5), (nan, 0.5)]
)
def test_partial_credit_counts_and_is_never_full_marks(credit: float | None, counts: float) -> None:
    assert share(PASSED, replace(FAILED, credit=credit)) == counts
    assert share(PASSED, replace(FAILED, credit=credit, outcome=Outcome.ERROR)) == 0.5
    assert share(replace(PASSED, credit=credit)) == 1


def test_a_case_stored_before_there_were_groups_is_read() -> None:
    row = to_json(PASSED)
    for added in ("group", "credit", "cpu_seconds", "peak_memory_mib", "note"):
        del row[added]
    assert from_json(row) == PASSED


def cases(**numbers: int) -> list[CaseOutcome]:
    """Return this number of cases of each outcome, `not_tried=3`."""
    return [
        replace(PASSED, case=f"{name}-{number}", outcome=Outcome[name.upper()])
        for name, count in numbers.items()
        for number in range(count)
    ]


ENDS_ALIKE = (
    Rule(id="middle", level=3, says="-", passed_at_least=0.5, passed_below=0.8),
    Rule(id="ends", level=1, says="-", passed_at_least=0.0),
)


def test_a_level_that_only_the_two_ends_have_in_common_is_none() -> None:
    entry = suggested(ENDS_ALIKE, *cases(passed=4, disputed=4, failed=1))
    assert (entry.level, entry.rule) == (None, "undecided")
    assert suggested(ENDS_ALIKE, *cases(passed=1, disputed=2, failed=7)).level == 1


def test_open_cases_keep_no_other_rule_from_holding() -> None:
    rules = (CONDITIONS["finding_at_least"], replace(CONDITIONS["passed_at_least"], id="p", level=2))
    entry = suggested(rules, *cases(disputed=1), FOUND)
    assert (entry.level, entry.rule, entry.says) == (0, "r", "-"), "whatever the case comes to, that rule is the first"
    assert suggested(rules, *cases(disputed=1)).rule == "undecided"
