"""The interface of a kind of suite. The rest of Assay knows `call`, `stdio` and the other kinds only through it.

A kind is a folder beside this module, and a line in graders/suites/kinds.py.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import ClassVar

from graders.interface import CaseOutcome, Context, Execution, Limits, Suite
from graders.suites.fields import PackageBudget
from graders.suites.reporting import SuiteReporter

NamedGroups = Iterable[tuple[str, str]]
"""The place and the group of each case; the group is empty if it has none."""


class SuiteKind(ABC):
    """Reads, runs and describes the suites of one kind."""

    name: ClassVar[str]
    """The `kind` of a suite's table in task.toml."""
    runs_programs: ClassVar[bool] = False
    """True if each case is a run of a whole program, which ends itself; False if a case is a call or a test."""

    @abstractmethod
    def check(self, suite: Suite, budget: PackageBudget) -> NamedGroups | None:
        """Raise PackageError or CaseError unless options and files fit. Return None if only a run shows the cases."""

    @abstractmethod
    def outcomes(
        self, context: Context, suite: Suite, limits: Limits, reporter: SuiteReporter
    ) -> Iterator[CaseOutcome]:
        """Run the submission, and yield one outcome for each case, in the order in which they ran.

        `limits` are the submission's. Raises TaskUnusable.
        """

    @abstractmethod
    def run_reference(self, context: Context, suite: Suite) -> Iterable[Execution]:
        """Run the reference once, to measure it. Raises TaskUnusable if it does not pass."""

    def case_count(self, suite: Suite) -> int | None:  # noqa: ARG002
        """Return the number of cases, or None if only a run shows it."""
        return None

    def check_prelude(self, suite: Suite) -> None:  # noqa: B027
        """Raise PackageError if the task cannot have a prelude beside this suite."""

    def judge(self, suite: Suite) -> str:  # noqa: ARG002
        """Return the name of the author's program that judges: `checker` or `interactor`."""
        return "checker"

    def advice(self, context: Context, suite: Suite) -> Iterator[str]:  # noqa: ARG002
        """Yield sentences about mistakes in the suite's own files, for the author."""
        yield from ()
