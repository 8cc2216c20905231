"""What is registered with the engine for tier gvisor."""

import subprocess
from pathlib import Path

import pytest

from sandboxes import gvisor


def test_the_engine_is_given_a_wrapper_that_runs_runsc_with_our_options(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper = tmp_path / "lib" / "runsc"
    monkeypatch.setattr(gvisor, "WRAPPER", wrapper)
    assert gvisor.engine_options() == [f"--add-runtime=assay-runsc={wrapper}"]
    assert wrapper.stat().st_mode & 0o777 == 0o755
    assert "--network=none" in wrapper.read_text()
    # an option or a platform that this release does not know is refused before anything else
    done = subprocess.run([str(wrapper), f"--root={tmp_path}", "list"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert list(wrapper.parent.iterdir()) == [wrapper]


def test_without_runsc_nothing_is_registered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gvisor, "program", lambda: "")
    monkeypatch.setattr(gvisor, "WRAPPER", tmp_path / "runsc")
    assert gvisor.engine_options() == []
    assert not (tmp_path / "runsc").exists()
