"""`stdio`: the cases are runs of a whole program."""

from collections.abc import Iterable, Iterator

from graders.interface import CaseOutcome, Context, Execution, Limits, Suite
from graders.suites.case_rows import lines_with_cases
from graders.suites.fields import PackageBudget, PackageError
from graders.suites.kind import NamedGroups, SuiteKind
from graders.suites.reporting import SuiteReporter
from graders.suites.scoring import group_of
from graders.suites.stdio import runner
from graders.suites.stdio.cases import SUFFIXES, StdioCase, companions
from graders.suites.stdio.comparison import COMPARED
from graders.suites.stdio.suite import StdioSuite


class StdioKind(SuiteKind):
    """Suites whose cases are runs of a program that reads stdin and prints its answer."""

    name = "stdio"
    runs_programs = True

    def check(self, suite: Suite, budget: PackageBudget) -> NamedGroups:
        read = StdioSuite.of(suite)
        known: list[str] = []
        if read.program:
            budget.parsed(read.program, read.files[read.program])
            known = companions(read.program, read.files)
        for path in read.files:
            if path not in known and not path.endswith((*SUFFIXES, ".jsonl")):
                raise PackageError(
                    path, "NAME.in, NAME.ans, NAME.out, a .jsonl file with cases, or the suite's program"
                )
        cases = read.cases(budget.cases)
        if not cases:
            raise PackageError(
                f"suite.{suite.id}.files", "at least one case: NAME.in with NAME.ans, or a line of a .jsonl file"
            )
        for where, case in cases:
            _check_own(case, where, read)
        if read.judge is None:
            _check_sizes(cases, budget.output_kib)
        return [(where, group_of(case.id, case.group, read.groups)) for where, case in cases]

    def case_count(self, suite: Suite) -> int:
        return lines_with_cases(suite.files) + sum(path.endswith(".in") for path in suite.files)

    def check_prelude(self, suite: Suite) -> None:
        if StdioSuite.of(suite).command:
            raise PackageError(
                f"suite.{suite.id}.command", "no command beside a prelude, which only the entry file has"
            )

    def judge(self, suite: Suite) -> str:
        judge = StdioSuite.of(suite).judge
        return "checker" if judge is None else judge.called

    def outcomes(
        self, context: Context, suite: Suite, limits: Limits, reporter: SuiteReporter
    ) -> Iterator[CaseOutcome]:
        return runner.outcomes(context, StdioSuite.of(suite), limits, reporter)

    def run_reference(self, context: Context, suite: Suite) -> Iterator[Execution]:
        return runner.run_reference(context, StdioSuite.of(suite))


def _check_own(case: StdioCase, where: str, suite: StdioSuite) -> None:
    """Raise PackageError if a case has an option that does not fit its suite."""
    if case.judge_args and suite.judge is None:
        raise PackageError(where, "no `judge_args` in a suite without a checker_file or an interactor_file")
    if case.comparison is not None and (suite.judge is not None or suite.several):
        raise PackageError(where, f"no `compare` in a suite whose checker is not one of {', '.join(COMPARED)}")


def _check_sizes(cases: Iterable[tuple[str, StdioCase]], output_kib: int) -> None:
    for where, case in cases:
        size = min(len(accepted.strip()) for accepted in case.accepted)
        if size > output_kib << 10:
            fits = f"an output that fits limits.output_kib, which is {output_kib}"
            raise PackageError(f"{where}, case {case.id}", f"{fits}; what is right is {size / 1024:.0f} KiB long")
