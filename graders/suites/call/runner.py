"""`call` suites: inputs go into the box, typed values come out, and the host compares.

The submission's box never holds an expected value or the reference. It holds the present input and a few that are sent
ahead, so that a thousand small calls do not wake two processes a thousand times. If a case states no answer, the
reference's answer is expected. The reference runs in a box of its own, once per task version and worker.
"""

import hashlib
import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from graders.boxed.shared.encoding import EncodingError, Tree, dump, parse, to_json
from graders.drivers import CALL, prelude_file
from graders.interface import CaseOutcome, Context, Execution, Limits, Outcome, TaskUnusable
from graders.suites.call import predicate
from graders.suites.call.cases import NO_ANSWER, Case, parse_cases
from graders.suites.call.compare import Check
from graders.suites.call.suite import CallSuite
from graders.suites.driver_client import DriverClient, open_driver
from graders.suites.relative_limits import room
from graders.suites.reporting import SHOWN_CASES, CaseTexts, SuiteReporter
from graders.suites.scoring import numbers
from graders.suites.shared_limits import Turns, used_up_by_others
from graders.suites.values.description import Description, describe, described
from graders.suites.values.messages import SHOWN_CHARACTERS, object_of, text_of, texts_of
from graders.suites.values.shown import shown
from graders.suites.verdicts import NO_VERDICT

LOAD_SECONDS = 20.0
CASE_SECONDS = 10.0
"""The least time for a case; see `_patience`."""
REFERENCE_FACTOR = 20.0
"""If the reference was measured, a case gets this multiple of the reference's time."""
MOST_BASES = 100
"""The most classes of an exception that are read, and the most characters of each class name."""
MOST_PENDING = 64 << 20
"""The most bytes of a submission's answers that wait for the author's predicate at the same time."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer of a program to one case."""

    kind: str
    """`value`, `raised`, `refused` (no place in the encoding), `ended` (no answer), `not-run` or `not-tried`."""
    value: Description | None = None
    raised: tuple[str, ...] = ()
    """Names of the exception's class and of its bases."""
    text: str = ""
    end: str = ""
    seconds: float | None = None
    passed: bool | None = None
    """The verdict; None while there is none."""
    pending: bytes = b""
    """The value's tree as JSON, if it waits for a verdict in a box. Once read, it takes twenty times the memory."""


def read_answer(answer: Mapping[str, Any], seconds: float) -> Answer:
    """Read the driver's answer. The submission may have written it, so anything odd is a refused value."""
    try:
        if "value" in answer:
            return Answer("value", value=describe(answer["value"]), seconds=seconds)
    except EncodingError as error:
        return Answer("refused", text=f"refused: {error}", seconds=seconds)
    if "raised" in answer:
        raised = object_of(answer["raised"])
        names = texts_of(raised.get("mro"), MOST_BASES, MOST_BASES)
        text = f"{text_of(raised.get('type'), MOST_BASES)}: {text_of(raised.get('message'))}"
        return Answer("raised", raised=names, text=text[:SHOWN_CHARACTERS], seconds=seconds)
    text = f"refused: {text_of(answer.get('refused')) or 'a malformed answer'}"
    return Answer("refused", text=text[:SHOWN_CHARACTERS], seconds=seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallAttempt:
    """All answers of one program to a suite, as `judged` returned them, and how its processes ended."""

    answers: tuple[Answer, ...]
    executions: tuple[Execution, ...]
    load_failure: str = ""
    """Why the module or the function could not be loaded."""


def sit(
    context: Context,
    files: Mapping[str, str],
    suite: CallSuite,
    cases: Sequence[Case],
    patience: Sequence[float],
    *,
    limits: Limits,
    judged: Callable[[int, Answer], Answer],
    until_failure: bool,
) -> CallAttempt:
    """Put the cases to the program in `files`, one after the other, `patience` seconds each.

    A process has `limits` for all its cases. If the cases before it had used them up, a case is asked again in a
    fresh process. The rest is `not-tried` after `Context.most_lost` cases that ran out of a limit or ended their
    process, and when `Turns` allows no other process. Of each answer `judged(place, answer)` is kept. With
    `until_failure` no case is put after the first that has not passed.
    """
    answers: list[Answer] = []
    executions: list[Execution] = []
    boxed = {f"submission/{path}": text for path, text in files.items()} | prelude_file(context.task)
    question = {"module": PurePosixPath(context.task.entry_file).stem, "function": suite.entry_point}
    turns = Turns()
    load_failure = ""
    over = False
    while not over and len(answers) < len(cases) and turns.are_left(context.most_lost):
        start = len(answers)
        with open_driver(context.session, CALL, ("submission", *prelude_file(context.task)), boxed, limits) as examinee:
            loaded = examinee.ask(question, seconds=LOAD_SECONDS)
            begun = answered = time.monotonic()
            if loaded is not None and "value" in loaded:
                rest = slice(start, None)
                for answer in _put(examinee, cases[rest], patience[rest], one_by_one=suite.stop_on_failure):
                    answered = time.monotonic()
                    answers.append(judged(len(answers), answer))
                    over = until_failure and answers[-1].passed is False
                    if over:
                        break
            elif loaded is not None:
                load_failure = read_answer(loaded, 0.0).text
            execution = examinee.finish()
        executions.append(execution)
        over = over or bool(load_failure)
        if over or len(answers) == len(cases):
            break
        if turns.ended(answered=len(answers) > start, by_others=_used_by_others(execution, limits, answered - begun)):
            continue
        text = examinee.broke or f"the program ended during {'loading' if loaded is None else 'a case'}"
        ended = Answer("ended", text=text[:SHOWN_CHARACTERS], end=execution.end.value)
        answers.append(judged(len(answers), ended))
        # What ends while it is loaded would do so for each case.
        over = (loaded is None and not start) or (until_failure and answers[-1].passed is False)
    left = Answer("not-run") if over else Answer("not-tried", text=_why_not_tried(turns))
    answers += [left] * (len(cases) - len(answers))
    return CallAttempt(answers=tuple(answers), executions=tuple(executions), load_failure=load_failure)


def _used_by_others(execution: Execution, limits: Limits, before: float) -> bool:
    # If it ended before its limit, the patience with one case was over.
    had_its_time = execution.wall_seconds < limits.wall_seconds
    return used_up_by_others(execution.end, limits, before=before, had_its_time=had_its_time)


def _why_not_tried(turns: Turns) -> str:
    if turns.were_used_up:
        return f"not tried: the cases before it had used the limits of {1 + turns.used_up} processes"
    return f"not tried: {turns.lost} cases before it ran out of a limit or ended the program"


def _put(
    examinee: DriverClient, cases: Sequence[Case], patience: Sequence[float], *, one_by_one: bool
) -> Iterator[Answer]:
    questions = zip(map(_question, cases), patience, strict=True)
    # No case may follow a failure that stops the suite, so no case is sent ahead then.
    answers = _one_by_one(examinee, questions) if one_by_one else examinee.ask_each(questions)
    for answer in answers:
        yield read_answer(answer, examinee.seconds)


def _question(case: Case) -> dict[str, object]:
    return {
        "args": [to_json(value) for value in case.args],
        "kwargs": {name: to_json(value) for name, value in case.kwargs.items()},
    }


def _one_by_one(
    examinee: DriverClient, questions: Iterable[tuple[Mapping[str, object], float]]
) -> Iterator[dict[str, Any]]:
    for question, seconds in questions:
        answer = examinee.ask(question, seconds=seconds)
        if answer is None:
            return
        yield answer


def expected_answers(context: Context, suite: CallSuite, cases: Sequence[Case]) -> Sequence[Answer]:
    """Return the expected answer of each case: the one that it states, or the reference's.

    Raise TaskUnusable if the reference does not answer a case that needs it, or if no box can give the stated answer.
    """
    # If limits are relative, the patience with a case is relative too.
    stated = context.remember(f"call/{suite.id}/stated", lambda: tuple(_stated(suite, case) for case in cases))
    if not context.task.relative and not any(map(_needs_reference, cases)):
        return stated
    key = f"call/{suite.id}/reference"
    reference = context.remember(key, lambda: _sit_reference(context, suite, cases))
    return [
        answer if _needs_reference(case) else replace(own, seconds=answer.seconds)
        for case, own, answer in zip(cases, stated, reference.answers, strict=True)
    ]


def _needs_reference(case: Case) -> bool:
    """Return whether the case does not state its answer."""
    return case.expected is NO_ANSWER and case.raises is None


def _stated(suite: CallSuite, case: Case) -> Answer:
    """Return the answer that a case states; `not-run` if it needs the reference's."""
    if _needs_reference(case):
        return Answer("not-run")
    if case.raises is not None:
        return Answer("raised", raised=(case.raises,), text=case.raises)
    try:
        return Answer("value", value=described(case.expected))
    except EncodingError as error:
        raise TaskUnusable(
            f"suite {suite.id}, case {case.id}: what is expected is no possible answer: {error}", suite=suite.id
        ) from error


def _sit_reference(context: Context, suite: CallSuite, cases: Sequence[Case]) -> CallAttempt:
    limits = context.task.limits
    patience = [limits.wall_seconds] * len(cases)

    def judged(place: int, answer: Answer) -> Answer:  # noqa: ARG001
        return replace(answer, passed=_is_answer(answer))

    sitting = sit(
        context, context.task.reference, suite, cases, patience, limits=limits, judged=judged, until_failure=True
    )
    if sitting.load_failure:
        problem = f"suite {suite.id}: the reference cannot be loaded: {sitting.load_failure}"
        raise TaskUnusable(problem, suite=suite.id)
    for case, answer in zip(cases, sitting.answers, strict=True):
        if not _is_answer(answer):
            why = ", ".join(filter(None, (answer.text or answer.kind, answer.end)))
            raise TaskUnusable(
                f"suite {suite.id}, case {case.id}: the reference gives no answer to {case.shown}: {why}",
                suite=suite.id,
                case=numbers(each.id for each in cases)[case.id],
            )
    return sitting


def _is_answer(answer: Answer) -> bool:
    return answer.kind in ("value", "raised")


def _patience(expected: Answer) -> float:
    return room(expected.seconds or 0.0, times=REFERENCE_FACTOR, least=CASE_SECONDS)


def run_reference(context: Context, suite: CallSuite) -> Sequence[Execution]:
    """Run the reference once, to measure it. Raise TaskUnusable if it does not answer."""
    return _sit_reference(context, suite, _cases(context, suite)).executions


def outcomes(context: Context, suite: CallSuite, limits: Limits, reporter: SuiteReporter) -> Iterator[CaseOutcome]:
    """Yield one outcome for each case, in the order in which they were put. `limits` are the submission's.

    Raise TaskUnusable if the task is broken.
    """
    in_order = _cases(context, suite)
    by_id = dict(zip((case.id for case in in_order), expected_answers(context, suite, in_order), strict=True))
    cases = random.Random(_seed(context, suite)).sample(in_order, len(in_order))
    expected = [by_id[case.id] for case in cases]
    patience = [_patience(answer) for answer in expected]
    hearing = _Hearing(suite.check, expected)
    sitting = sit(
        context,
        context.submission.files,
        suite,
        cases,
        patience,
        limits=limits,
        judged=hearing.judged,
        until_failure=suite.stop_on_failure,
    )
    for execution in sitting.executions:
        context.ended(execution)
    verdicts = _verdicts(context, suite, cases, expected, sitting)
    for case, wanted, answer, (passed, note) in zip(cases, expected, sitting.answers, verdicts, strict=True):
        outcome = _outcome(answer, passed=passed)
        not_tried = outcome is Outcome.NOT_TRIED
        texts = None
        if outcome is not Outcome.PASSED and not not_tried and reporter.has_room:
            texts = CaseTexts(given=case.shown, wanted=_shown(wanted), got=sitting.load_failure or _shown(answer))
        yield reporter.report_case(
            case.id,
            outcome,
            weight=case.weight,
            group=case.group,
            end=answer.end,
            seconds=answer.seconds,
            texts=texts,
            note=answer.text if not_tried else note if texts else "",
        )


def _seed(context: Context, suite: CallSuite) -> bytes:
    """Return the seed of the order of the cases.

    Other code gets another order: a submission that returns its n-th answer to the n-th call meets other questions. The
    same code always gets the same order, and a submitter cannot choose it without the hidden files.
    """
    content = [context.task.version, suite.id, sorted(context.submission.files.items())]
    return hashlib.sha256(json.dumps(content).encode("ascii")).digest()


def _outcome(answer: Answer, *, passed: bool) -> Outcome:
    if passed:
        return Outcome.PASSED
    return _WITHOUT_ANSWER.get(answer.kind, Outcome.FAILED)


_WITHOUT_ANSWER = {"ended": Outcome.ERROR, "not-run": Outcome.NOT_RUN, "not-tried": Outcome.NOT_TRIED}


class _Hearing:
    """Judges a submission's answers as they come. It keeps what each outcome needs, but not the values."""

    def __init__(self, check: Check | None, expected: Sequence[Answer]) -> None:
        self._check = check
        self._expected = expected
        self._failed = 0
        self._pending = 0

    def judged(self, place: int, answer: Answer) -> Answer:
        """Return the answer with its verdict. A predicate is asked at the end, so its answers have none yet."""
        wanted = self._expected[place]
        if self._check is None and wanted.kind == answer.kind == "value":
            return self._kept(answer)
        passed = _accepted(self._check, wanted, answer)
        self._failed += not passed
        text = "" if passed or self._failed > SHOWN_CASES else _shown(answer)
        raised = wanted.raised if _raised_as_expected(wanted, answer) else ()
        return replace(answer, passed=passed, text=text, raised=raised, value=None)

    def _kept(self, answer: Answer) -> Answer:
        assert answer.value is not None
        pending = dump(answer.value.tree).encode("ascii")
        self._pending += len(pending)
        if self._pending > MOST_PENDING:
            text = f"refused: the answers to this suite's cases are more than {MOST_PENDING >> 20} MiB together"
            return Answer("refused", text=text, seconds=answer.seconds, passed=False)
        return replace(answer, pending=pending, text=_shown(answer), value=None)


def _shown(answer: Answer) -> str:
    if answer.value is not None:
        return shown(answer.value)
    return {"not-run": "not run"}.get(answer.kind, answer.text)


def _cases(context: Context, suite: CallSuite) -> tuple[Case, ...]:
    [(name, text)] = suite.files_ending(".jsonl")
    return context.remember(
        f"call/{suite.id}/cases", lambda: parse_cases(text, name=name, entry_point=suite.entry_point)
    )


def _verdicts(
    context: Context, suite: CallSuite, cases: Sequence[Case], expected: Sequence[Answer], sitting: CallAttempt
) -> Sequence[tuple[bool, str]]:
    """Return for each answer whether it is accepted, and a note for author and reviewer."""
    if suite.check is None:
        return _judged_in_box(context, suite, cases, expected, sitting)
    return [(answer.passed is True, "") for answer in sitting.answers]


def _accepted(check: Check | None, wanted: Answer, answer: Answer) -> bool:
    if wanted.value is not None and answer.value is not None:
        return check is not None and check(wanted.value, answer.value)
    return _raised_as_expected(wanted, answer)


def _raised_as_expected(wanted: Answer, answer: Answer) -> bool:
    return wanted.kind == answer.kind == "raised" and any(name in answer.raised for name in wanted.raised[:1])


def _tree(answer: Answer) -> Tree:
    """Return the tree of an answer that is a value."""
    if answer.pending:
        return parse(answer.pending)
    assert answer.value is not None
    return answer.value.tree


def _judged_in_box(
    context: Context, suite: CallSuite, cases: Sequence[Case], expected: Sequence[Answer], sitting: CallAttempt
) -> Sequence[tuple[bool, str]]:
    """Ask the author's predicate, in its own box. Raise TaskUnusable if it breaks on the reference's answer too."""
    verdicts = _asked(context, suite, cases, expected, sitting.answers)
    for case in cases:
        broke = verdicts[case.id].broke if case.id in verdicts else ""
        if broke:
            _check_on_reference(context, suite, case, broke)
            context.no_verdict(case.id)
    return [
        _verdict(verdicts[case.id]) if case.id in verdicts else (_raised_as_expected(wanted, answer), "")
        for case, wanted, answer in zip(cases, expected, sitting.answers, strict=True)
    ]


def _check_on_reference(context: Context, suite: CallSuite, case: Case, broke: str) -> None:
    """Raise TaskUnusable unless the predicate, which `broke` on this case, accepts the reference's answer to it."""
    what = f"suite {suite.id}, case {case.id}: its checker {broke}"
    try:
        accepted = case.id in _accepted_of_reference(context, suite)
    except TaskUnusable as error:
        raise TaskUnusable(f"{what}; and the reference is no better: {error}", suite=suite.id) from error
    if not accepted:
        raise TaskUnusable(f"{what}; nor does it accept what the reference answers", suite=suite.id)


def _asked(
    context: Context, suite: CallSuite, cases: Sequence[Case], expected: Sequence[Answer], answers: Sequence[Answer]
) -> Mapping[str, predicate.Verdict]:
    """Return the predicate's verdict on each case that expects a value and has one, by the id of the case."""
    to_judge = [
        (case, wanted, answer)
        for case, wanted, answer in zip(cases, expected, answers, strict=True)
        if wanted.kind == answer.kind == "value"
    ]
    if not to_judge:
        return {}

    def question(place: int) -> dict[str, object]:
        case, wanted, answer = to_judge[place]
        return {"args": [to_json(list(case.args)), _tree(wanted), _tree(answer)], "kwargs": {}}

    verdicts = predicate.judged(context, suite, question, len(to_judge))
    return {case.id: verdict for (case, _, _), verdict in zip(to_judge, verdicts, strict=True)}


def verdicts_on_reference(context: Context, suite: CallSuite) -> Mapping[str, predicate.Verdict]:
    """Return the predicate's verdicts on the reference's answers, by the id of the case. Raise TaskUnusable."""
    cases = _cases(context, suite)
    reference = context.remember(f"call/{suite.id}/reference", lambda: _sit_reference(context, suite, cases))
    return _asked(context, suite, cases, expected_answers(context, suite, cases), reference.answers)


def _accepted_of_reference(context: Context, suite: CallSuite) -> frozenset[str]:
    """Return the cases whose reference answer the predicate accepts. Raise TaskUnusable if it breaks on one."""

    def look() -> frozenset[str]:
        verdicts = verdicts_on_reference(context, suite)
        for id, verdict in verdicts.items():
            # An error is tried again; an answer would be kept for good, though perhaps the machine was only busy.
            if verdict.broke:
                raise TaskUnusable(
                    f"case {id}: on the reference's answer it {verdict.broke}",
                    suite=suite.id,
                    case=numbers(verdicts)[id],
                )
        return frozenset(id for id, verdict in verdicts.items() if verdict.accepted)

    return context.remember(f"call/{suite.id}/accepts-reference", look)


def _verdict(verdict: predicate.Verdict) -> tuple[bool, str]:
    if verdict.unasked:
        return False, "not judged: the checker had broken on too many answers before it, or had taken too long"
    if verdict.broke:
        return False, f"{NO_VERDICT}: the checker {verdict.broke}"
    return verdict.accepted, ""
