"""The rows of a benchmark's file: a JSON value a line, or one JSON array; packed with gzip or not (seen by content)."""

import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rubrics.input_error import InputError

Row = tuple[int, Any]
"""The line on which a value begins, from 1, and the value."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a file of JSON lines, or the elements of its one array. Raises InputError.

    A file of lines is read as its rows are consumed; an array is read as a whole.
    """
    return _elements(path) if _is_array(path) else json_lines(path)


def count(path: Path) -> int:
    """Return the number of rows, for a progress bar. Raises InputError."""
    if _is_array(path):
        return sum(1 for _ in _elements(path))
    number = [0]
    with _told(path, number), _opened(path) as lines:
        return sum(1 for line in lines if line.strip())


def json_lines(path: Path) -> Iterator[Row]:
    """Yield number and value of each line that is not empty. Raises InputError for a line that is not JSON or not UTF-8."""
    for number, value in lines_one_by_one(path):
        if isinstance(value, InputError):
            raise value
        yield number, value


def lines_one_by_one(path: Path) -> Iterator[tuple[int, Any | InputError]]:
    """Yield the same, with an InputError in place of each value that cannot be read.

    Raises InputError if the file itself cannot be read.
    """
    number = [0]
    with _told(path, number), _opened(path) as lines:
        for number[0], line in enumerate(lines, start=1):
            if line.strip():
                yield number[0], _value(line, path, number)


def _value(line: bytes, path: Path, number: list[int]) -> Any | InputError:
    try:
        with _told(path, number):
            text = line.decode("utf-8-sig" if number[0] == 1 else "utf-8")
            return json.loads(text, object_pairs_hook=each_key_once)
    except InputError as error:
        return error


def each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object. Raises ValueError if a key occurs twice: one value would be dropped silently."""
    found = dict(pairs)
    if len(found) < len(pairs):
        [(twice, _)] = Counter(key for key, _ in pairs).most_common(1)
        raise ValueError(f"the key {twice!r:.80} is there twice")
    return found


def _is_array(path: Path) -> bool:
    with _told(path, [0]), _opened(path) as lines:
        return next((line for line in lines if line.strip()), b"").removeprefix(_BYTE_ORDER_MARK).lstrip()[:1] == b"["


def _elements(path: Path) -> Iterator[Row]:
    number = [1]
    with _told(path, number):
        with _opened(path) as lines:
            text = lines.read().decode("utf-8-sig")
        decoder = json.JSONDecoder(object_pairs_hook=each_key_once)
        at = _skipped(text, text.index("[") + 1, "")
        counted = 0
        while not text.startswith("]", at):
            number[0] += text.count("\n", counted, at)
            counted = at
            value, at = decoder.raw_decode(text, at)
            yield number[0], value
            at = _skipped(text, at, ",")
        if text[at + 1 :].strip():
            raise InputError(f"{path}:{text.count(chr(10), 0, at + 1) + 1}", "nothing after the end of the array")


def _skipped(text: str, at: int, separator: str) -> int:
    """Return the position of the next element, or of the end of the array."""
    while text[at : at + 1].isspace():
        at += 1
    if not separator or text.startswith("]", at):
        return at
    if not text.startswith(separator, at):
        raise json.JSONDecodeError("Expecting ',' or ']'", text, at)
    return _skipped(text, at + 1, "")


@contextmanager
def _opened(path: Path) -> "Iterator[gzip.GzipFile | Any]":
    with path.open("rb") as raw:
        packed = raw.read(2) == b"\x1f\x8b"
        raw.seek(0)
        if not packed:
            yield raw
            return
        with gzip.open(raw) as unpacked:
            yield unpacked


@contextmanager
def _told(path: Path, number: list[int]) -> Iterator[None]:
    """Turn an error of this block into an InputError at the line whose number is in `number`."""
    try:
        yield
    except InputError:
        raise
    except (ValueError, RecursionError) as error:  # ValueError also for a number of too many digits
        raise InputError(
            f"{path}:{number[0]}", f"a JSON value on one line, or one array, in UTF-8 ({error})"
        ) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise InputError(f"{path}: after line {number[0]}", f"a whole gzip file ({error})") from error
    except OSError as error:
        raise InputError(str(path), f"a file that can be read ({error.strerror or error})") from error
