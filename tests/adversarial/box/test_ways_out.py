"""What a submission chooses is never our failure, and never the host's memory: names of files, answers that nobody asked for."""

import tracemalloc
from dataclasses import replace

import pytest

from sandboxes.interface import Behaviour, Command, End, Limits, Sandbox, Tier
from sandboxes.running_program import UNTAKEN_ANSWER_BYTES
from tests.adversarial.box.attack import CHANNEL, SMALL, honest

NAMES: dict[str, dict[str, bytes]] = {
    "longer than a name may be": {"x" * 256 + ".py": b""},
    "longer in bytes than in letters": {"\N{SNOWMAN}" * 100: b""},
    "a path without an end": {"/".join(["y" * 200] * 30): b""},
    "a file that is a folder too": {"a": b"", "a/b": b""},
    "a folder that is a file too": {"a/b": b"", "a": b""},
    "a file below a file of a file": {"a": b"", "a/b/c": b""},
}


@pytest.mark.parametrize("files", NAMES.values(), ids=NAMES)
def test_names_that_no_box_can_hold_are_the_programs_failure(files: dict[str, bytes], tier_sandbox: Sandbox) -> None:
    """Were they ours, whoever sends such a file would choose to be ungradable, after eight tries."""
    with tier_sandbox.session() as session:
        execution = session.run(Command(argv=("python3", "-c", "print('ran')"), files=files, limits=SMALL))
        assert (execution.end, execution.exit_code, execution.stdout) == (End.EXITED, 1, b""), execution
        assert b"the files do not fit" in execution.stderr
        honest(session)


LONG: Limits = replace(SMALL, wall_seconds=60, cpu_seconds=30)
PATIENT = CHANNEL + "question(); time.sleep(4); answer(b'here'); question()"
FLOOD = CHANNEL + "part = bytes(1 << 20)\nwhile True: os.write(3, part)"


def test_what_nobody_asked_for_is_not_kept_for_ever(tier: Tier, tier_sandbox: Sandbox) -> None:
    """One of two programs answers without an end, while the host waits for the other: it took 300 MB of the host a second."""
    first, second = (Command(argv=("python3", "-c", code), limits=LONG) for code in (PATIENT, FLOOD))
    tracemalloc.start()
    try:
        with tier_sandbox.session() as session, session.pair(first, second) as (patient, flood):
            assert patient.ask(b"x", seconds=50) == b"here"
            execution = flood.finish()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * UNTAKEN_ANSWER_BYTES + (16 << 20)
    if tier is not Tier.GVISOR:  # which is slow enough to stay below it, on most machines
        assert {seen.behaviour for seen in execution.evidence} == {Behaviour.CHANNEL}, execution.evidence


READS_TO_THE_END = CHANNEL + "question()\nwhile os.read(4, 100): pass\nanswer(b'ended'); question()"
SENDS_ITS_END = """
import array, socket
line = socket.socket(fileno=4)
line.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [4, 4, 4]))])
line.sendmsg([b"xx"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [4] * 200))])
"""


def test_a_line_ends_though_its_end_was_sent_over_it(tier_sandbox: Sandbox) -> None:
    """A program puts its own end of the line on its way to the other, and is gone: the other is not left waiting for more."""
    first, second = (Command(argv=("python3", "-c", code), limits=LONG) for code in (READS_TO_THE_END, SENDS_ITS_END))
    with tier_sandbox.session() as session, session.pair(first, second) as (reader, sender):
        assert reader.ask(b"x", seconds=30) == b"ended", reader.finish()
        assert sender.finish().end is End.EXITED
