"""What is registered with the engine for tier gvisor."""

import subprocess
from pathlib import Path

import pytest

from sandboxes.engine import gvisor


def test_the_engine_is_told_of_runsc_with_options_that_this_release_knows(tmp_path: Path) -> None:
    [(name, runtime)] = gvisor.runtimes().items()
    assert name == "assay-runsc"
    assert "--network=none" in runtime["runtimeArgs"]
    # an option or a platform that this release does not know is refused before anything else
    command = [runtime["path"], *runtime["runtimeArgs"], f"--root={tmp_path}", "list"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_without_runsc_nothing_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gvisor, "program", lambda: "")
    assert gvisor.runtimes() == {}
