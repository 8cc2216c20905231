"""Runs as rows: the columns of a run, and the way from row to record and back."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields, replace
from typing import Any

from sqlalchemy import Row, Select, select

from graders.interface import Submission, SubmissionId, TaskId
from rubrics import signals as signal_json
from rubrics.model import Prefill
from rubrics.prefill import share_passed
from rubrics.records import prefill_from_json, prefill_to_json
from rubrics.signals import CaseOutcome, Finding, Outcome
from sandboxes.interface import Tier
from service.storage.interface import (
    RunId,
    RunOutcome,
    RunRecord,
    RunResult,
    RunState,
    RunSummary,
    SubmissionRecord,
    Tally,
)
from service.storage.tables import cases, findings, pack, runs, submissions, unpack

_LONG = ("given", "wanted", "got", "note")
"""Fields that a case lacks if a pre-fill only cites it."""
_USUAL = {
    name: {field.name: field.default for field in fields(kind) if field.default is not MISSING}
    for name, kind in signal_json.KINDS.items()
}
"""Kind of signal -> its fields that have a default."""


SUMMARIES: Select[Any] = (
    select(
        runs.c.id,
        runs.c.state,
        runs.c.attempt,
        runs.c.created_at,
        submissions.c.id.label("submission_id"),
        submissions.c.task_id,
        submissions.c.task_version,
        submissions.c.submitter,
        submissions.c.client_id,
        submissions.c.tag,
        findings.c.sequence,
        findings.c.outcome,
        findings.c.cases_passed,
        findings.c.cases_total,
        findings.c.cases_disputed,
        findings.c.cases_not_tried,
        findings.c.share,
        findings.c.signals,
        findings.c.prefills,
        findings.c.diagnostics,
        findings.c.rubric_id,
        findings.c.rubric_version,
        findings.c.grader_versions,
        findings.c.sandbox,
        findings.c.ends,
        findings.c.finished_at,
    )
    .join_from(runs, submissions)
    .outerjoin(findings, findings.c.run_id == runs.c.id)
)
"""For `summary_of`."""
WITHOUT_CASES: Select[Any] = SUMMARIES.add_columns(
    submissions.c.files,
    submissions.c.model,
    submissions.c.group_id,
    submissions.c.created_at.label("submitted_at"),
    submissions.c.minimum_tier,
)
"""For `record_of` with no cases."""
RECORDS: Select[Any] = WITHOUT_CASES.add_columns(cases.c.outcomes).outerjoin(cases, cases.c.run_id == runs.c.id)
"""For `record_of` and `cases_of`."""


def position(name: str) -> int:
    """Return a pseudo-random number below 2**62, always the same for a name: a place in the reviewers' queue."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8]) >> 2


def findings_values(run_id: RunId, result: RunResult) -> dict[str, Any]:
    """Return the columns of a row of `findings` that come from the result itself."""
    outcomes = cases_in(result)
    others = [signal for signal in result.signals if not isinstance(signal, CaseOutcome)]
    places = _places(outcomes)
    return {
        "outcome": result.outcome,
        "cases_passed": sum(outcome.outcome is Outcome.PASSED for outcome in outcomes),
        "cases_total": len(outcomes),
        "cases_disputed": sum(outcome.outcome is Outcome.DISPUTED for outcome in outcomes),
        "cases_not_tried": sum(outcome.outcome is Outcome.NOT_TRIED for outcome in outcomes),
        "share": share_passed(outcomes),
        "flags": sum(isinstance(signal, Finding) and signal.is_raised for signal in result.signals),
        "position": position(run_id),
        "signals": pack([_without_defaults(signal_json.to_json(signal)) for signal in others]),
        "prefills": pack([_prefill_row(prefill, places) for prefill in result.prefills]),
        "diagnostics": pack(dict(result.diagnostics)),
        "rubric_id": result.rubric_id,
        "rubric_version": result.rubric_version,
        "grader_versions": dict(result.grader_versions),
        "sandbox": result.sandbox,
        "ends": dict(result.ends),
    }


def cases_in(result: RunResult) -> list[CaseOutcome]:
    """Return the cases of a result, in the order in which they were reported."""
    return [signal for signal in result.signals if isinstance(signal, CaseOutcome)]


def packed_cases(outcomes: Sequence[CaseOutcome]) -> bytes:
    """Return the cases as a row of `cases` keeps them."""
    return pack([_without_defaults(signal_json.to_json(outcome)) for outcome in outcomes])


def submission_values(record: SubmissionRecord) -> dict[str, Any]:
    """Return a submission as a row."""
    submission = record.submission
    return {
        "id": submission.id,
        "task_id": submission.task_id,
        "task_version": record.task_version,
        "files": pack(dict(submission.files)),
        "model": submission.model,
        "group_id": submission.group_id,
        "client_id": record.client_id,
        "tag": record.tag,
        "created_at": record.created_at,
        "minimum_tier": record.minimum_tier,
        "submitter": record.submitter,
    }


def summary_of(row: Row[Any]) -> RunSummary:
    """Return the summary that a row of `SUMMARIES` holds."""
    known = row.outcome is not None
    return RunSummary(
        id=RunId(row.id),
        submission_id=SubmissionId(row.submission_id),
        task_id=TaskId(row.task_id),
        task_version=row.task_version,
        submitter=row.submitter,
        client_id=row.client_id,
        tag=row.tag,
        state=RunState(row.state),
        attempt=row.attempt,
        created_at=row.created_at,
        finished_at=row.finished_at,
        tally=_tally(row) if known else None,
        findings=_findings(row, None) if known else None,
    )


def _tally(row: Row[Any]) -> Tally:
    return Tally(
        passed=row.cases_passed,
        total=row.cases_total,
        share=row.share,
        disputed=row.cases_disputed,
        not_tried=row.cases_not_tried,
    )


def record_of(row: Row[Any], outcomes: Sequence[CaseOutcome] | None) -> RunRecord:
    """Return the record that a row of `WITHOUT_CASES` holds, with these cases; None leaves its findings without cases."""
    submission = Submission(
        id=SubmissionId(row.submission_id),
        task_id=TaskId(row.task_id),
        files=unpack(row.files),
        model=row.model,
        group_id=row.group_id,
    )
    return RunRecord(
        id=RunId(row.id),
        submission=SubmissionRecord(
            submission=submission,
            task_version=row.task_version,
            client_id=row.client_id,
            tag=row.tag,
            created_at=row.submitted_at,
            minimum_tier=Tier(row.minimum_tier),
            submitter=row.submitter,
        ),
        state=RunState(row.state),
        attempt=row.attempt,
        created_at=row.created_at,
        finished_at=row.finished_at,
        findings=None if row.outcome is None else _findings(row, outcomes),
    )


def cases_of(row: Row[Any]) -> tuple[CaseOutcome, ...]:
    """Return the cases that a row of `RECORDS` holds."""
    rows = [] if row.outcomes is None else unpack(row.outcomes)
    return tuple(case for case in map(signal_json.from_json, rows) if isinstance(case, CaseOutcome))


def _places(outcomes: Sequence[CaseOutcome]) -> Mapping[int, int]:
    """Return each case's place by identity: pre-fills cite the same objects, and hashing a thousand long cases is slow."""
    return {id(outcome): place for place, outcome in enumerate(outcomes)}


def _prefill_row(prefill: Prefill, places: Mapping[int, int]) -> dict[str, Any]:
    """Return the pre-fill as JSON. A cited case is short, and `at` is its place among the run's cases."""
    row = prefill_to_json(prefill)
    for signal, cited in zip(prefill.because, row["because"], strict=True):
        if id(signal) in places:
            cited |= {**dict.fromkeys(_LONG, ""), "at": places[id(signal)]}
    return {**row, "because": [_without_defaults(cited) for cited in row["because"]]}


def _without_defaults(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row without its defaults, which `from_json` fills in. A page of runs is mostly such rows."""
    usual = _USUAL[row["kind"]]
    return {name: value for name, value in row.items() if name not in usual or value != usual[name]}


def _prefill(row: dict[str, Any], outcomes: Sequence[CaseOutcome] | None) -> Prefill:
    """Return the pre-fill of a `_prefill_row`. If the outcomes are None, cited cases stay short."""
    places = [cited.pop("at", None) for cited in row["because"]]
    prefill = prefill_from_json(row)
    if outcomes is None:
        return prefill
    whole = (short if at is None else outcomes[at] for at, short in zip(places, prefill.because, strict=True))
    return replace(prefill, because=tuple(whole))


def _findings(row: Row[Any], outcomes: Sequence[CaseOutcome] | None) -> RunResult:
    """Return the result that a row holds, with these cases; None leaves them out."""
    return RunResult(
        outcome=RunOutcome(row.outcome),
        signals=(*(outcomes or ()), *(signal_json.from_json(signal) for signal in unpack(row.signals))),
        prefills=tuple(_prefill(prefill, outcomes) for prefill in unpack(row.prefills)),
        rubric_id=row.rubric_id,
        rubric_version=row.rubric_version,
        grader_versions=row.grader_versions,
        sandbox=row.sandbox,
        ends=row.ends,
        diagnostics=unpack(row.diagnostics),
    )
