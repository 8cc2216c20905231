"""Fails the disputed cases of a submission that tampers with its examination. Pure.

The two examinations of a test may disagree because the connection between two boxes carries less than one process does:
that is for a human to decide. They also disagree if a submission manipulates the one in which it shares a process with
its tests. Signs of that are enough to fail a *disputed* case, never one that passed: elsewhere a false alarm costs an
honest author nothing.
"""

from collections.abc import Sequence
from dataclasses import replace

from graders.interface import CaseOutcome, Finding, Outcome, Severity, Signal, UntrustedText

TAMPERING = frozenset(
    f"assay/{name}"
    for name in (
        # from the run: it wrote to the channel of the examination, or read other processes
        "channel", "box-read",
        # from the source: means other than the answer that decide the outcome
        "leaves", "exit-hook", "skips-tests", "test-hook", "lying-equality", "lying-class", "lying-difference", "equals-anything",
        "patches-library", "import-hook", "traces", "reads-frames", "reads-heap", "detects-tests", "reads-tests", "imports-answers",
        "forged-verdict", "forged-channel", "plants-files", "planted-file", "shadows-module",
    )
)  # fmt: skip
"""Rules that mean, at severity high, that the submission tampers with the examination itself: with its process, its
comparison, its files or its channel. Rules about misleading a reader, using the machine, or answers from memory are not
among them: the two examinations do not disagree on these."""


def without_tampered_disputes(signals: Sequence[Signal]) -> Sequence[Signal]:
    """Return the signals of a run. If one shows tampering, its disputed cases become failed, with the reason."""
    shown = sorted({_place(signal) for signal in signals if isinstance(signal, Finding) and is_tampering(signal)})
    if not shown:
        return signals
    why = f"failed, not disputed: there are signs of tampering with the examination ({', '.join(shown)})"
    return [
        _failed(signal, why) if isinstance(signal, CaseOutcome) and signal.outcome is Outcome.DISPUTED else signal
        for signal in signals
    ]


def is_tampering(signal: Signal) -> bool:
    """Return True for a flag of severity high of a rule of TAMPERING: it is enough to fail a disputed case."""
    return isinstance(signal, Finding) and signal.flag and signal.severity is Severity.HIGH and signal.rule in TAMPERING


def _place(finding: Finding) -> str:
    return f"{finding.rule} in {finding.path}" if finding.path else finding.rule


def _failed(case: CaseOutcome, why: str) -> CaseOutcome:
    note = "; ".join(filter(None, (why, case.note)))
    return replace(case, outcome=Outcome.FAILED, credit=None, note=UntrustedText(note))
