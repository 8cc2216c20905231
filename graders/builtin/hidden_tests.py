"""The grader that decides whether a submission is right: it runs the task's hidden suites."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field, replace

from graders.interface import (
    Behaviour,
    CaseOutcome,
    Context,
    End,
    Example,
    Execution,
    Finding,
    Grader,
    Limits,
    Outcome,
    Signal,
    Suite,
    UntrustedText,
)
from graders.suites import relative_limits
from graders.suites.behaviour import SHOWN, acts, leaving
from graders.suites.kinds import KINDS
from graders.suites.reporting import SuiteReporter
from graders.suites.scoring import numbers, settled
from rubrics.signals import ABOUT_THE_TASK

BLANK = "the submission is empty: there is no code in it"


TASK_CHECKER = f"{ABOUT_THE_TASK}checker"
"""The rule of the finding that a checker or an interactor broke on a submission's answer."""
TASK_VALUES = f"{ABOUT_THE_TASK}values"
"""The rule of the finding that a property looks whether its argument was changed, and cannot see it."""


@dataclass(frozen=True)
class HiddenTests(Grader):
    """Runs the task's hidden suites and reports each case: passed, failed, ended the program, or never reached.

    `call` and `stdio` suites are judged outside the box: inputs go in, values or output come out, and the expected
    answers stay with us. The tests of `pytest`, `property` and `program` suites run twice: together with the
    submission, then in a box of their own that calls it in another. A test that passes only together is disputed. If
    a suite asks for one process, its outcomes have reduced integrity. A program that ends itself instead of answering
    raises a flag for the reviewer.
    """

    id, version, criterion = "assay/hidden-tests", "1", "correctness"
    # Without suites there is nothing to report; docs/tutorial/your-first-task.md has examples with some.
    examples = (Example("def answer():\n    return 42\n"),)

    def grade(self, context: Context) -> Iterator[Signal]:
        seen = _Executions()
        watched = _watching(context, seen)
        for suite in context.task.suites:
            before = len(seen.executions)
            seen.without_verdict.clear()
            limits = yield from self._limits(context, suite)
            # A suite is reported as a whole: signals from before a crash are kept, and half a suite is not a verdict.
            reporter = SuiteReporter(suite=suite, grader=self.id, criterion=self.criterion)
            outcomes = settled(suite, KINDS[suite.kind].outcomes(watched, suite, limits, reporter))
            number = numbers(outcome.case for outcome in outcomes)
            outcomes = [replace(outcome, number=number[outcome.case]) for outcome in outcomes]
            if context.submission.is_blank:
                # It passes no case, not even one that expects an empty output.
                yield from map(_blank, outcomes)
                continue
            ended = not KINDS[suite.kind].runs_programs and any(map(_ended_itself, outcomes))
            flags = list(self._flags(suite, seen.executions[before:], ended=ended))
            yield from map(_undisputed, outcomes) if flags else outcomes
            yield from flags
            yield from self._to_mend(suite, seen.without_verdict)
            yield from self._advice(context, suite)
        if seen.executions:
            yield from self._tried(seen.executions, context.task.prompt)
            yield from self._cost(seen.executions, seen.printed)

    def _limits(self, context: Context, suite: Suite) -> Generator[Signal, None, Limits]:
        """Return the submission's limits for this suite. Yield a measurement of each that depends on the reference."""
        task = context.task
        if not task.relative:
            return task.limits
        measured = relative_limits.cost(context, suite, lambda: KINDS[suite.kind].run_reference(context, suite))
        limits = relative_limits.resolved(task, measured)
        for name, times in sorted(task.relative.items()):
            took, least = getattr(measured, name), relative_limits.LEAST_SECONDS[name]
            note = f"suite {suite.id}: {times:g} times the reference's {took:.3f} s, and at least {least:g} s"
            limit = self.measurement(f"{name.removesuffix('_seconds')}-limit", getattr(limits, name), "s", note=note)
            # It depends only on the task and this machine, so the submitter may see it.
            yield replace(limit, criterion="efficiency", public=True)
        return limits

    def _flags(self, suite: Suite, executions: list[Execution], *, ended: bool) -> Iterator[Finding]:
        """Yield signs of play with the examination. They are shown, and lower no level by themselves."""
        broke = {seen.detail for run in executions for seen in run.evidence if seen.behaviour is Behaviour.CHANNEL}
        if broke:
            yield self.finding(
                f"Suite {suite.id}: it interfered with the channel of the examination ({'; '.join(sorted(broke)[:SHOWN])}).",
                rule="assay/channel", severity="high", flag=True,
            )  # fmt: skip
        elif ended and any(run.end in (End.EXITED, End.SIGNALLED) for run in executions):
            how = sorted(
                {f"exit code {run.exit_code}" if run.signal is None else f"signal {run.signal}" for run in executions}
            )
            yield self.finding(
                f"Suite {suite.id}: it ended its own process instead of answering ({', '.join(how)}).",
                rule="assay/early-exit", severity=leaving(executions), confidence="medium", flag=True,
            )  # fmt: skip

    def _to_mend(self, suite: Suite, without_verdict: list[str]) -> Iterator[Finding]:
        """Yield a finding if the author's program broke. The notes of the cases have the details."""
        if without_verdict:
            judge = KINDS[suite.kind].judge(suite)
            first, *more = without_verdict
            which = f"case {first}" + (f" and {len(more)} more" if more else "")
            yield self.finding(
                f"Suite {suite.id}: the task's {judge} gave no verdict on what this submission answered ({which}), while it "
                f"accepts the reference's. That counts as rejected; the author of the task should mend the {judge}.",
                rule=TASK_CHECKER, severity="low",
            )  # fmt: skip

    def _advice(self, context: Context, suite: Suite) -> Iterator[Finding]:
        """Yield findings about mistakes in the suite's own files."""
        for advice in KINDS[suite.kind].advice(context, suite):
            yield self.finding(advice, rule=TASK_VALUES, severity="low")

    def _tried(self, executions: list[Execution], prompt: str) -> Iterator[Signal]:
        """Yield the submission's acts in its boxes. They are for the reader: a flag lowers no level by itself."""
        told, left_out = acts(executions, prompt)
        for act in told:
            finding = self.finding(act.says, rule=act.rule, severity=act.severity, flag=True, times=act.times)
            yield replace(finding, criterion="security")
        if left_out:
            yield replace(self.measurement("behaviours-left-out", left_out, "attempts"), criterion="security")

    def _cost(self, executions: list[Execution], printed: int) -> Iterator[Signal]:
        """Yield what it used, as evidence on efficiency, though the hidden tests judge correctness."""
        used = [
            ("cpu-time", sum(run.cpu_seconds for run in executions), "s"),
            ("peak-memory", max(run.peak_memory_mib for run in executions), "MiB"),
            ("processes", max(run.processes for run in executions), "processes"),
            ("written", sum(run.written_bytes for run in executions) / 1024, "KiB"),
            ("printed", printed / 1024, "KiB"),
        ]
        for name, value, unit in used:
            # Not every tier counts processes and writes, and a zero would claim that it did.
            if value:
                yield replace(self.measurement(name, value, unit), criterion="efficiency")


def _ended_itself(outcome: CaseOutcome) -> bool:
    """Return whether the program ended itself during the case, rather than at a limit."""
    if outcome.outcome is Outcome.DISPUTED:
        return outcome.end in (End.EXITED, End.SIGNALLED)
    return outcome.outcome is Outcome.ERROR and outcome.end in ("", End.EXITED, End.SIGNALLED)


def _undisputed(outcome: CaseOutcome) -> CaseOutcome:
    """Return it as failed if it is disputed. A submission that played with the examination needs no decision."""
    return replace(outcome, outcome=Outcome.FAILED) if outcome.outcome is Outcome.DISPUTED else outcome


def _blank(outcome: CaseOutcome) -> CaseOutcome:
    missed = Outcome.FAILED if outcome.outcome is Outcome.PASSED else outcome.outcome
    return replace(outcome, outcome=missed, credit=None, note=UntrustedText(BLANK))


@dataclass(slots=True)
class _Executions:
    """The submission's executions, without what they printed: a suite of a hundred programs may print a gigabyte."""

    executions: list[Execution] = field(default_factory=list)
    printed: int = 0
    """Bytes."""
    without_verdict: list[str] = field(default_factory=list)
    """Cases of the present suite on which the author's checker broke."""

    def add(self, execution: Execution) -> None:
        self.printed += len(execution.stdout) + len(execution.stderr)
        self.executions.append(replace(execution, stdout=b"", stderr=b""))


def _watching(context: Context, seen: _Executions) -> Context:
    """The same context, with each of the submission's executions kept here as well."""

    def ended(execution: Execution) -> None:
        seen.add(execution)
        context.ended(execution)

    return replace(context, ended=ended, no_verdict=seen.without_verdict.append)
