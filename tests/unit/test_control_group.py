"""What the kernel counts for a control group, read from its files."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxes.engine.control_group import Scheduled, busiest, threads

PATIENCE_SECONDS = 30.0


@pytest.fixture
def rivals() -> Iterator[list[int]]:
    """Two programs that compute without end on the same processor, so that each waits for the other."""
    code = f"import os; os.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})\nwhile True: pass"
    programs = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(2)]
    yield [program.pid for program in programs]
    for program in programs:
        program.kill()
        program.wait()


@pytest.mark.parametrize(("counter", "listed"), [("cpu.stat", "cgroup.threads"), ("cpuacct.usage", "tasks")])
def test_who_is_kept_from_computing_is_as_busy_as_one_alone(
    tmp_path: Path, rivals: list[int], counter: str, listed: str
) -> None:
    (tmp_path / listed).write_text("".join(f"{pid}\n" for pid in rivals))
    deadline = time.monotonic() + PATIENCE_SECONDS
    busy, share = 0.0, 1.0
    while busy <= 0.8 or share >= 0.8:  # each look is only as good as what kept this process from it
        assert time.monotonic() < deadline, (busy, share)
        before, began = threads(tmp_path / counter), time.monotonic()
        while time.monotonic() < began + 0.2:
            pass
        after, seconds = threads(tmp_path / counter), time.monotonic() - began
        busy = busiest(before, after, seconds)
        share = min(after[pid].computed - before[pid].computed for pid in rivals) / seconds


def test_who_sleeps_is_not_busy_however_long_it_waits() -> None:
    before = {7: Scheduled(5.0, 1.0), 8: Scheduled(9.0, 9.0)}
    assert busiest(before, {7: Scheduled(5.001, 1.9), 8: Scheduled(9.0, 10.0)}, 1.0) == pytest.approx(0.01)
    assert busiest(before, {7: Scheduled(5.04, 1.96)}, 1.0) == pytest.approx(1.0)


def test_a_thread_that_ended_or_began_in_between_says_nothing(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / "cgroup.threads").write_text(f"{ended.pid}\n")
    assert threads(tmp_path / "cpu.stat") == {}
    assert busiest({1: Scheduled(0, 0)}, {2: Scheduled(9, 9)}, 1.0) == 0


def test_a_group_that_cannot_be_seen_has_no_threads(tmp_path: Path) -> None:
    assert threads(None) == {}
    assert threads(tmp_path / "cpu.stat") == {}
