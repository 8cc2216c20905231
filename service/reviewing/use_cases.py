"""The steps of a review. The pages and the API call these and translate; neither decides anything itself.

Each step that changes something is one transaction on one reviewer's work on one run. The run itself is read before the
transaction: once a run is done, it never changes.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rubrics.model import Decision, Prefill, Rubric
from rubrics.review import decide
from service.reviewing.decisions import HARM, as_drafts, check, completed, harm_flag, reviewable, suggestions
from service.storage.interface import (
    AlreadyReviewedError,
    DraftDecision,
    QueueEntry,
    ReviewerId,
    ReviewerProgress,
    ReviewRecord,
    RunId,
    RunRecord,
    RunResult,
)
from service.storage.storage import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedRun:
    """A run as a reviewer finds it when they open it."""

    run: RunRecord
    findings: RunResult
    rubric: Rubric
    suggestions: tuple[Prefill, ...]
    """One for each criterion, in rubric order."""
    decided: Mapping[str, DraftDecision]
    """By criterion: the saved review if there is one, otherwise the drafts."""
    saved: bool
    """True if this reviewer has a complete review of the run that stands."""


class Reviewing:
    """The use cases of reviewing. `rubrics` has the installed version of each rubric, by id.

    Every method that names a run raises NotFoundError if the run does not exist.
    """

    def __init__(self, storage: Storage, rubrics: Mapping[str, Rubric], now: Callable[[], datetime]) -> None:
        self._storage = storage
        self._rubrics = rubrics
        self._now = now

    def queue(self, reviewer: ReviewerId) -> Sequence[QueueEntry]:
        """Return the runs that this reviewer may choose from."""
        return self._storage.reviews.queue(reviewer, now=self._now())

    def progress(self, reviewer: ReviewerId) -> ReviewerProgress:
        """Return what this reviewer has done today, in UTC, and what is left."""
        now = self._now()
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return self._storage.reviews.progress(reviewer, since=midnight, now=now)

    def claim_next(self, reviewer: ReviewerId) -> RunId | None:
        """Claim the next run of the queue. Return None if there is none."""
        return self._storage.reviews.claim_next(reviewer, now=self._now())

    def open(self, run_id: RunId, reviewer: ReviewerId) -> OpenedRun:
        """Return the run with this reviewer's decisions, and claim it unless they have reviewed it.

        Raise NotReviewableError, or ClaimedError if another reviewer has the run open.
        """
        run = self._storage.runs.get(run_id)
        findings, rubric = reviewable(run_id, run.findings, self._rubrics)
        with self._storage.reviews.work_on(run_id, reviewer, self._now()) as work:
            standing = work.standing()
            if standing is None:
                work.claim()
            decided = work.drafts() if standing is None else as_drafts(standing)
        return OpenedRun(
            run=run,
            findings=findings,
            rubric=rubric,
            suggestions=suggestions(findings, rubric),
            decided=decided,
            saved=standing is not None,
        )

    def decide(self, run_id: RunId, reviewer: ReviewerId, decision: DraftDecision) -> bool:
        """Keep the decision on one criterion; the last one that was missing completes the review.

        Return True if the review is saved. A repetition of a decision that the saved review has is not an error: the
        first answer may have been lost. Raise NotReviewableError, ReviewError, AlreadyReviewedError or ClaimedError.
        """
        findings, rubric = self._reviewable(run_id)
        check(rubric, decision.criterion, decision.level)
        with self._storage.reviews.work_on(run_id, reviewer, self._now()) as work:
            standing = work.standing()
            if standing is not None:
                kept = as_drafts(standing).get(decision.criterion)
                if kept is None or (kept.level, kept.note) != (decision.level, decision.note):
                    raise AlreadyReviewedError
                return True
            work.claim()
            work.keep(decision)
            review = completed(findings, rubric, work.drafts())
            if review is not None:
                work.complete(review)
            return review is not None

    def clear(self, run_id: RunId, reviewer: ReviewerId, criterion: str) -> None:
        """Forget the decision and the note on one criterion. Raise what `decide` raises."""
        _findings, rubric = self._reviewable(run_id)
        check(rubric, criterion, None)
        self._change(run_id, reviewer, criterion, None)

    def flag_harm(self, run_id: RunId, reviewer: ReviewerId, note: str) -> None:
        """Raise the harm flag. Raise NotReviewableError, AlreadyReviewedError or ClaimedError."""
        self._reviewable(run_id)
        self._change(run_id, reviewer, HARM, harm_flag(note))

    def clear_harm(self, run_id: RunId, reviewer: ReviewerId) -> None:
        """Take the harm flag back. Raise NotReviewableError, AlreadyReviewedError or ClaimedError."""
        self._reviewable(run_id)
        self._change(run_id, reviewer, HARM, None)

    def undo(self, run_id: RunId, reviewer: ReviewerId, criterion: str = "") -> None:
        """Withdraw the saved review and open it again, with `criterion` undecided: the last of the rubric if empty.

        If no review stands, nothing happens: a repeated request finds it withdrawn already. Raise NotReviewableError, or
        ReviewError for an unknown criterion.
        """
        _findings, rubric = self._reviewable(run_id)
        reopened = criterion or rubric.criteria[-1].id
        check(rubric, reopened, None)
        with self._storage.reviews.work_on(run_id, reviewer, self._now()) as work:
            standing = work.standing()
            if standing is None:
                return
            work.withdraw()
            for id, kept in as_drafts(standing).items():
                work.keep(replace(kept, level=None) if id == reopened else kept)

    def skip(self, run_id: RunId, reviewer: ReviewerId, reason: str) -> None:
        """Give the run back to the queue, for other reviewers."""
        with self._storage.reviews.work_on(run_id, reviewer, self._now()) as work:
            work.skip(reason)

    def complete(
        self, run_id: RunId, reviewer: ReviewerId, decisions: Sequence[Decision], *, harm: bool, harm_note: str
    ) -> ReviewRecord:
        """Save a whole review at once. It needs no claim: two people may review one run.

        The same review again returns the one that stands. Raise NotReviewableError, ReviewError or AlreadyReviewedError.
        """
        findings, rubric = self._reviewable(run_id)
        review = decide(rubric, suggestions(findings, rubric), decisions, harm=harm, harm_note=harm_note)
        with self._storage.reviews.work_on(run_id, reviewer, self._now()) as work:
            return work.complete(review)

    def reviews(self, run_id: RunId) -> Sequence[ReviewRecord]:
        """Return the reviews of a run that stand, oldest first."""
        return self._storage.reviews.standing(self._storage.runs.summary(run_id).id)

    def _reviewable(self, run_id: RunId) -> tuple[RunResult, Rubric]:
        return reviewable(run_id, self._storage.runs.summary(run_id).findings, self._rubrics)

    def _change(self, run_id: RunId, reviewer: ReviewerId, criterion: str, draft: DraftDecision | None) -> None:
        with self._storage.reviews.work_on(run_id, reviewer, self._now()) as work:
            if work.standing() is not None:
                raise AlreadyReviewedError
            work.claim()
            if draft is None:
                work.clear(criterion)
            else:
                work.keep(draft)
