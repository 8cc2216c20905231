"""Reading runs."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool

from service.app_state import Assay, Services
from service.edge.access import Anyone
from service.edge.guard import Guarded
from service.edge.problems import described
from service.http.submissions import Wait
from service.http.view import run_response, runs_response
from service.schemas import RunOut, RunsOut
from service.storage.interface import NotFoundError, Principal, RunId, RunState, RunSummary

router = APIRouter(tags=["runs"], route_class=Guarded)


@router.get(
    "/runs/{run_id}", response_model=RunOut, responses={404: described("There is no such run, or it is not yours.")}
)
async def get_run(run_id: str, assay: Assay, who: Anyone, wait: Wait = 0) -> Response:
    """Return one run. With `wait`, the answer waits until the run is done or the time is up.

    A submitter can read their own runs only.
    """
    run = await run_in_threadpool(_run_of, assay, RunId(run_id), who)
    if wait and run.state is not RunState.DONE:
        await assay.finished.wait(run.id, wait)
        run = await run_in_threadpool(_run_of, assay, run.id, who)
    return await run_in_threadpool(run_response, run, who)


@router.get("/runs", response_model=RunsOut)
def list_runs(
    assay: Assay,
    who: Anyone,
    tag: Annotated[str | None, Query(description="Only runs of submissions with this tag.")] = None,
    after: Annotated[str, Query(pattern=r"^[0-9]{0,18}$", description="`next` of an earlier answer.")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Response:
    """Return finished runs in the order in which they finished. Ask again with `next`: no run is missed or repeated.

    A submitter gets their own runs only.
    """
    submitter = None if who.sees_all else who.name
    runs, cursor = assay.storage.runs.finished(tag=tag, submitter=submitter, after=after, limit=limit)
    return runs_response(runs, cursor, who)


def _run_of(assay: Services, id: RunId, who: Principal) -> RunSummary:
    """Return the run. Raise the same NotFoundError for an unknown run and for one that the caller must not see."""
    run = assay.storage.runs.summary(id)
    if not who.sees_all and (run.submitter != who.name or not run.submitter):
        raise NotFoundError(f"run {id}")
    return run
