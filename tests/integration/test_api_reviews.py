"""Reviews and exports over HTTP."""

import json
from typing import Any

import pytest

from service.storage.interface import RunId, RunOutcome
from tests.integration.api import Api
from tests.integration.stored import finish_next

GOOD = {"task_id": "numbers/double", "solution": "x = 1"}


def finished(api: Api, outcome: RunOutcome = RunOutcome.FAILED) -> RunId:
    api.as_("submitter").post("/v1/submissions", json=GOOD)
    return finish_next(api.storage, api.jobs, api.clock.now, outcome)


def decided(level: int, **fields: Any) -> dict[str, Any]:
    return {"decisions": [{"criterion": "correctness", "level": level, "milliseconds": 900}], **fields}


@pytest.mark.parametrize(("level", "verdict"), [(1, "confirmed"), (2, "overridden")])
def test_a_review_is_kept_with_what_was_suggested(api: Api, level: int, verdict: str) -> None:
    run = finished(api)
    answer = api.as_("reviewer", name="ann").post(f"/v1/runs/{run}/reviews", json=decided(level))
    assert answer.status_code == 201
    (entry,) = answer.json()["decided"]
    assert (entry["level"], entry["suggested"], entry["verdict"]) == (level, 1, verdict)
    (kept,) = api.as_("reviewer").get(f"/v1/runs/{run}/reviews").json()["reviews"]
    assert kept == answer.json()
    assert kept["reviewer"] == "ann"


def test_the_same_review_again_is_the_same_review(api: Api) -> None:
    run = finished(api)
    ann = api.as_("reviewer", name="ann")
    first = ann.post(f"/v1/runs/{run}/reviews", json=decided(1))
    assert ann.post(f"/v1/runs/{run}/reviews", json=decided(1)).json() == first.json()
    other = ann.post(f"/v1/runs/{run}/reviews", json=decided(2))
    assert (other.status_code, other.json()["type"]) == (409, "urn:assay:problem:conflict")


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"decisions": []}, "invalid-review", "decisions"),
    (decided(9), "invalid-review", "decisions.0.level"),
    ({"decisions": decided(1)["decisions"] * 2}, "invalid-review", "decisions.0.criterion"),
    ({"decisions": [{"criterion": "beauty", "level": 1}]}, "invalid-review", "decisions.0.criterion"),
    ({"decisions": [{"criterion": "correctness", "level": True}]}, "invalid-request", "decisions.0.level"),
    ({"decisions": [{"criterion": "correctness", "level": "1"}]}, "invalid-request", "decisions.0.level"),
    (decided(1, harm_note="\ud800"), "invalid-request", "harm_note"),
    (decided(1, verdict="confirmed"), "invalid-request", "verdict"),
]


@pytest.mark.parametrize(("body", "kind", "field"), BAD)
def test_a_review_with_something_wrong_is_refused_by_field(api: Api, body: Any, kind: str, field: str) -> None:
    run = finished(api)
    answer = api.as_("reviewer").post(
        f"/v1/runs/{run}/reviews", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert (answer.status_code, answer.json()["type"]) == (422, f"urn:assay:problem:{kind}")
    assert answer.json()["errors"][0]["field"] == field
    assert api.storage.reviews.standing(run) == []


def test_what_is_not_done_or_not_gradable_takes_no_review(api: Api) -> None:
    reviewer = api.as_("reviewer")
    ungradable = finished(api, RunOutcome.UNGRADABLE)
    waiting = api.as_("submitter").post("/v1/submissions", json=GOOD).json()["run_id"]
    for run, said in ((ungradable, "ungradable"), (waiting, "not done")):
        answer = reviewer.post(f"/v1/runs/{run}/reviews", json=decided(1))
        assert answer.status_code == 409
        assert said in answer.json()["detail"]
    assert reviewer.post("/v1/runs/nope/reviews", json=decided(1)).status_code == 404
    assert reviewer.get("/v1/runs/nope/reviews").status_code == 404


def test_only_what_a_human_decided_is_exported(api: Api) -> None:
    reviewed, _ = finished(api), finished(api)
    author = api.as_("author")
    assert author.get("/v1/exports/jsonl").text == ""
    api.as_("reviewer", name="ann").post(f"/v1/runs/{reviewed}/reviews", json=decided(2))
    answer = author.get("/v1/exports/jsonl")
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    (row,) = [json.loads(line) for line in answer.text.splitlines()]
    assert reviewed in json.dumps(row)


def test_an_unknown_format_is_not_found(api: Api) -> None:
    answer = api.as_("author").get("/v1/exports/xml")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (404, "format")
    assert "preference" in answer.json()["errors"][0]["expected"]
