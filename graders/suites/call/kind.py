"""`call`: the cases are calls of one function."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import PurePosixPath

from graders.interface import CaseOutcome, Context, Execution, Limits, Suite
from graders.suites.call import runner
from graders.suites.call.cases import Case, parse_cases
from graders.suites.call.suite import CallSuite
from graders.suites.case_rows import lines_with_cases
from graders.suites.fields import PackageBudget, PackageError
from graders.suites.kind import NamedGroups, SuiteKind
from graders.suites.reporting import SuiteReporter


class CallKind(SuiteKind):
    """Suites whose cases are calls: the values that come out of the box are compared on the host."""

    name = "call"

    def check(self, suite: Suite, budget: PackageBudget) -> NamedGroups:
        read = CallSuite.of(suite)
        wanted = [".jsonl", *([".py"] if read.checker == "predicate" else [])]
        if sorted(PurePosixPath(path).suffix for path in read.files) != wanted:
            what = f"exactly one {' and one '.join(wanted)} file"
            raise PackageError(f"suite.{suite.id}.files", f"{what}, not {', '.join(sorted(read.files))}")
        [(path, text)] = read.files_ending(".jsonl")
        cases = parse_cases(text, name=path, entry_point=read.entry_point, room=budget.cases)
        if read.checker == "any-of":
            _check_any_of(cases, path)
        for program, source in read.files_ending(".py"):
            if "accepts" not in budget.functions(program, source):
                raise PackageError(program, "a function `accepts(args, expected, got)`")
        return [(f"{path}, case {case.id}", case.group) for case in cases]

    def case_count(self, suite: Suite) -> int:
        return lines_with_cases(suite.files)

    def outcomes(
        self, context: Context, suite: Suite, limits: Limits, reporter: SuiteReporter
    ) -> Iterator[CaseOutcome]:
        return runner.outcomes(context, CallSuite.of(suite), limits, reporter)

    def run_reference(self, context: Context, suite: Suite) -> Sequence[Execution]:
        return runner.run_reference(context, CallSuite.of(suite))


def _check_any_of(cases: Iterable[Case], path: str) -> None:
    for case in cases:
        if case.raises is None and (not isinstance(case.expected, list) or not case.expected):
            raise PackageError(
                f"{path}, case {case.id}", 'a list of the accepted answers, as checker = "any-of" reads it'
            )
