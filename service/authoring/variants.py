"""Programs in the place of a submission, judged by a task's own suites: the reference, mutants of it, answers that do nothing.

Several boxes run at a time; what comes out does not depend on which is done first.
"""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from graders.builtin.hidden_tests import HiddenTests
from graders.interface import (
    CaseOutcome,
    Command,
    Context,
    ContextCache,
    Conversation,
    Execution,
    Limits,
    Outcome,
    Session,
    Submission,
    SubmissionId,
    Suite,
    Task,
    TaskUnusable,
    fresh_cache,
)
from graders.suites.call import runner as call_suite
from graders.suites.call.suite import CallSuite
from sandboxes.interface import Sandbox
from service.progress import Progress

_Result = TypeVar("_Result")

MOST_LOST = 2
"""Fewer than for a submission: if a mutant never ends, one case shows that."""

LEAST_SECONDS, TIMES = 2.0, 10.0
"""A mutant gets ten times what the reference took, and at least this: those that never end cost the most of all."""


@dataclass(slots=True, kw_only=True)
class VariantRunner:
    """Runs programs of one task."""

    task: Task
    sandbox: Sandbox
    progress: Progress
    deadline: float
    """By time.monotonic(). Programs that did not run by then are left out."""
    unseen: int = 0
    """Number of programs that did not run because time was up."""
    _took: float = 0.0
    """Seconds that the reference needs for the task's own suites."""
    _memory: ContextCache = field(default_factory=fresh_cache)

    def check_reference(self) -> None:
        """Raise TaskUnusable if the reference fails a case: its answers to other inputs are worth nothing then."""
        before = time.monotonic()
        for outcome in self.outcomes(self.task.reference):
            if outcome.outcome is not Outcome.PASSED:
                which = f"case {outcome.case} of suite {outcome.suite}"
                raise TaskUnusable(f"the reference does not pass {which} ({outcome.outcome}); `assay verify` says more")
        self._took = time.monotonic() - before

    def tried(self, what: str, programs: Mapping[str, Mapping[str, str]]) -> dict[str, list[CaseOutcome]]:
        """Return the outcomes of each program (name -> files) in the task's own suites. Those without time are left out."""
        limits = self.limits(self._took)
        return self.each(what, programs, lambda files: self.outcomes(files, limits=limits))

    def each(
        self, what: str, programs: Mapping[str, Mapping[str, str]], look: Callable[[Mapping[str, str]], _Result]
    ) -> dict[str, _Result]:
        """Return the result of `look` for each program. Those without time to run are left out and counted."""
        self.progress.start(what, total=len(programs), done=0)

        def in_time(name: str) -> _Result | None:
            return look(programs[name]) if time.monotonic() < self.deadline else None

        found = {}
        with ThreadPoolExecutor(os.cpu_count()) as workers:
            for name, result in zip(programs, workers.map(in_time, programs), strict=True):
                if result is not None:
                    found[name] = result
                self.progress.advance()
        self.unseen += len(programs) - len(found)
        return found

    def limits(self, seconds: float) -> Limits:
        """Return the limits for a variant, given how long the reference took."""
        most = max(LEAST_SECONDS, TIMES * seconds)
        limits = self.task.limits
        return replace(limits, wall_seconds=min(most, limits.wall_seconds), cpu_seconds=min(most, limits.cpu_seconds))

    def outcomes(
        self,
        files: Mapping[str, str],
        *,
        suites: tuple[Suite, ...] = (),
        limits: Limits | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> list[CaseOutcome]:
        """Return the outcomes of these files as a submission, judged like every submission.

        `suites`, `limits`: replace the task's. `environment`: variables that the programs get beside the usual ones.
        """
        task = replace(self.task, suites=suites or self.task.suites, limits=limits or self.task.limits, relative={})
        submission = Submission(id=SubmissionId("trial"), task_id=task.id, files=files)
        with self.sandbox.session() as session:
            context = Context(
                task=task, submission=submission, session=SessionWithEnvironment(session, environment or {}), remember=self._memory,
                most_lost=MOST_LOST,
            )  # fmt: skip
            return [signal for signal in HiddenTests().grade(context) if isinstance(signal, CaseOutcome)]

    def accepted_of_reference(self, suite: Suite) -> frozenset[str]:
        """Return the cases of a suite in which the author's predicate accepts the reference's answer and does not break on it.

        Raises TaskUnusable.
        """
        submission = Submission(id=SubmissionId("trial"), task_id=self.task.id, files=self.task.reference)
        with self.sandbox.session() as session:
            context = Context(task=self.task, submission=submission, session=session, remember=self._memory)
            verdicts = call_suite.verdicts_on_reference(context, CallSuite.of(suite))
        return frozenset(id for id, verdict in verdicts.items() if verdict.accepted)


def mutant_name(number: int) -> str:
    """Return the name of the mutant with this index, among programs and in reports."""
    return f"mutant {number + 1}"


def all_passed(outcomes: Iterable[CaseOutcome]) -> bool:
    return all(each.outcome is Outcome.PASSED for each in outcomes)


@dataclass(frozen=True, slots=True)
class SessionWithEnvironment:
    """A session whose programs get something added to their environment."""

    session: Session
    environment: Mapping[str, str]

    def run(self, command: Command) -> Execution:
        return self.session.run(self._changed(command))

    def converse(self, command: Command) -> AbstractContextManager[Conversation]:
        return self.session.converse(self._changed(command))

    def pair(self, first: Command, second: Command) -> AbstractContextManager[tuple[Conversation, Conversation]]:
        return self.session.pair(self._changed(first), self._changed(second))

    def _changed(self, command: Command) -> Command:
        return replace(command, environment={**command.environment, **self.environment})
