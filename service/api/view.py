"""A run as its submitter sees it: what the hidden tests decided, never what is in them."""

import math
from typing import Any

from rubrics.model import Prefill
from rubrics.prefill import share_passed
from rubrics.signals import Abstention, CaseOutcome, Finding, Measurement, Outcome, Signal, to_json
from service.api.schemas import Cases, PrefillOut, RunOut
from service.storage.interface import Findings, RunRecord


def run_out(run: RunRecord) -> RunOut:
    """The answer to `GET /v1/runs/{id}`."""
    out = RunOut(
        run_id=run.id,
        id=run.submission.client_id,
        task_id=run.submission.submission.task_id,
        task_version=run.submission.task_version,
        submission_id=run.submission.submission.id,
        tag=run.submission.tag,
        state=run.state,
        attempt=run.attempt,
        created_at=run.created_at,
        finished_at=run.finished_at,
        links={"self": f"/v1/runs/{run.id}", "review": f"/review/{run.id}"},
    )
    return out if run.findings is None else out.model_copy(update=_findings(run.findings))


def _findings(findings: Findings) -> dict[str, Any]:
    signals = findings.signals
    return {
        "outcome": str(findings.outcome),
        "cases": _cases([signal for signal in signals if isinstance(signal, CaseOutcome)]),
        "ends": dict(findings.ends),
        "flags": sorted({signal.rule for signal in signals if isinstance(signal, Finding) and signal.flag}),
        "levels": {prefill.criterion: prefill.level for prefill in findings.prefills},
        "prefills": [_prefill(prefill) for prefill in findings.prefills],
        "findings": [_plain(signal) for signal in signals if isinstance(signal, Finding | Measurement)],
        "abstentions": [
            {
                "grader": signal.grader,
                "criterion": signal.criterion,
                "reason": _text(signal.reason),
                "path": _text(signal.path),
            }
            for signal in signals
            if isinstance(signal, Abstention)
        ],
        "sandbox": findings.sandbox,
        "graders": dict(findings.grader_versions),
        "rubric": f"{findings.rubric_id}@{findings.rubric_version}",
        "diagnostics": {name: _text(value) for name, value in findings.diagnostics.items()},
    }


def _cases(cases: list[CaseOutcome]) -> Cases:
    passed = sum(case.outcome is Outcome.PASSED for case in cases)
    return Cases(passed=passed, failed=len(cases) - passed, total=len(cases), share=share_passed(cases))


def _prefill(prefill: Prefill) -> PrefillOut:
    return PrefillOut(
        criterion=prefill.criterion,
        level=prefill.level,
        confidence=prefill.confidence,
        rule=prefill.rule,
        says=_text(prefill.says),
        evidence=[evidence(signal) for signal in prefill.because],
    )


def evidence(signal: Signal) -> str:
    """A line on one signal, without what a hidden case asked, wanted and got."""
    match signal:
        case CaseOutcome():
            # pytest writes a parametrized case's inputs in brackets behind its name
            line = f"{signal.suite}/{signal.case.partition('[')[0]}: {signal.outcome}"
            line += f" ({signal.end})" if signal.end else ""
            line += f", {signal.credit:.0%} of its weight" if signal.credit else ""
            line += f", in group {signal.group}" if signal.group else ""
        case Measurement():
            line = f"{signal.name}: {signal.value:g} {signal.unit}{_place(signal.path, signal.line)}"
        case Finding():
            line = f"{signal.rule}, {signal.severity}{_place(signal.path, signal.line)}: {signal.message}"
        case Abstention():
            line = f"{signal.grader} could not look{_place(signal.path, 0)}: {signal.reason}"
    return _text(line)


def _place(path: str, line: int) -> str:
    return f" at {path}:{line}" if path and line else f" in {path}" if path else ""


def _plain(signal: Finding | Measurement) -> dict[str, Any]:
    return {name: _json(value) for name, value in to_json(signal).items()}


def _json(value: object) -> object:
    """JSON has no nan and no inf; as text they are at least not taken for numbers."""
    if isinstance(value, str):
        return _text(value)
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _text(text: str) -> str:
    r"""Text of a submission may hold lone surrogates, which UTF-8 cannot carry; they are written out as \udc80."""
    return text.encode("utf-8", "backslashreplace").decode()
