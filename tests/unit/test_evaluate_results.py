"""The results file: continued after an interruption, repaired if it was cut off, refused if it holds something else."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rubrics.input_error import InputError
from service.batch_eval.results_file import ResultsFile

ASKED = {"a": ("t/1", "digest-a"), "b": ("t/1", "digest-b"), "ü": ("t/2", "digest-c")}


def row(id: str, task_id: str = "t/1", **fields: Any) -> dict[str, Any]:
    return {
        "id": id,
        "task_id": task_id,
        "outcome": "passed",
        "cases": {"passed": 1, "failed": 0, "total": 1, "share": 1.0},
        "ends": {"exited": 1},
        "flags": [],
        "levels": {"correctness": 4},
        "run_id": "run_1",
        **fields,
    }


def test_rows_are_kept_and_the_tag_too(tmp_path: Path) -> None:
    path = tmp_path / "R.jsonl"
    with ResultsFile(path, ASKED) as results:
        assert results.done == set()
        tag = results.tag
        results.add(row("a"))
        results.add(row("ü", "t/2"))
    with ResultsFile(path, ASKED) as results:
        assert results.done == {"a", "ü"}
        assert results.tag == tag
        results.add(row("b"))
    assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == ["a", "ü", "b"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_wherever_it_was_cut_off_whole_rows_are_kept_and_no_other(tmp_path: Path, data: st.DataObject) -> None:
    path = tmp_path / "R.jsonl"
    path.unlink(missing_ok=True)
    with ResultsFile(path, ASKED) as results:
        for id, (task_id, _) in ASKED.items():
            results.add(row(id, task_id))
    whole = path.read_bytes()
    cut = data.draw(st.integers(0, len(whole)))
    path.write_bytes(whole[:cut])
    with ResultsFile(path, ASKED) as results:
        assert results.done == set(list(ASKED)[: whole[:cut].count(b"\n")])
        for id in ASKED.keys() - results.done:
            results.add(row(id, ASKED[id][0]))
    assert sorted(path.read_bytes().splitlines()) == sorted(whole.splitlines())


def left_out(id: str) -> dict[str, Any]:
    return row(id, outcome="left-out", run_id="", error="S.jsonl:2: solution: expected a text")


def test_rows_of_lines_that_were_left_out_are_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "R.jsonl"
    with ResultsFile(path, {"a": ASKED["a"], "b": ASKED["b"]}) as results:
        results.add(left_out("z"))
        results.add(row("a"))
        results.add(left_out("ü"))
    with ResultsFile(path, ASKED) as results:
        assert results.done == {"a"}
        assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == ["a"]
        with pytest.raises(InputError, match="no other `assay eval` is writing"):
            ResultsFile(path, ASKED)
        results.add(row("ü", "t/2"))
    assert [json.loads(line)["id"] for line in path.read_text().splitlines()] == ["a", "ü"]
    with ResultsFile(path, ASKED) as results:
        assert results.done == {"a", "ü"}


def test_an_interrupted_command_without_a_row_keeps_its_tag(tmp_path: Path) -> None:
    with ResultsFile(tmp_path / "R.jsonl", ASKED) as first:
        pass
    with ResultsFile(tmp_path / "R.jsonl", ASKED) as second:
        assert second.tag == first.tag


def test_who_removes_the_results_starts_afresh(tmp_path: Path) -> None:
    path = tmp_path / "R.jsonl"
    with ResultsFile(path, ASKED) as first:
        first.add(row("a"))
    path.unlink()
    changed = {**ASKED, "a": ("t/1", "another digest")}
    with ResultsFile(path, changed) as second:
        assert second.tag != first.tag
        assert second.done == set()


def test_more_samples_may_be_added_later(tmp_path: Path) -> None:
    with ResultsFile(tmp_path / "R.jsonl", {"a": ASKED["a"]}) as results:
        results.add(row("a"))
    with ResultsFile(tmp_path / "R.jsonl", ASKED) as results:
        assert results.done == {"a"}


def test_rows_without_their_state_are_taken_at_their_word(tmp_path: Path) -> None:
    path = tmp_path / "R.jsonl"
    path.write_text(f"{json.dumps(row('a'))}\n")
    with ResultsFile(path, ASKED) as results:
        assert results.done == {"a"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (f"{json.dumps(row('z'))}\n", ":1: expected the result of one of these samples; 'z' is none"),
        (
            f"{json.dumps(row('a', 't/9'))}\n",
            ":1: expected the result of 'a' as it is now; it, or its task, has changed",
        ),
        ('{"id": "a"}\n', ":1: expected a result of `assay eval`, with the keys"),
        (f"{json.dumps(row('a', extra=1))}\n", ":1: expected a result of `assay eval`, with the keys"),
        ("my notes\n", ":1: expected a result of `assay eval`"),
        ("my notes", ": last line: expected the beginning of a result"),
        ('{"task_id": "t", "solution": "x"}', ": last line: expected the beginning of a result"),
        (f'{json.dumps(row("z"))}\n{{"id', ":1: expected the result of one of these samples"),
    ],
)
def test_a_file_of_something_else_is_refused_and_left_alone(tmp_path: Path, content: str, message: str) -> None:
    path = tmp_path / "R.jsonl"
    path.write_text(content)
    with pytest.raises(InputError) as caught:
        ResultsFile(path, ASKED)
    assert message in str(caught.value)
    assert path.read_text() == content


def test_the_result_of_a_sample_that_was_edited_since_is_refused(tmp_path: Path) -> None:
    with ResultsFile(tmp_path / "R.jsonl", ASKED) as results:
        results.add(row("a"))
    with pytest.raises(InputError, match="'a' as it is now; it, or its task, has changed"):
        ResultsFile(tmp_path / "R.jsonl", {**ASKED, "a": ("t/1", "another digest")})


def test_a_state_that_nobody_wrote_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "R.jsonl"
    path.write_text(f"{json.dumps(row('a'))}\n")
    for broken in ("{", "[]", '{"tag": 1, "samples": {}}', '{"tag": "x"}'):
        (tmp_path / "R.jsonl.state").write_text(broken)
        with pytest.raises(InputError, match="state: expected what `assay eval` wrote there"):
            ResultsFile(path, ASKED)


def test_two_commands_do_not_write_one_file(tmp_path: Path) -> None:
    path = tmp_path / "R.jsonl"
    with ResultsFile(path, ASKED), pytest.raises(InputError, match="no other `assay eval` is writing"):
        ResultsFile(path, ASKED)
    with ResultsFile(path, ASKED):
        pass


def test_a_place_where_nothing_can_be_written(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a file that can be written"):
        ResultsFile(tmp_path / "missing" / "R.jsonl", ASKED)
