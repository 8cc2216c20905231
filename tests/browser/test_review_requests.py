"""What the pages ask of the server, without a browser: who may, what is refused, what may be repeated."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from rubrics.model import DecidedCriterion
from service.storage.interface import RunId, RunOutcome
from tests.browser.conftest import LiveService
from tests.browser.made_runs import RUBRIC, MadeRun, merge_run

LEVELS = {"correctness": 2, "efficiency": 3, "security": 0, "best_practices": 2}

HTTP_SECONDS = 60
"""Until an answer counts as failed to come; reached only by a test that fails."""


class Session:
    """A signed-in reviewer's requests, with the CSRF token of a page."""

    def __init__(self, service: LiveService, name: str, run_id: RunId) -> None:
        self.client = httpx2.Client(base_url=service.base_url, timeout=HTTP_SECONDS)
        self.client.get(service.link(name))
        self.page = self.client.get(f"/review/{run_id}")
        token = re.search(r'name="csrf-token" content="(\w+)"', self.page.text)
        self.headers = {"X-CSRF-Token": token[1] if token else ""}
        self.run_id = run_id

    def send(self, method: str, path: str, body: object = None) -> httpx2.Response:
        content = None if body is None else json.dumps(body)  # ASCII, so that a lone surrogate can be sent
        headers = {"Content-Type": "application/json", **self.headers}
        return self.client.request(method, f"/review/{self.run_id}/{path}", content=content, headers=headers)

    def decide(self, criterion: str, level: int | None, note: str = "") -> httpx2.Response:
        return self.send("PUT", f"draft/{criterion}", {"level": level, "note": note, "milliseconds": 5})

    def decide_all(self) -> httpx2.Response:
        return [self.decide(criterion, level) for criterion, level in LEVELS.items()][-1]


@pytest.fixture
def ada(service: LiveService) -> Iterator[Session]:
    session = Session(service, "ada", service.add(merge_run()))
    yield session
    session.client.close()


def reviewed(service: LiveService, run_id: RunId) -> dict[str, DecidedCriterion]:
    (record,) = service.storage.reviews.standing(run_id)
    return {entry.decision.criterion: entry for entry in record.review.decided}


def test_the_last_decision_makes_the_review_and_the_server_computes_the_verdicts(
    service: LiveService, ada: Session
) -> None:
    answers = [ada.decide(criterion, level).json()["saved"] for criterion, level in LEVELS.items()]
    assert answers == [False, False, False, True]
    decided = reviewed(service, ada.run_id)
    assert {id: entry.verdict for id, entry in decided.items()} == {
        "correctness": "confirmed",
        "efficiency": "unaided",
        "security": "overridden",
        "best_practices": "unaided",
    }
    assert decided["security"].suggested == 1


def test_a_verdict_cannot_be_sent(ada: Session) -> None:
    answer = ada.send("PUT", "draft/security", {"level": 0, "verdict": "confirmed"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "verdict")


def test_a_repeated_last_decision_is_taken_as_what_it_is(service: LiveService, ada: Session) -> None:
    ada.decide_all()
    again = ada.decide("best_practices", LEVELS["best_practices"])
    assert (again.status_code, again.json()) == (200, {"saved": True})
    assert len(service.storage.reviews.standing(ada.run_id)) == 1


def test_a_saved_review_is_not_changed_by_a_late_decision(service: LiveService, ada: Session) -> None:
    ada.decide_all()
    assert ada.decide("security", 4).status_code == 409
    assert ada.decide("security", LEVELS["security"], "a late note").status_code == 409
    assert ada.send("DELETE", "draft/security").status_code == 409
    assert ada.send("PUT", "harm", {"note": "late"}).status_code == 409
    assert reviewed(service, ada.run_id)["security"].decision.level == LEVELS["security"]


def test_undo_withdraws_and_opens_one_criterion(service: LiveService, ada: Session) -> None:
    ada.send("PUT", "harm", {"note": "runs a shell"})
    ada.decide_all()
    assert service.storage.reviews.standing(ada.run_id)[0].review.harm
    for _repetition in range(2):
        assert ada.send("POST", "undo", {"criterion": "security"}).status_code == 200
    assert service.storage.reviews.standing(ada.run_id) == []
    drafts = service.storage.reviews.drafts(ada.run_id, "ada")
    assert {id: draft.level for id, draft in drafts.items()} == {**LEVELS, "security": None, "harm": 1}
    assert drafts["harm"].note == "runs a shell"
    assert ada.decide("security", 1).json() == {"saved": True}
    assert reviewed(service, ada.run_id)["security"].verdict == "confirmed"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("draft/elegance", {"level": 1}, "criterion"),
        ("draft/harm", {"level": 1}, "criterion"),
        ("draft/security", {"level": 5}, "level"),
        ("draft/security", {"level": -1}, "level"),
        ("draft/security", {"level": "high"}, "level"),
        ("draft/security", {"level": 1, "milliseconds": -1}, "milliseconds"),
        ("draft/security", {"level": 1, "note": "x" * 10_001}, "note"),
        ("harm", {"note": "\ud800"}, "note"),
    ],
)
def test_bad_input_is_refused_by_field_and_nothing_is_kept(
    service: LiveService, ada: Session, path: str, body: dict[str, object], field: str
) -> None:
    answer = ada.send("PUT", path, body)
    assert answer.status_code == 422
    assert [error["field"] for error in answer.json()["errors"]] == [field]
    assert service.storage.reviews.drafts(ada.run_id, "ada") == {}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "draft/security", {"level": 1}),
        ("DELETE", "draft/security", None),
        ("PUT", "harm", {"note": ""}),
        ("DELETE", "harm", None),
        ("POST", "undo", {"criterion": ""}),
        ("POST", "skip", {"reason": "no"}),
    ],
)
def test_every_change_needs_the_token_of_a_page(
    service: LiveService, ada: Session, method: str, path: str, body: object
) -> None:
    ada.headers = {}
    assert ada.send(method, path, body).status_code == 403
    assert service.storage.reviews.drafts(ada.run_id, "ada") == {}


@pytest.mark.parametrize("path", ["/review", "/review/next", "/review/{run}", "/review/{run}/files/0"])
def test_nobody_reads_without_signing_in(service: LiveService, path: str) -> None:
    run_id = service.add(merge_run())
    answer = httpx2.get(
        service.base_url + path.format(run=run_id), headers={"Accept": "text/html"}, timeout=HTTP_SECONDS
    )
    assert answer.status_code == 401
    assert "merge" not in answer.text


def test_a_submitter_is_no_reviewer(service: LiveService) -> None:
    run_id = service.add(merge_run())
    token = service.storage.access.add_token("bot", frozenset({"submitter"}), service.clock(), expires_at=None)
    answer = httpx2.get(
        f"{service.base_url}/review/{run_id}", headers={"Authorization": f"Bearer {token}"}, timeout=HTTP_SECONDS
    )
    assert answer.status_code == 403


def test_a_claimed_response_is_not_open_to_another_reviewer_until_the_claim_ends(
    service: LiveService, ada: Session
) -> None:
    bob = Session(service, "bob", ada.run_id)
    assert bob.page.status_code == 409
    assert "ada" in bob.page.text
    service.clock.ahead = timedelta(minutes=31)
    assert bob.client.get(f"/review/{ada.run_id}").status_code == 200
    late = ada.decide("security", 1)
    assert (late.status_code, "bob" in late.json()["detail"]) == (409, True)
    bob.client.close()


def test_an_unknown_run_and_an_ungradable_one_say_so(service: LiveService, ada: Session) -> None:
    assert ada.client.get("/review/run_nowhere").status_code == 404
    made = merge_run()
    ungradable = service.add(made, findings=replace(made.findings(), outcome=RunOutcome.UNGRADABLE))
    answer = ada.client.get(f"/review/{ungradable}")
    assert answer.status_code == 409
    assert "our failure and not the response" in answer.text


def test_under_another_rubric_version_everything_is_unaided(service: LiveService) -> None:
    made = MadeRun(signals=merge_run().signals, rubric_version="0123456789ab")
    ada = Session(service, "ada", service.add(made))
    ada.decide_all()
    assert {entry.verdict for entry in reviewed(service, ada.run_id).values()} == {"unaided"}
    assert service.storage.reviews.standing(ada.run_id)[0].review.rubric_version == RUBRIC.version
    ada.client.close()


def test_a_skipped_response_goes_to_somebody_else(service: LiveService, ada: Session) -> None:
    ada.decide("security", 1)
    assert ada.send("POST", "skip", {"reason": "I lack the knowledge to judge this"}).status_code == 200
    assert ada.client.get("/review/next").headers["location"] == "/review"
    bob = Session(service, "bob", ada.run_id)
    assert bob.page.status_code == 200
    assert service.storage.reviews.drafts(ada.run_id, "ada")["security"].level == 1
    bob.client.close()


def test_a_file_is_plain_text_whatever_it_holds(service: LiveService) -> None:
    run_id = service.add(MadeRun(files={"a.py": "x = 1\n", "b.html": "<script>alert(1)</script>"}))
    ada = Session(service, "ada", run_id)
    answer = ada.client.get(f"/review/{run_id}/files/1")
    assert answer.text == "<script>alert(1)</script>"
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert ada.client.get(f"/review/{run_id}/files/2").status_code == 404
    ada.client.close()


def test_only_our_own_files_are_served_and_the_browser_asks_for_changes(service: LiveService) -> None:
    script = httpx2.get(f"{service.base_url}/review/static/review.js", timeout=HTTP_SECONDS)
    assert (script.status_code, script.headers["cache-control"]) == (200, "no-cache")
    again = httpx2.get(
        f"{service.base_url}/review/static/review.js",
        headers={"If-None-Match": script.headers["etag"]},
        timeout=HTTP_SECONDS,
    )
    assert again.status_code == 304
    assert httpx2.get(f"{service.base_url}/review/static/..%2fpages.py", timeout=HTTP_SECONDS).status_code == 404


def test_no_page_has_script_or_style_of_its_own(ada: Session) -> None:
    for page in (ada.page, ada.client.get("/review"), ada.client.get("/review/run_nowhere")):
        assert "default-src 'self'" in page.headers["content-security-policy"]
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]* src=)", page.text)


def test_who_wrote_it_is_in_no_page(ada: Session) -> None:
    for page in (ada.page, ada.client.get("/review")):
        assert "secret-model" not in page.text
