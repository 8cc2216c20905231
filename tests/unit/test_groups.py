"""Groups and stop_on_failure: what the cases of a suite count beside each other."""

import pytest

from graders.interface import CaseOutcome, Outcome, Suite, TaskUnusable, UntrustedText
from graders.suites.scoring import group_of, settled


def case(id: str, outcome: Outcome = Outcome.PASSED, *, group: str = "", weight: float = 1.0) -> CaseOutcome:
    return CaseOutcome(
        grader="g", criterion="c", suite="s", case=id, outcome=outcome, group=group, weight=weight,
        credit=0.5, seconds=1.0, cpu_seconds=1.0, got=UntrustedText("x"),
    )  # fmt: skip


def suite(weight: float = 1.0, **options: object) -> Suite:
    return Suite(id="s", kind="stdio", files={}, options=options, weight=weight)


def test_a_suite_without_groups_is_left_as_it_is() -> None:
    outcomes = [case("a"), case("b", Outcome.FAILED)]
    assert settled(suite(), iter(outcomes)) == outcomes


def test_a_group_shares_its_weight_among_its_cases() -> None:
    outcomes = [
        case("a", group="easy"),
        case("b", group="easy", weight=3),
        case("c", weight=2),
        case("d", group="hard"),
    ]
    weights = [outcome.weight for outcome in settled(suite(2, groups={"easy": 10, "hard": 30}), outcomes)]
    assert weights == [5, 15, 2, 60]


def test_a_group_without_a_case_is_the_task_s_mistake() -> None:
    with pytest.raises(TaskUnusable, match="suite s: no case is of group hard"):
        settled(suite(groups={"easy": 10, "hard": 30}), [case("easy/a")])


@pytest.mark.parametrize(
    ("id", "stated", "group"),
    [
        ("easy/1", "", "easy"),
        ("easy/1", "hard", "hard"),
        ("deep/easy/1", "", "easy"),
        ("easyish/1", "", ""),
        ("hidden/test_easy.py::test_a", "", ""),
        ("hidden/hard.py::test_a", "", "hard"),
        ("test_a.py::easy::test_b[x/hard]", "", "easy"),
        ("test_a.py::test_b[easy]", "", ""),
        ("hard", "", "hard"),
    ],
)
def test_a_case_is_of_the_group_that_it_states_or_lies_in(id: str, stated: str, group: str) -> None:
    assert group_of(id, stated, ["easy", "hard"]) == group


def test_nothing_runs_after_the_first_that_did_not_pass() -> None:
    outcomes = [case("a"), case("b", Outcome.ERROR), case("c"), case("d", Outcome.FAILED)]
    stopped = settled(suite(stop_on_failure=True), outcomes)
    assert [outcome.outcome for outcome in stopped] == [Outcome.PASSED, Outcome.ERROR, Outcome.NOT_RUN, Outcome.NOT_RUN]
    assert stopped[1] == outcomes[1]
    assert all(
        (each.credit, each.seconds, each.cpu_seconds, each.got) == (None, None, None, "") for each in stopped[2:]
    )
    assert settled(suite(stop_on_failure=True), outcomes[:1]) == outcomes[:1]


def test_what_passes_after_a_dispute_is_disputed_with_it_where_the_first_failure_ends_the_suite() -> None:
    outcomes = [
        case("a"), case("b", Outcome.DISPUTED), case("c"), case("d", Outcome.FAILED), case("e"),
    ]  # fmt: skip
    stopped = settled(suite(stop_on_failure=True), outcomes)
    assert [outcome.outcome for outcome in stopped] == [
        Outcome.PASSED, Outcome.DISPUTED, Outcome.DISPUTED, Outcome.FAILED, Outcome.NOT_RUN,
    ]  # fmt: skip
    assert stopped[1] == outcomes[1]
    assert (
        stopped[2].note == "it passes, and counts only if the cases before it do: the suite stops at the first failure"
    )
    assert settled(suite(), outcomes) == outcomes
