"""The samples of `assay eval`: one JSON object a line, all read and checked before anything is sent.

A bad line does not affect the others: it is reported as `LeftOut` beside the samples.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rubrics.input_error import InputError
from service.importers.rows import lines_one_by_one

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
    """The continuation of the task's prompt."""
    files: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A line that is not evaluated."""

    error: InputError
    """Line, field and what was expected there."""
    id: str = ""
    """The line's id, if no sample has it too."""
    task_id: str = ""
    """The task that the line names, if any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Samples:
    """A file of samples."""

    good: tuple[Sample, ...]
    left_out: tuple[LeftOut, ...]


def read_samples(path: Path) -> Samples:
    """Return all samples of a file in order. Unknown keys are ignored, because other tools add their own.

    A sample without an id gets one from its task and its text, so that every reading makes the same id; the second of two
    equal samples gets `-2` at its end. If two lines have one id, it belongs to the first.

    Raises:
        InputError: if the file cannot be read, or has no lines.
    """
    samples: dict[str, Sample] = {}
    left_out: list[LeftOut] = []
    made: Counter[str] = Counter()
    for number, row in lines_one_by_one(path):
        try:
            sample = _sample(row, f"{path}:{number}", made, samples)
            samples[sample.id] = sample
        except InputError as error:
            left_out.append(LeftOut(error=error, id=_own(row, "id"), task_id=_own(row, "task_id")))
    if not samples and not left_out:
        raise InputError(str(path), "at least one sample")
    return Samples(good=tuple(samples.values()), left_out=tuple(_with_own_ids(left_out, samples)))


def read_solutions(path: Path) -> dict[str, str]:
    """Return task id -> program from a file of samples, one for each task. Raises InputError for the first bad one."""
    solutions: dict[str, str] = {}
    samples = read_samples(path)
    for line in samples.left_out:
        raise line.error
    for sample in samples.good:
        if sample.solution is None:
            raise InputError(f"{sample.where}: solution", "a whole program, known to be right")
        if sample.task_id in solutions:
            raise InputError(f"{sample.where}: task_id", f"one solution for {sample.task_id}, not two")
        solutions[sample.task_id] = sample.solution
    return solutions


def _sample(row: Any | InputError, where: str, made: Counter[str], before: Mapping[str, Sample]) -> Sample:
    if isinstance(row, InputError):
        raise row
    if not isinstance(row, dict):
        raise InputError(where, f"an object, not {type(row).__name__}")
    task_id = _text(row, "task_id", where)
    given = [key for key in _BODIES if row.get(key) is not None]
    if len(given) != 1:
        raise InputError(where, f"one of {', '.join(_BODIES)}; it has {' and '.join(given) or 'none of them'}")
    [key] = given
    if key == "files":
        _check_files(row["files"], where)
    elif not isinstance(row[key], str):
        raise InputError(f"{where}: {key}", f"a text, not {type(row[key]).__name__}")
    id = _text(row, "id", where) if row.get("id") is not None else _made_id(task_id, row[key], made)
    if id in before:
        raise InputError(f"{where}: id", f"an id of its own; {before[id].where} has {id!r} too")
    return Sample(id=id, task_id=task_id, where=where, **{key: row[key]})


def _text(row: Mapping[str, Any], key: str, where: str) -> str:
    value = row.get(key)
    if not _is_label(value):
        shown = ascii(value[:80]) if isinstance(value, str) else type(value).__name__
        raise InputError(f"{where}: {key}", f"a text of 1 to 200 printable characters, not {shown}")
    return str(value)


def _is_label(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= 200 and value.isprintable()


def _own(row: object, key: str) -> str:
    """Return this field of any JSON value if it is a label, else an empty text."""
    value = row.get(key) if isinstance(row, dict) else None
    return str(value) if _is_label(value) else ""


def _with_own_ids(left_out: list[LeftOut], samples: Mapping[str, Sample]) -> list[LeftOut]:
    """Return the lines, without ids that a sample or an earlier line has too."""
    taken = {"", *samples}
    own = []
    for line in left_out:
        own.append(line if line.id not in taken else LeftOut(error=line.error, task_id=line.task_id))
        taken.add(line.id)
    return own


def _check_files(files: Any, where: str) -> None:
    if not isinstance(files, dict):
        raise InputError(f"{where}: files", f"an object of path and text, not {type(files).__name__}")
    for path, text in files.items():
        if not isinstance(text, str):
            raise InputError(f"{where}: files.{ascii(path)[1:-1][:200]}", f"a text, not {type(text).__name__}")


def _made_id(task_id: str, body: object, made: Counter[str]) -> str:
    digest = hashlib.sha256(json.dumps([task_id, body], sort_keys=True).encode()).hexdigest()[:12]
    # The task's id may take the 200 characters that an id may have, so it is shortened here.
    id = f"{task_id[:180]}#{digest}"
    made[id] += 1
    return id if made[id] == 1 else f"{id}-{made[id]}"
