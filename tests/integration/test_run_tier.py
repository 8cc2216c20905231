"""A whole service with real boxes: each submission runs in the tier that it asks for, and its run says so."""

from pathlib import Path

import pytest

from sandboxes.interface import Tier
from sandboxes.tiers import Tiers
from service.client import ApiError, Client
from service.packages import read_folder
from service.schemas import SubmissionIn
from service.settings import Settings
from service.wiring import embedded

MEDIAN = Path(__file__).parents[2] / "examples" / "median"
SOLUTION = "import statistics\nmedian = statistics.median\n"


def tell(line: str) -> None:
    print(f"assay: {line}")


@pytest.mark.timeout(300)
def test_each_submission_runs_in_the_tier_it_asks_for(tmp_path: Path, tiers: Tiers) -> None:
    with embedded(Settings(home=tmp_path, port=0), tell) as (base_url, token), Client(base_url, token) as client:
        client.put_task(read_folder(MEDIAN))
        asked = {tier: SubmissionIn(task_id="median", solution=SOLUTION, minimum_tier=tier) for tier in tiers.offered}
        accepted = {tier: client.submit(submission).run_id for tier, submission in asked.items()}
        runs = {tier: client.run(run_id, wait_seconds=60) for tier, run_id in accepted.items()}
    assert {tier: run.sandbox.partition("@")[0] for tier, run in runs.items()} == {tier: tier for tier in tiers.offered}
    assert {run.outcome for run in runs.values()} == {"passed"}


def test_the_operators_least_tier_holds_for_all_and_cannot_be_asked_away(tmp_path: Path, tiers: Tiers) -> None:
    settings = Settings(home=tmp_path, port=0, minimum_tier=Tier.CONTAINER)
    with embedded(settings, tell) as (base_url, token), Client(base_url, token) as client:
        client.put_task(read_folder(MEDIAN))
        weaker = client.submit(SubmissionIn(task_id="median", solution=SOLUTION, minimum_tier="jail"))
        run = client.run(weaker.run_id, wait_seconds=60)
        assert (run.sandbox.partition("@")[0], run.outcome) == ("container", "passed")
        with pytest.raises(ApiError, match=r"minimum_tier: expected one of jail, container, gvisor, not 'castle'"):
            client.submit(SubmissionIn(task_id="median", solution=SOLUTION, minimum_tier="castle"))
