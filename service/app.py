"""The web application: the API under /v1, the reviewers' pages, and the layers around both."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from fastapi import FastAPI

from rubrics.model import Rubric
from sandboxes.interface import Tier
from service.app_state import InstalledGraders, Services
from service.edge.middleware import Edge
from service.http.routes import api_app
from service.jobs.interface import Jobs
from service.reviewing.use_cases import Reviewing
from service.runs.catalog import Catalog
from service.runs.readiness import Check, Readiness
from service.runs.waiting import FinishedRuns
from service.settings import Settings
from service.storage.interface import StorageError
from service.storage.storage import Storage
from service.web import pages


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _nobody_to_wake() -> None:
    """Do nothing: workers in other processes poll."""


OVERDUE = timedelta(minutes=5)
"""A lease that ended this long ago shows that no worker is there to take the job again."""


def _database(storage: Storage) -> Check:
    def missing() -> Sequence[str]:
        try:
            storage.database.check_write()
        except StorageError as error:
            return (f"the database takes no write: {error}",)
        return ()

    return Check("the database", missing)


def _leases(jobs: Jobs, now: Callable[[], datetime]) -> Check:
    def missing() -> Sequence[str]:
        try:
            overdue = jobs.overdue(now())
        except StorageError:
            return ()  # the check of the database reports it
        if overdue < OVERDUE:
            return ()
        return (f"a run was left by its worker {overdue.total_seconds():.0f} s ago, and no other has taken it",)

    return Check("the table of jobs", missing)


def create_app(
    *,
    storage: Storage,
    jobs: Jobs,
    rubrics: Mapping[str, Rubric],
    registry: InstalledGraders,
    settings: Settings,
    now: Callable[[], datetime] = _utc_now,
    tiers: Sequence[Tier] = tuple(Tier),
    checks: Sequence[Check] = (),
    wake: Callable[[], None] = _nobody_to_wake,
) -> FastAPI:
    """Return the application on these parts. `checks` are conditions of readiness, besides the database.

    The application does not open or close the parts, so it needs no lifespan of its own.
    """
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
        readiness=Readiness([*checks, _database(storage), _leases(jobs, now)]),
        wake=wake,
        catalog=Catalog(storage),
        reviewing=Reviewing(storage, rubrics, now),
        finished=FinishedRuns(storage),
    )
    app.add_middleware(Edge)
    return app
