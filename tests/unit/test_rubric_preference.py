"""Preference and labels from reviews, case by case."""

from dataclasses import replace

from rubrics.model import Decision, Review
from rubrics.preference import Response, desirable, mean_total, pairs, settled
from rubrics.review import decide
from service.rubric_files import builtin_rubrics

RUBRIC = builtin_rubrics()["default"]


def review(*levels: int, harm: bool = False) -> Review:
    ids = [criterion.id for criterion in RUBRIC.criteria]
    decisions = [Decision(criterion=id, level=level) for id, level in zip(ids, levels, strict=True)]
    return decide(RUBRIC, (), decisions, harm=harm)


def response(text: str, *reviews: Review) -> Response:
    return Response(id=f"run of {text}", text=text, reviews=reviews)


GOOD, FAIR, BAD = review(4, 4, 4, 4), review(3, 3, 3, 3), review(1, 1, 1, 1)


def test_the_higher_total_is_chosen() -> None:
    (pair,) = pairs([response("bad", BAD), response("good", GOOD)])
    assert (pair.chosen.text, pair.rejected.text, pair.margin) == ("good", "bad", 0.75)


def test_every_pair_of_three_is_made() -> None:
    made = pairs([response("a", GOOD), response("b", FAIR), response("c", BAD)])
    assert [(pair.chosen.text, pair.rejected.text) for pair in made] == [("a", "b"), ("a", "c"), ("b", "c")]


def test_ties_are_no_preference_even_when_rounding_tells_them_apart() -> None:
    assert pairs([response("a", GOOD), response("b", GOOD)]) == ()
    one, other = [review(0, 0, 0, 1), review(0, 0, 0, 2)], [review(0, 0, 0, 0), review(0, 1, 1, 1)]
    assert mean_total(one) != mean_total(other), "both are 3/40; this pair is here because floats say otherwise"
    assert pairs([response("a", *one), response("b", *other)]) == ()


def test_identical_texts_are_no_pair() -> None:
    assert pairs([response("a", GOOD), response("a", BAD)]) == ()


def test_opposite_preferences_between_the_same_texts_cancel() -> None:
    made = pairs([response("a", GOOD), response("b", FAIR), response("a", BAD)])
    assert made == ()


def test_harmful_is_never_chosen_but_may_be_rejected() -> None:
    assert pairs([response("harmful", review(4, 4, 4, 4, harm=True)), response("bad", BAD)]) == ()
    (pair,) = pairs([response("harmful", review(1, 1, 1, 1, harm=True)), response("good", GOOD)])
    assert pair.rejected.text == "harmful"


def test_reviewers_more_than_one_level_apart_hold_a_response_back() -> None:
    assert settled([GOOD, FAIR])
    assert not settled([GOOD, review(4, 4, 2, 4)])
    assert pairs([response("disputed", GOOD, review(4, 4, 2, 4)), response("bad", BAD)]) == ()
    assert desirable([GOOD, review(4, 4, 2, 4)]) is None


def test_reviews_under_different_rubric_versions_are_not_taken_together() -> None:
    older = replace(GOOD, rubric_version="older")
    assert not settled([GOOD, older])
    assert desirable([GOOD, older]) is None
    assert pairs([response("a", GOOD), response("b", replace(BAD, rubric_version="older"))]) == ()


def test_labels_leave_the_middle_out() -> None:
    assert desirable([GOOD, FAIR]) is True
    assert desirable([FAIR]) is True
    assert desirable([review(2, 4, 4, 4)]) is None, "partly right code is not desirable, however tidy"
    assert desirable([review(2, 2, 2, 2)]) is False
    assert desirable([review(4, 4, 4, 4, harm=True)]) is False
