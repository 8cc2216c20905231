"""What two examinations of one test come to: together with the submission in one box, and apart from it in two. Pure.

Credit needs both. In one box a submission can write its own reports, so a pass there proves nothing; a failure there is a
failure anywhere. Across two boxes nothing can be forged, but what crosses between them is translated, and a translation can
favour a wrong program or break a right one.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from graders.interface import Execution

REASON_CHARACTERS = 300
OWN_EQUALITY, SHARED = 'equality = "own"', 'isolation = "shared"'
"""The options of a suite's table for programs that pass together with their tests and not apart from them."""
COMPARED = "two objects of the submission were compared with each other"
"""A note of the examiner's box, see graders/boxed/tests/pytest_run.py."""

_FAILED = re.compile(r"^E +(\S.*)\n?(?:E.*\n?)*", re.MULTILINE)
"""What pytest says of a failure: a line, and what it adds to it."""
_ADDRESS = re.compile(r"0x[0-9a-f]{4,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReport:
    """What was said of one test."""

    outcome: str
    """pytest's word, or one for a test that came to no end of its own: `ended`, `broken`, `cut-off`, `not-run`, `not-tried`;
    or `disputed`."""
    text: str = ""
    end: str = ""
    note: str = ""
    given: str = ""
    """For what a property failed."""
    seconds: float | None = None
    held: bool = False
    """True where the examiner's box has seen what no honest program does: no other examination can excuse that."""

    @property
    def passed(self) -> bool:
        return self.outcome == "passed"

    @property
    def reason(self) -> str:
        """The line of its text that says most, cut to size."""
        said = [found[1] for found in _FAILED.finditer(self.text)]
        lines = said[-1:] or [line.strip() for line in self.text.splitlines() if line.strip()][-1:] or [self.outcome]
        return _ADDRESS.sub("0x...", lines[0])[:REASON_CHARACTERS]


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRun:
    """One examination of one program."""

    reports: Mapping[str, CaseReport]
    """Node id -> report."""
    executions: tuple[Execution, ...]
    """Of the boxes that the submission was in."""
    problem: str = ""
    """Why nothing could be collected."""
    facts: tuple[str, ...] = ()
    """What the run teaches, where all were run; see graders/boxed/examiner/learnt.py."""
    compiled: Mapping[str, bytes] = field(default_factory=dict)
    """Byte code of the tests, where all were run."""
    moved: tuple[str, ...] = ()
    """Expected tests that were not collected, though all files were."""
    was_left: bool = False
    """True where we left it, after as many boxes as a suite has."""

    def report(self, test: str) -> CaseReport:
        """That of any test; for one without, why there is none."""
        rest = CaseReport(outcome="not-tried" if self.was_left else "not-run", text=self.problem)
        return self.reports.get(test, rest)


def agreed(together: CaseReport, apart: CaseReport) -> CaseReport:
    """What counts of a test: what was seen apart, where it passed together, else its failure together."""
    if not together.passed:
        return together
    if apart.passed or apart.held or apart.outcome in ("broken", "not-tried"):
        return apart
    note = f"It passes together with its tests and fails apart from them: {apart.reason}"
    advice = f"for the task's author: {option(apart)} in the suite's table is for programs such as this"
    return replace(apart, outcome="disputed", note="; ".join(filter(None, (note, advice, apart.note))))


def option(apart: CaseReport) -> str:
    """What helps a program that fails apart only: to let its own `__eq__` decide, where that was asked for."""
    return OWN_EQUALITY if COMPARED in apart.note else SHARED


def first_failure(
    together: Mapping[str, CaseReport], apart: Mapping[str, CaseReport]
) -> tuple[str, CaseReport | None, CaseReport | None] | None:
    """The first test that was reported as neither passed nor skipped in one of two runs, each of which may have ended there."""
    for test in {**together, **apart}:
        reports = together.get(test), apart.get(test)
        if any(report is not None and report.outcome not in ("passed", "skipped") for report in reports):
            return test, *reports
    return None
