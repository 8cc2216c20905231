"""How the submission's folder becomes importable beside a driver, in an interpreter of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROBE = """
import json, sys
import graders.encoding, random, types, typing, xml.etree, pytest  # as a driver, or what it was forked from, has done
from graders.harness.search_path import make_importable
kept = sys.modules["pytest"], sys.modules["os"], sys.modules["builtins"], sys.modules["__main__"]
make_importable("submission")
found = {}
for name in json.loads(sys.argv[1]):
    module = __import__(name)
    found[name] = getattr(module, "OWN", False)
assert kept == (sys.modules["pytest"], sys.modules["os"], sys.modules["builtins"], sys.modules["__main__"])
print(json.dumps(found))
"""


def imported(folder: Path, *names: str) -> dict[str, bool]:
    """For each name whether importing it gives the submission's module."""
    command = [sys.executable, "-P", "-c", PROBE, json.dumps(names)]
    done = subprocess.run(
        command, cwd=folder, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, bool] = json.loads(done.stdout)
    return found


@pytest.fixture
def submission(tmp_path: Path) -> Path:
    folder = tmp_path / "submission"
    for path in (
        "random.py",
        "types.py",
        "graders.py",
        "xml/__init__.py",
        "pytest.py",
        "os.py",
        "builtins.py",
        "new.py",
    ):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("OWN = True\n")
    (folder / "__main__.py").write_text("OWN = True\n")
    return tmp_path


def test_a_module_of_the_submission_is_found_where_a_plain_interpreter_finds_it(submission: Path) -> None:
    found = imported(submission, "random", "types", "graders", "xml", "new")
    assert found == {"random": True, "types": True, "graders": True, "xml": True, "new": True}


def test_installed_packages_and_the_interpreters_own_modules_keep_their_place(submission: Path) -> None:
    assert imported(submission, "pytest", "os", "builtins", "typing") == {
        "pytest": False, "os": False, "builtins": False, "typing": False,
    }  # fmt: skip


def test_no_folder_of_the_submission_shadows_a_module_of_the_library(tmp_path: Path) -> None:
    (tmp_path / "submission" / "random").mkdir(parents=True)
    assert imported(tmp_path, "random") == {"random": False}
