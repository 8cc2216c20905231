"""Each test is told of before the next begins, and asked for ahead, so that neither side sleeps until the other wakes."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest

from graders.interface import (
    Command,
    Context,
    Conversation,
    Limits,
    Session,
    Submission,
    SubmissionId,
    Suite,
    Task,
    TaskId,
)
from graders.suites.tests import runner as pytest_suite
from graders.suites.tests.suite import pytest_suite as read_suite
from sandboxes.interface import Execution, Sandbox

QUICK = """
import pytest
from solution import double
@pytest.mark.parametrize("n", range(30))
def test_quick(n): assert double(n) == 2 * n
"""
SLOW = """
import time
from solution import double
def test_first(): assert double(1) == 2
def test_slow():
    time.sleep(0.3)
    assert double(2) == 4
def test_after(): assert double(3) == 6
def test_last(): assert double(4) == 8
"""
STOPS = """
import pytest
from solution import double
def test_first(): assert double(1) == 2
def test_stops(): pytest.exit("enough")
def test_never(): assert double(3) == 6
"""
DOUBLE = "def double(n): return 2 * n\n"


class Counted:
    """A conversation; the answers that it gave, and how many questions were without one at most."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self.answers = self.asked = self.ahead = 0

    def ask(self, message: bytes, *, seconds: float) -> bytes | None:
        return next(self.ask_each([(message, seconds)]), None)

    def ask_each(self, questions: Iterable[tuple[bytes, float]]) -> Iterator[bytes]:
        for answer in self._conversation.ask_each(map(self._count, questions)):
            self.answers += 1
            yield answer

    def _count(self, question: tuple[bytes, float]) -> tuple[bytes, float]:
        self.asked += 1
        self.ahead = max(self.ahead, self.asked - self.answers)
        return question

    def finish(self) -> Execution:
        return self._conversation.finish()


class Counting:
    """A session that keeps its conversations."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.conversations: list[Counted] = []

    def run(self, command: Command) -> Execution:
        return self._session.run(command)

    @contextmanager
    def converse(self, command: Command) -> Iterator[Counted]:
        with self._session.converse(command) as conversation:
            self.conversations.append(Counted(conversation))
            yield self.conversations[-1]

    @contextmanager
    def pair(self, first: Command, second: Command) -> Iterator[tuple[Counted, Counted]]:
        with self._session.pair(first, second) as (one, other):
            self.conversations += [Counted(one), Counted(other)]
            yield self.conversations[-2], self.conversations[-1]


def sat(sandbox: Sandbox, tests: str, solution: str, **options: object) -> tuple[dict[str, str], Counted]:
    """Name of test -> outcome; and the conversation with the driver of the tests."""
    suite = Suite(id="hidden", kind="pytest", files={"test_it.py": tests}, options=options)
    task = Task(
        id=TaskId("double"), version="1", title="", prompt="", language="python", entry_file="solution.py",
        suites=(suite,), reference={"solution.py": DOUBLE}, limits=Limits(), graders={}, rubric_id="default",
    )  # fmt: skip
    submission = Submission(id=SubmissionId("1"), task_id=task.id, files={"solution.py": solution})
    names = [line.split("def ")[1].split("(")[0] for line in tests.splitlines() if line.startswith("def test")]
    ids = [f"test_it.py::test_quick[{n}]" for n in range(30)] if tests is QUICK else [f"test_it.py::{n}" for n in names]
    known = pytest_suite.Reference(tests=tuple(ids), facts=(), compiled={}, evidence=())
    with sandbox.session() as session:
        counting = Counting(session)
        context = Context(task=task, submission=submission, session=counting)
        run = pytest_suite.run_suite(context, submission.files, read_suite(suite), known, limits=Limits())
    return {id.partition("::")[2]: each.outcome for id, each in run.reports.items()}, counting.conversations[0]


@pytest.mark.parametrize("options", [{}, {"isolation": "shared"}], ids=["apart", "together"])
def test_tests_are_told_of_one_by_one_and_asked_for_ahead(sandbox: Sandbox, options: dict[str, object]) -> None:
    outcomes, conversation = sat(sandbox, QUICK, DOUBLE, **options)
    assert list(outcomes.values()) == ["passed"] * 30
    assert conversation.answers == 31
    assert conversation.ahead == 30


@pytest.mark.parametrize(
    ("solution", "ended"),
    [
        ("import os\ndef double(n): return os._exit(0) if n == 2 else 2 * n\n", "test_slow"),
        ("import os\ndef double(n): return os._exit(0) if n == 4 else 2 * n\n", "test_last"),
    ],
)
def test_the_one_that_ended_the_submission_is_named(sandbox: Sandbox, solution: str, ended: str) -> None:
    outcomes, _ = sat(sandbox, SLOW, solution)
    assert {name for name, outcome in outcomes.items() if outcome == "ended"} == {ended}
    assert {name for name, outcome in outcomes.items() if outcome == "passed"} == {
        "test_first", "test_slow", "test_after", "test_last",
    } - {ended}  # fmt: skip


def test_what_was_done_before_the_tests_stopped_themselves_is_told(sandbox: Sandbox) -> None:
    outcomes, _ = sat(sandbox, STOPS, DOUBLE)
    assert outcomes == {
        "test_first": "passed",
        "test_stops": "cut-off",
        "test_never": "passed",
    }  # the last in a run of its own
