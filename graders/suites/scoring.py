"""The weights and outcomes of cases in a suite that has groups or stops at the first failure. Pure.

Runners report each case by itself. Here its weight and outcome are adjusted to the other cases.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from graders.interface import CaseOutcome, Outcome, Suite, TaskUnusable, UntrustedText
from graders.suites.options import common_options
from rubrics.signals import OPEN

_PARTS = re.compile(r"/|::")
_DIGITS = re.compile(r"([0-9]+)")


def numbers(ids: Iterable[str]) -> Mapping[str, int]:
    """Return the number of each case by its id, from 1: `2` comes before `10`. The order of `ids` does not matter."""
    return {id: number for number, id in enumerate(sorted(ids, key=_by_numbers), start=1)}


def _by_numbers(id: str) -> list[tuple[int, str]]:
    return [(len(part) if place % 2 else 0, part) for place, part in enumerate(_DIGITS.split(id))]


def settled(suite: Suite, outcomes: Iterable[CaseOutcome]) -> Sequence[CaseOutcome]:
    """Return the outcomes of a suite as they count, in the order in which its cases ran.

    With `stop_on_failure` all cases after the first failure are not-run, even if they ran. A case that passed after a
    disputed one is disputed too: it counts only if that one passes. The weight of a group, from the suite's `groups`,
    is shared among its cases by their own weights. Raise TaskUnusable if a group has no case.
    """
    in_order = list(outcomes)
    options = common_options(suite)
    if options.stop_on_failure:
        in_order = _stopped(in_order)
    groups = options.groups
    if not groups:
        return in_order
    grouped = [replace(outcome, group=group_of(outcome.case, outcome.group, groups)) for outcome in in_order]
    heaviness = {name: sum(outcome.weight for outcome in grouped if outcome.group == name) for name in groups}
    for name, weight in heaviness.items():
        if not weight:  # which tests there are is known only now
            raise TaskUnusable(f"suite {suite.id}: no case is of group {name}", suite=suite.id)
    return [
        replace(outcome, weight=suite.weight * groups[outcome.group] * outcome.weight / heaviness[outcome.group])
        if outcome.group in groups
        else outcome
        for outcome in grouped
    ]


def group_of(case: str, stated: str, groups: Iterable[str]) -> str:
    """Return the group that a case states, else the one that its folder, file, class or function is named after."""
    if stated:
        return stated
    parts = {part for word in _PARTS.split(case.partition("[")[0]) for part in (word, word.removesuffix(".py"))}
    return next((name for name in groups if name in parts), "")


def _stopped(outcomes: Sequence[CaseOutcome]) -> list[CaseOutcome]:
    lost = (each.outcome not in {Outcome.PASSED, *OPEN} for each in outcomes)
    first = next((place for place, is_lost in enumerate(lost) if is_lost), len(outcomes))
    ran = outcomes[: first + 1]
    open_from = next((place for place, each in enumerate(ran) if each.outcome in OPEN), len(ran))
    disputed = [_disputed_with_it(each) if each.outcome is Outcome.PASSED else each for each in ran[open_from:]]
    return [*ran[:open_from], *disputed, *(_not_run(outcome) for outcome in outcomes[first + 1 :])]


def _disputed_with_it(outcome: CaseOutcome) -> CaseOutcome:
    note = UntrustedText("it passes, and counts only if the cases before it do: the suite stops at the first failure")
    return replace(outcome, outcome=Outcome.DISPUTED, note=note)


def _not_run(outcome: CaseOutcome) -> CaseOutcome:
    nothing = UntrustedText("")
    return replace(
        outcome, outcome=Outcome.NOT_RUN, credit=None, end="", seconds=None, cpu_seconds=None, peak_memory_mib=None,
        given=nothing, wanted=nothing, got=nothing, note=nothing,
    )  # fmt: skip
