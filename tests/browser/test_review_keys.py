"""What each key does, as the reviewer sees it and as it is stored."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from service.storage.interface import RunId
from tests.browser.conftest import LiveService
from tests.browser.made_runs import MadeRun, merge_run, passed
from tests.browser.reviewing import (
    FOUR_KEYS,
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


def leaves_by(page: Page, keys: tuple[str, ...]) -> None:
    """Press the keys, the last of which saves the review and goes on."""
    press(page, *keys[:-1])
    with page.expect_navigation():
        press(page, keys[-1])


@pytest.mark.parametrize(
    ("keys", "stored"),
    [
        (FOUR_KEYS, {"correctness": (2, "confirmed"), "security": (1, "confirmed")}),
        (("2", "3", "1", "2"), {"correctness": (2, "confirmed"), "security": (1, "confirmed")}),
        (("0", "3", "4", "2"), {"correctness": (0, "overridden"), "security": (4, "overridden")}),
    ],
    ids=["confirm", "confirm by level", "override"],
)
def test_four_keys_review_a_response_whatever_the_verdict(
    service: LiveService, page: Page, run_id: RunId, keys: tuple[str, ...], stored: dict[str, tuple[int, str]]
) -> None:
    leaves_by(page, keys)
    page.wait_for_url("**/review")
    expected = {"efficiency": (3, "unaided"), "best_practices": (2, "unaided"), **stored}
    assert verdicts(service, run_id) == expected


@pytest.mark.parametrize("shift", [False, True])
def test_the_numeric_pad_and_other_layouts_set_levels(page: Page, shift: bool) -> None:
    press(page, "Numpad3")
    expect_level(page, "correctness", 3)
    event = {"key": "1" if shift else "&", "code": "Digit1", "shiftKey": shift, "bubbles": True}  # a French keyboard
    page.dispatch_event(".criterion.current", "keydown", event)
    expect_level(page, "efficiency", 1)


def test_space_is_dead_where_nothing_is_suggested(service: LiveService, page: Page, run_id: RunId) -> None:
    press(page, "j")
    expect_current(page, "efficiency")
    expect(card(page, "efficiency").locator(".why")).to_contain_text(
        "No basis for a suggestion. Assay does not measure cost yet"
    )
    expect(card(page, "efficiency").locator(".suggested")).to_have_count(0)
    press(page, " ")
    expect(page.locator("#message")).to_contain_text("Nothing is suggested here")
    expect_current(page, "efficiency")
    expect_level(page, "efficiency", None)
    assert service.storage.reviews.drafts(run_id, "ada") == {}


def test_a_level_that_the_criterion_does_not_have_is_no_key(page: Page) -> None:
    press(page, "7")
    expect_current(page, "correctness")
    expect_level(page, "correctness", None)


def test_moving_decides_nothing(page: Page) -> None:
    for key, criterion in (
        ("j", "efficiency"),
        ("ArrowDown", "security"),
        ("j", "best_practices"),
        ("j", "best_practices"),
        ("k", "security"),
        ("ArrowUp", "efficiency"),
        ("c", "correctness"),
        ("k", "correctness"),
        ("v", "security"),
    ):
        press(page, key)
        expect_current(page, criterion)
        expect(page.locator(f"[data-detail={criterion}]")).to_be_visible()
        expect(page.locator(".detail:visible")).to_have_count(1)
    expect(page.locator(".criterion button[aria-pressed=true]")).to_have_count(0)


def test_deciding_goes_to_the_next_open_criterion(page: Page) -> None:
    press(page, "v", "0")
    expect_current(page, "best_practices")
    press(page, "3")
    expect_current(page, "correctness")
    press(page, "1")
    expect_current(page, "efficiency")


def test_a_held_key_decides_once(page: Page) -> None:
    page.keyboard.down("3")
    page.keyboard.down("3")  # Playwright sends it as a repetition, like a keyboard
    page.keyboard.down("3")
    page.keyboard.up("3")
    expect_current(page, "efficiency")
    expect_level(page, "correctness", 3)
    expect_level(page, "efficiency", None)


@pytest.mark.parametrize("modifier", ["Control", "Alt", "Meta", "Shift"])
def test_a_modifier_makes_it_no_key_of_ours(page: Page, modifier: str) -> None:
    # Not by pressing, because the browser itself takes some of them.
    options = {"key": "j", "code": "KeyJ", f"{modifier.lower().replace('control', 'ctrl')}Key": True, "bubbles": True}
    page.dispatch_event(".criterion.current", "keydown", options)
    expect_current(page, "correctness")
    press(page, "j")
    expect_current(page, "efficiency")


def test_a_key_too_many_does_not_change_what_is_being_saved(service: LiveService, page: Page, run_id: RunId) -> None:
    with page.expect_navigation():
        page.evaluate(
            """keys => keys.forEach((key) =>
                document.activeElement.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true })))""",
            ["0", "0", "0", "0", "4", " "],
        )
    assert {level for level, _verdict in verdicts(service, run_id).values()} == {0}


def test_e_goes_from_one_piece_of_evidence_to_the_next(page: Page) -> None:
    seen = []
    for _press in range(4):
        press(page, "e")
        expect(page.locator(".target")).to_be_in_viewport()
        seen.append(page.locator(".target").get_attribute("id"))
    assert sorted(seen[:3]) == ["case-0", "case-1", "case-2"]
    assert seen[3] == seen[0]
    expect_current(page, "correctness")
    press(page, "v", "e")
    expect(page.locator("#line-0-27")).to_have_class("marked high target")
    expect(page.locator("#line-0-27")).to_be_in_viewport()
    press(page, "t", "e")
    expect(page.locator("#message")).to_contain_text("No evidence is listed")


def test_a_note_is_typed_not_obeyed_and_is_kept(service: LiveService, page: Page, run_id: RunId) -> None:
    press(page, "n")
    page.keyboard.type("fails on 3 unsorted inputs, see j and u")
    expect_current(page, "correctness")
    press(page, "Escape")
    expect_saved(page)
    draft = service.storage.reviews.drafts(run_id, "ada")["correctness"]
    assert (draft.level, draft.note) == (None, "fails on 3 unsorted inputs, see j and u")
    press(page, " ")
    expect_current(page, "efficiency")
    expect_saved(page)
    draft = service.storage.reviews.drafts(run_id, "ada")["correctness"]
    assert (draft.level, draft.note) == (2, "fails on 3 unsorted inputs, see j and u")


def test_harm_is_flagged_with_a_note_and_stored_with_the_review(
    service: LiveService, page: Page, run_id: RunId
) -> None:
    press(page, "f")
    page.keyboard.type("runs whatever the path says, j 1 u")
    page.get_by_role("button", name="Flag it").click()
    expect(page.get_by_text("Harm flagged")).to_be_visible()
    expect_saved(page)
    page.reload()
    expect(page.get_by_text("Harm flagged")).to_be_visible()
    leaves_by(page, FOUR_KEYS)
    (record,) = service.storage.reviews.standing(run_id)
    assert (record.review.harm, record.review.harm_note) == (True, "runs whatever the path says, j 1 u")


def test_a_harm_flag_can_be_taken_down(service: LiveService, page: Page, run_id: RunId) -> None:
    press(page, "f")
    page.keyboard.type("no")
    page.get_by_role("button", name="Flag it").click()
    press(page, "f")
    page.get_by_role("button", name="Remove the flag").click()
    expect(page.get_by_text("Harm flagged")).to_be_hidden()
    expect_saved(page)
    assert service.storage.reviews.drafts(run_id, "ada") == {}


def test_a_key_that_follows_at_once_takes_no_choice_back(service: LiveService, page: Page, run_id: RunId) -> None:
    """The dialog is opened again before it has told that it is closed."""
    press(page, "f")
    page.keyboard.type("no")
    page.evaluate(
        """() => {
            document.querySelector("#harm button[value=flag]").click();
            document.body.dispatchEvent(new KeyboardEvent("keydown", {key: "f", bubbles: true, cancelable: true}));
        }"""
    )
    expect(page.get_by_role("button", name="Remove the flag")).to_be_visible()
    press(page, "Escape")
    expect(page.get_by_text("Harm flagged")).to_be_visible()
    expect_saved(page)
    assert service.storage.reviews.drafts(run_id, "ada") != {}


def test_escape_leaves_a_dialog_without_a_trace(service: LiveService, page: Page, run_id: RunId) -> None:
    press(page, "f")
    page.keyboard.type("never mind")
    press(page, "Escape", "s", "Escape", "?", "Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator(".criterion.current")).to_be_focused()
    assert service.storage.reviews.drafts(run_id, "ada") == {}


def test_skip_asks_why_and_goes_on(service: LiveService, page: Page) -> None:
    other = service.add(MadeRun(title="Another", signals=(passed("one"),)))
    press(page, "s", "ArrowDown")
    with page.expect_navigation():
        press(page, "Enter")
    page.wait_for_url(f"**/review/{other}")
    expect(page.locator("#message")).to_contain_text("Skipped Merge intervals. U to undo.")
    states = {entry.title: entry.state for entry in service.storage.reviews.queue("ada", now=service.clock())}
    assert states == {"Merge intervals": "skipped", "Another": "mine"}


def test_help_lists_every_key(page: Page) -> None:
    press(page, "?")
    dialog = page.get_by_role("dialog", name="Keys")
    for word in ("confirm", "set that level", "criterion", "evidence", "note", "harm", "skip", "undo", "that letter"):
        expect(dialog).to_contain_text(word)


def test_shortcuts_can_be_switched_off_for_good(service: LiveService, page: Page, run_id: RunId) -> None:
    press(page, "?")
    page.get_by_label("Single-key shortcuts").click()
    press(page, "Escape", "3", "j", " ", "n")
    expect_current(page, "correctness")
    expect_level(page, "correctness", None)
    page.reload()
    press(page, "3", "u")
    expect_level(page, "correctness", None)
    # Tab and Enter do all that the keys did.
    card(page, "correctness").locator("button").first.focus()
    press(page, "Tab", "Tab", "Enter")
    expect_level(page, "correctness", 2)
    expect_saved(page)
    assert service.storage.reviews.drafts(run_id, "ada")["correctness"].level == 2


def test_a_button_reached_by_tab_keeps_its_space_bar(page: Page) -> None:
    press(page, "Tab")
    expect(card(page, "correctness").locator("button").first).to_be_focused()
    press(page, " ")
    expect_level(page, "correctness", 0)  # and not the suggested 2


def test_a_click_does_not_take_the_keys_away(page: Page) -> None:
    page.get_by_role("tab", name="Static findings").click()
    expect(page.locator("#findings")).to_be_visible()
    page.locator("#line-0-8").click()
    press(page, " ")
    expect_level(page, "correctness", 2)
    expect_current(page, "efficiency")


def test_the_mouse_alone_reviews_a_response(service: LiveService, page: Page, run_id: RunId) -> None:
    for criterion, level in (("best_practices", 1), ("correctness", 2), ("efficiency", 4)):
        card(page, criterion).locator(f"button[data-level='{level}']").click()
        expect_level(page, criterion, level)
    with page.expect_navigation():
        card(page, "security").locator("button[data-level='1']").click()
    assert verdicts(service, run_id)["security"] == (1, "confirmed")


def test_the_time_of_each_decision_is_measured(service: LiveService, sign_in: SignIn, run_id: RunId) -> None:
    page = sign_in("bob")
    page.clock.install()
    open_run(page, service, run_id)
    for seconds in (90, 5):
        page.clock.fast_forward(seconds * 1000)
        press(page, "3")
    expect_current(page, "security")
    expect_saved(page)
    drafts = service.storage.reviews.drafts(run_id, "bob")
    assert 90_000 <= drafts["correctness"].milliseconds < 150_000
    assert 5_000 <= drafts["efficiency"].milliseconds < 65_000
