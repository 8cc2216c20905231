"""What a case counts, where a suite has groups or stops at the first failure. For all kinds of suites. Pure.

Runners report each case as if it counted by itself; here it becomes what it counts beside the others.
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
    """The ids of a suite's cases -> their places in order, from 1: `2` before `10`. The same whatever order they come in."""
    return {id: number for number, id in enumerate(sorted(ids, key=_by_numbers), start=1)}


def _by_numbers(id: str) -> list[tuple[int, str]]:
    return [(len(part) if place % 2 else 0, part) for place, part in enumerate(_DIGITS.split(id))]


def settled(suite: Suite, outcomes: Iterable[CaseOutcome]) -> Sequence[CaseOutcome]:
    """The outcomes of a suite, in the order in which its cases ran, as they count.

    With `stop_on_failure` all that come after the first that failed are not-run, whether or not they had run by then. What
    passed after a disputed one is disputed with it: it counts only if that one passes. A group weighs what the suite's `groups` says, shared among its cases by their own weights. Raises TaskUnusable for
    a group without a case.
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
        if not weight:  # of tests it is known only now which there are
            raise TaskUnusable(f"suite {suite.id}: no case is of group {name}", suite=suite.id)
    return [
        replace(outcome, weight=suite.weight * groups[outcome.group] * outcome.weight / heaviness[outcome.group])
        if outcome.group in groups
        else outcome
        for outcome in grouped
    ]


def group_of(case: str, stated: str, groups: Iterable[str]) -> str:
    """The group that a case states, else one that is named by a part of its id: its folder, file, class or function."""
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
