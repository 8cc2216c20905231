"""`assay eval`: evaluate a file of solutions through the HTTP API, and continue after an interruption.

A line that cannot be evaluated is left out and reported, and its row in the results has the reason. All others are evaluated.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graders.tasks import package
from rubrics.input_error import InputError
from service.batch_eval.results_file import ResultsFile
from service.batch_eval.samples import LeftOut, Sample, Samples
from service.client import Client, RefusedError
from service.importers.package_text import ImportedTask
from service.progress import Progress
from service.runs.intake import check_files
from service.schemas import Cases, RunOut, SubmissionIn

LEFT_OUT = "left-out"
"""Outcome of a row that was not evaluated; no outcome of a run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The results of one command's samples."""

    outcomes: Mapping[str, int]
    """Outcome -> number of the samples evaluated now."""
    kept: int
    """Samples whose results were there already."""
    troubles: tuple[str, ...]
    """Why runs were ungradable, each reason once."""
    left_out: tuple[str, ...]
    """Lines that were not evaluated: line, field and what was expected."""


def evaluate(
    client: Client, tasks: Mapping[str, ImportedTask], asked: Samples, out: Path, progress: Progress
) -> Summary:
    """Evaluate the samples whose results are not in `out` yet, and append their results as they finish.

    Raises:
        InputError: if `out` has results of something else; nothing is submitted then.
        ApiError: if the server fails. Results that were ready by then are kept.
    """
    samples, bodies, left_out = _fitting(asked, tasks)
    digests = {sample.id: _digest(bodies[sample.id], tasks[sample.task_id]) for sample in samples}
    outcomes: Counter[str] = Counter()
    troubles: dict[str, None] = {}
    with ResultsFile(out, {sample.id: (sample.task_id, digests[sample.id]) for sample in samples}) as results:
        for line in left_out:
            _note(results, line)
        missing = [sample for sample in samples if sample.id not in results.done]
        kept = len(samples) - len(missing)
        versions = _put_tasks(client, tasks, missing, progress)
        requests = (
            SubmissionIn.model_validate(
                {
                    **bodies[sample.id],
                    "id": sample.id,
                    "task_id": sample.task_id,
                    "task_version": versions[sample.task_id],
                    "tag": results.tag,
                    "idempotency_key": _sha256([results.tag, sample.id, digests[sample.id]]),
                }
            )
            for sample in missing
        )

        def refused(error: RefusedError) -> None:
            sample = missing[error.index]
            expected = InputError(sample.where, f"a sample that the server accepts ({error})")
            left_out.append(LeftOut(error=expected, id=sample.id, task_id=sample.task_id))
            _note(results, left_out[-1])
            progress.advance()

        progress.start("samples", total=len(samples), done=kept)
        for run in client.run_many(requests, tag=results.tag, refused=refused):
            results.add(_row(run))
            outcomes[run.outcome or ""] += 1
            if run.outcome == "ungradable":
                troubles[run.diagnostics.get("message", "no reason given")] = None
            progress.advance()
    return Summary(
        outcomes=outcomes, kept=kept, troubles=tuple(troubles), left_out=tuple(str(line.error) for line in left_out)
    )


def _fitting(
    asked: Samples, tasks: Mapping[str, ImportedTask]
) -> tuple[Sequence[Sample], Mapping[str, Mapping[str, Any]], list[LeftOut]]:
    """Return the samples that can be submitted, their bodies by id, and all the other lines."""
    samples, bodies, left_out = [], {}, list(asked.left_out)
    for sample in asked.good:
        try:
            bodies[sample.id] = _body(sample, tasks)
        except InputError as error:
            left_out.append(LeftOut(error=error, id=sample.id, task_id=sample.task_id))
        else:
            samples.append(sample)
    return samples, bodies, left_out


def _note(results: ResultsFile, line: LeftOut) -> None:
    """Write a row for a line that is left out, if the line has its own id; without one the row could not be attributed."""
    if line.id:
        results.add(
            {
                "id": line.id,
                "task_id": line.task_id,
                "outcome": LEFT_OUT,
                "reward": None,
                "cases": _NO_CASES,
                "ends": {},
                "flags": [],
                "levels": {},
                "run_id": "",
                "error": str(line.error),
            }
        )


_NO_CASES = Cases(passed=0, failed=0, total=0).model_dump()


def _body(sample: Sample, tasks: Mapping[str, ImportedTask]) -> dict[str, Any]:
    """Return `solution` or `files` of the submission. Raises InputError if the task cannot take the sample."""
    task = tasks.get(sample.task_id)
    if task is None:
        raise InputError(f"{sample.where}: task_id", f"the id of one of the {len(tasks)} tasks, not {sample.task_id!r}")
    if sample.completion is not None and task.completed_prompt is None:
        raise InputError(
            f"{sample.where}: completion", f"`solution` or `files`: {task.id} does not have code to complete"
        )
    if sample.files is not None:
        body: dict[str, Any] = {"files": dict(sample.files)}
    elif sample.completion is not None:
        body = {"solution": (task.completed_prompt or "") + sample.completion}
    else:
        body = {"solution": sample.solution}
    # The server's own check, made before half of the samples are sent.
    files = body["files"] if "files" in body else {task.entry_file: body["solution"]}
    for wrong in check_files(files, task.entry_file):
        field = wrong.field if "files" in body else "solution" if sample.completion is None else "completion"
        raise InputError(f"{sample.where}: {field}", wrong.expected)
    return body


def _digest(body: Mapping[str, Any], task: ImportedTask) -> str:
    """Return a digest of all that decides a sample's result: the submission and the version of the task."""
    return _sha256([package.version(task.files), body])[:16]


def _sha256(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _put_tasks(
    client: Client, tasks: Mapping[str, ImportedTask], samples: Sequence[Sample], progress: Progress
) -> Mapping[str, str]:
    """Store the tasks of these samples; their versions by id."""
    ids = dict.fromkeys(sample.task_id for sample in samples)
    progress.start("tasks", total=len(ids), done=0)
    versions = {}
    for id in ids:
        versions[id] = client.put_task(tasks[id].files).version
        progress.advance()
    return versions


def _row(run: RunOut) -> dict[str, Any]:
    cases = _NO_CASES if run.cases is None else run.cases.model_dump()
    return {
        "id": run.id,
        "task_id": run.task_id,
        "outcome": run.outcome,
        "reward": run.reward,
        "cases": cases,
        "ends": run.ends,
        "flags": run.flags,
        "levels": run.levels,
        "run_id": run.run_id,
    }
