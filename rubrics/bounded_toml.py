"""Untrusted TOML, read in time and memory proportional to its size.

`tomllib` takes time and memory by the square of a dotted key's length (17 GiB for 200 KB), and a stack frame for each nested
bracket. So the text is scanned first for its length, the parts of its keys and the depth of its brackets. The scan skips
strings and comments as TOML defines them. If it ever reads a text differently from `tomllib`, `tomllib` refuses that text
before it reaches the skipped part.

    TomlError               the text is not TOML, or exceeds the limits
"""

import re
import tomllib
from typing import Any

MOST_BYTES = 64 * 1024
MOST_PARTS = 8
"""Most parts of a dotted key or of a table's name."""
MOST_DEPTH = 8
"""Most nested arrays and inline tables."""
_LARGEST = 2**63
"""TOML's integers have 64 bits."""

_TOKEN = re.compile(
    r'''
      (?P<text> """ (?: [^"\\] | \\[\s\S] | "{1,2}(?!") )*+ "{3,5}
              | \'\'\' (?: [^'] | '{1,2}(?!') )*+ '{3,5}
              | " (?: [^"\\\n] | \\. )*+ "
              | ' [^'\n]*+ ' )
    | (?P<other> [ \t\r]++ | \#[^\n]*+ | [^\s"'\#.=,\[\]{}]++ )
    | (?P<mark> [.=,\[\]{}\n] | [^\S\n] )
    ''',
    re.VERBOSE,
)


class TomlError(ValueError):
    """The text is not TOML, or exceeds the limits. Has the line if it is known: `... (at line 3, column 1)`."""


def loads(text: str) -> dict[str, Any]:
    """Return the same as `tomllib.loads`. Raises TomlError."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MOST_BYTES:
        raise TomlError(f"it may have {MOST_BYTES // 1024} KiB, not {size / 1024:.1f}")
    _look(text)
    try:
        parsed = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: no TOML, or a number of more digits than Python reads
        raise TomlError(str(error)) from error
    _check_numbers(parsed)
    return parsed


def _look(text: str) -> None:
    """Raise TomlError if a key has too many parts or brackets are nested too deep."""
    parts, depth, at = 1, 0, 0
    while at < len(text):
        token = _TOKEN.match(text, at)
        if token is None:
            raise TomlError(f"a string does not end {_place(text, at)}")
        mark = token["mark"]
        if mark == ".":
            parts += 1
        elif mark is not None:
            parts = 1
            depth = max(0, depth + (mark in "[{") - (mark in "]}"))
        if parts > MOST_PARTS:
            raise TomlError(f"a key may have {MOST_PARTS} parts {_place(text, at)}")
        if depth > MOST_DEPTH:
            raise TomlError(f"brackets may be {MOST_DEPTH} deep {_place(text, at)}")
        at = token.end()


def _place(text: str, at: int) -> str:
    return f"(at line {text.count(chr(10), 0, at) + 1}, column {at - text.rfind(chr(10), 0, at)})"


def _check_numbers(value: object) -> None:
    waiting = [("", value)]
    while waiting:
        name, each = waiting.pop()
        if isinstance(each, dict):
            waiting.extend(each.items())
        elif isinstance(each, list):
            waiting.extend((name, item) for item in each)
        elif isinstance(each, int) and not -_LARGEST <= each < _LARGEST:
            raise TomlError(f"{name}: an integer has 64 bits, not {each.bit_length()}")
