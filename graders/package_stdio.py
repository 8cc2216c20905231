"""What a `stdio` suite of a task package may state, and the files that hold its cases. Pure.

graders.stdio_cases reads the cases.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from graders import fields
from graders.cases import CaseError
from graders.fields import PackageError
from graders.groups import group_of
from graders.stdio_cases import StdioCase, parse_stdio_cases

KEYS = frozenset({
    "checker", "absolute", "relative", "case_sensitive", "checker_file", "interactor_file", "protocol", "partial_credit",
    "command", "ignore_exit_code", "seconds",
})  # fmt: skip
PROTOCOLS = ("plain", "kattis")
CHECKERS = ("lines", "tokens", "exact", "float", "any-of", "program")
SUFFIXES = (".in", ".ans", ".out")


def check(options: Mapping[str, Any], own: Mapping[str, str], field: str, room: fields.Room) -> list[tuple[str, str]]:
    """Where each case stands, and its group (`` for none). Raises PackageError."""
    interactive = "interactor_file" in options
    checker = fields.one_of(options.get("checker", "tokens"), f"{field}.checker", CHECKERS)
    if interactive and "checker" in options:
        raise PackageError(f"{field}.checker", "no checker beside an interactor_file, which gives the verdict")
    fields.check_tolerance(options, checker, field)
    fields.true_or_false(options.get("case_sensitive", True), f"{field}.case_sensitive")
    if "case_sensitive" in options and checker in ("exact", "program"):
        raise PackageError(
            f"{field}.case_sensitive", f'checker = "tokens", "lines", "float" or "any-of", not {checker!r}'
        )
    _check_judge(options, field, judged=interactive or checker == "program")
    fields.true_or_false(options.get("ignore_exit_code", False), f"{field}.ignore_exit_code")
    if "command" in options:
        fields.texts(options["command"], f"{field}.command", '["python3", "solution.py"]')
    programs = {
        _program(options, key, own, field, room) for key in ("checker_file", "interactor_file") if key in options
    }
    if (checker == "program") != ("checker_file" in options):
        raise PackageError(f"{field}.checker_file", 'a Python file of this suite with checker = "program", else none')
    for path in own:
        if path not in programs and not path.endswith((*SUFFIXES, ".jsonl")):
            raise PackageError(path, "NAME.in, NAME.ans, NAME.out, a .jsonl file with cases, or the suite's program")
    needs_answer = not interactive and checker != "program"
    groups = options.get("groups", {})
    try:
        cases = parse_stdio_cases(own, several=checker == "any-of", needs_answer=needs_answer, room=room.cases)
    except CaseError as error:
        raise PackageError(error.where, error.expected) from error
    if not cases:
        raise PackageError(f"{field}.files", "at least one case: NAME.in with NAME.ans, or a line of a .jsonl file")
    _check_sizes(cases if needs_answer else [], room.output_kib)
    return [(where, group_of(case.id, case.group, groups)) for where, case in cases]


def _check_sizes(cases: Iterable[tuple[str, StdioCase]], output_kib: int) -> None:
    for where, case in cases:
        size = min(len(accepted.strip()) for accepted in case.accepted)
        if size > output_kib << 10:
            fits = f"an output that fits limits.output_kib, which is {output_kib}"
            raise PackageError(f"{where}, case {case.id}", f"{fits}; what is right is {size / 1024:.0f} KiB long")


def _check_judge(options: Mapping[str, Any], field: str, *, judged: bool) -> None:
    """`judged`: whether a program of the author's gives the verdict."""
    fields.one_of(options.get("protocol", "plain"), f"{field}.protocol", PROTOCOLS)
    fields.true_or_false(options.get("partial_credit", False), f"{field}.partial_credit")
    for key in sorted({"protocol", "partial_credit"} & options.keys()):
        if not judged:
            raise PackageError(f"{field}.{key}", 'checker = "program" or an interactor_file beside it')


def _program(options: Mapping[str, Any], key: str, own: Mapping[str, str], field: str, room: fields.Room) -> str:
    path = fields.text(options[key], f"{field}.{key}")
    if path not in own or not path.endswith(".py"):
        raise PackageError(f"{field}.{key}", f"a .py file among this suite's `files`, not {path!r}")
    room.parsed(path, own[path])
    return path
