"""A program ends as under a plain interpreter, whatever it runs in: what it had still to write is written, and its destructors run."""

import re
from collections.abc import Iterator

import pytest

from graders.interface import CaseOutcome, Outcome
from sandboxes.interface import Command, Execution, Limits, Session, Tier
from sandboxes.tiers import Tiers
from tests.integration.ends import ENDS
from tests.integration.test_stdio_suite import graded, suite

LIMITS = Limits(wall_seconds=30, cpu_seconds=20, memory_mib=256, processes=32, disk_mib=32)
HELPER = b"class A:\n    def __del__(self): print('end of', __name__)\na = A()\n"


@pytest.fixture(scope="module")
def plain(tiers: Tiers) -> Iterator[Session]:
    """Where `python3` is executed: a container of its own for each program."""
    with tiers.at_least(Tier.CONTAINER).session() as session:
        yield session


def told(execution: Execution) -> tuple[object, ...]:
    # An interpreter that ends has no modules any more to show a line of the source with.
    stderr = re.sub("0x[0-9a-f]+", "0x", re.sub(r"(?m)^    .*\n", "", execution.stderr.decode()))
    return execution.end, execution.exit_code, execution.signal, execution.stdout, stderr


@pytest.mark.parametrize("name", ENDS)
def test_a_fork_ends_as_a_plain_interpreter_ends(name: str, session: Session, plain: Session) -> None:
    files = {"job.py": ENDS[name].encode(), "job_helper.py": HELPER}
    command = Command(argv=("python3", "job.py"), files=files, limits=LIMITS)
    assert told(session.run(command)) == told(plain.run(command))


def test_a_destructor_that_hangs_is_ended_by_the_limits(session: Session) -> None:
    code = "print('body')\nclass A:\n    def __del__(self):\n        while True: pass\na = A()"
    limits = Limits(wall_seconds=30, cpu_seconds=1, memory_mib=256, processes=32, disk_mib=32)
    execution = session.run(Command(argv=("python3", "-c", code), limits=limits))
    assert (execution.end.value, execution.stdout) == ("cpu-timeout", b"body\n"), execution


PRINTED = {
    "writer-of-the-descriptor": "kept",
    "stdout-in-a-cycle": "kept",
    "swapped-stdout": "kept",
    "held-by-a-module-that-was-there": "kept",
    "destructor-uses-globals": "end /box/work __main__ 3",
    "generator-is-closed": "end",
    "threads-then-hooks": "thread\nhook\ndestructor",
    "hooks-then-destructors": "hook\ndestructor",
}


@pytest.mark.parametrize("name", PRINTED)
def test_what_a_stdio_program_writes_at_its_end_is_its_output(name: str, every_tier: Session) -> None:
    signals = graded(every_tier, ENDS[name], suite({"1.in": "", "1.ans": PRINTED[name]}))
    [case] = [signal for signal in signals if isinstance(signal, CaseOutcome)]
    assert case.outcome is Outcome.PASSED, case


def test_a_stdio_program_finds_nothing_of_ours_in_its_main_module(every_tier: Session) -> None:
    code = "import __main__, sys\nprint(__name__, sorted(n for n in vars(__main__) if n[:2] != '__'), sys.argv, __main__.__file__)"
    answer = "__main__ ['sys'] ['/box/work/solution.py'] /box/work/solution.py"
    signals = graded(every_tier, code, suite({"1.in": "", "1.ans": answer}))
    [case] = [signal for signal in signals if isinstance(signal, CaseOutcome)]
    assert case.outcome is Outcome.PASSED, case
