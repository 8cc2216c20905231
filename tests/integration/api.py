"""The real application on a real SQLite file, called in process, and people with tokens."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from starlette.testclient import TestClient

from graders.interface import Context, Example, Grader, Signal
from graders.plugins.registry import Broken, Registry
from sandboxes.interface import Tier
from service.app import create_app
from service.jobs.table import TableJobs
from service.runs.readiness import Check
from service.settings import Settings
from service.storage.storage import Storage
from tests.integration.stored import PACKAGE, RUBRIC, Clock


@dataclass(frozen=True)
class Quiet(Grader):
    """Looks at nothing."""

    id, version, criterion = "acme/quiet", "3", "correctness"
    examples = (Example("x = 1"),)
    allowed: int = 0

    def grade(self, context: Context) -> Iterator[Signal]:
        yield from ()


REGISTRY = Registry(
    graders={"acme/quiet": Quiet},
    broken=(Broken(name="loud", distribution="acme-loud", file="loud.py", reasons=("importing it failed: boom",)),),
)


class Api:
    """The service with a task in it; `as_(scope)` gives a client that may do what the scope allows."""

    def __init__(
        self,
        storage: Storage,
        jobs: TableJobs,
        clock: Clock,
        settings: Settings | None = None,
        tiers: Sequence[Tier] = tuple(Tier),
    ) -> None:
        self.storage = storage
        self.jobs = jobs
        self.clock = clock
        self.missing: list[str] = []
        self.woken = 0
        self.app = create_app(
            storage=storage,
            jobs=jobs,
            rubrics={RUBRIC.id: RUBRIC},
            registry=REGISTRY,
            settings=settings or Settings(),
            now=clock,
            tiers=tiers,
            checks=[Check("the workers", lambda: list(self.missing), fresh_seconds=0)],
            wake=self._wake,
        )

    def _wake(self) -> None:
        self.woken += 1

    def client(self, **headers: str) -> TestClient:
        return TestClient(self.app, raise_server_exceptions=False, headers=headers)

    def as_(self, *scopes: str, name: str = "") -> TestClient:
        token = self.storage.access.add_token(name or scopes[0], frozenset(scopes), self.clock.now, expires_at=None)
        return self.client(Authorization=f"Bearer {token}")

    def with_task(self) -> "Api":
        assert self.as_("author").post("/v1/tasks", json={"files": PACKAGE}).status_code == 201
        return self
