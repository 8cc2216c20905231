"""The suites of a task package: each kind's options, and the files that it needs. Pure.

An option that nobody reads is a mistake that nobody sees, so every key is known to some kind and has been looked at before
the package is stored. What the graders find in `Suite.options` is what the author wrote, and fits.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import Any

from graders.interface import Suite
from graders.suites.call.cases import Case, CaseError, parse_cases
from graders.suites.stdio.cases import in_files
from graders.tasks import fields, stdio_options
from graders.tasks.fields import PackageError

CALL_CHECKERS = ("exact", "float", "unordered", "any-of", "predicate")
MOST_SECONDS = 3600
"""For one case. More is a mistake in the unit."""

MOST_SUITES = 100
MOST_GROUPS = 100
"""Of a suite."""
MOST_EXAMPLES = 100_000
MOST_SEED = 2**32 - 1

_COMMON_KEYS = frozenset({"id", "kind", "files", "weight", "stop_on_failure", "groups"})
_TEST_KEYS = frozenset({"isolation", "equality", "seconds"})
_OPTION_KEYS: Mapping[str, frozenset[str]] = {
    "call": frozenset({"entry_point", "checker", "absolute", "relative"}),
    "stdio": stdio_options.KEYS,
    "pytest": _TEST_KEYS,
    "property": _TEST_KEYS | {"seed", "max_examples", "shares_values"},
    "program": _TEST_KEYS | {"entry_point"},
}  # fmt: skip
Named = Iterable[tuple[str, str]]
"""Where each case stands, and the group that it names (`` for none)."""
_NOT_OPTIONS = frozenset({"id", "kind", "files", "weight"})
_NAME = re.compile(r"(?=.{1,100}\Z)[A-Za-z0-9_][A-Za-z0-9_.-]*")
_NAME_IN_WORDS = "a name of letters, digits and . _ -"
_TEST_FILE = re.compile(r"(test_.*|.*_test)\.py")


def suites(stated: object, files: Mapping[str, str], room: fields.PackageBudget) -> tuple[Suite, ...]:
    """The suites of a manifest's [[suite]] tables. Raises PackageError.

    Args:
        stated: what task.toml has under `suite`.
        files: the whole package, path -> text.
        room: what of the package may still be read.
    """
    found: dict[str, Suite] = {}
    tables = fields.tables(stated, "suite")
    if len(tables) > MOST_SUITES:
        raise PackageError("suite", f"at most {MOST_SUITES} suites, not {len(tables)}")
    for number, table in enumerate(tables):
        id = fields.matching(table.get("id"), f"suite.{number}.id", _NAME, _NAME_IN_WORDS)
        if id in found:
            raise PackageError(f"suite.{id}", "an id that no other suite of this task has")
        found[id] = _suite(id, table, files, room)
    if not found:
        raise PackageError("suite", "at least one [[suite]]")
    used = {path for suite in found.values() for path in suite.files}
    unused = sorted(path for path in files if path.startswith("hidden/") and path not in used)
    if unused:
        raise PackageError(unused[0], "to be in the `files` of some suite, as everything in hidden/")
    return tuple(found.values())


def check_examples(visible: Mapping[str, str], room: fields.PackageBudget) -> None:
    """Files of visible/: cases in the form of `call` suites, or inputs with their answers. Raises PackageError."""
    for path, text in visible.items():
        if path.endswith(".jsonl"):
            _call_cases(path, text, "", room)
        elif not path.endswith(stdio_options.SUFFIXES):
            raise PackageError(path, "cases in a .jsonl file, or NAME.in with NAME.ans, as everything in visible/")
    try:
        list(in_files(visible, room=room.cases))
    except CaseError as error:
        raise PackageError(error.where, error.expected) from error


def _suite(id: str, table: Mapping[str, Any], files: Mapping[str, str], room: fields.PackageBudget) -> Suite:
    field = f"suite.{id}"
    kind = fields.one_of(table.get("kind"), f"{field}.kind", tuple(_OPTION_KEYS))
    fields.refuse_unknown(table, _COMMON_KEYS | _OPTION_KEYS[kind], f"{field}.")
    own = _suite_files(table.get("files"), f"{field}.files", files, room)
    options = {key: value for key, value in table.items() if key not in _NOT_OPTIONS}
    fields.true_or_false(options.get("stop_on_failure", False), f"{field}.stop_on_failure")
    groups = _groups(options.get("groups", {}), f"{field}.groups")
    if "seconds" in options and fields.positive(options["seconds"], f"{field}.seconds") > MOST_SECONDS:
        raise PackageError(f"{field}.seconds", f"at most {MOST_SECONDS} seconds, not {options['seconds']!r}")
    named = _CHECKS[kind](options, own, field, room)
    if named is not None:
        _check_groups(named, groups, field)
    weight = fields.weight(table.get("weight", 1.0), f"{field}.weight")
    return Suite(id=id, kind=kind, files=own, options=options, weight=weight)


def _suite_files(patterns: object, field: str, files: Mapping[str, str], room: fields.PackageBudget) -> dict[str, str]:
    if not isinstance(patterns, list) or not patterns:
        raise PackageError(field, 'a list of patterns, such as ["hidden/*"]')
    own: dict[str, str] = {}
    for pattern in patterns:
        matched = room.matched(fields.text(pattern, field), files, field)
        if not matched:
            raise PackageError(field, f"patterns that match some file; {pattern!r} matches none")
        own |= {path: files[path] for path in sorted(matched)}
    for path in own:
        # A suite's files may go into a box: a pattern like "*" would take the solution there.
        if path == "task.toml" or path.startswith(("submissions/", "visible/")):
            raise PackageError(field, f"patterns of the suite's own files; {path} is none")
    return own


def _groups(stated: object, field: str) -> frozenset[str]:
    """The names of the groups, whose weights fit."""
    groups = fields.table(stated, field)
    if len(groups) > MOST_GROUPS:
        raise PackageError(field, f"at most {MOST_GROUPS} groups, not {len(groups)}")
    for name, weight in groups.items():
        fields.matching(name, f"{field}.{name}", _NAME, _NAME_IN_WORDS)
        fields.weight(weight, f"{field}.{name}")
    return frozenset(groups)


def _check_groups(named: Named, groups: frozenset[str], field: str) -> None:
    used = set()
    for where, group in named:
        if group and group not in groups:
            raise PackageError(where, f"a `group` that {field}.groups has ({_either(groups)}), not {group!r}")
        used.add(group)
    for group in sorted(groups - used):
        raise PackageError(f"{field}.groups.{group}", f'some case with `group = "{group}"`')


def _either(names: Iterable[str]) -> str:
    return " or ".join(sorted(names)) or "it has none"


def _check_call(options: Mapping[str, Any], own: Mapping[str, str], field: str, room: fields.PackageBudget) -> Named:
    entry_point = fields.function_name(options.get("entry_point"), f"{field}.entry_point")
    checker = fields.one_of(options.get("checker", "exact"), f"{field}.checker", CALL_CHECKERS)
    fields.check_tolerance(options, checker, field)
    wanted = {".jsonl": 1} | ({".py": 1} if checker == "predicate" else {})
    found = [PurePosixPath(path).suffix for path in own]
    if sorted(found) != sorted(wanted):
        what = f"exactly one {' and one '.join(wanted)} file"
        raise PackageError(f"{field}.files", f"{what}, not {', '.join(sorted(own))}")
    named = []
    for path, text in own.items():
        if path.endswith(".jsonl"):
            cases = _call_cases(path, text, entry_point, room)
            named = [(f"{path}, case {case.id}", case.group) for case in cases]
            if checker == "any-of":
                _check_any_of(cases, path)
        elif "accepts" not in room.functions(path, text):
            raise PackageError(path, "a function `accepts(args, expected, got)`")
    return named


def _call_cases(path: str, text: str, entry_point: str, room: fields.PackageBudget) -> tuple[Case, ...]:
    try:
        return parse_cases(text, name=path, entry_point=entry_point, room=room.cases)
    except CaseError as error:
        raise PackageError(error.where, error.expected) from error


def _check_any_of(cases: Iterable[Case], path: str) -> None:
    for case in cases:
        if case.raises is None and (not isinstance(case.expected, list) or not case.expected):
            raise PackageError(
                f"{path}, case {case.id}", 'a list of the accepted answers, as checker = "any-of" reads it'
            )


def _check_tests(options: Mapping[str, Any], own: Mapping[str, str], field: str, room: fields.PackageBudget) -> None:
    """Which tests there are is learnt from the reference's run; so there is no case here that could name a group."""
    _check_isolation(options, field)
    if not any(_TEST_FILE.fullmatch(PurePosixPath(path).name) for path in own):
        raise PackageError(f"{field}.files", "at least one test file, named test_*.py or *_test.py")
    for path, text in own.items():
        if path.endswith(".py"):
            room.parsed(path, text)


def _check_properties(
    options: Mapping[str, Any], own: Mapping[str, str], field: str, room: fields.PackageBudget
) -> None:
    for name, least, most in (("seed", 0, MOST_SEED), ("max_examples", 1, MOST_EXAMPLES)):
        value = options.get(name, least)
        if type(value) is not int or not least <= value <= most:
            raise PackageError(f"{field}.{name}", f"a whole number from {least} to {most}, not {value!r}")
    fields.true_or_false(options.get("shares_values", False), f"{field}.shares_values")
    _check_tests(options, own, field, room)


def _check_program(options: Mapping[str, Any], own: Mapping[str, str], field: str, room: fields.PackageBudget) -> None:
    _check_isolation(options, field)
    defined = [room.functions(path, text) for path, text in own.items() if path.endswith(".py")]
    if not defined:
        raise PackageError(f"{field}.files", "at least one .py file with tests")
    if "entry_point" in options:
        fields.function_name(options["entry_point"], f"{field}.entry_point")
        if not any("check" in functions for functions in defined):
            raise PackageError(
                f"{field}.files", "a .py file with a function `check(candidate)`, as entry_point asks for"
            )


def _check_isolation(options: Mapping[str, Any], field: str) -> None:
    isolation = fields.one_of(options.get("isolation", "two-process"), f"{field}.isolation", ("two-process", "shared"))
    fields.one_of(options.get("equality", "state"), f"{field}.equality", ("state", "own"))
    if isolation == "shared" and "equality" in options:
        raise PackageError(f"{field}.equality", 'nothing with isolation = "shared": objects compare themselves there')


_CHECKS: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, str], str, fields.PackageBudget], Named | None]] = {
    "call": _check_call,
    "stdio": stdio_options.check,
    "pytest": _check_tests,
    "property": _check_properties,
    "program": _check_program,
}
