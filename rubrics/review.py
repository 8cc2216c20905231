"""A review from decisions: what a human decided, beside the suggestions and the level texts that the human saw.

A review is self-contained: it keeps the anchor texts and the weights as they stood, so it can be read and totalled
years later, when its rubric version is gone.

    ReviewError             the decisions do not make a complete review; names the field and what was expected
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from math import fsum

from rubrics.input_error import InputError
from rubrics.model import Criterion, DecidedCriterion, Decision, Prefill, Review, Rubric


class ReviewError(InputError):
    """The decisions do not make a complete review."""


def decide(
    rubric: Rubric,
    prefills: Iterable[Prefill],
    decisions: Sequence[Decision],
    *,
    harm: bool = False,
    harm_note: str = "",
) -> Review:
    """Return a complete review: one decision on each criterion, in rubric order.

    `prefills` are the suggestions for this run under this rubric version. A criterion without a suggested level is decided
    `unaided`. Raises ReviewError for a criterion that is missing, unknown or decided twice, for a level that the
    criterion does not have, and for a negative time.
    """
    criteria = {criterion.id: criterion for criterion in rubric.criteria}
    for position, decision in enumerate(decisions):
        _check(decision, f"decisions.{position}", criteria)
    counts = Counter(decision.criterion for decision in decisions)
    for position, decision in enumerate(decisions):
        if counts[decision.criterion] > 1:
            raise ReviewError(f"decisions.{position}.criterion", f"one decision on {decision.criterion}, not several")
    missing = [id for id in criteria if id not in counts]
    if missing:
        raise ReviewError("decisions", f"a decision on each criterion; missing: {', '.join(missing)}")
    suggested = {prefill.criterion: prefill.level for prefill in prefills}
    by_criterion = {decision.criterion: decision for decision in decisions}
    return Review(
        rubric_id=rubric.id,
        rubric_version=rubric.version,
        decided=tuple(_decided(criterion, by_criterion[id], suggested.get(id)) for id, criterion in criteria.items()),
        harm=harm,
        harm_note=harm_note,
    )


def weighted_total(review: Review) -> float:
    """Return the review as one number: 0 is the worst level everywhere, 1 the best; criteria count by their weight.

    Levels count as equal steps (level 3 of 0-4 is 0.75). Raises ValueError for a review in which no criterion has a
    weight or one has a single level; `rubrics.loader` refuses such a rubric.
    """
    weight = fsum(entry.weight for entry in review.decided)
    if not weight > 0 or any(len(entry.levels_seen) < 2 for entry in review.decided):
        raise ValueError("a total needs a positive weight, and at least two levels for each criterion")
    return fsum(entry.weight * level_share(entry) for entry in review.decided) / weight


def level_share(entry: DecidedCriterion) -> float:
    """Return the decided level's position between the worst (0) and the best (1) of its criterion."""
    return entry.decision.level / (len(entry.levels_seen) - 1)


def _check(decision: Decision, field: str, criteria: dict[str, Criterion]) -> None:
    criterion = criteria.get(decision.criterion)
    if criterion is None:
        raise ReviewError(f"{field}.criterion", f"one of {', '.join(criteria)}, not {decision.criterion!r}")
    if all(decision.level != level.value for level in criterion.levels):
        expected = f"a level of {criterion.id}, {criterion.levels[0].value} to {criterion.levels[-1].value}"
        raise ReviewError(f"{field}.level", f"{expected}, not {decision.level!r}")
    if decision.milliseconds < 0:
        raise ReviewError(f"{field}.milliseconds", f"0 or more, not {decision.milliseconds!r}")


def _decided(criterion: Criterion, decision: Decision, suggested: int | None) -> DecidedCriterion:
    if suggested is None:
        verdict = "unaided"
    elif suggested == decision.level:
        verdict = "confirmed"
    else:
        verdict = "overridden"
    return DecidedCriterion(
        decision=decision,
        verdict=verdict,
        suggested=suggested,
        levels_seen=tuple(level.anchor for level in criterion.levels),
        weight=criterion.weight,
    )
