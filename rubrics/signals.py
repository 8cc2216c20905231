"""What graders report: the closed set of signals, and their form as JSON.

A signal is a fact with its source, never a judgement; the rubric turns signals into a suggested level.
`Abstention` is a signal too: an analyzer that could not look must say so, because silence is not praise.
"""

from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, NewType

ABOUT_THE_TASK = "assay/task-"
"""Rules of findings about the task itself begin with it: its author is to mend something. They say nothing of the submission."""

UntrustedText = NewType("UntrustedText", str)
"""Text that came out of a submission. Whoever shows it escapes it; nobody parses it."""


class Outcome(StrEnum):
    """What became of one test case."""

    PASSED = "passed"
    FAILED = "failed"
    """It ran and gave a wrong answer, or raised."""
    ERROR = "error"
    """The submission ended, or ran out of a limit, before it answered."""
    NOT_RUN = "not-run"
    """Expected, but never reached or skipped, by the submission's own doing. Counts like a failure: it did not pass."""
    NOT_TRIED = "not-tried"
    """Left out by us, after as many time-outs as a suite has. Says nothing of the submission, and counts on neither side."""
    DISPUTED = "disputed"
    """It passes in one examination and fails in the other: for a human to decide, and for the task's author to mend."""


OPEN = frozenset({Outcome.DISPUTED, Outcome.NOT_TRIED})
"""Neither passed nor failed, as far as a machine can say."""


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
    """Share of the weight that it earned, 0 to 1, where the author gives partial credit. A case with less than 1 has not
    passed. None: all of it if it passed, else nothing."""
    group: str = ""
    """Cases of a suite with the same group count only if all of them passed; `` for a case that counts by itself."""
    end: str = ""
    """How the program ended, where that decided the case (an `End` value such as `wall-timeout`)."""
    seconds: float | None = None
    """Wall time of this case as the host saw it."""
    cpu_seconds: float | None = None
    """None where the case shared its program with others, as in `call` suites."""
    peak_memory_mib: float | None = None
    """None as for `cpu_seconds`."""
    given: UntrustedText = UntrustedText("")
    """The call, the input or the test, shown to reviewers and authors only. Empty for cases that passed."""
    wanted: UntrustedText = UntrustedText("")
    got: UntrustedText = UntrustedText("")
    note: UntrustedText = UntrustedText("")
    """What the checker says, in a sentence; for the same readers. It may quote what the submission printed."""
    integrity: str = "full"
    """`full`: judged outside the box. `reduced`: tests and submission shared a process."""
    number: int = 0
    """Its place in its suite, from 1, by the ids of all cases: what submitters are told in place of the id, which may
    hold an input. The same in every run of a task version; 0 where nobody numbered it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measurement:
    """A number about the submission."""

    grader: str
    criterion: str
    name: str
    value: float
    unit: str
    spread: float | None = None
    """Standard deviation over repetitions, same unit; None where it was measured once or is exact."""
    path: str = ""
    line: int = 0
    """Where the value was found, 0 where it is about the whole submission."""
    note: UntrustedText = UntrustedText("")
    public: bool = False
    """As of a `Finding`."""


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
    """True where all that it says was read in the submission's own files, so that its submitter may read it too. What comes of
    running a program beside hidden inputs may say what the program chose to say of them: that is for authors and reviewers.
    """
    times: int = 1
    """How often it was seen."""

    @property
    def is_raised(self) -> bool:
        """True for a flag that counts. One of low severity is noticed: told, and no reason to look at a run first."""
        return self.flag and self.severity is not Severity.LOW

    @property
    def is_about_the_task(self) -> bool:
        """True where the author of the task is meant. It is shown apart, and no rule of a rubric looks at it."""
        return self.rule.startswith(ABOUT_THE_TASK)


@dataclass(frozen=True, slots=True, kw_only=True)
class Abstention:
    """A grader that could not look, and why. Never read as "nothing found"."""

    grader: str
    criterion: str
    reason: str
    path: str = ""
    public: bool = False
    """As of a `Finding`."""


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
    """The signal as a JSON object with a `kind`; `from_json` is its inverse."""
    # As dataclasses.asdict has it, which takes ten times as long: no field is mutable. A run may have thousands of these.
    return {"kind": _NAMES[type(signal)], **{name: getattr(signal, name) for name in _FIELDS[type(signal)]}}


def from_json(row: dict[str, Any]) -> Signal:
    """Inverse of `to_json`. Raises KeyError or TypeError for a row that no signal ever wrote."""
    values = dict(row)
    kind = values.pop("kind")
    for name, members in _ENUMS.get(kind, ()):
        values[name] = members[values[name]]
    return KINDS[kind](**values)
