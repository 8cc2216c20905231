"""Decides whether what a program printed is the expected output. Pure.

Output is compared as bytes: it may be no UTF-8, and what is a space must not depend on Unicode. Only Python's
built-in `bytes` are looked at, so no code of a submission runs. Time grows with the length of both, and nothing is
made of what was printed but the token or the line that is looked at: eight million tokens would be half a gigabyte.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import MAX_EMAX, MIN_EMIN, ROUND_UP, Context, Decimal
from functools import lru_cache
from itertools import zip_longest

TOKEN_CHARACTERS = 60
"""The most characters of a token in a sentence."""
SHOWN_BYTES = TOKEN_CHARACTERS * 4

_NUMBER = re.compile(rb"[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?")
"""Numbers as programs of any language print them. Not Python's float(), which takes `1_000` and digits of any script.
It never goes back: a token of a million digits that ends in a letter is read once."""
_WHOLE = re.compile(rb"[+-]?\d++")
_TOKEN = re.compile(rb"\S+")
_PIECE = re.compile(rb"\S+|\s+")
_SPACES = b" \t\n\r\v\f"

Check = Callable[[bytes, bytes], str]
"""`(expected, got) -> difference`: a sentence on the first difference, empty if `got` is accepted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerance:
    """How far a number may be from an expected one: within either is near enough, as in Kattis' problem format.

    Numbers are decimals of any length: 0.3 is 0.1 from 0.2, which holds for no two floats.
    """

    absolute: float
    relative: float

    def near(self, expected: bytes, got: bytes) -> bool:
        """Return whether they are near. If one of them is not a number, they are not."""
        if not (_NUMBER.fullmatch(expected) and _NUMBER.fullmatch(got)):
            return False
        wanted, found = _decimal(expected), _decimal(got)
        if wanted == found:
            return True
        if wanted.is_nan() or found.is_nan():
            return False
        # This precision holds each tolerance, and each product with it, exactly. A difference with more digits is
        # rounded up. Rounding does not move it across a tolerance.
        room = _room((len(expected) + len(got)) // 100 * 100 + 140)
        off = room.subtract(wanted, found).copy_abs()
        return off <= _as_written(self.absolute) or off <= room.multiply(_as_written(self.relative), wanted.copy_abs())


EQUAL = Tolerance(absolute=0.0, relative=0.0)
"""Numbers by their value alone."""


@lru_cache(maxsize=8)
def _room(digits: int) -> Context:
    return Context(prec=digits, rounding=ROUND_UP, Emin=MIN_EMIN, Emax=MAX_EMAX, traps=[])


@lru_cache(maxsize=8)
def _as_written(tolerance: float) -> Decimal:
    return Decimal(repr(tolerance))


def _decimal(number: bytes) -> Decimal:
    """Return its value; a nan if its exponent has more than the eighteen digits of a decimal."""
    return Decimal(number.decode("ascii"), _room(100))


def exact(expected: bytes, got: bytes) -> str:
    """Compare byte by byte. One newline more or less at the end does not matter."""
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
    """Return the first place at which they differ: the shorter length if one begins with the other."""
    low, high = 0, min(len(one), len(other))
    while low < high:  # both are alike up to `low`; each round halves what is left, and compares that half
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _line(text: bytes, start: int) -> bytes:
    """Return the part of the line that is shown."""
    end = text.find(b"\n", start)
    return text[start : min(len(text) if end < 0 else end, start + SHOWN_BYTES + 1)]


def tokens_check(
    *, case_sensitive: bool = True, space_sensitive: bool = False, tolerance: Tolerance | None = None
) -> Check:
    """Return the check for the same tokens in the same order, with any ASCII white space between them.

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


def lines_check(*, case_sensitive: bool = True, tolerance: Tolerance = EQUAL) -> Check:
    """Return the check for equally many lines. Two lines are equal if their text is, or if their numbers are, in order.

    White space around a line, and empty lines at the beginning and the end, do not matter. The tolerance is for
    expected numbers with a point or an exponent; a whole number is met by an equal one.
    """

    def check(expected: bytes, got: bytes) -> str:
        wanted, found = expected.strip(_SPACES), got.strip(_SPACES)
        if wanted == found:
            return ""
        if (lines := wanted.count(b"\n") + 1) != (others := found.count(b"\n") + 1):
            return f"expected {lines} line{'' if lines == 1 else 's'}, got {others}"
        for number, (line, other) in enumerate(zip(_lines(wanted), _lines(found), strict=True), start=1):
            same = line == other or (not case_sensitive and line.lower() == other.lower())
            if not same and not _same_numbers(line, other, tolerance):
                return f"line {number}: expected {_shown(line)}, got {_shown(other)}"
        return ""

    return check


def _lines(text: bytes) -> Iterator[bytes]:
    start = 0
    while (end := text.find(b"\n", start)) >= 0:
        yield text[start:end].strip(_SPACES)
        start = end + 1
    yield text[start:].strip(_SPACES)


def _same_numbers(expected: bytes, got: bytes, tolerance: Tolerance) -> bool:
    for wanted, found in zip_longest(_TOKEN.finditer(expected), _TOKEN.finditer(got)):
        if wanted is None or found is None:
            return False
        if not (EQUAL if _WHOLE.fullmatch(wanted[0]) else tolerance).near(wanted[0], found[0]):
            return False
    return True


def any_of(check: Check, accepted: Sequence[bytes], got: bytes) -> str:
    """Return an empty text if `got` is one of the accepted outputs, else a sentence on the difference."""
    differences = [check(expected, got) for expected in accepted]
    if "" in differences:
        return ""
    return differences[0] if len(differences) == 1 else f"none of the {len(accepted)} accepted outputs"


def _counted(tokens: int) -> str:
    return f"{tokens or 'no'} token{'' if tokens == 1 else 's'}"


def _shown(text: bytes) -> str:
    cut = text[:SHOWN_BYTES].decode("utf-8", "backslashreplace")
    return repr(cut if len(cut) <= TOKEN_CHARACTERS else f"{cut[:TOKEN_CHARACTERS]}...")
