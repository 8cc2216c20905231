"""Submitting responses."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool

from service.app_state import Assay, Services
from service.edge.access import Submitter
from service.edge.guard import Guarded
from service.edge.problems import OF_A_BODY, ProblemError, described, document, field_errors
from service.faults import crash_point
from service.http.view import run_response
from service.runs import intake
from service.runs.intake import Admitted, IntakeError, RunRequest
from service.schemas import Accepted, BatchIn, BatchItem, BatchOut, ErrorField, RunOut, SubmissionIn
from service.storage.interface import NoRoomError, Principal, RunState

MAX_WAIT_SECONDS = 60
MOST_FIELDS_OF_AN_ITEM = 10
"""Number of fields at fault that the answer to a batch names for each item."""

router = APIRouter(tags=["submissions"], route_class=Guarded)

Wait = Annotated[
    float, Query(ge=0, le=MAX_WAIT_SECONDS, description="Seconds to hold the request until the run is done.")
]


@router.post(
    "/submissions",
    status_code=202,
    responses={
        200: {"model": RunOut, "description": "With `wait`: the run, done in time."},
        202: {"model": Accepted, "description": "Accepted; the run is under way."},
        404: described("There is no such task."),
        409: described("The idempotency key was used for other content."),
        503: described("Too much is waiting; see Retry-After."),
        **OF_A_BODY,
    },
    response_model=None,
)
async def submit(
    *,
    body: SubmissionIn,
    assay: Assay,
    who: Submitter,
    wait: Wait = 0,
    idempotency_key: Annotated[str, Header(max_length=200, description="As the field of the body.")] = "",
) -> Response | Accepted:
    """Submit one response to a task. It is run and graded in the background."""
    request = _with_key(_request(body), idempotency_key)
    (outcome,) = await run_in_threadpool(_accept, assay, who, [request])
    if isinstance(outcome, IntakeError):
        raise ProblemError(outcome.kind, f"{outcome}.", _fields(outcome))
    if wait:
        # A waiting request must not hold a thread: hundreds may wait, and the pool has forty.
        await assay.finished.wait(outcome.run_id, wait)
        run = await run_in_threadpool(assay.storage.runs.summary, outcome.run_id)
        if run.state is RunState.DONE:
            return await run_in_threadpool(run_response, run, who)
    return _accepted(outcome)


@router.post("/submissions:batch", responses={503: described("Too much is waiting."), **OF_A_BODY})
def submit_batch(body: BatchIn, assay: Assay, who: Submitter) -> BatchOut:
    """Submit many responses. Each is checked on its own: good ones are accepted, others are answered with a problem."""
    parsed = [_parse(item, position) for position, item in enumerate(body.submissions)]
    outcomes = iter(_accept(assay, who, [item for item in parsed if isinstance(item, RunRequest)]))
    return BatchOut(
        results=[
            _item(next(outcomes), position) if isinstance(item, RunRequest) else item
            for position, item in enumerate(parsed)
        ]
    )


def _accept(assay: Services, who: Principal, requests: Sequence[RunRequest]) -> list[Admitted | IntakeError]:
    """Accept the requests. Room in the queue is checked last, so that a full queue hides neither errors nor old answers."""
    try:
        outcomes = intake.accept(
            assay.storage,
            assay.catalog,
            requests,
            submitter=who.name,
            tiers=assay.tiers,
            now=assay.now(),
            queue_limit=assay.settings.queue_limit,
        )
    except NoRoomError as error:
        full = (
            f"{error.own} of your runs are waiting or under way, of at most {error.most} while others have {error.others};"
            " send this again when some of yours are done, or fewer at once."
        )
        raise ProblemError("queue-full", full) from error
    crash_point("after-accept")
    assay.wake()
    return outcomes


def _request(body: SubmissionIn) -> RunRequest:
    return RunRequest(**body.model_dump())


def _with_key(request: RunRequest, header: str) -> RunRequest:
    if header and request.idempotency_key not in ("", header):
        field = ErrorField(
            field="idempotency_key", expected="the same value as the header Idempotency-Key, or only one"
        )
        raise ProblemError("invalid-submission", "Two different idempotency keys were given.", [field])
    return replace(request, idempotency_key=header or request.idempotency_key)


def _parse(item: dict[str, Any], position: int) -> RunRequest | BatchItem:
    try:
        return _request(SubmissionIn.model_validate(item))
    except ValidationError as error:
        fields = field_errors(error.errors(include_url=False)[:MOST_FIELDS_OF_AN_ITEM])
        return _refused("invalid-submission", fields, position)


def _item(outcome: Admitted | IntakeError, position: int) -> BatchItem:
    if isinstance(outcome, IntakeError):
        return _refused(outcome.kind, _fields(outcome), position)
    return BatchItem(accepted=_accepted(outcome))


def _refused(kind: str, fields: Sequence[ErrorField], position: int) -> BatchItem:
    placed = [ErrorField(field=f"submissions.{position}.{each.field}", expected=each.expected) for each in fields]
    detail = "; ".join(f"{each.field}: expected {each.expected}" for each in placed)
    return BatchItem(problem=document(kind, f"{detail}.", placed).model_dump())


def _fields(error: IntakeError) -> list[ErrorField]:
    return [ErrorField(field=each.field, expected=each.expected) for each in error.wrong]


def _accepted(admitted: Admitted) -> Accepted:
    return Accepted(
        id=admitted.client_id,
        submission_id=admitted.submission_id,
        run_id=admitted.run_id,
        links={"run": f"/v1/runs/{admitted.run_id}"},
    )
