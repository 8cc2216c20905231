from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from rubrics.model import Decision
from rubrics.review import decide
from rubrics.signals import Outcome, UntrustedText
from service.reviewing.decisions import as_drafts, suggestions
from service.reviewing.use_cases import OpenedRun
from service.storage.interface import DraftDecision, ReviewerId, ReviewRecord, RunId
from service.web import present
from tests.browser.made_runs import (
    RUBRIC,
    MadeRun,
    could_not_look,
    failed,
    found,
    measured,
    merge_run,
    passed,
    record_of,
)

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def shown(
    made: MadeRun, drafts: dict[str, DraftDecision] | None = None, review: ReviewRecord | None = None
) -> present.Screen:
    opened = OpenedRun(
        run=record_of(made),
        findings=made.findings(),
        rubric=RUBRIC,
        suggestions=suggestions(made.findings(), RUBRIC),
        decided=as_drafts(review) if review else drafts or {},
        saved=review is not None,
    )
    return present.screen(opened, title=made.title, prompt=made.prompt)


def draft(criterion: str, level: int | None, note: str = "") -> DraftDecision:
    return DraftDecision(criterion=criterion, level=level, note=note, milliseconds=7)


def test_suggestions_cite_evidence_that_the_page_shows() -> None:
    screen = shown(merge_run())
    by_id = {criterion.id: criterion for criterion in screen.criteria}
    elements = {view.element for view in screen.failing}
    assert by_id["correctness"].suggested == 2
    assert {evidence.element for evidence in by_id["correctness"].evidence} == elements
    assert by_id["security"].evidence[0].element == "line-0-27"
    assert by_id["security"].evidence[0].text.startswith("line 27: B602 (high, CWE-78)")


def test_a_line_of_evidence_begins_with_what_went_wrong() -> None:
    made = MadeRun(
        signals=(
            failed("long", f"merge({'[1, 2], ' * 100})", "[[1, 2]]", "[]"),
            failed("slow", "merge([])", "[]", "", end="wall-timeout"),
            replace(failed("later", "", "", ""), outcome=Outcome.NOT_RUN),
        )
    )
    told = [evidence.text for evidence in shown(made).criteria[0].evidence]
    assert sorted(text[:42] for text in told) == [
        "later did not run",
        "long: wanted [[1, 2]], got [] in merge([1,",
        "slow: wall-timeout in merge([])",
    ]
    assert max(len(text) for text in told) < 150


def test_what_the_machine_cannot_tell_has_no_suggestion_and_says_why() -> None:
    efficiency = next(criterion for criterion in shown(merge_run()).criteria if criterion.id == "efficiency")
    assert efficiency.suggested is None
    assert efficiency.evidence == ()
    assert efficiency.says == RUBRIC.criterion("efficiency").no_basis


def test_failing_cases_and_the_worst_findings_come_first() -> None:
    screen = shown(merge_run())
    assert [view.case.case for view in screen.failing] == ["unsorted", "reversed", "duplicates-apart"]
    assert all(case.outcome is Outcome.PASSED for case in screen.passing)
    assert [view.finding.rule for view in screen.findings] == ["B602", "B108", "B404"]


def test_flags_stand_apart_from_findings() -> None:
    screen = shown(MadeRun(signals=(passed("one"), found("exit-game", "ends the test", line=1, flag=True))))
    assert [view.finding.rule for view in screen.flags] == ["exit-game"]
    assert screen.findings == ()


def test_what_is_about_the_task_is_neither_a_flag_nor_a_finding_about_the_response() -> None:
    mend = replace(found("assay/task-checker", "the checker broke", line=0), path="", criterion="correctness")
    screen = shown(MadeRun(signals=(failed("one", "f()", "1", "2"), mend)))
    assert [view.finding.rule for view in screen.about_the_task] == ["assay/task-checker"]
    assert (screen.findings, screen.flags) == ((), ())


def test_reduced_integrity_is_counted() -> None:
    screen = shown(MadeRun(signals=(passed("one", integrity="reduced"), failed("two", "f()", "1", "2"))))
    assert (screen.reduced, screen.cases) == (1, 2)


def test_more_failures_than_a_page_holds_are_counted() -> None:
    cases = tuple(failed(f"case-{number}", "f()", "1", "2") for number in range(present.SHOWN_CASES + 3))
    screen = shown(MadeRun(signals=cases))
    assert (len(screen.failing), screen.unshown, screen.cases) == (present.SHOWN_CASES, 3, present.SHOWN_CASES + 3)


def test_another_rubric_version_suggests_nothing() -> None:
    made = MadeRun(signals=merge_run().signals, rubric_version="0123456789ab")
    assert {criterion.suggested for criterion in shown(made).criteria} == {None}
    assert all("rubric has changed" in criterion.says for criterion in shown(made).criteria)


def test_drafts_are_shown_until_a_review_stands() -> None:
    made = merge_run()
    drafts = {"correctness": draft("correctness", 0, "loops"), "harm": draft("harm", 1, "deletes files")}
    screen = shown(made, drafts)
    assert [criterion.level for criterion in screen.criteria] == [0, None, None, None]
    assert screen.criteria[0].note == "loops"
    assert (screen.harm, screen.saved) == ("deletes files", False)

    decisions = [Decision(criterion=criterion.id, level=3, note="n", milliseconds=1) for criterion in RUBRIC.criteria]
    review = decide(RUBRIC, made.findings().prefills, decisions, harm=False, harm_note="")
    stands = ReviewRecord(id="r", run_id=RunId("run"), reviewer=ReviewerId("ada"), review=review, created_at=NOW)
    screen = shown(made, drafts, stands)
    assert [criterion.level for criterion in screen.criteria] == [3, 3, 3, 3]
    assert (screen.harm, screen.saved) == (None, True)


def test_a_note_alone_decides_nothing() -> None:
    screen = shown(merge_run(), {"security": draft("security", None, "look at line 27")})
    security = next(criterion for criterion in screen.criteria if criterion.id == "security")
    assert (security.level, security.note) == (None, "look at line 27")


def test_who_wrote_it_is_not_on_the_page() -> None:
    assert "secret-model" not in repr(shown(merge_run()))


def test_an_abstention_is_shown() -> None:
    screen = shown(MadeRun(signals=(could_not_look("cannot be parsed"),)))
    assert [abstention.reason for abstention in screen.abstentions] == ["cannot be parsed"]
    security = next(criterion for criterion in screen.criteria if criterion.id == "security")
    assert security.suggested is None
    assert security.evidence[0].text == "assay/security could not look: cannot be parsed"


def test_measurements_are_told_with_their_place() -> None:
    screen = shown(
        MadeRun(signals=(measured("cyclomatic-max", 12.0, line=7, note="merge"), measured("nan", float("nan"))))
    )
    assert [(view.value, view.line) for view in screen.measurements] == [("12", "line-0-7"), ("nan", "")]


def test_fenced_code_in_a_prompt_stands_apart() -> None:
    parts = present.prompt_parts("Write f.\n\n```python\nf(1)\n```\nThat is all.\n")
    assert [(part.text, part.code) for part in parts] == [("Write f.", False), ("f(1)", True), ("That is all.", False)]


@given(st.lists(st.tuples(st.text("ab` ", max_size=9).map(lambda prose: f"w{prose}"), st.text("x=1 \n", max_size=9))))
def test_prose_and_code_come_in_order_and_whole(pieces: list[tuple[str, str]]) -> None:
    prompt = "".join(f"{prose}\n```py\n{code}\n```\n" for prose, code in pieces)
    expected = [part for prose, code in pieces for part in ((prose, False), (code, True)) if part[0]]
    assert [(part.text, part.code) for part in present.prompt_parts(prompt)] == expected


def test_what_a_checker_says_is_told_instead_of_long_outputs() -> None:
    wrong = replace(failed("a", "1 2", "3", "4"), note=UntrustedText("token 1: expected '3', got '4'"))
    slow = replace(failed("b", "1 2", "", "", end="wall-timeout"), note=UntrustedText("the interactor waited 5.0 s"))
    never = replace(failed("c", "", "", ""), outcome=Outcome.NOT_RUN, note=UntrustedText("SyntaxError: invalid"))
    told = {evidence.text for evidence in shown(MadeRun(signals=(wrong, slow, never))).criteria[0].evidence}
    assert told == {
        "a: token 1: expected '3', got '4' in 1 2",
        "b: wall-timeout: the interactor waited 5.0 s in 1 2",
        "c did not run: SyntaxError: invalid",
    }


def test_what_is_open_is_counted_and_told_in_words() -> None:
    right, wrong = passed("a"), failed("b", "f(1)", "1", "2")
    disputed = replace(wrong, case="c", outcome=Outcome.DISPUTED, note=UntrustedText("it passes together only"))
    untried = replace(failed("d", "", "", ""), outcome=Outcome.NOT_TRIED, note=UntrustedText("not tried: 10 before it"))
    screen = shown(MadeRun(signals=(right, disputed, untried)))
    assert (screen.disputed, screen.not_tried, screen.tried, screen.cases) == (1, 1, 2, 3)
    assert {evidence.text for evidence in screen.criteria[0].evidence} == {
        "c is disputed: it passes together only",
        "d was not tried: not tried: 10 before it",
    }
    assert (screen.criteria[0].suggested, screen.outcome) == (None, "failed")


def test_the_share_that_counts_is_shown_where_it_is_not_just_how_many_passed() -> None:
    right, wrong = passed("a"), failed("b", "", "", "")
    assert shown(MadeRun(signals=(right, wrong))).share == ""
    assert shown(MadeRun(signals=(right, replace(wrong, credit=0.5)))).share == "75%"
    assert shown(MadeRun(signals=(replace(right, group="g"), replace(wrong, group="g")))).share == "0%"
    assert shown(MadeRun(signals=(replace(right, weight=3), wrong))).share == "75%"
