"""`assay eval` as a user runs it, against the real API; what a box would find out is read from the text here."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from service.cli.main import app
from tests.integration.live import Live, live_service
from tests.integration.stored import PACKAGE

PLUS = {
    "task_id": "Made/1",
    "prompt": "def right(x):\n",
    "entry_point": "right",
    "canonical_solution": "    return x\n",
    "test": "def check(candidate):\n    pass\n",
    "base_input": [[1]],
    "plus_input": [[2]],
    "atol": 0,
}


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    home = tmp_path / "home"
    home.mkdir()
    with live_service(home) as running:
        yield running


class Command:
    """One command line in a folder of its own."""

    def __init__(self, folder: Path, live: Live) -> None:
        self.out = folder / "R.jsonl"
        self.samples = folder / "S.jsonl"
        self.tasks = folder / "package"
        for path, text in PACKAGE.items():
            (self.tasks / path).parent.mkdir(parents=True, exist_ok=True)
            (self.tasks / path).write_text(text)
        self._server = ["--server", live.base_url, "--token", live.token("author", "submitter")]

    def line(self) -> list[str]:
        return ["eval", str(self.tasks), "--samples", str(self.samples), "--out", str(self.out), *self._server]

    def asked(self, *rows: Any) -> "Command":
        self.samples.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        return self

    def run(self, code: int = 0) -> str:
        """Run it in this process; its stderr."""
        result = CliRunner().invoke(app, self.line(), prog_name="assay")
        assert result.exit_code == code, result.output
        assert result.stdout == ""
        return result.stderr

    def rows(self) -> dict[str, dict[str, Any]]:
        return {row["id"]: row for row in map(json.loads, self.out.read_text().splitlines())}


@pytest.fixture
def command(tmp_path: Path, live: Live) -> Command:
    return Command(tmp_path, live)


def sample(id: str, text: str, task_id: str = "numbers/double") -> dict[str, Any]:
    return {"id": id, "task_id": task_id, "solution": text}


def submitted(live: Live) -> int:
    return sum(live.storage.runs.counts().values())


def test_a_row_for_each_sample_in_the_documented_form(command: Command, live: Live) -> None:
    command.asked(sample("a", "right"), sample("b", "wrong"), {**sample("c", ""), "solution": None, "files": FILES})
    assert "1 failed, 2 passed" in command.run()
    rows = command.rows()
    assert {id: row["outcome"] for id, row in rows.items()} == {"a": "passed", "b": "failed", "c": "passed"}
    run = live.storage.runs.get(rows["b"].pop("run_id"))
    assert run.submission.client_id == "b"
    assert rows["b"] == {
        "id": "b",
        "task_id": "numbers/double",
        "outcome": "failed",
        "reward": 0.0,
        "cases": {"passed": 1, "failed": 1, "disputed": 0, "not_tried": 0, "total": 2, "share": 0.5},
        "ends": {"exited": 2},
        "flags": ["exit-game"],
        "levels": {"correctness": 1},
    }


def test_disputed_samples_are_counted_apart_and_have_no_reward(command: Command, live: Live) -> None:
    said = command.asked(sample("a", "right"), sample("b", "disputed"), sample("c", "disputed too")).run()
    assert "2 disputed, 1 passed" in said
    assert "2 disputed, which is neither passed nor failed (their reward is null)" in said
    rows = command.rows()
    assert {id: (row["outcome"], row["reward"]) for id, row in rows.items()} == {
        "a": ("passed", 1.0),
        "b": ("disputed", None),
        "c": ("disputed", None),
    }
    assert rows["b"]["cases"]["disputed"] == 1 and rows["b"]["cases"]["failed"] == 0


def test_results_of_before_there_were_rewards_are_taken_up(command: Command, live: Live) -> None:
    command.asked(sample("a", "right"), sample("b", "wrong")).run()
    rows = command.rows().values()
    command.out.write_text("".join(json.dumps({k: v for k, v in row.items() if k != "reward"}) + "\n" for row in rows))
    assert "nothing left to do; 2 were there already" in command.run()


FILES = {"solution.py": "import words", "words.py": "right = 1"}


def test_a_completion_is_judged_with_its_prompt(command: Command, live: Live) -> None:
    command.tasks = command.tasks.with_name("tasks.jsonl")
    command.tasks.write_text(json.dumps(PLUS))
    command.asked({"id": "a", "task_id": "Made/1", "completion": "    return 0\n"}, sample("b", "alone", "Made/1"))
    command.run()
    run = live.storage.runs.get(command.rows()["a"]["run_id"])
    assert run.submission.submission.files == {"solution.py": "def right(x):\n    return 0\n"}
    assert command.rows()["b"]["outcome"] == "failed"


def test_repeating_the_command_evaluates_what_is_missing_and_nothing_else(command: Command, live: Live) -> None:
    command.asked(*(sample(f"s{number}", f"right {number}") for number in range(7)))
    command.run()
    whole = command.rows()
    lines = command.out.read_bytes().splitlines(keepends=True)
    command.out.write_bytes(b"".join(lines[:3]) + lines[3][:20])
    assert "samples: 3 of 7 are there already" in command.run()
    assert command.rows() == whole
    assert submitted(live) == 7
    assert "nothing left to do; 7 were there already" in command.run()


def test_results_that_were_removed_are_made_anew(command: Command, live: Live) -> None:
    command.asked(sample("a", "ungradable"))
    assert "ungradable: the engine went away" in command.run(code=1)
    command.run()  # earlier results stay and are not counted again
    command.out.unlink()
    command.run(code=1)
    assert submitted(live) == 2


def test_an_interrupted_command_finds_its_runs_again(command: Command, live: Live) -> None:
    live.evaluation.held.clear()
    command.asked(*(sample(f"s{number}", "right") for number in range(5)))
    process = subprocess.Popen(
        [Path(sys.executable).with_name("assay"), *command.line()],
        stderr=subprocess.PIPE,
        # A shell starts what it puts in the background with SIGINT ignored, and that would be inherited.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    deadline = time.monotonic() + 60
    while submitted(live) < 5:
        assert time.monotonic() < deadline
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert b"Traceback" not in errors
    live.evaluation.held.set()
    command.run()
    assert len(command.rows()) == 5
    assert submitted(live) == 5


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (sample("b", "x", "unknown/task"), ":2: task_id: expected the id of one of the 1 tasks, not 'unknown/task'"),
        ({"id": "b", "task_id": "numbers/double", "completion": "x"}, ":2: completion: expected `solution` or `files`"),
        (sample("b", "x = '\0'"), ":2: solution: expected text without NUL"),
        (sample("b", "x = '\ud800'"), ":2: solution: expected text that can be written as UTF-8"),
        (sample("b", "#" * 10_000_000), ":2: solution: expected at most"),
        ({**sample("b", ""), "solution": None, "files": {"../solution.py": "x"}}, ":2: files.../solution.py: expected"),
        ({**sample("b", ""), "solution": None, "files": {"other.py": "x"}}, ":2: files.solution.py: expected"),
        (sample("a", "x"), ":2: id: expected an id of its own"),
        ({"id": "b"}, ":2: task_id: expected a text"),
    ],
)
def test_a_bad_line_is_told_and_the_others_are_evaluated(
    command: Command, live: Live, row: dict[str, Any], message: str
) -> None:
    said = command.asked(sample("a", "right"), row, sample("c", "wrong")).run(code=1)
    assert message in said
    assert "1 failed, 1 passed" in said
    assert "1 left out in all" in said
    assert submitted(live) == 2
    rows = command.rows()
    assert {"a": "passed", "c": "failed"}.items() <= {id: each["outcome"] for id, each in rows.items()}.items()
    if row["id"] == "b":
        left_out = rows["b"]
        assert message in left_out.pop("error")
        assert left_out == {
            "id": "b",
            "task_id": row.get("task_id", ""),
            "outcome": "left-out",
            "cases": {"passed": 0, "failed": 0, "disputed": 0, "not_tried": 0, "total": 0, "share": None},
            "reward": None,
            "ends": {},
            "flags": [],
            "levels": {},
            "run_id": "",
        }
    assert len(command.out.read_text().splitlines()) == len(rows)
    # the same once more: nothing is submitted again, and the exit code is the same
    assert message in command.run(code=1)
    assert submitted(live) == 2
    assert command.rows().keys() == rows.keys()


def test_a_line_that_was_mended_is_evaluated_by_the_next_command(command: Command, live: Live) -> None:
    command.asked(sample("a", "right"), sample("b", "x = '\0'")).run(code=1)
    command.asked(sample("a", "right"), sample("b", "right too")).run()
    assert {id: row["outcome"] for id, row in command.rows().items()} == {"a": "passed", "b": "passed"}
    assert len(command.out.read_text().splitlines()) == 2
    assert submitted(live) == 2


def test_lines_that_are_no_json_cost_no_other_line(command: Command, live: Live) -> None:
    command.asked(sample("a", "right"))
    command.samples.write_bytes(b"{\n\xff\n" + command.samples.read_bytes() + b"[" * 100_000)
    said = command.run(code=1)
    for number in (1, 2, 4):
        assert f"S.jsonl:{number}: expected a JSON value" in said
    assert command.rows()["a"]["outcome"] == "passed"


def test_many_bad_lines_are_counted(command: Command) -> None:
    command.asked(*({"id": f"s{number}"} for number in range(100)))
    said = command.run(code=1)
    assert said.count("left out: ") == 20
    assert "100 left out in all" in said
    assert len(command.rows()) == 100


def test_a_sample_that_the_server_refuses_costs_no_other(
    command: Command, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer of an older server with lower limits."""
    monkeypatch.setattr("service.runs.intake.MAX_FILES", 1)
    monkeypatch.setattr("service.batch_eval.command.check_files", lambda *_: ())
    two = {"id": "b", "task_id": "numbers/double", "files": FILES}
    said = command.asked(sample("a", "right"), two, sample("c", "right")).run(code=1)
    assert ":2: expected a sample that the server accepts" in said
    assert "at most 1 files" in command.rows()["b"]["error"]
    assert {id: row["outcome"] for id, row in command.rows().items()} == {"a": "passed", "b": "left-out", "c": "passed"}
    command.run(code=1)
    assert submitted(live) == 2


@pytest.mark.parametrize("body", [{"solution": ""}, {"solution": " \n"}, {"files": {}}, {"files": {"solution.py": ""}}])
def test_an_empty_answer_is_evaluated_and_fails(command: Command, live: Live, body: dict[str, Any]) -> None:
    command.asked({"id": "a", "task_id": "numbers/double", **body}).run()
    assert command.rows()["a"]["outcome"] == "failed"
    submission = live.storage.runs.get(command.rows()["a"]["run_id"]).submission.submission
    assert submission.is_blank
    assert set(submission.files) == {"solution.py"}


def test_results_of_something_else_stop_it_before_anything_is_submitted(command: Command, live: Live) -> None:
    command.asked(sample("a", "right"))
    command.out.write_text(command.samples.read_text())
    assert "R.jsonl:1: expected a result of `assay eval`" in command.run(code=2)
    assert submitted(live) == 0


def test_a_broken_task_and_a_missing_file_are_mistakes(command: Command) -> None:
    command.asked(sample("a", "right"))
    (command.tasks / "task.toml").write_text("id = ")
    assert "task.toml: expected valid TOML" in command.run(code=2)
    command.tasks = command.tasks.with_name("missing")
    assert "missing: expected a file that can be read" in command.run(code=2)


def test_a_server_that_refuses_or_is_away(command: Command, live: Live) -> None:
    command.asked(sample("a", "right"))
    command._server = ["--server", live.base_url, "--token", "wrong"]
    assert "assay: " in command.run(code=2)
    command._server = ["--server", "http://127.0.0.1:9"]
    assert "cannot reach the server" in command.run(code=3)
