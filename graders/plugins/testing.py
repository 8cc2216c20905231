"""The test of a grader: `check(NoPrint())` runs its examples. A plugin does not need another.

Assertions are raised by hand, so that they hold under `python -O` and say more than a comparison.
"""

import json
import traceback
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager

from graders.interface import (
    Abstain,
    Command,
    Context,
    Conversation,
    Example,
    Execution,
    Grader,
    Limits,
    Session,
    Signal,
    Submission,
    SubmissionId,
    Task,
    TaskId,
)
from graders.plugins.registry import refusals
from rubrics.signals import from_json, to_json

ENTRY_FILE = "solution.py"


class _NoSession:
    """Used if the test passes no session: graders that only read the source do not need a box."""

    def run(self, command: Command) -> Execution:  # noqa: ARG002 - the port names it
        raise AssertionError(_NEEDS_A_BOX)

    def converse(self, command: Command) -> AbstractContextManager[Conversation]:  # noqa: ARG002
        raise AssertionError(_NEEDS_A_BOX)

    def pair(self, first: Command, second: Command) -> AbstractContextManager[tuple[Conversation, Conversation]]:  # noqa: ARG002
        raise AssertionError(_NEEDS_A_BOX)


_NEEDS_A_BOX = "this grader runs a program in a box: call check(grader, session=...) with a session of a sandbox"


def check(grader: Grader, *, session: Session | None = None) -> None:
    """Assert that the grader keeps the rules of registration and reports what its examples expect.

    Reports are compared by kind: each kind that the example names must be reported, and no other. A grader that
    runs programs needs a session of a real sandbox. Raises AssertionError with the example and what was reported.
    """
    reasons = refusals(type(grader), None)
    if reasons:
        raise AssertionError(f"{type(grader).__name__} would be refused at registration: " + "; ".join(reasons))
    for number, example in enumerate(grader.examples, 1):
        where = f"{type(grader).__name__}, example {number}:\n{_indented(example.code)}\n"
        signals = tuple(_observe(grader, example, session, where))
        for signal in signals:
            _check_signal(signal, grader, where)
        reported, expected = {type(signal) for signal in signals}, set(example.reports)
        if reported != expected:
            seen = "\n".join(f"    {signal}" for signal in signals) or "    nothing"
            raise AssertionError(f"{where}should report {_names(expected)}, but reported {_names(reported)}:\n{seen}")


def context_of(files: Mapping[str, str], session: Session | None = None) -> Context:
    """Return the context for a grader: a submission of these files to a task without suites."""
    task = Task(
        id=TaskId("example"), version="example", title="Example", prompt="Write it.", language="python",
        entry_file=ENTRY_FILE, suites=(), reference={}, limits=Limits(), graders={}, rubric_id="default",
    )  # fmt: skip
    submission = Submission(id=SubmissionId("example"), task_id=task.id, files=files)
    return Context(task=task, submission=submission, session=session or _NoSession())


def _observe(grader: Grader, example: Example, session: Session | None, where: str) -> Iterator[Signal]:
    """Yield the signals that the service would see: signals before an Abstain count, and a crash is a failed test."""
    try:
        yield from grader.grade(context_of({ENTRY_FILE: example.code}, session))
    except Abstain as abstain:
        yield grader.abstention(str(abstain))
    except AssertionError as error:
        raise AssertionError(f"{where}{error}") from error
    except Exception as error:
        raise AssertionError(f"{where}crashed:\n{_indented(traceback.format_exc())}") from error


def _check_signal(signal: object, grader: Grader, where: str) -> None:
    if not isinstance(signal, Signal):
        raise AssertionError(f"{where}yielded {signal!r}, which is no signal")  # noqa: TRY004 - a failed test
    if signal.grader != grader.id:
        raise AssertionError(f"{where}reported in the name of {signal.grader!r} instead of its own id: {signal}")
    try:
        survives = from_json(json.loads(json.dumps(to_json(signal)))) == signal
    except (TypeError, ValueError):
        survives = False
    if not survives:
        raise AssertionError(f"{where}reported what cannot be stored as JSON: {signal!r}")


def _names(kinds: set[type]) -> str:
    return ", ".join(sorted(kind.__name__ for kind in kinds)) or "nothing"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines())
