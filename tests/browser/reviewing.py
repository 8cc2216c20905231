"""Words in which the browser tests speak of the review screen."""

from playwright.sync_api import Locator, Page, expect

from service.storage.interface import RunId
from tests.browser.conftest import LiveService

FOUR_LEVELS = {"correctness": 2, "efficiency": 3, "security": 1, "best_practices": 2}
FOUR_KEYS = (" ", "3", " ", "2")
"""On `merge_run`: confirm, decide, confirm, decide."""


def open_run(page: Page, service: LiveService, run_id: RunId) -> None:
    page.goto(f"{service.base_url}/review/{run_id}")
    expect(page.locator(".criterion.current")).to_be_focused()


def press(page: Page, *keys: str) -> None:
    for key in keys:
        page.keyboard.press(key)


def card(page: Page, criterion: str) -> Locator:
    return page.locator(f"[data-criterion={criterion}]")


def expect_current(page: Page, criterion: str) -> None:
    expect(page.locator(".criterion.current")).to_have_attribute("data-criterion", criterion)


def expect_level(page: Page, criterion: str, level: int | None) -> None:
    """What the eye sees: the filled box, and no other."""
    filled = card(page, criterion).locator("button[aria-pressed=true]")
    if level is None:
        expect(filled).to_have_count(0)
    else:
        expect(filled).to_have_count(1)
        expect(filled).to_have_attribute("data-level", str(level))


def expect_saved(page: Page) -> None:
    expect(page.locator("#sync")).to_have_text("Saved")


def verdicts(service: LiveService, run_id: RunId) -> dict[str, tuple[int, str]]:
    """Of the one standing review: criterion -> level and verdict."""
    (record,) = service.storage.reviews.standing(run_id)
    return {entry.decision.criterion: (entry.decision.level, entry.verdict) for entry in record.review.decided}
