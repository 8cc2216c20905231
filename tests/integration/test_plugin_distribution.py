"""A grader as its own distribution, built, installed into a clean virtual environment, discovered and used.

The tutorial is run as it stands, on its own files: they are those of examples/plugins/assay-no-print.
"""

import os
import re
import shutil
import subprocess
import sysconfig
import venv
from pathlib import Path

import pytest

from sandboxes.interface import Sandbox

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "examples" / "plugins" / "assay-no-print"
TUTORIAL = (ROOT / "docs" / "tutorial" / "your-first-grader.md").read_text()

LIST = """
from graders.plugins.registry import Registry
registry = Registry.discover(["correctness", "efficiency", "security", "best_practices"])
print(*registry.graders, *registry.broken, sep="\\n")
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with an empty virtual environment that sees the packages of this one, as `.venv` of a checkout does."""
    venv.create(tmp_path / ".venv", with_pip=False)
    [packages] = (tmp_path / ".venv" / "lib").glob("python*/site-packages")
    ours = sysconfig.get_path("purelib")
    # addsitedir and not a bare path, because Assay itself may be installed there through a .pth file
    (packages / "those_of_the_tests.pth").write_text(f"import site; site.addsitedir({ours!r})\n")
    return tmp_path


def python(place: Path, *arguments: str) -> str:
    """Run the environment's interpreter; its output."""
    return run([str(place / ".venv" / "bin" / "python"), *arguments], place)


def run(command: list[str], place: Path) -> str:
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "PIP_", "ASSAY_"))}
    # Without an index, every download of a build or an installation is an error.
    environment |= {"PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "ASSAY_HOME": str(place / "home")}
    done = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def install(place: Path) -> None:
    """Build the example plugin from a copy of its files, and install what was built."""
    shutil.copytree(PLUGIN, place / "source", ignore=shutil.ignore_patterns("__pycache__"))
    python(place, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", "dist", "./source")
    [wheel] = (place / "dist").glob("*.whl")
    python(place, "-m", "pip", "install", "--no-deps", str(wheel))
    shutil.rmtree(place / "source")


def test_a_plugin_is_found_once_it_is_installed(place: Path) -> None:
    before = python(place, "-c", LIST).split()
    assert "assay/security" in before
    assert "acme/no-print" not in before
    install(place)
    assert python(place, "-c", LIST).split() == ["acme/no-print", *before]


def test_an_installed_plugin_passes_its_own_test_and_grades_with_a_tasks_options(place: Path) -> None:
    install(place)
    shutil.copy(PLUGIN / "test_no_print.py", place / "test_no_print.py")
    assert "2 passed" in python(place, "-m", "pytest", "-q", "test_no_print.py")
    grade = """
from graders.plugins.registry import Registry
from graders.plugins.testing import context_of
grader = Registry.discover(["correctness", "security", "best_practices"]).build("acme/no-print", {"allowed": 1})
print([(found.rule, found.line) for found in grader.grade(context_of({"solution.py": "print(1)\\nprint(2)\\n"}))])
"""
    assert python(place, "-c", grade).strip() == "[('acme/no-print', 2)]"


def test_a_plugin_that_breaks_leaves_the_others_working(place: Path) -> None:
    install(place)
    [module] = place.glob(".venv/lib/python*/site-packages/no_print.py")
    module.write_text("import a_library_that_was_removed\n")
    listed = python(place, "-c", LIST)
    assert "assay/security" in listed
    assert f"no-print of assay-no-print ({module}, line 1): importing it failed: ModuleNotFoundError" in listed


def test_the_tutorials_files_are_those_of_the_example() -> None:
    shown = tutorial_files()
    assert set(shown) == {path.name for path in PLUGIN.iterdir() if path.is_file()}
    for name, text in shown.items():
        assert text == (PLUGIN / name).read_text()


def test_the_tutorials_commands_work(place: Path, sandbox: Sandbox) -> None:
    """`sandbox` is asked for so that the engine and the image are there before the time is counted."""
    (place / "no-print").mkdir()
    for name, text in tutorial_files().items():
        (place / "no-print" / name).write_text(text)
    (place / "examples").symlink_to(ROOT / "examples")
    assay = place / "assay"
    assay.write_text('#!/bin/sh\nexec .venv/bin/python -c "from service.cli.main import main; main()" "$@"\n')
    assay.chmod(0o755)
    install_and_check, use = re.findall(r"(?ms)^```sh\n(.*?)^```", TUTORIAL)
    run(["sh", "-eux", "-c", install_and_check], place)
    assert "2 passed" in python(place, "-m", "pytest", "-q", "no-print")
    report = run(["sh", "-eux", "-c", use], place)
    assert "prints.py" in report


def tutorial_files() -> dict[str, str]:
    return dict(re.findall(r"(?ms)^`no-print/(\S+)`:\n\n```\w+\n(.*?)^```", TUTORIAL))
