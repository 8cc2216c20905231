"""How the submission's folder becomes importable beside a driver, in an interpreter of its own."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROBE = """
import json, sys
import graders.boxed.shared.encoding, random, types, typing, xml.etree, pytest  # as a driver, or what it was forked from, has done
from graders.boxed.shared.search_path import make_importable
kept = sys.modules["pytest"], sys.modules["os"], sys.modules["builtins"], sys.modules["__main__"]
make_importable("submission")
found = {}
for name in json.loads(sys.argv[1]):
    module = __import__(name)
    found[name] = getattr(module, "OWN", False)
assert kept == (sys.modules["pytest"], sys.modules["os"], sys.modules["builtins"], sys.modules["__main__"])
print(json.dumps(found))
"""


IMPORTS = """
import json, sys
from graders.boxed.shared.search_path import import_submitted, make_importable
from importlib import import_module
make_importable("submission")
def facts(load, name):
    try:
        module = load(name)
    except BaseException as error:
        return [type(error).__name__, str(error), name in sys.modules]
    spec = getattr(module, "__spec__", None)
    kept = {key: repr(value) for key, value in vars(module).items() if key not in ("__builtins__", "__spec__", "__loader__")}
    about = [spec.name, spec.origin, spec.cached, spec.parent, spec.has_location, type(spec.loader).__name__] if spec else []
    return [kept, about, type(vars(module).get("__loader__")).__name__, sys.modules[name] is module]
both = []
for load in (import_module, import_submitted):
    for name in list(sys.modules):
        if getattr(sys.modules[name], "__file__", None) and "/submission/" in sys.modules[name].__file__:
            del sys.modules[name]
    both.append(facts(load, sys.argv[1]))
print(json.dumps(both))
"""
MODULES = {
    "plain": {"job.py": '"""Doc."""\nx = 1\nname, package = __name__, __package__\n'},
    "helper": {"job.py": "import helper\nx = helper.x\n", "helper.py": "x = 5\n"},
    "raises": {"job.py": "x = 1\nraise ValueError('no')\n"},
    "leaves": {"job.py": "raise SystemExit(3)\n"},
    "no python": {"job.py": "def f(:\n"},
    "other encoding": {"job.py": "# coding: latin-1\nx = 'é'\n"},
    "takes its own place": {"job.py": "import sys, types\nsys.modules[__name__] = types.SimpleNamespace(x=1)\n"},
    "is a package": {"job/__init__.py": "x = 2\n", "job.py": "x = 1\n"},
    "beside a folder": {"job/other.py": "x = 2\n", "job.py": "x = 1\n"},
    "is not there": {"other.py": ""},
}


@pytest.mark.parametrize("files", MODULES.values(), ids=MODULES)
def test_a_submitted_module_is_imported_as_any_other(tmp_path: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        (tmp_path / "submission" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "submission" / path).write_text(text)
    command = [sys.executable, "-B", "-P", "-c", IMPORTS, "job"]
    done = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    usual, ours = json.loads(done.stdout)
    assert ours == usual


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
