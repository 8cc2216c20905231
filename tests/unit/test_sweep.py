"""Whose boxes are removed: those of processes that have died, whatever is left of them."""

import os
import subprocess
from pathlib import Path

from sandboxes.engine.sweep import creator, is_dead


def test_the_boxes_of_a_process_that_nobody_collects_are_removed() -> None:
    process = subprocess.Popen(["sleep", "60"])
    start = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[19]
    label = "/".join([*creator().split("/")[:3], str(process.pid), start])
    assert not is_dead(label)
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert Path(f"/proc/{process.pid}").exists() and is_dead(label)
    process.wait()
    assert is_dead(label)


def test_of_another_place_or_of_no_place_nothing_is_known() -> None:
    assert not is_dead(creator())
    assert not is_dead("elsewhere/" + creator().partition("/")[2])
    assert not is_dead("")
