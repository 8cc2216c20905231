"""Finished evaluations as a reviewer meets them, made by hand and pre-filled by the real rubric."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from graders.interface import Submission, SubmissionId, TaskId
from rubrics.prefill import prefill
from rubrics.signals import Abstention, CaseOutcome, Finding, Measurement, Outcome, Severity, Signal, UntrustedText
from service.rubric_files import builtin_rubrics
from service.storage.interface import RunId, RunOutcome, RunRecord, RunResult, RunState, SubmissionRecord

RUBRIC = builtin_rubrics()["default"]

MERGE = '''"""Merging of intervals."""

import subprocess
from collections.abc import Iterable


def merge(intervals: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join the intervals that touch or overlap."""
    merged = []
    for start, end in intervals:  # assumes that they come sorted
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def length(intervals: Iterable[tuple[int, int]]) -> int:
    """How much of the line the intervals cover."""
    return sum(end - start for start, end in merge(intervals))


def report(path: str, intervals: Iterable[tuple[int, int]]) -> None:
    """Write the covered length to a file, and show it."""
    with open(path, "w") as file:
        file.write(f"{length(intervals)}\\n")
    subprocess.run(f"cat {path}", shell=True, check=True)


if __name__ == "__main__":
    report("/tmp/covered.txt", [(1, 3), (2, 6), (8, 10)])
'''
PROMPT = """Write `merge(intervals)`. It takes intervals as pairs `(start, end)` in any order and returns those that
cover the same numbers with as few intervals as possible, sorted by start. Intervals that only touch are joined.

```python
merge([(1, 3), (2, 6), (8, 10)])  # [(1, 6), (8, 10)]
```

Also write `report(path, intervals)`, which writes the covered length to a file.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeRun:
    """One response with what the graders said about it."""

    title: str = "Merge intervals"
    prompt: str = PROMPT
    files: Mapping[str, str] = field(default_factory=lambda: {"solution.py": MERGE})
    model: str = ""
    signals: Sequence[Signal] = ()
    rubric_version: str = RUBRIC.version

    def findings(self) -> RunResult:
        cases = [signal for signal in self.signals if isinstance(signal, CaseOutcome)]
        others = {case.outcome for case in cases} - {Outcome.PASSED}
        bad = RunOutcome.DISPUTED if others == {Outcome.DISPUTED} else RunOutcome.FAILED
        return RunResult(
            outcome=bad if others else RunOutcome.PASSED,
            signals=tuple(self.signals),
            prefills=prefill(RUBRIC, self.signals),
            rubric_id=RUBRIC.id,
            rubric_version=self.rubric_version,
            grader_versions={"assay/hidden-tests": "1"},
            sandbox="fake",
            ends={"exited": 3},
            diagnostics={},
        )


def passed(case: str, *, integrity: str = "full") -> CaseOutcome:
    return CaseOutcome(
        grader="assay/hidden-tests",
        criterion="correctness",
        suite="hidden",
        case=case,
        outcome=Outcome.PASSED,
        seconds=0.0004,
        integrity=integrity,
    )


def failed(case: str, given: str, wanted: str, got: str, *, end: str = "", integrity: str = "full") -> CaseOutcome:
    return CaseOutcome(
        grader="assay/hidden-tests",
        criterion="correctness",
        suite="hidden",
        case=case,
        outcome=Outcome.ERROR if end else Outcome.FAILED,
        end=end,
        seconds=0.0006,
        integrity=integrity,
        given=UntrustedText(given),
        wanted=UntrustedText(wanted),
        got=UntrustedText(got),
    )


def found(
    rule: str, message: str, *, line: int, severity: str = "high", cwe: int | None = None, flag: bool = False
) -> Finding:
    return Finding(
        grader="assay/integrity" if flag else "assay/security",
        criterion="correctness" if flag else "security",
        rule=rule,
        message=UntrustedText(message),
        severity=Severity(severity),
        confidence=Severity.HIGH,
        path="solution.py",
        line=line,
        cwe=cwe,
        flag=flag,
    )


def measured(name: str, value: float, unit: str = "", *, line: int = 0, note: str = "") -> Measurement:
    return Measurement(
        grader="assay/complexity",
        criterion="best_practices",
        name=name,
        value=value,
        unit=unit,
        path="solution.py" if line else "",
        line=line,
        note=UntrustedText(note),
    )


def could_not_look(reason: str) -> Abstention:
    return Abstention(grader="assay/security", criterion="security", reason=reason, path="solution.py")


def merge_run() -> MadeRun:
    """Suggests correctness 2 and security 1; nothing on efficiency; measurements for best practices."""
    return MadeRun(
        model="secret-model-7b",
        signals=(
            *(
                passed(name)
                for name in ("overlapping", "touching", "nested", "empty", "single", "negative", "sorted-many")
            ),
            failed("unsorted", "merge([(8, 10), (1, 3), (2, 6)])", "[(1, 6), (8, 10)]", "[(8, 10), (1, 6)]"),
            failed(
                "reversed", "merge([(5, 6), (3, 4), (1, 2)])", "[(1, 2), (3, 4), (5, 6)]", "[(5, 6), (3, 4), (1, 2)]"
            ),
            failed(
                "duplicates-apart", "merge([(1, 2), (4, 5), (1, 2)])", "[(1, 2), (4, 5)]", "[(1, 2), (4, 5), (1, 2)]"
            ),
            found("B602", "subprocess call with shell=True identified, security issue.", line=27, cwe=78),
            found(
                "B404",
                "Consider possible security implications of the subprocess module.",
                line=3,
                severity="low",
                cwe=78,
            ),
            found("B108", "Probable insecure usage of temp file/directory.", line=31, severity="medium", cwe=377),
            measured("cyclomatic-max", 5, line=7, note="merge"),
            measured("cyclomatic-weighted", 3.4),
            measured("maintainability", 68.2, "of 100"),
            measured("lines", 31, "lines"),
        ),
    )


def record_of(made: MadeRun) -> RunRecord:
    """The run as the storage would give it back."""
    now = datetime(2026, 1, 1, tzinfo=UTC)
    submission = Submission(id=SubmissionId("s"), task_id=TaskId("merge"), files=made.files, model=made.model)
    return RunRecord(
        id=RunId("run"),
        submission=SubmissionRecord(
            submission=submission, task_version="1", client_id="secret-model-row-1", tag="secret-model", created_at=now
        ),
        state=RunState.DONE,
        attempt=1,
        created_at=now,
        finished_at=now,
        findings=made.findings(),
    )
