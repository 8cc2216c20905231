"""Training labels from reviews: which of two responses humans graded higher, and which are good or bad alone.

Only decisions count, never suggestions. If a response has several reviews, their totals are averaged. If two of them differ by
more than one level on a criterion, there is no label until that is settled. Pure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import fsum

from rubrics.model import Review
from rubrics.review import level_share, weighted_total

TIE = 1e-9
"""Totals this close are equal; what is left between them is rounding."""
UNDESIRABLE_TOTAL = 0.5
"""A response is undesirable by itself up to this total."""
MIDDLE = 0.5
"""The middle of a scale, as a share of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A response to a prompt, and what humans decided on it."""

    id: str
    text: str
    """The response in the form that a model would have to write."""
    reviews: tuple[Review, ...]
    """At least one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two responses to one prompt of which humans graded `chosen` higher."""

    chosen: Response
    rejected: Response
    margin: float
    """Difference of the totals: above 0, at most 1."""


def settled(reviews: Sequence[Review]) -> bool:
    """Return True if the reviews of one response can be combined.

    They must be of one rubric version, and differ by at most one level on each criterion. A single review is settled.
    """
    levels: dict[str, set[int]] = {}
    for review in reviews:
        for entry in review.decided:
            levels.setdefault(entry.decision.criterion, set()).add(entry.decision.level)
    versions = {(review.rubric_id, review.rubric_version) for review in reviews}
    return len(versions) == 1 and all(max(given) - min(given) <= 1 for given in levels.values())


def mean_total(reviews: Sequence[Review]) -> float:
    """Return the mean of the weighted totals, 0 (worst) to 1. Raises ValueError without a review."""
    if not reviews:
        raise ValueError("a mean needs at least one review")
    return fsum(weighted_total(review) for review in reviews) / len(reviews)


def pairs(responses: Sequence[Response]) -> tuple[Pair, ...]:
    """Return every pair of responses to one prompt (one task version, one group) on which humans have a preference.

    Left out: unsettled responses, responses graded under different rubric versions (their totals do not compare), ties,
    identical texts, a pair whose better response is flagged as harmful by any reviewer, and both of two pairs that
    prefer the same two texts in opposite directions.
    """
    found = [pair for one, other in combinations(responses, 2) if (pair := _pair(one, other)) is not None]
    # Two identical texts contradict each other in one pair, so this drops them too.
    directions = {(pair.chosen.text, pair.rejected.text) for pair in found}
    return tuple(pair for pair in found if (pair.rejected.text, pair.chosen.text) not in directions)


def desirable(reviews: Sequence[Review]) -> bool | None:
    """Return whether a response is good by itself; None for the undecided middle and for unsettled reviews.

    True: every reviewer put every criterion above the middle of its scale (3 or 4 of 0-4), and none flagged harm.
    False: some reviewer flagged harm, or the mean total is at most UNDESIRABLE_TOTAL.
    """
    if not settled(reviews):
        return None
    if any(review.harm for review in reviews) or mean_total(reviews) <= UNDESIRABLE_TOTAL:
        return False
    above_the_middle = all(level_share(entry) > MIDDLE for review in reviews for entry in review.decided)
    return True if above_the_middle else None


def _pair(one: Response, other: Response) -> Pair | None:
    if not settled(one.reviews) or not settled(other.reviews) or _version(one) != _version(other):
        return None
    margin = mean_total(one.reviews) - mean_total(other.reviews)
    chosen, rejected = (one, other) if margin > 0 else (other, one)
    if abs(margin) <= TIE or any(review.harm for review in chosen.reviews):
        return None
    return Pair(chosen=chosen, rejected=rejected, margin=abs(margin))


def _version(response: Response) -> tuple[str, str]:
    return response.reviews[0].rubric_id, response.reviews[0].rubric_version
