"""The private tests of LiveCodeBench: JSON, or base64 of zlib of a pickle of JSON text.

A pickle is a program, and loading an untrusted one runs it on this machine. So it is never loaded. Its operations are listed,
and the pickle is refused unless they are those of one pickled text and nothing else.
"""

import base64
import binascii
import json
import pickletools
import zlib
from typing import Any

from rubrics.input_error import InputError

MOST_BYTES = 256 * 1024 * 1024
"""Most bytes of the unpacked text. A few kilobytes may unpack to more than all memory."""

_TEXTS = {"UNICODE", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
_BESIDES = {"PROTO", "FRAME", "MEMOIZE", "PUT", "BINPUT", "LONG_BINPUT", "STOP"}
"""Operations around a text in a pickle of any version: none of them imports, calls or builds anything."""


def packed_json(text: str, field: str) -> Any:
    """Return the value of a text that is JSON, or JSON in LiveCodeBench's packing. Raises InputError."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return _json(_pickled_text(_unpacked(text, field), field), field)


def _json(text: str, field: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(field, f"JSON inside of the packed text ({error})") from error


def _unpacked(text: str, field: str) -> bytes:
    try:
        packed = base64.b64decode(text, validate=True)
        stream = zlib.decompressobj()
        content = stream.decompress(packed, MOST_BYTES)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise InputError(field, f"JSON, or base64 of a zlib stream ({error})") from error
    if stream.unconsumed_tail:
        raise InputError(field, f"at most {MOST_BYTES // 1024**2} MiB when it is unpacked")
    if not stream.eof:
        raise InputError(field, "a whole zlib stream; its end is missing")
    return content


def _pickled_text(content: bytes, field: str) -> str:
    found: list[str] = []
    strange = ""
    try:
        for operation, argument, _ in pickletools.genops(content):
            if operation.name in _TEXTS:
                found.append(str(argument))
            elif operation.name not in _BESIDES:
                strange = operation.name
                break
    except (ValueError, OverflowError) as error:
        raise InputError(field, f"a pickle of one text ({error})") from error
    if strange:
        raise InputError(field, f"a pickle of one text and nothing else; it has {strange}, so it is not loaded")
    if len(found) != 1:
        raise InputError(field, f"a pickle of one text, not of {len(found)}")
    return found[0]
