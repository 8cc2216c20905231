"""A rubric: criteria with levels from worst to best, and the rules that turn signals into a suggested level."""

from dataclasses import dataclass

from rubrics.signals import Severity, Signal


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One step of a criterion."""

    value: int
    """0 is worst."""
    title: str
    anchor: str
    """Description of a response at this level, in a sentence; copied into each review."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Suggests `level` when every condition that is set holds; see `rubrics.prefill` for how conditions read."""

    id: str
    level: int
    says: str
    """The reason shown to the reviewer."""
    passed_at_least: float | None = None
    """Weighted share of hidden cases passed, 0 to 1. Needs at least one case."""
    passed_below: float | None = None
    finding_at_least: Severity | None = None
    """Some finding of this criterion has this severity or a higher one."""
    confidence_at_least: Severity | None = None
    """Restricts `finding_at_least` to findings of which the tool is this sure."""
    measurement: str | None = None
    """Name of a measurement; the worst (largest) value counts."""
    at_least: float | None = None
    below: float | None = None
    grader: str | None = None
    """Restricts `finding_at_least` and `measurement` to what the grader of this id reported."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    id: str
    title: str
    question: str
    """The question to the reviewer."""
    weight: float
    levels: tuple[Level, ...]
    """Worst to best, values 0, 1, 2, ... without a gap."""
    rules: tuple[Rule, ...]
    """Tried in order; the first that holds suggests its level. Without rules the machine never suggests a level."""
    no_basis: str
    """Why the machine does not suggest a level; shown if no rule holds."""
    decidable: bool = False
    """May be confirmed in bulk, because its evidence settles it."""
    hotkey: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rubric:
    """An immutable version. Changing anything makes another version."""

    id: str
    version: str
    """First 12 hex digits of the SHA-256 of its text."""
    title: str
    criteria: tuple[Criterion, ...]

    def criterion(self, id: str) -> Criterion:
        """Return the criterion. Raises KeyError for an id that the rubric does not have."""
        for criterion in self.criteria:
            if criterion.id == id:
                return criterion
        raise KeyError(id)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prefill:
    """A suggestion for one criterion, or the reason why there is none."""

    criterion: str
    level: int | None
    confidence: float | None
    """Measured agreement of humans with this rule (0 to 1); None until there are enough decisions to measure it."""
    because: tuple[Signal, ...]
    """The signals that the rule cites, most telling first."""
    rule: str
    """Id of the rule that fired, or `no-evidence`, `abstained`, `no-rule`, `undecided`."""
    says: str
    """The reason in words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A human's decision on one criterion."""

    criterion: str
    level: int
    note: str = ""
    milliseconds: int = 0
    """From the criterion's focus to the decision, as the page measured it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecidedCriterion:
    """A decision with what the human saw; `verdict` is computed from the values, never taken from the page."""

    decision: Decision
    verdict: str
    """`confirmed` (same as the suggestion), `overridden` (differs) or `unaided` (without a suggestion)."""
    suggested: int | None
    levels_seen: tuple[str, ...]
    """The anchor texts as they stood, worst to best."""
    weight: float
    """The criterion's weight as it stood, so that a total needs no rubric that may be long gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Review:
    """One reviewer's complete decision on one run."""

    rubric_id: str
    rubric_version: str
    decided: tuple[DecidedCriterion, ...]
    harm: bool = False
    harm_note: str = ""

    def level(self, criterion: str) -> int | None:
        for entry in self.decided:
            if entry.decision.criterion == criterion:
                return entry.decision.level
        return None
