"""`call` suites: inputs go into the box, typed values come out, and the host compares.

The submission's box never holds an expected value, the reference or more inputs than the present one and the few that
are sent ahead, so that a thousand small calls are not a thousand times to wake up. Where a case states no answer, the
reference's is expected; the reference runs in a box of its own, once per task version and worker.
"""

import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from graders.cases import NO_ANSWER, Case, parse_cases
from graders.compare import Check, check_named
from graders.driver import CALL
from graders.encoding import EncodingError, from_json, to_json
from graders.examination import Examinee, examine
from graders.groups import numbers
from graders.headroom import room
from graders.interface import CaseOutcome, Context, End, Execution, Limits, Outcome, Suite, TaskUnusable, UntrustedText

LOAD_SECONDS = 20.0
CASE_SECONDS = 10.0
"""The least that a case gets; see `_patience`."""
REFERENCE_FACTOR = 20.0
"""A case gets this many times what the reference took for it, where the reference was measured."""
RESTARTS = 2
"""A submission that ends the process is given a fresh one this often; after a time-out it is given none."""
SHOWN_CHARACTERS = 2000
SHOWN_CASES = 20
"""So many failing cases carry their texts; a submission that fails all of a thousand needs no thousand of them."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program made of one case."""

    kind: str
    """`value`, `raised`, `refused` (no place in the encoding), `ended` (no answer) or `not-run`."""
    value: object = None
    raised: tuple[str, ...] = ()
    """Names of the exception's class and of its bases."""
    text: str = ""
    end: str = ""
    seconds: float | None = None


def read_answer(answer: Mapping[str, Any], seconds: float) -> Answer:
    """The driver's answer, which may have been written by the submission: anything odd is a refused value."""
    try:
        if "value" in answer:
            return Answer("value", value=from_json(answer["value"]), seconds=seconds)
        raised = answer.get("raised")
        if isinstance(raised, dict):
            names = tuple(str(name) for name in raised.get("mro", ()))
            return Answer(
                "raised", raised=names, text=f"{raised.get('type')}: {raised.get('message')}", seconds=seconds
            )
        return Answer("refused", text=str(answer.get("refused", "a malformed answer")), seconds=seconds)
    except (EncodingError, TypeError) as error:
        return Answer("refused", text=str(error), seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """All answers of one program to a suite, and how its processes ended."""

    answers: tuple[Answer, ...]
    executions: tuple[Execution, ...]
    load_failure: str = ""
    """Why the module or the function could not be loaded."""


def sit(
    context: Context,
    files: Mapping[str, str],
    suite: Suite,
    cases: Sequence[Case],
    patience: Sequence[float],
    *,
    limits: Limits,
    enough: Callable[[int, Answer], bool] = lambda place, answer: False,  # noqa: ARG005
) -> Sitting:
    """Put the cases to the program in `files`, one after the other, `patience` seconds each, `limits` for all.

    `enough(place, answer)` is asked after each answer; where it is true, nothing more is put.
    """
    answers: list[Answer] = []
    executions: list[Execution] = []
    load_failure = ""
    boxed = {f"submission/{path}": text for path, text in files.items()}
    question = {"module": PurePosixPath(context.task.entry_file).stem, "function": suite.options["entry_point"]}
    for _ in range(1 + RESTARTS):
        with examine(context.session, CALL, ("submission",), boxed, limits) as examinee:
            loaded = examinee.ask(question, seconds=LOAD_SECONDS)
            if loaded is not None and "value" in loaded:
                rest = slice(len(answers), None)
                for answer in _put(examinee, cases[rest], patience[rest], one_by_one=_stops(suite)):
                    answers.append(answer)
                    if enough(len(answers) - 1, answer):
                        break
                load_failure = ""
            elif loaded is not None:
                load_failure = read_answer(loaded, 0.0).text
            execution = examinee.finish()
        executions.append(execution)
        if len(answers) == len(cases) or load_failure or (answers and enough(len(answers) - 1, answers[-1])):
            break
        ended = "loading" if loaded is None else "a case"
        answers.append(
            Answer("ended", text=examinee.broke or f"the program ended during {ended}", end=execution.end.value)
        )
        if loaded is None or execution.end is not End.EXITED or enough(len(answers) - 1, answers[-1]):
            break
    answers += [Answer("not-run")] * (len(cases) - len(answers))
    return Sitting(answers=tuple(answers), executions=tuple(executions), load_failure=load_failure)


def _put(examinee: Examinee, cases: Sequence[Case], patience: Sequence[float], *, one_by_one: bool) -> Iterator[Answer]:
    questions = zip(map(_question, cases), patience, strict=True)
    # Nothing is asked after a failure that stops the suite, so nothing is sent ahead then.
    answers = _one_by_one(examinee, questions) if one_by_one else examinee.ask_each(questions)
    for answer in answers:
        yield read_answer(answer, examinee.seconds)


def _question(case: Case) -> dict[str, object]:
    return {
        "args": [to_json(value) for value in case.args],
        "kwargs": {name: to_json(value) for name, value in case.kwargs.items()},
    }


def _one_by_one(
    examinee: Examinee, questions: Iterable[tuple[Mapping[str, object], float]]
) -> Iterator[dict[str, Any]]:
    for question, seconds in questions:
        answer = examinee.ask(question, seconds=seconds)
        if answer is None:
            return
        yield answer


def expected_answers(context: Context, suite: Suite, cases: Sequence[Case]) -> Sequence[Answer]:
    """For each case what is expected: as the case states it, else as the reference answers it.

    Raises TaskUnusable where the reference does not answer a case that needs it.
    """
    # Where limits are relative, so is the patience with a case.
    if not context.task.relative and not any(map(_needs_reference, cases)):
        return [_stated(case) for case in cases]
    key = f"call/{suite.id}/reference"
    reference = context.remember(key, lambda: _sit_reference(context, suite, cases))
    assert isinstance(reference, Sitting)
    return [
        answer if _needs_reference(case) else replace(_stated(case), seconds=answer.seconds)
        for case, answer in zip(cases, reference.answers, strict=True)
    ]


def _needs_reference(case: Case) -> bool:
    """True where the case itself does not state what is expected."""
    return case.expected is NO_ANSWER and case.raises is None


def _stated(case: Case) -> Answer:
    if case.raises is not None:
        return Answer("raised", raised=(case.raises,), text=case.raises)
    return Answer("value", value=case.expected)


def _sit_reference(context: Context, suite: Suite, cases: Sequence[Case]) -> Sitting:
    limits = context.task.limits
    sitting = sit(context, context.task.reference, suite, cases, [limits.wall_seconds] * len(cases), limits=limits)
    if sitting.load_failure:
        problem = f"suite {suite.id}: the reference cannot be loaded: {sitting.load_failure}"
        raise TaskUnusable(problem, suite=suite.id)
    for case, answer in zip(cases, sitting.answers, strict=True):
        if _needs_reference(case) and answer.kind not in ("value", "raised"):
            raise TaskUnusable(
                f"suite {suite.id}, case {case.id}: the reference gives no answer: {answer.text or answer.kind}",
                suite=suite.id,
                case=numbers(each.id for each in cases)[case.id],
            )
    return sitting


def _stops(suite: Suite) -> bool:
    return suite.options.get("stop_on_failure") is True


def _patience(expected: Answer) -> float:
    return room(expected.seconds or 0.0, times=REFERENCE_FACTOR, least=CASE_SECONDS)


def run_reference(context: Context, suite: Suite) -> Sequence[Execution]:
    """One run of the reference, to measure it. Raises TaskUnusable."""
    return _sit_reference(context, suite, _cases(context, suite)).executions


def outcomes(context: Context, suite: Suite, limits: Limits, grader: str, criterion: str) -> Iterator[CaseOutcome]:
    """One outcome for each case, in the order in which they were put. `limits` are the submission's.

    Raises TaskUnusable.
    """
    in_order = _cases(context, suite)
    by_id = dict(zip((case.id for case in in_order), expected_answers(context, suite, in_order), strict=True))
    # Another order for each submission: answers by rote, the n-th to the n-th call, meet other questions.
    cases = random.Random(context.submission.id).sample(in_order, len(in_order))
    expected = [by_id[case.id] for case in cases]
    patience = [_patience(answer) for answer in expected]
    check = _check(suite)

    def failed(place: int, answer: Answer) -> bool:
        """Whether nothing more is to be put. What a predicate has to say of a value is known at the end only."""
        return (
            _stops(suite)
            and not (check is None and answer.kind == "value")
            and not _accepted(check, expected[place], answer)
        )

    sitting = sit(context, context.submission.files, suite, cases, patience, limits=limits, enough=failed)
    for execution in sitting.executions:
        context.ended(execution)
    verdicts = _verdicts(context, suite, cases, expected, sitting)
    shown = 0
    for case, wanted, answer, passed in zip(cases, expected, sitting.answers, verdicts, strict=True):
        outcome = _outcome(answer, passed=passed)
        tell = outcome is not Outcome.PASSED and shown < SHOWN_CASES
        shown += tell
        yield CaseOutcome(
            grader=grader,
            criterion=criterion,
            suite=suite.id,
            case=case.id,
            outcome=outcome,
            weight=case.weight * suite.weight,
            group=case.group,
            end=answer.end,
            seconds=answer.seconds,
            given=UntrustedText(case.shown if tell else ""),
            wanted=UntrustedText(_shown(wanted) if tell else ""),
            got=UntrustedText((sitting.load_failure or _shown(answer))[:SHOWN_CHARACTERS] if tell else ""),
        )


def _outcome(answer: Answer, *, passed: bool) -> Outcome:
    if passed:
        return Outcome.PASSED
    return {"ended": Outcome.ERROR, "not-run": Outcome.NOT_RUN}.get(answer.kind, Outcome.FAILED)


def _shown(answer: Answer) -> str:
    if answer.kind != "value":
        return {"not-run": "not run"}.get(answer.kind, answer.text)[:SHOWN_CHARACTERS]
    try:
        return repr(answer.value)[:SHOWN_CHARACTERS]
    except ValueError:  # an integer of more digits than Python prints
        return "a very large integer"


def _cases(context: Context, suite: Suite) -> tuple[Case, ...]:
    [(name, text)] = [(name, text) for name, text in suite.files.items() if name.endswith(".jsonl")]
    entry_point = str(suite.options["entry_point"])
    cases = context.remember(f"call/{suite.id}/cases", lambda: parse_cases(text, name=name, entry_point=entry_point))
    assert isinstance(cases, tuple)
    return cases


def _verdicts(
    context: Context, suite: Suite, cases: Sequence[Case], expected: Sequence[Answer], sitting: Sitting
) -> Sequence[bool]:
    """Whether each answer is the expected one."""
    check = _check(suite)
    if check is None:
        return _judged_in_box(context, suite, cases, expected, sitting)
    return [_accepted(check, wanted, answer) for wanted, answer in zip(expected, sitting.answers, strict=True)]


def _check(suite: Suite) -> Check | None:
    """None where the author's predicate decides, in a box."""
    checker = str(suite.options.get("checker", "exact"))
    return None if checker == "predicate" else check_named(checker, suite.options)


def _accepted(check: Check | None, wanted: Answer, answer: Answer) -> bool:
    if wanted.kind == answer.kind == "value":
        return check is not None and check(wanted.value, answer.value)
    return _raised_as_expected(wanted, answer)


def _raised_as_expected(wanted: Answer, answer: Answer) -> bool:
    return wanted.kind == answer.kind == "raised" and wanted.raised[0] in answer.raised


def _judged_in_box(
    context: Context, suite: Suite, cases: Sequence[Case], expected: Sequence[Answer], sitting: Sitting
) -> Sequence[bool]:
    """The author's predicate decides, in a box of its own. One that raises, or is not done in time, has not accepted."""
    [text] = [text for name, text in suite.files.items() if name.endswith(".py")]
    to_judge = [
        (case, wanted, answer)
        for case, wanted, answer in zip(cases, expected, sitting.answers, strict=True)
        if wanted.kind == answer.kind == "value"
    ]
    questions = (
        ({"args": [to_json(list(case.args)), to_json(wanted.value), to_json(answer.value)], "kwargs": {}}, CASE_SECONDS)
        for case, wanted, answer in to_judge
    )
    with examine(context.session, CALL, ("checker",), {"checker/checker.py": text}, context.task.limits) as judge:
        loaded = judge.ask({"module": "checker", "function": "accepts"}, seconds=LOAD_SECONDS)
        if loaded is None or "value" not in loaded:
            problem = f"suite {suite.id}: its checker cannot be loaded: {judge.broke or loaded}"
            raise TaskUnusable(problem, suite=suite.id)
        said = zip(to_judge, judge.ask_each(questions), strict=False)
        accepted = {case.id for (case, _, _), verdict in said if verdict.get("value") is True}
    return [
        case.id in accepted or _raised_as_expected(wanted, answer)
        for case, wanted, answer in zip(cases, expected, sitting.answers, strict=True)
    ]
