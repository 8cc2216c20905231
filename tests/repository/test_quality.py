"""Layers, types and style are tests: what they forbid cannot be merged by oversight."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [
        ["lint-imports", "--no-cache"],
        ["mypy"],
        ["ruff", "check", "--no-cache"],
        ["ruff", "format", "--check", "--no-cache"],
    ],
    ids=lambda command: " ".join(command[:2]),
)
def test_the_tree_is_clean(command: list[str]) -> None:
    done = subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


BREAKS = {
    "graders imports service": ("graders/suites/call/compare.py", "import service.settings\n", "point down only"),
    "rubrics imports sandboxes": ("rubrics/prefill.py", "import sandboxes.interface\n", "point down only"),
    "rubrics reads a clock": ("rubrics/review.py", "import time\n", "rubrics is pure"),
    "a grader imports Docker": ("graders/plugins/registry.py", "from docker import DockerClient\n", "Docker SDK"),
    "the API imports SQLAlchemy": ("service/http/view.py", "import sqlalchemy\n", "SQLAlchemy"),
    "reviewing imports a page": ("service/reviewing/decisions.py", "import service.web.present\n", "none of its doors"),
    "the API imports a page": ("service/http/view.py", "import service.web.present\n", "The API knows"),
    "a page imports the API": ("service/web/present.py", "import service.http.view\n", "The pages know"),
    "a command imports the API": ("service/cli/demo.py", "import service.http.view\n", "The command line knows"),
    "a cycle between folders": ("graders/suites/values/leaves.py", "import graders.suites.call.compare\n", "cycles"),
    "a cycle": ("sandboxes/interface.py", "import sandboxes.fake\n", "cycles"),
}


@pytest.mark.parametrize("name", BREAKS)
def test_each_contract_bites(name: str, tmp_path: Path) -> None:
    """Break each contract once, in a copy, and expect its name in the report."""
    for package in ("service", "graders", "sandboxes", "rubrics"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path, line, contract = BREAKS[name]
    broken = tmp_path / path
    broken.write_text(broken.read_text().replace("\nfrom ", f"\n{line}from ", 1))
    done = subprocess.run(
        [BIN / "lint-imports", "--no-cache"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(tmp_path)},
    )
    report = [text for text in done.stdout.splitlines() if text.endswith("BROKEN")]
    assert done.returncode == 1 and any(contract in text for text in report), done.stdout + done.stderr
