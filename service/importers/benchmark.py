"""Reading a benchmark's file: which benchmark it is shows in the keys of its rows, not in its name."""

import keyword
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from graders.boxed.shared.encoding import EncodingError
from rubrics.input_error import InputError
from service.importers.formats.bigcodebench import bigcodebench
from service.importers.formats.classeval import classeval
from service.importers.formats.contest import apps, livecodebench
from service.importers.formats.humaneval import humaneval, humaneval_pack, humaneval_plus
from service.importers.formats.mbpp import mbpp
from service.importers.formats.mbpp_plus import mbpp_plus
from service.importers.names import defined
from service.importers.package_text import REFERENCE, ImportedTask
from service.importers.rows import rows

AUTO = "auto"
"""Used in place of a format's name: the keys of each row decide its format."""

_Kind = tuple[type, ...]
_TEXT: _Kind = (str,)
_LIST: _Kind = (list,)
_SPOKEN: Mapping[type, str] = {str: "a text", list: "a list", int: "a number"}

_FUNCTION: Mapping[str, _Kind] = {"task_id": _TEXT, "prompt": _TEXT, "entry_point": _TEXT, "canonical_solution": _TEXT}
# One task of MBPP+ has an empty object for "no inputs".
_INPUTS: Mapping[str, _Kind] = {"base_input": _LIST, "plus_input": (list, dict), "atol": (int, float)}


_MAYBE_TEXT: _Kind = (str, type(None))
_ANYTHING: _Kind = (object,)
_ABOUT = frozenset({"contract", "difficulty", "instruction", "docstring", "signature", "declaration", "source", "source_file", "title", "url"})  # fmt: skip
"""Keys of any row that describe the task and change nothing here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """How a benchmark states a task."""

    fields: Mapping[str, _Kind]
    """The keys by which a row is known, and what they hold."""
    more: Mapping[str, _Kind] = field(default_factory=dict)
    """Those that it may have as well. One that is in neither, nor in _ABOUT, might change what is right: it is refused."""
    make: Callable[[Mapping[str, Any]], ImportedTask]
    """Raises InputError, naming the field; the row's place is added here."""


FORMATS: Mapping[str, Format] = {
    "mbpp+": Format(fields={**_FUNCTION, **_INPUTS, "assertion": _TEXT}, more={"test": _TEXT}, make=mbpp_plus),
    "humaneval+": Format(fields={**_FUNCTION, **_INPUTS, "test": _TEXT}, make=humaneval_plus),
    "humanevalpack": Format(
        fields={**_FUNCTION, "test": _TEXT, "buggy_solution": _TEXT},
        more=dict.fromkeys(("text", "example_test", "bug_type", "failure_symptoms", "import", "test_setup"), _TEXT),
        make=humaneval_pack,
    ),
    "bigcodebench": Format(
        fields={
            "task_id": _TEXT, "complete_prompt": _TEXT, "instruct_prompt": _TEXT, "code_prompt": _TEXT,
            "canonical_solution": _TEXT, "test": _TEXT, "entry_point": _TEXT,
        },
        more={"doc_struct": _ANYTHING, "libs": _ANYTHING},
        make=bigcodebench,
    ),
    "humaneval": Format(fields={**_FUNCTION, "test": _TEXT}, make=humaneval),
    "mbpp": Format(
        fields={"task_id": (int, str), "code": _TEXT, "test_list": _LIST},
        more={
            "text": _TEXT, "prompt": _TEXT, "test_setup_code": _TEXT, "test_imports": _LIST, "test": _TEXT, "challenge_test_list": _LIST,
        },
        make=mbpp,
    ),
    "classeval": Format(
        fields={
            "task_id": _TEXT, "class_name": _TEXT, "skeleton": _TEXT, "test": _TEXT, "solution_code": _TEXT,
            "import_statement": _LIST,
        },
        more={
            "class_description": _TEXT, "test_classes": _LIST, "class_constructor": _TEXT, "fields": _LIST, "methods_info": _LIST,
        },
        make=classeval,
    ),
    "livecodebench": Format(
        fields={
            "question_id": (str, int), "question_content": _TEXT, "public_test_cases": (str, list),
            "private_test_cases": (str, list),
        },
        more={
            "question_title": _TEXT, "platform": _TEXT, "contest_id": _ANYTHING, "contest_date": _ANYTHING,
            "starter_code": _MAYBE_TEXT, "metadata": (str, dict, type(None)),
        },
        make=livecodebench,
    ),
    "apps": Format(
        fields={"question": _TEXT, "input_output": (str, dict), "solutions": (str, list)},
        more={
            "starter_code": _MAYBE_TEXT, **dict.fromkeys(("task_id", "problem_id", "id"), (int, str, type(None))),
        },
        make=apps,
    ),
}  # fmt: skip
"""Name -> format. AUTO takes the first one whose keys a row has."""


def raise_it(error: Exception) -> None:
    raise error


def read_benchmark(
    path: Path, format: str = AUTO, on_bad_row: Callable[[InputError], None] = raise_it
) -> Iterator[ImportedTask]:
    """Yield the tasks of a benchmark's file: JSON lines or one JSON array, plain or gzip (recognised by content too).

    The file is read as the tasks are consumed. Raises InputError, naming file and line, for text that is not JSON. For a
    row that is not a task it calls `on_bad_row` and continues if that does not raise.

    Args:
        path: the file.
        format: a key of FORMATS, or AUTO.
        on_bad_row: receives the error of each row that is not a task.
    """
    found = False
    for number, row in rows(path):
        where = f"{path}:{number}"
        try:
            task = _task(row, where, format)
        except InputError as error:
            on_bad_row(error)
            continue
        found = True
        yield task
    if not found:
        raise InputError(str(path), "at least one task")


def _task(row: Any, where: str, name: str) -> ImportedTask:
    if not isinstance(row, dict):
        raise InputError(where, f"an object, not {type(row).__name__}")
    format = _format(row, where, name)
    for key, kind in {**format.fields, **format.more}.items():
        if key in row and not isinstance(row[key], kind):
            raise InputError(f"{where}: {key}", f"{_SPOKEN[kind[0]]}, not {type(row[key]).__name__}")
    try:
        task = replace(format.make(named := _function_named(row)), where=where)
        _check_defined(task, named.get("entry_point"))
    except InputError as error:
        raise InputError(f"{where}: {error.field}", error.expected) from error
    except EncodingError as error:
        raise InputError(f"{where}: inputs", f"values that can be sent into a box ({error})") from error
    known = format.fields.keys() | format.more.keys() | _ABOUT
    if unknown := sorted(key for key in row if key not in known):
        raise InputError(
            f"{where}: {unknown[0]}", f"a key that is known in this form, one of {', '.join(sorted(known))}"
        )
    return task


def _check_defined(task: ImportedTask, entry_point: str | None) -> None:
    if entry_point is None:
        return
    known = defined(task.files[REFERENCE], "canonical_solution")
    if entry_point not in known:
        raise InputError(
            "entry_point", f"a name that the solution defines ({', '.join(sorted(known))}), not {entry_point}"
        )


def _function_named(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the row if its `entry_point` is a function's name and its inputs are calls of it."""
    if "entry_point" not in row:
        return row
    row = {**row, "entry_point": str(row["entry_point"]).strip()}
    if not row["entry_point"].isidentifier() or keyword.iskeyword(row["entry_point"]):
        raise InputError("entry_point", f"the name of a function, not {row['entry_point']!r}")
    if not all(isinstance(arguments, list) for key in ("base_input", "plus_input") for arguments in row.get(key, [])):
        raise InputError("base_input, plus_input", "a list of arguments for each call")
    return row


def _format(row: Mapping[str, Any], where: str, name: str) -> Format:
    asked = FORMATS if name == AUTO else {name: FORMATS[name]}
    for format in asked.values():
        if format.fields.keys() <= row.keys():
            return format
    nearest, format = max(asked.items(), key=lambda item: len(item[1].fields.keys() & row.keys()) / len(item[1].fields))
    missing = ", ".join(sorted(format.fields.keys() - row.keys()))
    if name == AUTO:
        raise InputError(where, f"a task of {', '.join(asked)}; it is nearest to {nearest}, but lacks {missing}")
    raise InputError(where, f"a task of {name}; it lacks {missing}")
