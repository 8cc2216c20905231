"""Pre-fills and reviews as JSON objects, and back.

Each `..._from_json` is the exact inverse of its `..._to_json`, also after a trip through JSON text. It raises
KeyError, TypeError or ValueError for an object that the other never wrote; an unknown field is such an object, so that
a row written by a newer version is not silently cut down.
"""

from dataclasses import asdict
from typing import Any

from rubrics import signals
from rubrics.model import DecidedCriterion, Decision, Prefill, Review


def prefill_to_json(prefill: Prefill) -> dict[str, Any]:
    """Return the fields of the pre-fill; `because` as `rubrics.signals.to_json` objects."""
    return {
        "criterion": prefill.criterion,
        "level": prefill.level,
        "confidence": prefill.confidence,
        "because": [signals.to_json(signal) for signal in prefill.because],
        "rule": prefill.rule,
        "says": prefill.says,
    }


def prefill_from_json(row: dict[str, Any]) -> Prefill:
    """Return the inverse of `prefill_to_json`."""
    return Prefill(**{**row, "because": tuple(signals.from_json(signal) for signal in row["because"])})


def review_to_json(review: Review) -> dict[str, Any]:
    """Return the fields of the review, one object in `decided` for each criterion."""
    row = asdict(review)
    for entry in row["decided"]:
        entry["levels_seen"] = list(entry["levels_seen"])
    return {**row, "decided": list(row["decided"])}


def review_from_json(row: dict[str, Any]) -> Review:
    """Return the inverse of `review_to_json`."""
    return Review(**{**row, "decided": tuple(_decided_from_json(entry) for entry in row["decided"])})


def _decided_from_json(row: dict[str, Any]) -> DecidedCriterion:
    fields = {**row, "decision": Decision(**row["decision"]), "levels_seen": tuple(row["levels_seen"])}
    return DecidedCriterion(**fields)
