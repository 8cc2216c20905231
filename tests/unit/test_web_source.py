import io
import itertools
import re
import time
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubrics.signals import Finding, Severity, UntrustedText
from service.web import source
from service.web.source import code_file

PYTHONISH = st.text(st.sampled_from("ab1 ()[]{}:.,=+-#@'\"\\frb\n\r_é"), max_size=200)


def texts(file: source.CodeFile) -> list[str]:
    return [unescape(re.sub(r"<[^>]*>", "", line.html)) for line in file.lines]


def finding(line: int) -> Finding:
    return Finding(
        grader="assay/security",
        criterion="security",
        rule="B1",
        message=UntrustedText("bad"),
        severity=Severity.LOW,
        confidence=Severity.LOW,
        path="a.py",
        line=line,
    )


@given(PYTHONISH, st.sampled_from(["a.py", "a.txt"]))
def test_lines_are_those_that_python_counts_and_hold_the_whole_text(text: str, path: str) -> None:
    as_python = io.StringIO(text, newline=None).read()
    expected = as_python.removesuffix("\n").split("\n")
    file = code_file(0, path, text, {})
    assert texts(file) == expected
    assert [line.number for line in file.lines] == list(range(1, len(expected) + 1))


def test_form_feeds_and_unicode_line_ends_start_no_line() -> None:
    file = code_file(0, "a.py", "a\x0c\u2028\x85 = 1\nb = 2\n", {2: (finding(2),)})
    assert len(file.lines) == 2
    assert file.lines[1].findings == (finding(2),)
    assert texts(file)[1] == "b = 2"


def test_colours_span_lines() -> None:
    file = code_file(0, "a.py", 'x = """one\ntwo"""\n', {})
    assert file.lines[0].html.endswith('<span class="s">&#34;&#34;&#34;one</span>')
    assert file.lines[1].html == '<span class="s">two&#34;&#34;&#34;</span>'


def test_a_file_that_is_too_long_for_the_lexer_has_no_colours() -> None:
    long = "import os\n" * (source.COLOURED_CHARACTERS // 10 + 1)
    assert "<span" not in code_file(0, "a.py", long, {}).lines[0].html
    assert "<span" in code_file(0, "a.py", "import os\n", {}).lines[0].html


def test_the_colours_of_a_page_have_a_time_of_their_own() -> None:
    """A file of blank lines takes the lexer the square of its length; the time is the page's, however many files there are."""
    now = itertools.count(step=source.COLOURING_SECONDS / 40)
    colouring = source.Colouring(clock=lambda: next(now))
    blank = " \n" * 100
    first, second = (code_file(n, "a.py", blank + "import os\n", {}, colouring) for n in range(2))
    assert texts(first) == texts(second) == [" "] * 100 + ["import os"]
    assert "<span" not in first.lines[-1].html + second.lines[-1].html
    began = time.thread_time()
    slow = source.Colouring()
    for n in range(20):
        assert (
            len(code_file(n, "a.py", " \n" * (source.COLOURED_CHARACTERS // 2), {}, slow).lines) == source.SHOWN_LINES
        )
    assert time.thread_time() - began < 60  # minutes without it


def test_no_page_grows_without_end() -> None:
    file = code_file(0, "a.py", "\n" * 1_000_000, {})
    assert len(file.lines) == source.SHOWN_LINES
    assert file.hidden_lines == 1_000_000 - source.SHOWN_LINES
    wide = code_file(0, "a.py", "'" + "<" * 1_000_000, {})
    assert len(wide.lines[0].html) < source.SHOWN_COLUMNS * len("&lt;") + 200
    assert f"{1_000_001 - source.SHOWN_COLUMNS} more characters" in wide.lines[0].html


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("a\n", ""),
        ("a\r\nb\r\n", "2 lines end in CRLF"),
        ("a\rb\n", "1 lines end in a lone CR"),
        ("a", "no newline at the end"),
    ],
)
def test_what_numbered_lines_do_not_show_is_remarked(text: str, remark: str) -> None:
    assert code_file(0, "a.py", text, {}).remark == remark


def test_submitted_markup_is_text() -> None:
    assert "<script>" not in code_file(0, "a.py", "x = '<script>alert(1)</script>'\n", {}).lines[0].html
