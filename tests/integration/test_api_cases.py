"""`GET /v1/runs/{run_id}/cases`: what is hidden, for those who may see it."""

from dataclasses import replace

import pytest

from rubrics.signals import Outcome
from service.storage.interface import RunId, RunOutcome
from tests.integration import stored
from tests.integration.api import Api
from tests.integration.stored import FAILED_CASE, case


def done(api: Api, *signals: object) -> str:
    """A run with these signals."""
    answer = api.as_("submitter").post("/v1/submissions", json={"task_id": "numbers/double", "solution": "x = 1"})
    run_id = str(answer.json()["run_id"])
    lease = api.jobs.lease("w", api.clock.now)
    assert lease is not None and lease.run_id == run_id
    findings = replace(stored.findings(RunOutcome.FAILED), signals=signals)  # type: ignore[arg-type]
    assert api.storage.runs.finish(RunId(run_id), lease.attempt, findings, api.clock.now)
    return run_id


@pytest.mark.parametrize("scope", ["author", "reviewer", "admin"])
def test_authors_and_reviewers_see_what_went_wrong(api: Api, scope: str) -> None:
    run_id = done(api, case("one", Outcome.PASSED), FAILED_CASE)
    answer = api.as_(scope).get(f"/v1/runs/{run_id}/cases")
    assert answer.status_code == 200
    [told] = answer.json()["cases"]
    assert (told["suite"], told["case"], told["outcome"]) == ("hidden", "big[987654]", "failed")
    assert (told["given"], told["wanted"], told["note"]) == ("double(987654)", "1975308", "not 1975308")
    assert told["got"] == "0\x00\\udc00".replace("dc00", "d800"), "what UTF-8 cannot carry is written out"


def test_submitters_do_not(api: Api) -> None:
    run_id = done(api, FAILED_CASE)
    answer = api.as_("submitter").get(f"/v1/runs/{run_id}/cases")
    assert answer.status_code == 403
    assert "987654" not in answer.text
    assert api.client().get(f"/v1/runs/{run_id}/cases").status_code == 401


def test_pages_go_on_where_they_ended_and_may_have_those_that_passed(api: Api) -> None:
    outcomes = (Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.NOT_RUN)
    run_id = done(api, *(case(f"c{number}", outcomes[number % 4]) for number in range(20)))
    author = api.as_("author")

    def pages(passed: str, limit: int) -> list[list[str]]:
        found, after = [], ""
        while True:
            page = author.get(f"/v1/runs/{run_id}/cases?passed={passed}&limit={limit}&after={after}").json()
            found.append([each["case"] for each in page["cases"]])
            after = page["next"]
            if not after:
                return found

    failing = [f"c{number}" for number in range(20) if number % 4]
    assert pages("false", 5) == [failing[:5], failing[5:10], failing[10:]]
    assert pages("true", 500) == [[f"c{number}" for number in range(20)]]
    assert author.get(f"/v1/runs/{run_id}/cases?limit=501").status_code == 422
    assert author.get(f"/v1/runs/{run_id}/cases?after=x").status_code == 422


def test_a_run_without_an_outcome_has_no_cases_and_none_is_not_found(api: Api) -> None:
    answer = api.as_("submitter").post("/v1/submissions", json={"task_id": "numbers/double", "solution": "x = 1"})
    author = api.as_("author")
    assert author.get(f"/v1/runs/{answer.json()['run_id']}/cases").json() == {"cases": [], "next": ""}
    assert author.get("/v1/runs/run_unknown/cases").status_code == 404
