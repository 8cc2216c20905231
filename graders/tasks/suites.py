"""The suites of a task package: their tables, their files and their groups. Pure.

The rest is the business of the kinds, below graders/suites. `Suite.options` is the table that the author wrote. Its
kind reads it twice, with the same code: before the package is stored, and before the suite runs.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from graders.interface import Suite
from graders.suites import fields
from graders.suites.call.cases import parse_cases
from graders.suites.case_rows import CaseError
from graders.suites.fields import PackageBudget, PackageError
from graders.suites.kind import NamedGroups
from graders.suites.kinds import KINDS
from graders.suites.options import NOT_OPTIONS, common_options
from graders.suites.stdio.cases import SUFFIXES, in_files

MOST_SUITES = 100


def suites(stated: object, files: Mapping[str, str], budget: PackageBudget) -> tuple[Suite, ...]:
    """Return the suites of a manifest's [[suite]] tables. Raise PackageError if one is wrong.

    Args:
        stated: the value of `suite` in task.toml.
        files: the whole package, path -> text.
        budget: the part of the package that may still be read.
    """
    found: dict[str, Suite] = {}
    tables = fields.tables(stated, "suite")
    if len(tables) > MOST_SUITES:
        raise PackageError("suite", f"at most {MOST_SUITES} suites, not {len(tables)}")
    for number, table in enumerate(tables):
        id = fields.matching(table.get("id"), f"suite.{number}.id", fields.NAME, fields.NAME_IN_WORDS)
        if id in found:
            raise PackageError(f"suite.{id}", "an id that no other suite of this task has")
        found[id] = _suite(id, table, files, budget)
    if not found:
        raise PackageError("suite", "at least one [[suite]]")
    used = {path for suite in found.values() for path in suite.files}
    unused = sorted(path for path in files if path.startswith("hidden/") and path not in used)
    if unused:
        raise PackageError(unused[0], "to be in the `files` of some suite, as everything in hidden/")
    return tuple(found.values())


def check_examples(visible: Mapping[str, str], budget: PackageBudget) -> None:
    """Raise PackageError unless each file of visible/ has cases of a `call` suite, or an input with its answer."""
    try:
        for path, text in visible.items():
            if path.endswith(".jsonl"):
                parse_cases(text, name=path, room=budget.cases)
            elif not path.endswith(SUFFIXES):
                raise PackageError(path, "cases in a .jsonl file, or NAME.in with NAME.ans, as everything in visible/")
        list(in_files(visible, room=budget.cases))
    except CaseError as error:
        raise PackageError(error.where, error.expected) from error


def _suite(id: str, table: Mapping[str, Any], files: Mapping[str, str], budget: PackageBudget) -> Suite:
    field = f"suite.{id}"
    kind = fields.one_of(table.get("kind"), f"{field}.kind", tuple(KINDS))
    suite = Suite(
        id=id,
        kind=kind,
        files=_suite_files(table.get("files"), f"{field}.files", files, budget),
        options={key: value for key, value in table.items() if key not in NOT_OPTIONS},
        weight=fields.weight(table.get("weight", 1.0), f"{field}.weight"),
    )
    try:
        named = KINDS[kind].check(suite, budget)
    except CaseError as error:
        raise PackageError(error.where, error.expected) from error
    if named is not None:
        _check_groups(named, common_options(suite).groups, field)
    return suite


def _suite_files(patterns: object, field: str, files: Mapping[str, str], budget: PackageBudget) -> dict[str, str]:
    if not isinstance(patterns, list) or not patterns:
        raise PackageError(field, 'a list of patterns, such as ["hidden/*"]')
    own: dict[str, str] = {}
    for pattern in patterns:
        matched = budget.matched(fields.text(pattern, field), files, field)
        if not matched:
            raise PackageError(field, f"patterns that match some file; {pattern!r} matches none")
        own |= {path: files[path] for path in sorted(matched)}
    for path in own:
        # A suite's files may go into a box: a pattern like "*" would take the solution there.
        if path == "task.toml" or path.startswith(("submissions/", "visible/")):
            raise PackageError(field, f"patterns of the suite's own files; {path} is none")
    return own


def _check_groups(named: NamedGroups, groups: Mapping[str, float], field: str) -> None:
    used = set()
    for where, group in named:
        if group and group not in groups:
            raise PackageError(where, f"a `group` that {field}.groups has ({_either(groups)}), not {group!r}")
        used.add(group)
    for group in sorted(groups.keys() - used):
        raise PackageError(f"{field}.groups.{group}", f'some case with `group = "{group}"`')


def _either(names: Iterable[str]) -> str:
    return " or ".join(sorted(names)) or "it has none"
