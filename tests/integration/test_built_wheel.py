"""The wheel holds all that the program needs, not only its modules: it works without a checkout."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

PROBE = """
import sys
from importlib.resources import files
from pathlib import Path
import service, sandboxes.engine.images
from service.rubric_files import builtin_rubrics
from service.authoring.scaffold import make_package
from service.storage.storage import Storage

assert service.__file__.startswith(sys.argv[1]), service.__file__
assert "default" in builtin_rubrics()
assert sandboxes.engine.images.tag() == sys.argv[2], "the image's inputs are not those of the checkout"
Storage.open(f"sqlite:///{sys.argv[1]}/x.sqlite3").close()  # the migrations
web = files("service") / "web"
for folder, ending in (("templates", ".html"), ("static", ".js"), ("static", ".css")):
    assert any(entry.name.endswith(ending) for entry in (web / folder).iterdir()), (folder, ending)
for driver in ("__main__.py", "call/driver.py", "tests/pytest_driver.py", "analysis/radon_analyzer.py"):
    assert (files("graders") / "boxed" / driver).is_file(), driver
make_package(Path(sys.argv[1]) / "made", "property")
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built and installed alone into a folder."""
    folder = tmp_path_factory.mktemp("wheel")
    built, target = folder / "built", folder / "target"
    _run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(built)], ROOT)
    [wheel] = built.iterdir()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target)]
    _run([*pip, str(wheel)], folder)
    return target


def _run(command: list[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_it_works_without_the_checkout(installed: Path) -> None:
    from sandboxes.engine.images import tag

    _run([sys.executable, "-P", "-c", PROBE, str(installed), tag()], installed, PYTHONPATH=str(installed))


def test_its_program_starts(installed: Path) -> None:
    code = "import sys; sys.argv = ['assay', '--help']; from service.cli.main import main; main()"
    assert "demo" in _run([sys.executable, "-P", "-c", code], installed, PYTHONPATH=str(installed))


def test_it_holds_no_tests_and_no_docker_package(installed: Path) -> None:
    names = {entry.name for entry in installed.iterdir()}
    assert {"service", "graders", "sandboxes", "rubrics"} <= names and not {"docker", "tests", "examples"} & names
