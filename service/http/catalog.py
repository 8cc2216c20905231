"""The rubrics and graders of this installation, and its health."""

from dataclasses import asdict

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Response

from service.app_state import Assay
from service.edge.access import Anyone
from service.edge.guard import Guarded
from service.schemas import GradersOut, HealthOut, RubricOut, RubricsOut

router = APIRouter(tags=["installation"], route_class=Guarded)
health_router = APIRouter(tags=["health"])
_POLLING = CapacityLimiter(20)
"""Separate threads for readiness checks: all others may be waiting, and a check may have to wait as well."""


@router.get("/rubrics")
def list_rubrics(assay: Assay, _: Anyone) -> RubricsOut:
    """Return the rubrics, with their criteria and levels."""
    return RubricsOut(rubrics=[RubricOut.model_validate(asdict(rubric)) for rubric in assay.rubrics.values()])


@router.get("/graders")
def list_graders(assay: Assay, _: Anyone) -> GradersOut:
    """Return the graders, and the plugins that could not be loaded."""
    return GradersOut(
        graders={id: grader.version for id, grader in assay.registry.graders.items()},
        broken={each.name: str(each) for each in assay.registry.broken},
    )


@health_router.get("/healthz")
async def healthz() -> HealthOut:
    """Answer, to show that the process is alive."""
    # Not in a thread: all of those may be waiting, for a locked database perhaps.
    return HealthOut(status="ok")


@health_router.get("/readyz", responses={503: {"model": HealthOut, "description": "Something is missing."}})
async def readyz(assay: Assay, response: Response) -> HealthOut:
    """Return whether the service can do its work, and what it lacks if not."""
    missing = await to_thread.run_sync(assay.readiness.missing, limiter=_POLLING)
    if missing:
        response.status_code = 503
    return HealthOut(status="not ready" if missing else "ready", missing=missing)
