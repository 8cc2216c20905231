"""Limits that follow the reference: real runs, in real boxes, of references that take a known CPU time."""

from collections.abc import Callable

import pytest

from graders.builtin.hidden_tests import HiddenTests
from graders.interface import (
    CaseOutcome,
    Context,
    Execution,
    Measurement,
    Outcome,
    Session,
    Signal,
    Submission,
    SubmissionId,
    Task,
    TaskUnusable,
)
from graders.suites.relative_limits import REFERENCE_RUNS
from graders.tasks.package import load
from sandboxes.interface import Command, End, Sandbox
from service.evaluation.task_cache import TaskCache

SPIN = """
import time
def spin(seconds):
    end = time.process_time() + seconds
    while time.process_time() < end:
        pass
    return seconds
"""
CALL = """
[[suite]]
id = "hidden"
kind = "call"
files = ["hidden/*"]
entry_point = "answer"
"""
PYTEST = """
[[suite]]
id = "unit"
kind = "pytest"
files = ["unit/*"]
"""


def program(seconds: float) -> str:
    return f"{SPIN}\ndef answer():\n    spin({seconds})\n    return 42\n"


def task(reference: str, limits: str, suite: str = CALL) -> Task:
    files = {
        "task.toml": f'id = "t"\nreference = "submissions/accepted/reference.py"\n[limits]\n{limits}\n{suite}',
        "prompt.md": "Write answer().",
        "submissions/accepted/reference.py": reference,
    }
    if suite is CALL:
        files["hidden/cases.jsonl"] = '{"call": "answer()", "returns": "42"}\n'
    else:
        files["unit/test_answer.py"] = "import solution\ndef test_answer():\n    assert solution.answer() == 42\n"
    return load(files)


class Graded:
    """What came of one submission, and how its executions ended."""

    def __init__(self, sandbox: Sandbox, task: Task, code: str, memory: TaskCache | None = None) -> None:
        self.ends: list[End] = []
        remember = (memory or TaskCache()).of(task.id, task.version)
        submission = Submission(id=SubmissionId("s"), task_id=task.id, files={"solution.py": code})
        with sandbox.session() as session:
            self.session = Counting(session)
            context = Context(
                task=task, submission=submission, session=self.session, remember=remember, ended=self._ended
            )
            self.signals: list[Signal] = list(HiddenTests().grade(context))

    def _ended(self, execution: Execution) -> None:
        self.ends.append(execution.end)

    @property
    def outcomes(self) -> list[Outcome]:
        return [signal.outcome for signal in self.signals if isinstance(signal, CaseOutcome)]

    def limit(self, name: str) -> Measurement:
        [found] = [each for each in self.signals if isinstance(each, Measurement) and each.name == name]
        return found


class Counting:
    """A session that counts the commands it is given, and goes on to the real one."""

    def __init__(self, session: Session) -> None:
        self.commands: list[Command] = []
        self.run = session.run
        self._converse = session.converse
        self.pair = session.pair

    @property
    def converse(self) -> Callable[..., object]:
        def counted(command: Command) -> object:
            self.commands.append(command)
            return self._converse(command)

        return counted


@pytest.mark.parametrize("suite", [CALL, PYTEST], ids=["call", "pytest"])
def test_the_limit_follows_the_reference(sandbox: Sandbox, suite: str) -> None:
    """The same submission, hopeless beside a quick reference and fine beside a slow one."""
    limits = 'cpu_seconds = "3x"\nwall_seconds = 120'  # a busy host runs the reference late
    submission = program(2.6)
    quick = Graded(sandbox, task(program(0.02), limits, suite), submission)
    slow = Graded(sandbox, task(program(1.2), limits, suite), submission)
    # on a very busy machine the time for a single case runs out first
    assert set(quick.ends) <= {End.CPU_TIMEOUT, End.WALL_TIMEOUT} and quick.outcomes == [Outcome.ERROR]
    assert set(slow.ends) == {End.EXITED} and slow.outcomes == [Outcome.PASSED]
    least = quick.limit("cpu-limit")
    assert (least.value, least.unit, least.criterion) == (2.0 if suite is CALL else least.value, "s", "efficiency")
    assert slow.limit("cpu-limit").value > 3.6
    assert "suite" in slow.limit("cpu-limit").note and "3 times the reference's" in slow.limit("cpu-limit").note


def test_a_wall_limit_may_be_relative_too(sandbox: Sandbox) -> None:
    graded = Graded(
        sandbox,
        task(program(0.01), 'wall_seconds = "10x"'),
        "import time\ndef answer():\n    time.sleep(50)\n    return 42\n",
    )
    assert graded.ends == [End.WALL_TIMEOUT]
    assert 5 <= graded.limit("wall-limit").value < 50


def test_the_reference_is_measured_once_for_a_version_and_worker(sandbox: Sandbox) -> None:
    memory = TaskCache()
    relative = task(program(0.01), 'cpu_seconds = "10x"')
    first = Graded(sandbox, relative, program(0), memory)
    second = Graded(sandbox, relative, program(0), memory)
    # once more for the time of each case
    assert len(first.session.commands) == REFERENCE_RUNS + 1 + 1
    assert len(second.session.commands) == 1
    assert first.limit("cpu-limit") == second.limit("cpu-limit")
    # only the submission lives under the limit; what measures has the time that it takes
    limits = [command.limits.cpu_seconds for command in first.session.commands]
    assert limits == [60.0] * (REFERENCE_RUNS + 1) + [2.0]


def test_a_reference_that_does_not_end_by_itself_is_the_tasks_failure(sandbox: Sandbox) -> None:
    with pytest.raises(TaskUnusable, match=r"suite hidden, case line-1: the reference gives no .*out-of-memory"):
        Graded(sandbox, task("def answer():\n    return len(b'x' * (2 << 30))\n", 'cpu_seconds = "10x"'), program(0))


def test_limits_in_seconds_measure_nothing(sandbox: Sandbox) -> None:
    graded = Graded(sandbox, task(program(0.01), "cpu_seconds = 5"), program(0))
    assert len(graded.session.commands) == 1
    assert not [each for each in graded.signals if isinstance(each, Measurement) and each.name.endswith("-limit")]


STDIO = '[[suite]]\nid = "io"\nkind = "stdio"\nfiles = ["hidden/*"]\n'
HANGS: dict[str, tuple[dict[str, str], str, str]] = {
    "stdio": (
        {f"hidden/{number}.{kind}": str(number) for number in (1, 2, 3) for kind in ("in", "ans")},
        STDIO + "seconds = 3\n",
        "n = int(input())\nwhile n == 2: pass\nprint(n)\n",
    ),
    "stdio, wrong": (
        {f"hidden/{number}.{kind}": str(number) for number in (1, 2, 3) for kind in ("in", "ans")},
        STDIO,
        "n = int(input())\nprint(n if n != 2 else 'two')\n",
    ),
    "call": (
        {"hidden/c.jsonl": "".join(f'{{"call": "f({number})", "returns": "{number}"}}\n' for number in (1, 2, 3))},
        CALL.replace("answer", "f"),
        "import os\ndef f(n):\n    if n == 2: os._exit(1)\n    return n\n",
    ),
    "pytest": (
        {"unit/test_f.py": "import solution\n" + "".join(f"def test_{n}():\n    assert solution.f({n}) == {n}\n" for n in (1, 2, 3))},
        PYTEST + "seconds = 2\n",
        "def f(n):\n    while n == 2: pass\n    return n\n",
    ),
}  # fmt: skip
CASE_2 = {
    "stdio": "case 2:",
    "stdio, wrong": "case 2:",
    "call": "case line-2:",
    "pytest": "does not pass unit/test_f.py::test_2",
}


@pytest.mark.parametrize("kind", HANGS)
def test_a_reference_is_not_run_on_after_the_case_that_it_fails_and_that_is_remembered(
    kind: str, sandbox: Sandbox
) -> None:
    own, suite, reference = HANGS[kind]
    unusable = load(
        {
            "task.toml": f'id = "t"\nreference = "r.py"\n[limits]\nwall_seconds = "10x"\n{suite}',
            "prompt.md": "Write it.",
            "r.py": reference,
            **own,
        }
    )
    memory, counted = TaskCache(), []
    for _ in range(3):
        with sandbox.session() as session:
            counting = AllCounted(session)
            context = Context(
                task=unusable,
                submission=Submission(id=SubmissionId("s"), task_id=unusable.id, files={"solution.py": "print(1)"}),
                session=counting,  # type: ignore[arg-type]
                remember=memory.of("t", "1"),
            )
            with pytest.raises(TaskUnusable, match=CASE_2[kind]):
                list(HiddenTests().grade(context))
            counted.append(counting.boxes)
    assert counted == [{"stdio": 3, "stdio, wrong": 3, "call": 1, "pytest": 1}[kind], 0, 0]


class AllCounted:
    """A session that counts the programs that it starts, a pair as one."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.boxes = 0

    def __getattr__(self, name: str) -> object:
        self.boxes += 1
        return getattr(self.session, name)
