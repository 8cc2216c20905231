"""A run as answers tell it, to two kinds of readers.

Authors, reviewers and administrators get all but the cases' own texts. A submitter gets what the hidden tests decided and never
what is in them. For a program that ran beside hidden inputs that includes whatever it had a say in: a path that it opened, a
number that it made large. So of a signal that is not `public` only what its grader fixed goes out: rule, severity, and
how often, roughly. docs/adr/0011-who-may-read-what.md has the reasons and what is left.
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
"""Of the other outcomes no machine knows whether the submission is right: that is no reward, and not one of nought."""


def run_response(run: RunSummary, who: Principal) -> Response:
    """The answer to `GET /v1/runs/{id}`, written here: in the thread that calls this, and not on the event loop."""
    return _as_json(run_out(run, sees_all=who.sees_all))


def runs_response(runs: Iterable[RunSummary], next: str, who: Principal) -> Response:
    """The same for `GET /v1/runs`."""
    return _as_json(RunsOut(runs=[run_out(run, sees_all=who.sees_all) for run in runs], next=next))


def run_out(run: RunSummary, *, sees_all: bool) -> RunOut:
    """What this reader is told of the run."""
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
    """What every reader is told."""
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
    """What came of running it: behaviour, severity and how often, however many different things it was done to."""
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
    """Rounded down to 1, 10, 100, ...: a program that does something 4711 times would tell a number."""
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
    """A line on one signal for its submitter."""
    match signal:
        case CaseOutcome():
            # Its id may hold an input, its group's name what it is about.
            return writable(f"{signal.suite}, case {signal.number}: {_decided(signal)}")
        case Measurement() if not signal.public:
            return writable(f"{signal.name}: measured while it ran")
        case Finding() if not signal.public:
            return writable(f"{signal.rule}, {signal.severity}")
        case Abstention() if not signal.public:
            return writable(f"{signal.grader}: {WITHHELD}")
    return evidence(signal)


def evidence(signal: Signal) -> str:
    """A line on one signal, without what a hidden case asked, wanted and got."""
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
    """JSON has no nan and no inf; as text they are at least not taken for numbers."""
    if isinstance(value, str):
        return writable(value)
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def writable(text: str) -> str:
    r"""Text of a submission may hold lone surrogates, which UTF-8 cannot carry; they are written out as \udc80."""
    return text.encode("utf-8", "backslashreplace").decode()
