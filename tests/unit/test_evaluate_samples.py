"""Samples are read and refused by line and field; those without an id get one that stays."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rubrics.input_error import InputError
from service.batch_eval.samples import read_samples, read_solutions


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def test_the_three_forms(tmp_path: Path) -> None:
    path = write(
        tmp_path / "samples.jsonl",
        {"id": "a", "task_id": "t/1", "solution": "x = 1"},
        {"id": "b", "task_id": "t/1", "completion": "", "solution": None, "_identifier": "somebody else's"},
        {"id": "c", "task_id": "t/2", "files": {"solution.py": "x = 1"}},
    )
    samples = read_samples(path).good
    assert [(sample.id, sample.task_id) for sample in samples] == [("a", "t/1"), ("b", "t/1"), ("c", "t/2")]
    assert [(sample.solution, sample.completion, sample.files) for sample in samples] == [
        ("x = 1", None, None),
        (None, "", None),
        (None, None, {"solution.py": "x = 1"}),
    ]
    assert samples[1].where == f"{path}:2"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"task_id": "t"}, ":2: expected one of solution, completion, files; it has none of them"),
        ({"task_id": "t", "soluton": "x"}, ":2: expected one of solution, completion, files; it has none"),
        ({"task_id": "t", "solution": "x", "files": {"a": "b"}}, ":2: expected one of solution, completion, files; it"),
        ({"solution": "x"}, ":2: task_id: expected a text"),
        ({"task_id": 3, "solution": "x"}, ":2: task_id: expected a text"),
        ({"task_id": "t", "solution": ["x"]}, ":2: solution: expected a text, not list"),
        ({"task_id": "t", "files": ["x"]}, ":2: files: expected an object"),
        ({"task_id": "t", "files": {"a.py": 1}}, ":2: files.a.py: expected a text, not int"),
        ({"task_id": "t", "solution": "x", "id": 7}, ":2: id: expected a text"),
        ({"task_id": "t", "solution": "x", "id": ""}, ":2: id: expected a text"),
        ({"task_id": "t", "solution": "x", "id": "a\nb"}, ":2: id: expected a text of 1 to 200 printable"),
        ({"task_id": "t", "solution": "x", "id": "a" * 201}, ":2: id: expected a text of 1 to 200"),
        ({"task_id": "t", "solution": "x", "id": "first"}, ":2: id: expected an id of its own; "),
        ("text", ":2: expected an object, not str"),
    ],
)
def test_what_is_wrong_is_told_by_line_and_field_and_costs_no_other_line(
    tmp_path: Path, row: Any, message: str
) -> None:
    path = write(
        tmp_path / "samples.jsonl",
        {"id": "first", "task_id": "t", "solution": "x"},
        row,
        {"id": "last", "task_id": "t", "solution": "x"},
    )
    samples = read_samples(path)
    assert [sample.id for sample in samples.good] == ["first", "last"]
    (line,) = samples.left_out
    assert str(line.error).startswith(f"{path}{message}")
    with pytest.raises(InputError, match="expected"):
        read_solutions(path)


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"not json",
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"id": "a"} {"id": "b"}',
        b'{"task_id": ' + b"9" * 5_000 + b"}",
        b"\0",
    ],
    ids=lambda line: str(line[:12]),
)
def test_a_line_that_is_no_json_costs_no_other_line(tmp_path: Path, line: bytes) -> None:
    path = write(tmp_path / "samples.jsonl", {"id": "first", "task_id": "t", "solution": "x"})
    path.write_bytes(path.read_bytes() + line + b"\n" + path.read_bytes().replace(b"first", b"last"))
    samples = read_samples(path)
    assert [sample.id for sample in samples.good] == ["first", "last"]
    (left_out,) = samples.left_out
    assert str(left_out.error).startswith(f"{path}:2: expected a JSON value")
    assert (left_out.id, left_out.task_id) == ("", "")


def test_a_line_that_is_left_out_keeps_an_id_of_its_own(tmp_path: Path) -> None:
    path = write(
        tmp_path / "samples.jsonl",
        {"id": "a", "task_id": "t", "solution": 1},
        {"id": "b", "task_id": "t", "solution": 1},
        {"id": "b", "task_id": 2, "solution": 1},
        {"id": ["a"], "task_id": "t", "solution": "x"},
        {"id": "a", "task_id": "t", "solution": "x"},
    )
    samples = read_samples(path)
    assert [sample.id for sample in samples.good] == ["a"]
    assert [(line.id, line.task_id) for line in samples.left_out] == [("", "t"), ("b", "t"), ("", ""), ("", "t")]


def test_an_answer_may_be_empty(tmp_path: Path) -> None:
    rows = ({"task_id": "t", "solution": ""}, {"task_id": "t", "completion": " "}, {"task_id": "t", "files": {}})
    samples = read_samples(write(tmp_path / "samples.jsonl", *rows))
    assert len(samples.good) == 3
    assert samples.left_out == ()


LINES = st.one_of(
    st.binary(max_size=40).map(lambda line: line.replace(b"\n", b"")),
    st.fixed_dictionaries(
        {},
        optional={
            "id": st.one_of(st.none(), st.integers(), st.text(max_size=3), st.sampled_from(["a", "b"])),
            "task_id": st.one_of(st.just("t"), st.lists(st.integers(), max_size=2)),
            "solution": st.one_of(st.none(), st.text(max_size=5), st.floats()),
            "files": st.one_of(
                st.none(), st.dictionaries(st.text(max_size=3), st.one_of(st.text(max_size=3), st.none()))
            ),
        },
    ).map(lambda row: json.dumps(row).encode()),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lines=st.lists(LINES, max_size=8))
def test_whatever_the_lines_are_the_good_ones_are_read(tmp_path: Path, lines: list[bytes]) -> None:
    good = b'{"id": "certain", "task_id": "t", "solution": "x"}'
    path = tmp_path / "samples.jsonl"
    path.write_bytes(b"\n".join([good, *lines]))
    samples = read_samples(path)
    assert samples.good[0].id == "certain"
    ids = [each.id for each in (*samples.good, *samples.left_out) if each.id]
    assert len(ids) == len(set(ids))
    assert len(samples.good) + len(samples.left_out) == 1 + sum(bool(line.strip()) for line in lines)


def test_no_samples_at_all(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="at least one sample"):
        read_samples(write(tmp_path / "samples.jsonl"))


BODIES = st.fixed_dictionaries(
    {"task_id": st.sampled_from(["t/1", "t/2"]), "solution": st.sampled_from(["x", "y", "z"])}
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=st.lists(BODIES, min_size=1, max_size=12), order=st.randoms(use_true_random=False))
def test_made_ids_are_unique_and_go_with_the_content(tmp_path: Path, rows: list[Any], order: Any) -> None:
    def by_id(rows: list[Any]) -> dict[str, tuple[str, str | None]]:
        samples = read_samples(write(tmp_path / "samples.jsonl", *rows)).good
        return {sample.id: (sample.task_id, sample.solution) for sample in samples}

    once = by_id(rows)
    assert len(once) == len(rows)
    # Equal samples are as good as each other, so a file in another order has the same ids for the same contents.
    order.shuffle(rows)
    assert by_id(rows) == once
