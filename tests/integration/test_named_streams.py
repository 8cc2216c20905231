"""A program may use its streams by name: /dev/stdin, /dev/fd/N, /proc/self/fd/N are what they are everywhere else."""

from collections.abc import Iterator

import pytest

from graders.interface import Outcome
from sandboxes.interface import Command, Execution, Limits, Session, Tier
from sandboxes.tiers import Tiers
from tests.integration.descriptors import NAMED
from tests.integration.test_stdio_suite import cases, flags, graded, suite

LIMITS = Limits(wall_seconds=30, cpu_seconds=20, memory_mib=256, processes=32, disk_mib=32)
STDIN = b"one\ntwo\nthree\n"


@pytest.fixture(scope="module")
def plain(tiers: Tiers) -> Iterator[Session]:
    """With a procfs."""
    with tiers.at_least(Tier.CONTAINER).session() as session:
        yield session


@pytest.mark.parametrize("name", NAMED)
def test_a_stream_by_its_name_is_that_stream(name: str, session: Session, plain: Session) -> None:
    def told(execution: Execution) -> tuple[object, ...]:
        # other programs are noticed, and that is right
        noticed = [each for each in execution.evidence if each.behaviour.value != "program"]
        return execution.end, execution.exit_code, execution.stdout, execution.stderr, noticed

    command = Command(argv=("python3", "-c", NAMED[name]), stdin=STDIN, limits=LIMITS)
    found = told(session.run(command))
    assert found == told(plain.run(command))
    assert found[-1] == [], "a program's own streams are not outside of its places"


@pytest.mark.parametrize(
    "code",
    [
        "with open('/dev/stdin') as f: a, b = map(int, f.read().split())\nwith open('/dev/stdout', 'w') as f: f.write(str(a + b))",
        "import os\na, b = map(int, open('/proc/self/fd/0').read().split())\nopen('/dev/fd/1', 'a').write(f'{a + b}')",
    ],
)
def test_a_stdio_program_may_name_them(code: str, every_tier: Session) -> None:
    signals = graded(every_tier, code, suite())
    assert [case.outcome for case in cases(signals)] == [Outcome.PASSED] * 2
    assert flags(signals) == []


CHILD = """
import os
shown = {}
def look():
    for path in ('/dev/stdin', '/dev/fd/0', '/proc/self/fd/0'):
        try:
            with open(path) as f: print(f.read(2), end=' ')
        except OSError as error: print(type(error).__name__, end=' ')
    print(flush=True)
own, other = os.pipe()
os.write(other, b'yesyes'); os.close(other)
if os.fork() == 0:
    os.dup2(own, 0)
    look()
    os._exit(0)
os.wait()
"""


def test_a_process_that_the_program_starts_never_finds_the_streams_of_another(session: Session) -> None:
    """Tier jail has no more of a procfs than the program's own descriptors: to its children they are closed."""
    execution = session.run(Command(argv=("python3", "-c", CHILD), stdin=b"nono", limits=LIMITS))
    assert execution.stdout.split() in ([b"ye", b"sy", b"es"], [b"PermissionError"] * 3), execution
