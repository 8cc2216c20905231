"""What submissions do in real boxes, from the system call to the flag that a reviewer reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

import pytest

from graders.builtin.complexity import Complexity
from graders.builtin.hidden_tests import HiddenTests
from graders.builtin.integrity import Integrity
from graders.builtin.security import Security
from graders.interface import (
    CaseOutcome,
    Command,
    Conversation,
    Execution,
    Finding,
    Grader,
    Measurement,
    Outcome,
    Session,
    Severity,
    Signal,
    Suite,
)
from graders.plugins.testing import context_of
from sandboxes.interface import Tier
from sandboxes.tiers import Tiers
from tests.unit.honest_programs import PROGRAMS
from tests.unit.tampering_programs import TAMPERING

CALL = Suite(
    id="hidden", kind="call", files={"hidden/cases.jsonl": '{"call": "f(1)"}\n{"call": "f(2)", "returns": "2"}'},
    options={"entry_point": "f"},
)  # fmt: skip
TESTS = """
from hypothesis import given, settings, strategies as st
from solution import f

@settings(max_examples=5, deadline=None)
@given(st.lists(st.text()))
def test_property(x): assert f(x) == x
def test_files(tmp_path, capfd, caplog):
    (tmp_path / "a").write_text("x")
    assert f((tmp_path / "a").read_text()) == "x"
"""
STARTS_A_PROGRAM = """
import subprocess
from solution import f
def test_f(): assert f(subprocess.run(["true"], check=True).returncode) == 0
"""
PYTEST = Suite(id="hidden", kind="pytest", files={"test_f.py": TESTS, "test_program.py": STARTS_A_PROGRAM})
HONEST = "def f(x):\n    return x\n"


@pytest.fixture(params=[Tier.JAIL, Tier.CONTAINER])
def session(request: pytest.FixtureRequest, tiers: Tiers) -> Iterator[Session]:
    with tiers.at_least(request.param).session() as session:
        yield session


def graded(
    session: Session, code: str, *suites: Suite, grader: Grader | None = None, reference: str = HONEST
) -> list[Signal]:
    context = context_of({"solution.py": code}, session)
    task = replace(context.task, suites=suites, reference={"solution.py": reference})
    return list((grader or HiddenTests()).grade(replace(context, task=task)))


def flags(signals: list[Signal]) -> dict[str, str]:
    return {signal.rule: signal.message for signal in signals if isinstance(signal, Finding) and signal.flag}


def above_low(signals: list[Signal]) -> dict[str, str]:
    found = [signal for signal in signals if isinstance(signal, Finding) and signal.flag]
    return {signal.rule: str(signal.severity) for signal in found if signal.severity is not Severity.LOW}


def outcomes(signals: list[Signal]) -> list[Outcome]:
    return [signal.outcome for signal in signals if isinstance(signal, CaseOutcome)]


def test_an_honest_submission_has_no_flag_and_what_it_used_is_counted(session: Session) -> None:
    signals = graded(session, HONEST, CALL, PYTEST)
    assert outcomes(signals) == [Outcome.PASSED] * 5
    assert flags(signals) == {}
    measured = {signal.name: signal.value for signal in signals if isinstance(signal, Measurement)}
    assert measured["processes"] >= 1


def test_a_submission_that_reaches_for_the_network_is_flagged_with_the_address(session: Session) -> None:
    code = (
        "import socket\ndef f(x):\n"
        "    for _ in range(3):\n        try: socket.create_connection(('192.0.2.1', 80), timeout=1)\n"
        "        except OSError: pass\n    return x\n"
    )
    signals = graded(session, code, replace(CALL, files={"hidden/cases.jsonl": '{"call": "f(1)", "returns": "1"}'}))
    assert outcomes(signals) == [Outcome.PASSED]
    told = [signal.message for signal in signals if isinstance(signal, Finding) and signal.flag]
    assert "It tried to connect to 192.0.2.1:80 (3 times); the box has no network." in told


def test_a_submission_that_starts_a_program_is_noticed_beside_tests_that_do_so(session: Session) -> None:
    code = "import subprocess\ndef f(x):\n    subprocess.run(['ls', '/'], check=True, stdout=subprocess.DEVNULL)\n    return x\n"
    assert "/ls (" in flags(graded(session, code, CALL))["assay/box-program"]
    signals = graded(session, code, replace(PYTEST, files={"test_program.py": STARTS_A_PROGRAM}))
    told = [signal.message for signal in signals if isinstance(signal, Finding) and signal.flag]
    assert any("/ls" in message for message in told)
    assert not any("/true" in message for message in told), "that is the tests' own doing"


LIBRARIES = """
import os, platform, socket, subprocess, threading, time, uuid
def f(x):
    uuid.uuid1(), socket.getfqdn(), platform.uname(), time.localtime(), os.nice(1), os.getloadavg()
    for path in ("/proc/cpuinfo", "/proc/self/status", "/etc/localtime", "/dev/null", __file__):
        try: open(path, "rb").read(1)
        except OSError: pass
    for path in ("/var/log/f.log", "/data/f.csv"):
        try: open(path, "a").close()
        except OSError: pass
    subprocess.run(["ls", os.path.dirname(__file__)], check=False, capture_output=True)
    worker = threading.Thread(target=time.sleep, args=(0,))
    worker.start(), worker.join()
    return x
"""


def test_what_libraries_try_is_no_more_than_noticed(session: Session) -> None:
    signals = graded(session, LIBRARIES, CALL) + graded(session, LIBRARIES, CALL, grader=Integrity())
    assert set(outcomes(signals)) == {Outcome.PASSED}
    assert above_low(signals) == {}


@pytest.mark.parametrize(
    "kind",
    [
        "fast input class", "json default", "dispatch by module", "compat math", "data listing with ending", "micro in answer",
        "round robin in answer", "clear in answer", "own module in a name", "builtins print replaced with flush", "seeds everywhere",
    ],
)  # fmt: skip
def test_an_unusual_program_is_not_accused_by_what_a_box_says_of_it(session: Session, kind: str) -> None:
    signals = graded(session, PROGRAMS[kind].source, CALL, grader=Integrity())
    assert above_low(signals) == {}
    assert [signal.value for signal in signals if isinstance(signal, Measurement)] == [1], "it was looked at"


@pytest.mark.parametrize(
    "kind", ["getframe split", "gc hunting", "eq", "patch json", "fd loop", "reads hidden", "b64", "exit idle but called by globals"]
)  # fmt: skip
def test_a_program_that_tampers_is_flagged_by_what_a_box_says_of_it(session: Session, kind: str) -> None:
    assert "high" in above_low(graded(session, TAMPERING[kind], CALL, grader=Integrity())).values()


def test_what_the_reference_does_as_well_is_only_noticed(session: Session) -> None:
    code = "import sys\ndef f(x):\n    return x if sys._getframe(1).f_locals else x\n"
    assert above_low(graded(session, code, CALL, grader=Integrity())) == {"assay/reads-frames": "high"}
    same = graded(session, code, CALL, grader=Integrity(), reference=code + "# the author's\n")
    assert above_low(same) == {}
    assert "assay/reads-frames" in flags(same)


@dataclass
class Recording:
    """A session that keeps how its conversations ended."""

    session: Session
    ended: list[Execution] = field(default_factory=list)

    def run(self, command: Command) -> Execution:
        return self.session.run(command)

    @contextmanager
    def converse(self, command: Command) -> Iterator[Conversation]:
        with self.session.converse(command) as conversation:
            yield conversation
            self.ended.append(conversation.finish())


def test_the_analyzers_themselves_do_nothing_that_a_box_notices(session: Session) -> None:
    recording = Recording(session)
    for grader in (Security(), Complexity()):
        assert graded(recording, HONEST, grader=grader)
    assert [execution.evidence for execution in recording.ended] == [(), ()]
