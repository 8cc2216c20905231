"""A task package put together from parts, as path -> text. docs/reference/task-package.md is the format."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from graders.encoding import to_json
from sandboxes.interface import Limits

REFERENCE = "submissions/accepted/reference.py"

GENEROUS = Limits(wall_seconds=60, cpu_seconds=60, memory_mib=1024)
"""For a thousand inputs: what evalplus allows one solution for all of them, so that nothing it accepts is cut off here."""


class FormatError(ValueError):
    """A file is not what it should be.

    Args:
        where: `file:line` or a field of it.
        expected: what should have been there.
    """

    def __init__(self, where: str, expected: str) -> None:
        super().__init__(f"{where}: expected {expected}")
        self.where = where
        self.expected = expected


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTask:
    """A task of a benchmark."""

    id: str
    files: Mapping[str, str]
    """The task package."""
    completed_prompt: str | None
    """What a sample's `completion` is appended to; None where the task takes whole programs only."""
    entry_file: str = "solution.py"


def call_suite(
    *, entry_point: str, inputs: Iterable[Iterable[object]], options: Mapping[str, object], predicate: str = ""
) -> tuple[str, dict[str, str]]:
    """The [[suite]] table, and the files, of a `call` suite whose answers are the reference's.

    Args:
        entry_point: the function to call.
        inputs: the positional arguments of each call.
        options: checker and what belongs to it.
        predicate: the text of a predicate checker's file; empty for the other checkers.
    """
    lines = (json.dumps({"args": [to_json(argument) for argument in arguments]}) for arguments in inputs)
    files = {"hidden/cases.jsonl": "".join(f"{line}\n" for line in lines)}
    if predicate:
        files["hidden/accepts.py"] = predicate
    table = {"id": "hidden", "kind": "call", "files": ["hidden/*"], "entry_point": entry_point, **options}
    return _toml_table("[[suite]]", table), files


def pytest_suite(test_file: str) -> tuple[str, dict[str, str]]:
    """The [[suite]] table, and the files, of a `pytest` suite of one test file."""
    table = {"id": "hidden", "kind": "pytest", "files": ["hidden/*"]}
    return _toml_table("[[suite]]", table), {"hidden/test_hidden.py": test_file}


def package(
    *, id: str, title: str, prompt: str, reference: str, suite: tuple[str, Mapping[str, str]]
) -> dict[str, str]:
    """A task package of one suite, with the limits of GENEROUS."""
    table, suite_files = suite
    limits = {
        "wall_seconds": GENEROUS.wall_seconds,
        "cpu_seconds": GENEROUS.cpu_seconds,
        "memory_mib": GENEROUS.memory_mib,
    }
    parts = (
        _toml_table("", {"id": id, "title": title, "reference": REFERENCE}),
        _toml_table("[limits]", limits),
        table,
    )
    return {"task.toml": "\n".join(parts), "prompt.md": prompt, REFERENCE: reference, **suite_files}


def fenced(code: str) -> str:
    """Python code as a fenced block of Markdown, whatever backquotes it holds."""
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}python\n{code.strip(chr(10))}\n{fence}\n"


def _toml_table(header: str, values: Mapping[str, object]) -> str:
    lines = [header] if header else []
    lines += [f"{key} = {_toml_value(value)}" for key, value in values.items()]
    return "".join(f"{line}\n" for line in lines)


def _toml_value(value: object) -> str:
    """Strings, numbers and lists of strings: JSON's form is TOML's, but for DEL, which TOML wants escaped."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
