"""`assay demo`: run the example tasks' submissions through a real service, and show the results."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from graders.tasks import package
from graders.tasks.package import PackagedSubmission
from service.authoring.verify import surprises
from service.client import Client
from service.progress import Progress
from service.schemas import RunOut, SubmissionIn
from service.visible_text import plain

TAG = "demo"
EVIDENCE_CHARACTERS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleRun:
    """One example submission and its run."""

    task_id: str
    packaged: PackagedSubmission
    run: RunOut

    @property
    def surprises(self) -> tuple[str, ...]:
        """Return a sentence for each result that its author did not expect."""
        return surprises(self.packaged, self.run)


def examples_folder() -> Path:
    """Return the folder of example tasks in this checkout. Raises FileNotFoundError in an installed copy."""
    folder = Path(__file__).parents[2] / "examples"
    if not folder.is_dir():
        raise FileNotFoundError(
            f"there are no example tasks at {folder}: `assay demo` runs in a checkout of the project"
        )
    return folder


def run_demo(client: Client, packages: Sequence[Mapping[str, str]], progress: Progress) -> tuple[ExampleRun, ...]:
    """Submit all that the packages bring along and wait for it; what was run before is found again. Raises ApiError."""
    requests: list[SubmissionIn] = []
    submitted: dict[str, tuple[str, PackagedSubmission]] = {}
    progress.start("tasks", total=len(packages), done=0)
    for files in packages:
        task = client.put_task(files)
        progress.advance()
        for packaged in package.parse(files).submissions:
            id = f"{task.task_id}/{packaged.name}"
            submitted[id] = task.task_id, packaged
            requests.append(_request(id, task.task_id, task.version, packaged))
    progress.start("submissions", total=len(requests), done=0)
    runs = {}
    for run in client.run_many(requests, tag=TAG):
        runs[run.id] = run
        progress.advance()
    return tuple(
        ExampleRun(task_id=task, packaged=packaged, run=runs[id]) for id, (task, packaged) in submitted.items()
    )


def _request(id: str, task_id: str, version: str, packaged: PackagedSubmission) -> SubmissionIn:
    content = json.dumps([id, version, dict(packaged.files)], sort_keys=True)
    return SubmissionIn.model_validate(
        {
            "id": id,
            "task_id": task_id,
            "task_version": version,
            "files": dict(packaged.files),
            "tag": TAG,
            # All responses to one prompt: the examples give pairs for the preference export.
            "group_id": f"{TAG}/{task_id}",
            "idempotency_key": hashlib.sha256(content.encode()).hexdigest(),
        }
    )


def as_data(shown: Sequence[ExampleRun], sign_in: str) -> dict[str, Any]:
    """Return the document that `--json` prints."""
    rows = [
        {
            "task_id": row.task_id,
            "submission": row.packaged.name,
            "expected": row.packaged.outcome,
            "outcome": row.run.outcome,
            "as_expected": not row.surprises,
            "surprises": list(row.surprises),
            "cases": None if row.run.cases is None else row.run.cases.model_dump(),
            "flags": row.run.flags,
            "prefills": [prefill.model_dump() for prefill in row.run.prefills],
            "run_id": row.run.run_id,
        }
        for row in shown
    ]
    return {"as_expected": not any(row.surprises for row in shown), "submissions": rows, "review": sign_in}


def as_table(shown: Sequence[ExampleRun]) -> Table:
    """Return the table for people: a section for each task, a column for each criterion's suggested level."""
    criteria = list(dict.fromkeys(prefill.criterion for row in shown for prefill in row.run.prefills))
    table = Table(title="Example submissions, and what a reviewer will see suggested", title_justify="left")
    for header in ("submission", "outcome", "cases"):
        table.add_column(header, overflow="fold")
    for criterion in criteria:
        table.add_column(criterion.replace("_", "\n"), justify="center")
    table.add_column("evidence", overflow="fold", ratio=1)
    for task_id, rows in groupby(shown, key=lambda row: row.task_id):
        table.add_section()
        table.add_row(Text(task_id, style="bold"))
        for row in rows:
            table.add_row(*_cells(row, criteria))
    return table


def _cells(row: ExampleRun, criteria: Sequence[str]) -> Iterator[str | Text]:
    # Text, not strings: what came out of a submission must not be read as rich's markup.
    yield Text(f"  {row.packaged.name}")
    yield Text(row.run.outcome or "", style="bold red" if row.surprises else "green")
    yield "" if row.run.cases is None else f"{row.run.cases.passed}/{row.run.cases.total}"
    for criterion in criteria:
        level = row.run.levels.get(criterion)
        yield "-" if level is None else str(level)
    yield Text("\n".join([*row.surprises, *_evidence(row.run), *_flags(row.run)]))


def _evidence(run: RunOut) -> Iterator[str]:
    """Yield why each level is suggested: the rule, and its most important signal."""
    for prefill in run.prefills:
        if prefill.level is not None:
            text = " ".join(" ".join(plain(line).split()) for line in (prefill.says, *prefill.evidence[:1]))
            yield text if len(text) <= EVIDENCE_CHARACTERS else f"{text[:EVIDENCE_CHARACTERS]}..."


def _flags(run: RunOut) -> Iterator[str]:
    if run.flags:
        yield f"Flags: {', '.join(run.flags)}"
