"""Properties of every preference made from human reviews."""

from hypothesis import given
from hypothesis import strategies as st

from rubrics.model import Criterion, Decision, Level, Review, Rubric
from rubrics.preference import Response, desirable, mean_total, pairs, settled
from rubrics.review import decide, weighted_total

LEVELS = tuple(Level(value=value, title=str(value), anchor=str(value)) for value in range(5))
WEIGHTS = {"correctness": 4.0, "efficiency": 0.1, "security": 0.3, "best_practices": 0.0}


def rubric(version: str) -> Rubric:
    return Rubric(
        id="r", version=version, title="R",
        criteria=tuple(
            Criterion(id=id, title=id, question="?", weight=weight, levels=LEVELS, rules=(), no_basis="-")
            for id, weight in WEIGHTS.items()
        ),
    )  # fmt: skip


@st.composite
def reviews(draw: st.DrawFn) -> Review:
    given = [Decision(criterion=id, level=draw(st.integers(0, 4))) for id in WEIGHTS]
    version = draw(st.sampled_from(["1", "1", "1", "2"]))
    return decide(rubric(version), (), given, harm=draw(st.integers(0, 9)) == 0)


@st.composite
def groups(draw: st.DrawFn) -> list[Response]:
    some = st.lists(reviews(), min_size=1, max_size=3)
    made = draw(st.lists(st.tuples(st.sampled_from("abcd"), some), max_size=6))
    return [Response(id=str(position), text=text, reviews=tuple(given)) for position, (text, given) in enumerate(made)]


@given(reviews())
def test_a_total_lies_between_0_and_1(review: Review) -> None:
    assert 0 <= weighted_total(review) <= 1


@given(groups())
def test_a_pair_is_what_humans_agreed_on(group: list[Response]) -> None:
    for pair in pairs(group):
        assert 0 < pair.margin <= 1
        assert pair.margin == mean_total(pair.chosen.reviews) - mean_total(pair.rejected.reviews)
        assert pair.chosen.text != pair.rejected.text
        assert settled(pair.chosen.reviews)
        assert settled(pair.rejected.reviews)
        assert not any(review.harm for review in pair.chosen.reviews)
        assert (
            len({review.rubric_version for response in (pair.chosen, pair.rejected) for review in response.reviews})
            == 1
        )


@given(groups())
def test_no_two_pairs_contradict_each_other(group: list[Response]) -> None:
    directions = {(pair.chosen.text, pair.rejected.text) for pair in pairs(group)}
    assert not directions & {(rejected, chosen) for chosen, rejected in directions}


@given(groups())
def test_the_order_of_the_responses_does_not_matter(group: list[Response]) -> None:
    def ids(responses: list[Response]) -> set[tuple[str, str]]:
        return {(pair.chosen.id, pair.rejected.id) for pair in pairs(responses)}

    assert ids(group) == ids(group[::-1])


@given(st.lists(reviews(), min_size=1, max_size=3))
def test_desirable_and_undesirable_exclude_each_other(given: list[Review]) -> None:
    label = desirable(given)
    if label is True:
        assert all(entry.decision.level >= 3 for review in given for entry in review.decided)
        assert not any(review.harm for review in given)
    if label is False:
        assert any(review.harm for review in given) or mean_total(given) <= 0.5
    if not settled(given):
        assert label is None
