"""The services that every request may use. `create_app` puts one on `app.state.assay`, and it never changes."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Protocol

from fastapi import Depends, Request

from graders.interface import Grader, Task
from graders.plugins.registry import Broken
from rubrics.model import Rubric
from sandboxes.interface import Tier
from service.jobs.interface import Jobs
from service.reviewing.use_cases import Reviewing
from service.runs.catalog import Catalog
from service.runs.readiness import Readiness
from service.runs.waiting import FinishedRuns
from service.settings import Settings
from service.storage.storage import Storage


class InstalledGraders(Protocol):
    """`service.plugins.installation.Installation`, or a `graders.plugins.registry.Registry` of graders that may run in this process."""

    @property
    def graders(self) -> Mapping[str, type[Grader]]:
        """Return the graders by id. The classes are there for their attributes."""
        ...

    @property
    def broken(self) -> tuple[Broken, ...]: ...

    def check(self, task: Task) -> None:
        """Raises GraderChoiceError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    storage: Storage
    jobs: Jobs
    rubrics: Mapping[str, Rubric]
    """By id, the newest version of each."""
    registry: InstalledGraders
    settings: Settings
    now: Callable[[], datetime]
    """Aware UTC."""
    tiers: tuple[Tier, ...]
    """The tiers that submissions may run in, weakest first."""
    readiness: Readiness
    wake: Callable[[], None]
    """Wake the workers of this process, because there is work."""
    catalog: Catalog
    reviewing: Reviewing
    finished: FinishedRuns
    held: Counter[str] = field(default_factory=Counter)
    """Name -> bytes of bodies that are being read. Belongs to the event loop."""


def services(request: Request) -> Services:
    """Return the services of the app that answers this request."""
    state: Services = request.app.state.assay
    return state


Assay = Annotated[Services, Depends(services)]
"""Type of the argument through which a route gets the services."""
