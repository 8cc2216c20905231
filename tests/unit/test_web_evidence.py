"""A case on the reviewer's page: everything that came out of a submission is escaped, and what it cost is told."""

from dataclasses import replace

from rubrics.signals import UntrustedText
from service.web.pages import _templates
from service.web.present import CaseView
from tests.browser.made_runs import failed

HOSTILE = "<script>alert(1)</script>\x1b[2J\u202e\ud800"


def drawn(**fields: object) -> str:
    case = replace(failed("a", "1 2", "3", "4"), **fields)
    template = _templates().get_template("evidence.html")
    return str(template.module.case_row(CaseView(element="case-0", case=case)))  # type: ignore[attr-defined]


def test_whatever_it_printed_is_shown_as_text() -> None:
    for field in ("given", "wanted", "got", "note"):
        html = drawn(**{field: UntrustedText(HOSTILE)})
        assert "<script>" not in html
        assert "&lt;script&gt;" in html
        assert "\x1b" not in html
        assert "\u202e" not in html
        assert 'title="U+202E RIGHT-TO-LEFT OVERRIDE"' in html


def test_what_a_case_took_and_earned() -> None:
    html = drawn(cpu_seconds=0.25, peak_memory_mib=12.3, credit=0.5, group="large")
    for text in ("0.250 s CPU", "12 MiB", "50 % of its weight", "group large"):
        assert text in html
    html = drawn()
    for text in ("CPU", "MiB", "weight", "group", "note"):
        assert text not in html
