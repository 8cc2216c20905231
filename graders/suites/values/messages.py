"""What a box said, taken apart on the host: whatever it is, the time and memory of reading it grow with its length only. Pure.

Once a submission has had a word in a message, nothing in it can be an exception of ours: what is no JSON is refused, and
what is no text or number where one belongs is read as none.
"""

import re
from collections.abc import Mapping

from graders.boxed.shared.encoding import EncodingError, Tree, parse

SHOWN_CHARACTERS = 2000
"""Of a text that a box wrote, as people are shown it."""
MAX_CONTAINERS = 1_000_000
"""Arrays and objects in a message. Each is three bytes there, and up to two hundred once it is read."""

_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)', re.DOTALL)


def read(message: bytes) -> Tree:
    """The tree that a message from a box is. Raises EncodingError for what is no JSON, or has more than MAX_CONTAINERS."""
    if _openings(message) > MAX_CONTAINERS and _openings(_STRING.sub(b"", message)) > MAX_CONTAINERS:
        raise EncodingError(f"more than {MAX_CONTAINERS} containers")
    return parse(message)


def _openings(message: bytes) -> int:
    return message.count(b"[") + message.count(b"{")


def text_of(value: object, most: int = SHOWN_CHARACTERS) -> str:
    """The beginning of a text, as UTF-8 can hold it; empty where the value is no text."""
    if not isinstance(value, str):
        return ""
    start = value[:most]
    try:
        start.encode()
    except UnicodeEncodeError:  # lone surrogates, which neither a database nor a page takes
        start = start.encode("utf-8", "backslashreplace").decode()[:most]
    return start


def texts_of(value: object, most: int = SHOWN_CHARACTERS, count: int | None = None) -> tuple[str, ...]:
    """The texts in an array, `count` at most, each cut as by `text_of`; none where the value is no array."""
    items = value[:count] if isinstance(value, list) else ()
    return tuple(text_of(item, most) for item in items if isinstance(item, str))


def number_of(value: object) -> float | None:
    """A number from 0 to 1e15; None where the value is nothing of the kind."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e15:
        return None
    return float(value)


def object_of(value: object) -> Mapping[str, object]:
    """The JSON object; an empty one where the value is none."""
    return value if isinstance(value, dict) else {}
