"""Reading runs."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool

from service.api.access import Anyone
from service.api.problems import described
from service.api.schemas import RunOut, RunsOut
from service.api.submissions import Wait
from service.api.view import run_out
from service.app_state import Assay
from service.storage.interface import RunId, RunState

router = APIRouter(tags=["runs"])


@router.get("/runs/{run_id}", responses={404: described("There is no such run.")})
async def get_run(run_id: str, assay: Assay, _: Anyone, wait: Wait = 0) -> RunOut:
    """One run; with `wait`, held until it is done or the time is up."""
    run = await run_in_threadpool(assay.storage.run, RunId(run_id))
    if wait and run.state is not RunState.DONE:
        await assay.finished.wait(run.id, wait)
        run = await run_in_threadpool(assay.storage.run, run.id)
    return run_out(run)


@router.get("/runs")
def list_runs(
    assay: Assay,
    _: Anyone,
    tag: Annotated[str | None, Query(description="Only runs of submissions with this tag.")] = None,
    after: Annotated[str, Query(pattern=r"^[0-9]{0,18}$", description="`next` of an earlier answer.")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> RunsOut:
    """Finished runs in the order in which they finished. Ask again with `next`: no run is missed or repeated."""
    runs, cursor = assay.storage.finished_runs(tag=tag, after=after, limit=limit)
    return RunsOut(runs=[run_out(run) for run in runs], next=cursor)
