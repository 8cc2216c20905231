"""Which signs make a failure of a dispute, and of what besides."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from graders.boxed.analysis.integrity.rules import RULES
from graders.builtin.integrity import PLANTED, SHADOWS
from graders.builtin.tampering import TAMPERING, without_tampered_disputes
from graders.interface import CaseOutcome, Finding, Outcome, Severity, Signal, UntrustedText

CASES = tuple(
    CaseOutcome(
        grader="g", criterion="correctness", suite="s", case=outcome, outcome=outcome, note=UntrustedText("why")
    )
    for outcome in Outcome
)
FLAG = Finding(
    grader="assay/integrity", criterion="correctness", rule="assay/lying-equality", message=UntrustedText("it lies"),
    severity=Severity.HIGH, confidence=Severity.HIGH, path="solution.py", line=3, flag=True,
)  # fmt: skip


def test_only_what_is_disputed_fails_and_it_says_why() -> None:
    signals: list[Signal] = [*CASES, FLAG, FLAG]
    settled = without_tampered_disputes(signals)
    [place] = [number for number, case in enumerate(CASES) if case.outcome is Outcome.DISPUTED]
    failed = settled[place]
    assert isinstance(failed, CaseOutcome)
    assert (failed.outcome, failed.case) == (Outcome.FAILED, "disputed")
    assert failed.note == (
        "failed, not disputed: there are signs of tampering with the examination (assay/lying-equality in solution.py); why"
    )
    assert [*settled[:place], *settled[place + 1 :]] == [*signals[:place], *signals[place + 1 :]]


@pytest.mark.parametrize(
    "change",
    [
        {"severity": Severity.MEDIUM},
        {"flag": False},
        {"rule": "assay/special-cases"},
        {"rule": "assay/look-alike-names"},
        {"rule": "assay/box-network"},
        {"rule": "assay/early-exit"},
        {"rule": "B602"},
    ],
)
def test_other_findings_leave_a_dispute_to_a_human(change: dict[str, object]) -> None:
    signals = [*CASES, replace(FLAG, **change)]  # type: ignore[arg-type]
    assert without_tampered_disputes(signals) == signals


def test_every_rule_of_the_list_is_one_that_exists() -> None:
    assert {rule.id for rule in RULES.values()} | {PLANTED, SHADOWS, "assay/channel", "assay/box-read"} >= TAMPERING
    assert {rule.severity for rule in RULES.values() if rule.id in TAMPERING} == {"high"}


def test_the_list_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs/reference/graders.md").read_text()
    told = page.partition("shows tampering")[2].partition("No other case")[0]
    assert {f"assay/{name.removeprefix('assay/')}" for name in re.findall("`([a-z/-]+)`", told)} == TAMPERING
