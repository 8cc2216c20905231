"""`pytest`, `property` and `program` suites: tests in the examiner's box, the submission in the candidate's, and a line
between them. The kinds differ in what is collected and reported; see graders/boxed/tests/pytest_run.py.

Which tests there are is learnt from the reference, in boxes of its own, once per task version and worker: every id
that it passed is expected of a submission, and an id that is not reported as passed has not passed. What the
reference's objects decide in the tests is learnt as well; what no object of its did, no object of a submission does
(ADR 15).

A submission is examined twice: as plain pytest in one box with its tests, then, as far as it passed, apart from them.
Credit needs both; see graders/suites/tests/agreement.py. With the option `isolation = "shared"` there is the first
only, and outcomes are marked `integrity: reduced`.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath
from typing import Any

from graders.drivers import CANDIDATE, PROPERTY, PYTEST, Driver, prelude_file
from graders.interface import (
    MOST_LOST,
    CaseOutcome,
    Context,
    End,
    Execution,
    Limits,
    Outcome,
    TaskUnusable,
)
from graders.suites.behaviour import beyond
from graders.suites.driver_client import BoxedProgram, DriverClient, open_driver, open_pair
from graders.suites.reporting import CaseTexts, SuiteReporter
from graders.suites.shared_limits import Turns, used_up_by_others
from graders.suites.tests.agreement import CaseReport, SuiteRun, agreed
from graders.suites.tests.library_names import library_names
from graders.suites.tests.reference_runs import Reference, examined_reference, learnt
from graders.suites.tests.suite import SuiteOfTests
from graders.suites.values.leaves import bytes_at
from graders.suites.values.messages import object_of, text_of, texts_of

COLLECT_SECONDS = 30.0
REFERENCE_TIMES = 3
"""The reference gets this multiple of the time of a test."""
GRACE_SECONDS = 5.0
"""The time for the driver's last answer, when all tests are done."""
TEXT_CHARACTERS = 4000
"""The length of each text in a report, as graders/boxed/tests/pytest_run.py cuts it."""
NAME_CHARACTERS = 1 << 16
"""The length of a node id or a class. Real ones are shorter."""
LOST = frozenset({"ended", "broken", "cut-off"})
"""Outcomes after which the candidate can run no other test."""
SAID = LOST | {"passed", "failed", "skipped"}
"""Outcomes that a box may report of a test."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuiteAttempt:
    """The result of one start of the suite."""

    collected: tuple[str, ...]
    reports: Mapping[str, CaseReport]
    execution: Execution
    problem: str = ""
    facts: tuple[str, ...] = ()
    compiled: Mapping[str, bytes] = field(default_factory=dict)
    lost: str = ""
    """The test during which a box ended. It has a report about that."""
    used_by_others: bool = False
    """True if the tests before the lost one, in the same box, may have used up what it needed."""
    moved: tuple[str, ...] = ()
    """Tests that were asked for and not collected, though all files were read."""


def run_suite(
    context: Context,
    files: Mapping[str, str],
    suite: SuiteOfTests,
    known: Reference | None,
    *,
    limits: Limits,
    together: bool | None = None,
    until_failure: bool = False,
) -> SuiteRun:
    """Examine the program in `files` once.

    Limits are for one test, though tests share a box while it has room. If a box runs out of a limit during a test,
    the next test begins in a fresh box. So does that test itself, unless it had the box for itself.

    Args:
        context: the run.
        files: the program.
        suite: its tests.
        known: the facts from the reference's run; None for that run itself.
        limits: the limits of the program.
        together: whether it shares one box with its tests; None for the way that the suite states.
        until_failure: whether to stop after the first test that fails.
    """
    reports: dict[str, CaseReport] = {}
    executions: list[Execution] = []
    turns = Turns()
    sit = _sit_together if (suite.is_shared if together is None else together) else _sit_apart
    over = False
    while not over and turns.are_left(MOST_LOST):
        left = None if known is None else [test for test in known.tests if test not in reports]
        sitting = sit(context, files, suite, left, known, limits=limits, until_failure=until_failure)
        reports |= sitting.reports
        executions.append(sitting.execution)
        over = not sitting.lost or left is None or until_failure
        if not over and turns.ended(answered=len(sitting.reports) > 1, by_others=sitting.used_by_others):
            del reports[sitting.lost]
        over = over or reports.keys() >= set(left or ())
    return SuiteRun(
        reports=reports,
        executions=tuple(executions),
        problem=sitting.problem,
        facts=sitting.facts,
        compiled=sitting.compiled,
        was_left=not over,
        moved=sitting.moved,
    )


def _sit_together(
    context: Context,
    files: Mapping[str, str],
    suite: SuiteOfTests,
    left: Sequence[str] | None,
    known: Reference | None,
    *,
    limits: Limits,
    until_failure: bool,
) -> SuiteAttempt:
    prelude = prelude_file(context.task)
    boxed = {**_under("submission", files), **_trusted(context, suite, known), **prelude}
    seconds = _patience(suite, known)
    with open_driver(context.session, _driver(suite), ("tests", "submission", *prelude), boxed, limits) as examinee:
        question = {"tests": left, "across": None, **_ways(context, suite)}
        first = _collect(examinee, question)
        collected = _expected(_names(first, "collected"), left)
        reports, lost = _follow(examinee, collected, seconds, until_failure=until_failure)
        learnt = _last_word(examinee, known, [lost, *(test for test in collected if test not in reports)])
        execution = examinee.finish()
    ran_out, had_its_time = _limit(execution, limits)
    before = _seconds_before(reports, lost)
    if first is None and left:  # it has ended while it was imported
        reports[left[0]] = CaseReport(outcome="ended", text=_problem(examinee, first), end=execution.end.value)
    if lost:
        ended = CaseReport(outcome="ended", text=examinee.broke, end=execution.end.value)
        reports[lost] = _cut_off(seconds, execution) if had_its_time else ended
    return SuiteAttempt(
        collected=collected,
        reports=reports,
        execution=execution,
        problem="" if collected else _problem(examinee, first),
        compiled=_compiled(learnt),
        lost=lost,
        used_by_others=used_up_by_others(ran_out, limits, before=before, had_its_time=had_its_time),
        moved=_moved(first, collected, left),
    )


def _sit_apart(
    context: Context,
    files: Mapping[str, str],
    suite: SuiteOfTests,
    left: Sequence[str] | None,
    known: Reference | None,
    *,
    limits: Limits,
    until_failure: bool,
) -> SuiteAttempt:
    entry = PurePosixPath(context.task.entry_file).stem
    across = {
        "entry": entry,
        "modules": sorted({entry, *_modules(files)}),
        "facts": None if known is None else list(known.facts),
        "own": suite.own_equality,
    }
    # The tests are the author's: their limits do not depend on the submission.
    trusted = context.task.limits
    seconds = _patience(suite, known)
    examiner = BoxedProgram(
        driver=_driver(suite), arguments=("tests", ""), files=_trusted(context, suite, known), limits=trusted
    )
    prelude = prelude_file(context.task)
    boxed = {**_under("submission", files), **prelude}
    candidate = BoxedProgram(driver=CANDIDATE, arguments=("submission", *prelude), files=boxed, limits=limits)
    with open_pair(context.session, examiner, candidate) as (examinee, other):
        question = {"tests": left, "across": across, **_ways(context, suite)}
        first = _collect(examinee, question)
        collected = _expected(_names(first, "collected"), left)
        reports, lost = _follow(examinee, collected, seconds, until_failure=until_failure)
        learnt = _last_word(examinee, known, [lost, *(test for test in collected if test not in reports)])
        examined = examinee.finish()
        how = reports[lost].outcome if lost in reports else text_of((first or {}).get("lost"))
        if how == "broken":
            other.refuse(reports[lost].text[:200] if lost else "a malformed message while it was imported")
        execution = other.finish()
    ran_out, had_its_time = _limit(examined, trusted)
    limited = trusted
    if ran_out is None:
        (ran_out, _), limited = _limit(execution, limits), limits
    before = _seconds_before(reports, lost)
    if lost and lost not in reports:  # the examiner itself has ended, or was ended: this test takes too long
        ended = CaseReport(outcome="cut-off", text=examinee.broke, end=ran_out or "")
        reports[lost] = _cut_off(seconds, examined) if had_its_time else ended
    test = lost or (left or [""])[0]
    if test and how == "ended":
        said = reports.get(test) or CaseReport(outcome="ended", text=_problem(examinee, first))
        reports[test] = replace(said, outcome="ended", end=execution.end.value)
    return SuiteAttempt(
        collected=collected,
        reports=reports,
        execution=execution,
        problem="" if collected else _problem(examinee, first),
        facts=_names(learnt, "facts"),
        compiled=_compiled(learnt),
        lost=lost,
        used_by_others=used_up_by_others(ran_out, limited, before=before, had_its_time=had_its_time),
        moved=_moved(first, collected, left),
    )


def _seconds_before(reports: Mapping[str, CaseReport], lost: str) -> float:
    """Return the time that the other tests took."""
    return sum(report.seconds or 0.0 for test, report in reports.items() if test != lost)


def _limit(execution: Execution, limits: Limits) -> tuple[End | None, bool]:
    """Return the limit that a box ran out of, if any, and whether that was the time of a single test."""
    if execution.end in (End.EXITED, End.SIGNALLED):
        return None, False
    return execution.end, execution.end is End.WALL_TIMEOUT and execution.wall_seconds < limits.wall_seconds


def _cut_off(seconds: float, execution: Execution) -> CaseReport:
    text = f"it was not done after {seconds:g} seconds, the time of a test"
    return CaseReport(outcome="cut-off", text=text, end=execution.end.value)


def _driver(suite: SuiteOfTests) -> Driver:
    """Return the driver that has Hypothesis ready if the tests name it. Without it a box costs a third less."""
    draws = suite.properties is not None or any("hypothesis" in text for text in suite.files.values())
    return PROPERTY if draws else PYTEST


def _trusted(context: Context, suite: SuiteOfTests, known: Reference | None) -> dict[str, str | bytes]:
    """Return the tests, their byte code if it is known, and the reference if properties compare with it."""
    compiled = known.compiled if known is not None else {}
    return {
        **_under("tests", suite.files),
        **{f"tests/{path}": code for path, code in compiled.items()},
        **(_under("reference", context.task.reference) if suite.shows_reference else {}),
    }


def _last_word(examinee: DriverClient, known: Reference | None, left: Iterable[str]) -> Mapping[str, Any] | None:
    """Ask for the facts of a whole run. Only the reference's run has them, and only if no test is `left`."""
    return examinee.ask({}, seconds=GRACE_SECONDS) if known is None and not any(left) else None


def _compiled(learnt: Mapping[str, Any] | None) -> dict[str, bytes]:
    """Return the byte code of the tests. It only saves time, so malformed code is left out."""
    said = object_of((learnt or {}).get("compiled"))
    codes = {path: bytes_at({"$bytes": code}) for path, code in said.items()}  # type: ignore[dict-item] # it checks
    return {path: code for path, code in codes.items() if code is not None}


def _under(folder: str, files: Mapping[str, str]) -> dict[str, str]:
    return {f"{folder}/{path}": text for path, text in files.items()}


def _modules(files: Mapping[str, str]) -> Iterator[str]:
    """Yield the module names of the submission's top-level files and folders that have Python in them."""
    for path in map(PurePosixPath, files):
        name = path.parts[0] if len(path.parts) > 1 else path.stem
        if path.suffix == ".py" and name.isidentifier():
            yield name


def _ways(context: Context, suite: SuiteOfTests) -> dict[str, object]:
    """Return the suite's options, as the driver reads them."""
    entry = PurePosixPath(context.task.entry_file).stem
    return {
        "seconds": suite.seconds,
        "programs": suite.program
        and {
            "entry": entry,
            "candidate": suite.program.entry_point,
            **library_names(context.task.reference.get(context.task.entry_file, "")),
        },
        "properties": {
            "seed": suite.seed,
            "max_examples": suite.properties and suite.properties.max_examples,
            "reference": entry if suite.shows_reference else None,
            "entry": entry,
            "anew": suite.properties is not None and not suite.properties.shares_values,
        },
    }


def _patience(suite: SuiteOfTests, known: Reference | None) -> float:
    """Return the seconds for a test. The reference gets more: a busy host is not the task's fault."""
    return suite.seconds * (REFERENCE_TIMES if known is None else 1)


def _collect(examinee: DriverClient, question: Mapping[str, object]) -> Mapping[str, object] | None:
    """Return the answer that names the tests or, if there are none, the one with the reason."""
    answer = examinee.ask(question, seconds=COLLECT_SECONDS)
    return answer if answer is None or answer.get("collected") != [] else examinee.ask({}, seconds=GRACE_SECONDS)


def _names(answer: Mapping[str, object] | None, key: str) -> tuple[str, ...]:
    return texts_of((answer or {}).get(key), NAME_CHARACTERS)


def _expected(names: Sequence[str], left: Sequence[str] | None) -> tuple[str, ...]:
    """Return each name once, and if some were asked for, only those."""
    once = dict.fromkeys(names)
    asked = once if left is None else frozenset(left)
    return tuple(name for name in once if name in asked)


def _moved(first: Mapping[str, object] | None, collected: Sequence[str], left: Sequence[str] | None) -> tuple[str, ...]:
    """Return the tests that were asked for and not collected, if there was no error that explains it."""
    said = first or {}
    in_the_way = (
        said.get("failed") if "collected" in said else said.get("text") or said.get("lost") or "end" not in said
    )
    return () if in_the_way else tuple(sorted({*(left or ())} - {*collected}))


def _problem(examinee: DriverClient, first: Mapping[str, object] | None) -> str:
    return (
        text_of((first or {}).get("text"), TEXT_CHARACTERS) or examinee.broke or "the program ended before a test ran"
    )


def _follow(
    examinee: DriverClient, collected: Sequence[str], seconds: float, *, until_failure: bool
) -> tuple[dict[str, CaseReport], str]:
    """Read the reports, `seconds` for each. Return them, and the test during which a box ended, if one did."""
    reports: dict[str, CaseReport] = {}
    # Asked ahead: two processes that wake each other for every small test are slow on a busy machine.
    told = examinee.ask_each(({}, seconds) for _ in collected)
    for test in collected:
        said = next(told, {})
        if said.get("test") != test:
            return reports, test
        text, note, said_of_it, given = (
            text_of(said.get(key), TEXT_CHARACTERS) for key in ("text", "note", "outcome", "given")
        )
        # The submission may have written the report. So only known outcomes count, and time is measured here.
        outcome = said_of_it if said_of_it in SAID else "failed"
        held = said.get("held") is True
        reports[test] = CaseReport(
            outcome=outcome, text=text, note=note, given=given, seconds=examinee.seconds, held=held
        )
        if outcome in LOST:
            return reports, test
        if until_failure and outcome not in ("passed", "skipped"):
            break
    return reports, ""


def run_reference(context: Context, suite: SuiteOfTests) -> Sequence[Execution]:
    """Run the reference once, to measure it. Raise TaskUnusable if it does not pass."""
    return [execution for run in _reference_runs(context, suite) for execution in run.executions]


def outcomes(context: Context, suite: SuiteOfTests, limits: Limits, reporter: SuiteReporter) -> Iterator[CaseOutcome]:
    """Yield one outcome for each expected test, in the order of the suite. `limits` are the submission's.

    Raise TaskUnusable if the task is broken.
    """
    reference = context.remember(f"pytest/{suite.id}/reference", lambda: learnt(suite, _reference_runs(context, suite)))
    reports = _examined(context, suite, reference, limits)
    replay = "" if suite.properties is None else f"the same examples again with seed = {suite.seed}"
    for test in reference.tests:
        report = reports[test]
        texts = None
        if not report.passed and reporter.has_room:
            got = report.text or report.outcome
            texts = CaseTexts(given=report.given or test, wanted="the test passes", got=got)
        yield reporter.report_case(
            test,
            _OUTCOMES[report.outcome],
            end=report.end,
            seconds=report.seconds,
            texts=texts,
            note="; ".join(filter(None, (report.note, replay if texts else ""))),
            integrity=suite.integrity,
        )


_OUTCOMES = {
    "passed": Outcome.PASSED,
    "failed": Outcome.FAILED,
    "cut-off": Outcome.FAILED,
    "ended": Outcome.ERROR,
    "broken": Outcome.ERROR,
    "skipped": Outcome.NOT_RUN,
    "not-run": Outcome.NOT_RUN,
    "not-tried": Outcome.NOT_TRIED,
    "disputed": Outcome.DISPUTED,
}


def _examined(context: Context, suite: SuiteOfTests, reference: Reference, limits: Limits) -> Mapping[str, CaseReport]:
    """Return the report that counts for each test. What fails together with the submission is not run apart from it."""
    files = context.submission.files
    together = run_suite(context, files, suite, reference, limits=limits, together=True)
    if together.moved:
        _check_ids(context, suite, reference)
    for execution in together.executions:
        context.ended(beyond(execution, reference.beside))
    reports = {test: together.report(test) for test in reference.tests}
    left = tuple(test for test, report in reports.items() if report.passed)
    if suite.is_shared or not left:
        return reports
    apart = run_suite(context, files, suite, replace(reference, tests=left), limits=limits, together=False)
    if apart.moved:
        _check_ids(context, suite, reference)
    for execution in apart.executions:
        context.ended(beyond(execution, reference.evidence))
    return reports | {test: agreed(reports[test], apart.report(test)) for test in left}


def _check_ids(context: Context, suite: SuiteOfTests, reference: Reference) -> None:
    """Raise TaskUnusable if tests have other ids each time: by chance, by addresses, by the order of a set."""
    again = learnt(suite, _reference_runs(context, suite)).tests
    changed = sorted({*reference.tests} ^ {*again})
    if changed:
        raise TaskUnusable(
            f"suite {suite.id}: the id of a test is not the same in each run: {changed[0]} is there at one time and not at "
            "another, with the same reference. State `ids` for what is parametrized by chance or by a set",
            suite=suite.id,
        )


def _reference_runs(context: Context, suite: SuiteOfTests) -> Sequence[SuiteRun]:
    def once(suite: SuiteOfTests, together: bool) -> SuiteRun:  # noqa: FBT001 - as examined_reference calls it
        files, limits = context.task.reference, context.task.limits
        return run_suite(context, files, suite, None, limits=limits, together=together, until_failure=True)

    return examined_reference(suite, once)
