"""A task package put together from parts, as path -> text. docs/reference/task-package.md is the format."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from graders.boxed.shared.encoding import to_json
from rubrics.input_error import InputError

REFERENCE = "submissions/accepted/reference.py"
PRELUDE = "prelude.py"

GENEROUS: Mapping[str, object] = {"wall_seconds": 240, "cpu_seconds": 60, "memory_mib": 1024}
"""Limits for a thousand inputs: what evalplus allows one solution for all of them, so that all it accepts passes here too.

The wall time is four times the CPU time, because an honest program on a busy machine waits for its CPU.
"""
TEST_SECONDS = 120
"""Wall time of a test that holds all asserts of a task; an endless one ends by its CPU time before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTask:
    """A task of a benchmark."""

    id: str
    files: Mapping[str, str]
    """The task package. It lacks REFERENCE if the benchmark does not have a solution; see `with_reference`."""
    completed_prompt: str | None = None
    """Text that a sample's `completion` is appended to; None if the task takes whole programs only."""
    entry_file: str = "solution.py"
    where: str = ""
    """`file:line`, or a folder, for messages."""
    notes: tuple[str, ...] = ()
    """Notes for the author: what was left out or changed, a sentence each."""

    @property
    def needs_reference(self) -> bool:
        """True if the benchmark does not have a solution of this task; its package does not load then."""
        return not any(path.startswith("submissions/accepted/") for path in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteText:
    """A suite as a package states it."""

    kind: str
    table: str
    """Its [[suite]] table."""
    files: Mapping[str, str]


def call_suite(
    *,
    entry_point: str,
    inputs: Iterable[Iterable[object]],
    options: Mapping[str, object],
    predicate: str = "",
    answers: Iterable[object] | None = None,
) -> SuiteText:
    """Return a `call` suite.

    Args:
        entry_point: the function to call.
        inputs: the positional arguments of each call.
        options: the checker and its options.
        predicate: the text of a predicate checker's file; empty for the other checkers.
        answers: the expected answer of each call; if None, what the reference returns.
    """
    files = {"hidden/cases.jsonl": call_cases(inputs, answers)}
    if predicate:
        files["hidden/accepts.py"] = predicate
    return _suite("call", {"entry_point": entry_point, **options}, files)


def call_cases(inputs: Iterable[Iterable[object]], answers: Iterable[object] | None = None) -> str:
    """Return the cases of a `call` suite, a line each."""
    rows: list[dict[str, object]] = [{"args": [to_json(argument) for argument in arguments]} for arguments in inputs]
    if answers is not None:
        rows = [{**row, "expected": to_json(answer)} for row, answer in zip(rows, answers, strict=True)]
    return _lines(rows)


def stdio_suite(
    cases: Iterable[Mapping[str, object]], options: Mapping[str, object], programs: Mapping[str, str] | None = None
) -> SuiteText:
    """Return a `stdio` suite of cases in the form of graders/suites/stdio/cases.py; `programs`: its checker or interactor."""
    return _suite("stdio", options, {"hidden/cases.jsonl": _lines(cases), **(programs or {})})


def pytest_suite(
    test_file: str, options: Mapping[str, object] | None = None, more: Mapping[str, str] | None = None
) -> SuiteText:
    """Return a `pytest` suite of one test file, and `more` files that it reads."""
    return _suite("pytest", options or {}, {"hidden/test_hidden.py": test_file, **(more or {})})


def _suite(kind: str, options: Mapping[str, object], files: Mapping[str, str]) -> SuiteText:
    table = {"id": "hidden", "kind": kind, "files": ["hidden/*"], **options}
    return SuiteText(kind=kind, table=_toml_table("[[suite]]", table), files=files)


def _lines(rows: Iterable[Mapping[str, object]]) -> str:
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def package(
    *,
    id: str,
    title: str,
    prompt: str,
    suite: SuiteText,
    submissions: Mapping[str, str],
    visible: Mapping[str, str] | None = None,
    reference: str = REFERENCE,
    limits: Mapping[str, object] = GENEROUS,
    prelude: str = "",
) -> dict[str, str]:
    """Return a task package of one suite.

    Args:
        id: of the task.
        title: of the task; not empty.
        prompt: the text for the model.
        suite: the hidden cases.
        submissions: path -> text; the reference is among them unless the benchmark lacks one.
        visible: path -> text of the examples that the model is shown.
        reference: the path of a solution known to be right.
        limits: limits of one submission for all cases, or in a `stdio` suite for one.
        prelude: code that runs before each submission.
    """
    parts = (
        _toml_table("", {"id": id, "title": title, "reference": reference} | ({"prelude": PRELUDE} if prelude else {})),
        _toml_table("[limits]", limits),
        suite.table,
    )
    before = {PRELUDE: prelude} if prelude else {}
    return {
        "task.toml": "\n".join(parts),
        "prompt.md": prompt,
        **before,
        **suite.files,
        **(visible or {}),
        **submissions,
    }


def with_reference(task: ImportedTask, solutions: Mapping[str, str]) -> ImportedTask:
    """Return the task; if its benchmark lacks a solution, with the one from `solutions` (task id -> program).

    Raises InputError if `solutions` lacks it too.
    """
    if not task.needs_reference:
        return task
    if task.id not in solutions:
        raise InputError(
            task.where,
            f"a solution of {task.id} that is known to be right: its benchmark has none, `assay tasks import "
            "--solutions FILE` takes it",
        )
    return replace(task, files={**task.files, REFERENCE: solutions[task.id]})


def fenced(code: str) -> str:
    """Return Python code as a fenced block of Markdown; the fence is longer than any backquotes in the code."""
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}python\n{code.strip(chr(10))}\n{fence}\n"


def _toml_table(header: str, values: Mapping[str, object]) -> str:
    lines = [header] if header else []
    lines += [f"{key} = {_toml_value(value)}" for key, value in values.items()]
    return "".join(f"{line}\n" for line in lines)


def _toml_value(value: object) -> str:
    """Return strings, numbers and lists of strings in TOML. JSON's form is valid there, except that DEL has to be escaped."""
    if isinstance(value, Mapping):
        return f"{{ {', '.join(f'{_toml_value(key)} = {_toml_value(item)}' for key, item in value.items())} }}"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
