"""What may be reviewed, what the machine suggests, and how decisions become a review. Pure.

NotReviewableError      nobody can review this run now, or ever
ReviewError             a decision has a wrong field (from `rubrics.review`)
"""

from collections.abc import Mapping

from rubrics.model import Decision, Prefill, Review, Rubric
from rubrics.review import ReviewError, decide
from service.storage.interface import ConflictError, DraftDecision, ReviewRecord, RunId, RunOutcome, RunResult

HARM = "harm"
"""The key of the harm flag among the drafts of a run."""


class NotReviewableError(ConflictError):
    """A human cannot judge this run: it is not done, it is ungradable, or its rubric is gone."""


def reviewable(run_id: RunId, findings: RunResult | None, rubrics: Mapping[str, Rubric]) -> tuple[RunResult, Rubric]:
    """Return the findings and the rubric of a review: its installed version, whichever version judged the run.

    Raise NotReviewableError if the evaluation is not done or ungradable, or if the rubric is not installed.
    """
    if findings is None:
        raise NotReviewableError(f"the evaluation of run {run_id} is not done yet")
    if findings.outcome is RunOutcome.UNGRADABLE:
        raise NotReviewableError(f"run {run_id} is ungradable, which is our failure and not the response's")
    if findings.rubric_id not in rubrics:
        raise NotReviewableError(f"the rubric {findings.rubric_id} of run {run_id} is not installed any more")
    return findings, rubrics[findings.rubric_id]


def suggestions(findings: RunResult, rubric: Rubric) -> tuple[Prefill, ...]:
    """Return the suggestion on each criterion, in rubric order. Pages show them, and every decision is compared with them.

    If the run was judged by another version of the rubric, nothing is suggested: a level may have changed its meaning,
    so a reviewer must not confirm it with one key.
    """
    if (findings.rubric_id, findings.rubric_version) != (rubric.id, rubric.version):
        stale = "The rubric has changed since this response was evaluated."
        return tuple(_no_suggestion(criterion.id, stale) for criterion in rubric.criteria)
    made = {prefill.criterion: prefill for prefill in findings.prefills}
    return tuple(made.get(criterion.id) or _no_suggestion(criterion.id, "") for criterion in rubric.criteria)


def _no_suggestion(criterion: str, says: str) -> Prefill:
    return Prefill(criterion=criterion, level=None, confidence=None, because=(), rule="no-evidence", says=says)


def check(rubric: Rubric, criterion: str, level: int | None) -> None:
    """Raise ReviewError if the rubric lacks the criterion, or the criterion lacks the level."""
    known = {entry.id: entry for entry in rubric.criteria}
    if criterion not in known:
        raise ReviewError("criterion", f"one of {', '.join(known)}")
    if level is not None and all(level != entry.value for entry in known[criterion].levels):
        raise ReviewError("level", f"a level of {criterion}, 0 to {len(known[criterion].levels) - 1}")


def completed(findings: RunResult, rubric: Rubric, drafts: Mapping[str, DraftDecision]) -> Review | None:
    """Return the review that the drafts make, or None while a criterion is undecided."""
    decisions = [
        Decision(criterion=draft.criterion, level=draft.level, note=draft.note, milliseconds=draft.milliseconds)
        for draft in (drafts.get(criterion.id) for criterion in rubric.criteria)
        if draft is not None and draft.level is not None
    ]
    if len(decisions) < len(rubric.criteria):
        return None
    harm = drafts.get(HARM)
    return decide(
        rubric,
        suggestions(findings, rubric),
        decisions,
        harm=harm is not None,
        harm_note=harm.note if harm else "",
    )


def as_drafts(record: ReviewRecord) -> dict[str, DraftDecision]:
    """Return the decisions of a saved review as drafts, by criterion."""
    decided = {
        entry.decision.criterion: DraftDecision(
            criterion=entry.decision.criterion,
            level=entry.decision.level,
            note=entry.decision.note,
            milliseconds=entry.decision.milliseconds,
        )
        for entry in record.review.decided
    }
    if record.review.harm:
        decided[HARM] = harm_flag(record.review.harm_note)
    return decided


def harm_flag(note: str) -> DraftDecision:
    """Return the harm flag as it is kept among the drafts."""
    return DraftDecision(criterion=HARM, level=1, note=note, milliseconds=0)
