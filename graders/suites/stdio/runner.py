"""`stdio` suites: a program reads its input from stdin and prints its answer, once for each case.

Each case is a run of its own in a box of its own, with the task's limits. The output is compared here, or by the
author's program in another box. Expected outputs never enter the submission's box. With an interactor, the two
programs converse over the line between their boxes.
"""

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

from graders.drivers import STDIO
from graders.interface import (
    Behaviour,
    CaseOutcome,
    Command,
    Context,
    End,
    Execution,
    Harness,
    Limits,
    Outcome,
    Task,
    TaskUnusable,
)
from graders.suites.driver_client import DriverClient
from graders.suites.reporting import CaseTexts, SuiteReporter
from graders.suites.scoring import group_of
from graders.suites.stdio.build import Build, build_python
from graders.suites.stdio.cases import StdioCase
from graders.suites.stdio.judge import MOST_TEXT, NoVerdict, Pass, Ruling
from graders.suites.stdio.outputs import any_of
from graders.suites.stdio.suite import StdioSuite
from graders.suites.values.messages import SHOWN_CHARACTERS, number_of, text_of
from graders.suites.verdicts import NO_VERDICT

MOST_LOST_OF_GROUP = 3
"""After this many cases of one group that ran out of time its other cases are not tried: the group is lost anyway."""
MOST_HANGING = 3
"""After the author's program ran out of time on this many cases none is tried: each holds a worker for a minute."""
JUDGED_SECONDS = 600.0
"""The time of the author's checker for one submission, whose outputs decide how long it takes. Later cases are not tried."""
BRIEF_CHARACTERS = 200
"""The length of each text in the sentence about a failure of the reference."""

_OUR_MODULES = sys.stdlib_module_names | {"graders"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One case, tried with one program. `execution` is None if it was not run."""

    outcome: Outcome
    execution: Execution | None = None
    credit: float | None = None
    note: str = ""
    end: str = ""
    judged_seconds: float = 0.0
    """The time that the verdict took."""
    got: bytes = b""
    """The program's output; the transcript, if it had a conversation."""
    hung: bool = False
    """True if the author's program ran out of time on this output."""
    next: Pass | None = None
    """The next pass of the same case."""


def cases_of(context: Context, suite: StdioSuite) -> Sequence[StdioCase]:
    """Return the suite's cases, which are read once per worker."""
    return context.remember(f"stdio/{suite.id}/cases", lambda: tuple(case for _, case in suite.cases()))


def run_reference(context: Context, suite: StdioSuite) -> Iterator[Execution]:
    """Run the reference once, to measure it: one case after the other.

    Raise TaskUnusable at the first case that it does not pass.
    """
    for case in cases_of(context, suite):
        yield _accepted_reference(context, suite, case)


def _is_accepted(attempt: Attempt) -> bool:
    """Return whether it has all of the credit, or a part."""
    return attempt.outcome is Outcome.PASSED or attempt.credit is not None


def _told(case: StdioCase, attempt: Attempt) -> str:
    """Return how a case failed, in a line for the author."""
    why = ": ".join(filter(None, (f"ended by {attempt.end}" if attempt.end else "is not accepted", attempt.note)))
    wanted = f", wanted {_brief(case.accepted[0])}" if case.accepted else ""
    return f"{why} (input {_brief(case.given)}{wanted}, got {_brief(attempt.got)})"


def _brief(text: bytes) -> str:
    shown = text[: BRIEF_CHARACTERS * 4].decode("utf-8", "backslashreplace")
    return repr(shown[:BRIEF_CHARACTERS]) + ("..." if len(shown) > BRIEF_CHARACTERS else "")


def outcomes(context: Context, suite: StdioSuite, limits: Limits, reporter: SuiteReporter) -> Iterator[CaseOutcome]:
    """Yield one outcome for each case, in the suite's order. `limits` are for each case. Raise TaskUnusable."""
    program = context.once("stdio/build", lambda: _build_and_tell(context, limits))
    for case, attempt in _attempts(context, suite, program, limits):
        texts = None
        if attempt.outcome is not Outcome.PASSED and attempt.execution is not None and reporter.has_room:
            wanted = case.accepted[0] if case.accepted else b""
            texts = CaseTexts(given=_shown(case.given), wanted=_shown(wanted), got=_shown(attempt.got))
        yield reporter.report_case(
            case.id,
            attempt.outcome,
            weight=case.weight,
            group=case.group,
            credit=attempt.credit,
            end=attempt.end,
            run=attempt.execution,
            texts=texts,
            note=text_of(attempt.note),
        )


def _attempts(
    context: Context, suite: StdioSuite, program: Build, limits: Limits
) -> Iterator[tuple[StdioCase, Attempt]]:
    """Yield each case with its attempt, also those left out after time-outs, a failure or a broken build."""
    cases = cases_of(context, suite)
    time_outs: Counter[str] = Counter()
    failed, hanging, judged_seconds = False, 0, 0.0
    for number, case in enumerate(cases):
        group = group_of(case.id, case.group, suite.groups)
        most = MOST_LOST_OF_GROUP if group else context.most_lost
        if program.problem:
            # The note is the same for every case, so only the first has it.
            yield case, Attempt(outcome=Outcome.NOT_RUN, note=program.problem if number == 0 else "")
        elif failed and suite.stop_on_failure:
            yield case, Attempt(outcome=Outcome.NOT_RUN)
        elif time_outs[group] >= most:
            yield case, Attempt(outcome=Outcome.NOT_TRIED, note=f"not tried: {most} cases before it ran out of time")
        elif hanging >= MOST_HANGING:
            why = f"not tried: the checker ran out of time on {MOST_HANGING} cases before it"
            yield case, Attempt(outcome=Outcome.NOT_TRIED, note=why)
        elif judged_seconds > JUDGED_SECONDS:
            why = f"not tried: the checker took more than {JUDGED_SECONDS:g} s for the cases before it"
            yield case, Attempt(outcome=Outcome.NOT_TRIED, note=why)
        else:
            attempt = _attempt(context, suite, program, case, limits)
            assert attempt.execution is not None
            context.ended(attempt.execution)
            failed = failed or attempt.outcome is not Outcome.PASSED
            judged_seconds += attempt.judged_seconds
            hanging += attempt.hung
            time_outs[group] += attempt.end in (End.WALL_TIMEOUT, End.CPU_TIMEOUT)
            yield case, attempt


def _build_and_tell(context: Context, limits: Limits) -> Build:
    program = _built(context, context.submission.files, limits)
    context.ended(program.execution)
    return program


def _built(context: Context, files: Mapping[str, str], limits: Limits) -> Build:
    return build_python(context.session, files, context.task.entry_file, limits)


def _built_reference(context: Context, suite: StdioSuite) -> Build:
    """Return the compiled reference. Raise TaskUnusable if it does not compile."""
    files, limits = context.task.reference, context.task.limits
    program = context.remember("stdio/reference", lambda: _built(context, files, limits))
    if program.problem:
        raise TaskUnusable(f"suite {suite.id}: the reference: {program.problem}", suite=suite.id)
    return program


def _attempt(context: Context, suite: StdioSuite, program: Build, case: StdioCase, limits: Limits) -> Attempt:
    """Try one case of a submission. Raise TaskUnusable if the task is broken."""
    attempt, broke = _looked_at(context, suite, program, case, limits)
    if broke is None:
        return attempt
    # If the author's program can judge the reference's output and not this one, this one is rejected.
    key = f"stdio/{suite.id}/accepts-reference/{case.id}"
    try:
        context.remember(key, lambda: _accepted_reference(context, suite, case).end)
    except TaskUnusable as error:
        raise TaskUnusable(f"{broke}; and the reference is no better: {error}", suite=suite.id) from error
    context.no_verdict(case.id)
    return replace(attempt, outcome=Outcome.FAILED, note=f"{NO_VERDICT}: {broke}", hung=broke.ran_out_of_time)


def _accepted_reference(context: Context, suite: StdioSuite, case: StdioCase) -> Execution:
    """Run the reference on this case. Raise TaskUnusable unless its output is accepted."""
    program = _built_reference(context, suite)
    attempt, broke = _looked_at(context, suite, program, case, context.task.limits)
    if broke is not None:
        raise broke
    if not _is_accepted(attempt):
        raise TaskUnusable(f"suite {suite.id}, case {case.id}: the reference {_told(case, attempt)}", suite=suite.id)
    assert attempt.execution is not None
    return attempt.execution


def _looked_at(
    context: Context, suite: StdioSuite, program: Build, case: StdioCase, limits: Limits
) -> tuple[Attempt, NoVerdict | None]:
    """Try one case. Return the attempt, and the error if the author's program came to no verdict on it.

    A case of several passes has the verdict of the last pass, and the time of the longest: limits are for each pass.
    """
    if suite.seconds is not None:
        limits = replace(limits, wall_seconds=suite.seconds)
    judge = suite.judge
    look = _converse if judge is not None and judge.interactive else _run
    this, executions, judged_seconds = Pass(given=case.given), [], 0.0
    while True:
        attempt, broke = look(context, suite, program, case, limits, this=this)
        assert attempt.execution is not None
        executions.append(attempt.execution)
        judged_seconds += attempt.judged_seconds
        if attempt.next is None or judge is None:
            break
        if len(executions) == judge.passes or judged_seconds > JUDGED_SECONDS:
            # The verdict stays open then: an endless chain of passes would never reach one.
            broke = judge.without(case, f"asked for another pass after {len(executions)}")
            break
        this = attempt.next
    if len(executions) > 1:
        where = f"pass {len(executions)} (input {_brief(this.given)})"
        note = f"{where}: {attempt.note}" if attempt.note else where
        attempt = replace(attempt, note="" if attempt.outcome is Outcome.PASSED else note)
    return replace(attempt, execution=_together(executions), judged_seconds=judged_seconds), broke


def _together(executions: Sequence[Execution]) -> Execution:
    """Return the last execution, with the evidence of all and the largest use of any."""
    return replace(
        executions[-1],
        wall_seconds=max(execution.wall_seconds for execution in executions),
        cpu_seconds=max(execution.cpu_seconds for execution in executions),
        peak_memory_mib=max(execution.peak_memory_mib for execution in executions),
        evidence=tuple(seen for execution in executions for seen in execution.evidence),
    )


def _run(
    context: Context, suite: StdioSuite, program: Build, case: StdioCase, limits: Limits, *, this: Pass
) -> tuple[Attempt, NoVerdict | None]:
    """Run one pass, and judge the output when the program has ended."""
    judge, broke = suite.judge, None
    execution = context.session.run(
        Command(
            **_program(context.task, suite, program, case),
            stdin=this.given,
            limits=limits,
        )
    )
    attempt = _failure(suite, execution)
    began = time.monotonic()
    if attempt is None and judge is not None:
        try:
            attempt = _ruled(judge.check(context.session, case, limits, this, execution.stdout), execution)
        except NoVerdict as error:
            attempt, broke = Attempt(outcome=Outcome.FAILED, execution=execution), error
    if attempt is None:
        comparison = case.comparison or suite.comparison
        difference = any_of(comparison.check, case.accepted, execution.stdout)
        attempt = _ruled(Ruling(accepted=not difference, says=difference), execution)
    return replace(attempt, got=execution.stdout, judged_seconds=time.monotonic() - began), broke


PRELUDE = ".prelude.py"
"""Its path beside the submission's files. A file of theirs with that name is left out."""


def _program(task: Task, suite: StdioSuite, program: Build, case: StdioCase) -> dict[str, Any]:
    """Return the fields of the Command that runs a case."""
    files = _files(task, program, case)
    if not task.prelude:
        argv = (*(suite.command or program.argv), *case.args)
        return {"argv": argv, "harness": _harness(program, case), "files": files}
    command = STDIO.command("run", program.argv[-1], PRELUDE, *case.args, files=files, limits=task.limits)
    return {"argv": command.argv, "harness": command.harness, "files": command.files}


def _files(task: Task, program: Build, case: StdioCase) -> Mapping[str, bytes]:
    """Return the files of the submission, the case and the prelude. The submission's give way if two have one path."""
    others = {**case.files, **({PRELUDE: task.prelude.encode()} if task.prelude else {})}
    if not others:
        return program.files
    places = {str(place) for path in others for place in (PurePosixPath(path), *PurePosixPath(path).parents)}
    free = {
        path: content
        for path, content in program.files.items()
        if path not in places and not any(str(parent) in others for parent in PurePosixPath(path).parents)
    }
    return {**free, **others}


def _harness(program: Build, case: StdioCase) -> Harness:
    """Return the warm interpreter with common imports, or a cold one if a file has the name of one of its modules."""
    names = {path.split("/")[0].partition(".")[0] for path in (*program.files, *case.files)}
    return Harness() if names & _OUR_MODULES else STDIO.harness


def _failure(suite: StdioSuite, execution: Execution) -> Attempt | None:
    """Return the attempt if its end alone decides it; None if its output does."""
    if execution.end is not End.EXITED:
        return Attempt(outcome=Outcome.ERROR, execution=execution, end=execution.end.value)
    if execution.exit_code and not suite.ignore_exit_code:
        lines = execution.stderr[-SHOWN_CHARACTERS:].decode("utf-8", "replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        note = f"exit code {execution.exit_code}" + (f": {last}" if last else "")
        return Attempt(outcome=Outcome.FAILED, execution=execution, note=note)
    return None


def _ruled(ruling: Ruling, execution: Execution) -> Attempt:
    in_full = ruling.accepted and (ruling.credit is None or ruling.credit == 1)
    return Attempt(
        outcome=Outcome.PASSED if in_full else Outcome.FAILED,
        execution=execution,
        credit=ruling.credit,
        note="" if in_full else ruling.says or "the author's program does not accept it",
        next=ruling.next,
    )


# --- with an interactor ---------------------------------------------------------------------------------------------------


def _converse(
    context: Context, suite: StdioSuite, program: Build, case: StdioCase, limits: Limits, *, this: Pass
) -> tuple[Attempt, NoVerdict | None]:
    """Run one pass with an interactor, whose verdict counts unless the submission broke a limit or ended badly."""
    judge = suite.judge
    assert judge is not None
    interactor = judge.command(case, limits, this)
    prelude = PRELUDE if context.task.prelude else ""
    words = (program.argv[-1], prelude, str(len(suite.command)), *suite.command, *case.args)
    # One more process carries the submission's output.
    room = replace(limits, processes=limits.processes + 1)
    become = STDIO.command("become", *words, files=_files(context.task, program, case), limits=room)
    ruling = broke = None
    with context.session.pair(interactor, become) as (asked, candidate):
        examinee = DriverClient(asked)
        answer = examinee.ask(judge.question(case), seconds=interactor.limits.wall_seconds)
        told: Mapping[str, Any] = answer or {}
        # If the submission left or flooded, the interactor has not reached a verdict and need not.
        if not told.keys() & {"left", "flood"}:
            try:
                ruling = judge.heard(examinee, answer, case)
            except NoVerdict as error:
                broke = error
        if "left" in told or (ruling is not None and ruling.accepted):
            # The empty question only waits for the submission's own end, which counts too.
            candidate.ask(b"", seconds=limits.wall_seconds)
        execution = candidate.finish()
    if suite.command:
        execution = _without_start(execution)
    if broke is not None and not _ended_by_itself_first(execution, broke):
        attempt = Attempt(outcome=Outcome.FAILED, execution=execution)
    else:
        attempt, broke = _conversed(suite, execution, told, ruling), None
    return replace(attempt, got=text_of(told.get("transcript"), MOST_TEXT).encode()), broke


def _ended_by_itself_first(execution: Execution, broke: NoVerdict) -> bool:
    """Return whether the submission broke a limit first, so that the interactor met half a conversation.

    If the interactor hung, a wall time-out does not count: the submission may have waited for the interactor.
    """
    limits = {End.EXITED, End.SIGNALLED} | ({End.WALL_TIMEOUT} if broke.ran_out_of_time else set())
    return execution.end not in limits


def _without_start(execution: Execution) -> Execution:
    """Return it without the first start of a program: that was our own driver, which became the author's `command`."""
    ours = next((seen for seen in execution.evidence if seen.behaviour is Behaviour.PROGRAM), None)
    rest = (replace(seen, times=seen.times - (seen is ours)) for seen in execution.evidence)
    return replace(execution, evidence=tuple(seen for seen in rest if seen.times))


def _conversed(suite: StdioSuite, execution: Execution, told: Mapping[str, Any], ruling: Ruling | None) -> Attempt:
    if "flood" in told:
        note = f"it said more than {(number_of(told['flood']) or 0) / (1 << 20):.0f} MiB to the interactor"
        return Attempt(outcome=Outcome.ERROR, execution=execution, end=End.OUTPUT_LIMIT.value, note=note)
    rejected = ruling is not None and not ruling.accepted
    if execution.end is not End.EXITED and not (rejected and execution.end is End.SIGNALLED):
        return Attempt(
            outcome=Outcome.ERROR, execution=execution, end=execution.end.value, note=_who_waited(execution, told)
        )
    failure = None if rejected else _failure(suite, execution)
    if failure is not None:
        return failure
    if ruling is None:
        return Attempt(outcome=Outcome.FAILED, execution=execution, note="it ended before the conversation was over")
    return _ruled(ruling, execution)


def _who_waited(execution: Execution, told: Mapping[str, Any]) -> str:
    """Return which side waited for the other, if the conversation did not end in time."""
    what, seconds = _waited(told.get("waited"))
    if execution.end is not End.WALL_TIMEOUT or not what:
        return ""
    if what == "write":
        return f"the interactor waited {seconds:.1f} s for it to read"
    note = f"the interactor waited {seconds:.1f} s for it to say something"
    if execution.cpu_seconds > execution.wall_seconds / 5:  # on a busy machine it gets no more
        return f"{note}, while it computed"
    return f"{note}; it waited too, with {execution.cpu_seconds:.1f} s of CPU time used: does it flush what it prints?"


def _waited(said: object) -> tuple[str, float]:
    """Return what the interactor last waited for, and how long; nothing if it did not report it."""
    match said:
        case [str(what), int() | float() as seconds]:
            return what, number_of(seconds) or 0.0
        case _:
            return "", 0.0


def _shown(text: bytes) -> str:
    """Return the beginning of an input or output. Bytes that are not UTF-8 become escapes."""
    start = text[: SHOWN_CHARACTERS * 4].decode("utf-8", "backslashreplace")
    if len(start) <= SHOWN_CHARACTERS and len(text) <= SHOWN_CHARACTERS * 4:
        return start
    return f"{start[:SHOWN_CHARACTERS]}... ({len(text)} bytes)"
