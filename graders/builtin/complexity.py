"""Complexity: radon on every Python file, in a box. What the numbers mean: docs/explanation/analyzers.md."""

from collections.abc import Iterator
from dataclasses import dataclass

from graders.builtin.analysis import Answer, Skipped, analyze_files, number_in, object_in, text_in
from graders.interface import Abstain, Abstention, Context, Example, Grader, Measurement, Signal

TOOL = "radon-6.0.1"
"""The version in docker/requirements.lock; part of the grader's version, so that a run records which radon measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Metrics:
    """The measures of one file by radon."""

    lines: int
    worst_name: str
    worst_line: int
    worst_complexity: float
    weighted_sum: float
    maintainability: float | None
    reason: str
    """Why the maintainability index is missing."""


@dataclass(frozen=True)
class Complexity(Grader):
    """Measures how hard the code is to read, with radon: branches per function, and its maintainability index.

    The worst function is named and decides, and the typical complexity is weighted by lines of code: splitting off
    trivial functions hides nothing. Speed is not measured. A file that radon cannot read is an abstention.
    """

    id, version, criterion = "assay/complexity", f"2+{TOOL}", "best_practices"
    public = True
    examples = (
        Example("def double(x):\n    return 2 * x\n", reports=(Measurement,)),
        Example("def", reports=(Abstention,)),
        Example("# nothing but a comment\n", reports=(Abstention,)),
    )

    def grade(self, context: Context) -> Iterator[Signal]:
        looks: dict[str, _Metrics] = {}
        for path, look in analyze_files(context, TOOL, _read):
            if isinstance(look, Skipped):
                yield self.abstention(look.reason, path=path)
                continue
            looks[path] = look
            if look.maintainability is None:
                yield self.abstention(f"no maintainability index: {look.reason}", path=path)
        lines = sum(look.lines for look in looks.values())
        if lines:
            yield from self._measurements(looks, lines)
        elif looks:
            raise Abstain("the submission has no line of code")

    def _measurements(self, looks: dict[str, _Metrics], lines: int) -> Iterator[Measurement]:
        path, worst = max(looks.items(), key=lambda item: item[1].worst_complexity)
        yield self.measurement(
            "cyclomatic-max", worst.worst_complexity, "paths", at=(path, worst.worst_line), note=worst.worst_name
        )
        weighted = sum(look.weighted_sum for look in looks.values()) / lines
        yield self.measurement("cyclomatic-weighted", weighted, "paths", note="mean of the functions, by lines of code")
        indexes = {path: look.maintainability for path, look in looks.items() if look.maintainability is not None}
        if indexes:
            path = min(indexes, key=indexes.__getitem__)
            yield self.measurement("maintainability", indexes[path], "of 100", at=(path, 0), note="the worst file")
        yield self.measurement("lines", lines, "lines")


def _read(found: Answer) -> _Metrics:
    worst = object_in(found.get("worst"))
    return _Metrics(
        lines=int(number_in(found, "lines")),
        worst_name=text_in(worst, "name"),
        worst_line=int(number_in(worst, "line")),
        worst_complexity=number_in(worst, "complexity"),
        weighted_sum=number_in(found, "weighted_sum"),
        maintainability=None if found.get("maintainability") is None else number_in(found, "maintainability"),
        reason=text_in(found, "reason"),
    )
