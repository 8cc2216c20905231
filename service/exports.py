"""Decisions as training data. Only what a human decided; docs/reference/exports.md has the columns and the rules.

UnknownFormatError      there is no such format
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graders.interface import Submission
from rubrics.model import Review
from rubrics.preference import Response, desirable, mean_total, pairs, settled
from rubrics.review import weighted_total
from service.storage.interface import ReviewRecord, RunId, RunOutcome, RunResult, Storage

Row = dict[str, Any]


class UnknownFormatError(ValueError):
    """There is no such export format; the message names those there are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reviewed:
    """A run with its standing reviews, and what the rows say of it."""

    run_id: RunId
    submission: Submission
    client_id: str
    task_version: str
    findings: RunResult
    prompt: str
    text: str
    records: tuple[ReviewRecord, ...]

    @property
    def response(self) -> Response:
        return Response(id=self.run_id, text=self.text, reviews=tuple(record.review for record in self.records))


def export(storage: Storage, format: str) -> Iterator[Row]:
    """The rows of a format (a key of FORMATS), as JSON objects, from the reviews that stand when the first is taken.

    Raises UnknownFormatError at once, and whatever storage raises when the rows are read.
    """
    if format not in FORMATS:
        raise UnknownFormatError(f"format: expected one of {', '.join(FORMATS)}, not {format!r}")
    return _rows(storage, FORMATS[format])


def _rows(storage: Storage, of_format: Callable[[Sequence[_Reviewed], str], Iterator[Row]]) -> Iterator[Row]:
    reviewed = _reviewed(storage)
    yield from of_format(reviewed, _export_id(record.id for run in reviewed for record in run.records))


def _preference(reviewed: Sequence[_Reviewed], export_id: str) -> Iterator[Row]:
    groups: dict[tuple[str, str, str], list[_Reviewed]] = {}
    for run in reviewed:
        if run.submission.group_id:
            key = (run.submission.task_id, run.task_version, run.submission.group_id)
            groups.setdefault(key, []).append(run)
    for group in groups.values():
        by_id = {str(run.run_id): run for run in group}
        for pair in pairs([run.response for run in group]):
            chosen, rejected = by_id[pair.chosen.id], by_id[pair.rejected.id]
            yield {
                "prompt": [_message("user", chosen.prompt)],
                "chosen": [_message("assistant", chosen.text)],
                "rejected": [_message("assistant", rejected.text)],
                "margin": pair.margin,
                "provenance": {
                    "export_id": export_id,
                    **_task_and_rubric(chosen, chosen.records[0].review),
                    "chosen": _decided_by(chosen),
                    "rejected": _decided_by(rejected),
                },
            }


def _kto(reviewed: Sequence[_Reviewed], export_id: str) -> Iterator[Row]:
    for run in reviewed:
        label = desirable(run.response.reviews)
        if label is not None:
            yield {
                "prompt": [_message("user", run.prompt)],
                "completion": [_message("assistant", run.text)],
                "label": label,
                "provenance": {
                    "export_id": export_id,
                    **_task_and_rubric(run, run.records[0].review),
                    **_decided_by(run),
                },
            }


def _jsonl(reviewed: Sequence[_Reviewed], export_id: str) -> Iterator[Row]:
    for run in reviewed:
        held_back = not settled(run.response.reviews)
        for record in run.records:
            yield {
                "prompt": run.prompt,
                "files": [{"path": path, "text": text} for path, text in sorted(run.submission.files.items())],
                "model": run.submission.model,
                "outcome": run.findings.outcome.value,
                "decisions": _decisions(record),
                "harm": record.review.harm,
                "harm_note": record.review.harm_note,
                "total": weighted_total(record.review),
                "held_back": held_back,
                "suggestions": [
                    {"criterion": prefill.criterion, "level": prefill.level, "rule": prefill.rule, "says": prefill.says}
                    for prefill in run.findings.prefills
                ],
                "provenance": {"export_id": export_id, **_review_and_run(run, record)},
            }


FORMATS: Mapping[str, Callable[[Sequence[_Reviewed], str], Iterator[Row]]] = {
    "preference": _preference,
    "kto": _kto,
    "jsonl": _jsonl,
}


def response_text(files: Mapping[str, str]) -> str:
    """The submission as an assistant would write it: a fenced block per file, by path.

    Several files are each preceded by a line with their path. A fence is longer than any run of backticks inside it.
    """
    if len(files) == 1:
        return "".join(_fenced(path, text) for path, text in files.items())
    return "\n\n".join(f"File: {path}\n{_fenced(path, files[path])}" for path in sorted(files))


def _fenced(path: str, text: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    language = "python" if path.endswith(".py") else ""
    body = text if text.endswith("\n") else f"{text}\n"
    return f"{fence}{language}\n{body}{fence}"


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def _task_and_rubric(run: _Reviewed, review: Review) -> Row:
    return {
        "task_id": run.submission.task_id,
        "task_version": run.task_version,
        "group_id": run.submission.group_id,
        "rubric_id": review.rubric_id,
        "rubric_version": review.rubric_version,
    }


def _decided_by(run: _Reviewed) -> Row:
    return {
        "run_id": run.run_id,
        "submission_id": run.submission.id,
        "client_id": run.client_id,
        "review_ids": [record.id for record in run.records],
        "reviewers": [record.reviewer for record in run.records],
        "total": mean_total(run.response.reviews),
    }


def _review_and_run(run: _Reviewed, record: ReviewRecord) -> Row:
    return {
        **_task_and_rubric(run, record.review),
        "run_id": run.run_id,
        "submission_id": run.submission.id,
        "client_id": run.client_id,
        "review_id": record.id,
        "reviewer": record.reviewer,
        "reviewed_at": record.created_at.isoformat(),
        "sandbox": run.findings.sandbox,
        "graders": [{"id": id, "version": version} for id, version in sorted(run.findings.grader_versions.items())],
    }


def _decisions(record: ReviewRecord) -> list[Row]:
    return [
        {
            "criterion": entry.decision.criterion,
            "level": entry.decision.level,
            "verdict": entry.verdict,
            "note": entry.decision.note,
            "milliseconds": entry.decision.milliseconds,
            "weight": entry.weight,
            "levels_seen": list(entry.levels_seen),
        }
        for entry in record.review.decided
    ]


def _reviewed(storage: Storage) -> list[_Reviewed]:
    """Each gradable run that has a standing review, in the order of the first one."""
    records: dict[RunId, list[ReviewRecord]] = {}
    for record in storage.reviews.standing():
        records.setdefault(record.run_id, []).append(record)
    prompts: dict[tuple[str, str], str] = {}
    reviewed = []
    for run_id, standing in records.items():
        run = storage.run(run_id)
        # What we did not manage to evaluate is no statement about the response, whoever reviewed it.
        if run.findings is None or run.findings.outcome is RunOutcome.UNGRADABLE:
            continue
        submission, version = run.submission.submission, run.submission.task_version
        if (submission.task_id, version) not in prompts:
            prompts[submission.task_id, version] = storage.task(submission.task_id, version).files["prompt.md"]
        reviewed.append(
            _Reviewed(
                run_id=run_id,
                submission=submission,
                client_id=run.submission.client_id,
                task_version=version,
                findings=replace(run.findings, signals=()),  # thousands of cases that no row says anything of
                prompt=prompts[submission.task_id, version],
                text=response_text(submission.files),
                records=tuple(standing),
            )
        )
    return reviewed


def _export_id(review_ids: Iterator[str]) -> str:
    """The same reviews give the same id; one more, or one withdrawn, another."""
    return hashlib.sha256("\n".join(sorted(review_ids)).encode()).hexdigest()[:16]
