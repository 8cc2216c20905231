"""Programs in boxes, for `assay amplify`: what a reference answers, and which programs fail which cases.

Several boxes run at a time; what comes out does not depend on which is done first.
"""

import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from graders import call_suite
from graders.call_suite import Answer
from graders.cases import NO_ANSWER, Case
from graders.compare import check_named
from graders.domain import Call, Domain, Place
from graders.hidden_tests import HiddenTests
from graders.interface import (
    CaseOutcome,
    Command,
    Context,
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
)
from sandboxes.interface import Sandbox
from service.progress import Progress

_Result = TypeVar("_Result")

BATCH = 60
ANSWER_SECONDS = 0.25
"""An input that the reference needs longer for is no case: a solution may be right and ten times slower."""
PATIENCE_SECONDS = 1.0
LEAST_SECONDS, TIMES = 2.0, 10.0
"""A mutant gets ten times what the reference took, and at least this: those that never end cost the most of all."""
OFTEN = 3
"""What fails with the reference once in so many times, and at least twice, is not meant, even where it is answered."""
MOST_ENDLESS = 10
"""So many inputs may keep the reference from ending; then no more of this lot are asked."""
HASH_SEEDS = ("1", "20071", "3", "777", "42")
"""Other orders of sets than in a box that nothing is set in. Two elements are in the same order every other time."""


class _Trouble:
    """Which kinds of inputs the reference has trouble with: those new ones that it often refuses.

    `change_base(0, 1)` is answered, and 1 is no base: any other number hangs there.
    """

    def __init__(self) -> None:
        self._tried: Counter[tuple[Place, str]] = Counter()
        self._refused: Counter[tuple[Place, str]] = Counter()

    def learn(self, news: frozenset[tuple[Place, str]], *, refused: bool) -> None:
        """`news`: what is new in an input, by `Domain.news`."""
        self._tried.update(news)
        self._refused.update(news if refused else ())

    def expects_answer(self, news: frozenset[tuple[Place, str]]) -> bool:
        return not any(self._refused[new] >= 2 and self._refused[new] * OFTEN >= self._tried[new] for new in news)


@dataclass(slots=True, kw_only=True)
class Laboratory:
    """Runs programs of one task."""

    task: Task
    suite: Suite
    """The `call` suite that new cases are for."""
    sandbox: Sandbox
    progress: Progress
    deadline: float
    """By time.monotonic(). Programs that did not run by then are left out."""
    unseen: int = 0
    """So many were."""
    _trouble: _Trouble = field(default_factory=_Trouble)
    _took: float = 0.0
    """Seconds that the reference needs for the task's own suites."""
    _memory: dict[str, object] = field(default_factory=dict)

    def check_reference(self) -> None:
        """Raises TaskUnusable where the reference fails a case: what it says of other inputs is worth nothing then."""
        before = time.monotonic()
        for outcome in self._outcomes(self.task.reference, self.task.suites, self.task.limits):
            if outcome.outcome is not Outcome.PASSED:
                which = f"case {outcome.case} of suite {outcome.suite}"
                raise TaskUnusable(f"the reference does not pass {which} ({outcome.outcome}); `assay verify` says more")
        self._took = time.monotonic() - before

    def answered(
        self,
        inputs: Sequence[Call],
        domain: Domain,
        raises: frozenset[str],
        kinds: frozenset[type],
        left_out: Counter[str],
    ) -> list[tuple[Call, Answer]]:
        """What the reference answers, in time, the same when it is asked again. `left_out` counts the rest by reason.

        `raises`: exceptions that are answers, as cases expect them. `kinds`: types of known answers. A None for a list that is
        shorter than all known ones, where they give pairs, says that such a list is not meant.
        """
        self.progress.start("asking the reference", total=len(inputs), done=0)
        trouble = self._trouble
        waiting = list(inputs)
        endless = 0
        kept: list[tuple[Call, Answer]] = []
        while waiting:
            if endless >= MOST_ENDLESS or time.monotonic() > self.deadline:
                left_out["not asked, for want of time"] += len(waiting)
                break
            batch, waiting = waiting[:BATCH], waiting[BATCH:]
            asked = [call for call in batch if trouble.expects_answer(domain.news(call))]
            for _ in range(len(batch) - len(asked)):
                left_out["like inputs that the reference refuses"] += 1
                self.progress.advance()
            answers = self._answers(asked)
            for index, (call, answer) in enumerate(zip(asked, answers, strict=True)):
                if answer.kind == "not-run":  # one before it never ended; the rest is asked again
                    waiting = asked[index:] + waiting
                    break
                news = domain.news(call)
                why = _no_case(answer, raises)
                if not why and news and answer.kind == "value" and type(answer.value) not in kinds:
                    why = "the answer is of another type than known ones"
                trouble.learn(news, refused=bool(why))
                endless += answer.kind == "ended"
                if why:
                    left_out[why] += 1
                else:
                    kept.append((call, answer))
                self.progress.advance()
        meant = [each for each in kept if trouble.expects_answer(domain.news(each[0]))]
        left_out["like inputs that the reference refuses"] += len(kept) - len(meant)
        steady = self.steady(meant)
        left_out["answered differently when asked again"] += len(meant) - len(steady)
        return steady

    def steady(self, answered: Sequence[tuple[Call, Answer]]) -> list[tuple[Call, Answer]]:
        """Those that the reference answers the same in other processes, in another order, with other orders of sets."""
        steady = list(answered)
        for seed in HASH_SEEDS:
            backwards = [call for call, _ in reversed(steady)]
            again: list[Answer] = []
            while len(again) < len(backwards):
                answers = self._answers(backwards[len(again) :], environment={"PYTHONHASHSEED": seed})
                again += [answer for answer in answers if answer.kind != "not-run"]
            both = zip(steady, reversed(again), strict=True)
            steady = [each for each, answer in both if self._agree(each[1], answer)]
        return steady

    def known(self, calls: Sequence[Call]) -> list[tuple[Call, Answer]]:
        """What the reference answers to calls that it is known to answer, as far as it does so in time."""
        return [each for each in zip(calls, self._answers(calls), strict=True) if each[1].kind in ("value", "raised")]

    def passing(self, programs: Mapping[str, Mapping[str, str]]) -> dict[str, bool]:
        """Which programs (name -> files) pass the task's own suites. Those that there is no time for are left out."""
        self.progress.start("mutants against the task's suites", total=len(programs), done=0)
        limits = self._limits(self._took)

        def passes(files: Mapping[str, str]) -> bool:
            found = self._outcomes(files, self.task.suites, limits)
            return all(each.outcome is Outcome.PASSED for each in found)

        return self._each(programs, passes)

    def failed(self, suite: Suite, programs: Mapping[str, Mapping[str, str]]) -> dict[str, frozenset[str]]:
        """The cases of a suite that each program (name -> files) fails. Those that there is no time for are left out."""
        self.progress.start("programs against new cases", total=len(programs), done=0)
        before = time.monotonic()
        self._outcomes(self.task.reference, (suite,), self.task.limits)
        limits = self._limits(time.monotonic() - before)

        def fails(files: Mapping[str, str]) -> frozenset[str]:
            found = self._outcomes(files, (suite,), limits)
            return frozenset(each.case for each in found if each.outcome not in (Outcome.PASSED, Outcome.NOT_RUN))

        return self._each(programs, fails)

    def _each(
        self, programs: Mapping[str, Mapping[str, str]], look: Callable[[Mapping[str, str]], _Result]
    ) -> dict[str, _Result]:
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

    def _limits(self, seconds: float) -> Limits:
        """For a program of which the right one took so long."""
        most = max(LEAST_SECONDS, TIMES * seconds)
        limits = self.task.limits
        return replace(limits, wall_seconds=min(most, limits.wall_seconds), cpu_seconds=min(most, limits.cpu_seconds))

    def _outcomes(self, files: Mapping[str, str], suites: tuple[Suite, ...], limits: Limits) -> list[CaseOutcome]:
        """What becomes of these files as a submission, judged as every submission is."""
        task = replace(self.task, suites=suites, limits=limits, relative={})
        submission = Submission(id=SubmissionId("amplify"), task_id=task.id, files=files)
        with self.sandbox.session() as session:
            context = Context(task=task, submission=submission, session=session, remember=self._remember)
            return [signal for signal in HiddenTests().grade(context) if isinstance(signal, CaseOutcome)]

    def _remember(self, key: str, make: Callable[[], object]) -> object:
        if key not in self._memory:
            self._memory[key] = make()  # twice, where two threads are at it; either will do
        return self._memory[key]

    def _answers(self, calls: Sequence[Call], environment: Mapping[str, str] | None = None) -> Sequence[Answer]:
        """The reference's; those after one that never ended are `not-run`. Raises TaskUnusable where it does not load."""
        cases = [
            Case(
                id=str(number),
                args=call.args,
                kwargs=call.kwargs,
                expected=NO_ANSWER,
                raises=None,
                weight=1.0,
                shown="",
            )
            for number, call in enumerate(calls)
        ]
        task = self.task
        submission = Submission(id=SubmissionId("amplify"), task_id=task.id, files=task.reference)
        with self.sandbox.session() as session:
            context = Context(task=task, submission=submission, session=_With(session, environment or {}))
            patience = [PATIENCE_SECONDS] * len(cases)
            sitting = call_suite.sit(context, task.reference, self.suite, cases, patience, limits=task.limits)
        if sitting.load_failure:
            raise TaskUnusable(f"the reference cannot be loaded: {sitting.load_failure}")
        return sitting.answers

    def _agree(self, one: Answer, other: Answer) -> bool:
        """Whether both answers would pass for each other. A predicate has many right ones, which need not be alike."""
        if one.kind != "value" or other.kind != "value":
            return (one.kind, one.raised) == (other.kind, other.raised)
        checker = str(self.suite.options.get("checker", "exact"))
        return checker == "predicate" or check_named(checker, self.suite.options)(one.value, other.value)


def _no_case(answer: Answer, raises: frozenset[str]) -> str:
    """Why this answer of the reference makes no case; empty where it makes one."""
    if answer.kind == "raised":
        return "" if answer.raised and answer.raised[0] in raises else "the reference raises"
    if answer.kind == "ended":
        return "the reference does not end, or ends itself"
    if answer.kind == "refused":
        return "the answer cannot leave the box"
    return "the reference is slow" if (answer.seconds or 0.0) > ANSWER_SECONDS else ""


@dataclass(frozen=True, slots=True)
class _With:
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
