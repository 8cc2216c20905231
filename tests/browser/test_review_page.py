"""What the pages show: evidence, warnings, hostile text made harmless; and that everybody can use them."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from rubrics.signals import Outcome, UntrustedText
from tests.browser.conftest import LiveService
from tests.browser.made_runs import MadeRun, could_not_look, failed, found, measured, merge_run, passed
from tests.browser.reviewing import card, expect_current, expect_level, open_run, press

SignIn = Callable[..., Page]

ATTACK = (
    "</textarea></code><img src=x onerror=window.pwned=1><script>window.pwned=1</script>\"' onclick='window.pwned=1'"
)
HIDDEN = "a\x1b[2J\u202eb\u200bc\u2066d"
SHOWN = "aESC[2JU+202EbU+200BcU+2066d"
SHOWN_IN_NAMES = "a⟨ESC⟩[2J⟨U+202E⟩b⟨U+200B⟩c⟨U+2066⟩d"


def hostile_run() -> MadeRun:
    text = ATTACK + HIDDEN
    return MadeRun(
        title=f"Title {ATTACK}",
        prompt=f"Prompt {text}\n```\n{text}\n```\n",
        files={"solution.py": f"x = 1  # {text}\n", "b.py": f"'''{text}'''\n"},
        signals=(
            failed(f"case {text}", text, text, text, integrity="reduced"),
            failed("time", text, text, "", end="wall-timeout", integrity="reduced"),
            passed("fine", integrity="reduced"),
            found(f"B999{HIDDEN}", text, line=1, cwe=78),
            found("exit-game", text, line=1, flag=True),
            could_not_look(text),
            measured("cyclomatic-max", 99, line=1, note=text),
        ),
    )


def violations(page: Page) -> str:
    results = Axe().run(page)
    return results.generate_report() if results.violations_count else ""


def test_the_failing_case_is_in_view_at_once_and_nothing_scrolls_but_the_panes(
    service: LiveService, sign_in: SignIn
) -> None:
    page = sign_in("ada")
    open_run(page, service, service.add(merge_run()))
    case = page.locator("#case-0")
    for text in ("unsorted", "merge([(8, 10), (1, 3), (2, 6)])", "[(1, 6), (8, 10)]", "[(8, 10), (1, 6)]"):
        expect(case).to_contain_text(text)
    expect(case).to_be_in_viewport(ratio=1)
    for criterion in ("correctness", "best_practices"):
        expect(card(page, criterion)).to_be_in_viewport(ratio=1)
    for button in ("Undo", "Flag harm", "Skip"):
        expect(page.get_by_role("button", name=button)).to_be_in_viewport(ratio=1)
    assert page.evaluate(
        "document.documentElement.scrollHeight <= innerHeight && document.documentElement.scrollWidth <= innerWidth"
    )


def test_nothing_moves_while_a_response_is_reviewed(service: LiveService, sign_in: SignIn) -> None:
    page = sign_in("ada")
    open_run(page, service, service.add(merge_run()))
    places = """() => [...document.querySelectorAll(".criterion, .code, .evidence, .foot")].map((element) => {
        const { x, y, width, height } = element.getBoundingClientRect(); return [x, y, width, height]; })"""
    before = page.evaluate(places)
    for key in (" ", " ", "3", "e", "k", "u", "j", "n"):
        press(page, key)
        assert page.evaluate(places) == before, key


def test_suggested_is_dashed_and_empty_and_decided_is_filled(service: LiveService, sign_in: SignIn) -> None:
    page = sign_in("ada")
    open_run(page, service, service.add(merge_run()))
    suggested = card(page, "correctness").locator("button[data-level='2']")
    expect(suggested).to_have_css("border-top-style", "dashed")
    empty = (
        card(page, "correctness")
        .locator("button[data-level='1']")
        .evaluate("(box) => getComputedStyle(box).backgroundColor")
    )
    expect(suggested).to_have_css("background-color", empty)
    expect_level(page, "correctness", None)
    expect(suggested).to_have_accessible_name("2 Partly right (suggested)")
    press(page, "0")
    expect(card(page, "correctness").locator(".verdict")).to_have_text("overrides 2")
    expect(suggested).to_have_css("border-top-style", "dashed")
    filled = card(page, "correctness").locator("button[data-level='0']")
    expect(filled).not_to_have_css("background-color", empty)
    expect(filled).to_have_css("border-top-style", "solid")


def test_findings_stand_in_the_gutter_and_abstentions_are_told(service: LiveService, sign_in: SignIn) -> None:
    page = sign_in("ada")
    open_run(page, service, service.add(hostile_run()))
    expect(page.locator("#line-1-1 .remark").first).to_contain_text("B999")
    expect(page.locator("#line-1-1 .gutter")).to_be_visible()
    expect(page.get_by_role("tab", name="Static findings")).to_contain_text("1 could not look")
    page.get_by_role("tab", name="Static findings").click()
    expect(page.locator("#findings")).to_contain_text("CWE-78")


def test_integrity_is_shown_before_everything_else(service: LiveService, sign_in: SignIn) -> None:
    page = sign_in("ada")
    open_run(page, service, service.add(hostile_run()))
    alarms = page.get_by_role("region", name="Integrity")
    expect(alarms).to_be_in_viewport(ratio=1)
    expect(alarms).to_contain_text("Integrity flag")
    expect(alarms).to_contain_text("3 of 3 cases ran in one process with the response: a pass can be forged")
    expect(page.locator("#case-0")).to_contain_text("integrity: reduced")
    expect(page.locator("#case-1")).to_contain_text("wall-timeout")


def test_what_the_box_saw_is_told_and_what_is_only_noticed_looks_milder(service: LiveService, sign_in: SignIn) -> None:
    page = sign_in("ada")
    tried = found("assay/box-network", "It tried to connect to 192.0.2.1:80 (3 times).", line=0, flag=True)
    started = found(
        "assay/box-program", "It started another program: /bin/ls\x1b[2J.", line=0, severity="low", flag=True
    )
    open_run(page, service, service.add(MadeRun(signals=(passed("one"), started, tried))))
    first, second = page.get_by_role("region", name="Integrity").locator(".alarm").all()
    expect(first).to_contain_text("Integrity flag It tried to connect to 192.0.2.1:80 (3 times). assay/box-network")
    expect(second).to_contain_text("Noticed It started another program: /bin/lsESC[2J. assay/box-program")
    colours = [alarm.evaluate("(line) => getComputedStyle(line).backgroundColor") for alarm in (first, second)]
    assert colours[0] != colours[1]
    assert not violations(page)


def test_a_dispute_has_a_badge_a_sentence_and_no_suggestion(service: LiveService, sign_in: SignIn) -> None:
    page = sign_in("ada")
    note = UntrustedText('it passes as plain pytest: isolation = "shared"\x1b[2J')
    disputed = replace(failed("two", "test_two", "", ""), outcome=Outcome.DISPUTED, note=note)
    run_id = service.add(MadeRun(signals=(passed("one"), disputed)))
    page.goto(f"{service.base_url}/review")
    expect(page.locator("table.queue .outcome.disputed")).to_have_text("disputed")
    open_run(page, service, run_id)
    expect(page.locator(".summary")).to_contain_text("disputed 1 of 2 hidden cases pass")
    [told] = page.get_by_role("region", name="Integrity").locator(".alarm").all()
    expect(told).to_contain_text(
        "Disputed Two examinations disagree on 1 of 2 cases: in one it passes, in the other not."
    )
    expect(page.locator("#case-0 .outcome")).to_have_text("disputed")
    expect(page.locator("#case-0")).to_contain_text('it passes as plain pytest: isolation = "shared"ESC[2J')
    why = page.locator("#why-correctness")
    expect(why).to_contain_text("No basis for a suggestion. 1 case is disputed, and the level depends on it.")
    assert not violations(page)
    # The keys do what they do everywhere: nothing to confirm, a level is the reviewer's own.
    press(page, "Space")
    expect_level(page, "correctness", None)
    press(page, "4")
    expect_level(page, "correctness", 4)


def test_what_was_not_tried_is_left_out_of_the_count(service: LiveService, sign_in: SignIn) -> None:
    page = sign_in("ada")
    untried = replace(failed("three", "", "", ""), outcome=Outcome.NOT_TRIED, note=UntrustedText("not tried: why"))
    signals = (passed("one"), failed("two", "f()", "1", "", end="wall-timeout"), untried)
    open_run(page, service, service.add(MadeRun(signals=signals)))
    expect(page.locator(".summary")).to_contain_text("1 of 2 tried hidden cases pass 1 not tried")
    expect(page.locator("#case-1")).to_contain_text("not-tried three hidden")
    assert not violations(page)


def test_what_the_task_s_author_is_to_mend_is_told_apart(service: LiveService, sign_in: SignIn) -> None:
    page = sign_in("ada")
    mend = found("assay/task-checker", "Suite io: the task's checker gave no verdict.", line=0, severity="low")
    open_run(page, service, service.add(MadeRun(signals=(passed("one"), replace(mend, path="")))))
    [told] = page.get_by_role("region", name="Integrity").locator(".alarm").all()
    expect(told).to_have_text("About the task Suite io: the task's checker gave no verdict. assay/task-checker")
    expect(page.get_by_role("tab", name="Static findings")).to_contain_text("0")
    assert not violations(page)


def test_hostile_text_is_inert_and_visible(service: LiveService, sign_in: SignIn) -> None:
    page = sign_in("ada")
    open_run(page, service, service.add(hostile_run()))
    press(page, "e", "v", "e", "b", "e", "f", "Escape")
    for place in (
        "#case-0",
        "#line-1-1",
        "#line-0-1",
        ".prompt pre",
        ".prompt p >> nth=0",
        "#finding-0",
        ".alarm.flagged",
    ):
        expect(page.locator(place)).to_contain_text(SHOWN)
        expect(page.locator(place)).to_contain_text("<script>window.pwned=1</script>")
    for place in ("#case-0 h4", "#finding-0 b", "#line-1-1 .remark b >> nth=0"):
        expect(page.locator(place)).to_contain_text(SHOWN_IN_NAMES)
    assert page.evaluate("window.pwned") is None
    assert page.locator("img, script:not([src]), [onclick], [onerror]").count() == 0
    hidden = "[\\u0000-\\u0008\\u000b-\\u001f\\u200b-\\u200f\\u202a-\\u202e\\u2066-\\u2069]"
    assert not page.evaluate(f"/{hidden}/.test(document.documentElement.outerHTML)")


def test_a_note_comes_back_as_it_was_typed(service: LiveService, sign_in: SignIn) -> None:
    page = sign_in("ada")
    open_run(page, service, service.add(merge_run()))
    note = page.locator("[data-note=correctness]")
    note.fill(f"👩\u200d💻 {ATTACK}")
    page.reload()
    expect(note).to_have_value(f"👩\u200d💻 {ATTACK}")
    expect(page.locator("#sync")).to_have_text("Saved")
    page.reload()
    expect(note).to_have_value(f"👩\u200d💻 {ATTACK}")
    assert page.evaluate("window.pwned") is None


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_pages_are_accessible(service: LiveService, sign_in: SignIn, scheme: str) -> None:
    run_id, other = service.add(hostile_run()), service.add(merge_run())
    page = sign_in("ada", color_scheme=scheme)
    assert violations(page) == ""
    for run in (run_id, other):
        open_run(page, service, run)
        assert violations(page) == ""
        for tab in ("Static findings", "Measurements"):
            page.get_by_role("tab", name=tab).click()
            assert violations(page) == ""
    press(page, " ", "e")
    assert violations(page) == ""
    for key in ("?", "f", "s"):
        press(page, key)
        assert violations(page) == ""
        press(page, "Escape")
    page.goto(f"{service.base_url}/review/run_nowhere")
    assert violations(page) == ""


def test_everything_can_be_reached_by_tab_and_the_focus_is_seen(service: LiveService, sign_in: SignIn) -> None:
    page = sign_in("ada")
    open_run(page, service, service.add(merge_run()))
    reached = set()
    for _press in range(80):
        press(page, "Tab")
        reached.add(
            page.evaluate("document.activeElement.id || document.activeElement.getAttribute('aria-label') || ''")
        )
        seen = page.evaluate(
            "document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle"
        )
        assert seen in (True, "solid"), reached
    assert reached >= {
        "undo",
        "open-harm",
        "open-skip",
        "open-help",
        "Prompt",
        "Code of the response",
        "tests",
        "tab-tests",
    }


def test_tabs_are_walked_with_the_arrow_keys(service: LiveService, sign_in: SignIn) -> None:
    page = sign_in("ada")
    open_run(page, service, service.add(merge_run()))
    page.locator("#tab-tests").focus()
    press(page, "ArrowRight", "ArrowRight")
    expect(page.locator("#measurements")).to_be_visible()
    expect(page.locator("#tab-measurements")).to_be_focused()
    press(page, "ArrowRight")
    expect(page.locator("#tests")).to_be_visible()
    expect_current(page, "correctness")


def test_enter_on_the_queue_starts(service: LiveService, sign_in: SignIn) -> None:
    run_id = service.add(merge_run())
    page = sign_in("ada")
    press(page, "Enter")
    page.wait_for_url(f"**/review/{run_id}")


def test_an_empty_queue_says_so(sign_in: SignIn) -> None:
    page = sign_in("ada")
    expect(page.get_by_text("Nothing is waiting for you.")).to_be_visible()
    assert violations(page) == ""


def test_a_large_response_opens(service: LiveService, sign_in: SignIn) -> None:
    lines = "".join(f"x{number} = {number}\n" for number in range(20_000))
    page = sign_in("ada")
    open_run(
        page,
        service,
        service.add(MadeRun(files={"solution.py": lines, "wide.py": "#" * 200_000}, signals=(passed("one"),))),
    )
    expect(page.get_by_text("15000 more lines are not drawn here")).to_be_attached()
    press(page, " ")
    expect_level(page, "correctness", 4)
