"""All example tasks as a user runs them: `verify` over HTTP, every submission in Docker, all as their authors state."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from graders.tasks.package import parse
from service import wiring
from service.authoring.verify import as_text, verify
from service.client import Client
from service.packages import read_folder
from service.progress import LineProgress
from service.settings import Settings

pytestmark = [pytest.mark.box, pytest.mark.slow]

EXAMPLES = sorted(path.parent for path in (Path(__file__).parents[2] / "examples").glob("*/task.toml"))
SECONDS = 600
"""A task's slow and hostile submissions each take their whole wall time, once for each process they are given."""


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    settings = Settings(home=tmp_path_factory.mktemp("home"), port=0, workers=4)  # many of the runs wait for a limit
    with wiring.embedded(settings, print) as (base_url, token), Client(base_url, token) as client:
        yield client


@pytest.mark.timeout(SECONDS)
@pytest.mark.parametrize("folder", EXAMPLES, ids=lambda folder: folder.name)
def test_example_does_what_it_says(folder: Path, client: Client) -> None:
    files = read_folder(folder)
    report = verify(files, client, LineProgress(sys.stdout))
    assert report.as_stated, as_text([report])
    assert len(report.rows) == len(parse(files).submissions) + 3
    stated = {
        packaged.name: set(packaged.findings) for packaged in parse(files).submissions if packaged.kind == "accepted"
    }
    flagged = {
        row.name: row.run.flags for row in report.rows if set(row.run.flags) - stated.get(row.name, set(row.run.flags))
    }
    assert flagged == {}, "an honest submission has a flag that its author does not state"
