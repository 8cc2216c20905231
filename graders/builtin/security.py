"""Security: bandit on every Python file, in a box. What it can and cannot see: docs/explanation/analyzers.md."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from graders.builtin.analysis import (
    Answer,
    Skipped,
    analyze_files,
    number_in,
    object_in,
    rows_in,
    text_in,
    texts_in,
)
from graders.interface import Abstain, Abstention, Context, Example, Finding, Grader, Measurement, Severity, Signal

TOOL = "bandit-1.9.4"
"""The version in docker/requirements.lock; part of the grader's version, so that a run records which bandit looked."""
_RULE = re.compile(r"B[0-9]{3}")
_NAME = re.compile(r"[A-Za-z0-9_]{0,80}")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Issue:
    rule: str
    name: str
    message: str
    severity: Severity
    confidence: Severity
    line: int
    cwe: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scan:
    """Bandit's findings in one file."""

    places: tuple[_Issue, ...]
    lines: int
    left_out: int
    failed_checks: tuple[str, ...]
    unread: int
    """Findings that could not be read."""


@dataclass(frozen=True)
class Security(Grader):
    """Finds insecure code by its form, with bandit: shell injection, unsafe deserialization, weak cryptography, ...

    Each finding has bandit's rule, the CWE, the severity and, separately, bandit's confidence. `# nosec` comments are
    ignored. A file that bandit cannot read is an abstention; `files-scanned` shows that bandit has looked.
    """

    id, version, criterion = "assay/security", f"2+{TOOL}", "security"
    public = True
    examples = (
        Example("def double(x):\n    return 2 * x\n", reports=(Measurement,)),
        Example("import subprocess\nsubprocess.call('ls', shell=True)  # nosec\n", reports=(Finding, Measurement)),
        Example("def", reports=(Abstention,)),
        Example("", reports=(Abstention,)),
    )

    def grade(self, context: Context) -> Iterator[Signal]:
        scanned = lines = 0
        for path, look in analyze_files(context, TOOL, _read):
            if isinstance(look, Skipped):
                yield self.abstention(look.reason, path=path)
                continue
            scanned += 1
            lines += look.lines
            yield from self._signals(path, look)
        if scanned and not lines:
            raise Abstain("the submission has no line of code")
        if scanned:
            yield self.measurement("files-scanned", scanned, "files")

    def _signals(self, path: str, look: _Scan) -> Iterator[Signal]:
        for place in look.places:
            yield self.finding(
                place.message, rule=place.rule, severity=place.severity, confidence=place.confidence,
                at=(path, place.line), cwe=place.cwe, more=f"bandit {place.rule} {place.name}".rstrip(),
            )  # fmt: skip
        if look.left_out:
            yield self.measurement("findings-left-out", look.left_out, "findings", at=(path, 0))
        if look.unread:
            yield self.abstention(f"{look.unread} findings of the analyzer could not be read", path=path)
        for failure in look.failed_checks:
            yield self.abstention(f"a check of bandit failed: {failure}", path=path)


def _read(found: Answer) -> _Scan:
    rows = rows_in(found, "findings")
    places = tuple(filter(None, map(_place_or_none, rows)))
    return _Scan(
        places=places,
        unread=len(rows) - len(places),
        lines=int(number_in(found, "lines")),
        left_out=int(number_in(found, "left_out")),
        failed_checks=texts_in(found, "failed_checks"),
    )


def _place_or_none(row: object) -> _Issue | None:
    """Return the finding, or None if it is malformed: one bad row must not cost the others."""
    try:
        return _place(object_in(row))
    except Abstain:
        return None


def _place(row: Answer) -> _Issue:
    rule, name = text_in(row, "rule"), text_in(row, "name")
    if not _RULE.fullmatch(rule) or not _NAME.fullmatch(name):
        raise Abstain("the analyzer's answer names no rule")
    return _Issue(
        rule=rule,
        name=name,
        message=text_in(row, "message"),
        severity=_rank(row, "severity"),
        confidence=_rank(row, "confidence"),
        line=int(number_in(row, "line")),
        cwe=int(number_in(row, "cwe")) or None,
    )


def _rank(row: Answer, key: str) -> Severity:
    """Return the rank of that name; bandit's UNDEFINED becomes the lowest."""
    word = text_in(row, key)
    return Severity(word.lower()) if word in ("LOW", "MEDIUM", "HIGH") else Severity.LOW
