"""Tasks, rubrics and graders over HTTP."""

from typing import Any

import pytest

from graders.interface import TaskId
from sandboxes.interface import Tier
from service.jobs.table import TableJobs
from service.storage.interface import TaskRecord
from service.storage.storage import Storage
from tests.integration.api import Api, Quiet
from tests.integration.stored import PACKAGE, Clock, finish_next, task
from tests.integration.stored import record as stored_record


def test_a_package_is_stored_once(api: Api) -> None:
    author = api.as_("author")
    again = author.post("/v1/tasks", json={"files": PACKAGE})
    assert (again.status_code, again.json()["created"]) == (200, False)
    changed = author.post("/v1/tasks", json={"files": {**PACKAGE, "prompt.md": "Write double(n), quickly."}})
    assert (changed.status_code, changed.json()["created"]) == (201, True)
    newest = author.get("/v1/tasks/numbers/double").json()
    assert (newest["version"], newest["prompt"]) == (changed.json()["version"], "Write double(n), quickly.")
    older = author.get("/v1/tasks/numbers/double", params={"version": again.json()["version"]}).json()
    assert older["prompt"] == "Write double(n)."


def test_a_task_is_shown_without_its_cases_and_reference(api: Api) -> None:
    for path in ("/v1/tasks/numbers/double", "/v1/tasks"):
        answer = api.as_("submitter").get(path)
        assert "Write double(n)." in answer.text
        assert "987654" not in answer.text
        assert "2 * n" not in answer.text
    task = api.as_("submitter").get("/v1/tasks/numbers/double").json()
    assert task["suites"] == [{"id": "hidden", "kind": "call", "cases": 2}]
    assert (task["entry_file"], task["language"]) == ("solution.py", "python")


def with_line(line: str) -> dict[str, str]:
    return {**PACKAGE, "task.toml": f"{line}\n{PACKAGE['task.toml']}"}


BAD: list[tuple[dict[str, str], str]] = [
    ({}, "task.toml"),
    ({**PACKAGE, "task.toml": "id = "}, "task.toml"),
    (with_line("a" + ".a" * 100_000 + " = 1"), "task.toml"),
    (with_line("a" + ".a" * 20_000 + " = 1"), "task.toml"),
    ({**PACKAGE, "prompt.md": "x" * 3_000_000}, "prompt.md"),
    (with_line("colour = 1"), "colour"),
    (with_line('rubric = "nope"'), "rubric"),
    (with_line('minimum_tier = "castle"'), "minimum_tier"),
    ({**PACKAGE, "task.toml": PACKAGE["task.toml"] + '\n[graders."acme/nope"]\n'}, 'graders."acme/nope"'),
    ({**PACKAGE, "task.toml": PACKAGE["task.toml"] + '\n[graders."acme/loud"]\n'}, 'graders."acme/loud"'),
    ({**PACKAGE, "task.toml": PACKAGE["task.toml"] + '\n[graders."acme/quiet"]\nallowed = "x"\n'}, 'graders."acme/quiet".allowed'),
    ({**PACKAGE, "../x": "y"}, "../x"),
    ({**PACKAGE, "hidden/cases.jsonl": "{"}, "hidden/cases.jsonl:1"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "field"), BAD)
def test_a_package_with_something_wrong_is_refused_by_field(api: Api, files: dict[str, str], field: str) -> None:
    answer = api.as_("author").post("/v1/tasks", json={"files": files})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:assay:problem:invalid-task")
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert len(api.storage.tasks.page()) == 1


def test_a_broken_plugin_is_named_where_a_task_wants_it(api: Api) -> None:
    toml = PACKAGE["task.toml"] + '\n[graders."acme/loud"]\n'
    answer = api.as_("author").post("/v1/tasks", json={"files": {**PACKAGE, "task.toml": toml}})
    assert "boom" in answer.json()["errors"][0]["expected"]


def test_a_task_that_takes_an_option_of_a_plugin_is_stored(api: Api) -> None:
    toml = PACKAGE["task.toml"] + '\n[graders."acme/quiet"]\nallowed = 2\n'
    assert api.as_("author").post("/v1/tasks", json={"files": {**PACKAGE, "task.toml": toml}}).status_code == 201


def test_tasks_come_in_pages(api: Api) -> None:
    author = api.as_("author")
    for name in ("a", "b"):
        toml = PACKAGE["task.toml"].replace("numbers/double", name)
        author.post("/v1/tasks", json={"files": {**PACKAGE, "task.toml": toml}})
    first = author.get("/v1/tasks", params={"limit": 2}).json()
    rest = author.get("/v1/tasks", params={"limit": 2, "after": first["next"]}).json()
    assert [task["task_id"] for task in first["tasks"] + rest["tasks"]] == ["a", "b", "numbers/double"]
    assert rest["next"] == ""


def test_an_unknown_task_is_not_found(api: Api) -> None:
    assert api.as_("submitter").get("/v1/tasks/numbers/nope").status_code == 404
    assert api.as_("submitter").get("/v1/tasks/numbers/double?version=nope").status_code == 404


def test_a_plugin_whose_criterion_the_rubric_lacks_is_refused(
    storage: Storage, jobs: TableJobs, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it reports would be on no part of the reviewer's page."""
    files = {**PACKAGE, "task.toml": PACKAGE["task.toml"] + '\n[graders."acme/quiet"]\n'}
    author = Api(storage, jobs, clock).as_("author")
    assert author.post("/v1/tasks", json={"files": files}).status_code == 201
    monkeypatch.setattr(Quiet, "criterion", "style")
    answer = author.post("/v1/tasks", json={"files": {**files, "prompt.md": "Another one."}})
    expected = "a grader for a criterion of rubric 'default' (correctness), not for 'style'"
    assert answer.json()["errors"] == [{"field": 'graders."acme/quiet"', "expected": expected}]


def test_graders_and_rubrics_are_listed(api: Api) -> None:
    client = api.as_("submitter")
    graders: dict[str, Any] = client.get("/v1/graders").json()
    assert graders["graders"] == {"acme/quiet": "3"}
    assert "boom" in graders["broken"]["loud"]
    (rubric,) = client.get("/v1/rubrics").json()["rubrics"]
    assert (rubric["id"], rubric["version"], rubric["criteria"][0]["levels"][2]["anchor"]) == (
        "default",
        "r1",
        "as good as 2",
    )


def test_a_task_whose_tier_the_service_does_not_offer_is_refused_with_what_it_offers(
    storage: Storage, jobs: TableJobs, clock: Clock
) -> None:
    author = Api(storage, jobs, clock, tiers=(Tier.JAIL, Tier.CONTAINER)).as_("author")
    answer = author.post("/v1/tasks", json={"files": with_line('minimum_tier = "gvisor"')})
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "minimum_tier", "expected": "a tier that this service offers (jail, container), not 'gvisor'"}
    ]
    assert storage.tasks.page() == []
    assert author.post("/v1/tasks", json={"files": with_line('minimum_tier = "container"')}).status_code == 201


STALE: dict[str, dict[str, str]] = {
    "a file that must be there is not": {"prompt.md": "Write it."},
    "an unknown word": {**PACKAGE, "task.toml": "colour = 1\n" + PACKAGE["task.toml"]},
    "not TOML": {**PACKAGE, "task.toml": "id = "},
    "a suite of a kind that was taken away": {**PACKAGE, "task.toml": PACKAGE["task.toml"].replace('"call"', '"told"')},
    "a case with a secret that is none": {**PACKAGE, "hidden/cases.jsonl": '{"HIDDENWORD'},
    "another id": {**PACKAGE, "task.toml": PACKAGE["task.toml"].replace("numbers/double", "Numbers Double")},
}


@pytest.mark.parametrize("name", STALE)
def test_a_stored_package_that_does_not_load_any_more_stops_nobody(api: Api, name: str) -> None:
    """An older version of Assay took it. One such task made the list of all tasks, and every batch with it, a 500."""
    record = TaskRecord(id=TaskId("old/task"), version="v0", title="Old", files=STALE[name], created_at=api.clock.now)
    assert api.storage.tasks.add(record)
    both, submitter = api.as_("submitter", "author"), api.as_("submitter")
    listed = {task["task_id"]: task for task in both.get("/v1/tasks").json()["tasks"]}
    assert {id: task["loads"] for id, task in listed.items()} == {"numbers/double": True, "old/task": False}
    assert (listed["old/task"]["title"], listed["old/task"]["suites"]) == ("Old", [])
    assert both.get("/v1/tasks/old/task").json() == listed["old/task"]
    bad, good = ({"task_id": id, "solution": "double = abs"} for id in ("old/task", "numbers/double"))
    refused = submitter.post("/v1/submissions", json=bad)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "task_id")
    assert "can load" in refused.json()["errors"][0]["expected"] and "HIDDENWORD" not in refused.text
    results = submitter.post("/v1/submissions:batch", json={"submissions": [bad, good]}).json()["results"]
    assert [result["accepted"] is not None for result in results] == [False, True]


def test_a_response_to_such_a_task_can_still_be_reviewed(api: Api) -> None:
    """It was evaluated before the upgrade; the page needs no more of the package than its prompt."""
    api.storage.tasks.add(task())
    api.storage.runs.accept([stored_record()], [""], [""])
    finish_next(api.storage, api.jobs, api.clock.now)
    [run] = api.as_("author").get("/v1/runs").json()["runs"]
    assert run["task_version"] == "v1"
    page = api.as_("reviewer").get(f"/review/{run['run_id']}")
    assert page.status_code == 200 and "Double v1" in page.text
