"""Which benchmark a file is shows in its rows; what is wrong with it is told by line and field."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from graders.package import PackageError, load
from service.importers.benchmark import read_benchmark
from service.importers.package_text import FormatError
from service.importers.tasks import read_tasks

PLAIN: dict[str, Any] = {
    "task_id": "Made/1",
    "prompt": 'def f(x):\n    """ Says x. """\n',
    "entry_point": "f",
    "canonical_solution": "    return x\n",
    "test": "def check(candidate):\n    assert candidate(1) == 1\n",
}
PLUS = {**PLAIN, "base_input": [[1]], "plus_input": [[2]], "atol": 0}
MBPP = {key: value for key, value in PLUS.items() if key != "test"} | {"assertion": "assert f(1) == 1"}


def write(path: Path, *rows: Any) -> Path:
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


@pytest.mark.parametrize(("made", "kind"), [(PLAIN, "pytest"), (PLUS, "call"), (MBPP, "call")])
@pytest.mark.parametrize("name", ["tasks.jsonl", "tasks.jsonl.gz", "misnamed.txt"])
def test_a_file_is_known_by_its_rows(tmp_path: Path, made: dict[str, Any], kind: str, name: str) -> None:
    path = write(tmp_path / name, made, {**made, "task_id": "Made/2"})
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(path.read_bytes()))
    tasks = read_tasks(path)
    assert list(tasks) == ["Made/1", "Made/2"]
    assert load(tasks["Made/2"].files).suites[0].kind == kind


def test_fields_of_other_tools_and_empty_lines_do_not_disturb(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({**PLUS, "author": "me"}).encode() + b"\r\n\r\n\n")
    assert [task.id for task in read_benchmark(path)] == ["Made/1"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "at least one task"),
        (b"{}\n", ":1: expected a task of mbpp+, humaneval+,"),
        (json.dumps({**PLAIN, "test": 0}).replace("test", "tests").encode(), "nearest to humaneval, but has no test"),
        (b"[1]\n", ":1: expected an object, not int"),
        (b'[{"a": 1},\n\n 7]', ":1: expected a task of"),
        (b"[\n\n7]", ":3: expected an object, not int"),
        (b"[\n{},\n}]", ":3: expected a JSON value"),
        (b"[\n7 8]", ":2: expected a JSON value on one line, or one array, in UTF-8 (Expecting ',' or ']'"),
        (b"[]", "expected at least one task"),
        (b"1", ":1: expected an object, not int"),
        (b"\n{\n", ":2: expected a JSON value on one line"),
        (b'{"a": "\xff"}\n', ":1: expected a JSON value on one line, or one array, in UTF-8"),
        (b"[" * 100_000 + b"\n", ":1: expected a JSON value on one line"),
        (b"\x1f\x8b broken", "expected a whole gzip file"),
        (gzip.compress(json.dumps(PLUS).encode())[:-9], "expected a whole gzip file"),
        (json.dumps({**PLUS, "prompt": 1}).encode(), ":1: prompt: expected a text, not int"),
        (json.dumps({**PLUS, "atol": "0"}).encode(), ":1: atol: expected a number, not str"),
        (json.dumps({**PLUS, "base_input": "x"}).encode(), ":1: base_input: expected a list, not str"),
        (json.dumps({**PLUS, "plus_input": [1]}).encode(), ":1: base_input, plus_input: expected a list of arguments"),
        (json.dumps({**PLUS, "entry_point": "f()"}).encode(), ":1: entry_point: expected the name of a function"),
        (json.dumps({**MBPP, "task_id": "Mbpp/2", "plus_input": [[3]]}).encode(), ":1: Mbpp/2: inputs: expected those"),
        (f"{json.dumps(PLUS)}\n{json.dumps(PLUS)}\n".encode(), "tasks:2: id: expected an id of its own; "),
    ],
)
def test_what_is_wrong_is_told_by_line_and_field(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "tasks"
    path.write_bytes(content)
    with pytest.raises(FormatError) as caught:
        read_tasks(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_inputs_too_deep_for_a_box_are_refused(tmp_path: Path) -> None:
    nested: list[Any] = []
    for _ in range(200):
        nested = [nested]
    with pytest.raises(FormatError, match="inputs: expected values that can be sent into a box"):
        read_tasks(write(tmp_path / "tasks", {**PLUS, "base_input": [[nested]]}))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="a file that can be read"):
        read_tasks(tmp_path / "nothing")


def folder(path: Path, id: str) -> Path:
    for name, text in load_files(id).items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text)
    return path


def load_files(id: str) -> dict[str, str]:
    return {
        "task.toml": f'id = "{id}"\nreference = "submissions/accepted/r.py"\nentry_file = "answer.py"\n[[suite]]\n'
        'id = "hidden"\nkind = "call"\nfiles = ["hidden/*"]\nentry_point = "f"\n',
        "prompt.md": "Write f.",
        "hidden/cases.jsonl": '{"call": "f(1)", "returns": "1"}\n',
        "submissions/accepted/r.py": "def f(x):\n    return x\n",
    }


def test_a_package_or_a_folder_of_packages(tmp_path: Path) -> None:
    folder(tmp_path / "one", "made/one")
    folder(tmp_path / "two", "made/two")
    (tmp_path / "README.md").write_text("about")
    assert list(read_tasks(tmp_path)) == ["made/one", "made/two"]
    only = read_tasks(tmp_path / "one")["made/one"]
    assert (only.entry_file, only.completed_prompt, only.files) == ("answer.py", None, load_files("made/one"))


def test_folders_that_are_no_tasks(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="expected the folder of a task package"):
        read_tasks(tmp_path)
    folder(tmp_path / "one", "made/one")
    folder(tmp_path / "two", "made/one")
    with pytest.raises(FormatError, match="two: id: expected an id of its own"):
        read_tasks(tmp_path)
    (tmp_path / "two" / "task.toml").write_text("id = 1")
    with pytest.raises(PackageError, match="two: "):
        read_tasks(tmp_path)
