"""Nodes of the encoding that hold no other value: numbers, texts, times. What form each has, looked at without making it. Pure.

A payload is checked in time that grows with its length. Read are only those that cost no more than that: texts, floats,
integers by their hex digits, times by their thirty characters.
"""

import datetime
import re
from collections.abc import Callable
from typing import Any

from graders.boxed.shared.encoding import MAX_INT_BITS, EncodingError, Tree, array, text

MAX_RANGE_BITS = 1024
"""Numbers of a range are smaller: how many there are is a quotient, and dividing takes more than its numbers are long."""

DECIMAL = re.compile(
    r"(?P<sign>-?)(?:(?P<digits>[0-9]++)(?:\.(?P<fraction>[0-9]*+))?(?:E(?P<exponent>[+-]?[0-9]{1,19}))?"
    r"|(?P<special>Infinity|s?NaN[0-9]*+))"
)
"""As Python writes one."""

_DAYS, _DAY_SECONDS, _SECOND_MICROSECONDS = 999_999_999, 86_400, 1_000_000


def text_at(payload: str) -> str:
    """The text of a `$str`. Raises ValueError where it is none."""
    return bytes.fromhex(payload).decode("utf-8", "surrogatepass")


def bytes_at(node: Tree) -> bytes | None:
    """Those of a `$bytes`; None for anything else."""
    if type(node) is not dict or node.keys() != {"$bytes"}:
        return None
    try:
        return bytes.fromhex(_hex(node["$bytes"]))
    except EncodingError:
        return None


def integer_at(node: Tree) -> int:
    """A JSON integer or a `$int`. Raises EncodingError for anything else."""
    if type(node) is int:
        return node
    if type(node) is dict and node.keys() == {"$int"}:
        _integer(node["$int"])
        return int(text(node["$int"]), 16)
    raise EncodingError("expected an integer")


def float_at(node: Tree) -> float:
    """A JSON float or a `$float`. Raises EncodingError for anything else."""
    if type(node) is float:
        return node
    if type(node) is dict and node.keys() == {"$float"}:
        _float(node["$float"])
        return float(text(node["$float"]))
    raise EncodingError("expected a float")


def _matches(pattern: str, what: str) -> Callable[[Any], str]:
    form = re.compile(pattern)

    def check(payload: Any) -> str:
        if not form.fullmatch(text(payload)):
            raise EncodingError(f"expected {what}")
        return text(payload)

    return check


def _read_by(read: Callable[[str], object], check: Callable[[Any], str], what: str) -> Callable[[Any], None]:
    """`check`, and what it lets through can be read."""

    def look(payload: Any) -> None:
        try:
            read(check(payload))
        except EncodingError:
            raise
        except ValueError as error:
            raise EncodingError(f"expected {what}") from error

    return look


def _check_complex(payload: Any) -> None:
    for part in array(payload, 2):
        float_at(part)


def _check_range(payload: Any) -> None:
    numbers = [integer_at(item) for item in array(payload, 3)]
    if numbers[2] == 0 or any(number.bit_length() > MAX_RANGE_BITS for number in numbers):
        raise EncodingError(f"expected a range of integers of at most {MAX_RANGE_BITS} bits")


def _check_fraction(payload: Any) -> None:
    numerator, denominator = array(payload, 2)
    integer_at(numerator)
    if integer_at(denominator) <= 0:
        raise EncodingError("expected a fraction with a denominator greater than 0")


def _check_timedelta(payload: Any) -> None:
    days, seconds, microseconds = array(payload, 3)
    if not (
        all(type(number) is int for number in (days, seconds, microseconds))
        and -_DAYS <= days <= _DAYS
        and 0 <= seconds < _DAY_SECONDS
        and 0 <= microseconds < _SECOND_MICROSECONDS
    ):
        raise EncodingError("expected days, seconds and microseconds")


_integer = _matches(rf"-?0x[0-9a-f]{{1,{MAX_INT_BITS // 4}}}", f"an integer of at most {MAX_INT_BITS} bits")
_float = _matches("nan|inf|-inf", "nan, inf or -inf")
_hex = _matches("(?:[0-9a-f]{2})*+", "hex digits, two for a byte")
_DATE = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_TIME = r"[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{6})?(?:[+-][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{6})?)?)?"

CHECKS: dict[str, Callable[[Any], object]] = {
    "$bytes": _hex,
    "$bytearray": _hex,
    "$int": _integer,
    "$str": _read_by(text_at, _hex, "hex digits of UTF-8"),
    "$float": _float,
    "$complex": _check_complex,
    "$range": _check_range,
    "$decimal": _matches(DECIMAL.pattern, "a decimal number"),
    "$fraction": _check_fraction,
    "$datetime": _read_by(
        datetime.datetime.fromisoformat, _matches(f"{_DATE}T{_TIME}", "a date and time"), "a date and time"
    ),
    "$date": _read_by(datetime.date.fromisoformat, _matches(_DATE, "a date"), "a date"),
    "$time": _read_by(datetime.time.fromisoformat, _matches(_TIME, "a time"), "a time"),
    "$timedelta": _check_timedelta,
    "$uuid": _matches("[0-9a-f]{32}", "32 hex digits"),
}
"""Key -> what raises EncodingError for a payload that is none of its."""
