"""`pytest`, `property` and `program`: the cases are tests, and only the reference's run shows which there are."""

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from graders.interface import CaseOutcome, Context, Execution, Limits, Suite
from graders.suites.behaviour import SHOWN
from graders.suites.fields import PackageBudget, PackageError
from graders.suites.kind import SuiteKind
from graders.suites.reporting import SuiteReporter
from graders.suites.tests import runner
from graders.suites.tests.suite import SuiteOfTests, program_suite, property_suite, pytest_suite
from graders.suites.tests.unchanged import vacuous

_TEST_FILE = re.compile(r"(test_.*|.*_test)\.py")


class PytestKind(SuiteKind):
    """Suites of pytest files. The other kinds of tests differ in how they are read."""

    name = "pytest"

    def read(self, suite: Suite) -> SuiteOfTests:
        """Return the suite with typed options. Raise PackageError if they do not fit."""
        return pytest_suite(suite)

    def check(self, suite: Suite, budget: PackageBudget) -> None:
        self.read(suite)
        if not any(_TEST_FILE.fullmatch(PurePosixPath(path).name) for path in suite.files):
            raise PackageError(f"suite.{suite.id}.files", "at least one test file, named test_*.py or *_test.py")
        for path, text in suite.files.items():
            if path.endswith(".py"):
                budget.parsed(path, text)

    def outcomes(
        self, context: Context, suite: Suite, limits: Limits, reporter: SuiteReporter
    ) -> Iterator[CaseOutcome]:
        return runner.outcomes(context, self.read(suite), limits, reporter)

    def run_reference(self, context: Context, suite: Suite) -> Sequence[Execution]:
        return runner.run_reference(context, self.read(suite))


class PropertyKind(PytestKind):
    """Suites whose tests draw examples with Hypothesis, and may compare with the reference."""

    name = "property"

    def read(self, suite: Suite) -> SuiteOfTests:
        return property_suite(suite)

    def check_prelude(self, suite: Suite) -> None:
        raise PackageError("prelude", f"suites that are not of kind property, as {suite.id} is: its reference has none")

    def advice(self, context: Context, suite: Suite) -> Iterator[str]:
        """Yield a sentence for each property that checks its arguments for changes and cannot see them."""
        properties = self.read(suite).properties
        if properties is None or properties.shares_values:
            return
        entry = PurePosixPath(context.task.entry_file).stem
        found = context.remember(f"property/{suite.id}/vacuous", lambda: tuple(vacuous(suite.files, entry)))
        for test, argument in found[:SHOWN]:
            yield (
                f"Suite {suite.id}: {test} looks whether `{argument}` was changed, and passes whatever is done to it: each "
                "call is given values drawn anew. With shares_values = true in the suite's table it sees the changes."
            )


class ProgramKind(PytestKind):
    """Suites whose tests are programs: a function `check(candidate)`, unittest classes or plain statements."""

    name = "program"

    def read(self, suite: Suite) -> SuiteOfTests:
        return program_suite(suite)

    def check(self, suite: Suite, budget: PackageBudget) -> None:
        read = self.read(suite)
        defined = [budget.functions(path, text) for path, text in suite.files.items() if path.endswith(".py")]
        place = f"suite.{suite.id}.files"
        if not defined:
            raise PackageError(place, "at least one .py file with tests")
        has_check = any("check" in functions for functions in defined)
        if read.program is not None and read.program.entry_point is not None and not has_check:
            raise PackageError(place, "a .py file with a function `check(candidate)`, as entry_point asks for")
