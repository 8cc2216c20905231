"""The rows of a file identify its benchmark; each fault is reported by line and field."""

import gzip
import json
import re
import sys
import types
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from graders.interface import Suite, Task
from graders.suites.stdio.cases import parse_stdio_cases
from graders.tasks.package import PackageError, load
from rubrics.input_error import InputError
from service.importers.benchmark import read_benchmark
from service.importers.package_text import with_reference
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


def test_what_is_said_about_a_task_and_empty_lines_do_not_disturb(tmp_path: Path) -> None:
    path = tmp_path / "tasks.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps({**PLUS, "difficulty": "easy"}).encode() + b"\r\n\r\n\n")
    assert [task.id for task in read_benchmark(path)] == ["Made/1"]


LIVE: dict[str, Any] = {
    "question_id": "a", "question_content": "Add.", "starter_code": "", "public_test_cases": "[]", "metadata": "{}",
    "private_test_cases": json.dumps([{"input": "1 2\n", "output": "3\n", "testtype": "stdin"}]),
}  # fmt: skip
LIVE_FUNCTION = {
    **LIVE,
    "private_test_cases": json.dumps([{"input": "1", "output": "3", "testtype": "functional"}]),
    "metadata": '{"func_name": "f"}',
}
ASSERTS: dict[str, Any] = {
    "task_id": 1,
    "text": "Says x.",
    "code": "def f(x): return x",
    "test_list": ["assert f(1) == 1"],
}
CONTEST = {"problem_id": 1, "question": "Add.", "solutions": "[]", "input_output": {"inputs": ["1"], "outputs": ["1"]}}
BIG: dict[str, Any] = {
    "task_id": "BigCodeBench/1", "complete_prompt": 'def f(x):\n    """ Says x. """\n', "instruct_prompt": "Write f.",
    "code_prompt": "def f(x):\n", "canonical_solution": "    return x\n", "entry_point": "f", "libs": "[]", "doc_struct": "{}",
    "test": "import unittest\nclass TestCases(unittest.TestCase):\n    def test_f(self): self.assertEqual(f(1), 1)\n",
}  # fmt: skip
CLASS: dict[str, Any] = {
    "task_id": "C_1", "class_name": "C", "skeleton": "class C: pass\n", "solution_code": "class C: pass\n", "import_statement": [],
    "test": "import unittest\nclass T(unittest.TestCase):\n    def test_c(self): self.assertTrue(C())\n",
}  # fmt: skip
UNKNOWN: list[tuple[dict[str, Any], str, str]] = [
    ({**PLUS, "tolerance": 1}, "tolerance", "a key that is known"),
    ({**PLAIN, "prelude": ""}, "prelude", "a key that is known"),
    ({**ASSERTS, "test_setup": ""}, "test_setup", "a key that is known"),
    ({**LIVE, "checker": "x.py"}, "checker", "a key that is known"),
    ({**CONTEST, "memory_limit": 1}, "memory_limit", "a key that is known"),
    ({**BIG, "data_files": []}, "data_files", "a key that is known"),
    ({**ASSERTS, "test_setup_code": None}, "test_setup_code", "a text, not NoneType"),
    ({**ASSERTS, "test_imports": "import math"}, "test_imports", "a list, not str"),
    ({**LIVE, "metadata": 7}, "metadata", "a text, not int"),
    ({**LIVE_FUNCTION, "metadata": "[]"}, "metadata", "an object with the name of the function"),
    ({**LIVE, "metadata": '{"checker": "any"}'}, "metadata", "only func_name, not 'checker'"),
    ({**LIVE_FUNCTION, "metadata": {"func_name": "f", "tolerance": 1}}, "metadata", "only func_name, not 'tolerance'"),
    ({**ASSERTS, "test": "f(1)\n"}, "test", "an assert, not only 'f(1)'"),
    ({**ASSERTS, "test": "assert 1 == 1\n"}, "test", "a call of what `code` defines (f)"),
    ({**LIVE, "private_test_cases": [{"input": "", "output": "", "testtype": "stdin", "tolerance": 1}]}, "private_test_cases", "'tolerance'"),
    ({**LIVE, "private_test_cases": [{"input": "", "output": "", "testtype": "file"}]}, "private_test_cases", "stdin or functional"),
    ({**CONTEST, "input_output": {"inputs": ["1"], "outputs": ["1"], "checker": ""}}, "input_output", "'checker'"),
    ({**PLAIN, "test": BIG["test"]}, "test", "a function `check(candidate)`, as HumanEval's tests have; it defines TestCases"),
    ({**PLAIN, "test": "def check(candidate):\n    candidate(1)\n"}, "test", "an assert"),
    ({**PLAIN, "entry_point": "g"}, "entry_point", "a name that the solution defines (f), not g"),
    ({**PLUS, "entry_point": "g"}, "entry_point", "a name that the solution defines (f), not g"),
    ({**MBPP, "entry_point": "g"}, "entry_point", "a name that the solution defines (f), not g"),
    ({**ASSERTS, "test_list": ["assert f(1) == 1", "f(1) == 1"]}, "test_list", "an assert, not only 'f(1) == 1'"),
    ({**CLASS, "test": PLAIN["test"]}, "test", "a class that derives from unittest.TestCase"),
    ({**BIG, "test": PLAIN["test"]}, "test", "a class that derives from unittest.TestCase"),
    ({**BIG, "test": BIG["test"].replace("f(1)", "1")}, "test", "a use of f"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("row", "field", "message"), UNKNOWN, ids=[f"{field} {message:.20}" for _, field, message in UNKNOWN]
)
def test_what_is_not_known_is_refused_by_file_line_and_key(
    tmp_path: Path, row: dict[str, Any], field: str, message: str
) -> None:
    path = write(tmp_path / "tasks.jsonl", row)
    with pytest.raises(InputError, match=rf"tasks.jsonl:1: {field}: expected .*{re.escape(message)}"):
        list(read_benchmark(path))


@pytest.mark.parametrize("row", [LIVE, LIVE_FUNCTION, ASSERTS, BIG, CLASS, MBPP, PLUS, CONTEST])
def test_the_same_without_is_read(tmp_path: Path, row: dict[str, Any]) -> None:
    assert len(list(read_benchmark(write(tmp_path / "tasks.jsonl", row)))) == 1


def suite_of(path: Path) -> tuple[Task, Suite]:
    [task] = read_benchmark(path)
    loaded = load(with_reference(task, {task.id: "print()"}).files)
    return loaded, loaded.suites[0]


@pytest.mark.parametrize(
    ("more", "shared"),
    [
        ("", False),
        ("    @patch('os.listdir')\n    def test_g(self, found): f(2)\n", True),
        ("    @unittest.mock.patch.object(os, 'listdir')\n    def test_g(self, found): f(2)\n", True),
        ("    def test_g(self):\n        random.seed(4)\n        f(2)\n", True),
        ("    def test_g(self):\n        with self.assertLogs(): f(2)\n", True),
        ("    def test_g(self):\n        with tempfile.TemporaryDirectory() as place: f(place)\n", True),
    ],
)
def test_tests_of_bigcodebench_that_patch_run_beside_the_submission(tmp_path: Path, more: str, shared: bool) -> None:
    task, suite = suite_of(write(tmp_path / "rows.jsonl", {**BIG, "test": BIG["test"] + more}))
    assert suite.kind == "pytest" and (suite.options.get("isolation") == "shared") == shared
    assert task.reference == {"solution.py": "def f(x):\n    return x\n"}
    [imported] = read_benchmark(tmp_path / "rows.jsonl")
    assert imported.completed_prompt == BIG["complete_prompt"]


@pytest.mark.parametrize("as_array", [False, True])
def test_a_key_that_is_there_twice_is_refused(tmp_path: Path, as_array: bool) -> None:
    """Of two equal keys the JSON reader drops the first, which may hold the tests."""
    text = json.dumps(ASSERTS).replace('"test_list": [', '"test_list": ["assert f(2) == 3"], "test_list": [')
    path = tmp_path / "rows.jsonl"
    path.write_text(f"[{text}]" if as_array else text)
    with pytest.raises(InputError, match="the key 'test_list' is there twice"):
        list(read_benchmark(path))


def test_the_program_beside_the_asserts_of_mbpp_is_a_test_as_well(tmp_path: Path) -> None:
    """MBPP+ as it is published with a text for each field: its many inputs are in `test`."""
    program = (
        "import math\nfrom itertools import *\ninputs = [[1], [2.5]]\nresults = [1, 2.5]\n"
        "for given, wanted in zip(inputs, results):\n    assert math.isclose(f(*given), wanted), 'two\\nlines'\n"
    )
    row = {**ASSERTS, "test": program, "test_imports": ["import math"], "source_file": "x"}
    _, suite = suite_of(write(tmp_path / "rows.jsonl", row))
    text = suite.files["hidden/test_hidden.py"]
    assert re.findall(r"^def (test_\w+)", text, re.MULTILINE) == ["test_1", "test_program"]
    made: dict[str, Any] = {}
    exec(text, made)
    right, wrong = types.ModuleType("solution"), types.ModuleType("solution")
    vars(right)["f"], vars(wrong)["f"] = (lambda x: x), int
    with mock.patch.dict(sys.modules, solution=right):
        made["test_1"](), made["test_program"]()
    with mock.patch.dict(sys.modules, solution=wrong), pytest.raises(AssertionError):
        made["test_program"]()


def test_what_a_test_of_humanevalpack_needs_is_before_it(tmp_path: Path) -> None:
    row = {**PLAIN, "buggy_solution": "    return 2\n", "import": "import math", "test_setup": "ONE = math.floor(1.5)"}
    row["test"] = "def check(candidate):\n    assert candidate(ONE) == ONE\n"
    _, suite = suite_of(write(tmp_path / "rows.jsonl", row))
    text = suite.files["hidden/test_hidden.py"]
    assert text.index("import math") < text.index("ONE = math.floor(1.5)") < text.index("def check(candidate)")


def test_limits_of_output_follow_the_answers(tmp_path: Path) -> None:
    for length, kib in ((10, 8192), (5 << 20, 10240)):
        tests = [{"input": "1\n", "output": "7" * length, "testtype": "stdin"}]
        task, suite = suite_of(write(tmp_path / "rows.jsonl", {**LIVE, "private_test_cases": tests}))
        assert task.limits.output_kib == kib
        [(_, case)] = parse_stdio_cases(suite.files)
        assert case.accepted == (b"7" * length,), "a large one is a file, which may be larger than a line"


def test_contest_tasks_have_their_benchmarks_prelude_and_compare_lines(tmp_path: Path) -> None:
    live, suite = suite_of(write(tmp_path / "rows.jsonl", LIVE))
    assert "sys.setrecursionlimit(50000)" in live.prelude and "from typing import *" in live.prelude
    assert suite.options["checker"] == "lines"
    assert suite_of(write(tmp_path / "rows.jsonl", LIVE_FUNCTION))[0].prelude == live.prelude
    apps, _ = suite_of(write(tmp_path / "rows.jsonl", CONTEST))
    assert "from collections import Counter" in apps.prelude and apps.prelude != live.prelude
    assert suite_of(write(tmp_path / "rows.jsonl", PLUS))[0].prelude == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "at least one task"),
        (b"{}\n", ":1: expected a task of mbpp+, humaneval+,"),
        (json.dumps({**PLAIN, "test": 0}).replace("test", "tests").encode(), "nearest to humaneval, but lacks test"),
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
    with pytest.raises(InputError) as caught:
        read_tasks(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_inputs_too_deep_for_a_box_are_refused(tmp_path: Path) -> None:
    nested: list[Any] = []
    for _ in range(200):
        nested = [nested]
    with pytest.raises(InputError, match="inputs: expected values that can be sent into a box"):
        read_tasks(write(tmp_path / "tasks", {**PLUS, "base_input": [[nested]]}))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a file that can be read"):
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
    with pytest.raises(InputError, match="expected the folder of a task package"):
        read_tasks(tmp_path)
    folder(tmp_path / "one", "made/one")
    folder(tmp_path / "two", "made/one")
    with pytest.raises(InputError, match="two: id: expected an id of its own"):
        read_tasks(tmp_path)
    (tmp_path / "two" / "task.toml").write_text("id = 1")
    with pytest.raises(PackageError, match="two: "):
        read_tasks(tmp_path)
