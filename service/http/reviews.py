"""Reviews, for programs. The pages have their own addresses under /review."""

from dataclasses import asdict

from fastapi import APIRouter

from rubrics.model import Decision
from service.app_state import Assay
from service.edge.access import Reviewer
from service.edge.guard import Guarded
from service.edge.problems import OF_A_BODY, described
from service.schemas import ReviewIn, ReviewOut, ReviewsOut
from service.storage.interface import ReviewerId, ReviewRecord, RunId

router = APIRouter(tags=["reviews"], route_class=Guarded)


@router.post(
    "/runs/{run_id}/reviews",
    status_code=201,
    responses={
        404: described("There is no such run."),
        409: described("Not done yet, ungradable, its rubric is not installed, or reviewed by you already."),
        **OF_A_BODY,
    },
)
def add_review(run_id: str, body: ReviewIn, assay: Assay, who: Reviewer) -> ReviewOut:
    """Decide on every criterion. The service computes from the levels whether that confirms or overrides the suggestion.

    The same review again returns the one that stands. If the run was evaluated under another version of its rubric, the
    review uses the installed version, and nothing is suggested: every verdict is `unaided`.
    """
    decisions = [Decision(**decision.model_dump()) for decision in body.decisions]
    reviewer = ReviewerId(who.name)
    record = assay.reviewing.complete(RunId(run_id), reviewer, decisions, harm=body.harm, harm_note=body.harm_note)
    return _out(record)


@router.get("/runs/{run_id}/reviews", responses={404: described("There is no such run.")})
def list_reviews(run_id: str, assay: Assay, _: Reviewer) -> ReviewsOut:
    """Return the reviews of a run that stand, oldest first."""
    return ReviewsOut(reviews=[_out(record) for record in assay.reviewing.reviews(RunId(run_id))])


def _out(record: ReviewRecord) -> ReviewOut:
    return ReviewOut(
        review_id=record.id,
        run_id=record.run_id,
        reviewer=record.reviewer,
        created_at=record.created_at,
        decided=[
            {**asdict(entry.decision), "verdict": entry.verdict, "suggested": entry.suggested}
            for entry in record.review.decided
        ],
        harm=record.review.harm,
        harm_note=record.review.harm_note,
    )
