"""The web application: the API under /v1, the reviewers' pages, and what lies around both."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from fastapi import FastAPI

from graders.registry import Registry
from rubrics.model import Rubric
from sandboxes.interface import Tier
from service.api.edge import Edge
from service.api.routes import api_app
from service.app_state import Services
from service.catalog import Catalog
from service.jobs.interface import Jobs
from service.settings import Settings
from service.storage.interface import Storage
from service.waiting import FinishedRuns
from service.web import pages


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _nothing_missing() -> Sequence[str]:
    return ()


def _nobody_to_wake() -> None:
    """Workers in other processes look for themselves."""


def create_app(
    *,
    storage: Storage,
    jobs: Jobs,
    rubrics: Mapping[str, Rubric],
    registry: Registry,
    settings: Settings,
    now: Callable[[], datetime] = _utc_now,
    tiers: Sequence[Tier] = tuple(Tier),
    missing: Callable[[], Sequence[str]] = _nothing_missing,
    wake: Callable[[], None] = _nobody_to_wake,
) -> FastAPI:
    """The application on these parts. It opens and closes none of them, so it needs no lifespan of its own."""
    app = api_app()
    app.include_router(pages.router)
    app.state.assay = Services(
        storage=storage,
        jobs=jobs,
        rubrics=rubrics,
        registry=registry,
        settings=settings,
        now=now,
        tiers=tuple(tiers),
        missing=missing,
        wake=wake,
        catalog=Catalog(storage),
        finished=FinishedRuns(storage),
    )
    app.add_middleware(Edge)
    return app
