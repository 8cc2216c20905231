"""The web application: the API under /v1, the reviewers' pages, and what lies around both."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from fastapi import APIRouter, FastAPI

from graders.registry import Registry
from rubrics.model import Rubric
from service import problems
from service.api import access, catalog, exports, reviews, runs, submissions, tasks
from service.app_state import Services
from service.catalog import Catalog
from service.edge import Edge
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
    missing: Callable[[], Sequence[str]] = _nothing_missing,
    wake: Callable[[], None] = _nobody_to_wake,
) -> FastAPI:
    """The application on these parts. It opens and closes none of them, so it needs no lifespan of its own."""
    app = _routes()
    app.include_router(pages.router)
    app.state.assay = Services(
        storage=storage,
        jobs=jobs,
        rubrics=rubrics,
        registry=registry,
        settings=settings,
        now=now,
        missing=missing,
        wake=wake,
        catalog=Catalog(storage),
        finished=FinishedRuns(storage),
    )
    app.add_middleware(Edge, max_body_mib=settings.max_body_mib)
    return app


def describe() -> dict[str, object]:
    """The OpenAPI document of the API."""
    return _routes().openapi()


def _routes() -> FastAPI:
    # No docs_url: FastAPI's page loads its scripts from elsewhere, which our own CSP forbids.
    app = FastAPI(
        title="Assay",
        version="1",
        description="Runs AI-written code against hidden tests in isolated boxes, and pre-fills a rubric for reviewers.",
        docs_url=None,
        redoc_url=None,
    )
    api = APIRouter(
        prefix="/v1",
        responses={
            401: problems.described("Nobody is signed in."),
            403: problems.described("The token lacks a scope."),
            422: problems.described("Some field is wrong; `errors` names it."),
        },
    )
    for module in (submissions, runs, tasks, reviews, exports, catalog):
        api.include_router(module.router)
    app.include_router(api)
    app.include_router(catalog.health_router)
    app.include_router(access.router)
    problems.install(app)
    return app
