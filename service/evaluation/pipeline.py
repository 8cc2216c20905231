"""One evaluation, straight through: graders emit signals, the rubric suggests levels.

EvaluationError         no statement about the submission is possible; our failure or the task's, retried
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import structlog

from graders.builtin.tampering import without_tampered_disputes
from graders.interface import (
    Abstain,
    Abstention,
    CaseOutcome,
    Context,
    ContextCache,
    Execution,
    Grader,
    Outcome,
    Signal,
    Submission,
    Task,
    TaskUnusable,
    fresh_cache,
)
from graders.plugins.fence import Kept, Refused, text_of, told
from rubrics.model import Rubric
from rubrics.prefill import prefill
from sandboxes.interface import Sandbox, SandboxError
from service.evaluation.disputes import of_disputes
from service.storage.interface import RunOutcome, RunResult

_log = structlog.get_logger()


class EvaluationError(Exception):
    """The evaluation came to no outcome, and not because of the submission."""


def nobody_listens(_: str) -> None:
    """Ignore which grader has its turn."""


def evaluate(
    task: Task,
    submission: Submission,
    *,
    graders: Sequence[Grader],
    rubric: Rubric,
    sandbox: Sandbox,
    remember: ContextCache,
    began: Callable[[str], None] = nobody_listens,
) -> RunResult:
    """Return the signals, suggestions and outcome of a submission. `began` receives the id of each grader at its turn.

    Raises SandboxError, TaskUnusable or EvaluationError if there is no result: the caller retries, and never grades.
    """
    ends: Counter[str] = Counter()

    def ended(execution: Execution) -> None:
        ends[execution.end.value] += 1

    with sandbox.session() as session:
        context = Context(
            task=task, submission=submission, session=session, remember=remember, once=fresh_cache(), ended=ended
        )
        signals: list[Signal] = []
        for grader in graders:
            began(grader.id)
            signals += _graded(grader, context)
    # Only now: what the last grader found may decide a dispute that the first reported.
    signals = list(without_tampered_disputes(signals))
    outcome = _outcome(task, signals)
    disputes = of_disputes(_cases(signals)) if outcome is RunOutcome.DISPUTED else {}
    return RunResult(
        outcome=outcome,
        signals=tuple(signals),
        prefills=prefill(rubric, signals),
        rubric_id=rubric.id,
        rubric_version=rubric.version,
        grader_versions={grader.id: grader.version for grader in graders},
        sandbox=sandbox.name,
        ends=dict(ends),
        diagnostics=disputes,
    )


def ungradable(diagnostics: Mapping[str, str]) -> RunResult:
    """Return the result of a run that we could not evaluate: without signals or suggestions, but with the reason."""
    return RunResult(
        outcome=RunOutcome.UNGRADABLE,
        signals=(),
        prefills=(),
        rubric_id="",
        rubric_version="",
        grader_versions={},
        sandbox="",
        ends={},
        diagnostics=diagnostics,
    )


def _graded(grader: Grader, context: Context) -> Sequence[Signal]:
    """Return the grader's signals, including those from before it abstained, crashed or was refused."""
    kept = Kept(grader)
    try:
        for signal in grader.grade(context):
            kept.add(signal)
    except Abstain as reason:
        return kept.signals(text_of(reason) or "it gave no reason")
    except Refused as refused:
        _log.warning("grader refused", action="grade", grader=grader.id, reason=str(refused))
        return kept.signals(f"{grader.id} {refused}")
    except (SandboxError, TaskUnusable):
        raise
    except BaseException as error:  # noqa: BLE001 - the grader fence: a bug, or an exit, costs its own criterion, not the run
        _log.exception("grader crashed", action="grade", grader=grader.id, submission=context.submission.id)
        return kept.signals(f"the grader crashed: {told(error)}", public=False)
    return kept.signals()


def _cases(signals: Iterable[Signal]) -> Sequence[CaseOutcome]:
    return [signal for signal in signals if isinstance(signal, CaseOutcome)]


def _outcome(task: Task, signals: Sequence[Signal]) -> RunOutcome:
    """Return passed if every case of every suite passed; disputed if all the other cases are disputed.

    Raises EvaluationError if a suite has not been judged.
    """
    cases = _cases(signals)
    unjudged = {suite.id for suite in task.suites} - {case.suite for case in cases}
    if unjudged:
        abstained = [signal.reason for signal in signals if isinstance(signal, Abstention)]
        raise EvaluationError(
            f"no outcome for suite {', '.join(sorted(unjudged))}: {'; '.join(abstained) or 'no reason given'}"
        )
    others = {case.outcome for case in cases} - {Outcome.PASSED}
    # A case that was not tried is not a dispute: it follows cases that hit their limits, or exceeds the suite's total limit.
    return RunOutcome.FAILED if others - {Outcome.DISPUTED} else RunOutcome.DISPUTED if others else RunOutcome.PASSED
