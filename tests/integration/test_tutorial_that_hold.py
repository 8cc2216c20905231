"""docs/tutorial/hidden-tests-that-hold.md, followed to the letter with real boxes, prints what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.box, pytest.mark.slow]

TUTORIAL = (Path(__file__).parents[2] / "docs" / "tutorial" / "hidden-tests-that-hold.md").read_text()
STEPS = re.findall(r"^```(sh|text)\n(.*?)^```$", TUTORIAL, flags=re.DOTALL | re.MULTILINE)
"""Commands, and below some of them what they print."""


@pytest.mark.timeout(900)
def test_every_command_does_what_the_tutorial_says(tmp_path: Path) -> None:
    programs = Path(sys.executable).parent
    (tmp_path / "assay").symlink_to(programs / "assay")
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ASSAY_", "PYTEST_"))}
    environment |= {"PATH": f"{programs}:{os.environ['PATH']}", "ASSAY_HOME": str(tmp_path / "home")}
    done, shown = None, True
    for kind, text in STEPS:
        if kind == "sh":
            assert shown or not done.stdout, "the tutorial does not show what its last command prints"
            done = subprocess.run(
                ["sh", "-eu", "-c", text], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
            )
            shown = False
        else:
            shown = True
            assert set(text.splitlines()) <= set(done.stdout.splitlines()), done.stdout + done.stderr
            assert done.stdout.count("DIFFERS") == text.count("DIFFERS"), done.stdout
        assert done.returncode == ("DIFFERS" in done.stdout), done.stdout + done.stderr
    assert [kind for kind, _ in STEPS].count("text") == 4
