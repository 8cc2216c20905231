"""Decisions as training data. Only human decisions are exported; docs/reference/exports.md has the columns and the rules.

UnknownFormatError      the format is unknown
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from graders.interface import Submission, TaskId
from rubrics.model import Review
from rubrics.preference import Response, desirable, mean_total, pairs, settled
from rubrics.review import weighted_total
from service.storage.interface import ReviewKey, ReviewRecord, RunId, RunResult
from service.storage.storage import Storage

Row = dict[str, Any]

RUNS_AT_ONCE = 50
"""Runs that one batch reads, with their files and reviews."""


class UnknownFormatError(ValueError):
    """The export format is unknown; the message names the known ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reviewed:
    """A run with its standing reviews, and everything that rows are made from."""

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
    """Yield the rows of a format (a key of FORMATS) as JSON objects.

    They are made of the reviews that stand when the first row is taken. Only the keys of those are in memory all along;
    runs and reviews are read in batches. Raise UnknownFormatError at once, and StorageError while rows are read.
    """
    if format not in FORMATS:
        raise UnknownFormatError(f"format: expected one of {', '.join(FORMATS)}, not {format!r}")
    return _rows(storage, FORMATS[format])


@dataclass(frozen=True, slots=True, kw_only=True)
class _ExportFormat:
    rows: Callable[[Sequence[_Reviewed], str], Iterator[Row]]
    """From runs that were read together, and the id of the export."""
    compares_groups: bool = False
    """The responses of a group are read together, instead of any RUNS_AT_ONCE runs."""


def _rows(storage: Storage, format: _ExportFormat) -> Iterator[Row]:
    keys = storage.reviews.keys()
    export_id = _export_id(key.id for key in keys)
    by_run: dict[RunId, list[ReviewKey]] = {}
    for key in keys:
        by_run.setdefault(key.run_id, []).append(key)
    for together in _groups(by_run) if format.compares_groups else _batches(list(by_run)):
        reviewed = [run for batch in _batches(together) for run in _read(storage, {id: by_run[id] for id in batch})]
        yield from format.rows(reviewed, export_id)


def _batches(ids: Sequence[RunId]) -> Iterator[Sequence[RunId]]:
    return (ids[start : start + RUNS_AT_ONCE] for start in range(0, len(ids), RUNS_AT_ONCE))


def _groups(by_run: Mapping[RunId, Sequence[ReviewKey]]) -> Iterator[Sequence[RunId]]:
    """Yield the runs of each group that has several, in the order of the groups' first reviews."""
    groups: dict[tuple[str, str, str], list[RunId]] = {}
    for run_id, (key, *_) in by_run.items():
        if key.group_id:
            groups.setdefault((key.task_id, key.task_version, key.group_id), []).append(run_id)
    return (ids for ids in groups.values() if len(ids) > 1)


def _preference(group: Sequence[_Reviewed], export_id: str) -> Iterator[Row]:
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


FORMATS: Mapping[str, _ExportFormat] = {
    "preference": _ExportFormat(rows=_preference, compares_groups=True),
    "kto": _ExportFormat(rows=_kto),
    "jsonl": _ExportFormat(rows=_jsonl),
}


def response_text(files: Mapping[str, str]) -> str:
    """Return the submission as an assistant would write it: a fenced block for each file, by path.

    If there are several files, a line with its path comes before each. A fence is longer than any run of backticks inside it.
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


def _read(storage: Storage, by_run: Mapping[RunId, Sequence[ReviewKey]]) -> list[_Reviewed]:
    """Return these runs with their reviews, in the same order."""
    runs = storage.runs.without_cases(by_run)
    records = storage.reviews.by_id([key.id for keys in by_run.values() for key in keys])
    prompts: dict[tuple[TaskId, str], str] = {}
    reviewed = []
    for run_id, keys in by_run.items():
        run = runs[run_id]
        submission, version = run.submission.submission, run.submission.task_version
        if (submission.task_id, version) not in prompts:
            prompts[submission.task_id, version] = storage.tasks.get(submission.task_id, version).files["prompt.md"]
        assert run.findings is not None, "only a finished run has a review"
        reviewed.append(
            _Reviewed(
                run_id=run_id,
                submission=submission,
                client_id=run.submission.client_id,
                task_version=version,
                findings=run.findings,
                prompt=prompts[submission.task_id, version],
                text=response_text(submission.files),
                records=tuple(records[key.id] for key in keys),
            )
        )
    return reviewed


def _export_id(review_ids: Iterator[str]) -> str:
    """Return an id of the exported reviews: the same reviews make the same id, in any order."""
    return hashlib.sha256("\n".join(sorted(review_ids)).encode()).hexdigest()[:16]
