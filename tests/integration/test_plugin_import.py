"""Plugins that are hostile at import, through the real service: the process is another user before any of their code runs."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from rubrics.signals import Abstention
from sandboxes.interface import Sandbox
from service import wiring
from service.client import Client
from service.packages import read_folder
from service.schemas import SubmissionIn
from service.settings import Settings
from service.storage.interface import RunId, RunResult
from service.storage.storage import Storage
from tests.integration.serving import installed, serving

pytestmark = pytest.mark.timeout(300)

MEDIAN = Path(__file__).parents[2] / "examples" / "median"
RIGHT = "import statistics\nmedian = statistics.median\n"
SOURCE = Path(__file__).with_name("plugins") / "hostile_import.py"

REASONS = {
    "reaches": "",
    "daemon": "",
    "replaces": "did not finish: its process ended with exit code 1$",
    "prints": "",
    "honest": "",
    "exits": "cannot be used: importing it came to no end: its process ended with exit code 7$",
    "daemon_and_exits": "cannot be used: importing it came to no end: its process ended with exit code 7$",
    "leaves": "cannot be used: importing it failed: SystemExit: 3$",
    "hangs": "cannot be used: importing it came to no end: it did not finish within 10 s$",
    "stops": "cannot be used: importing it came to no end: it did not finish within 10 s$",
    "kills": "",
    "lies": "cannot be used: it sent a message that no plugin sends$",
    "eats": "cannot be used: importing it failed: MemoryError$",
    "forks_for_ever": "cannot be used: importing it came to no end: it did not finish within 10 s$",
}


def site(folder: Path) -> str:
    """An installation with all of them; what PYTHONPATH has to be for it."""
    for name in REASONS:
        path = installed(folder, name, f"{name}:Hostile")
        shutil.copy(SOURCE, folder / f"{name}.py")
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Iterator[dict[str, RunResult]]:
    """The findings of a submission for each plugin, which misbehaves only after its task was stored."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("installed")
    folder.chmod(0o755)  # other users may not enter the folder above, which must not matter
    package = tmp_path_factory.mktemp("package")
    shutil.copy(MEDIAN / "task.toml", package)
    settings = Settings(home=home)
    token = wiring.new_token(settings, "test", frozenset({"submitter", "author"}), days=1, sign_in=False)
    environment = {
        "PYTHONPATH": site(folder),
        "ASSAY_GRADER_SECONDS": "10",
        "ASSAY_GRADER_MEMORY_MIB": "512",
        "ASSAY_WORKERS": "2",
        "ASSAY_TOKEN": token,
        "ASSAY_TEST_PACKAGE": str(package),
    }
    with (
        serving(home, **environment) as (process, base_url),
        Client(base_url, token) as client,
        closing(Storage.open(settings.storage_url)) as storage,
    ):
        for name in REASONS:
            files = read_folder(MEDIAN)
            toml = re.sub(r"(?m)^id = .*$", f'id = "{_id(name)}"', files["task.toml"], count=1)
            client.put_task({**files, "task.toml": f'{toml}\n[graders."acme/{_id(name)}"]\n'})
        (folder / "now").touch()
        submitted = {
            name: client.submit(SubmissionIn(task_id=_id(name), solution=RIGHT)).run_id for name in (*REASONS, "honest")
        }
        found = {}
        for name, run_id in submitted.items():
            while client.run(run_id, wait_seconds=10).state != "done":
                pass
            assert client.run(run_id).attempt == 1
            findings = storage.runs.get(RunId(run_id)).findings
            assert findings is not None
            found[name] = findings
        yield found
        assert process.poll() is None


def _id(name: str) -> str:
    return name.replace("_", "-")


@pytest.mark.parametrize("name", REASONS)
def test_an_import_costs_its_own_criterion_only(runs: dict[str, RunResult], name: str) -> None:
    findings = runs[name]
    assert findings.outcome == "passed", findings.diagnostics
    assert {each.criterion: each.level for each in findings.prefills}["correctness"] == 4
    own = [signal for signal in findings.signals if signal.grader == f"acme/{_id(name)}"]
    reasons = [signal.reason for signal in own if isinstance(signal, Abstention)]
    if REASONS[name]:
        assert len(own) == 1 and re.search(REASONS[name], reasons[0]), own
    else:
        assert [getattr(signal, "message", "") for signal in own] == ["nothing"], own


def test_nothing_of_an_import_is_left(runs: dict[str, RunResult]) -> None:
    """Its processes are gone, also orphans that we never knew, and so are its files in folders that every user may write."""
    lines = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            lines.append((folder / "cmdline").read_bytes())
    assert b"sleep\x001000.75\x00" not in lines
    assert [path for path in ("/tmp", "/var/tmp", "/dev/shm") if Path(path, "left-by-a-plugin").exists()] == []


DOCTOR = """
import ctypes, sys
if "less" in sys.argv:  # as root without CAP_SYS_ADMIN, which has no view of its own to give
    assert ctypes.CDLL(None).prctl(24, 21, 0, 0, 0) == 0
    import os
    os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


def doctor(tmp_path: Path, *names: str, less: bool) -> dict[str, object]:
    """Return the report of `assay doctor` on plugins whose distribution lies in a folder that only root may enter."""
    folder = tmp_path / "closed" / "site"
    for name in names:
        path = installed(folder, name, f"{name}:Hostile")
        shutil.copy(SOURCE, folder / f"{name}.py")
    (folder / "now").touch()
    (tmp_path / "closed").chmod(0o700)
    command = ["-c", "from service.cli.main import main; main()", "doctor", "--json", "--tier", "container"]
    if less:
        command = ["-c", DOCTOR, "less", *command]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([path, *sys.path]),
        "DOCKER_HOST": f"unix://{tmp_path}/nobody.sock",
        "ASSAY_HOME": str(tmp_path),
        "ASSAY_TEST_PACKAGE": str(tmp_path),
        "ASSAY_GRADER_SECONDS": "10",
        "ASSAY_GRADER_MEMORY_MIB": "512",
    }
    done = subprocess.run(
        [sys.executable, *command], env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 1, done.stderr  # without an engine
    told: dict[str, object] = json.loads(done.stdout)["plugins"]
    return told


def test_the_doctor_names_what_is_left_out_and_prints_nothing_of_a_plugins(tmp_path: Path) -> None:
    told = doctor(tmp_path, "prints", "honest", "exits", "hangs", "lies", less=False)
    assert told["usable"] == {"acme/prints": "1", "acme/honest": "1"}
    assert told["weaker"] == {}
    left_out = told["left_out"]
    assert isinstance(left_out, list)
    assert [each.partition(" ")[0] for each in left_out] == ["exits", "hangs", "lies"]
    assert "its process ended with exit code 7" in left_out[0]
    assert "user of their own" in str(told["run_as"])


def test_where_no_view_can_be_given_the_doctor_says_which_folder_is_in_the_way(tmp_path: Path) -> None:
    told = doctor(tmp_path, "honest", less=True)
    assert told["usable"] == {}
    [reason] = told["left_out"]  # type: ignore[misc]
    assert "No module named" in reason
    barred = re.search(r"cannot enter ([^ ,]+)", reason)
    assert barred is not None and not Path(barred[1]).stat().st_mode & 0o001
    assert "move Python, its virtual environment and the plugin to a folder that every user can enter" in reason
