"""The other commands as a user runs them, on services that need no box."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli.main import app
from service.settings import Settings
from service.storage.interface import ReviewerId
from service.storage.storage import Storage
from tests.integration.live import Live, live_service
from tests.integration.stored import PACKAGE, add_review, review


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    home = tmp_path / "home"
    home.mkdir()
    with live_service(home) as running:
        yield running


@pytest.fixture
def package(tmp_path: Path) -> Path:
    return write_package(tmp_path / "package", PACKAGE)


def write_package(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return folder


def run(*line: object, code: int = 0, home: Path | None = None) -> tuple[str, str]:
    """Run `assay` in this process; stdout and stderr."""
    environment = {"ASSAY_HOME": str(home)} if home else {}
    result = CliRunner().invoke(app, [str(part) for part in line], prog_name="assay", env=environment)
    assert result.exit_code == code, (result.output, result.exception)
    return result.stdout, result.stderr


def at(live: Live, *scopes: str) -> list[str]:
    return ["--server", live.base_url, "--token", live.token(*scopes)]


def test_tasks_are_stored_once(live: Live, package: Path) -> None:
    stored, _ = run("tasks", package, *at(live, "author"))
    assert stored.startswith("numbers/double ")
    assert stored.endswith(" stored\n")
    assert run("tasks", package, *at(live, "author"))[0].endswith(" was there already\n")


def test_without_a_server_one_is_started_on_the_data_of_this_home(tmp_path: Path, package: Path) -> None:
    home = tmp_path / "own"
    run("tasks", package, home=home)
    with closing(Storage.open(Settings(home=home).storage_url)) as storage:
        assert [task.id for task in storage.tasks.page()] == ["numbers/double"]


def test_a_package_that_is_broken_stops_it_before_the_first_is_stored(
    live: Live, package: Path, tmp_path: Path
) -> None:
    broken = write_package(tmp_path / "broken", {**PACKAGE, "prompt.md": " "})
    _, errors = run("tasks", package, broken, *at(live, "author"), code=2)
    assert "broken: prompt.md: expected a file with what the model was asked" in errors
    assert live.storage.tasks.page() == []


@pytest.mark.box
def test_verify_compares_with_what_the_package_says(live: Live, tmp_path: Path) -> None:
    files = {**PACKAGE, "submissions/accepted/reference.py": "def double(right):\n    return 2 * right\n"}
    files["submissions/wrong/adds.py"] = "def double(n):\n    return n + 2\n"
    told, _ = run("verify", write_package(tmp_path / "good", files), *at(live, "author", "submitter"))
    assert "all as stated" in told
    files["submissions/wrong/alright.py"] = "def double(right):\n    return right + right\n"
    folder = write_package(tmp_path / "bad", files)
    told, _ = run("verify", folder, *at(live, "author", "submitter"), "--json", code=1)
    [task] = json.loads(told)["tasks"]
    assert [row["name"] for row in task["submissions"] if row["surprises"]] == ["wrong/alright.py"]


def test_a_token_works_and_is_known_by_its_hash_only(tmp_path: Path) -> None:
    home = tmp_path / "own"
    token, _ = run("token", "alice", "--scope", "reviewer", "--scope", "author", "--days", 2, home=home)
    with closing(Storage.open(Settings(home=home).storage_url)) as storage:
        now = datetime.now(UTC)
        who = storage.access.principal(token.strip(), now)
        assert who is not None
        assert (who.name, who.scopes) == ("alice", {"reviewer", "author"})
        assert storage.access.principal(token.strip(), now + timedelta(days=3)) is None
    assert token.strip().encode() not in b"".join(file.read_bytes() for file in home.iterdir())


def test_a_sign_in_link_signs_in_once(tmp_path: Path) -> None:
    home = tmp_path / "own"
    link, _ = run("token", "alice", "--scope", "reviewer", "--sign-in", home=home)
    address, _, token = link.strip().partition("/sign-in?token=")
    assert address == "http://127.0.0.1:8000"
    with closing(Storage.open(Settings(home=home).storage_url)) as storage:
        assert storage.access.principal(token, datetime.now(UTC)) is not None
        assert storage.access.principal(token, datetime.now(UTC)) is None


def test_a_scope_that_does_not_exist_is_a_mistake(tmp_path: Path) -> None:
    _, errors = run("token", "alice", "--scope", "root", home=tmp_path, code=2)
    assert "--scope" in errors
    assert "admin" in errors


def reviewed(live: Live, package: Path, tmp_path: Path) -> None:
    """A run that a person has decided on."""
    samples = tmp_path / "S.jsonl"
    samples.write_text(json.dumps({"task_id": "numbers/double", "solution": "wrong"}) + "\n")
    run("eval", package, "--samples", samples, "--out", tmp_path / "R.jsonl", *at(live, "author", "submitter"))
    run_id = json.loads((tmp_path / "R.jsonl").read_text())["run_id"]
    add_review(live.storage, run_id, ReviewerId("alice"), review(), datetime.now(UTC))


def test_an_export_to_stdout_and_to_a_file(live: Live, package: Path, tmp_path: Path) -> None:
    assert run("export", "--format", "jsonl", *at(live, "admin")) == ("", "")
    reviewed(live, package, tmp_path)
    rows, _ = run("export", "--format", "jsonl", *at(live, "admin"))
    assert len(rows.splitlines()) == 1
    out = tmp_path / "export.jsonl"
    _, told = run("export", "--format", "jsonl", "--out", out, *at(live, "admin"))
    assert out.read_text() == rows
    assert "1 rows" in told


def test_an_export_that_fails_leaves_the_older_one(live: Live, tmp_path: Path) -> None:
    out = tmp_path / "export.jsonl"
    out.write_text("older\n")
    run("export", "--format", "parquet", "--out", out, *at(live, "admin"), code=2)
    run("export", "--format", "kto", "--out", out, *at(live, "submitter"), code=2)
    assert out.read_text() == "older\n"


def test_a_setting_that_does_not_fit_is_a_mistake(package: Path, tmp_path: Path) -> None:
    environment = {"ASSAY_QUEUE_LIMIT": "many", "ASSAY_HOME": str(tmp_path)}
    result = CliRunner().invoke(app, ["tasks", str(package)], env=environment)
    assert result.exit_code == 2
    assert "queue_limit" in result.stderr


def test_an_engine_that_does_not_answer_is_our_failure_and_says_what_to_do(tmp_path: Path) -> None:
    """An engine that the user named is not replaced by another one."""
    environment = {**os.environ, "DOCKER_HOST": "unix:///nonexistent.sock", "ASSAY_HOME": str(tmp_path)}
    program = Path(sys.executable).with_name("assay")
    done = subprocess.run([program, "demo", "--no-serve"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    assert "DOCKER_HOST is unix:///nonexistent.sock" in done.stderr and "Traceback" not in done.stderr


def test_our_failure_is_told_with_its_facts() -> None:
    from sandboxes.interface import SandboxError
    from service.cli.errors import in_words

    told = in_words(SandboxError("no engine", container="abc", error=OSError("disk full")))
    assert told == "no engine\n  container: abc\n  error: disk full"
