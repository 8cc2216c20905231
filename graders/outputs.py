"""Decides whether what a program printed is the expected output. Pure.

Output is compared as bytes: it may be no UTF-8, and what is a space must not depend on Unicode. Only Python's built-in
`bytes` are looked at, so no code of a submission runs.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

TOKEN_CHARACTERS = 60
"""Of a token in a sentence."""

_NUMBER = re.compile(rb"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
"""Numbers as programs of any language print them. Not Python's float(), which takes `1_000` and digits of any script."""

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
    lines = zip(wanted.split(b"\n"), found.split(b"\n"), strict=False)
    for number, (line, other) in enumerate(lines, start=1):
        if line != other:
            return f"line {number}: expected {_shown(line)}, got {_shown(other)}"
    shorter = min(wanted.count(b"\n"), found.count(b"\n"))
    return f"the output {'ends early' if len(found) < len(wanted) else 'goes on'} after line {shorter + 1}"


def tokens_check(*, case_sensitive: bool = True, tolerance: Tolerance | None = None) -> Check:
    """The same tokens in the same order, whatever ASCII white space is between them.

    With a tolerance, a token that is an expected number is met by a number near it; a nan or inf only by the same word.
    """

    def check(expected: bytes, got: bytes) -> str:
        wanted, found = expected.split(), got.split()
        for number, (token, other) in enumerate(zip(wanted, found, strict=False), start=1):
            same = token == other or (not case_sensitive and token.lower() == other.lower())
            if not same and not (tolerance is not None and tolerance.near(token, other)):
                return f"token {number}: expected {_shown(token)}, got {_shown(other)}"
        if len(wanted) > len(found):
            return f"the output ends after {_counted(found)} of {len(wanted)}"
        if len(found) > len(wanted):
            return f"the output goes on after the expected {_counted(wanted)}, with {_shown(found[len(wanted)])}"
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
    if name == "exact":
        return exact
    if name == "float":
        absolute, relative = _number(options.get("absolute", 1e-9)), _number(options.get("relative", 1e-9))
        tolerance = Tolerance(absolute=absolute, relative=relative)
        return tokens_check(case_sensitive=case_sensitive, tolerance=tolerance)
    return tokens_check(case_sensitive=case_sensitive)


def _number(value: object) -> float:
    assert isinstance(value, int | float)  # graders.package has checked it
    return float(value)


def _counted(tokens: Sequence[bytes]) -> str:
    return f"{len(tokens) or 'no'} token{'' if len(tokens) == 1 else 's'}"


def _shown(text: bytes) -> str:
    cut = text[: TOKEN_CHARACTERS * 4].decode("utf-8", "backslashreplace")
    return repr(cut if len(cut) <= TOKEN_CHARACTERS else f"{cut[:TOKEN_CHARACTERS]}...")
