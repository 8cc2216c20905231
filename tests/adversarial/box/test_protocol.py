"""Whatever bytes come out of a box, the host gives an account of them or says SandboxError, and soon."""

import json
import os
import re
import socket
import struct
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandboxes import running_program
from sandboxes.classify import EndFacts, StoppedFor, classify, parse_report
from sandboxes.container import program as container_program
from sandboxes.container.program import ContainerProgram, RelayedLine, Shape
from sandboxes.engine.control_group import Scheduled
from sandboxes.interface import Command, End, Execution, Limits, SandboxError
from sandboxes.jail import program as jail_program
from sandboxes.jail.program import BEGINS, JailedProgram
from sandboxes.running_program import Poller

LIMITS = Limits(wall_seconds=0.1, cpu_seconds=1, memory_mib=64, disk_mib=8, output_kib=4)
HUNG_SECONDS = 60.0
QUICK = settings(
    deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)

GOOD = {
    "exit_code": 0, "signal": None, "stopped": "", "cpu_seconds": 0.1, "peak_bytes": 1 << 20, "oom_kills": 0,
    "forks_refused": 0, "disk_full": False, "limit_hits": 0, "processes": 1, "written_bytes": 0, "evidence": [],
}  # fmt: skip
GOOD_EXTRA = {"problem": "", "doubt": "", "memory_before": 0}

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 70), 1 << 70) | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
    max_leaves=12,
)
EVIDENCE = st.lists(
    ANYTHING
    | st.fixed_dictionaries(
        {
            "behaviour": st.sampled_from(["network", "write", "nonsense"]) | ANYTHING,
            "detail": st.text(max_size=400) | ANYTHING,
            "refused": st.booleans() | ANYTHING,
            "times": st.integers(0, 3) | ANYTHING,
        }
    ),
    max_size=60,
)


def spoilt(good: Mapping[str, object]) -> st.SearchStrategy[dict[str, object]]:
    """The good fields, of which some are anything at all, some are missing, and some are too many."""
    changed = st.dictionaries(st.sampled_from([*good, "more", "__class__"]), ANYTHING, max_size=3)
    missing = st.sets(st.sampled_from(sorted(good)), max_size=2)
    evidence = st.just({}) | st.fixed_dictionaries({"evidence": EVIDENCE})
    return st.builds(
        lambda new, without, seen: {k: v for k, v in {**good, **new, **seen}.items() if k not in without},
        changed,
        missing,
        evidence,
    )


def sane(execution: Execution) -> None:
    assert execution.exit_code is None or type(execution.exit_code) is int
    assert execution.cpu_seconds >= 0
    assert execution.cpu_seconds < float("inf")
    assert execution.peak_memory_mib >= 0
    assert len(execution.stdout) + len(execution.stderr) <= LIMITS.output_kib << 10
    assert len(execution.evidence) <= 50
    assert all(len(e.detail) <= 200 and e.detail.isascii() and e.detail.isprintable() for e in execution.evidence)


# --- the report ---------------------------------------------------------------------------------------------------------


@QUICK
@given(spoilt(GOOD) | ANYTHING)
def test_a_report_is_well_formed_or_our_failure(fields: object) -> None:
    try:
        report = parse_report(fields)
    except SandboxError as error:
        assert error.diagnostics()
        return
    assert all(type(n) is int and n >= 0 for n in (report.peak_bytes, report.oom_kills, report.forks_refused))
    assert report.cpu_seconds >= 0
    assert all(len(e.detail) <= 200 and e.detail.isascii() and e.detail.isprintable() for e in report.evidence)
    assert len(report.evidence) <= 50


@QUICK
@given(
    fields=st.fixed_dictionaries(
        {
            "exit_code": st.none() | st.integers(0, 255),
            "signal": st.none() | st.integers(1, 64),
            "stopped": st.sampled_from(["", "cpu", "left", "killed"]),
            "oom_kills": st.integers(0, 2),
            "limit_hits": st.none() | st.integers(0, 2),
            "forks_refused": st.integers(0, 2),
            "disk_full": st.booleans(),
        }
    ),
    reported=st.booleans(),
    stopped_for=st.sampled_from(["", "wall", "cpu", "output", "protocol"]),
    started=st.booleans(),
    container_oom=st.booleans(),
)
def test_every_end_has_its_cause(
    fields: dict[str, object], reported: bool, stopped_for: StoppedFor, started: bool, container_oom: bool
) -> None:
    """No end is told that nothing points to: what is not explained is our failure."""
    report = parse_report({**GOOD, **fields}) if reported else None
    seen = EndFacts(
        report=report,
        stopped_for=stopped_for,
        started=started,
        container_oom=container_oom,
        container_exit_code=137,
        supervisor_error="",
    )
    try:
        end = classify(seen)
    except SandboxError:
        assert not started or report is None or (report.oom_kills and report.limit_hits == 0)
        return
    assert started, "nothing is told of a program that never began"
    causes = {
        End.WALL_TIMEOUT: stopped_for == "wall",
        End.OUTPUT_LIMIT: stopped_for == "output",
        End.OUT_OF_MEMORY: container_oom or bool(report and report.oom_kills),
        End.CPU_TIMEOUT: stopped_for == "cpu"
        or (report is not None and (report.stopped == "cpu" or report.signal == 24)),
        End.DISK_LIMIT: report is not None and (report.disk_full or report.signal == 25),
        End.PROCESS_LIMIT: report is not None and report.forks_refused > 0,
        End.SIGNALLED: report is not None and report.signal is not None,
        End.EXITED: report is not None,
    }
    assert causes[end], end


# --- the zygote's side of a slot ----------------------------------------------------------------------------------------


@dataclass
class HostileSlot:
    """A slot whose zygote is this test: it holds the other end of the control connection."""

    container: str = "hostile"
    control: socket.socket = field(init=False)
    zygote: socket.socket = field(init=False)
    theirs: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.control, self.zygote = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.control.setblocking(False)
        self.zygote.setblocking(False)

    def reset_peak(self) -> None:
        pass

    def peak_bytes(self) -> int | None:
        return None

    def cpu_seconds(self) -> float | None:
        return None

    def threads(self) -> Mapping[int, Scheduled]:
        return {}

    def state(self, *, ended_within: float) -> Mapping[str, object]:
        return {"OOMKilled": False, "ExitCode": 137}

    def receive(self) -> None:
        """Take the program's descriptors: the request's file, stdin, stdout, stderr and the channel."""
        _, self.theirs, _, _ = socket.recv_fds(self.zygote, 4096, 10)
        for fd in self.theirs:
            os.set_blocking(fd, False)

    def close(self) -> None:
        for fd in self.theirs:
            os.close(fd)
        self.control.close()
        self.zygote.close()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The host's patience with who does not report, cut short: the same way in less time."""
    monkeypatch.setattr(jail_program, "LAST_WORDS_SECONDS", 0.05)
    monkeypatch.setattr(jail_program, "LEAVE_SECONDS", 0.05)
    monkeypatch.setattr(container_program, "LAST_WORDS_SECONDS", 0.05)
    monkeypatch.setattr(running_program, "START_SECONDS", 0.1)


Step = tuple[str, bytes | str]
"""Where bytes are written: `control`, or a descriptor by its place among the program's (2 stdout, 3 stderr, 4 channel);
and which: themselves, or their name in LARGE."""
LARGE = {
    "deep list": b"[" * 60000,
    "deep object": b'{"a":' * 10000,
    "long number": b"9" * 60000,
    "no text": b"\xff" * 60000,
    "zeros": b"\0" * 3000,
    "flood": b"x" * 5000,
}

REPORTS = st.one_of(
    spoilt({**GOOD, **GOOD_EXTRA}).map(lambda fields: json.dumps(fields).encode()),
    ANYTHING.map(lambda value: json.dumps(value).encode()),
    st.binary(max_size=100),
    st.sampled_from(["deep list", "deep object", "long number", "no text", b"null", b"{}", b"NaN"]),
    st.just(json.dumps({**GOOD, **GOOD_EXTRA}).encode()),
)
MESSAGES = st.one_of(
    st.binary(max_size=20),
    st.sampled_from([b"\xff" * 4, b"\0\0\0\1y", b"\0\0\0\1y\0\0\0\1z", b"\0\0", "zeros", "no text"]),
)
BEGUN_IN_SLOT = ("control", BEGINS)
SCRIPT = st.lists(
    st.tuples(st.just("control"), REPORTS | st.just(BEGINS))
    | st.tuples(st.sampled_from(["2", "3", "4"]), MESSAGES | st.just("flood"))
    | st.tuples(st.sampled_from(["close 1", "close 2", "close 3", "close 4", "close control"]), st.just(b"")),
    max_size=6,
)


def play(slot: HostileSlot, script: list[Step]) -> None:
    for where, what in script:
        data = what if isinstance(what, bytes) else LARGE[what]
        with suppress(OSError):
            if where == "close control":
                slot.zygote.close()
            elif where.startswith("close"):
                # in its place a descriptor of nothing, so that the numbers stay
                null = os.open(os.devnull, os.O_RDWR)
                os.dup2(null, slot.theirs[int(where.split()[1])])
                os.close(null)
            elif where == "control":
                slot.zygote.send(data)
            else:
                os.write(slot.theirs[int(where)], data)


def test_what_was_answered_before_the_end_is_heard_whole() -> None:
    """The report of a program's end may overtake what it had answered."""
    slot = HostileSlot()
    answer = b"a" * 8000  # twelve of them are more than is read at once
    said = (struct.pack(">I", len(answer)) + answer) * 12

    def questions() -> Iterator[tuple[bytes, float]]:
        assert os.write(slot.theirs[4], said) == len(said)
        slot.zygote.send(json.dumps({**GOOD, **GOOD_EXTRA}).encode())
        for _ in range(20):
            yield b"question", 5

    running = JailedProgram(slot, Command(argv=("x",)), Poller(), channel=True)  # type: ignore[arg-type]
    slot.receive()
    slot.zygote.send(BEGINS)
    assert list(running.ask_each(questions())) == [answer] * 12
    assert running.finish().end is End.EXITED
    running.close()
    slot.close()


def test_the_slot_of_these_tests_has_all_that_is_asked_of_one() -> None:
    """What is asked only of a program that keeps the host waiting is not missed on a quiet machine."""
    asked = set(re.findall(r"\b_slot\.(\w+)", Path(jail_program.__file__).read_text()))
    assert "threads" in asked
    assert asked <= {*dir(HostileSlot), *HostileSlot.__dataclass_fields__}, asked


def accounts(script: list[Step], *, questions: int) -> Execution | None:
    """What the host makes of a zygote and a program that do this; None where it says SandboxError."""
    slot = HostileSlot()
    before = {fd.name for fd in Path("/proc/self/fd").iterdir()}
    started = time.monotonic()
    try:
        running = JailedProgram(slot, Command(argv=("x",), limits=LIMITS), Poller(), channel=True)  # type: ignore[arg-type]
        try:
            slot.receive()
            play(slot, script)
            for _ in range(questions):
                running.ask(b"question", seconds=0.02)
            if not questions:
                running.wait()
            return running.finish()
        except SandboxError:
            return None
        finally:
            with suppress(SandboxError):
                running.close()
    finally:
        for fd in slot.theirs:
            os.close(fd)
        slot.theirs.clear()
        assert time.monotonic() - started < HUNG_SECONDS
        assert {fd.name for fd in Path("/proc/self/fd").iterdir()} <= before
        slot.close()


@QUICK
@given(script=SCRIPT | SCRIPT.map(lambda steps: [BEGUN_IN_SLOT, *steps]), questions=st.integers(0, 2))
def test_no_zygote_harms_the_host(script: list[Step], questions: int) -> None:
    execution = accounts(script, questions=questions)
    if execution is not None:
        sane(execution)


def test_a_good_zygote_is_believed() -> None:
    """The fuzzing above begins from what works."""
    execution = accounts(
        [BEGUN_IN_SLOT, ("2", b"out"), ("control", json.dumps({**GOOD, **GOOD_EXTRA}).encode())], questions=0
    )
    assert execution is not None
    assert (execution.end, execution.exit_code, execution.stdout) == (End.EXITED, 0, b"out")


def test_a_silent_zygote_is_our_failure_and_not_the_programs() -> None:
    assert accounts([BEGUN_IN_SLOT, ("2", b"out"), ("close control", b"")], questions=0) is None


@pytest.mark.parametrize("code", [0, 1, 126])
def test_a_program_that_never_began_is_our_failure(code: int) -> None:
    """Whatever its process left with."""
    report = json.dumps({**GOOD, **GOOD_EXTRA, "exit_code": code}).encode()
    assert accounts([("2", b"out"), ("control", report)], questions=0) is None


# --- the supervisor's side of a container -------------------------------------------------------------------------------


class HostileEngine:
    """An engine with one container, whose process 1 is this test; it is its own `api` and its own stream."""

    def __init__(self) -> None:
        self.api = self._response = self
        self._sock, self.supervisor = socket.socketpair()
        self.supervisor.setblocking(False)
        self.state = {"Pid": 0, "OOMKilled": False, "ExitCode": 137}
        self.state_after_wait = self.state
        self.events_to_come: list[bytes] = []

    def attach_socket(self, _: str, params: Mapping[str, int]) -> "HostileEngine":
        return self

    def start(self, _: str) -> None:
        pass

    def inspect_container(self, _: str) -> Mapping[str, object]:
        return {"State": self.state}

    def wait(self, _: str, *, timeout: float) -> None:
        self.state = self.state_after_wait

    def events(self, *, since: float, until: float, filters: Mapping[str, str]) -> Iterator[bytes]:
        assert since < time.time() < until and filters["event"] == "oom"
        return iter(self.events_to_come)

    def close(self) -> None:
        self._sock.close()


def framed(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">cI", kind, len(payload)) + payload


def streamed(data: bytes, stream: int = 1) -> bytes:
    return struct.pack(">BxxxI", stream, len(data)) + data


BEGUN = ("frame S", b"")
ENDED = ("frame X", json.dumps(GOOD).encode())
FRAMES = st.lists(
    st.tuples(
        st.sampled_from(["frame O", "frame E", "frame C", "frame L", "frame T", "frame A"]), MESSAGES | st.just("flood")
    )
    | st.tuples(st.just("frame X"), spoilt(GOOD).map(lambda fields: json.dumps(fields).encode()) | REPORTS)
    | st.tuples(st.sampled_from(["frame ?", "frame R", "raw", "engine", "stderr"]), MESSAGES | REPORTS)
    | st.sampled_from([BEGUN, ENDED, ("close", b"")]),
    max_size=6,
)


def container_accounts(script: list[Step], *, questions: int, piece: int) -> Execution | None:
    """What the host makes of a supervisor that sends this, `piece` bytes at a time; None where it says SandboxError."""
    engine = HostileEngine()
    box = ContainerProgram(engine, "hostile", Shape.of(LIMITS))  # type: ignore[arg-type]
    stream, closes = bytearray(), False
    for where, what in script:
        data = what if isinstance(what, bytes) else LARGE[what]
        closes = closes or where == "close"
        kind = where[-1:].encode()
        stream += {"raw": streamed(data), "engine": data, "stderr": streamed(data, 2), "close": b""}.get(
            where, b"".join(streamed(part) for part in parts(framed(kind, data), piece))
        )
    started = time.monotonic()
    try:
        box.connect()
        with suppress(BlockingIOError):
            engine.supervisor.send(stream)
        if closes:
            engine.supervisor.shutdown(socket.SHUT_WR)
        box.begin(Command(argv=("x",), limits=LIMITS), Poller(), channel=True, line=RelayedLine())
        for _ in range(questions):
            box.ask(b"question", seconds=0.02)
        if not questions:
            box.wait()
        return box.finish()
    except SandboxError:
        return None
    finally:
        box.disconnect()
        engine.supervisor.close()
        assert time.monotonic() - started < HUNG_SECONDS


def parts(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


@QUICK
@given(
    script=FRAMES | FRAMES.map(lambda frames: [BEGUN, *frames]),
    questions=st.integers(0, 2),
    piece=st.sampled_from([1, 3, 4096]),
)
def test_no_supervisor_harms_the_host(script: list[Step], questions: int, piece: int) -> None:
    execution = container_accounts(script, questions=questions, piece=piece)
    if execution is not None:
        sane(execution)


@pytest.mark.parametrize("piece", [1, 7, 4096])
def test_a_good_supervisor_is_believed(piece: int) -> None:
    execution = container_accounts([BEGUN, ("frame O", b"out"), ENDED], questions=0, piece=piece)
    assert execution is not None
    assert (execution.end, execution.exit_code, execution.stdout) == (End.EXITED, 0, b"out")


@pytest.mark.parametrize(("allowed", "end"), [(1e-6, End.CPU_TIMEOUT), (60.0, End.EXITED)])
def test_the_host_decides_whether_the_cpu_limit_is_met(allowed: float, end: End) -> None:
    """gVisor counts what only waited. Where the host sees no count of its own, it is what all processors can have given."""
    engine = HostileEngine()
    box = ContainerProgram(engine, "late", Shape.of(LIMITS))  # type: ignore[arg-type]
    box.connect()
    report = json.dumps({**GOOD, "cpu_seconds": 100.0}).encode()
    for kind, payload in ((b"S", b""), (b"A", b""), (b"X", report)):
        engine.supervisor.send(streamed(framed(kind, payload)))
    limits = replace(LIMITS, cpu_seconds=allowed)
    box.begin(Command(argv=("x",), limits=limits), Poller(), channel=False)
    box.wait()
    execution = box.finish()
    assert execution.end is end
    assert 0 < execution.cpu_seconds < 60
    box.disconnect()
    engine.supervisor.close()


@pytest.mark.parametrize("in_state", [True, False])
def test_the_engine_may_see_an_end_later_than_we_do(in_state: bool) -> None:
    """The streams of a container that ran out of memory close before the engine knows of that; now and then it knows of the
    end first and of the memory later."""
    engine = HostileEngine()
    engine.state_after_wait = {"Pid": 0, "OOMKilled": in_state, "ExitCode": 137}
    engine.events_to_come = [] if in_state else [b'{"status": "oom"}']
    box = ContainerProgram(engine, "short of memory", Shape.of(LIMITS))  # type: ignore[arg-type]
    box.connect()
    engine.supervisor.send(streamed(framed(b"S", b"")))
    engine.supervisor.shutdown(socket.SHUT_WR)
    box.begin(Command(argv=("x",), limits=LIMITS), Poller(), channel=False)
    box.wait()
    assert box.finish().end is End.OUT_OF_MEMORY
    box.disconnect()
    engine.supervisor.close()
