"""The use cases of a review, through both of their doors: the reviewer's page and the API."""

from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest

from rubrics.model import Review
from service.storage.interface import RunId, RunOutcome, RunResult
from service.storage.tables import metadata
from tests.integration.api import Api
from tests.integration.stored import disputed_findings, findings

GOOD = {"task_id": "numbers/double", "solution": "x = 1"}


def evaluated(api: Api, result: RunResult | None) -> RunId:
    """Return a run with this result; with None, one that waits."""
    run = RunId(api.as_("submitter").post("/v1/submissions", json=GOOD).json()["run_id"])
    if result is not None:
        lease = api.jobs.lease("worker", api.clock.now)
        assert lease is not None
        assert api.storage.runs.finish(run, lease.attempt, result, api.clock.now)
    return run


def through_the_page(api: Api, run: str, criterion: str, level: int) -> httpx2.Response:
    body = {"level": level, "note": "", "milliseconds": 900}
    return api.as_("reviewer", name="ann").put(f"/review/{run}/draft/{criterion}", json=body)


def through_the_api(api: Api, run: str, criterion: str, level: int) -> httpx2.Response:
    body = {"decisions": [{"criterion": criterion, "level": level, "milliseconds": 900}]}
    return api.as_("reviewer", name="ann").post(f"/v1/runs/{run}/reviews", json=body)


DOORS = {"page": through_the_page, "api": through_the_api}


@dataclass(frozen=True)
class Case:
    result: RunResult | None
    status: int
    says: str
    """The verdict of a review that is saved, otherwise part of the detail."""
    criterion: str = "correctness"
    level: int = 1


CASES = {
    "as suggested": Case(findings(), 200, "confirmed"),
    "not as suggested": Case(findings(), 200, "overridden", level=2),
    "passed": Case(findings(RunOutcome.PASSED), 200, "confirmed"),
    "disputed, so nothing is suggested": Case(disputed_findings(), 200, "unaided"),
    "judged by another version of the rubric": Case(replace(findings(), rubric_version="0"), 200, "unaided"),
    "judged by a rubric that is gone": Case(replace(findings(), rubric_id="old"), 409, "rubric old of run"),
    "waiting": Case(None, 409, "not done yet"),
    "ungradable": Case(findings(RunOutcome.UNGRADABLE), 409, "our failure and not the response's"),
    "no such level": Case(findings(), 422, "a level of correctness", level=9),
    "no such criterion": Case(findings(), 422, "one of correctness", criterion="beauty"),
}


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_page_and_api_give_one_answer(api: Api, case: Case, door: str) -> None:
    run = evaluated(api, case.result)
    answer = DOORS[door](api, run, case.criterion, case.level)
    reviews = api.storage.reviews.standing(run)
    if case.status == 200:
        assert answer.status_code == {"page": 200, "api": 201}[door]
        assert [verdict(record.review) for record in reviews] == [case.says]
    else:
        assert answer.status_code == case.status
        assert case.says in answer.json()["detail"]
        assert list(reviews) == []


def verdict(review: Review) -> str:
    return review.decided[0].verdict


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_cannot_be_reviewed_is_neither_shown_nor_claimed(api: Api, case: Case) -> None:
    run = evaluated(api, case.result)
    answer = api.as_("reviewer", name="ann").get(f"/review/{run}")
    assert answer.status_code == (409 if case.status == 409 else 200)
    claimed = [row.run_id for row in everything(api)["claims"]]
    assert claimed == ([] if case.status == 409 else [run])


@pytest.mark.parametrize("again", DOORS)
@pytest.mark.parametrize("first", DOORS)
def test_a_saved_review_answers_alike_whichever_door_comes_next(api: Api, first: str, again: str) -> None:
    run = evaluated(api, findings())
    DOORS[first](api, run, "correctness", 1)
    assert DOORS[again](api, run, "correctness", 1).status_code in (200, 201)
    other = DOORS[again](api, run, "correctness", 2)
    assert (other.status_code, other.json()["type"]) == (409, "urn:assay:problem:conflict")
    assert "reviewed this response already" in other.json()["detail"]
    assert len(api.storage.reviews.standing(run)) == 1


@pytest.mark.parametrize("door", DOORS)
def test_an_unknown_run_is_not_found(api: Api, door: str) -> None:
    assert DOORS[door](api, "run_nowhere", "correctness", 1).status_code == 404


def test_the_last_decision_and_its_review_are_kept_together_or_not_at_all(api: Api) -> None:
    """A decision that is kept without its review leaves a run with nothing to decide, which only undo could mend."""
    run = evaluated(api, findings())
    with api.storage.database.writing() as connection:
        connection.exec_driver_sql("CREATE TRIGGER no BEFORE INSERT ON reviews BEGIN SELECT RAISE(FAIL, 'no'); END")
    before = everything(api)
    assert through_the_page(api, run, "correctness", 1).status_code >= 500
    after = everything(api)
    assert {name: after[name] for name in ("drafts", "claims", "reviews")} == {
        name: before[name] for name in ("drafts", "claims", "reviews")
    }


def everything(api: Api) -> dict[str, list[Any]]:
    with api.storage.database.reading() as connection:
        return {table.name: list(connection.execute(table.select())) for table in metadata.sorted_tables}
