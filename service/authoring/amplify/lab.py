"""Programs in boxes, for `assay amplify`: what a reference answers, and which programs fail which cases."""

import json
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from graders.interface import (
    Context,
    Outcome,
    Submission,
    SubmissionId,
    Suite,
    TaskUnusable,
)
from graders.suites.call import runner as call_suite
from graders.suites.call.cases import NO_ANSWER, Case
from graders.suites.call.runner import Answer
from graders.suites.call.suite import CallSuite
from service.authoring.amplify.cases import value_of
from service.authoring.inputs.domain import Call, Domain, Place
from service.authoring.variants import SessionWithEnvironment, VariantRunner, all_passed

BATCH = 60
ANSWER_SECONDS = 0.25
"""An input for which the reference takes longer is not made a case: a right solution may be ten times slower."""
PATIENCE_SECONDS = 1.0
OFTEN = 3
"""A feature that makes one of `OFTEN` inputs fail with the reference, and at least two, is not meant."""
MOST_ENDLESS = 10
"""After this number of inputs on which the reference does not end, the rest of the batch is left out."""
HASH_SEEDS = ("1", "20071", "3", "777", "42")
"""Other orders of sets than in a box that nothing is set in. Two elements are in the same order every other time."""


class _Trouble:
    """Counts the features of new inputs that the reference often refuses.

    `change_base(0, 1)` is answered although 1 is not a base; on any other number the reference hangs there.
    """

    def __init__(self) -> None:
        self._tried: Counter[tuple[Place, str]] = Counter()
        self._refused: Counter[tuple[Place, str]] = Counter()

    def learn(self, news: frozenset[tuple[Place, str]], *, refused: bool) -> None:
        """Count the new features of an input (`Domain.news`)."""
        self._tried.update(news)
        self._refused.update(news if refused else ())

    def expects_answer(self, news: frozenset[tuple[Place, str]]) -> bool:
        return not any(self._refused[new] >= 2 and self._refused[new] * OFTEN >= self._tried[new] for new in news)


@dataclass(slots=True, kw_only=True)
class Laboratory:
    """Runs programs of one task."""

    trials: VariantRunner
    suite: Suite
    """The `call` suite that new cases are for."""
    _trouble: _Trouble = field(default_factory=_Trouble)

    def answered(
        self,
        inputs: Sequence[Call],
        domain: Domain,
        raises: frozenset[str],
        kinds: frozenset[type],
        left_out: Counter[str],
    ) -> list[tuple[Call, Answer]]:
        """Return the inputs that the reference answers in time and twice in the same way. `left_out` counts the others.

        `raises`: exceptions that count as answers, as cases expect them. `kinds`: types of known answers. If these are pairs
        and a list shorter than all known ones is answered with None, such a list is not meant.
        """
        self.trials.progress.start("asking the reference", total=len(inputs), done=0)
        trouble = self._trouble
        waiting = list(inputs)
        endless = 0
        kept: list[tuple[Call, Answer]] = []
        while waiting:
            if endless >= MOST_ENDLESS or time.monotonic() > self.trials.deadline:
                left_out["not asked, for want of time"] += len(waiting)
                break
            batch, waiting = waiting[:BATCH], waiting[BATCH:]
            asked = [call for call in batch if trouble.expects_answer(domain.news(call))]
            for _ in range(len(batch) - len(asked)):
                left_out["like inputs that the reference refuses"] += 1
                self.trials.progress.advance()
            answers = self._answers(asked)
            for index, (call, answer) in enumerate(zip(asked, answers, strict=True)):
                if answer.kind == "not-tried":  # one before it never ended; the rest is asked again
                    waiting = asked[index:] + waiting
                    break
                news = domain.news(call)
                why = _no_case(answer, raises)
                if not why and news and answer.kind == "value" and type(value_of(answer)) not in kinds:
                    why = "the answer is of another type than known ones"
                trouble.learn(news, refused=bool(why))
                endless += answer.kind == "ended"
                if why:
                    left_out[why] += 1
                else:
                    kept.append((call, answer))
                self.trials.progress.advance()
        meant = [each for each in kept if trouble.expects_answer(domain.news(each[0]))]
        left_out["like inputs that the reference refuses"] += len(kept) - len(meant)
        steady = self.steady(meant)
        left_out["answered differently when asked again"] += len(meant) - len(steady)
        return steady

    def steady(self, answered: Sequence[tuple[Call, Answer]]) -> list[tuple[Call, Answer]]:
        """Return the cases that the reference answers alike in other processes, in another order, with other orders of sets."""
        steady = list(answered)
        for seed in HASH_SEEDS:
            backwards = [call for call, _ in reversed(steady)]
            again: list[Answer] = []
            while len(again) < len(backwards):
                answers = self._answers(backwards[len(again) :], environment={"PYTHONHASHSEED": seed})
                again += [answer for answer in answers if answer.kind != "not-tried"]
            both = zip(steady, reversed(again), strict=True)
            steady = [each for each, answer in both if self._agree(each[1], answer)]
        return steady

    def known(self, calls: Sequence[Call]) -> list[tuple[Call, Answer]]:
        """Return the reference's answers to calls that it is known to answer, if they come in time."""
        return [each for each in zip(calls, self._answers(calls), strict=True) if each[1].kind in ("value", "raised")]

    def passing(self, programs: Mapping[str, Mapping[str, str]]) -> dict[str, bool]:
        """Return which programs (name -> files) pass the task's own suites. Programs without time to run are left out."""
        tried = self.trials.tried("mutants against the task's suites", programs)
        return {name: all_passed(outcomes) for name, outcomes in tried.items()}

    def failed(self, suite: Suite, programs: Mapping[str, Mapping[str, str]]) -> dict[str, frozenset[str]]:
        """Return the cases of a suite that each program (name -> files) fails. Programs without time to run are left out.

        If the author's predicate rejects the reference's answer, or breaks on it, every program fails.
        """
        trials = self.trials
        refused: frozenset[str] = frozenset()
        if CallSuite.of(suite).check is None:
            suite, refused = _split(suite, trials.accepted_of_reference(suite))
            if not suite.files:
                return dict.fromkeys(programs, refused)
        before = time.monotonic()
        trials.outcomes(trials.task.reference, suites=(suite,))
        limits = trials.limits(time.monotonic() - before)

        def fails(files: Mapping[str, str]) -> frozenset[str]:
            found = trials.outcomes(files, suites=(suite,), limits=limits)
            failed = frozenset(each.case for each in found if each.outcome in (Outcome.FAILED, Outcome.ERROR))
            return failed | refused

        return trials.each("programs against new cases", programs, fails)

    def _answers(self, calls: Sequence[Call], environment: Mapping[str, str] | None = None) -> Sequence[Answer]:
        """Return the reference's answers; `not-tried` after one that never ends. Raises TaskUnusable if it does not load."""
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
        task = self.trials.task
        submission = Submission(id=SubmissionId("amplify"), task_id=task.id, files=task.reference)
        with self.trials.sandbox.session() as session:
            # After one that never ended the rest is asked again, as long as there is time.
            context = Context(
                task=task,
                submission=submission,
                session=SessionWithEnvironment(session, environment or {}),
                most_lost=1,
            )
            patience = [PATIENCE_SECONDS] * len(cases)
            sitting = call_suite.sit(
                context, task.reference, CallSuite.of(self.suite), cases, patience,
                limits=task.limits, judged=lambda place, answer: answer, until_failure=False,  # noqa: ARG005
            )  # fmt: skip
        if sitting.load_failure:
            raise TaskUnusable(f"the reference cannot be loaded: {sitting.load_failure}")
        return sitting.answers

    def _agree(self, one: Answer, other: Answer) -> bool:
        """Return whether each answer would pass if the other were expected. A predicate may accept unlike answers."""
        if one.value is None or other.value is None:
            return (one.kind, one.raised) == (other.kind, other.raised)
        check = CallSuite.of(self.suite).check
        return check is None or check(one.value, other.value)


def _split(suite: Suite, accepted: frozenset[str]) -> tuple[Suite, frozenset[str]]:
    """Return the suite with only these cases (without files if there are none), and the ids of the others."""
    [(path, text)] = [(path, text) for path, text in suite.files.items() if path.endswith(".jsonl")]
    lines = {str(json.loads(line)["id"]): line for line in text.split("\n") if line.strip()}
    kept = "".join(f"{line}\n" for id, line in lines.items() if id in accepted)
    files = {**suite.files, path: kept} if kept else {}
    return replace(suite, id=f"{suite.id}/accepted", files=files), frozenset(lines) - accepted


def _no_case(answer: Answer, raises: frozenset[str]) -> str:
    """Return why this answer of the reference is not fit for a case; empty if it is."""
    if answer.kind == "raised":
        return "" if answer.raised and answer.raised[0] in raises else "the reference raises"
    if answer.kind == "ended":
        return "the reference does not end, or ends itself"
    if answer.kind == "refused":
        return "the answer cannot leave the box"
    return "the reference is slow" if (answer.seconds or 0.0) > ANSWER_SECONDS else ""
