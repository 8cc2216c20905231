"""Reading a benchmark's file: which benchmark it is shows in the keys of its rows, not in its name."""

import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from graders.encoding import EncodingError
from service.importers.humaneval import humaneval, humaneval_plus
from service.importers.mbpp_plus import mbpp_plus
from service.importers.package_text import FormatError, ImportedTask

_Kind = tuple[type, ...]
_TEXT: _Kind = (str,)
_COMMON: Mapping[str, _Kind] = {"task_id": _TEXT, "prompt": _TEXT, "entry_point": _TEXT, "canonical_solution": _TEXT}
# One task of MBPP+ has an empty object for "no inputs".
_INPUTS: Mapping[str, _Kind] = {"base_input": (list,), "plus_input": (list, dict), "atol": (int, float)}
_SPOKEN: Mapping[type, str] = {str: "a text", list: "a list", int: "a number"}

_Format = tuple[Mapping[str, _Kind], Callable[[Mapping[str, Any]], ImportedTask]]
_FORMATS: tuple[_Format, ...] = (
    ({**_COMMON, **_INPUTS, "assertion": _TEXT}, mbpp_plus),
    ({**_COMMON, **_INPUTS, "test": _TEXT}, humaneval_plus),
    ({**_COMMON, "test": _TEXT}, humaneval),
)
"""The first whose fields a row has says what it is."""


def read_benchmark(path: Path) -> Iterator[ImportedTask]:
    """The tasks of a HumanEval, HumanEval+ or MBPP+ file, `.jsonl` or `.jsonl.gz` (seen by content, too).

    Raises FormatError, naming file and line. The file is read as the tasks are asked for.
    """
    seen: dict[str, int] = {}
    for number, line in json_lines(path):
        where = f"{path}:{number}"
        task = _task(line, where)
        if task.id in seen:
            raise FormatError(f"{where}: task_id", f"an id of its own; line {seen[task.id]} has {task.id!r} too")
        seen[task.id] = number
        yield task
    if not seen:
        raise FormatError(str(path), "at least one task")


def json_lines(path: Path) -> Iterator[tuple[int, Any]]:
    """Number and value of each line that is not empty. Raises FormatError for what is no JSON, or no UTF-8 text."""
    number = 0
    try:
        with path.open("rb") as raw:
            compressed = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path) if compressed else path.open("rb") as lines:
            for number, line in enumerate(lines, start=1):
                if line.strip():
                    yield number, json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
    except (UnicodeDecodeError, RecursionError, json.JSONDecodeError) as error:
        raise FormatError(f"{path}:{number}", f"a JSON value on one line, in UTF-8 ({error})") from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise FormatError(f"{path}: after line {number}", f"a whole gzip file ({error})") from error
    except OSError as error:
        raise FormatError(str(path), f"a file that can be read ({error.strerror or error})") from error


def _task(row: Any, where: str) -> ImportedTask:
    if not isinstance(row, dict):
        raise FormatError(where, f"an object, not {type(row).__name__}")
    fields, make = _format(row, where)
    for field, kind in fields.items():
        if not isinstance(row[field], kind):
            raise FormatError(f"{where}: {field}", f"{_SPOKEN[kind[0]]}, not {type(row[field]).__name__}")
    row = {**row, "entry_point": row["entry_point"].strip()}
    if not row["entry_point"].isidentifier():
        raise FormatError(f"{where}: entry_point", f"the name of a function, not {row['entry_point']!r}")
    if not all(isinstance(arguments, list) for key in ("base_input", "plus_input") for arguments in row.get(key, [])):
        raise FormatError(f"{where}: base_input, plus_input", "a list of arguments for each call")
    try:
        return make(row)
    except FormatError as error:
        raise FormatError(f"{where}: {error.where}", error.expected) from error
    except EncodingError as error:
        raise FormatError(
            f"{where}: base_input, plus_input", f"values that can be sent into a box ({error})"
        ) from error


def _format(row: Mapping[str, Any], where: str) -> _Format:
    for fields, make in _FORMATS:
        if fields.keys() <= row.keys():
            return fields, make
    missing = sorted({*_COMMON, "test"} - row.keys())
    raise FormatError(where, f"a task of HumanEval, HumanEval+ or MBPP+; it has no {', '.join(missing)}")
