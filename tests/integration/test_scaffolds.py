"""`assay tasks init`: what it makes passes `assay verify` at once, for each kind, and its wrong submissions really are."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from graders.tasks import package
from service import wiring
from service.authoring.scaffold import KINDS
from service.authoring.verify import as_text, verify
from service.cli.main import app
from service.client import Client
from service.packages import read_folder
from service.progress import LineProgress
from service.settings import Settings


def init(*line: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, ["tasks", "init", *map(str, line)])
    assert result.exit_code == code, (result.output, result.exception)
    return result.stderr


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    settings = Settings(home=tmp_path_factory.mktemp("home"), port=0, workers=2)
    with wiring.embedded(settings, print) as (base_url, token), Client(base_url, token) as client:
        yield client


@pytest.mark.box
@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
def test_it_passes_verify_as_it_is(kind: str, client: Client, tmp_path: Path) -> None:
    folder = tmp_path / "my-task"
    assert f"assay verify {folder}" in init(folder, "--kind", kind)
    files = read_folder(folder)
    task = package.load(files)
    assert (task.id, task.title, [suite.kind for suite in task.suites]) == ("my-task", "my-task", [kind])
    assert task.visible
    assert {packaged.kind for packaged in package.parse(files).submissions} == {"accepted", "wrong", "hostile"}
    report = verify(files, client, LineProgress(sys.stdout))
    assert report.as_stated, as_text([report])


def test_call_is_the_default(tmp_path: Path) -> None:
    init(tmp_path / "a")
    init(tmp_path / "b", "--kind", "call")
    assert package.load(read_folder(tmp_path / "a")).suites == package.load(read_folder(tmp_path / "b")).suites


def test_nothing_is_overwritten_and_a_bad_name_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    assert "mine: expected a folder that does not exist yet" in init(tmp_path / "mine", code=2)
    assert "id: expected a name of letters" in init(tmp_path / "no name", code=2)
    assert "one of call, stdio" in init(tmp_path / "x", "--kind", "quiz", code=2)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
