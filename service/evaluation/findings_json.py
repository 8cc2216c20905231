"""Findings as a JSON object, and back: how an evaluator hands them over (service/evaluation/process.py)."""

from dataclasses import fields
from typing import Any

from rubrics import signals
from rubrics.records import prefill_from_json, prefill_to_json
from service.storage.interface import RunOutcome, RunResult


def findings_to_json(findings: RunResult) -> dict[str, Any]:
    """Return the fields of the findings; signals and pre-fills in their own modules' form."""
    return {
        **{field.name: getattr(findings, field.name) for field in fields(RunResult)},
        "signals": [signals.to_json(signal) for signal in findings.signals],
        "prefills": [prefill_to_json(prefill) for prefill in findings.prefills],
    }


def findings_from_json(row: dict[str, Any]) -> RunResult:
    """Return the inverse of `findings_to_json`. Raises KeyError, TypeError or ValueError for any other object."""
    return RunResult(
        **{
            **row,
            "outcome": RunOutcome(row["outcome"]),
            "signals": tuple(signals.from_json(signal) for signal in row["signals"]),
            "prefills": tuple(prefill_from_json(prefill) for prefill in row["prefills"]),
        }
    )
