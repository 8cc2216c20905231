"""Properties of every pre-fill, for any rubric and any reports of the graders."""

from dataclasses import replace
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from rubrics.model import Criterion, Level, Prefill, Rubric, Rule
from rubrics.prefill import CITED_AT_MOST, prefill, share_passed
from rubrics.signals import (
    OPEN,
    Abstention,
    CaseOutcome,
    Finding,
    Measurement,
    Outcome,
    Severity,
    Signal,
    UntrustedText,
)
from service.rubric_files import builtin_rubrics

DEFAULT = builtin_rubrics()["default"]

any_number = st.floats() | st.sampled_from([0.0, 1.0, 20.0, 21.0, 31.0, 5e-324, 1.7e308])
any_criterion = st.sampled_from(["correctness", "efficiency", "security", "best_practices", "unknown"])
cases = st.builds(
    CaseOutcome, grader=st.just("g"), criterion=any_criterion, suite=st.just("s"), case=st.text(max_size=3),
    outcome=st.sampled_from(Outcome), weight=any_number, seconds=st.none(), group=st.sampled_from(["", "", "one", "two"]),
    credit=st.none() | st.sampled_from([0.0, 0.5, 1.0, 7.0, -1.0, float("nan"), float("inf")]),
)  # fmt: skip
measurements = st.builds(
    Measurement, grader=st.just("g"), criterion=any_criterion, name=st.sampled_from(["cyclomatic-max", "lines"]),
    value=any_number, unit=st.just("1"), spread=st.none(),
)  # fmt: skip
findings = st.builds(
    Finding, grader=st.just("g"), criterion=any_criterion, rule=st.sampled_from(["B602", "B307"]),
    severity=st.sampled_from(Severity), confidence=st.sampled_from(Severity), flag=st.booleans(),
    line=st.integers(0, 3), cwe=st.none(),
)  # fmt: skip
abstentions = st.builds(Abstention, grader=st.just("g"), criterion=any_criterion)
reports = st.lists(st.one_of(cases, measurements, findings, abstentions), max_size=40)

LEVELS = tuple(Level(value=value, title=str(value), anchor=str(value)) for value in range(5))
share = st.none() | st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])
bound = st.none() | st.sampled_from([0.0, 20.0, 21.0, 31.0])
severity = st.none() | st.sampled_from(Severity)
rules = st.builds(
    Rule, id=st.just("r"), level=st.integers(0, 4), says=st.just("because"), passed_at_least=share, passed_below=share,
    finding_at_least=severity, confidence_at_least=severity, at_least=bound, below=bound,
    measurement=st.none() | st.sampled_from(["cyclomatic-max", "lines"]),
)  # fmt: skip


@st.composite
def rubrics(draw: st.DrawFn) -> Rubric:
    """Rubrics that the loader would and would not let in: prefill has to hold its promises for both."""
    criteria = tuple(
        Criterion(
            id=id, title=id, question="?", weight=1, levels=LEVELS, no_basis="none",
            rules=tuple(draw(st.lists(rules, max_size=4))),
        )
        for id in ("correctness", "security", "best_practices")
    )  # fmt: skip
    return Rubric(id="drawn", version="0", title="Drawn", criteria=criteria)


any_rubric = st.just(DEFAULT) | rubrics()


def levels(prefills: tuple[Prefill, ...]) -> dict[str, int | None]:
    return {entry.criterion: entry.level for entry in prefills}


@given(any_rubric, reports)
def test_one_prefill_for_each_criterion_whatever_was_reported(rubric: Rubric, signals: list[Signal]) -> None:
    prefills = prefill(rubric, signals)
    assert [entry.criterion for entry in prefills] == [criterion.id for criterion in rubric.criteria]
    assert all(entry.confidence is None and entry.says for entry in prefills)


@given(any_rubric, reports, st.randoms(use_true_random=False))
def test_the_order_of_the_signals_changes_nothing(rubric: Rubric, signals: list[Signal], random: Random) -> None:
    shuffled = random.sample(signals, len(signals))
    # repr, because a NaN weight among the cited cases is not equal to itself.
    assert repr(prefill(rubric, shuffled)) == repr(prefill(rubric, signals))


@given(any_rubric, reports)
def test_only_reported_signals_of_the_criterion_are_cited(rubric: Rubric, signals: list[Signal]) -> None:
    for entry in prefill(rubric, signals):
        assert len(entry.because) <= CITED_AT_MOST
        for cited in entry.because:
            assert any(cited is signal for signal in signals)
            assert cited.criterion == entry.criterion


@given(any_rubric, reports)
def test_a_level_always_has_evidence_and_no_level_only_tells_what_was_found(
    rubric: Rubric, signals: list[Signal]
) -> None:
    for entry in prefill(rubric, signals):
        if entry.level is not None:
            assert entry.because
            assert not any(isinstance(cited, Abstention) for cited in entry.because)
        elif entry.rule == "abstained":
            assert entry.because
            assert all(isinstance(cited, Abstention) for cited in entry.because)
        elif entry.rule == "no-rule":
            found = [
                each
                for each in signals
                if isinstance(each, Finding) and not each.flag and each.criterion == entry.criterion
            ]
            assert len(entry.because) == min(len(found), CITED_AT_MOST)
            assert all(cited in found for cited in entry.because)
            assert entry.says.endswith(rubric.criterion(entry.criterion).no_basis)
            assert entry.says.startswith("No rule of this criterion counts what was found (") == bool(found)
        elif entry.rule == "undecided":
            assert entry.because
            assert {cited.outcome for cited in entry.because if isinstance(cited, CaseOutcome)} <= OPEN
            assert all(isinstance(cited, CaseOutcome) for cited in entry.because)
        else:
            assert entry.because == ()
            assert entry.rule == "no-evidence"


@given(any_rubric)
def test_silence_suggests_nothing(rubric: Rubric) -> None:
    assert {entry.rule for entry in prefill(rubric, [])} == {"no-evidence"}
    assert set(levels(prefill(rubric, [])).values()) == {None}


@given(any_rubric, reports, abstentions)
def test_an_abstention_takes_a_level_away_or_leaves_it(
    rubric: Rubric, signals: list[Signal], abstention: Abstention
) -> None:
    before, after = levels(prefill(rubric, signals)), levels(prefill(rubric, [*signals, abstention]))
    for criterion, level in after.items():
        assert level in (before[criterion], None)
        if criterion == abstention.criterion and level is not None:
            assert level <= 2, "nothing above the middle of 0-4 stands on incomplete evidence"


@given(any_rubric, reports)
def test_integrity_flags_change_nothing(rubric: Rubric, signals: list[Signal]) -> None:
    unflagged = [signal for signal in signals if not (isinstance(signal, Finding) and signal.flag)]
    assert repr(prefill(rubric, signals)) == repr(prefill(rubric, unflagged))


sound_cases = st.lists(
    st.builds(replace, cases, criterion=st.just("correctness"), weight=st.floats(0, 1e308)), min_size=1, max_size=40
)


@given(sound_cases, st.data())
def test_a_case_more_that_fails_never_raises_correctness(given_cases: list[CaseOutcome], data: st.DataObject) -> None:
    before = levels(prefill(DEFAULT, given_cases))["correctness"]
    one_fails = list(given_cases)
    position = data.draw(st.integers(0, len(one_fails) - 1))
    one_fails[position] = replace(one_fails[position], outcome=Outcome.FAILED, credit=None)
    one_added = [*given_cases, replace(data.draw(cases), criterion="correctness", weight=1.0, outcome=Outcome.NOT_RUN)]
    for signals in (one_fails, one_added):
        after = levels(prefill(DEFAULT, signals))["correctness"]
        assert before is None or after is None or after <= before


@given(sound_cases)
def test_full_marks_only_when_every_single_case_passed(given_cases: list[CaseOutcome]) -> None:
    level = levels(prefill(DEFAULT, given_cases))["correctness"]
    if level == 4:
        assert {case.outcome for case in given_cases} == {Outcome.PASSED}
    if any(case.weight for case in given_cases) and not any(case.outcome in OPEN for case in given_cases):
        assert level is not None, "every share of passed cases has a level"


SETTLED = tuple(outcome for outcome in Outcome if outcome not in OPEN)


@given(any_rubric, reports, st.data())
def test_a_suggestion_stands_whatever_its_open_cases_come_to(
    rubric: Rubric, signals: list[Signal], data: st.DataObject
) -> None:
    settled = [
        replace(signal, outcome=data.draw(st.sampled_from(SETTLED)))
        if isinstance(signal, CaseOutcome) and signal.outcome in OPEN
        else signal
        for signal in signals
    ]
    before, after = prefill(rubric, signals), levels(prefill(rubric, settled))
    for entry in before:
        if entry.rule != "undecided":
            assert after[entry.criterion] == entry.level
        assert (entry.rule == "undecided") <= any(
            isinstance(each, CaseOutcome) and each.outcome in OPEN and each.criterion == entry.criterion
            for each in signals
        )


@given(sound_cases)
def test_a_level_is_withheld_only_where_open_cases_decide_it(given_cases: list[CaseOutcome]) -> None:
    """The two ends of what may have passed have different levels then."""
    entry = next(entry for entry in prefill(DEFAULT, given_cases) if entry.criterion == "correctness")
    ends = {
        levels(prefill(DEFAULT, [replace(case, outcome=end, credit=None) if case.outcome in OPEN else case
                                 for case in given_cases]))["correctness"]
        for end in (Outcome.FAILED, Outcome.PASSED)
    }  # fmt: skip
    assert (entry.rule == "undecided") == (len(ends) == 2)


@given(sound_cases)
def test_a_case_that_was_not_tried_does_not_count_in_the_share(given_cases: list[CaseOutcome]) -> None:
    tried = [case for case in given_cases if case.outcome is not Outcome.NOT_TRIED]
    of_all, of_tried = share_passed(given_cases), share_passed(tried)
    if of_all is None or of_tried is None:
        assert of_all == of_tried
    else:
        assert abs(of_all - of_tried) < 1e-15
        assert (of_all == 1) == all(case.outcome is Outcome.PASSED for case in given_cases)


@given(reports, findings)
def test_a_finding_more_never_raises_a_level(signals: list[Signal], finding: Finding) -> None:
    before, after = levels(prefill(DEFAULT, signals)), levels(prefill(DEFAULT, [*signals, finding]))
    for criterion, level in after.items():
        was = before[criterion]
        assert was is None or (level is not None and level <= was)


@given(reports)
def test_no_finding_and_no_measurement_ever_suggests_a_good_level(signals: list[Signal]) -> None:
    suggested = levels(prefill(DEFAULT, signals))
    for criterion in ("security", "best_practices"):
        assert suggested[criterion] in (None, 1, 2)
    assert suggested["efficiency"] is None


@given(any_rubric, reports, any_criterion, st.sampled_from(Severity), st.integers(0, 40))
def test_what_is_about_the_task_changes_nothing(
    rubric: Rubric, signals: list[Signal], criterion: str, severity: Severity, place: int
) -> None:
    mend = Finding(
        grader="g", criterion=criterion, rule="assay/task-checker", message=UntrustedText("mend it"),
        severity=severity, confidence=Severity.HIGH,
    )  # fmt: skip
    with_it = [*signals[:place], mend, *signals[place:]]
    assert repr(prefill(rubric, with_it)) == repr(prefill(rubric, signals))
