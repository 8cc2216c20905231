"""The contents of the reviewer's screen, computed from an opened run. Pure.

The model's name and the submitter's ids and tags never get in here: a reviewer judges the response, not its author.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rubrics.model import Criterion, Level, Prefill
from rubrics.prefill import share_passed
from rubrics.signals import Abstention, CaseOutcome, Finding, Measurement, Outcome, Signal
from service.reviewing.decisions import HARM
from service.reviewing.use_cases import OpenedRun
from service.storage.interface import DraftDecision, RunId, RunOutcome, RunRecord
from service.web.source import CodeFile, Colouring, code_file

SHOWN_CASES = 200
"""Failing cases drawn on one page."""
EVIDENCE_CHARACTERS = 60
"""Characters of each value in a line of evidence. One key leads to the whole."""
BRIEF_LINES = 15
"""A response of at most this many lines leaves room for a longer prompt."""

_CLOSING = re.compile(r"```[ \t]*")
"""The line that ends a fenced block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptPart:
    text: str
    code: bool
    """True for a fenced block."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseView:
    element: str
    """Id of the element on the page that shows it."""
    case: CaseOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingView:
    element: str
    line: str
    """Element id of its line of code, or "" if this page does not show the line."""
    finding: Finding


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurementView:
    element: str
    line: str
    measurement: Measurement
    value: str
    """The value as shown: `12`, `0.031`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceView:
    """A signal that a suggestion cites, in a line."""

    text: str
    element: str
    """Id of the element that the E key jumps to, or "" if the page shows no more about it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CriterionView:
    id: str
    title: str
    question: str
    levels: tuple[Level, ...]
    suggested: int | None
    confidence: str
    """`84 %`, or "" while it has not been measured."""
    says: str
    """The reason for the suggestion, or for the lack of one."""
    evidence: tuple[EvidenceView, ...]
    level: int | None
    """The reviewer's decision; None while there is none."""
    note: str
    milliseconds: int
    hotkey: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Screen:
    """Everything on the single-response page."""

    run_id: RunId
    task_id: str
    title: str
    outcome: RunOutcome
    prompt: tuple[PromptPart, ...]
    files: tuple[CodeFile, ...]
    failing: tuple[CaseView, ...]
    passing: tuple[CaseOutcome, ...]
    unshown: int
    """Failing cases beyond SHOWN_CASES."""
    share: str
    """The share of cases that counts as passed, as in `62 %`; "" if it equals the count of passed cases."""
    disputed: int
    """Cases on which two examinations disagree. They are among the failing ones, and so are cases that were not tried."""
    not_tried: int
    reduced: int
    """Cases judged in one process with the submission."""
    findings: tuple[FindingView, ...]
    flags: tuple[FindingView, ...]
    about_the_task: tuple[FindingView, ...]
    """Findings that the task's author has to fix. They do not count against the response."""
    measurements: tuple[MeasurementView, ...]
    abstentions: tuple[Abstention, ...]
    ends: Mapping[str, int]
    criteria: tuple[CriterionView, ...]
    harm: str | None
    """The note of the harm flag; None if the flag is not raised."""
    saved: bool
    """True if this reviewer's complete review stands."""

    @property
    def brief(self) -> bool:
        return sum(len(file.lines) for file in self.files) <= BRIEF_LINES

    @property
    def cases(self) -> int:
        return len(self.failing) + self.unshown + len(self.passing)

    @property
    def tried(self) -> int:
        return self.cases - self.not_tried


def screen(
    opened: OpenedRun,
    *,
    title: str,
    prompt: str,
) -> Screen:
    """Return what the page of an opened run shows."""
    run, findings = opened.run, opened.findings
    signals = findings.signals
    files = _files(run, signals)
    lines = {(file.path, line.number): f"line-{file.index}-{line.number}" for file in files for line in file.lines}
    cases = [signal for signal in signals if isinstance(signal, CaseOutcome)]
    failing = _failing(cases)
    found = _findings(signals, lines)
    measured = _measurements(signals, lines)
    elements: dict[Signal, str] = {view.case: view.element for view in failing[:SHOWN_CASES]}
    elements |= {view.finding: view.line or view.element for view in found}
    elements |= {view.measurement: view.line or view.element for view in measured}
    decided = opened.decided
    return Screen(
        run_id=run.id,
        task_id=run.submission.submission.task_id,
        title=title,
        outcome=findings.outcome,
        prompt=prompt_parts(prompt),
        files=files,
        failing=failing[:SHOWN_CASES],
        passing=tuple(case for case in cases if case.outcome is Outcome.PASSED),
        unshown=max(0, len(failing) - SHOWN_CASES),
        share=_share(cases),
        disputed=sum(case.outcome is Outcome.DISPUTED for case in cases),
        not_tried=sum(case.outcome is Outcome.NOT_TRIED for case in cases),
        reduced=sum(case.integrity != "full" for case in cases),
        findings=tuple(view for view in found if not (view.finding.flag or view.finding.is_about_the_task)),
        flags=tuple(view for view in found if view.finding.flag),
        about_the_task=tuple(view for view in found if view.finding.is_about_the_task and not view.finding.flag),
        measurements=measured,
        abstentions=tuple(signal for signal in signals if isinstance(signal, Abstention)),
        ends=findings.ends,
        criteria=tuple(
            _criterion(criterion, prefill, decided.get(criterion.id), elements)
            for criterion, prefill in zip(opened.rubric.criteria, opened.suggestions, strict=True)
        ),
        harm=decided[HARM].note if HARM in decided else None,
        saved=opened.saved,
    )


def prompt_parts(text: str) -> tuple[PromptPart, ...]:
    """Return the prompt's prose and fenced code blocks, in order."""
    parts = []
    lines = text.split("\n")
    closing = [number for number, line in enumerate(lines) if _CLOSING.fullmatch(line)]
    begun = number = 0
    while number < len(lines):
        # A pointer instead of a pattern over all: a prompt of a thousand openings is read once, not a thousand times.
        after = bisect_right(closing, number)
        if not lines[number].startswith("```") or after == len(closing):
            number += 1
            continue
        end = closing[after]
        parts.append(PromptPart(text="\n".join(lines[begun:number]).strip("\n"), code=False))
        parts.append(PromptPart(text="\n".join(lines[number + 1 : end]), code=True))
        begun = number = end + 1
    parts.append(PromptPart(text="\n".join(lines[begun:]).strip("\n"), code=False))
    return tuple(part for part in parts if part.text)


def _files(run: RunRecord, signals: Sequence[Signal]) -> tuple[CodeFile, ...]:
    by_place: dict[str, dict[int, list[Finding]]] = {}
    for signal in signals:
        if isinstance(signal, Finding):
            by_place.setdefault(signal.path, {}).setdefault(signal.line, []).append(signal)
    files = sorted(run.submission.submission.files.items())
    colouring = Colouring()
    return tuple(
        code_file(index, path, text, by_place.get(path, {}), colouring) for index, (path, text) in enumerate(files)
    )


def _failing(cases: Iterable[CaseOutcome]) -> tuple[CaseView, ...]:
    failing = (case for case in cases if case.outcome is not Outcome.PASSED)
    return tuple(CaseView(element=f"case-{index}", case=case) for index, case in enumerate(failing))


def _share(cases: Sequence[CaseOutcome]) -> str:
    share = share_passed(cases)
    plain = not any(case.group or case.credit for case in cases) and len({case.weight for case in cases}) <= 1
    return "" if plain or share is None else f"{share:.0%}"


def _findings(signals: Iterable[Signal], lines: Mapping[tuple[str, int], str]) -> tuple[FindingView, ...]:
    """Return the findings, worst first."""
    findings = [signal for signal in signals if isinstance(signal, Finding)]
    findings.sort(key=lambda finding: (-finding.severity.rank, -finding.confidence.rank, finding.path, finding.line))
    return tuple(
        FindingView(element=f"finding-{index}", line=lines.get((finding.path, finding.line), ""), finding=finding)
        for index, finding in enumerate(findings)
    )


def _measurements(signals: Iterable[Signal], lines: Mapping[tuple[str, int], str]) -> tuple[MeasurementView, ...]:
    measurements = (signal for signal in signals if isinstance(signal, Measurement))
    return tuple(
        MeasurementView(
            element=f"measurement-{index}",
            line=lines.get((measurement.path, measurement.line), ""),
            measurement=measurement,
            value=f"{measurement.value:.4g}",
        )
        for index, measurement in enumerate(measurements)
    )


def _criterion(
    criterion: Criterion, prefill: Prefill, decided: DraftDecision | None, elements: Mapping[Signal, str]
) -> CriterionView:
    evidence = (EvidenceView(text=_told(signal), element=elements.get(signal, "")) for signal in prefill.because)
    return CriterionView(
        id=criterion.id,
        title=criterion.title,
        question=criterion.question,
        levels=criterion.levels,
        suggested=prefill.level,
        confidence="" if prefill.confidence is None else f"{prefill.confidence:.0%}",
        says=prefill.says or criterion.no_basis,
        evidence=tuple(evidence),
        level=decided.level if decided else None,
        note=decided.note if decided else "",
        milliseconds=decided.milliseconds if decided else 0,
        hotkey=criterion.hotkey,
    )


def _told(signal: Signal) -> str:
    match signal:
        case CaseOutcome():
            return _told_case(signal)
        case Finding():
            cwe = f", CWE-{signal.cwe}" if signal.cwe else ""
            return f"{_where(signal)}{signal.rule} ({signal.severity}{cwe}): {signal.message}"
        case Measurement():
            note = f" ({signal.note})" if signal.note else ""
            return f"{_where(signal)}{signal.name} {signal.value:.4g} {signal.unit}".rstrip() + note
        case Abstention():
            return f"{signal.grader} could not look: {signal.reason}"


_IN_WORDS = {
    Outcome.PASSED: "passed",
    Outcome.NOT_RUN: "did not run",
    Outcome.NOT_TRIED: "was not tried",
    Outcome.DISPUTED: "is disputed",
}
"""Words for the outcomes without values to compare."""


def _told_case(case: CaseOutcome) -> str:
    """Return a line about the case. The failure comes before the call, because a long line is cut at its end."""
    note = _short(case.note)
    if case.outcome in _IN_WORDS:
        return f"{case.case} {_IN_WORDS[case.outcome]}{': ' if note else ''}{note}"
    compared = f"wanted {_short(case.wanted)}, got {_short(case.got)}"
    happened = ": ".join(filter(None, (case.end, note))) or compared
    return f"{case.case}: {happened}{' in ' if case.given else ''}{_short(case.given)}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= EVIDENCE_CHARACTERS else f"{line[:EVIDENCE_CHARACTERS]}…"


def _where(signal: Finding | Measurement) -> str:
    return f"line {signal.line}: " if signal.line else ""
