"""A pre-fill or a review that was written as JSON text comes back equal."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubrics import signals
from rubrics.model import DecidedCriterion, Decision, Prefill, Review
from rubrics.records import prefill_from_json, prefill_to_json, review_from_json, review_to_json

numbers = st.floats(allow_nan=False)
a_signal = st.one_of(
    st.builds(signals.CaseOutcome, weight=numbers, seconds=st.none() | numbers),
    st.builds(signals.Measurement, value=numbers, spread=st.none() | numbers),
    st.builds(signals.Finding),
    st.builds(signals.Abstention),
)
a_prefill = st.builds(
    Prefill, level=st.none() | st.integers(), confidence=st.none() | numbers, because=st.lists(a_signal).map(tuple)
)
a_decided = st.builds(
    DecidedCriterion,
    decision=st.builds(Decision),
    suggested=st.none() | st.integers(),
    levels_seen=st.lists(st.text()).map(tuple),
    weight=numbers,
)
a_review = st.builds(Review, decided=st.lists(a_decided).map(tuple))


@given(a_prefill)
def test_a_prefill_survives_json_text(prefill: Prefill) -> None:
    back = prefill_from_json(json.loads(json.dumps(prefill_to_json(prefill))))
    assert back == prefill
    assert [type(signal) for signal in back.because] == [type(signal) for signal in prefill.because]


@given(a_review)
def test_a_review_survives_json_text(review: Review) -> None:
    assert review_from_json(json.loads(json.dumps(review_to_json(review)))) == review


@given(a_review)
def test_a_field_from_a_newer_version_is_refused_not_dropped(review: Review) -> None:
    with pytest.raises(TypeError, match="blind"):
        review_from_json({**review_to_json(review), "blind": True})
