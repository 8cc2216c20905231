"""The levels that the built-in rubric suggests from the built-in graders' reports."""

from dataclasses import replace

import pytest

from rubrics.model import Prefill
from rubrics.prefill import CITED_AT_MOST, prefill
from rubrics.signals import Abstention, CaseOutcome, Finding, Measurement, Outcome, Severity, Signal, UntrustedText
from service.rubric_files import builtin_rubrics

DEFAULT = builtin_rubrics()["default"]


def suggested(criterion: str, *signals: Signal) -> Prefill:
    return next(entry for entry in prefill(DEFAULT, signals) if entry.criterion == criterion)


def case(outcome: Outcome, name: str = "1", weight: float = 1.0) -> CaseOutcome:
    return CaseOutcome(
        grader="assay/hidden-tests", criterion="correctness", suite="hidden", case=name, outcome=outcome, weight=weight
    )


def finding(
    severity: str, confidence: str, *, line: int = 1, criterion: str = "security", flag: bool = False
) -> Finding:
    return Finding(
        grader="assay/security", criterion=criterion, rule="B602", message=UntrustedText("shell"), flag=flag,
        severity=Severity(severity), confidence=Severity(confidence), path="solution.py", line=line,
    )  # fmt: skip


def complexity(name: str, value: float) -> Measurement:
    return Measurement(grader="assay/complexity", criterion="best_practices", name=name, value=value, unit="1")


def skipped(criterion: str) -> Abstention:
    return Abstention(grader="any", criterion=criterion, reason="too large", path="big.py")


@pytest.mark.parametrize(
    ("passed", "of", "level"),
    [(0, 1, 0), (1, 1, 4), (4, 5, 2), (9, 10, 3), (99, 100, 3), (1, 10, 1), (9, 100, 0), (49, 100, 1), (1, 2, 2)],
)
def test_correctness_follows_the_share_of_cases_passed(passed: int, of: int, level: int) -> None:
    cases = [case(Outcome.PASSED if number < passed else Outcome.FAILED, str(number)) for number in range(of)]
    assert suggested("correctness", *cases).level == level


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.ERROR, Outcome.NOT_RUN])
def test_whatever_did_not_pass_counts_alike(outcome: Outcome) -> None:
    assert suggested("correctness", case(Outcome.PASSED, "1"), case(outcome, "2")).level == 2


def test_weights_count() -> None:
    assert suggested("correctness", case(Outcome.PASSED, "1", 9), case(Outcome.FAILED, "2", 1)).level == 3
    assert suggested("correctness", case(Outcome.PASSED, "1", 1), case(Outcome.FAILED, "2", 9)).level == 1


@pytest.mark.parametrize("weight", [0.1, 0.3, 1 / 3, 7, 1e-300, 1e300])
def test_nine_of_ten_are_ninety_percent_whatever_one_weighs(weight: float) -> None:
    nine = [case(Outcome.PASSED, str(number), weight) for number in range(9)]
    assert suggested("correctness", *nine, case(Outcome.FAILED, "9", weight)).level == 3


def test_a_failure_of_no_weight_still_keeps_the_best_level_away() -> None:
    assert suggested("correctness", case(Outcome.PASSED, "1"), case(Outcome.FAILED, "2", 0)).level == 3
    assert suggested("correctness", case(Outcome.PASSED, "1", 1e300), case(Outcome.FAILED, "2", 1e-300)).level == 3


def test_failures_are_cited_first_and_heaviest_first() -> None:
    cases = [
        case(Outcome.PASSED, "1"), case(Outcome.ERROR, "2"), case(Outcome.FAILED, "3"), case(Outcome.FAILED, "4", 5),
    ]  # fmt: skip
    assert [cited.case for cited in suggested("correctness", *cases).because if isinstance(cited, CaseOutcome)] == [
        "4", "3", "2",
    ]  # fmt: skip
    many = [case(Outcome.FAILED, str(number)) for number in range(100)]
    assert len(suggested("correctness", *many).because) == CITED_AT_MOST


def test_a_share_of_the_cases_is_no_basis_when_a_suite_could_not_be_looked_at() -> None:
    entry = suggested("correctness", case(Outcome.PASSED), skipped("correctness"))
    assert (entry.level, entry.rule, entry.because) == (None, "abstained", (skipped("correctness"),))
    assert suggested("correctness", case(Outcome.PASSED), skipped("security")).level == 4


@pytest.mark.parametrize(
    ("outcomes", "level", "says"),
    [
        ({"passed": 9, "disputed": 1}, None, "1 case is disputed, and the level depends on it."),
        ({"passed": 9, "not-tried": 3}, None, "3 cases were not tried, and the level depends on them."),
        ({"passed": 1, "failed": 1, "disputed": 2}, None, "2 cases are disputed, and the level depends on them."),
        (
            {"failed": 8, "disputed": 1, "not-tried": 2}, None,
            "1 case is disputed and 2 cases were not tried, and the level depends on them.",
        ),
        ({"passed": 6, "failed": 3, "disputed": 1}, 2, "1 case is disputed: the level is the same either way."),
        ({"failed": 30, "error": 3, "not-tried": 3}, 0, "3 cases were not tried: the level is the same either way."),
    ],
)  # fmt: skip
def test_cases_that_are_open_take_the_level_away_unless_it_is_the_same_either_way(
    outcomes: dict[str, int], level: int | None, says: str
) -> None:
    cases = [case(Outcome(name), f"{name}-{n}") for name, number in outcomes.items() for n in range(number)]
    entry = suggested("correctness", *cases)
    assert (entry.level, entry.says.endswith(says)) == (level, True), entry.says
    if level is None:
        assert entry.rule == "undecided"
        told = [each for each in cases if each.outcome in (Outcome.DISPUTED, Outcome.NOT_TRIED)]
        assert {each.case for each in told} == {each.case for each in entry.because if isinstance(each, CaseOutcome)}


def test_a_group_with_an_open_case_counts_neither_way() -> None:
    grouped = [case(Outcome.PASSED, "1", 8), case(Outcome.DISPUTED, "2", 1), case(Outcome.FAILED, "3", 9)]
    in_group = [replace(each, group="large") for each in grouped[:2]]
    assert suggested("correctness", *in_group, grouped[2]).rule == "undecided", "with its group it is nought or a half"
    broken = [replace(grouped[2], group="large"), *in_group]
    assert suggested("correctness", *broken).level == 0, "whatever the disputed case comes to, its group has failed"


def test_a_clean_scan_suggests_nothing_and_says_why() -> None:
    scanned = Measurement(grader="assay/security", criterion="security", name="files-scanned", value=3, unit="files")
    entry = suggested("security", scanned)
    assert (entry.level, entry.rule) == (None, "no-rule")
    assert "does not make code secure" in entry.says


@pytest.mark.parametrize(
    ("severity", "confidence", "level"),
    [
        ("high", "high", 1), ("high", "medium", 1), ("high", "low", 2), ("medium", "high", 2), ("medium", "medium", 2),
        ("medium", "low", None), ("low", "high", None),
    ],
)  # fmt: skip
def test_findings_only_lower(severity: str, confidence: str, level: int | None) -> None:
    assert suggested("security", finding(severity, confidence)).level == level


def test_the_severest_finding_decides_and_is_cited_first() -> None:
    entry = suggested("security", finding("medium", "high", line=1), finding("high", "high", line=9))
    assert (entry.level, entry.because) == (1, (finding("high", "high", line=9),))
    several = suggested("security", finding("medium", "medium", line=1), finding("medium", "high", line=9))
    assert several.because == (finding("medium", "high", line=9), finding("medium", "medium", line=1))


def test_a_finding_counts_though_another_file_was_skipped_and_says_so() -> None:
    entry = suggested("security", skipped("security"), finding("high", "high"))
    assert (entry.level, entry.because) == (1, (finding("high", "high"),))
    assert "Not everything could be looked at." in entry.says


def test_nothing_found_in_the_rest_is_an_abstention_not_a_clean_scan() -> None:
    assert suggested("security", skipped("security"), finding("low", "high")).rule == "abstained"


def test_an_integrity_flag_lowers_nothing() -> None:
    flag = finding("high", "high", criterion="correctness", flag=True)
    assert suggested("correctness", case(Outcome.PASSED), flag).level == 4
    assert suggested("correctness", flag).rule == "no-evidence"


@pytest.mark.parametrize(("value", "level"), [(1, None), (20, None), (21, 2), (30, 2), (31, 1), (500, 1)])
def test_complexity_lowers_and_never_praises(value: float, level: int | None) -> None:
    assert suggested("best_practices", complexity("cyclomatic-max", value)).level == level


def test_the_other_measurements_decide_nothing() -> None:
    others = [complexity("cyclomatic-weighted", 99), complexity("maintainability", 0), complexity("lines", 9999)]
    assert suggested("best_practices", *others).rule == "no-rule"


def test_efficiency_says_that_it_has_no_basis() -> None:
    entry = suggested("efficiency", case(Outcome.PASSED))
    assert (entry.level, entry.rule) == (None, "no-evidence")
    assert "does not measure cost yet" in entry.says
