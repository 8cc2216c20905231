"""Tier container's process 1 is an interpreter that waits for a processor like everybody: what a program must not notice of that.

Each program here keeps all processors busy by itself, so that process 1 is late.
"""

from textwrap import dedent

from sandboxes.interface import Command, End, Execution, Limits, Tier
from sandboxes.tiers import Tiers

LIMITS = Limits(wall_seconds=30, cpu_seconds=15, memory_mib=128, processes=24, disk_mib=16)
BUSY = """
import os, signal, time
def child(work):
    if os.fork() == 0:
        work()
        os._exit(0)
def spin():
    while True: pass
for _ in range(2 * min(4, os.cpu_count())): child(spin)
"""


def run(tiers: Tiers, code: str) -> Execution:
    with tiers.at_least(Tier.CONTAINER).session() as session:
        return session.run(Command(argv=("python3", "-c", BUSY + dedent(code)), limits=LIMITS))


def test_the_dead_do_not_count(tiers: Tiers) -> None:
    """Chains of orphans: many more processes than allowed, but never more than a dozen at once."""
    execution = run(
        tiers,
        """
        def chain():
            while True:
                try:
                    if os.fork(): os._exit(0)
                except OSError: os.write(1, b"refused ")
        for _ in range(4): child(chain)
        time.sleep(0.5)
        print("done")
        """,
    )
    assert (execution.end, execution.stdout, execution.evidence) == (End.EXITED, b"done\n", ()), execution
    assert execution.processes > 2 * LIMITS.processes


def test_a_fork_is_not_interrupted(tiers: Tiers) -> None:
    execution = run(
        tiers,
        """
        got = 0
        def count(*_):
            global got
            got += 1
        signal.signal(signal.SIGALRM, count)
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.0005)
        for _ in range(200):
            child(lambda: None)
            os.wait()
        signal.setitimer(signal.ITIMER_REAL, 0)
        print("done" if got > 50 else f"only {got} signals")
        """,
    )
    assert (execution.end, execution.stdout, execution.evidence) == (End.EXITED, b"done\n", ()), execution
