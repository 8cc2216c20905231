"""`assay verify`: does a task package do what its author says? Through the HTTP API, like everybody else's submissions.

All submissions that come with the package run once and must end as stated; the reference runs three times on top of
that and must pass each time, because a suite whose reference fails now and then grades by chance.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from graders import package
from graders.package import PackagedSubmission
from service.api.schemas import RunOut, SubmissionIn, TaskOut
from service.progress import Progress
from service.web.visible import plain

REFERENCE_RUNS = 3
"""How often the reference must pass."""


class Evaluator(Protocol):
    """What of `service.client.Client` is needed here."""

    def put_task(self, files: Mapping[str, str]) -> TaskOut: ...

    def run_many(self, submissions: Iterable[SubmissionIn], *, tag: str) -> Iterator[RunOut]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A submission of the package, and what became of it."""

    name: str
    expected: str
    """`passed` or `failed`."""
    run: RunOut
    surprises: tuple[str, ...]
    """What differs from what the author said, a sentence each; empty where all is as stated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """A package, verified."""

    task_id: str
    version: str
    limits: Mapping[str, float | str]
    """As the task states them: a number, or `10x` where it is times what the reference takes."""
    rows: tuple[Verified, ...]

    @property
    def resolved(self) -> tuple[str, ...]:
        """What the relative limits came to, a sentence for each suite; more than one where workers differ."""
        relative = [name for name, stated in self.limits.items() if isinstance(stated, str)]
        names = {f"{name.removesuffix('_seconds')}-limit" for name in relative}
        found = (finding for row in self.rows for finding in row.run.findings if finding.get("name") in names)
        return tuple(sorted({f"{each['name']} {each['value']:g} s: {plain(str(each['note']))}" for each in found}))

    @property
    def as_stated(self) -> bool:
        return not any(row.surprises for row in self.rows)


def surprises(packaged: PackagedSubmission, run: RunOut) -> tuple[str, ...]:
    """What of a finished run its package did not announce: a sentence each, with what was expected and what came."""
    found = []
    if run.outcome != packaged.outcome:
        found.append(f"expected {packaged.outcome}, got {run.outcome}{_why(run)}")
    findings = [finding for finding in run.findings if finding.get("kind") == "finding"]
    rules = {finding["rule"] for finding in findings}
    got = ", ".join(sorted(rules)) or "none"
    found += [f"expected the finding {rule}, got {got}" for rule in packaged.findings if rule not in rules]
    if packaged.kind == "insecure" and not any(finding["criterion"] == "security" for finding in findings):
        found.append("expected a security finding, got none")
    return tuple(found)


def _why(run: RunOut) -> str:
    if run.outcome == "ungradable":
        return f" ({plain(' '.join(run.diagnostics.values()))})"
    if run.cases is not None:
        return f" ({run.cases.passed} of {run.cases.total} cases passed)"
    return ""


def verify(files: Mapping[str, str], client: Evaluator, progress: Progress) -> VerifyReport:
    """Store the package (path -> text) and run all that it brings along.

    Raises PackageError for a package that does not load, ApiError where the server fails us.
    """
    task = package.load(files)
    expected = {submission.name: submission for submission in package.submissions(files)}
    for number in range(1, REFERENCE_RUNS + 1):
        name = f"reference, {number} of {REFERENCE_RUNS}"
        expected[name] = PackagedSubmission(
            name=name, kind="accepted", files=task.reference, outcome="passed", findings=()
        )
    stored = client.put_task(files)
    # A fresh tag each time: what the same package did an hour ago says nothing about what it does now.
    tag = f"verify-{secrets.token_hex(8)}"
    requests = [_request(submission, stored, tag, number) for number, submission in enumerate(expected.values())]
    progress.start(task.id, total=len(requests), done=0)
    runs: dict[str, RunOut] = {}
    for run in client.run_many(requests, tag=tag):
        runs[run.id] = run
        progress.advance()
    rows = (
        Verified(name=name, expected=submission.outcome, run=runs[name], surprises=surprises(submission, runs[name]))
        for name, submission in expected.items()
    )
    relative = {name: f"{times:g}x" for name, times in task.relative.items()}
    limits = {**asdict(task.limits), **relative}
    return VerifyReport(task_id=task.id, version=stored.version, limits=limits, rows=tuple(rows))


def _request(submission: PackagedSubmission, task: TaskOut, tag: str, number: int) -> SubmissionIn:
    return SubmissionIn(
        id=submission.name,
        task_id=task.task_id,
        task_version=task.version,
        files=dict(submission.files),
        tag=tag,
        idempotency_key=f"{tag}/{number}",
    )


def as_text(reports: Sequence[VerifyReport]) -> str:
    """A table for a terminal: the limits, a line for each submission, and below it what differs."""
    lines = []
    for report in reports:
        lines.append(f"{report.task_id} (version {report.version})")
        lines.append(f"  limits: {', '.join(f'{name} {value}' for name, value in report.limits.items())}")
        lines += [f"  {sentence}" for sentence in report.resolved]
        width = max(len(row.name) for row in report.rows)
        for row in report.rows:
            mark = "DIFFERS" if row.surprises else "ok"
            cases = "" if row.run.cases is None else f"{row.run.cases.passed}/{row.run.cases.total}"
            lines.append(f"  {mark:8}{row.name:{width}}  {row.run.outcome or '':10}  {cases}".rstrip())
            lines += [f"          {surprise}" for surprise in row.surprises]
    differing = sum(bool(row.surprises) for report in reports for row in report.rows)
    total = sum(len(report.rows) for report in reports)
    lines.append(f"{total} runs, {f'{differing} not' if differing else 'all'} as stated")
    return "\n".join(lines)


def as_data(reports: Sequence[VerifyReport]) -> dict[str, Any]:
    """The same for programs, as JSON values."""
    return {
        "as_stated": all(report.as_stated for report in reports),
        "tasks": [
            {
                "task_id": report.task_id,
                "version": report.version,
                "as_stated": report.as_stated,
                "limits": dict(report.limits),
                "resolved_limits": list(report.resolved),
                "submissions": [
                    {
                        "name": row.name,
                        "expected": row.expected,
                        "outcome": row.run.outcome,
                        "cases": None if row.run.cases is None else row.run.cases.model_dump(),
                        "surprises": list(row.surprises),
                        "run_id": row.run.run_id,
                    }
                    for row in report.rows
                ],
            }
            for report in reports
        ],
    }
