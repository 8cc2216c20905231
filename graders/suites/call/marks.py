"""A mark for each value of a description: the same text for equal values, another one for others. Pure.

Equal is Python's `==` between built-in values, and a nan equals a nan. Values are not compared with each other but with
their marks, so nothing is hashed, sorted or divided that a submission chose: a set is the sorted marks of its elements, and a
number is what is left of it modulo a prime that this process drew and tells nobody (Python's own hash of numbers is that
too, with a prime that everybody knows). Two different values with one mark are as likely as guessing a key.

A mark costs time and memory that grow with the text of the value; one of the process that made it, it is never kept.
"""

import datetime
import hashlib
import math
import secrets
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from graders.boxed.shared.encoding import MAX_INT_BITS, Tree
from graders.suites.values.description import Description
from graders.suites.values.leaves import DECIMAL, float_at, integer_at, text_at

_KEY = secrets.token_bytes(32)
_PRIME_BITS = 160
_PLAIN = 1 << 128
"""Smaller integers are their own rest."""
_DIGITS = 512
"""Decimal digits that are read at once: reading more takes longer than they are long."""
_SHORT = 64
"""Characters of a text that may as well be read again."""
_FLOAT_DIGITS = 800
"""No float has more decimal digits than 767."""


def _secret_prime() -> int:
    while True:
        candidate = secrets.randbits(_PRIME_BITS) | 1 << (_PRIME_BITS - 1) | 1
        # Fermat's test: of random numbers of this size, less than one in 10^15 that pass it is no prime.
        if pow(2, candidate - 1, candidate) == 1:
            return candidate


_PRIME = _secret_prime()
_HALF = pow(2, -1, _PRIME)
_TENTH = pow(10, -1, _PRIME)


class Marks:
    """The marks of one description's values."""

    def __init__(self, description: Description) -> None:
        self._description = description
        self._known: dict[tuple[str, int], str] = {}
        """Those that may be met again: key, and identity of the payload."""

    def of(self, node: Tree) -> str:
        """The mark of a node of the description's tree."""
        kind = type(node)
        aliased = bool(self._description.containers)
        if kind is str and (not aliased or len(node) < _SHORT):  # type: ignore[arg-type]
            return _digest("s", node)  # type: ignore[arg-type]
        if kind is int or kind is bool:
            return _integer(int(node))  # type: ignore[arg-type]
        if kind is float:
            return _float(node)  # type: ignore[arg-type]
        if node is None:
            return "none"
        key, payload = self._description.at(node)
        if not aliased:
            return self._made(key, payload)
        known = self._known.get((key, id(payload)))
        if known is None:
            known = self._known[key, id(payload)] = self._made(key, payload)
        return known

    def each(self, nodes: Iterable[Tree]) -> list[str]:
        """The marks of several nodes, in their order."""
        return list(map(self.of, nodes))

    def _made(self, key: str, payload: Any) -> str:
        if key in _ORDERED:
            return _together(key, self.each(payload))
        if key in ("$set", "$frozenset"):
            return _together("$set", sorted(self.each(payload)))
        if key == "$dict":
            return _together(key, sorted(_together("", self.each(pair)) for pair in payload))
        if key == "$enum":
            return _together(key, [_digest("s", payload[0]), _digest("s", payload[1]), self.of(payload[2])])
        if key == "$record":
            fields = (mark for field in payload[1] for mark in self.each(field))
            return _together(key, [_digest("s", payload[0]), *fields])
        if key == "$array":
            return _together(f"{key}{payload[0]}{payload[1]}", self.each(payload[2]))
        return _LEAVES[key](payload)


_ORDERED = frozenset(("list", "$tuple", "$slice"))


def _digest(kind: str, text: str) -> str:
    return kind + hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16, key=_KEY).hexdigest()


def _together(kind: str, marks: Sequence[str]) -> str:
    return _digest("c", f"{kind}:{','.join(marks)}")


# --- numbers: integers and other rationals by their rest; a float that is no integer by its bits, which is quicker ----------


def _rest(number: int) -> str:
    """Of an integer, or of any number modulo the prime."""
    rest = number % _PRIME
    return f"n{rest - _PRIME if rest > _PRIME >> 1 else rest}"


def _integer(number: int) -> str:
    return f"n{number}" if -_PLAIN < number < _PLAIN else _rest(number)


def _float(number: float) -> str:
    if not math.isfinite(number):
        return repr(number)
    return _integer(int(number)) if number.is_integer() else number.hex()


def _rational(rest: int, near: float) -> str:
    """Of a number with this rest, `near` being the float next to it: it may be that float."""
    if math.isfinite(near):
        numerator, denominator = near.as_integer_ratio()
        if (numerator * pow(_HALF, denominator.bit_length() - 1, _PRIME) - rest) % _PRIME == 0:
            return _float(near)
    return _rest(rest)


def _complex(payload: Sequence[Tree]) -> str:
    real, imaginary = map(float_at, payload)
    return _float(real) if imaginary == 0 else f"{_float(real)}+{_float(imaginary)}j"


def _fraction(payload: Sequence[Tree]) -> str:
    numerator, denominator = map(integer_at, payload)
    if denominator % _PRIME == 0:
        return "unknown"  # not to be met but by who knows the prime
    try:
        near = numerator / denominator
    except OverflowError:
        near = math.inf
    return _rational(numerator * pow(denominator, -1, _PRIME), near)


def _decimal(text: str) -> str:
    found = DECIMAL.fullmatch(text)
    assert found is not None  # `describe` has checked it
    if special := found["special"]:
        return f"{found['sign']}inf" if special == "Infinity" else f"decimal-{special.rstrip('0123456789')}"
    fraction = found["fraction"] or ""
    digits = (found["digits"] + fraction).lstrip("0")
    exponent = int(found["exponent"] or 0) - len(fraction) + len(digits)
    digits = digits.rstrip("0")
    exponent -= len(digits)
    if not digits:
        return "n0"
    if abs(exponent) > MAX_INT_BITS:  # equal to no integer or fraction that the encoding has
        return f"decimal{found['sign']}{_digest('d', digits)}E{exponent}"
    rest = 0
    for start in range(0, len(digits), _DIGITS):
        part = digits[start : start + _DIGITS]
        rest = (rest * pow(10, len(part), _PRIME) + int(part)) % _PRIME
    rest = rest * pow(10 if exponent >= 0 else _TENTH, abs(exponent), _PRIME)
    near = float(text) if len(digits) <= _FLOAT_DIGITS else math.inf
    return _rational(-rest if found["sign"] else rest, near)


# --- what is no number -------------------------------------------------------------------------------------------------------


def _range(payload: Sequence[Tree]) -> str:
    numbers = range(*map(integer_at, payload))
    if not numbers:
        return "range"
    # Equal are those that run through the same numbers. Not len(): there may be more of them than it can tell.
    last = numbers.start + (abs(numbers.stop - numbers.start) - 1) // abs(numbers.step) * numbers.step
    return f"range{numbers.start:x}" if last == numbers.start else f"range{numbers.start:x}/{numbers.step:x}/{last:x}"


_MICROSECOND = datetime.timedelta(microseconds=1)


def _datetime(text: str) -> str:
    moment = datetime.datetime.fromisoformat(text)
    offset = moment.utcoffset()
    seconds = moment.toordinal() * 86_400 + (moment.hour * 60 + moment.minute) * 60 + moment.second
    since = seconds * 1_000_000 + moment.microsecond
    return f"datetime{since}" if offset is None else f"moment{since - offset // _MICROSECOND}"


def _time(text: str) -> str:
    time = datetime.time.fromisoformat(text)
    offset = time.utcoffset()
    seconds = (time.hour * 60 + time.minute) * 60 + time.second
    if offset is not None:
        seconds -= offset // datetime.timedelta(seconds=1)
    return f"{'time' if offset is None else 'time-at-'}{seconds}.{time.microsecond}"


_LEAVES: dict[str, Callable[[Any], str]] = {
    "": lambda payload: _digest("s", payload),
    "$bytes": lambda payload: _digest("b", payload),
    "$bytearray": lambda payload: _digest("b", payload),
    "$int": lambda payload: _integer(int(payload, 16)),
    "$str": lambda payload: _digest("s", text_at(payload)),
    "$float": lambda payload: _float(float(payload)),
    "$complex": _complex,
    "$range": _range,
    "$decimal": _decimal,
    "$fraction": _fraction,
    "$datetime": _datetime,
    "$date": lambda payload: f"date{payload}",
    "$time": _time,
    "$timedelta": lambda payload: f"timedelta{'/'.join(map(str, payload))}",
    "$uuid": lambda payload: f"uuid{payload}",
}
