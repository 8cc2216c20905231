import re
import unicodedata
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.visible_text import chips, plain

ANY_TEXT = st.text(st.characters(), max_size=60)  # lone surrogates, controls and unassigned code points too
HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"}


def is_hidden(character: str) -> bool:
    return character not in "\n\t " and unicodedata.category(character) in HIDDEN


@given(ANY_TEXT)
def test_nothing_hidden_is_left_and_all_of_it_can_be_sent(text: str) -> None:
    for shown in (plain(text), chips(text)):
        assert not any(is_hidden(character) for character in shown)
        shown.encode("utf-8")


@given(ANY_TEXT)
def test_chips_are_the_only_markup(text: str) -> None:
    without_chips = re.sub(r'<span class="chip" title="[^"<>]*">([^<>]*)</span>', r"\1", chips(text))
    assert "<" not in without_chips
    assert re.sub("[⟨⟩]", "", unescape(without_chips)) == re.sub("[⟨⟩]", "", plain(text))


@given(st.text(st.sampled_from("abc <>&\"'\n\tédжשع漢🙂"), max_size=60))
def test_what_can_be_seen_is_not_touched(text: str) -> None:
    assert plain(text) == text
    assert unescape(chips(text)) == text


@pytest.mark.parametrize(
    ("character", "shown"),
    [
        ("\x1b", "ESC"),
        ("\0", "NUL"),
        ("\x9b", "U+009B"),
        ("\u202e", "U+202E"),
        ("\u2066", "U+2066"),
        ("\u200b", "U+200B"),
        ("\ufeff", "U+FEFF"),
        ("\u00a0", "U+00A0"),
        ("\u3164", "U+3164"),
        ("\ufe0f", "U+FE0F"),
        ("\U000e0041", "U+E0041"),
        ("\ud800", "U+D800"),
    ],
)
def test_each_way_to_hide(character: str, shown: str) -> None:
    assert plain(f"a{character}b") == f"a⟨{shown}⟩b"
    assert f">{shown}</span>" in chips(character)


def test_a_chip_tells_the_full_name() -> None:
    assert 'title="U+202E RIGHT-TO-LEFT OVERRIDE"' in chips("\u202e")


def test_markup_in_the_text_stays_text() -> None:
    assert chips("<script>&") == "&lt;script&gt;&amp;"
