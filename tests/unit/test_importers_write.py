"""`assay tasks import` as a user runs it: all tasks are written, or none, and each fault is reported with its place."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from graders.tasks.package import load
from service.cli.main import app
from service.importers.tasks import read_tasks
from service.packages import read_folder

ROW: dict[str, Any] = {
    "task_id": "Made/1",
    "prompt": 'def f(x):\n    """ Says x.\u2028 """\r\n',
    "entry_point": "f",
    "canonical_solution": "    return x\n",
    "test": "def check(candidate):\n    assert candidate(1) == 1\n",
}


class Import:
    """One command line in a folder of its own."""

    def __init__(self, folder: Path, *rows: Any) -> None:
        self.file = folder / "rows.jsonl"
        self.out = folder / "out"
        self.file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))

    def run(self, *options: object, code: int = 0, format: str = "auto") -> str:
        """Run it in this process; its stderr."""
        line = ["tasks", "import", format, self.file, "--out", self.out, *options]
        result = CliRunner().invoke(app, [str(part) for part in line])
        assert result.exit_code == code, (result.output, result.exception)
        return result.stderr

    def beside(self) -> list[str]:
        """Return the files in the command's folder."""
        return names(self.out.parent)


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def rows(*numbers: int) -> list[dict[str, Any]]:
    return [{**ROW, "task_id": f"Made/{number}"} for number in numbers]


def test_a_folder_for_each_task_with_what_eval_would_read_from_the_file(tmp_path: Path) -> None:
    command = Import(tmp_path, *rows(1, 2))
    assert "2 task packages" in command.run()
    assert command.beside() == ["out", "rows.jsonl"]
    read = read_tasks(command.file)
    assert {task.id: task.files for task in read_tasks(command.out).values()} == {id: read[id].files for id in read}
    assert load(read_folder(command.out / "Made-2")).version == load(read["Made/2"].files).version


def test_ids_that_would_be_one_folder_are_two(tmp_path: Path) -> None:
    command = Import(tmp_path, {**ROW, "task_id": "a/b"}, {**ROW, "task_id": "a-b"})
    command.run()
    assert {folder: load(read_folder(command.out / folder)).id for folder in names(command.out)} == {
        "a-b": "a/b",
        "a-b-2": "a-b",
    }


def test_the_first_so_many(tmp_path: Path) -> None:
    command = Import(tmp_path, *rows(1, 2, 3), {"broken": 1})
    assert "tasks: 2 of 2" in command.run("--limit", 2)
    assert names(command.out) == ["Made-1", "Made-2"]


def test_a_bad_line_leaves_nothing(tmp_path: Path) -> None:
    command = Import(tmp_path, *rows(1), {**ROW, "test": 7})
    assert f"{command.file}:2: test: expected a text, not int" in command.run(code=2)
    assert command.beside() == ["rows.jsonl"]
    assert f"{command.file}:2: expected a task of mbpp; it lacks code, test_list" not in command.run(code=2)
    told = command.run(code=2, format="mbpp")
    assert f"{command.file}:1: expected a task of mbpp; it lacks code, test_list" in told


def test_a_package_that_would_not_load_is_told_by_its_line(tmp_path: Path) -> None:
    command = Import(tmp_path, *rows(1), {**ROW, "task_id": "no id"})
    assert f"{command.file}:2: id: expected a name of letters" in command.run(code=2)
    assert command.beside() == ["rows.jsonl"]


def test_bad_tasks_are_left_out_where_that_is_asked_for(tmp_path: Path) -> None:
    bad = [{**ROW, "test": 7}, {**ROW, "task_id": "no id"}, 7, *rows(1)]
    command = Import(tmp_path, *rows(1), *bad, *rows(9))
    told = command.run("--keep-going", code=1)
    assert told.count("left out: ") == 4
    assert all(f"{command.file}:{line}: " in told for line in (2, 3, 4, 5))
    assert names(command.out) == ["Made-1", "Made-9"]


def test_nothing_but_bad_tasks_is_a_mistake(tmp_path: Path) -> None:
    command = Import(tmp_path, 7)
    assert "expected at least one task" in command.run("--keep-going", code=2)
    assert command.beside() == ["rows.jsonl"]


def test_what_is_there_is_replaced_as_a_whole_and_only_by_force(tmp_path: Path) -> None:
    command = Import(tmp_path, *rows(1, 2))
    command.run()
    command.file.write_text(json.dumps(rows(3)[0]))
    assert "--force to replace the tasks in it" in command.run(code=2)
    assert names(command.out) == ["Made-1", "Made-2"]
    command.run("--force")
    assert names(command.out) == ["Made-3"]
    command.file.write_text("{}")
    command.run("--force", code=2)
    assert names(command.out) == ["Made-3"]
    assert command.beside() == ["out", "rows.jsonl"]


def test_a_folder_with_anything_else_in_it_is_never_replaced(tmp_path: Path) -> None:
    command = Import(tmp_path, *rows(1))
    command.run()
    (command.out / "diary.txt").write_text("dear diary")
    assert "diary.txt is none, so nothing is replaced" in command.run("--force", code=2)
    assert (command.out / "diary.txt").read_text() == "dear diary"


def test_an_empty_folder_may_be_used(tmp_path: Path) -> None:
    command = Import(tmp_path, *rows(1))
    command.out.mkdir()
    command.run()
    assert names(command.out) == ["Made-1"]


def test_a_disk_that_fails_leaves_the_older_tasks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    command = Import(tmp_path, *rows(1))
    command.run()
    moved = Path.rename

    def rename(self: Path, target: Path) -> Path:
        if target == command.out and not self.name.endswith(".old"):
            raise OSError(28, "No space left on device")
        return moved(self, target)

    monkeypatch.setattr(Path, "rename", rename)
    assert "No space left" in command.run("--force", code=3)
    assert names(command.out) == ["Made-1"]
    assert command.beside() == ["out", "rows.jsonl"]


APPS = {"problem_id": 1, "question": "Say 1.", "solutions": "", "input_output": '{"inputs": [""], "outputs": ["1"]}'}


def test_a_benchmark_without_solutions_takes_them_from_a_file(tmp_path: Path) -> None:
    command = Import(tmp_path, APPS)
    assert f"{command.file}:1: expected a solution of APPS/1 that is known to be right" in command.run(code=2)
    solutions = tmp_path / "solutions.jsonl"
    solutions.write_text('{"task_id": "APPS/1", "solution": "print(1)"}\n')
    command.run("--solutions", solutions)
    assert load(read_folder(command.out / "APPS-1")).reference == {"solution.py": "print(1)"}
    solutions.write_text('{"task_id": "APPS/1", "completion": "print(1)"}\n')
    assert ":1: solution: expected a whole program" in command.run("--solutions", solutions, "--force", code=2)
    solutions.write_text('{"task_id": "APPS/1", "solution": "1"}\n{"task_id": "APPS/1", "solution": "2"}\n')
    assert ":2: task_id: expected one solution for APPS/1" in command.run("--solutions", solutions, "--force", code=2)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"input_output": "x"}, "input_output: expected JSON, not 'x'"),
        ({"input_output": "[]"}, "input_output: expected an object"),
        ({"input_output": "{}"}, "input_output: inputs: expected a list, not NoneType"),
        ({"input_output": '{"inputs": ["1"], "outputs": []}'}, "as many outputs as inputs"),
        ({"input_output": '{"inputs": [[1]], "outputs": ["1"]}'}, "expected texts, or lists of their lines"),
        ({"input_output": '{"inputs": [1], "outputs": ["1"], "fn_name": "f"}'}, "inputs: expected a list, not int"),
        ({"input_output": '{"inputs": [[1]], "outputs": ["1"], "fn_name": "f("}'}, "the name of a function"),
        ({"problem_id": None}, "task_id or problem_id or id: expected the id of the task"),
        ({"question": 1}, "question: expected a text, not int"),
    ],
)
def test_what_is_wrong_with_a_contest_task_is_told(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    command = Import(tmp_path, {**APPS, **change})
    told = command.run(code=2)
    assert message in told
    assert f"{command.file}:1: " in told


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"code": "def f("}, ":1: code: expected Python that can be parsed"),
        ({"test_list": []}, ":1: test_list: expected at least one text"),
        ({"test_list": ["assert g(1)"]}, ":1: test_list: expected a call of what `code` defines (f)"),
        ({"test_list": ["assert f("]}, ":1: test_list: expected Python that can be parsed"),
        ({"task_id": None}, ":1: task_id: expected a number, not NoneType"),
    ],
)
def test_what_is_wrong_with_a_task_of_mbpp_is_told(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    row = {"task_id": 1, "text": "Write f.", "code": "def f(x):\n    return x", "test_list": ["assert f(1) == 1"]}
    assert message in Import(tmp_path, {**row, **change}).run(code=2)


def kattis(folder: Path, **files: str) -> Path:
    made = {
        "problem.yaml": "name: Made\n",
        "problem_statement/problem.tex": "Say 1.",
        "data/secret/1.in": "",
        "data/secret/1.ans": "1",
        "submissions/accepted/a.py": "print(1)",
        **files,
    }
    for name, text in made.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"problem.yaml": "a: ["}, "problem.yaml: expected YAML"),
        ({"problem.yaml": "a: &a [1]\nb: [*a, *a]"}, "problem.yaml: expected YAML of at most 64 KiB without aliases"),
        ({"problem.yaml": "name: x\n" + "#" * 65536}, "problem.yaml: expected YAML of at most 64 KiB"),
        ({"problem.yaml": "a: " + "9" * 5000}, "problem.yaml: expected YAML"),
        ({"problem.yaml": "a: 2001-13-41"}, "problem.yaml: expected YAML"),
        ({"problem.yaml": "- a"}, "problem.yaml: expected a table of keys and values"),
        ({"problem.yaml": "validator_flags: loose"}, "validator_flags: expected one of case_sensitive"),
        ({"problem.yaml": "validator_flags: float_tolerance"}, "a number after float_tolerance, not ''"),
        ({"problem.yaml": "limits: {time_limit: soon}"}, "limits: expected numbers greater than 0"),
        ({"data/secret/2.in": "1"}, "secret/2.in: expected 2.ans beside it"),
        (
            {"problem.yaml": "validation: custom", "output_validators/v.cpp": "int"},
            "output_validators: expected one validator, a Python program",
        ),
        ({"submissions/accepted/p/a.py": "1", "submissions/accepted/p/b.py": "2"}, "starts from main.py"),
    ],
)
def test_what_is_wrong_with_a_problem_package_is_told(tmp_path: Path, files: dict[str, str], message: str) -> None:
    command = Import(tmp_path)
    command.file = kattis(tmp_path / "made", **files)
    assert message in command.run(code=2)


def test_a_problem_package_without_its_parts(tmp_path: Path) -> None:
    command = Import(tmp_path)
    for missing, message in (
        ("submissions/accepted/a.py", "submissions/accepted: expected a Python program"),
        ("data/secret/1.in", "data/secret: expected at least one .in"),
        ("problem_statement/problem.tex", "problem_statement: expected a statement that is text"),
        ("problem.yaml", "made: expected the folder of a problem package (with a problem.yaml)"),
    ):
        command.file = kattis(tmp_path / "made")
        (command.file / missing).unlink()
        assert message in command.run(code=2, format="kattis")


def test_several_places_at_once(tmp_path: Path) -> None:
    command = Import(tmp_path, *rows(1))
    problem = kattis(tmp_path / "problem")
    command.run(problem)
    assert names(command.out) == ["Made-1", "problem"]
    assert "id: expected an id of its own" in command.run(command.file, "--force", code=2)


def test_a_format_that_is_none_and_one_that_is_another(tmp_path: Path) -> None:
    command = Import(tmp_path, *rows(1))
    assert "one of auto, mbpp+" in command.run(code=2, format="leetcode").replace("\n", " ")
    assert "expected a folder in the form of kattis" in command.run(code=2, format="kattis")
    command.file = tmp_path
    assert "expected a file in the form of mbpp, not a folder" in command.run(code=2, format="mbpp")
    assert "expected a folder with json_testcases" in command.run(code=2, format="quixbugs")


def test_cases_of_quixbugs_that_are_none(tmp_path: Path) -> None:
    command = Import(tmp_path)
    command.file = tmp_path / "quix"
    for folder in ("json_testcases", "correct_python_programs", "python_programs"):
        (command.file / folder).mkdir(parents=True)
    assert "json_testcases: expected at least one .json file" in command.run(code=2)
    cases = command.file / "json_testcases" / "f.json"
    cases.write_text("[[1], 1]\n[1]\n")
    assert "correct_python_programs/f.py: expected a Python program" in command.run(code=2)
    for folder in ("correct_python_programs", "python_programs"):
        (command.file / folder / "f.py").write_text("def g(x): pass\n")
    assert "correct_python_programs/f.py: expected a function f" in command.run(code=2)
    (command.file / "correct_python_programs" / "f.py").write_text("def f(x): return x\n")
    assert "f.json:2: expected a list of two" in command.run(code=2)


def test_packages_that_a_box_lacks_are_told(tmp_path: Path) -> None:
    solution = "    import {name}\n    return x\n"
    optional = "    try:\n        import gmpy2\n    except ImportError: pass\n    return x\n"
    made = [
        {**row, "canonical_solution": text}
        for row, text in zip(
            rows(1, 2, 3, 4, 5),
            [solution.format(name=name) for name in ("pandas as pd, numpy", "pandas.api", "sklearn, json")]
            + [optional, "    return x\n"],
            strict=True,
        )
    ]
    command = Import(tmp_path, *made)
    told = command.run()
    assert "5 task packages" in told
    assert "3 of them need what a box does not have, and are ungradable without: pandas (2), sklearn (1)" in told
    command.file.write_text(json.dumps(rows(4)[0]))
    assert "need what a box" not in command.run("--force")
