"""`pytest`, `property` and `program` suites: tests in the examiner's box, the submission in the candidate's, and a line
between them. The kinds differ in what is collected and told; see graders/harness/pytest_run.py.

Which tests there are is learnt from the reference, in boxes of its own, once per task version and worker: every id that it
passed is expected of a submission, and an id that is not reported as passed has not passed. The classes that tests meet
with the reference are those that the task knows; what an object of another class says decides nothing (ADR 6).

With the option `isolation = "shared"` tests and submission share one process in one box: outcomes are marked
`integrity: reduced`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from graders.behaviour import beyond
from graders.driver import CANDIDATE, PROPERTY, PYTEST, Driver
from graders.examination import Examinee, Part, examine, examine_apart
from graders.groups import numbers
from graders.interface import (
    CaseOutcome,
    Context,
    End,
    Evidence,
    Execution,
    Limits,
    Outcome,
    Suite,
    TaskUnusable,
    UntrustedText,
)
from graders.leaves import bytes_at
from graders.messages import number_of, object_of, text_of, texts_of

COLLECT_SECONDS = 30.0
TEST_SECONDS = 10.0
"""pytest-timeout's limit inside the box, unless the suite has its own; the host waits a little longer before it ends the box."""
SEED = 0
"""Of properties, unless the suite has its own."""
GRACE_SECONDS = 5.0
RESTARTS = 2
SHOWN_CASES = 20
TEXT_CHARACTERS = 4000
"""Of each text in a report, as graders/harness/pytest_run.py cuts them."""
NAME_CHARACTERS = 1 << 16
"""Of a node id or a class: no real one is as long."""
LOST = frozenset({"ended", "broken", "cut-off"})
"""Words for a candidate with which no other test can be run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReport:
    """What was said of one test; `outcome` is pytest's word, one of LOST or `not-run`."""

    outcome: str
    text: str = ""
    end: str = ""
    note: str = ""
    given: str = ""
    """For what a property failed."""
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteRun:
    reports: Mapping[str, CaseReport]
    """Node id -> report."""
    executions: tuple[Execution, ...]
    """Of the boxes that the submission was in."""
    problem: str = ""
    """Why nothing could be collected."""
    facts: tuple[str, ...] = ()
    """What the run teaches, where all were run; see graders/harness/learnt.py."""
    compiled: Mapping[str, bytes] = field(default_factory=dict)
    """Byte code of the tests, where all were run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """What the reference's run taught of the suite."""

    tests: tuple[str, ...]
    """Node ids, in order; it passed them all."""
    facts: tuple[str, ...]
    """What the tests met; see graders/harness/learnt.py."""
    compiled: Mapping[str, bytes]
    """Byte code of the tests, path in their folder -> content."""
    evidence: tuple[Evidence, ...]
    """What its own boxes noticed: where they are shared with the tests, what the tests do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """What one start of the suite came to."""

    collected: tuple[str, ...]
    reports: Mapping[str, CaseReport]
    execution: Execution
    problem: str = ""
    facts: tuple[str, ...] = ()
    compiled: Mapping[str, bytes] = field(default_factory=dict)
    again: bool = False
    """True where the program ended by itself in the midst of it: the tests that are left deserve another."""


def run_suite(
    context: Context,
    files: Mapping[str, str],
    suite: Suite,
    known: Reference | None,
    *,
    limits: Limits,
    until_failure: bool = False,
) -> SuiteRun:
    """Run the suite against the program in `files`. `known`: what the reference's run taught; None for that run itself.

    `until_failure`: nothing more is wanted after the first test that does not pass.
    """
    reports: dict[str, CaseReport] = {}
    executions: list[Execution] = []
    sit = _sit_together if is_shared(suite) else _sit_apart
    for _ in range(1 + RESTARTS):
        left = None if known is None else [test for test in known.tests if test not in reports]
        sitting = sit(context, files, suite, left, known, limits=limits, until_failure=until_failure)
        reports |= sitting.reports
        executions.append(sitting.execution)
        if not sitting.again or until_failure:
            break
    return SuiteRun(
        reports=reports,
        executions=tuple(executions),
        problem=sitting.problem,
        facts=sitting.facts,
        compiled=sitting.compiled,
    )


def is_shared(suite: Suite) -> bool:
    """True where tests and submission share one process."""
    return suite.options.get("isolation") == "shared"


def _sit_together(
    context: Context,
    files: Mapping[str, str],
    suite: Suite,
    left: Sequence[str] | None,
    known: Reference | None,
    *,
    limits: Limits,
    until_failure: bool,
) -> Sitting:
    boxed = {**_under("submission", files), **_tests(suite, known)}
    with examine(context.session, _driver(suite), ("tests", "submission"), boxed, limits) as examinee:
        question = {"tests": left, "across": None, **_ways(context, suite)}
        first = _collect(examinee, question)
        collected = _expected(_names(first, "collected"), left)
        reports, died_in = _follow(examinee, collected, suite, until_failure=until_failure) if collected else ({}, "")
        learnt = _last_word(examinee, known, [died_in, *(test for test in collected if test not in reports)])
        execution = examinee.finish()
    if died_in:
        reports[died_in] = CaseReport(outcome="ended", text=examinee.broke, end=execution.end.value)
    return Sitting(
        collected=collected,
        reports=reports,
        execution=execution,
        problem="" if collected else _problem(examinee, first),
        compiled=_compiled(learnt),
        again=bool(died_in) and execution.end is End.EXITED,
    )


def _sit_apart(
    context: Context,
    files: Mapping[str, str],
    suite: Suite,
    left: Sequence[str] | None,
    known: Reference | None,
    *,
    limits: Limits,
    until_failure: bool,
) -> Sitting:
    entry = PurePosixPath(context.task.entry_file).stem
    across = {
        "entry": entry,
        "modules": sorted({entry, *_modules(files)}),
        "facts": None if known is None else list(known.facts),
        "own": suite.options.get("equality") == "own",
    }
    # The tests are the author's: what they may use does not depend on the submission.
    trusted = _tests(suite, known)
    if suite.kind == "property":
        trusted |= _under("reference", context.task.reference)
    examiner = Part(driver=_driver(suite), arguments=("tests", ""), files=trusted, limits=context.task.limits)
    candidate = Part(driver=CANDIDATE, arguments=("submission",), files=_under("submission", files), limits=limits)
    with examine_apart(context.session, examiner, candidate) as (examinee, other):
        question = {"tests": left, "across": across, **_ways(context, suite)}
        first = _collect(examinee, question)
        collected = _expected(_names(first, "collected"), left)
        reports, died_in = _follow(examinee, collected, suite, until_failure=until_failure) if collected else ({}, "")
        learnt = _last_word(examinee, known, [died_in, *(test for test in collected if test not in reports)])
        examined = examinee.finish()
        lost = reports[died_in].outcome if died_in in reports else text_of((first or {}).get("lost"))
        if lost == "broken":
            other.refuse(reports[died_in].text[:200] if died_in else "a malformed message while it was imported")
        execution = other.finish()
    if died_in and died_in not in reports:  # the examiner itself has ended, or is too slow for pytest-timeout
        reports[died_in] = CaseReport(outcome="cut-off", text=examinee.broke, end=examined.end.value)
    if lost == "ended":
        test = died_in or (left or [""])[0]
        said = reports.get(test) or CaseReport(outcome="ended", text=_problem(examinee, first))
        reports[test] = replace(said, outcome="ended", end=execution.end.value)
    return Sitting(
        collected=collected,
        reports=reports,
        execution=execution,
        problem="" if collected else _problem(examinee, first),
        facts=_names(learnt, "facts"),
        compiled=_compiled(learnt),
        again=bool(died_in) and execution.end in (End.EXITED, End.SIGNALLED),
    )


def _driver(suite: Suite) -> Driver:
    """With Hypothesis ready where the tests name it: without it a box costs a third less."""
    draws = suite.kind == "property" or any("hypothesis" in text for text in suite.files.values())
    return PROPERTY if draws else PYTEST


def _tests(suite: Suite, known: Reference | None) -> dict[str, str | bytes]:
    """The tests' files, and their byte code where it is known."""
    compiled = known.compiled if known is not None else {}
    return {**_under("tests", suite.files), **{f"tests/{path}": code for path, code in compiled.items()}}


def _last_word(examinee: Examinee, known: Reference | None, left: Iterable[str]) -> Mapping[str, Any] | None:
    """What the driver has to tell of a whole run, with no test `left`: of the reference's, from which the others learn."""
    return examinee.ask({}, seconds=GRACE_SECONDS) if known is None and not any(left) else None


def _compiled(learnt: Mapping[str, Any] | None) -> dict[str, bytes]:
    """Only saves time: what is malformed is left out."""
    said = object_of((learnt or {}).get("compiled"))
    codes = {path: bytes_at({"$bytes": code}) for path, code in said.items()}  # type: ignore[dict-item] # it checks
    return {path: code for path, code in codes.items() if code is not None}


def _under(folder: str, files: Mapping[str, str]) -> dict[str, str]:
    return {f"{folder}/{path}": text for path, text in files.items()}


def _modules(files: Mapping[str, str]) -> Iterator[str]:
    """Names under which the submission's top-level files and folders with Python in them may be imported."""
    for path in map(PurePosixPath, files):
        name = path.parts[0] if len(path.parts) > 1 else path.stem
        if path.suffix == ".py" and name.isidentifier():
            yield name


def _ways(context: Context, suite: Suite) -> dict[str, object]:
    """What the driver needs to know of the suite."""
    entry = PurePosixPath(context.task.entry_file).stem
    shown = suite.kind == "property" and not is_shared(suite)
    return {
        "seconds": _seconds(suite),
        "programs": {"entry": entry, "candidate": suite.options.get("entry_point")}
        if suite.kind == "program"
        else None,
        "properties": {
            "seed": suite.options.get("seed", SEED),
            "max_examples": suite.options.get("max_examples"),
            "reference": entry if shown else None,
        },
    }


def _seconds(suite: Suite) -> float:
    seconds = suite.options.get("seconds", TEST_SECONDS)
    assert isinstance(seconds, int | float)  # graders.package has checked it
    return float(seconds)


def _collect(examinee: Examinee, question: Mapping[str, object]) -> Mapping[str, object] | None:
    """The answer that names the tests; where there are none, the one that says why."""
    answer = examinee.ask(question, seconds=COLLECT_SECONDS)
    return answer if answer is None or answer.get("collected") != [] else examinee.ask({}, seconds=GRACE_SECONDS)


def _names(answer: Mapping[str, object] | None, key: str) -> tuple[str, ...]:
    return texts_of((answer or {}).get(key), NAME_CHARACTERS)


def _expected(names: Sequence[str], left: Sequence[str] | None) -> tuple[str, ...]:
    """Each name once, and none that is not among those that were asked for, where any were."""
    once = dict.fromkeys(names)
    asked = once if left is None else frozenset(left)
    return tuple(name for name in once if name in asked)


def _problem(examinee: Examinee, first: Mapping[str, object] | None) -> str:
    return (
        text_of((first or {}).get("text"), TEXT_CHARACTERS) or examinee.broke or "the program ended before a test ran"
    )


def _follow(
    examinee: Examinee, collected: Sequence[str], suite: Suite, *, until_failure: bool
) -> tuple[dict[str, CaseReport], str]:
    """One report after the other, and the test with which it came to an end, `` when all was said or enough."""
    reports: dict[str, CaseReport] = {}
    told = _told(examinee, suite)
    for test in collected:
        said = next(told, None)
        if not isinstance(said, dict) or said.get("test") != test:
            return reports, test
        text, note, outcome, given = (
            text_of(said.get(key), TEXT_CHARACTERS) for key in ("text", "note", "outcome", "given")
        )
        # Where the submission may have written the report, what was seen from here.
        seconds = examinee.seconds if is_shared(suite) else number_of(said.get("seconds"))
        reports[test] = CaseReport(outcome=outcome, text=text, note=note, given=given, seconds=seconds)
        if outcome in LOST:
            return reports, test
        if until_failure and outcome != "passed":
            break
    return reports, ""


def _told(examinee: Examinee, suite: Suite) -> Iterator[object]:
    """What the driver reports, of a test at a time, as long as it does."""
    while answer := examinee.ask({}, seconds=_seconds(suite) + GRACE_SECONDS):
        reports = answer.get("reports")
        if not isinstance(reports, list) or not reports:
            return
        yield from reports


def run_reference(context: Context, suite: Suite) -> Sequence[Execution]:
    """One run of the reference, to measure it. Raises TaskUnusable where it does not pass."""
    return _run_reference(context, suite).executions


def outcomes(context: Context, suite: Suite, limits: Limits, grader: str, criterion: str) -> Iterator[CaseOutcome]:
    """One outcome for each expected test, in the order of the suite. `limits` are the submission's.

    Raises TaskUnusable.
    """
    reference = context.remember(f"pytest/{suite.id}/reference", lambda: _learn(context, suite))
    assert isinstance(reference, Reference)
    run = run_suite(context, context.submission.files, suite, reference, limits=limits)
    for execution in run.executions:
        context.ended(beyond(execution, reference.evidence))
    replay = (
        f"the same examples again with seed = {suite.options.get('seed', SEED)}" if suite.kind == "property" else ""
    )
    shown = 0
    for test in reference.tests:
        report = run.reports.get(test, CaseReport(outcome="not-run", text=run.problem))
        passed = report.outcome == "passed"
        tell = not passed and shown < SHOWN_CASES
        shown += tell
        yield CaseOutcome(
            grader=grader,
            criterion=criterion,
            suite=suite.id,
            case=test,
            outcome=_OUTCOMES.get(report.outcome, Outcome.FAILED),
            weight=suite.weight,
            end=report.end,
            seconds=report.seconds,
            given=UntrustedText((report.given or test) if tell else ""),
            wanted=UntrustedText("the test passes" if tell else ""),
            got=UntrustedText((report.text or report.outcome) if tell else ""),
            note=UntrustedText("; ".join(filter(None, (report.note, replay if tell else "")))),
            integrity="reduced" if is_shared(suite) or suite.options.get("equality") == "own" else "full",
        )


_OUTCOMES = {
    "passed": Outcome.PASSED,
    "failed": Outcome.FAILED,
    "cut-off": Outcome.FAILED,
    "ended": Outcome.ERROR,
    "broken": Outcome.ERROR,
    "skipped": Outcome.NOT_RUN,
    "not-run": Outcome.NOT_RUN,
}


def _learn(context: Context, suite: Suite) -> Reference:
    run = _run_reference(context, suite)
    evidence = tuple(seen for execution in run.executions for seen in execution.evidence)
    return Reference(tests=tuple(run.reports), facts=run.facts, compiled=run.compiled, evidence=evidence)


def _run_reference(context: Context, suite: Suite) -> SuiteRun:
    limits = context.task.limits
    run = run_suite(context, context.task.reference, suite, None, limits=limits, until_failure=True)
    if not run.reports:
        problem = f"suite {suite.id}: no test could be collected with the reference: {run.problem[-TEXT_CHARACTERS:]}"
        raise TaskUnusable(problem, suite=suite.id)
    for test, report in run.reports.items():
        if report.outcome != "passed":
            raise TaskUnusable(
                f"suite {suite.id}: the reference does not pass {test}: {report.text[-TEXT_CHARACTERS:] or report.outcome}",
                suite=suite.id,
                case=numbers(run.reports)[test],
            )
    return run
