"""The demo against the real API; what a box would find out is read from the text here."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.console import Console

from service.cli.demo import ExampleRun, as_data, as_table, examples_folder, run_demo
from service.client import Client
from service.importers.tasks import read_tasks
from service.progress import LineProgress
from tests.integration.live import Live, live_service
from tests.integration.stored import PACKAGE

FILES = {
    **PACKAGE,
    "submissions/accepted/good.py": "# right",
    "submissions/wrong/bad.py": "# wrong",
    "submissions/wrong/alright.py": "# right after all",
    "submissions/insecure/shell.py": "# right, and nobody finds what is wrong with it",
}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    with live_service(tmp_path) as running:
        yield running


def demo(live: Live, files: dict[str, str]) -> dict[str, ExampleRun]:
    with Client(live.base_url, live.token("author", "submitter")) as client:
        shown = run_demo(client, [files], LineProgress(io.StringIO()))
    return {row.packaged.name: row for row in shown}


def printed(shown: dict[str, ExampleRun]) -> str:
    stream = io.StringIO()
    Console(file=stream, width=160).print(as_table(list(shown.values())))
    return stream.getvalue()


def test_what_came_out_is_compared_with_what_was_expected(live: Live) -> None:
    shown = demo(live, FILES)
    assert {name: row.run.outcome for name, row in shown.items()} == {
        "accepted/good.py": "passed",
        "accepted/reference.py": "failed",
        "insecure/shell.py": "passed",
        "wrong/alright.py": "passed",
        "wrong/bad.py": "failed",
    }
    surprised = {name for name, row in shown.items() if row.surprises}
    assert surprised == {"accepted/reference.py", "insecure/shell.py", "wrong/alright.py"}
    data = as_data(list(shown.values()), "")
    assert data["as_expected"] is False
    assert [row["submission"] for row in data["submissions"] if not row["as_expected"]] == sorted(surprised)


def test_a_second_run_finds_the_runs_of_the_first(live: Live) -> None:
    first, second = demo(live, FILES), demo(live, FILES)
    assert {row.run.run_id for row in first.values()} == {row.run.run_id for row in second.values()}
    changed = demo(live, {**FILES, "prompt.md": "Another prompt."})
    assert not {row.run.run_id for row in first.values()} & {row.run.run_id for row in changed.values()}


def test_the_table_has_a_line_for_each_with_its_evidence(live: Live) -> None:
    table = printed(demo(live, FILES))
    for text in (
        "numbers/double",
        "wrong/bad.py",
        "correctness",
        "half fail",
        "Flags: exit-game",
        "expected a security",
    ):
        assert text in table


def test_what_a_submission_says_is_neither_markup_nor_an_escape(live: Live) -> None:
    shown = demo(live, FILES)
    hostile = "[bold red]x[/bold red] \x1b[2J \u202e [link=http://127.0.0.1]y[/link]"
    for row in shown.values():
        for prefill in row.run.prefills:
            prefill.says = hostile
    table = printed(shown)
    assert "[bold red]x[/bold red]" in table
    assert "\x1b[2J" not in table
    assert "\u202e" not in table


def test_the_examples_of_this_checkout_are_tasks() -> None:
    assert len(read_tasks(examples_folder())) >= 6
