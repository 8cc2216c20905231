"""What must survive: reloads, second thoughts, a lost connection, a colleague on the same response."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, Route, expect

from service.storage.interface import RunId
from tests.browser.conftest import LiveService
from tests.browser.made_runs import MadeRun, merge_run, passed
from tests.browser.reviewing import (
    FOUR_KEYS,
    FOUR_LEVELS,
    card,
    expect_current,
    expect_level,
    expect_saved,
    open_run,
    press,
    verdicts,
)

SignIn = Callable[..., Page]


@pytest.fixture
def run_id(service: LiveService) -> RunId:
    return service.add(merge_run())


@pytest.fixture
def page(service: LiveService, sign_in: SignIn, run_id: RunId) -> Page:
    page = sign_in("ada")
    open_run(page, service, run_id)
    return page


def test_a_reload_keeps_what_was_decided(service: LiveService, page: Page, run_id: RunId) -> None:
    press(page, "0", "3", "n")
    page.keyboard.type("shell=True")
    page.reload()  # in the middle of a note
    expect_level(page, "correctness", 0)
    expect_level(page, "efficiency", 3)
    expect_current(page, "security")
    expect(page.get_by_label("Note", exact=False).locator("visible=true")).to_have_value("shell=True")
    assert service.storage.reviews.standing(run_id) == []


def test_a_decision_that_a_reload_overtakes_is_shown(service: LiveService, page: Page, run_id: RunId) -> None:
    """The page is asked for anew before the decision is stored; the answer to that still reaches the page that goes."""
    press(page, "0")
    expect_saved(page)
    decision: list[Route] = []
    page.evaluate(
        "new MutationObserver(([change]) => console.log(change.target.textContent)).observe(document.getElementById('sync'), {childList: true})"
    )
    page.route("**/draft/efficiency", lambda route: decision.append(route), times=1)  # noqa: PLW0108 - playwright marks it
    press(page, "3")

    def answer(reload: Route) -> None:
        as_it_was = reload.fetch()
        with page.expect_console_message(lambda message: message.text == "Saved"):
            decision.pop().continue_()
        reload.fulfill(response=as_it_was)

    page.route(f"**/review/{run_id}", answer)
    page.reload()
    expect_level(page, "efficiency", 3)
    expect_current(page, "security")
    expect_saved(page)
    assert service.storage.reviews.drafts(run_id, "ada")["efficiency"].level == 3


def test_undo_takes_decisions_back_one_by_one(service: LiveService, page: Page, run_id: RunId) -> None:
    press(page, "0", "3", "u")
    expect_current(page, "efficiency")
    expect_level(page, "efficiency", None)
    expect_level(page, "correctness", 0)
    press(page, "k", "2", "u")  # another level for one that was decided
    expect_level(page, "correctness", 0)
    press(page, "u")
    expect_level(page, "correctness", None)
    expect_saved(page)
    assert service.storage.reviews.drafts(run_id, "ada") == {}
    press(page, "u")
    expect(page.locator("#message")).to_have_text("There is nothing to take back.")


def test_undo_works_after_a_reload_too(page: Page) -> None:
    press(page, "0", "3")
    expect_saved(page)
    page.reload()
    press(page, "u")
    expect_level(page, "efficiency", None)
    expect_level(page, "correctness", 0)


@pytest.mark.parametrize("by", ["key", "button"])
def test_undo_on_the_next_response_brings_the_saved_one_back(
    service: LiveService, page: Page, run_id: RunId, by: str
) -> None:
    other = service.add(MadeRun(title="Another", signals=(passed("one"),)))
    press(page, *FOUR_KEYS)
    page.wait_for_url(f"**/review/{other}")
    expect(page.locator("#message")).to_have_text("Saved Merge intervals. U to undo.")
    press(page, "1", "u")  # first what was decided here
    expect_level(page, "correctness", None)
    assert set(verdicts(service, run_id)) == set(FOUR_LEVELS)
    if by == "key":
        press(page, "u")
    else:
        page.get_by_role("button", name="Undo").click()
    page.wait_for_url(f"**/review/{run_id}")
    assert service.storage.reviews.standing(run_id) == []
    expect_current(page, "best_practices")
    expect_level(page, "best_practices", None)
    expect_level(page, "security", 1)
    press(page, "v", "0", "b", "4")
    page.wait_for_url(f"**/review/{other}")
    assert verdicts(service, run_id)["security"] == (0, "overridden")
    assert verdicts(service, run_id)["best_practices"] == (4, "unaided")


def test_a_skipped_response_can_be_brought_back(service: LiveService, page: Page, run_id: RunId) -> None:
    other = service.add(MadeRun(title="Another", signals=(passed("one"),)))
    press(page, "s", "Enter")
    page.wait_for_url(f"**/review/{other}")
    press(page, "u")
    page.wait_for_url(f"**/review/{run_id}")
    expect_current(page, "correctness")


def test_a_saved_review_opens_read_only_and_undo_reopens_it(service: LiveService, page: Page, run_id: RunId) -> None:
    press(page, *FOUR_KEYS)
    page.wait_for_url("**/review")
    expect(page.get_by_role("row", name="Merge intervals")).to_contain_text("reviewed by you")
    page.get_by_role("link", name="Merge intervals").click()
    expect(page.locator("#message")).to_contain_text("You have reviewed this")
    expect_level(page, "security", 1)
    press(page, "v", "4")
    expect(page.locator("#message")).to_have_text("All criteria are decided. Undo takes the last one back.")
    expect_level(page, "security", 1)
    expect(card(page, "security").locator("button").first).to_be_disabled()
    press(page, "u")
    expect_level(page, "best_practices", None)
    assert service.storage.reviews.standing(run_id) == []


def test_without_a_connection_work_goes_on_and_nothing_is_lost(service: LiveService, page: Page, run_id: RunId) -> None:
    page.context.set_offline(True)
    press(page, *FOUR_KEYS)
    expect(page.locator("#alarm")).to_contain_text("The server cannot be reached")
    expect(page.locator("#sync")).to_have_text("4 not saved")
    for criterion, level in FOUR_LEVELS.items():
        expect_level(page, criterion, level)
    card(page, "security").locator("button[data-level='4']").click()  # too late without an undo
    expect_level(page, "security", FOUR_LEVELS["security"])
    assert service.storage.reviews.drafts(run_id, "ada") == {}
    with page.expect_navigation():
        page.context.set_offline(False)
    assert {criterion: level for criterion, (level, _verdict) in verdicts(service, run_id).items()} == FOUR_LEVELS


def test_what_was_not_sent_outlives_the_page(service: LiveService, page: Page, run_id: RunId) -> None:
    page.route("**/draft/*", lambda route: route.abort())
    press(page, "0", "3")
    expect(page.locator("#sync")).to_have_text("2 not saved")
    page.unroute("**/draft/*")
    page.reload()
    expect_level(page, "correctness", 0)
    expect_level(page, "efficiency", 3)
    expect_saved(page)
    assert {id: draft.level for id, draft in service.storage.reviews.drafts(run_id, "ada").items()} == {
        "correctness": 0,
        "efficiency": 3,
    }


def test_an_answer_that_got_lost_leads_to_one_review(service: LiveService, page: Page, run_id: RunId) -> None:
    press(page, "0", "0", "0")
    expect_saved(page)
    page.route("**/draft/*", lambda route: (route.fetch(), route.abort()))  # the server hears, the page does not
    press(page, "0")
    expect(page.locator("#sync")).to_have_text("1 not saved")
    page.unroute("**/draft/*")
    with page.expect_navigation():
        page.evaluate("dispatchEvent(new Event('online'))")
    assert len(service.storage.reviews.standing(run_id)) == 1


def test_two_reviewers_do_not_get_the_same_response(
    service: LiveService, page: Page, sign_in: SignIn, run_id: RunId
) -> None:
    other = service.add(MadeRun(title="Another", signals=(passed("one"),)))
    bob = sign_in("bob")
    expect(bob.get_by_role("row", name="Merge intervals")).to_contain_text("with another reviewer")
    bob.get_by_role("link", name="Review the next response").click()
    bob.wait_for_url(f"**/review/{other}")
    bob.goto(f"{service.base_url}/review/{run_id}")
    expect(bob.get_by_role("heading")).to_have_text("Not open for you now")


def test_a_lost_claim_is_told_kept_and_tried_again(
    service: LiveService, page: Page, sign_in: SignIn, run_id: RunId
) -> None:
    press(page, "0")
    expect_saved(page)
    service.clock.ahead = timedelta(minutes=31)
    bob = sign_in("bob")
    open_run(bob, service, run_id)
    press(page, "3")
    expect(page.locator("#alarm")).to_contain_text("is being reviewed by bob")
    expect(page.locator("#sync")).to_have_text("1 not saved")
    expect_level(page, "efficiency", 3)
    service.clock.ahead = timedelta(minutes=62)  # bob went home
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_saved(page)
    expect(page.locator("#alarm")).to_be_empty()
    assert service.storage.reviews.drafts(run_id, "ada")["efficiency"].level == 3


def test_a_lost_response_does_not_hold_up_the_next_one(
    service: LiveService, page: Page, sign_in: SignIn, run_id: RunId
) -> None:
    other = service.add(MadeRun(title="Another", signals=(passed("one"),)))
    service.clock.ahead = timedelta(minutes=31)
    open_run(sign_in("bob"), service, run_id)
    press(page, "0")
    expect(page.locator("#alarm")).to_contain_text("is being reviewed by bob")
    open_run(page, service, other)
    press(page, "1")
    expect(page.locator("#alarm")).to_contain_text("An earlier response")
    expect_level(page, "correctness", 1)
    expect(page.locator("#sync")).to_have_text("1 not saved")
    assert service.storage.reviews.drafts(other, "ada")["correctness"].level == 1
    page.get_by_role("button", name="Discard").click()
    expect(page.locator("#alarm")).to_be_empty()
    expect(page.get_by_role("button", name="Discard")).to_be_hidden()


def test_an_ended_session_is_told_and_decisions_wait(service: LiveService, page: Page, run_id: RunId) -> None:
    cookies = page.context.cookies()
    page.context.clear_cookies()
    press(page, "0")
    expect(page.locator("#alarm")).to_contain_text("You are signed out")
    page.context.add_cookies(cookies)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_saved(page)
    assert service.storage.reviews.drafts(run_id, "ada")["correctness"].level == 0


def test_progress_counts_what_is_done_and_left(service: LiveService, page: Page) -> None:
    service.add(MadeRun(title="Another", signals=(passed("one"),)))
    page.reload()
    expect(page.locator(".progress")).to_have_text("0 done today · 2 left")
    with page.expect_navigation():
        press(page, *FOUR_KEYS)
    expect(page.locator(".progress")).to_have_text("1 done today · 1 left")
