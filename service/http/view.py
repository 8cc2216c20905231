"""A run as an answer, for two kinds of readers.

Authors, reviewers and administrators get everything but the texts of cases. A submitter gets the verdicts of the hidden
tests and never their contents. A program that ran beside hidden inputs can encode them in anything it influences: a path
that it opened, a number that it made large. So a signal that is not `public` is reduced to what its grader fixed: rule,
severity, and a rough count. docs/adr/0011-who-may-read-what.md has the reasons and the remaining channels.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from fastapi import Response

from rubrics.model import Prefill
from rubrics.signals import Abstention, CaseOutcome, Finding, Measurement, Signal, to_json
from service.runs import diagnostics
from service.schemas import Cases, PrefillOut, RunOut, RunsOut
from service.storage.interface import Principal, RunId, RunOutcome, RunResult, RunSummary, Tally

WITHHELD = "it could not look; authors and reviewers can see why"


_REWARDS = {RunOutcome.PASSED: 1.0, RunOutcome.FAILED: 0.0}
"""Rewards by outcome. For any other outcome, nothing is known about the submission: its reward is null, not 0."""


def run_response(run: RunSummary, who: Principal) -> Response:
    """Return the answer to `GET /v1/runs/{id}`, serialized in the calling thread and not on the event loop."""
    return _as_json(run_out(run, sees_all=who.sees_all))


def runs_response(runs: Iterable[RunSummary], next: str, who: Principal) -> Response:
    """Return the answer to `GET /v1/runs`, serialized in the calling thread."""
    return _as_json(RunsOut(runs=[run_out(run, sees_all=who.sees_all) for run in runs], next=next))


def run_out(run: RunSummary, *, sees_all: bool) -> RunOut:
    """Return the run as this reader may see it."""
    came: dict[str, Any] = {}
    if run.findings is not None and run.tally is not None:
        told = _in_full(run.findings) if sees_all else _for_submitter(run.id, run.findings)
        came = {**_of_all(run.findings, run.tally), **told}
    return RunOut(
        run_id=run.id,
        id=run.client_id,
        task_id=run.task_id,
        task_version=run.task_version,
        submission_id=run.submission_id,
        tag=run.tag,
        state=run.state,
        attempt=run.attempt,
        created_at=run.created_at,
        finished_at=run.finished_at,
        links={"self": f"/v1/runs/{run.id}", "review": f"/review/{run.id}"},
        **came,
    )


def _as_json(answer: RunOut | RunsOut) -> Response:
    return Response(answer.model_dump_json(), media_type="application/json")


def _of_all(findings: RunResult, tally: Tally) -> dict[str, Any]:
    """Return the fields that every reader sees."""
    return {
        "outcome": str(findings.outcome),
        "reward": _REWARDS.get(findings.outcome),
        "cases": Cases(
            passed=tally.passed,
            failed=tally.failed,
            disputed=tally.disputed,
            not_tried=tally.not_tried,
            total=tally.total,
            share=tally.share,
        ),
        "ends": dict(findings.ends),
        "flags": sorted(
            {writable(signal.rule) for signal in findings.signals if isinstance(signal, Finding) and signal.flag}
        ),
        "levels": {prefill.criterion: prefill.level for prefill in findings.prefills},
        "sandbox": findings.sandbox,
        "graders": dict(findings.grader_versions),
        "rubric": f"{findings.rubric_id}@{findings.rubric_version}",
    }


def _in_full(findings: RunResult) -> dict[str, Any]:
    signals = findings.signals
    return {
        "prefills": [_prefill(prefill, map(evidence, prefill.because)) for prefill in findings.prefills],
        "findings": [_plain(signal) for signal in signals if isinstance(signal, Finding | Measurement)],
        "abstentions": [_abstention(signal) for signal in signals if isinstance(signal, Abstention)],
        "diagnostics": {name: writable(value) for name, value in findings.diagnostics.items()},
    }


def _for_submitter(run_id: RunId, findings: RunResult) -> dict[str, Any]:
    signals = findings.signals
    public = [signal for signal in signals if isinstance(signal, Finding | Measurement) and signal.public]
    private = [signal for signal in signals if isinstance(signal, Finding) and not signal.public]
    told = diagnostics.for_submitter(run_id, findings.diagnostics)
    return {
        "prefills": [_prefill(prefill, map(_told, prefill.because)) for prefill in findings.prefills],
        "findings": [*map(_plain, public), *_by_rule(private)],
        "abstentions": [
            _abstention(signal if signal.public else replace(signal, reason=WITHHELD, path=""))
            for signal in signals
            if isinstance(signal, Abstention)
        ],
        "diagnostics": {name: writable(value) for name, value in told.items()},
    }


def _by_rule(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return the findings merged by rule: severity and a rough count, without the objects that they are about."""
    times: dict[tuple[str, ...], int] = {}
    for each in findings:
        key = (each.grader, each.criterion, each.rule, each.severity, each.confidence)
        times[key] = times.get(key, 0) + max(1, each.times)
    return [
        {
            "kind": "finding",
            "grader": grader,
            "criterion": criterion,
            "rule": writable(rule),
            "severity": severity,
            "confidence": confidence,
            "times": about(count),
        }
        for (grader, criterion, rule, severity, confidence), count in times.items()
    ]


def about(count: int) -> int:
    """Return the count rounded down to 1, 10, 100, ...: an exact count could carry a hidden number out."""
    return int(10 ** (len(str(count)) - 1))


def _prefill(prefill: Prefill, lines: Iterable[str]) -> PrefillOut:
    return PrefillOut(
        criterion=prefill.criterion,
        level=prefill.level,
        confidence=prefill.confidence,
        rule=prefill.rule,
        says=writable(prefill.says),
        evidence=list(dict.fromkeys(lines)),
    )


def _told(signal: Signal) -> str:
    """Return a line about one signal for its submitter."""
    match signal:
        case CaseOutcome():
            # The id may hold an input, and the name of the group its subject.
            return writable(f"{signal.suite}, case {signal.number}: {_decided(signal)}")
        case Measurement() if not signal.public:
            return writable(f"{signal.name}: measured while it ran")
        case Finding() if not signal.public:
            return writable(f"{signal.rule}, {signal.severity}")
        case Abstention() if not signal.public:
            return writable(f"{signal.grader}: {WITHHELD}")
    return evidence(signal)


def evidence(signal: Signal) -> str:
    """Return a line about one signal, without the texts of a hidden case."""
    match signal:
        case CaseOutcome():
            line = f"{signal.suite}/{signal.case}: {_decided(signal)}"
            line += f", in group {signal.group}" if signal.group else ""
        case Measurement():
            line = f"{signal.name}: {signal.value:g} {signal.unit}{_place(signal.path, signal.line)}"
        case Finding():
            line = f"{signal.rule}, {signal.severity}{_place(signal.path, signal.line)}: {signal.message}"
        case Abstention():
            line = f"{signal.grader} could not look{_place(signal.path, 0)}: {signal.reason}"
    return writable(line)


def _decided(case: CaseOutcome) -> str:
    line = str(case.outcome)
    line += f" ({case.end})" if case.end else ""
    return line + (f", {case.credit:.0%} of its weight" if case.credit else "")


def _place(path: str, line: int) -> str:
    return f" at {path}:{line}" if path and line else f" in {path}" if path else ""


def _abstention(signal: Abstention) -> dict[str, str]:
    return {
        "grader": signal.grader,
        "criterion": signal.criterion,
        "reason": writable(signal.reason),
        "path": writable(signal.path),
    }


def _plain(signal: Finding | Measurement) -> Mapping[str, Any]:
    return {name: _json(value) for name, value in to_json(signal).items()}


def _json(value: object) -> object:
    """Return a value that JSON can carry: nan and inf become text, because JSON lacks them."""
    if isinstance(value, str):
        return writable(value)
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def writable(text: str) -> str:
    r"""Return the text with lone surrogates, which UTF-8 cannot carry, written out as \udc80."""
    return text.encode("utf-8", "backslashreplace").decode()
