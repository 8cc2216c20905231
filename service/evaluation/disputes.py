"""The explanation of a disputed run: in full for its author and reviewers, only the cases for its submitter. Pure."""

from collections.abc import Mapping, Sequence

from rubrics.signals import CaseOutcome, Outcome

DISPUTED = "disputed"
"""`kind` of the diagnostics of such a run."""
TO_SUBMITTER = "Two examinations disagree on a case, and no other failed: in one it passes, in the other it fails. A reviewer decides."


def of_disputes(cases: Sequence[CaseOutcome]) -> Mapping[str, str]:
    """Return diagnostics: `kind`, `suite` and `case` (number) of the first disputed case, and a `message`.

    The message may quote hidden tests.
    """
    disputed = [case for case in cases if case.outcome is Outcome.DISPUTED]
    if not disputed:
        return {}
    first = disputed[0]
    more = f" and {len(disputed) - 1} more" if len(disputed) > 1 else ""
    why = f": {first.note}" if first.note else ""
    return {
        "kind": DISPUTED,
        "suite": first.suite,
        "case": str(first.number),
        "message": f"two examinations disagree on case {first.case} of suite {first.suite}{more}{why}",
    }
