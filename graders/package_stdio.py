"""What a `stdio` suite of a task package may state, and the files that hold its cases. Pure.

hidden/NAME.in, hidden/NAME.ans (or .out)       a case each; in the folder of a group, it is of that group
hidden/CASES.jsonl                              {"id", "input", "output", "weight", "group"} a line
"""

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from graders import fields
from graders.fields import PackageError

KEYS = frozenset({
    "checker", "absolute", "relative", "case_sensitive", "checker_file", "interactor_file", "command", "seconds",
})  # fmt: skip
CHECKERS = ("tokens", "exact", "float", "any-of", "program")
SUFFIXES = (".in", ".ans", ".out")

_CASE_KEYS = frozenset({"id", "input", "output", "weight", "group"})


def check(options: Mapping[str, Any], own: Mapping[str, str], field: str) -> list[tuple[str, str]]:
    """Where each case stands, and its group (`` for none). Raises PackageError."""
    interactive = "interactor_file" in options
    checker = fields.one_of(options.get("checker", "tokens"), f"{field}.checker", CHECKERS)
    if interactive and "checker" in options:
        raise PackageError(f"{field}.checker", "no checker beside an interactor_file, which gives the verdict")
    fields.check_tolerance(options, checker, field)
    fields.true_or_false(options.get("case_sensitive", True), f"{field}.case_sensitive")
    if "case_sensitive" in options and checker in ("exact", "program"):
        raise PackageError(f"{field}.case_sensitive", f'checker = "tokens", "float" or "any-of", not {checker!r}')
    if "command" in options:
        fields.texts(options["command"], f"{field}.command", '["python3", "solution.py"]')
    programs = {_program(options, key, own, field) for key in ("checker_file", "interactor_file") if key in options}
    if (checker == "program") != ("checker_file" in options):
        raise PackageError(f"{field}.checker_file", 'a Python file of this suite with checker = "program", else none')
    for path in own:
        if path not in programs and not path.endswith((*SUFFIXES, ".jsonl")):
            raise PackageError(path, "NAME.in, NAME.ans, NAME.out, a .jsonl file with cases, or the suite's program")
    needs_answer = not interactive and checker != "program"
    groups = options.get("groups", {})
    # A case that is a file cannot name its group: its folder does.
    folders = ((path, PurePosixPath(path).parent.name) for path in paired(own, needs_answer=needs_answer))
    named = [(path, folder if folder in groups else "") for path, folder in folders]
    for path, text in own.items():
        if path.endswith(".jsonl"):
            named += _lines(path, text, checker, needs_answer=needs_answer)
    if not named:
        raise PackageError(f"{field}.files", "at least one case: NAME.in with NAME.ans, or a line of a .jsonl file")
    return named


def _program(options: Mapping[str, Any], key: str, own: Mapping[str, str], field: str) -> str:
    path = fields.text(options[key], f"{field}.{key}")
    if path not in own or not path.endswith(".py"):
        raise PackageError(f"{field}.{key}", f"a .py file among this suite's `files`, not {path!r}")
    fields.parsed(path, own[path])
    return path


def paired(files: Mapping[str, str], *, needs_answer: bool) -> list[str]:
    """The NAME.in among these files, each with its one answer. Raises PackageError."""
    stems = {path.rpartition(".")[0] for path in files if path.endswith(".in")}
    answers = [path for path in files if path.endswith((".ans", ".out"))]
    for path in answers:
        if path.rpartition(".")[0] not in stems:
            raise PackageError(path, f"{path.rpartition('.')[0]}.in beside it")
    answered = [path.rpartition(".")[0] for path in answers]
    for stem in sorted(stems):
        if answered.count(stem) > 1 or (needs_answer and stem not in answered):
            raise PackageError(f"{stem}.in", f"one answer beside it, {stem}.ans or {stem}.out")
    return [f"{stem}.in" for stem in sorted(stems)]


def _lines(path: str, text: str, checker: str, *, needs_answer: bool) -> list[tuple[str, str]]:
    """Where each case of a .jsonl file stands, and its group."""
    named: list[tuple[str, str]] = []
    ids = set()
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        row = _row(line, where)
        if not isinstance(row.get("input"), str):
            raise PackageError(where, "a text in `input`")
        if "output" in row or needs_answer:
            _check_output(row.get("output"), checker, where)
        id = fields.text(row.get("id", f"line-{number}"), where)
        if id in ids:
            raise PackageError(where, f"an id that no other case of this file has, not {id!r}")
        ids.add(id)
        fields.positive(row.get("weight", 1.0), where)
        group = row.get("group", "")
        if not isinstance(group, str):
            raise PackageError(where, f"the name of a group in `group`, not {group!r}")
        named.append((where, group))
    return named


def _row(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise PackageError(where, f"a JSON object on one line ({error})") from error
    if not isinstance(row, dict):
        raise PackageError(where, f"a JSON object, not {type(row).__name__}")
    unknown = sorted(set(row) - _CASE_KEYS)
    if unknown:
        raise PackageError(where, f"only the keys {', '.join(sorted(_CASE_KEYS))}, not {unknown[0]!r}")
    return row


def _check_output(output: object, checker: str, where: str) -> None:
    if checker == "any-of":
        fits = isinstance(output, list) and bool(output) and all(isinstance(item, str) for item in output)
    else:
        fits = isinstance(output, str)
    if not fits:
        raise PackageError(
            where, "a list of accepted texts in `output`" if checker == "any-of" else "a text in `output`"
        )
