"""`?wait=`: hundreds may wait for their runs while the service goes on answering."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from service.runs.waiting import FinishedRuns
from service.storage.interface import RunId, StorageError
from tests.integration.api import Api
from tests.integration.stored import finish_next

GOOD = {"task_id": "numbers/double", "solution": "x = 1"}


def test_hundreds_wait_at_once_and_others_are_served(api: Api) -> None:
    async def scenario() -> list[httpx2.Response]:
        token = api.storage.access.add_token("s", frozenset({"submitter"}), api.clock.now, expires_at=None)
        transport = httpx2.ASGITransport(app=api.app)
        headers = {"Authorization": f"Bearer {token}"}
        async with httpx2.AsyncClient(
            transport=transport, base_url="http://test", headers=headers, timeout=120
        ) as client:
            waiting = [asyncio.create_task(client.post("/v1/submissions?wait=60", json=GOOD)) for _ in range(200)]
            while api.jobs.depth(api.clock.now) < 200:
                assert (await client.get("/v1/runs")).status_code == 200  # answered while all the others wait
            for _ in range(200):
                await asyncio.to_thread(finish_next, api.storage, api.jobs, api.clock.now)
            return await asyncio.gather(*waiting)

    answers = asyncio.run(scenario())
    assert {answer.status_code for answer in answers} == {200}
    runs = [answer.json() for answer in answers]
    assert {run["outcome"] for run in runs} == {"failed"}
    assert len({run["run_id"] for run in runs}) == 200


def test_when_time_is_up_the_answer_is_where_to_look(api: Api) -> None:
    answer = api.as_("submitter").post("/v1/submissions?wait=0.1", json=GOOD)
    assert answer.status_code == 202
    run = api.as_("submitter").get(f"/v1/runs/{answer.json()['run_id']}?wait=0.1").json()
    assert run["state"] == "queued"


def test_a_run_that_is_done_is_answered_without_waiting(api: Api) -> None:
    client = api.as_("submitter")
    run_id = client.post("/v1/submissions", json=GOOD).json()["run_id"]
    finish_next(api.storage, api.jobs, api.clock.now)
    assert client.get(f"/v1/runs/{run_id}?wait=60").json()["state"] == "done"


def test_a_run_waited_for_by_reading_it(api: Api) -> None:
    client = api.as_("submitter")
    run_id = client.post("/v1/submissions", json=GOOD).json()["run_id"]
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(client.get, f"/v1/runs/{run_id}?wait=60")
        finish_next(api.storage, api.jobs, api.clock.now)
        assert waiting.result().json()["state"] == "done"


@pytest.mark.parametrize("wait", ["-1", "61", "nan", "inf", "soon"])
def test_a_wait_that_is_none_is_refused(api: Api, wait: str) -> None:
    answer = api.as_("submitter").post(f"/v1/submissions?wait={wait}", json=GOOD)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "wait")
    assert api.jobs.depth(api.clock.now) == 0


def test_waiting_ends_with_the_database(api: Api) -> None:
    async def scenario() -> None:
        finished = FinishedRuns(api.storage)
        api.storage.runs.done = fails  # type: ignore[method-assign]
        with pytest.raises(StorageError):
            await finished.wait(RunId("r"), 60)

    def fails(_: object) -> frozenset[RunId]:
        raise StorageError("gone")

    asyncio.run(scenario())
