"""Handing in submissions over HTTP: what is accepted, what is refused and how, and that a refusal stores nothing."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from starlette.types import Message

from sandboxes.interface import Tier
from service.jobs.table import TableJobs
from service.settings import Settings
from service.storage.interface import RunId, RunOutcome, RunState
from service.storage.storage import Storage
from tests.integration.api import Api
from tests.integration.stored import PACKAGE, Clock, finish_next

GOOD = {"task_id": "numbers/double", "solution": "def double(n):\n    return n + n\n"}


def queued(api: Api) -> int:
    return api.storage.runs.counts()[RunState.QUEUED]


def test_a_submission_is_accepted_stored_and_queued(api: Api) -> None:
    answer = api.as_("submitter").post("/v1/submissions", json={**GOOD, "id": "mine", "tag": "b", "model": "m"})
    assert answer.status_code == 202
    body = answer.json()
    run = api.storage.runs.get(body["run_id"])
    assert body["id"] == run.submission.client_id == "mine"
    assert body["links"] == {"run": f"/v1/runs/{run.id}"}
    assert run.submission.submission.files == {"solution.py": GOOD["solution"]}
    assert (run.submission.tag, run.submission.submission.model) == ("b", "m")
    assert api.woken == 1
    lease = api.jobs.lease("w", api.clock.now)
    assert lease is not None
    assert lease.run_id == run.id


BAD: list[tuple[dict[str, Any], int, str, str]] = [
    ({**GOOD, "task_id": "numbers/triple"}, 404, "unknown-task", "task_id"),
    ({**GOOD, "task_version": "v0"}, 404, "unknown-task", "task_version"),
    ({"solution": "x"}, 422, "invalid-request", "task_id"),
    ({"task_id": "numbers/double"}, 422, "invalid-submission", "solution"),
    ({**GOOD, "files": {"solution.py": "x"}}, 422, "invalid-submission", "solution"),
    ({**GOOD, "solution": "x\0"}, 422, "invalid-submission", "solution"),
    ({**GOOD, "solution": "x\ud800"}, 422, "invalid-request", "solution"),
    ({**GOOD, "solution": "x" * 10_000_000}, 422, "invalid-submission", "solution"),
    ({**GOOD, "solution": 7}, 422, "invalid-request", "solution"),
    ({**GOOD, "tag": "a\0b"}, 422, "invalid-submission", "tag"),
    ({**GOOD, "tag": "a" * 101}, 422, "invalid-request", "tag"),
    ({**GOOD, "solutoin": "x"}, 422, "invalid-request", "solutoin"),
    ({**GOOD, "minimum_tier": "castle"}, 422, "invalid-submission", "minimum_tier"),
    ({**GOOD, "minimum_tier": 1}, 422, "invalid-request", "minimum_tier"),
    ({"task_id": "numbers/double", "files": {"main.py": "x"}}, 422, "invalid-submission", "files.solution.py"),
    ({"task_id": "numbers/double", "files": {"solution.py": 1}}, 422, "invalid-request", "files.solution.py"),
    (
        {"task_id": "numbers/double", "files": {"solution.py": "x", "../up.py": "y"}},
        422,
        "invalid-submission",
        "files.../up.py",
    ),
]


@pytest.mark.parametrize(("body", "status", "kind", "field"), BAD)
def test_bad_input_is_refused_by_field_and_nothing_is_stored(
    api: Api, body: dict[str, Any], status: int, kind: str, field: str
) -> None:
    content = json.dumps(body)  # escapes lone surrogates, as a hostile client would
    answer = api.as_("submitter").post("/v1/submissions", content=content, headers={"Content-Type": "application/json"})
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (status, f"urn:assay:problem:{kind}")
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert [error["field"] for error in problem["errors"]] == [field]
    assert all(error["expected"] for error in problem["errors"])
    assert queued(api) == 0
    assert api.jobs.depth(api.clock.now) == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"task_id": ', "Expecting value at character 12"),
        (b"not json", "Expecting value at character 0"),
        (b'{"task_id": "\xff\xfe"}', "UTF-8"),
        (b"[" * 100_000, "deeply"),
    ],
)
def test_a_body_that_is_no_json_is_refused(api: Api, content: bytes, said: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = api.as_("submitter").post("/v1/submissions", content=content, headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (400, "urn:assay:problem:malformed-body")
    (error,) = answer.json()["errors"]
    assert error["field"] == "body"
    assert said in error["expected"]


@pytest.mark.parametrize("content", [b"[]", b'"text"', b"null", b"7", b""])
def test_a_body_that_is_no_object_is_refused(api: Api, content: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    answer = api.as_("submitter").post("/v1/submissions", content=content, headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body"


@pytest.mark.parametrize(("announced", "most"), [(True, 0), (False, 17)])
def test_a_body_above_the_cap_is_refused_without_taking_it_in(
    storage: Storage, jobs: TableJobs, clock: Clock, announced: bool, most: int
) -> None:
    api = Api(storage, jobs, clock, Settings(max_body_mib=1)).with_task()
    token = storage.access.add_token("s", frozenset({"submitter"}), clock.now, expires_at=None)
    headers = [(b"content-type", b"application/json"), (b"authorization", f"Bearer {token}".encode())]
    taken = 0
    sent: list[Message] = []

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": b" " * 65_536, "more_body": taken < 64}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "http",
        "path": "/v1/submissions", "raw_path": b"/v1/submissions", "query_string": b"", "root_path": "",
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
        "headers": [*headers, (b"content-length", b"2000000")] if announced else headers,
    }  # fmt: skip
    asyncio.run(api.app(scope, receive, send))
    problem = json.loads(b"".join(message.get("body", b"") for message in sent))
    assert (sent[0]["status"], problem["type"]) == (413, "urn:assay:problem:body-too-large")
    assert problem["errors"] == [{"field": "body", "expected": "at most 1 MiB"}]
    assert taken <= most


@pytest.mark.parametrize(
    ("path", "scope", "most_mib"),
    [
        ("/v1/submissions", "submitter", 16),
        ("/v1/submissions:batch", "submitter", 16),
        ("/v1/tasks", "author", 32),
        ("/v1/runs/x/reviews", "reviewer", 1),
        ("/review/x/skip", "reviewer", 1),
    ],
)
def test_each_address_has_its_own_cap(api: Api, path: str, scope: str, most_mib: int) -> None:
    client = api.as_(scope)
    headers = {"Content-Type": "application/json"}
    below = client.post(path, content=b"{" + b" " * (most_mib * 1024 * 1024 - 1), headers=headers)
    above = client.post(path, content=b"{" + b" " * (most_mib * 1024 * 1024), headers=headers)
    assert (below.status_code, above.status_code) == (400, 413)
    assert above.json()["errors"] == [{"field": "body", "expected": f"at most {most_mib} MiB"}]


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip"])
def test_a_compressed_body_is_refused_unread(api: Api, encoding: str) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": encoding}
    answer = api.as_("submitter").post("/v1/submissions", content=b"\x1f\x8b", headers=headers)
    assert (answer.status_code, answer.json()["type"]) == (415, "urn:assay:problem:unsupported-encoding")
    assert answer.json()["errors"][0]["field"] == "Content-Encoding"
    plain = {**headers, "Content-Encoding": "Identity"}
    assert api.as_("submitter").post("/v1/submissions", content=json.dumps(GOOD), headers=plain).status_code == 202


def test_a_body_of_too_many_values_is_refused_unparsed(api: Api) -> None:
    answer = api.as_("submitter").post("/v1/submissions:batch", json={"submissions": [[]] * 250_000})
    assert (answer.status_code, answer.json()["type"]) == (413, "urn:assay:problem:body-too-large")
    assert "200000 values" in answer.json()["errors"][0]["expected"]


def test_the_largest_batch_of_the_largest_submissions_is_not_too_many_values(api: Api) -> None:
    item = {**GOOD, "solution": None, "files": {"solution.py": "x = [1, 2]", **{f"f{n}.py": "x" for n in range(99)}}}
    labels = {"id": "a", "tag": "b", "model": "m", "group_id": "g", "minimum_tier": "jail"}
    items = [{**item, **labels, "idempotency_key": str(number)} for number in range(500)]
    answer = api.as_("submitter").post("/v1/submissions:batch", json={"submissions": items})
    assert answer.status_code == 200
    assert queued(api) == 500


def test_the_same_key_gives_the_same_answer(api: Api) -> None:
    client = api.as_("submitter")
    by_header = client.post("/v1/submissions", json=GOOD, headers={"Idempotency-Key": "k"}).json()
    by_field = client.post("/v1/submissions", json={**GOOD, "idempotency_key": "k"}).json()
    assert by_header == by_field
    assert queued(api) == 1


def test_the_same_key_with_other_content_is_a_conflict(api: Api) -> None:
    client = api.as_("submitter")
    client.post("/v1/submissions", json={**GOOD, "idempotency_key": "k"})
    answer = client.post("/v1/submissions", json={**GOOD, "solution": "other", "idempotency_key": "k"})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:assay:problem:idempotency-conflict")
    assert queued(api) == 1


def test_two_people_may_use_the_same_key(api: Api) -> None:
    runs = {
        api.as_("submitter", name=name).post("/v1/submissions", json={**GOOD, "idempotency_key": "k"}).json()["run_id"]
        for name in ("ann", "ben")
    }
    assert len(runs) == 2


def test_two_different_keys_in_one_request_are_refused(api: Api) -> None:
    headers = {"Idempotency-Key": "a"}
    answer = api.as_("submitter").post("/v1/submissions", json={**GOOD, "idempotency_key": "b"}, headers=headers)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "idempotency_key")


def test_the_good_ones_of_a_batch_are_accepted(api: Api) -> None:
    client = api.as_("submitter")
    client.post("/v1/submissions", json={**GOOD, "idempotency_key": "used"})
    items = [
        {**GOOD, "id": "a"},
        {**GOOD, "task_id": "nope"},
        {"solution": 3},
        {**GOOD, "id": "b", "idempotency_key": "used"},
        {"task_id": "numbers/double", "files": {"solution.py": "x", "/abs": "y"}},
        {**GOOD, "id": "c", "idempotency_key": "new"},
        {**GOOD, "id": "c", "idempotency_key": "new"},
    ]
    results = client.post("/v1/submissions:batch", json={"submissions": items}).json()["results"]
    accepted = [result["accepted"] and result["accepted"]["id"] for result in results]
    assert accepted == ["a", None, None, None, None, "c", "c"]
    assert results[5]["accepted"]["run_id"] == results[6]["accepted"]["run_id"]
    fields = {
        at: [error["field"] for error in result["problem"]["errors"]]
        for at, result in enumerate(results)
        if result["problem"]
    }
    assert fields == {
        1: ["submissions.1.task_id"],
        2: ["submissions.2.task_id", "submissions.2.solution"],
        3: ["submissions.3.idempotency_key"],
        4: ["submissions.4.files./abs"],
    }
    assert [results[at]["problem"]["status"] for at in fields] == [404, 422, 409, 422]
    assert queued(api) == 3


@pytest.mark.parametrize("body", [{"submissions": []}, {"submissions": [GOOD] * 501}, {"submissions": [7]}, {}])
def test_a_batch_that_is_none_is_refused_whole(api: Api, body: dict[str, Any]) -> None:
    answer = api.as_("submitter").post("/v1/submissions:batch", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].startswith("submissions")
    assert queued(api) == 0


@pytest.mark.parametrize(
    "body", [{"solution": ""}, {"solution": " \n\u2003"}, {"files": {}}, {"files": {"a.py": "\t"}}]
)
def test_an_empty_answer_is_accepted_to_fail(api: Api, body: dict[str, Any]) -> None:
    answer = api.as_("submitter").post("/v1/submissions", json={"task_id": "numbers/double", **body})
    assert answer.status_code == 202
    submission = api.storage.runs.get(answer.json()["run_id"]).submission.submission
    assert submission.is_blank
    assert submission.files["solution.py"].strip() == ""


def test_a_full_queue_says_when_to_come_again(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    api = Api(storage, jobs, clock, Settings(queue_limit=4)).with_task()
    client = api.as_("submitter")
    batch = {"submissions": [GOOD] * 3}
    refused = client.post("/v1/submissions:batch", json=batch)
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:assay:problem:queue-full")
    assert int(refused.headers["Retry-After"]) > 0
    assert "0 of your runs are waiting or under way, of at most 2 while others have 0" in refused.json()["detail"]
    assert queued(api) == 0
    assert [client.post("/v1/submissions", json=GOOD).status_code for _ in range(3)] == [202, 202, 503]
    finish_next(storage, jobs, clock.now)
    assert client.post("/v1/submissions", json=GOOD).status_code == 202


def test_nobody_fills_the_queue_for_those_who_come_next(storage: Storage, jobs: TableJobs, clock: Clock) -> None:
    api = Api(storage, jobs, clock, Settings(queue_limit=16)).with_task()

    def taken_of(name: str) -> int:
        client = api.as_("submitter", name=name)
        return [client.post("/v1/submissions", json=GOOD).status_code for _ in range(12)].count(202)

    assert [taken_of(name) for name in ("ann", "ben", "cy", "dee", "eve")] == [8, 4, 2, 1, 1]
    finish_next(storage, jobs, clock.now)
    assert taken_of("fay") == 1


def test_many_requests_at_once_take_no_more_than_one_after_the_other(
    storage: Storage, jobs: TableJobs, clock: Clock
) -> None:
    api = Api(storage, jobs, clock, Settings(queue_limit=20)).with_task()
    with api.as_("submitter") as client, ThreadPoolExecutor(8) as threads:
        batch = {"submissions": [GOOD] * 3}
        said = threads.map(lambda _: client.post("/v1/submissions:batch", json=batch).status_code, range(16))
        assert sorted(said) == [200] * 3 + [503] * 13
    assert queued(api) == 9


def test_what_was_accepted_or_is_wrong_is_answered_while_the_queue_is_full(
    storage: Storage, jobs: TableJobs, clock: Clock
) -> None:
    api = Api(storage, jobs, clock, Settings(queue_limit=4)).with_task()
    client = api.as_("submitter")
    batch = {"submissions": [{**GOOD, "idempotency_key": key} for key in "ab"]}
    first = client.post("/v1/submissions:batch", json=batch)
    again = client.post("/v1/submissions:batch", json=batch)
    assert first.status_code == again.status_code == 200
    assert again.json() == first.json()
    assert client.post("/v1/submissions", json=batch["submissions"][0]).status_code == 202
    assert client.post("/v1/submissions", json={**GOOD, "task_id": "nope"}).status_code == 404
    assert client.post("/v1/submissions", json={**GOOD, "tag": "a\0"}).status_code == 422
    reused = client.post("/v1/submissions", json={**GOOD, "solution": "other", "idempotency_key": "a"})
    assert reused.status_code == 409
    wrong = client.post("/v1/submissions:batch", json={"submissions": [{**GOOD, "task_id": "nope"}]})
    assert wrong.json()["results"][0]["problem"]["status"] == 404
    one_more = {"submissions": [*batch["submissions"], {**GOOD, "idempotency_key": "c"}]}
    assert client.post("/v1/submissions:batch", json=one_more).status_code == 503
    assert queued(api) == 2


def test_a_run_tells_its_submitter_all_but_what_is_hidden(api: Api) -> None:
    client = api.as_("submitter")
    run_id = client.post("/v1/submissions", json={**GOOD, "id": "mine", "tag": "batch"}).json()["run_id"]
    before = client.get(f"/v1/runs/{run_id}").json()
    assert (before["state"], before["outcome"], before["cases"]) == ("queued", None, None)
    finish_next(api.storage, api.jobs, api.clock.now)
    answer = client.get(f"/v1/runs/{run_id}")
    run = answer.json()
    assert (run["state"], run["outcome"], run["reward"], run["id"]) == ("done", "failed", 0.0, "mine")
    assert run["cases"] == {"passed": 1, "failed": 1, "disputed": 0, "not_tried": 0, "total": 2, "share": 0.5}
    assert (run["ends"], run["flags"], run["levels"]) == ({"exited": 2}, ["exit-game"], {"correctness": 1})
    assert run["prefills"][0]["evidence"] == [
        "hidden, case 2: failed",
        "exit-game, high",
    ]
    assert [finding["rule"] for finding in run["findings"]] == ["exit-game"]
    full = api.as_("author").get(f"/v1/runs/{run_id}").json()
    assert full["prefills"][0]["evidence"] == [
        "hidden/big[987654]: failed",
        "exit-game, high at solution.py:3: calls os._exit",
    ]
    assert "987654" not in answer.text
    assert "1975308" not in answer.text
    assert "ud800" not in answer.text


def test_a_disputed_run_is_no_reward_and_its_submitter_learns_which_case_and_nothing_hidden(api: Api) -> None:
    run_id = api.as_("submitter").post("/v1/submissions", json=GOOD).json()["run_id"]
    finish_next(api.storage, api.jobs, api.clock.now, RunOutcome.DISPUTED)
    answer = api.as_("submitter").get(f"/v1/runs/{run_id}")
    run = answer.json()
    assert (run["outcome"], run["reward"], run["levels"]) == ("disputed", None, {"correctness": None})
    assert run["cases"] == {"passed": 1, "failed": 0, "disputed": 1, "not_tried": 0, "total": 2, "share": 0.5}
    assert run["prefills"][0]["evidence"] == ["hidden, case 2: disputed"]
    said = run["diagnostics"]
    assert (said["kind"], said["suite"], said["case"]) == ("disputed", "hidden", "2")
    assert said["message"].startswith("Two examinations disagree on a case")
    assert not any(secret in answer.text for secret in ("987654", "1975308", "isolation"))
    told = api.as_("author").get(f"/v1/runs/{run_id}").json()["diagnostics"]["message"]
    assert told == (
        'two examinations disagree on case big[987654] of suite hidden: 987654 passes together only: isolation = "shared"'
    )
    [case] = api.as_("reviewer").get(f"/v1/runs/{run_id}/cases").json()["cases"]
    assert (case["outcome"], "isolation" in case["note"]) == ("disputed", True)


@pytest.mark.parametrize(("outcome", "reward"), [(RunOutcome.PASSED, 1.0), (RunOutcome.UNGRADABLE, None)])
def test_what_a_trainer_reads(api: Api, outcome: RunOutcome, reward: float | None) -> None:
    client = api.as_("submitter")
    run_id = client.post("/v1/submissions", json=GOOD).json()["run_id"]
    assert client.get(f"/v1/runs/{run_id}").json()["reward"] is None, "not done"
    finish_next(api.storage, api.jobs, api.clock.now, outcome)
    assert client.get(f"/v1/runs/{run_id}").json()["reward"] == reward


def test_finished_runs_are_polled_by_tag(api: Api) -> None:
    client = api.as_("submitter")
    for number in range(3):
        client.post("/v1/submissions", json={**GOOD, "id": str(number), "tag": "a" if number != 1 else "b"})
        finish_next(api.storage, api.jobs, api.clock.now)
    page = client.get("/v1/runs", params={"tag": "a", "limit": 1}).json()
    assert [run["id"] for run in page["runs"]] == ["0"]
    rest = client.get("/v1/runs", params={"tag": "a", "after": page["next"]}).json()
    assert [run["id"] for run in rest["runs"]] == ["2"]
    again = client.get("/v1/runs", params={"tag": "a", "after": rest["next"]}).json()
    assert again == {"runs": [], "next": rest["next"]}


@pytest.mark.parametrize("query", [{"after": "x"}, {"after": "9" * 19}, {"limit": 0}, {"limit": 501}, {"limit": "x"}])
def test_a_bad_cursor_or_limit_is_refused(api: Api, query: dict[str, Any]) -> None:
    answer = api.as_("submitter").get("/v1/runs", params=query)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == list(query)


def test_an_unknown_run_is_not_found(api: Api) -> None:
    answer = api.as_("submitter").get(f"/v1/runs/{RunId('nope')}")
    assert (answer.status_code, answer.json()["type"]) == (404, "urn:assay:problem:not-found")


@pytest.mark.parametrize("tier", ["", "jail", "container"])
def test_the_tier_that_was_asked_for_is_kept_with_the_submission(api: Api, tier: str) -> None:
    asked = {"minimum_tier": tier} if tier else {}
    answer = api.as_("submitter").post("/v1/submissions", json={**GOOD, **asked})
    assert answer.status_code == 202
    assert api.storage.runs.get(answer.json()["run_id"]).submission.minimum_tier == (tier or "jail")


def test_a_tier_that_is_not_offered_is_refused_and_a_weaker_one_than_offered_is_not(
    storage: Storage, jobs: TableJobs, clock: Clock
) -> None:
    api = Api(storage, jobs, clock, tiers=(Tier.CONTAINER,)).with_task()
    submitter = api.as_("submitter")
    assert submitter.post("/v1/submissions", json={**GOOD, "minimum_tier": "jail"}).status_code == 202
    refused = submitter.post("/v1/submissions", json={**GOOD, "minimum_tier": "gvisor"})
    assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {"field": "minimum_tier", "expected": "a tier that this service offers (container), not 'gvisor'"}
    ]
    batch = submitter.post("/v1/submissions:batch", json={"submissions": [{**GOOD, "minimum_tier": "gvisor"}, GOOD]})
    first, second = batch.json()["results"]
    assert first["problem"]["errors"][0]["field"] == "submissions.0.minimum_tier"
    assert second["accepted"]
    assert queued(api) == 2


def test_a_task_whose_tier_is_not_offered_any_more_takes_no_submission(
    storage: Storage, jobs: TableJobs, clock: Clock, api: Api
) -> None:
    toml = PACKAGE["task.toml"].replace("numbers/double", "numbers/strict")
    strict = {**PACKAGE, "task.toml": f'minimum_tier = "gvisor"\n{toml}'}
    stored = api.as_("author").post("/v1/tasks", json={"files": strict})
    assert stored.status_code == 201 and stored.json()["minimum_tier"] == "gvisor"
    later = Api(storage, jobs, clock, tiers=(Tier.JAIL, Tier.CONTAINER))
    refused = later.as_("submitter").post("/v1/submissions", json={**GOOD, "task_id": "numbers/strict"})
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["field"] == "task_id" and "gvisor" in error["expected"] and "jail, container" in error["expected"]
    assert queued(api) == 0


def test_the_same_key_with_another_tier_is_another_request(api: Api) -> None:
    submitter = api.as_("submitter")
    first = submitter.post("/v1/submissions", json={**GOOD, "idempotency_key": "k"})
    again = submitter.post("/v1/submissions", json={**GOOD, "idempotency_key": "k"})
    other = submitter.post("/v1/submissions", json={**GOOD, "idempotency_key": "k", "minimum_tier": "container"})
    assert (first.status_code, again.json()["run_id"], other.status_code) == (202, first.json()["run_id"], 409)
