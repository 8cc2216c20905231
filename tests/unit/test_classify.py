"""What was seen of a box -> an End, or our own failure."""

from dataclasses import asdict, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandboxes.classify import MOST_EVIDENCE, EndFacts, Report, Stopped, StoppedFor, classify, parse_report
from sandboxes.interface import Behaviour, End, SandboxError

CLEAN = Report(
    exit_code=0,
    signal=None,
    stopped="",
    cpu_seconds=0.1,
    peak_bytes=1 << 20,
    oom_kills=0,
    limit_hits=1,
    forks_refused=0,
    disk_full=False,
    processes=1,
    written_bytes=0,
    evidence=(),
)
SEEN = EndFacts(
    report=CLEAN, stopped_for="", started=True, container_oom=False, container_exit_code=None, supervisor_error=""
)


@pytest.mark.parametrize(
    ("changes", "end"),
    [
        ({}, End.EXITED),
        ({"exit_code": 3}, End.EXITED),
        ({"exit_code": None, "signal": 11}, End.SIGNALLED),
        ({"exit_code": None, "signal": 9, "stopped": "cpu"}, End.CPU_TIMEOUT),
        ({"exit_code": None, "signal": 24}, End.CPU_TIMEOUT),
        ({"exit_code": None, "signal": 25}, End.DISK_LIMIT),
        ({"exit_code": None, "signal": 9, "oom_kills": 1}, End.OUT_OF_MEMORY),
        ({"exit_code": 1, "oom_kills": 1}, End.OUT_OF_MEMORY),
        ({"exit_code": 1, "disk_full": True}, End.DISK_LIMIT),
        ({"exit_code": 1, "forks_refused": 2}, End.PROCESS_LIMIT),
        ({"exit_code": None, "signal": 9, "stopped": "left"}, End.EXITED),
    ],
)
def test_what_the_supervisor_saw(changes: dict[str, object], end: End) -> None:
    assert classify(replace(SEEN, report=replace(CLEAN, **changes))) is end


@pytest.mark.parametrize("field", ["oom_kills", "forks_refused", "disk_full"])
def test_a_limit_that_did_not_hurt_is_no_end(field: str) -> None:
    """A program that met a limit, coped and exited well has exited."""
    assert classify(replace(SEEN, report=replace(CLEAN, **{field: 1}))) is End.EXITED


def test_the_hosts_reasons_come_first() -> None:
    killed = replace(CLEAN, exit_code=None, signal=9, stopped="killed", forks_refused=5)
    assert classify(replace(SEEN, report=killed, stopped_for="wall")) is End.WALL_TIMEOUT
    assert classify(replace(SEEN, report=replace(killed, oom_kills=1), stopped_for="wall")) is End.OUT_OF_MEMORY
    assert classify(replace(SEEN, report=replace(killed, oom_kills=1), stopped_for="output")) is End.OUTPUT_LIMIT


def test_what_the_host_killed_for_want_of_memory_is_ours() -> None:
    killed = replace(CLEAN, exit_code=None, signal=9, oom_kills=1)
    assert classify(replace(SEEN, report=replace(killed, limit_hits=3))) is End.OUT_OF_MEMORY
    with pytest.raises(SandboxError, match="host ran out of memory"):
        classify(replace(SEEN, report=replace(killed, limit_hits=0)))


@given(st.text(max_size=400), st.integers(0, 300))
def test_evidence_is_readable_and_little(detail: str, count: int) -> None:
    row = {"behaviour": "network", "detail": detail, "refused": True, "times": 2}
    report = parse_report({**asdict(CLEAN), "evidence": [row] * count})
    assert len(report.evidence) == min(count, MOST_EVIDENCE)
    for evidence in report.evidence:
        assert evidence.behaviour is Behaviour.NETWORK and evidence.times == 2
        assert evidence.detail.isascii() and evidence.detail.isprintable() and len(evidence.detail) <= 200


def test_no_report_is_ours_unless_the_box_ran_out() -> None:
    assert classify(replace(SEEN, report=None, container_oom=True)) is End.OUT_OF_MEMORY
    assert classify(replace(SEEN, report=None, stopped_for="wall")) is End.WALL_TIMEOUT
    assert classify(replace(SEEN, report=None, stopped_for="cpu")) is End.CPU_TIMEOUT
    with pytest.raises(SandboxError, match="without a report"):
        classify(replace(SEEN, report=None))


REPORTS = st.none() | st.builds(
    replace,
    st.just(CLEAN),
    exit_code=st.none() | st.integers(0, 255),
    signal=st.none() | st.integers(1, 64),
    stopped=st.sampled_from(["", "cpu", "left", "killed"]),
    oom_kills=st.integers(0, 3),
    forks_refused=st.integers(0, 3),
    disk_full=st.booleans(),
)


@given(
    report=REPORTS,
    stopped_for=st.sampled_from(["", "wall", "cpu", "output", "protocol"]),
    oom=st.booleans(),
    code=st.none() | st.sampled_from([0, 126, 137]),
)
def test_a_program_that_never_began_has_no_end(
    report: Report | None, stopped_for: StoppedFor, oom: bool, code: int | None
) -> None:
    """Whatever its process died of: none of it was the program's doing."""
    seen = replace(SEEN, report=report, stopped_for=stopped_for, container_oom=oom, container_exit_code=code)
    with pytest.raises(SandboxError, match="never began"):
        classify(replace(seen, started=False))


@given(
    exit_code=st.none() | st.integers(0, 255),
    signal=st.none() | st.integers(1, 64),
    stopped=st.sampled_from(["", "cpu", "left", "killed"]),
    counts=st.tuples(st.integers(0, 3), st.integers(0, 3)),
    full=st.booleans(),
    stopped_for=st.sampled_from(["", "wall", "cpu", "output", "protocol"]),
)
def test_every_report_has_an_end(
    exit_code: int | None,
    signal: int | None,
    stopped: Stopped,
    counts: tuple[int, int],
    full: bool,
    stopped_for: StoppedFor,
) -> None:
    report = replace(
        CLEAN,
        exit_code=exit_code,
        signal=signal,
        stopped=stopped,
        oom_kills=counts[0],
        forks_refused=counts[1],
        disk_full=full,
    )
    end = classify(replace(SEEN, report=report, stopped_for=stopped_for))
    if stopped_for == "wall":
        assert end in (End.WALL_TIMEOUT, End.OUT_OF_MEMORY)
    if stopped_for == "cpu":
        assert end in (End.CPU_TIMEOUT, End.OUT_OF_MEMORY)
    if not (stopped_for or stopped or signal) and exit_code == 0:
        assert end is End.EXITED


@pytest.mark.parametrize("fields", [None, [], {}, {"exit_code": 1}, {**dict.fromkeys(Report.__slots__)}, {"x": 1}])
def test_a_malformed_report_is_our_failure(fields: object) -> None:
    with pytest.raises(SandboxError, match="malformed"):
        parse_report(fields)
