"""What a `stdio` suite of a task package may state, and the files that hold its cases. Pure.

graders.suites.stdio.cases reads the cases.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from graders.suites.call.cases import CaseError
from graders.suites.scoring import group_of
from graders.suites.stdio.cases import StdioCase, companions, parse_stdio_cases
from graders.tasks import fields
from graders.tasks.fields import PackageError

KEYS = frozenset({
    "checker", "absolute", "relative", "case_sensitive", "space_sensitive", "checker_file", "interactor_file", "protocol",
    "partial_credit", "passes", "command", "ignore_exit_code", "seconds",
})  # fmt: skip
PROTOCOLS = ("plain", "kattis")
COMPARED = ("lines", "tokens", "exact", "float")
CHECKERS = (*COMPARED, "any-of", "program")
SUFFIXES = (".in", ".ans", ".out")
MOST_PASSES = 100
"""Of one case: each is a run of the submission with its limits, and one of the author's program."""

_COMPARISON = ("checker", "absolute", "relative", "case_sensitive", "space_sensitive")


def check(
    options: Mapping[str, Any], own: Mapping[str, str], field: str, room: fields.PackageBudget
) -> list[tuple[str, str]]:
    """Where each case stands, and its group (`` for none). Raises PackageError."""
    interactive = "interactor_file" in options
    checker = _check_comparison(options, field, CHECKERS)
    if interactive and "checker" in options:
        raise PackageError(f"{field}.checker", "no checker beside an interactor_file, which gives the verdict")
    judged = interactive or checker == "program"
    _check_judge(options, field, judged=judged)
    fields.true_or_false(options.get("ignore_exit_code", False), f"{field}.ignore_exit_code")
    if "command" in options:
        fields.texts(options["command"], f"{field}.command", '["python3", "solution.py"]')
    programs = {
        _program(options, key, own, field, room) for key in ("checker_file", "interactor_file") if key in options
    }
    if (checker == "program") != ("checker_file" in options):
        raise PackageError(f"{field}.checker_file", 'a Python file of this suite with checker = "program", else none')
    known = {path for program in programs for path in companions(program, own)}
    for path in own:
        if path not in known and not path.endswith((*SUFFIXES, ".jsonl")):
            raise PackageError(path, "NAME.in, NAME.ans, NAME.out, a .jsonl file with cases, or the suite's program")
    try:
        cases = parse_stdio_cases(own, several=checker == "any-of", needs_answer=not judged, room=room.cases)
    except CaseError as error:
        raise PackageError(error.where, error.expected) from error
    if not cases:
        raise PackageError(f"{field}.files", "at least one case: NAME.in with NAME.ans, or a line of a .jsonl file")
    for where, case in cases:
        _check_own(case, where, judged=judged, several=checker == "any-of")
    _check_sizes([] if judged else cases, room.output_kib)
    groups = options.get("groups", {})
    return [(where, group_of(case.id, case.group, groups)) for where, case in cases]


def _check_comparison(options: Mapping[str, Any], field: str, checkers: tuple[str, ...]) -> str:
    """How outputs are compared, of a suite or of a case of its own mind. Returns the checker."""
    checker = fields.one_of(options.get("checker", "tokens"), f"{field}.checker", checkers)
    fields.check_tolerance(options, checker, field)
    for key, default, none in (
        ("case_sensitive", True, ("exact", "program")),
        ("space_sensitive", False, ("exact", "program", "lines")),
    ):
        fields.true_or_false(options.get(key, default), f"{field}.{key}")
        if key in options and checker in none:
            others = [f'"{name}"' for name in checkers if name not in none]
            raise PackageError(f"{field}.{key}", f"checker = {', '.join(others[:-1])} or {others[-1]}, not {checker!r}")
    return checker


def _check_own(case: StdioCase, where: str, *, judged: bool, several: bool) -> None:
    """What a case states for itself alone."""
    if case.judge_args and not judged:
        raise PackageError(where, "no `judge_args` in a suite without a checker_file or an interactor_file")
    if case.compare is None:
        return
    if judged or several:
        raise PackageError(where, f"no `compare` in a suite whose checker is not one of {', '.join(COMPARED)}")
    fields.refuse_unknown(case.compare, _COMPARISON, f"{where}: compare.")
    _check_comparison(case.compare, f"{where}: compare", COMPARED)


def _check_sizes(cases: Iterable[tuple[str, StdioCase]], output_kib: int) -> None:
    for where, case in cases:
        size = min(len(accepted.strip()) for accepted in case.accepted)
        if size > output_kib << 10:
            fits = f"an output that fits limits.output_kib, which is {output_kib}"
            raise PackageError(f"{where}, case {case.id}", f"{fits}; what is right is {size / 1024:.0f} KiB long")


def _check_judge(options: Mapping[str, Any], field: str, *, judged: bool) -> None:
    """`judged`: whether a program of the author's gives the verdict."""
    protocol = fields.one_of(options.get("protocol", "plain"), f"{field}.protocol", PROTOCOLS)
    fields.true_or_false(options.get("partial_credit", False), f"{field}.partial_credit")
    for key in sorted({"protocol", "partial_credit", "passes"} & options.keys()):
        if not judged:
            raise PackageError(f"{field}.{key}", 'checker = "program" or an interactor_file beside it')
    passes = options.get("passes", 2)
    if type(passes) is not int or not 2 <= passes <= MOST_PASSES:
        raise PackageError(f"{field}.passes", f"a whole number from 2 to {MOST_PASSES}, not {passes!r}")
    if "passes" in options and protocol != "kattis":
        raise PackageError(f"{field}.passes", 'protocol = "kattis" beside it')


def _program(
    options: Mapping[str, Any], key: str, own: Mapping[str, str], field: str, room: fields.PackageBudget
) -> str:
    path = fields.text(options[key], f"{field}.{key}")
    if path not in own or not path.endswith(".py"):
        raise PackageError(f"{field}.{key}", f"a .py file among this suite's `files`, not {path!r}")
    room.parsed(path, own[path])
    return path
