"""The closed set of signals that graders report, and their form as JSON.

A signal is a fact with its source, never a judgement; the rubric turns signals into a suggested level. `Abstention` is a
signal too: an analyzer that could not look must report that, because silence is not praise.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, NewType

ABOUT_THE_TASK = "assay/task-"
"""Prefix of the rules of findings about the task itself, for its author to mend. They are not about the submission."""

UntrustedText = NewType("UntrustedText", str)
"""Text that came out of a submission. Escape it before showing it; never parse it."""


class Outcome(StrEnum):
    """The result of one test case."""

    PASSED = "passed"
    FAILED = "failed"
    """It ran and gave a wrong answer, or raised."""
    ERROR = "error"
    """The submission ended, or ran out of a limit, before it answered."""
    NOT_RUN = "not-run"
    """Expected, but never reached or skipped, by the submission's own doing. Counts like a failure: it did not pass."""
    NOT_TRIED = "not-tried"
    """Left out by us after too many time-outs of its suite. Not evidence about the submission; counts on neither side."""
    DISPUTED = "disputed"
    """It passes in one examination and fails in the other: for a human to decide, and for the task's author to mend."""


OPEN = frozenset({Outcome.DISPUTED, Outcome.NOT_TRIED})
"""Outcomes without a verdict: a machine cannot decide them."""


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"

    @property
    def rank(self) -> int:
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseOutcome:
    """One hidden test case."""

    grader: str
    criterion: str
    suite: str
    case: str
    outcome: Outcome
    weight: float = 1.0
    credit: float | None = None
    """Share of the weight that it earned, 0 to 1, if the author grants partial credit. A case with less than 1 has not passed.
    None: all of it if it passed, else nothing.
    """
    group: str = ""
    """Cases of a suite with the same group count only if all of them passed; `` for a case that counts by itself."""
    end: str = ""
    """How the program ended, if that decided the case (an `End` value such as `wall-timeout`)."""
    seconds: float | None = None
    """Wall time of this case as the host saw it."""
    cpu_seconds: float | None = None
    """None if the case shared its program with others, as in `call` suites."""
    peak_memory_mib: float | None = None
    """None as for `cpu_seconds`."""
    given: UntrustedText = UntrustedText("")
    """The call, the input or the test, shown to reviewers and authors only. Empty for cases that passed."""
    wanted: UntrustedText = UntrustedText("")
    got: UntrustedText = UntrustedText("")
    note: UntrustedText = UntrustedText("")
    """The checker's note, in a sentence; for the same readers. It may quote what the submission printed."""
    integrity: str = "full"
    """`full`: judged outside the box. `reduced`: tests and submission shared a process."""
    number: int = 0
    """Its position in its suite, from 1, by the ids of all cases. Submitters see it in place of the id, which may contain an
    input. The same in every run of a task version; 0 if it is not numbered.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A number about the submission."""

    grader: str
    criterion: str
    name: str
    value: float
    unit: str
    spread: float | None = None
    """Standard deviation over repetitions, same unit; None if it was measured once or is exact."""
    path: str = ""
    line: int = 0
    """The value's line; 0 if it is about the whole submission."""
    note: UntrustedText = UntrustedText("")
    public: bool = False
    """Like `Finding.public`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A place in the code, or an act at run time, that a reviewer should see."""

    grader: str
    criterion: str
    rule: str
    message: UntrustedText
    severity: Severity
    confidence: Severity
    """How sure the tool is; apart from how bad it would be."""
    path: str = ""
    line: int = 0
    cwe: int | None = None
    more: str = ""
    """Where the rule is explained: an anchor in our docs or the tool's page."""
    flag: bool = False
    """True for an integrity flag: shown prominently, never lowers a level by itself."""
    public: bool = False
    """True if all its text comes from the submission's own files, so that its submitter may read it. A finding from a run beside
    hidden inputs may contain what the program chose to reveal of them: only authors and reviewers may read it.
    """
    times: int = 1
    """How often it was seen."""

    @property
    def is_raised(self) -> bool:
        """True for a flag that counts. One of low severity is shown, but is not a reason to look at a run first."""
        return self.flag and self.severity is not Severity.LOW

    @property
    def is_about_the_task(self) -> bool:
        """True if it is for the author of the task. It is shown apart, and rubric rules ignore it."""
        return self.rule.startswith(ABOUT_THE_TASK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention:
    """A grader that could not look, and why. Never read as "nothing found"."""

    grader: str
    criterion: str
    reason: str
    path: str = ""
    public: bool = False
    """Like `Finding.public`."""


Signal = CaseOutcome | Measurement | Finding | Abstention

KINDS: dict[str, type[Signal]] = {
    "case": CaseOutcome,
    "measurement": Measurement,
    "finding": Finding,
    "abstention": Abstention,
}
_NAMES = {kind: name for name, kind in KINDS.items()}
_OUTCOMES = {outcome.value: outcome for outcome in Outcome}
_SEVERITIES = {severity.value: severity for severity in Severity}
_ENUMS: dict[str, tuple[tuple[str, dict[str, Any]], ...]] = {
    "case": (("outcome", _OUTCOMES),),
    "finding": (("severity", _SEVERITIES), ("confidence", _SEVERITIES)),
}
"""Kind -> the fields that are enumerations, with their members by value: quicker than to call the enumeration each time."""
_FIELDS = {kind: tuple(field.name for field in fields(kind)) for kind in KINDS.values()}


def to_json(signal: Signal) -> dict[str, Any]:
    """Return the signal as a JSON object with a `kind`; `from_json` is its inverse."""
    # As dataclasses.asdict has it, which takes ten times as long: no field is mutable. A run may have thousands of these.
    return {"kind": _NAMES[type(signal)], **{name: getattr(signal, name) for name in _FIELDS[type(signal)]}}


def from_json(row: dict[str, Any]) -> Signal:
    """Return the inverse of `to_json`. Raises KeyError or TypeError for a row that no signal ever wrote."""
    values = dict(row)
    kind = values.pop("kind")
    for name, members in _ENUMS.get(kind, ()):
        values[name] = members[values[name]]
    return KINDS[kind](**values)
