"""The JSON of a request's body, within bounds that keep reading it short.

BodyError               it is JSON that no request needs
"""

import json
import re
from typing import Any

MOST_VALUES = 200_000
"""Strings, lists, objects and members of a body's JSON. The largest batch of the largest submissions has fewer."""
MOST_MEMBERS = 2000
"""Most members of one object. A task package has at most half as many files."""
MOST_DIGITS = 30
"""Most digits of a number."""
_INSIDE = re.compile(rb'(?:[^"\\]++|\\.)*+', re.DOTALL)
"""The rest of a string, up to the quote that ends it."""
_WINDOW = 256 * 1024
"""Bytes looked at before another thread may have the interpreter."""


class BodyError(Exception):
    """A body that is refused.

    Args:
        kind: of the problem, a key of `service.edge.problems.KINDS`.
        detail: what is wrong, in a sentence.
        expected: what was expected of the body.
    """

    def __init__(self, kind: str, detail: str, expected: str) -> None:
        super().__init__(kind, detail, expected)
        self.kind, self.detail, self.expected = kind, detail, expected


def parsed(body: bytes) -> Any:
    """Return the JSON value. Raises BodyError, or ValueError or RecursionError if it is not JSON in UTF-8."""
    if has_more_values(body, MOST_VALUES):
        raise BodyError("body-too-large", "The body holds too many values.", f"JSON of at most {MOST_VALUES} values")
    text = body.decode("utf-8-sig")
    return json.loads(text, object_pairs_hook=_object, parse_int=_integer, parse_float=_float)


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(members) > MOST_MEMBERS:
        # Each of them may be invalid; the event loop finds that out and reports it.
        expected = f"objects of at most {MOST_MEMBERS} members"
        raise BodyError("body-too-large", "An object of the body has too many members.", expected)
    return dict(members)


def _integer(digits: str) -> int:
    return int(_short(digits))


def _float(digits: str) -> float:
    return float(_short(digits))


def _short(digits: str) -> str:
    """Return the digits. Raises BodyError for a long number, which is slow to read and never needed here."""
    if len(digits) > MOST_DIGITS:
        expected = f"numbers of at most {MOST_DIGITS} characters"
        raise BodyError("malformed-body", "A number of the body is too long.", expected)
    return digits


def has_more_values(text: bytes, most: int) -> bool:
    """Return whether JSON in UTF-8 has more than `most` strings, lists, objects and separators outside strings.

    For text that is not JSON the answer is meaningless, but as quick. Time is linear, and mostly spent in searches for a byte.
    """
    found, at = 0, 0
    while found <= most:
        begin = text.find(b'"', at)
        outside = len(text) if begin < 0 else begin
        found += sum(text.count(mark, at, outside) for mark in (b"[", b"{", b","))
        if begin < 0:
            break
        found += 1
        at = _after_string(text, begin + 1)
    return found > most


def _after_string(text: bytes, at: int) -> int:
    """Return the position behind the quote that ends the string which begins at `at`."""
    while True:
        match = _INSIDE.match(text, at, at + _WINDOW)
        assert match is not None  # it takes nothing as well
        if text[match.end() : match.end() + 1] == b'"':
            return match.end() + 1
        if match.end() == at:  # the text is over, perhaps with a backslash
            return len(text)
        at = match.end()
