"""A run is evaluated in the strictest tier that anyone asks for, and says which that was."""

from contextlib import nullcontext

import pytest

from rubrics.model import Rubric
from sandboxes.fake import FakeProgram, FakeSandbox
from sandboxes.interface import SandboxError, Tier
from sandboxes.tiers import Tiers
from service.evaluation.pipeline import EvaluationError
from service.evaluation.run_evaluator import RunEvaluator
from service.jobs.table import TableJobs
from service.storage.storage import Storage
from tests.integration.api import REGISTRY, Api
from tests.integration.stored import PACKAGE, RUBRIC, Clock


def used(api: Api, task_tier: str, asked: str, offered: tuple[Tier, ...]) -> list[Tier]:
    """The tiers in which a session was opened for one submission."""
    toml = PACKAGE["task.toml"]
    files = {**PACKAGE, "task.toml": f'minimum_tier = "{task_tier}"\n{toml}' if task_tier else toml}
    assert api.as_("author").post("/v1/tasks", json={"files": files}).status_code in (200, 201)
    body = {"task_id": "numbers/double", "solution": "double = abs", "minimum_tier": asked}
    run = api.storage.runs.get(api.as_("submitter").post("/v1/submissions", json=body).json()["run_id"])
    sessions: list[Tier] = []

    class Watched(FakeSandbox):
        def session(self):  # type: ignore[no-untyped-def]
            sessions.append(Tier(self.name))
            return super().session()

    sandboxes = {tier: Watched(lambda command: FakeProgram(), name=tier) for tier in offered}
    rubrics: dict[str, Rubric] = {RUBRIC.id: RUBRIC}
    tiers = Tiers({tier: lambda tier=tier: nullcontext(sandboxes[tier]) for tier in offered})  # type: ignore[misc]
    evaluate = RunEvaluator(storage=api.storage, registry=REGISTRY, rubrics=rubrics, tiers=tiers)
    with pytest.raises(EvaluationError):  # no grader of this registry judges a suite
        evaluate(run)
    return sessions


@pytest.mark.parametrize(
    ("task_tier", "asked", "offered", "ran_in"),
    [
        ("", "", tuple(Tier), Tier.JAIL),
        ("container", "", tuple(Tier), Tier.CONTAINER),
        ("", "container", tuple(Tier), Tier.CONTAINER),
        ("container", "jail", tuple(Tier), Tier.CONTAINER),
        ("container", "gvisor", tuple(Tier), Tier.GVISOR),
        ("jail", "", (Tier.CONTAINER, Tier.GVISOR), Tier.CONTAINER),
    ],
)
def test_the_strictest_counts(api: Api, task_tier: str, asked: str, offered: tuple[Tier, ...], ran_in: Tier) -> None:
    assert used(api, task_tier, asked, offered) == [ran_in]


def test_what_this_worker_cannot_hold_is_our_failure(api: Api, storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    with pytest.raises(SandboxError, match="tier gvisor is wanted"):
        used(api, "", "gvisor", (Tier.JAIL,))
