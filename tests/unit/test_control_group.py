"""What the kernel counts for a control group, read from its files."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxes.control_group import waited_seconds

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
def test_who_is_kept_from_computing_is_seen_to_wait(
    tmp_path: Path, rivals: list[int], counter: str, listed: str
) -> None:
    (tmp_path / listed).write_text("".join(f"{pid}\n" for pid in rivals))
    deadline = time.monotonic() + PATIENCE_SECONDS
    while waited_seconds(tmp_path / counter) < 0.5:
        assert time.monotonic() < deadline, "two that share a processor do not wait for it"


def test_a_thread_that_ended_has_not_waited(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / "cgroup.threads").write_text(f"{ended.pid}\n")
    assert waited_seconds(tmp_path / "cpu.stat") == 0


def test_a_group_that_cannot_be_seen_has_not_waited(tmp_path: Path) -> None:
    assert waited_seconds(None) == 0
    assert waited_seconds(tmp_path / "cpu.stat") == 0
