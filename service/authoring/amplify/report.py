"""The report of `assay amplify`, for people and for programs. Pure."""

from typing import Any

from service.authoring.amplify.amplify import Amplified
from service.authoring.mutation.mutants import Mutant
from service.authoring.variants import mutant_name
from service.visible_text import plain

DIFFS = 10
"""Most surviving mutants that are shown with their diffs; the others are counted."""


def as_text(report: Amplified, path: str) -> str:
    """Return the report for a terminal; `path` is the file with the proposed cases."""
    noticed = [number for number in report.survivors if report.noticed(number)]
    alive = [number for number in report.survivors if not report.noticed(number)]
    inputs = f"  {report.made} inputs made (seed {report.seed})"
    lines = [
        f"{report.task_id} (version {report.version}), suite {report.suite.id}",
        *(f"  taken for meant: {sentence}" for sentence in report.meant),
        inputs + ("; left out:" if report.left_out else ""),
        *(f"    {count}: {why}" for why, count in sorted(report.left_out.items(), key=lambda item: -item[1])),
        f"  {len(report.mutants)} mutants of the reference, {len(report.survivors) or 'none'} of which pass the task's suites",
        *([f"  the new cases notice {len(noticed)} of these"] if report.survivors else []),
    ]
    if report.unseen:
        lines.append(f"  there was no time for {report.unseen} programs: --seconds gives more")
    for number in noticed[:DIFFS]:
        lines += [
            "",
            *shown_mutant(number, report.mutants[number]),
            *(f"    noticed by  {_case(each.line)}" for each in report.noticed(number)[:2]),
        ]
    for number in alive[:DIFFS]:
        lines += ["", *shown_survivor(number, report.mutants[number])]
    if len(report.survivors) > 2 * DIFFS:
        lines += ["", "  (more with --json)"]
    lines += [
        "",
        *(f"  the prompt shows {plain(call)}, which is unlike every case: is it meant?" for call in report.unlike),
        f"  {len(report.chosen)} cases proposed" + (f": {path}" if report.chosen else ""),
    ]
    return "\n".join(lines)


def shown_mutant(number: int, mutant: Mutant) -> list[str]:
    """Return the mutant's name, its line and its change, as lines of text."""
    hunk = [line for line in mutant.diff.splitlines() if not line.startswith(("---", "+++"))]
    return [f"  {mutant_name(number)}, line {mutant.line}", *(f"    {plain(line)}" for line in hunk)]


def shown_survivor(number: int, mutant: Mutant) -> list[str]:
    """Return the same for a mutant that no case notices, with the case that would notice it."""
    return [
        *shown_mutant(number, mutant),
        f"    either this behaves like the reference, or a case is missing {mutant.needed}",
    ]


def _case(line: str) -> str:
    return plain(line if len(line) <= 160 else line[:160] + "...")


def as_data(report: Amplified, path: str) -> dict[str, Any]:
    """Return the report as JSON values."""
    return {
        "task_id": report.task_id,
        "version": report.version,
        "suite": report.suite.id,
        "seed": report.seed,
        "file": path,
        "meant": list(report.meant),
        "inputs": {"made": report.made, "left_out": dict(report.left_out)},
        "unlike": list(report.unlike),
        "programs_unseen": report.unseen,
        "mutants": [
            {
                "name": mutant_name(number),
                "line": mutant.line,
                "operator": mutant.operator,
                "diff": mutant.diff,
                "passes_the_suites": number in report.survivors,
                "noticed_by": [each.case.id for each in report.noticed(number)],
            }
            for number, mutant in enumerate(report.mutants)
        ],
        "cases": [{"id": each.case.id, "line": each.line, "fails": sorted(each.fails)} for each in report.chosen],
    }
