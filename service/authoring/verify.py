"""`assay verify`: check that a task package does what its author states, through the HTTP API like any other client.

All submissions of the package run once and must end as stated. The reference runs three more times and must pass each
time: a suite whose reference fails now and then grades by chance.
"""

import secrets
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any, Protocol

from graders.suites.verdicts import NO_VERDICT
from graders.tasks import package
from graders.tasks.package import PackagedSubmission
from rubrics.signals import ABOUT_THE_TASK
from service.progress import Progress
from service.schemas import CaseOut, RunOut, SubmissionIn, TaskOut
from service.visible_text import plain

REFERENCE = "reference"
"""How the names of its own runs begin; those of submissions begin with the name of a folder and a slash."""
REFERENCE_RUNS = 3
"""How often the reference must pass."""
MOST_CASES = 20
"""Most cases of one submission that are requested. A fault shows in the first of them."""
BRIEF_CHARACTERS = 60
"""Most characters that are shown of a text already reported for another submission."""
SHOWN_CASES, SHOWN_LINES = 3, 40
"""On a terminal: cases of a submission, and lines of each text."""


class Evaluator(Protocol):
    """The part of `service.client.Client` that is needed here."""

    def put_task(self, files: Mapping[str, str]) -> TaskOut: ...

    def run_many(self, submissions: Iterable[SubmissionIn], *, tag: str) -> Iterator[RunOut]: ...

    def cases(self, run_id: str) -> Iterable[CaseOut]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A submission of the package and the result of its run."""

    name: str
    expected: str
    """`passed` or `failed`."""
    run: RunOut
    surprises: tuple[str, ...]
    """A sentence for each difference from what the author stated; empty if there is none."""
    warnings: tuple[str, ...] = ()
    """Facts the author should know although the run ended as stated: a wrong program is disputed and so did not fail."""
    disputed: tuple[str, ...] = ()
    """For each suite with disputed cases, a sentence with their number, the first of them and what to do."""
    cases: tuple[CaseOut, ...] = ()
    """The first cases that the author should look at: failed although the submission should pass, or without a verdict."""

    @property
    def to_mend(self) -> tuple[str, ...]:
        """Return a sentence for each finding about the task itself. The run may have ended as stated."""
        rules = ((str(finding.get("rule", "")), finding) for finding in self.run.findings)
        return tuple(plain(str(each.get("message"))) for rule, each in rules if rule.startswith(ABOUT_THE_TASK))


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyReport:
    """A package, verified."""

    task_id: str
    version: str
    limits: Mapping[str, float | str]
    """Limits as the task states them: a number, or `10x` for ten times what the reference takes."""
    rows: tuple[Verified, ...]

    @property
    def resolved(self) -> tuple[str, ...]:
        """Return a sentence for each suite with the values of its relative limits; several if workers differ."""
        relative = [name for name, stated in self.limits.items() if isinstance(stated, str)]
        names = {f"{name.removesuffix('_seconds')}-limit" for name in relative}
        found = (finding for row in self.rows for finding in row.run.findings if finding.get("name") in names)
        return tuple(sorted({f"{each['name']} {each['value']:g} s: {plain(str(each['note']))}" for each in found}))

    @property
    def reference_passed(self) -> bool:
        """True if the reference passed; if not, the worth of the suites is unknown."""
        return not any(row.surprises for row in self.rows if row.name.startswith(f"{REFERENCE}, "))

    @property
    def as_stated(self) -> bool:
        return not any(row.surprises for row in self.rows)


def surprises(packaged: PackagedSubmission, run: RunOut) -> tuple[str, ...]:
    """Return a sentence for each result that the package did not announce, with what was expected and what came."""
    found = []
    if run.outcome != packaged.outcome and not _is_no_credit(packaged, run):
        found.append(f"expected {packaged.outcome}, got {run.outcome}{_why(run)}")
    findings = [finding for finding in run.findings if finding.get("kind") == "finding"]
    rules = {finding["rule"] for finding in findings}
    got = ", ".join(sorted(rules)) or "none"
    found += [f"expected the finding {rule}, got {got}" for rule in packaged.findings if rule not in rules]
    if packaged.kind == "insecure" and not any(finding["criterion"] == "security" for finding in findings):
        found.append("expected a security finding, got none")
    return tuple(found)


def warnings(packaged: PackagedSubmission, run: RunOut) -> tuple[str, ...]:
    """Return what the author should know about a finished run that ended as announced."""
    return ("disputed, not failed: a reviewer has to decide it",) if _is_no_credit(packaged, run) else ()


def _is_no_credit(packaged: PackagedSubmission, run: RunOut) -> bool:
    """Return whether a wrong program is disputed: it is not credited, which is what its author wants most."""
    return (packaged.outcome, run.outcome) == ("failed", "disputed")


def _why(run: RunOut) -> str:
    if run.outcome == "ungradable":
        return f" ({plain(run.diagnostics.get('message', 'no reason given'))})"
    if run.outcome == "disputed" and run.cases is not None:
        return f" ({run.cases.disputed} of {run.cases.total} cases disputed)"
    if run.cases is not None:
        return f" ({run.cases.passed} of {run.cases.total} cases passed)"
    return ""


def verify(files: Mapping[str, str], client: Evaluator, progress: Progress) -> VerifyReport:
    """Store the package (path -> text) and run all its submissions.

    Raises PackageError if the package does not load, ApiError if the server fails.
    """
    packaged = package.parse(files)
    task = packaged.task
    expected = {submission.name: submission for submission in packaged.submissions}
    for number in range(1, REFERENCE_RUNS + 1):
        name = f"{REFERENCE}, {number} of {REFERENCE_RUNS}"
        expected[name] = PackagedSubmission(
            name=name, kind="accepted", files=task.reference, outcome="passed", findings=()
        )
    stored = client.put_task(files)
    # A fresh tag each time: an hour-old result of the same package is not evidence about the present.
    tag = f"verify-{secrets.token_hex(8)}"
    requests = [_request(submission, stored, tag, number) for number, submission in enumerate(expected.values())]
    progress.start(task.id, total=len(requests), done=0)
    runs: dict[str, RunOut] = {}
    for run in client.run_many(requests, tag=tag):
        runs[run.id] = run
        progress.advance()
    rows = (_verified(submission, runs[name], client) for name, submission in expected.items())
    relative = {name: f"{times:g}x" for name, times in task.relative.items()}
    limits = {**asdict(task.limits), **relative}
    return VerifyReport(task_id=task.id, version=stored.version, limits=limits, rows=tuple(rows))


def _verified(submission: PackagedSubmission, run: RunOut, client: Evaluator) -> Verified:
    row = Verified(
        name=submission.name,
        expected=submission.outcome,
        run=run,
        surprises=surprises(submission, run),
        warnings=warnings(submission, run),
    )
    failed = submission.outcome == "passed" and run.outcome in ("failed", "disputed")
    if run.cases is not None and run.cases.disputed:
        row = replace(row, disputed=_disputed(client.cases(run.run_id)))
    if not failed and not row.to_mend:
        return row
    cases = (case for case in client.cases(run.run_id) if failed or case.note.startswith(NO_VERDICT))
    return replace(row, cases=tuple(islice(cases, MOST_CASES)))


def _disputed(cases: Iterable[CaseOut]) -> tuple[str, ...]:
    by_suite: dict[str, list[CaseOut]] = {}
    for case in cases:
        if case.outcome == "disputed":
            by_suite.setdefault(case.suite, []).append(case)
    return tuple(
        f"suite {suite}: {_first_of(found)}: {plain(found[0].note) or 'two examinations disagree'}"
        for suite, found in by_suite.items()
    )


def _first_of(disputed: Sequence[CaseOut]) -> str:
    first = plain(disputed[0].case)
    return f"{first} is disputed" if len(disputed) == 1 else f"{first} and {len(disputed) - 1} more are disputed"


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
    """Return a table for a terminal: the limits, a line for each submission, and the differences below it."""
    lines = []
    for report in reports:
        lines.append(f"{report.task_id} (version {report.version})")
        lines.append(f"  limits: {', '.join(f'{name} {value}' for name, value in report.limits.items())}")
        lines += [f"  {sentence}" for sentence in report.resolved]
        seen: dict[str, str] = {}
        width = max(len(row.name) for row in report.rows)
        for row in report.rows:
            mark = "DIFFERS" if row.surprises else "warning" if row.warnings else "ok"
            cases = "" if row.run.cases is None else f"{row.run.cases.passed}/{row.run.cases.total}"
            lines.append(f"  {mark:8}{row.name:{width}}  {row.run.outcome or '':10}  {cases}".rstrip())
            for told in _told(row):
                # The reference runs several times, and fails in the same way each time.
                before = seen.setdefault(told, row.name)
                lines += _indented(told if before == row.name else f"as {before}: {_brief(told)}", 10)
    differing = sum(bool(row.surprises) for report in reports for row in report.rows)
    warned = sum(bool(row.warnings) for report in reports for row in report.rows)
    total = sum(len(report.rows) for report in reports)
    told = f", {warned} disputed and not failed" if warned else ""
    lines.append(f"{total} runs, {f'{differing} not' if differing else 'all'} as stated{told}")
    return "\n".join(lines)


def _told(row: Verified) -> Iterator[str]:
    """Yield the texts to print below a row's line; each has one or more lines."""
    yield from row.surprises
    yield from (f"warning: {sentence}" for sentence in row.warnings)
    yield from (f"disputed: {sentence}" for sentence in row.disputed)
    yield from (f"task: {sentence}" for sentence in row.to_mend)
    for case in row.cases[:SHOWN_CASES]:
        parts = (("input", case.given), ("wanted", case.wanted), ("got", case.got), ("note", case.note))
        ended = f" ({case.end})" if case.end else ""
        texts = [_part(name, text) for name, text in parts if text]
        yield "\n  ".join([f"case {plain(case.case)} of suite {case.suite}: {case.outcome}{ended}", *texts])
    if len(row.cases) > SHOWN_CASES:
        yield "and more cases (--json has them)"


def _part(name: str, text: str) -> str:
    first, *more = _indented(text, 0)
    return "\n".join([f"{name}:", *_indented(text, 4)]) if more else f"{name}: {first}"


def _brief(text: str) -> str:
    first = text.partition("\n")[0]
    return first if len(first) <= BRIEF_CHARACTERS else f"{first[:BRIEF_CHARACTERS]}..."


def _indented(text: str, width: int) -> list[str]:
    """Return its lines with an indent, without terminal control sequences."""
    lines = plain(text).rstrip("\n").split("\n")
    shown = (
        lines if len(lines) <= SHOWN_LINES else [*lines[:SHOWN_LINES], f"... and {len(lines) - SHOWN_LINES} more lines"]
    )
    return [f"{' ' * width}{line}".rstrip() for line in shown]


def as_data(reports: Sequence[VerifyReport]) -> dict[str, Any]:
    """Return the report as JSON values."""
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
                        "warnings": list(row.warnings),
                        "disputed": list(row.disputed),
                        "to_mend": list(row.to_mend),
                        "failing_cases": [case.model_dump() for case in row.cases],
                        "run_id": row.run.run_id,
                    }
                    for row in report.rows
                ],
            }
            for report in reports
        ],
    }
