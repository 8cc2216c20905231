"""Samples are read and refused by line and field; those without an id get one that stays."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.importers.package_text import FormatError
from service.samples import read_samples


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
    samples = read_samples(path)
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
        ({"task_id": "t", "files": {}}, ":2: files: expected an object"),
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
def test_what_is_wrong_is_told_by_line_and_field(tmp_path: Path, row: Any, message: str) -> None:
    path = write(tmp_path / "samples.jsonl", {"id": "first", "task_id": "t", "solution": "x"}, row)
    with pytest.raises(FormatError) as caught:
        read_samples(path)
    assert str(caught.value).startswith(f"{path}{message}")


def test_no_samples_at_all(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="at least one sample"):
        read_samples(write(tmp_path / "samples.jsonl"))


BODIES = st.fixed_dictionaries(
    {"task_id": st.sampled_from(["t/1", "t/2"]), "solution": st.sampled_from(["x", "y", "z"])}
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(rows=st.lists(BODIES, min_size=1, max_size=12), order=st.randoms(use_true_random=False))
def test_made_ids_are_unique_and_go_with_the_content(tmp_path: Path, rows: list[Any], order: Any) -> None:
    def by_id(rows: list[Any]) -> dict[str, tuple[str, str | None]]:
        samples = read_samples(write(tmp_path / "samples.jsonl", *rows))
        return {sample.id: (sample.task_id, sample.solution) for sample in samples}

    once = by_id(rows)
    assert len(once) == len(rows)
    # Equal samples are as good as each other, so a file in another order has the same ids for the same contents.
    order.shuffle(rows)
    assert by_id(rows) == once
