"""A review is complete, keeps what the human saw, and computes confirmed or overridden from the values."""

from dataclasses import replace

import pytest

from rubrics.model import Decision, Prefill
from rubrics.review import ReviewError, decide, weighted_total
from service.rubric_files import builtin_rubrics

RUBRIC = builtin_rubrics()["default"]
IDS = [criterion.id for criterion in RUBRIC.criteria]


def suggestion(criterion: str, level: int | None) -> Prefill:
    return Prefill(criterion=criterion, level=level, confidence=None, because=(), rule="r", says="because")


def decisions(*levels: int) -> list[Decision]:
    return [Decision(criterion=id, level=level) for id, level in zip(IDS, levels, strict=True)]


def test_verdicts_come_from_the_values() -> None:
    prefills = [suggestion("correctness", 4), suggestion("efficiency", None), suggestion("security", 1)]
    review = decide(RUBRIC, prefills, decisions(4, 3, 2, 1), harm=True, harm_note="deletes files")
    assert [(entry.verdict, entry.suggested) for entry in review.decided] == [
        ("confirmed", 4), ("unaided", None), ("overridden", 1), ("unaided", None),
    ]  # fmt: skip
    assert (review.harm, review.harm_note) == (True, "deletes files")
    assert review.level("security") == 2


def test_level_zero_is_a_suggestion_like_any_other() -> None:
    review = decide(RUBRIC, [suggestion("correctness", 0)], decisions(0, 0, 0, 0))
    assert [entry.verdict for entry in review.decided] == ["confirmed", "unaided", "unaided", "unaided"]


def test_a_review_keeps_the_words_and_weights_it_was_made_under() -> None:
    review = decide(RUBRIC, [], decisions(4, 3, 2, 1))
    assert (review.rubric_id, review.rubric_version) == (RUBRIC.id, RUBRIC.version)
    for entry, criterion in zip(review.decided, RUBRIC.criteria, strict=True):
        assert entry.levels_seen == tuple(level.anchor for level in criterion.levels)
        assert entry.weight == criterion.weight


def test_the_order_of_the_decisions_does_not_matter() -> None:
    assert decide(RUBRIC, [], decisions(4, 3, 2, 1)[::-1]) == decide(RUBRIC, [], decisions(4, 3, 2, 1))


@pytest.mark.parametrize(
    ("given", "field", "expected"),
    [
        (decisions(4, 3, 2, 1)[:3], "decisions", "missing: best_practices"),
        ([], "decisions", "missing: correctness, efficiency, security, best_practices"),
        ([*decisions(4, 3, 2, 1), Decision(criterion="style", level=1)], "decisions.4.criterion", "not 'style'"),
        ([*decisions(4, 3, 2, 1), Decision(criterion="security", level=2)], "decisions.2.criterion", "one decision"),
        (decisions(5, 3, 2, 1), "decisions.0.level", "0 to 4, not 5"),
        (decisions(4, 3, 2, -1), "decisions.3.level", "0 to 4, not -1"),
        ([replace(decisions(4, 3, 2, 1)[0], milliseconds=-1)], "decisions.0.milliseconds", "0 or more"),
    ],
)
def test_what_is_no_complete_review_is_refused(given: list[Decision], field: str, expected: str) -> None:
    with pytest.raises(ReviewError) as refusal:
        decide(RUBRIC, [], given)
    assert refusal.value.field == field
    assert expected in refusal.value.expected


def test_the_total_weighs_criteria() -> None:
    assert weighted_total(decide(RUBRIC, [], decisions(0, 0, 0, 0))) == 0
    assert weighted_total(decide(RUBRIC, [], decisions(4, 4, 4, 4))) == 1
    weights = [criterion.weight for criterion in RUBRIC.criteria]
    assert weighted_total(decide(RUBRIC, [], decisions(4, 0, 0, 0))) == pytest.approx(weights[0] / sum(weights))
    assert weighted_total(decide(RUBRIC, [], decisions(2, 2, 2, 2))) == pytest.approx(0.5)


def test_a_total_without_a_weight_is_an_error() -> None:
    review = decide(RUBRIC, [], decisions(4, 3, 2, 1))
    weightless = replace(review, decided=tuple(replace(entry, weight=0.0) for entry in review.decided))
    with pytest.raises(ValueError, match="positive weight"):
        weighted_total(weightless)
