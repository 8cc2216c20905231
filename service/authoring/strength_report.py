"""The part of the `assay verify` report on the strength of a task's suites, for people and for programs. Pure."""

from collections.abc import Iterator, Sequence
from typing import Any

from service.authoring.amplify.report import DIFFS, shown_survivor
from service.authoring.strength import Strength
from service.authoring.variants import mutant_name
from service.visible_text import plain

SHOWN = 12
"""Most names in a line; the others are counted."""


def as_text(report: Strength) -> str:
    """Return the report as text for a terminal."""
    return "\n".join(
        [
            f"{report.task_id} (version {report.version}): what its suites notice",
            *_reference(report),
            *_trivial(report),
            *_rests(report),
            *_branches(report),
            *_mutants(report),
            *_redundant(report),
            *([f"  no time for {report.unseen} programs: --seconds gives more"] if report.unseen else []),
        ]
    )


def _reference(report: Strength) -> Iterator[str]:
    times = f"{report.runs} runs, some of them beside busy programs, each with another order of sets"
    if not report.flaky:
        yield f"  the reference passes all {len(report.cases)} cases in {times}"
    for case, lost in report.flaky.items():
        yield f"  FLAKY   {plain(case)}: the reference failed it in {lost} of {times}"


def _trivial(report: Strength) -> Iterator[str]:
    cases = len(report.cases)
    for does in report.passed_by_nothing:
        yield f"  WEAK    {does} passes every case"
    some = sorted((each for each in report.trivial if 0 < len(each.passes) < cases), key=lambda each: -len(each.passes))
    for each in some[:3]:
        yield f"  {each.does} passes {len(each.passes)} of {cases} cases: {_listed(sorted(each.passes))}"
    if report.trivial and not some and not report.passed_by_nothing:
        yield f"  none of {len(report.trivial)} trivial answers passes a case"


def _rests(report: Strength) -> Iterator[str]:
    if report.rests:
        yield f"  {len(report.rests)} of {len(report.cases)} cases rest on what the submission's own objects or names say:"
    for note in sorted(set(report.rests.values()))[:SHOWN]:
        yield f"    {plain(note)}: {_listed([case for case, said in report.rests.items() if said == note])}"


def _branches(report: Strength) -> Iterator[str]:
    if report.branches:
        yield f"  {len(report.branches) - len(report.missed)} of {len(report.branches)} branches of the reference are taken"
    for branch in report.missed:
        yield f"    {plain(branch.never)}"


def _mutants(report: Strength) -> Iterator[str]:
    if not report.mutants:
        return
    killed = len(report.mutants) - len(report.alive)
    alive = "; alive (`assay amplify` proposes cases for them):" if report.can_amplify else "; alive:"
    yield f"  {killed} of {len(report.mutants)} mutants of the reference are noticed{alive if report.alive else ''}"
    for number in report.alive[:DIFFS]:
        yield from shown_survivor(number, report.mutants[number])
    if len(report.alive) > DIFFS:
        yield f"    and {len(report.alive) - DIFFS} more (--json has all)"


def _redundant(report: Strength) -> Iterator[str]:
    if report.redundant:
        needed = len(report.cases) - len(report.redundant)
        yield f"  {needed} of {len(report.cases)} cases notice all of these mistakes; without these the same would be noticed:"
        yield f"    {_listed(report.redundant)}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(map(plain, names[:SHOWN])) + more


def as_data(report: Strength) -> dict[str, Any]:
    """Return the report as JSON values."""
    return {
        "sound": report.sound,
        "cases": list(report.cases),
        "reference_runs": report.runs,
        "flaky": dict(report.flaky),
        "trivial_answers": [{"does": each.does, "passes": sorted(each.passes)} for each in report.trivial],
        "rests_on_the_submission": dict(report.rests),
        "branches": {
            "total": len(report.branches),
            "missed": [{"line": branch.line, "never": branch.never} for branch in report.missed],
        },
        "mutants": [
            {
                "name": mutant_name(number),
                "line": mutant.line,
                "operator": mutant.operator,
                "diff": mutant.diff,
                "alive": number in report.alive,
                "failed": sorted(report.failed[mutant_name(number)]),
            }
            for number, mutant in enumerate(report.mutants)
        ],
        "redundant": list(report.redundant),
        "programs_unseen": report.unseen,
    }
