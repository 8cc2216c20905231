"""What of a plugin's signals is let in."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.interface import Abstention, Context, Example, Finding, Grader, Measurement, Severity, Signal
from graders.plugins.fence import NAME_CHARACTERS, SIGNALS_KEPT, TEXT_CHARACTERS, Kept, Refused, admit, told
from rubrics.signals import from_json, to_json


@dataclass(frozen=True)
class Looks(Grader):
    """Looks."""

    id, version, criterion = "acme/looks", "1", "security"
    examples = (Example(""),)

    def grade(self, context: Context) -> Iterator[Signal]:
        yield from ()


LOOKS = Looks()
FINDING, MEASURED, ABSTAINED = LOOKS.finding("x"), LOOKS.measurement("x", 1, "s"), LOOKS.abstention("x")


def let_in(signal: object) -> Signal:
    return admit(signal, id=LOOKS.id, criterion=LOOKS.criterion)


@pytest.mark.parametrize("signal", [FINDING, MEASURED, ABSTAINED, replace(MEASURED, spread=2, value=10**300)])
def test_what_is_right_is_kept_as_it_is(signal: Signal) -> None:
    assert let_in(signal) is signal


@pytest.mark.parametrize(
    ("signal", "says"),
    [
        (None, "yielded None, which is no signal"),
        ({"kind": "finding"}, "yielded an object of type dict, which is no signal"),
        (replace(FINDING, message=b"x"), "a finding whose message is b'x', not a text"),
        (replace(FINDING, severity="dreadful"), "whose severity is 'dreadful', not one of low, medium, high"),
        (replace(FINDING, confidence=3), "whose confidence is 3, not one of low, medium, high"),
        (replace(FINDING, line=-1), "whose line is not from 0 to 2147483647"),
        (replace(FINDING, line=2**31), "whose line is not from 0 to 2147483647"),
        (replace(FINDING, line=1.5), "whose line is 1.5, not a whole number"),
        (replace(FINDING, line=True), "whose line is True, not a whole number"),
        (replace(FINDING, flag=1), "whose flag is 1, not true or false"),
        (replace(FINDING, path=None), "whose path is None, not a text"),
        (replace(FINDING, path="x" * (NAME_CHARACTERS + 1)), "whose path has more than 300 characters"),
        (replace(FINDING, criterion="correctness"), "for the criterion 'correctness', not its own security"),
        (replace(FINDING, grader="assay/security"), "for the grader 'assay/security', not its own acme/looks"),
        (
            replace(FINDING, rule="assay/early-exit"),
            "the rule 'assay/early-exit'; rules in assay/ are of built-in graders",
        ),
        (replace(MEASURED, value="3"), "a measurement whose value is '3', not a number"),
        (replace(MEASURED, value=float("inf")), "whose value is not a finite number"),
        (replace(MEASURED, value=10**400), "whose value is not a finite number"),
        (replace(MEASURED, value=True), "whose value is True, not a number"),
        (replace(MEASURED, spread=float("nan")), "whose spread is not a finite number"),
        (replace(ABSTAINED, reason=None), "an abstention whose reason is None, not a text"),
    ],
)
def test_what_is_wrong_is_named(signal: Any, says: str) -> None:
    with pytest.raises(Refused) as refused:
        let_in(signal)
    assert says in str(refused.value)


_texts = st.text(max_size=20) | st.integers(0, 2 * TEXT_CHARACTERS).map("x".__mul__)
_anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), _texts, st.binary(), st.sampled_from(Severity)
)
_fields = st.dictionaries(
    st.sampled_from(["message", "rule", "severity", "confidence", "path", "line", "cwe", "more", "flag"]), _anything
)


@given(_fields)
def test_whatever_is_let_in_is_json_and_small(fields: dict[str, Any]) -> None:
    try:
        signal = let_in(replace(FINDING, **fields))
    except Refused as refused:
        assert len(str(refused)) < 1000
        return
    text = json.dumps(to_json(signal), allow_nan=False)
    assert from_json(json.loads(text)) == signal and len(text) < 6 * (TEXT_CHARACTERS + 4 * NAME_CHARACTERS) + 1000


@given(st.lists(st.sampled_from([*Severity, "measured", "abstained"]), max_size=3 * SIGNALS_KEPT))
def test_of_many_the_most_telling_are_kept_in_order(kinds: list[str]) -> None:
    kept = Kept(LOOKS)
    for number, kind in enumerate(kinds):
        if kind == "measured":
            kept.add(LOOKS.measurement(str(number), 1, "s"))
        elif kind == "abstained":
            kept.add(LOOKS.abstention(str(number)))
        else:
            kept.add(LOOKS.finding(str(number), severity=kind))
    signals = kept.signals()
    if len(kinds) <= SIGNALS_KEPT:
        assert len(signals) == len(kinds)
        return
    *signals, left_out = signals
    assert isinstance(left_out, Measurement) and left_out.value == len(kinds) - SIGNALS_KEPT
    assert len(signals) == SIGNALS_KEPT
    numbers = [int(_text(signal)) for signal in signals]
    assert numbers == sorted(numbers)
    worst = sum(kind in ("abstained", "high") for kind in kinds)
    told_of = sum(isinstance(each, Abstention) or getattr(each, "severity", "") == "high" for each in signals)
    assert told_of == min(worst, SIGNALS_KEPT)


def _text(signal: Signal) -> str:
    if isinstance(signal, Finding):
        return signal.message
    return signal.name if isinstance(signal, Measurement) else getattr(signal, "reason", "")


def test_an_error_without_words_is_told() -> None:
    class DumbError(Exception):
        def __str__(self) -> str:
            raise SystemExit

    assert told(DumbError()) == "DumbError: (its text could not be had)"
    assert told(KeyError()) == "KeyError"
    assert len(told(ValueError("x" * 10**6))) == 500
