"""Text of a submission, so that a reviewer sees what is there and not what it pretends to be.

A terminal escape, a bidirectional override or a zero-width character can make code read differently from how it runs
(Trojan Source, CVE-2021-42574). Such characters are replaced by their name or number; everything else stays.
"""

import re
import unicodedata
from functools import lru_cache

from markupsafe import Markup, escape

_SUSPECT = re.compile(r"[^\n\t\x20-\x7e]")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Zs"})
_BLANK_LETTERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")
"""Letters and marks that are drawn as nothing."""
_SHORT_NAMES = {"\0": "NUL", "\a": "BEL", "\b": "BS", "\r": "CR", "\x1b": "ESC", "\x7f": "DEL"}


def plain(text: str) -> str:
    """Return the text with each hidden character named in place, as in `a⟨ESC⟩[0m`. Newline and tab stay."""
    return _SUSPECT.sub(lambda match: _bracketed(match[0]), text)


def chips(text: str) -> Markup:
    """Return escaped HTML of the text, each hidden character in a `span.chip` whose title is its Unicode name."""
    parts: list[str | Markup] = []
    end = 0
    for match in _SUSPECT.finditer(text):
        if _is_hidden(match[0]):
            if end < match.start():
                parts.append(escape(text[end : match.start()]))
            parts.append(_chip(match[0]))
            end = match.end()
    return Markup("").join([*parts, escape(text[end:])])


@lru_cache(maxsize=4096)
def _is_hidden(character: str) -> bool:
    if unicodedata.category(character) in _HIDDEN_CATEGORIES or character in _BLANK_LETTERS:
        return True
    return "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"  # variation selectors


def _short_name(character: str) -> str:
    # Letters, not the control pictures of Unicode (U+2400 and on), which few monospaced fonts have.
    return _SHORT_NAMES.get(character) or f"U+{ord(character):04X}"


def _bracketed(character: str) -> str:
    return f"⟨{_short_name(character)}⟩" if _is_hidden(character) else character


@lru_cache(maxsize=4096)
def _chip(character: str) -> Markup:
    title = f"U+{ord(character):04X} {unicodedata.name(character, '')}".rstrip()
    return Markup('<span class="chip" title="{}">{}</span>').format(title, _short_name(character))
