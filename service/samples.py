"""The samples of `assay eval`: a JSON object a line, read and checked as a whole before anything is sent."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from service.importers.package_text import FormatError
from service.importers.rows import json_lines

_BODIES = ("solution", "completion", "files")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One response to one task, of which one of `solution`, `completion` and `files` is set."""

    id: str
    task_id: str
    where: str
    """`file:line`, for messages."""
    solution: str | None = None
    """A whole program."""
    completion: str | None = None
    """What comes after the task's prompt."""
    files: Mapping[str, str] | None = None


def read_samples(path: Path) -> tuple[Sample, ...]:
    """All samples of a file, in its order. Keys beside those of `Sample` are left alone: other tools have their own.

    A sample without an id gets one made of its task and its text, so that it is the same at every reading; the second
    of two equal ones gets `-2` at its end.

    Raises:
        FormatError: naming line and field, for the first line that is no sample, or an id that occurs twice.
    """
    samples: dict[str, Sample] = {}
    made: Counter[str] = Counter()
    for number, row in json_lines(path):
        where = f"{path}:{number}"
        sample = _sample(row, where, made)
        if sample.id in samples:
            raise FormatError(f"{where}: id", f"an id of its own; {samples[sample.id].where} has {sample.id!r} too")
        samples[sample.id] = sample
    if not samples:
        raise FormatError(str(path), "at least one sample")
    return tuple(samples.values())


def read_solutions(path: Path) -> dict[str, str]:
    """Task id -> program, from a file of samples, a program for each task. Raises FormatError."""
    solutions: dict[str, str] = {}
    for sample in read_samples(path):
        if sample.solution is None:
            raise FormatError(f"{sample.where}: solution", "a whole program, known to be right")
        if sample.task_id in solutions:
            raise FormatError(f"{sample.where}: task_id", f"one solution for {sample.task_id}, not two")
        solutions[sample.task_id] = sample.solution
    return solutions


def _sample(row: Any, where: str, made: Counter[str]) -> Sample:
    if not isinstance(row, dict):
        raise FormatError(where, f"an object, not {type(row).__name__}")
    task_id = _text(row, "task_id", where)
    given = [key for key in _BODIES if row.get(key) is not None]
    if len(given) != 1:
        raise FormatError(where, f"one of {', '.join(_BODIES)}; it has {' and '.join(given) or 'none of them'}")
    [key] = given
    if key == "files":
        _check_files(row["files"], where)
    elif not isinstance(row[key], str):
        raise FormatError(f"{where}: {key}", f"a text, not {type(row[key]).__name__}")
    id = _text(row, "id", where) if row.get("id") is not None else _made_id(task_id, row[key], made)
    return Sample(id=id, task_id=task_id, where=where, **{key: row[key]})


def _text(row: Mapping[str, Any], key: str, where: str) -> str:
    value = row.get(key)
    if not isinstance(value, str) or not value.strip() or len(value) > 200 or not value.isprintable():
        raise FormatError(f"{where}: {key}", f"a text of 1 to 200 printable characters, not {value!r:.80}")
    return value


def _check_files(files: Any, where: str) -> None:
    if not isinstance(files, dict) or not files:
        raise FormatError(f"{where}: files", "an object of path and text, with at least one file")
    for path, text in files.items():
        if not isinstance(text, str):
            raise FormatError(f"{where}: files.{path}", f"a text, not {type(text).__name__}")


def _made_id(task_id: str, body: object, made: Counter[str]) -> str:
    digest = hashlib.sha256(json.dumps([task_id, body], sort_keys=True).encode()).hexdigest()[:12]
    # The task's id may take the 200 characters that an id may have, so it is shortened here.
    id = f"{task_id[:180]}#{digest}"
    made[id] += 1
    return id if made[id] == 1 else f"{id}-{made[id]}"
