"""Decisions of reviewers, for programs; the page has its own addresses under /review."""

from dataclasses import asdict

from fastapi import APIRouter

from rubrics.model import Decision, Rubric
from rubrics.review import ReviewError, decide
from service.app_state import Assay, Services
from service.edge.access import Reviewer
from service.edge.guard import Guarded
from service.edge.problems import OF_A_BODY, ProblemError, described
from service.schemas import ErrorField, ReviewIn, ReviewOut, ReviewsOut
from service.storage.interface import ConflictError, ReviewerId, ReviewRecord, RunId, RunOutcome, RunResult

router = APIRouter(tags=["reviews"], route_class=Guarded)


@router.post(
    "/runs/{run_id}/reviews",
    status_code=201,
    responses={
        404: described("There is no such run."),
        409: described("Not done yet, ungradable, or reviewed by you already."),
        **OF_A_BODY,
    },
)
def add_review(run_id: str, body: ReviewIn, assay: Assay, who: Reviewer) -> ReviewOut:
    """Decide on every criterion. Whether that confirms or overrides the suggestion is computed from the levels.

    The same review again answers with the one that stands.
    """
    findings = _gradable(assay, RunId(run_id))
    decisions = [Decision(**decision.model_dump()) for decision in body.decisions]
    try:
        review = decide(
            _rubric(assay, findings), findings.prefills, decisions, harm=body.harm, harm_note=body.harm_note
        )
    except ReviewError as error:
        field = ErrorField(field=error.field, expected=error.expected)
        raise ProblemError("invalid-review", f"{error}.", [field]) from error
    return _out(assay.storage.add_review(RunId(run_id), ReviewerId(who.name), review, assay.now()))


@router.get("/runs/{run_id}/reviews", responses={404: described("There is no such run.")})
def list_reviews(run_id: str, assay: Assay, _: Reviewer) -> ReviewsOut:
    """The reviews of a run that stand, oldest first."""
    run = assay.storage.run(RunId(run_id))
    return ReviewsOut(reviews=[_out(record) for record in assay.storage.reviews(run_id=run.id)])


def _gradable(assay: Services, run_id: RunId) -> RunResult:
    findings = assay.storage.run(run_id).findings
    if findings is None:
        raise ConflictError(f"run {run_id} is not done yet")
    if findings.outcome is RunOutcome.UNGRADABLE:
        raise ConflictError(f"run {run_id} is ungradable: that is our failure, and no verdict on the submission")
    return findings


def _rubric(assay: Services, findings: RunResult) -> Rubric:
    rubric = assay.rubrics.get(findings.rubric_id)
    if rubric is None or rubric.version != findings.rubric_version:
        # Levels of another version may mean something else, and a suggestion made for them would be no suggestion.
        raise ConflictError(
            f"the run was evaluated under {findings.rubric_id}@{findings.rubric_version}, which this service no longer has"
        )
    return rubric


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
