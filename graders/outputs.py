"""Decides whether what a program printed is the expected output. Pure.

Output is compared as bytes: it may be no UTF-8, and what is a space must not depend on Unicode. Only Python's built-in
`bytes` are looked at, so no code of a submission runs. Time grows with the length of both, and nothing is made of what was
printed but the token or the line that is looked at: eight million tokens would be half a gigabyte.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

TOKEN_CHARACTERS = 60
"""Of a token in a sentence."""
SHOWN_BYTES = TOKEN_CHARACTERS * 4

_NUMBER = re.compile(rb"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?")
"""Numbers as programs of any language print them. Not Python's float(), which takes `1_000` and digits of any script.
It never goes back: a token of a million digits that ends in a letter is read once."""
_TOKEN = re.compile(rb"\S+")
_PIECE = re.compile(rb"\S+|\s+")
_SPACES = b" \t\n\r\v\f"

Check = Callable[[bytes, bytes], str]
"""`(expected, got) -> difference`: where they differ, in a sentence; empty where `got` is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far a number may be from an expected one: within either is near enough, as in Kattis' problem format."""

    absolute: float
    relative: float

    def near(self, expected: bytes, got: bytes) -> bool:
        """False as well where one of them is no number."""
        if not (_NUMBER.fullmatch(expected) and _NUMBER.fullmatch(got)):
            return False
        wanted, found = float(expected), float(got)
        off = abs(wanted - found)  # nan where both are beyond the range of floats: not near then
        return off <= self.absolute or off <= self.relative * abs(wanted)


def exact(expected: bytes, got: bytes) -> str:
    """The same bytes; one newline more or less at the end is no difference."""
    wanted, found = expected.removesuffix(b"\n"), got.removesuffix(b"\n")
    if wanted == found:
        return ""
    at = _first_difference(wanted, found)
    before = wanted.count(b"\n", 0, at)
    if at == min(len(wanted), len(found)) and b"\n" in (wanted[at : at + 1], found[at : at + 1]):
        return f"the output {'ends early' if len(found) < len(wanted) else 'goes on'} after line {before + 1}"
    start = wanted.rfind(b"\n", 0, at) + 1
    return f"line {before + 1}: expected {_shown(_line(wanted, start))}, got {_shown(_line(found, start))}"


def _first_difference(one: bytes, other: bytes) -> int:
    """Where they differ first; the length of the shorter one where the other begins with it."""
    low, high = 0, min(len(one), len(other))
    while low < high:  # both are alike up to `low`; each round halves what is left, and compares that half
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _line(text: bytes, start: int) -> bytes:
    """As much of the line as is shown."""
    end = text.find(b"\n", start)
    return text[start : min(len(text) if end < 0 else end, start + SHOWN_BYTES + 1)]


def tokens_check(
    *, case_sensitive: bool = True, space_sensitive: bool = False, tolerance: Tolerance | None = None
) -> Check:
    """The same tokens in the same order, whatever ASCII white space is between them.

    With a tolerance, a token that is an expected number is met by a number near it; a nan or inf only by the same word.
    `space_sensitive`: white space before, between and after the tokens is the same too, byte for byte.
    """
    pieces = _PIECE if space_sensitive else _TOKEN

    def check(expected: bytes, got: bytes) -> str:
        if expected == got or (not space_sensitive and expected.strip(_SPACES) == got.strip(_SPACES)):
            return ""
        tokens = 0
        for wanted, found in zip_longest(pieces.finditer(expected), pieces.finditer(got)):
            if found is None:
                return f"the output ends after {_counted(tokens)} of {sum(1 for _ in _TOKEN.finditer(expected))}"
            if wanted is None:
                return f"the output goes on after the expected {_counted(tokens)}, with {_shown(found[0])}"
            token, other = wanted[0], found[0]
            if token.isspace() or other.isspace():
                if token != other:
                    return f"after {_counted(tokens)}: expected {_shown(token)}, got {_shown(other)}"
                continue
            tokens += 1
            same = token == other or (not case_sensitive and token.lower() == other.lower())
            if not same and not (tolerance is not None and tolerance.near(token, other)):
                return f"token {tokens}: expected {_shown(token)}, got {_shown(other)}"
        return ""

    return check


def any_of(check: Check, accepted: Sequence[bytes], got: bytes) -> str:
    """The difference to the first of the accepted outputs, where `got` is none of them."""
    differences = [check(expected, got) for expected in accepted]
    if "" in differences:
        return ""
    return differences[0] if len(differences) == 1 else f"none of the {len(accepted)} accepted outputs"


def check_named(name: str, options: Mapping[str, object]) -> Check:
    """The check of a suite's `checker` option; `program` is not among them, it runs in a box."""
    case_sensitive = options.get("case_sensitive") is not False
    space_sensitive = options.get("space_sensitive") is True
    if name == "exact":
        return exact
    if name == "float":
        absolute, relative = _number(options.get("absolute", 1e-9)), _number(options.get("relative", 1e-9))
        tolerance = Tolerance(absolute=absolute, relative=relative)
        return tokens_check(case_sensitive=case_sensitive, space_sensitive=space_sensitive, tolerance=tolerance)
    return tokens_check(case_sensitive=case_sensitive, space_sensitive=space_sensitive)


def _number(value: object) -> float:
    assert isinstance(value, int | float)  # graders.package has checked it
    return float(value)


def _counted(tokens: int) -> str:
    return f"{tokens or 'no'} token{'' if tokens == 1 else 's'}"


def _shown(text: bytes) -> str:
    cut = text[:SHOWN_BYTES].decode("utf-8", "backslashreplace")
    return repr(cut if len(cut) <= TOKEN_CHARACTERS else f"{cut[:TOKEN_CHARACTERS]}...")
