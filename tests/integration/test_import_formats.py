"""`assay tasks import` for each format: data made here, imported, loaded from the folder, and graded in a real jail."""

import base64
import json
import pickle
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from graders.builtin.hidden_tests import HiddenTests
from graders.interface import CaseOutcome, Context, Outcome, Submission, SubmissionId, Task
from graders.tasks import package
from sandboxes.interface import Sandbox, Tier
from sandboxes.tiers import Tiers
from service.cli.main import app
from service.packages import read_folder


def lines(*rows: Any) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "benchmark.jsonl"
        path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
        return path

    return write


def array(*rows: Any) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        path = folder / "benchmark.json"
        path.write_text(json.dumps(rows, indent=1))
        return path

    return write


def tree(files: dict[str, str]) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        for name, text in files.items():
            (folder / "made" / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / "made" / name).write_text(text)
        return folder / "made"

    return write


def packed(value: Any) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(json.dumps(value)))).decode()


@dataclass(frozen=True)
class Made:
    format: str
    write: Callable[[Path], Path]
    id: str
    kind: str
    wrong: str = ""
    """A solution that has to fail, beside those that the package brings along."""
    right: str = ""
    """One that has to pass, written otherwise than the reference."""
    options: tuple[str, ...] = ()
    visible: set[str] = field(default_factory=set)
    name: str = ""
    """The row's name in its format."""

    def __str__(self) -> str:
        return f"{self.format} {self.id} {self.kind} {self.name}".rstrip()


FUNCTION = {
    "task_id": "Made/0",
    "prompt": 'def three(x):\n    return 3 * x\n\n\ndef test_sixth(x):\n    """ A sixth of x. """\n',
    "entry_point": "test_sixth",
    "canonical_solution": "    return x / 6\n",
    "test": "def check(candidate):\n    assert math.isclose(candidate(three(8)), 4)\n    assert test_sixth is candidate\n",
}
CLASS = {
    "task_id": "ClassMade_0",
    "class_name": "Tally",
    "skeleton": 'class Tally:\n    """ Counts names. """\n',
    "import_statement": ["import collections"],
    "solution_code": (
        "import collections\n\nLIMIT = 3\n\n\nclass FullError(Exception):\n    pass\n\n\nclass Tally:\n"
        "    def __init__(self):\n        self.counts = collections.Counter()\n\n    def add(self, name):\n"
        "        if self.counts[name] == LIMIT:\n            raise FullError(name)\n        self.counts[name] += 1\n"
        "        return self.counts[name]\n"
    ),
    "test": (
        "import unittest\n\n\nclass TallyTest(unittest.TestCase):\n    def setUp(self):\n        self.tally = Tally()\n\n"
        "    def test_add(self):\n        self.assertEqual([self.tally.add('a') for _ in range(LIMIT)], [1, 2, 3])\n"
        "        self.assertEqual(self.tally.counts, collections.Counter(a=3))\n"
        "        with self.assertRaises(FullError):\n            self.tally.add('a')\n"
    ),
}
FILE_CLASS = {
    **CLASS,
    "task_id": "ClassMade_1",
    "class_name": "Store",
    "import_statement": ["import json"],
    "solution_code": (
        "import json\n\n\nclass Store:\n    def __init__(self, path):\n        self.path = path\n\n"
        "    def load(self):\n        with open(self.path) as file:\n            return json.load(file)\n"
    ),
    "test": (
        "import unittest\n\n\nclass StoreTest(unittest.TestCase):\n    def test_load(self):\n"
        "        with open('made.json', 'w') as file:\n            json.dump([1, 2], file)\n"
        "        self.assertEqual(Store('made.json').load(), [1, 2])\n"
    ),
}
MBPP = {
    "task_id": 7,
    "text": "Write a function that halves a number.",
    "code": "import math\r\ndef half(x):\r\n    return x / 2",
    "test_list": ["assert half(4) == 2", "assert math.isclose(half(0.2), 0.1)\nassert half(1) == 0.5"],
    "test_setup_code": "import math",
    "challenge_test_list": ["assert half(-3) == -1.5"],
}
SANITIZED = {
    "source_file": "made",
    "task_id": 8,
    "prompt": "Write a function that tests a number for being even.",
    "code": "def test_even(x):\n    return x % 2 == 0",
    "test_imports": ["import math"],
    "test_list": ["assert test_even(2) == True", "assert test_even(math.floor(3.5)) == False"],
}
APPS = {"question": "Add up the numbers of each line.", "difficulty": "introductory", "url": "", "starter_code": ""}
APPS_PROGRAM = {
    **APPS,
    "problem_id": 3,
    "solutions": json.dumps(
        [
            "print 'Python 2'",
            "while True:\n    try: print(sum(map(float, input().split())))\n    except EOFError: break\n",
        ]
    ),
    "input_output": json.dumps({"inputs": ["1 2\n3\n", ["0.5 0.25"]], "outputs": ["3.0\n3.0\n", ["0.75"]]}),
}
APPS_FUNCTION = {
    **APPS,
    "problem_id": 4,
    "solutions": json.dumps(["def ends(table):\n    return table[1], table[max(table)]\n"]),
    "input_output": json.dumps({"fn_name": "ends", "inputs": [[{"1": "a", "12": "b"}]], "outputs": [[["a", "b"]]]}),
}
APPS_METHOD = {
    **APPS,
    "problem_id": 5,
    "starter_code": "class Solution:\n    def twice(self, xs: list) -> list:\n",
    "solutions": json.dumps(["class Solution:\n    def twice(self, xs):\n        return [2 * x for x in xs]\n"]),
    "input_output": json.dumps({"fn_name": "twice", "inputs": [[[1, 2]], [[]]], "outputs": [[2, 4], []]}),
}
LIVE = {
    "question_title": "Larger",
    "question_content": "Print the larger number.",
    "contest_id": "c",
    "difficulty": "easy",
}
LIVE_PROGRAM = {
    **LIVE,
    "question_id": "live_a",
    "starter_code": "",
    "public_test_cases": json.dumps([{"input": "1 2\n", "output": "2\n", "testtype": "stdin"}]),
    "private_test_cases": packed(
        [
            {"input": "3 9\n", "output": "9\n", "testtype": "stdin"},
            {"input": "1.5 1\n", "output": "1.50", "testtype": "stdin"},
        ]
    ),
    "metadata": "{}",
}
LIVE_METHOD = {
    **LIVE,
    "question_id": "2001",
    "starter_code": "class Solution:\n    def larger(self, a: int, bs: list[int]) -> int:\n",
    "public_test_cases": json.dumps([{"input": "1\n[2]", "output": "2", "testtype": "functional"}]),
    "private_test_cases": json.dumps([{"input": "9\n[3, 4]", "output": "9", "testtype": "functional"}]),
    "metadata": json.dumps({"func_name": "larger"}),
}
LIVE_FLOATS = {
    **LIVE,
    "question_id": "live_f",
    "starter_code": "class Solution:\n    def halves(self, xs: List[int]) -> List[float]:\n",
    "public_test_cases": "[]",
    "private_test_cases": json.dumps([{"input": "[1, 3, 6]", "output": "[0.1, 0.3, 0.6]", "testtype": "functional"}]),
    "metadata": json.dumps({"func_name": "halves"}),
}
LIVE_FUNCTION = {
    **LIVE_FLOATS,
    "question_id": "live_g",
    "starter_code": "def halves(xs: List[int]) -> List[float]:\n",
}
SOLUTIONS = {
    "live_f": "class Solution:\n    def halves(self, xs):\n        return [x / 10 for x in xs]\n",
    "live_g": "def halves(xs): return [x / 10 for x in xs]\n",
    "live_a": "print(max(input().split(), key=float))\n",
    "LiveCodeBench/2001": "class Solution:\n    def larger(self, a, bs):\n        return max([a, *bs])\n",
}
KATTIS = {
    "problem.yaml": "name:\n  en: Halves\nvalidator_flags: float_tolerance 1e-3\nlimits:\n  time_limit: 2\n  memory: 256\n",
    "problem_statement/problem.en.tex": "\\problemname{Halves}\nPrint half of each number.\n",
    "data/sample/1.in": "2\n",
    "data/sample/1.ans": "1\n",
    "data/secret/01.in": "3\n",
    "data/secret/01.ans": "1.5\n",
    "data/secret/large/02.in": "1e6\n7\n",
    "data/secret/large/02.ans": "500000 3.5\n",
    "data/secret/large/03.in": "NONE\n",
    "data/secret/large/03.ans": "Empty\n",
    "submissions/accepted/a.py": "import sys\nfor w in sys.stdin.read().split(): print(float(w) / 2 if w != 'NONE' else 'empty')\n",
    "submissions/accepted/b.cpp": "int main() {}\n",
    "submissions/accepted/parts/main.py": "from half import run\nrun()\n",
    "submissions/accepted/parts/half.py": "import sys\ndef run():\n    for w in sys.stdin.read().split(): print('empty' if w == 'NONE' else float(w) / 2 + 1e-4)\n",
    "submissions/wrong_answer/integers.py": "import sys\nfor w in sys.stdin.read().split(): print(int(float(w)) // 2 if w != 'NONE' else 'empty')\n",
    "submissions/time_limit_exceeded/forever.py": "while True: pass\n",
    "submissions/run_time_error/integers.py": "print(int(input()) / 2)\nraise SystemExit(1)\n",
}  # fmt: skip
KATTIS_VALIDATOR = {
    **{path: text for path, text in KATTIS.items() if not path.startswith(("submissions/", "data/"))},
    "problem.yaml": "name: Two summands\nvalidation: custom\nvalidator_flags: least 2\n",
    "data/secret/1.in": "9\n",
    "data/secret/1.ans": "\n",
    "output_validators/sums/validate.py": (
        "import sys\nassert sys.argv[4:] == ['least', '2']\nwanted = int(open(sys.argv[1]).read())\n"
        "try: a, b = map(int, sys.stdin.read().split())\nexcept ValueError: sys.exit(43)\n"
        "sys.exit(42 if a + b == wanted and min(a, b) >= 2 else 43)\n"
    ),
    "submissions/accepted/a.py": "print(2, int(input()) - 2)\n",
    "submissions/wrong_answer/a.py": "print(1, int(input()) - 1)\n",
}
KATTIS_INTERACTIVE = {
    **{path: text for path, text in KATTIS.items() if not path.startswith(("submissions/", "data/"))},
    "problem.yaml": "name: Find it\nvalidation: custom interactive\n",
    "data/sample/1.in": "7\n",
    "data/sample/1.ans": "\n",
    "data/secret/1.in": "77\n",
    "data/secret/1.ans": "\n",
    "output_validators/talk.py": (
        "import sys\nsecret = int(open(sys.argv[1]).read())\nfor _ in range(8):\n    guess = int(input())\n"
        "    if guess == secret:\n        print('found', flush=True)\n        sys.exit(42)\n"
        "    print('less' if secret < guess else 'more', flush=True)\nsys.exit(43)\n"
    ),
    "submissions/accepted/halves.py": (
        "low, high = 1, 100\nwhile True:\n    guess = (low + high) // 2\n    print(guess, flush=True)\n    said = input()\n"
        "    if said == 'found': break\n    if said == 'less': high = guess - 1\n    else: low = guess + 1\n"
    ),
    "submissions/wrong_answer/counts.py": "for guess in range(1, 9):\n    print(guess, flush=True)\n    input()\n",
}
BARE = {
    "problem.yaml": "name: Made\nproblem_format_version: 2023-07-draft\nlimits: {time_limit: 2}\n",
    "statement/problem.en.md": "Say it.\n",
    "data/secret/1.in": "5\n",
    "data/secret/1.ans": "10\n",
    "submissions/accepted/a.py": "print(2 * int(input()))\n",
}
"""The least that is a problem package."""
PASSES = {
    "problem.yaml": "name: Made\nproblem_format_version: 2025-09\ntype: [pass-fail, multi-pass{}]\nlimits: {{validation_passes: 3, time_limit: 2}}\n",
    "data/secret/1.in": "1\n",
    "data/secret/1.ans": "",
    "output_validator/__main__.py": "import sys\nfrom pathlib import Path\nfrom halves import last\n"
    "given, feedback = int(Path(sys.argv[1]).read_text()), Path(sys.argv[3])\n{}said = sys.stdin.readline().split()\n"
    "if said != [str(given + 1)]: sys.exit(43)\nif not last(given): (feedback / 'nextpass.in').write_text(said[0])\nsys.exit(42)\n",
    "output_validator/__init__.py": "",
    "output_validator/halves.py": "def last(given):\n    return given == 3\n",
    "submissions/accepted/a.py": "print(int(input()) + 1)\n",
    "submissions/wrong_answer/third.py": "n = int(input())\nprint(n + (n < 3))\n",
    "submissions/run_time_error/third.py": "n = int(input())\nprint(n + 1)\nassert n < 3\n",
}
KATTIS_MORE: dict[str, dict[str, str]] = {
    "passes": {**BARE, **PASSES, "problem.yaml": PASSES["problem.yaml"].format(""), "output_validator/__main__.py": PASSES["output_validator/__main__.py"].format("")},
    "passes of a conversation": {**BARE, **PASSES, "problem.yaml": PASSES["problem.yaml"].format(", interactive"), "output_validator/__main__.py": PASSES["output_validator/__main__.py"].format("print(given, flush=True)\n")},
    "flags of groups": {
        **BARE,
        "problem.yaml": "name: Made\nvalidator_flags: case_sensitive\n",
        "data/testdata.yaml": "output_validator_flags: float_tolerance 1e-2\n",
        "data/secret/1.ans": "A 10.0\n",
        "data/secret/exact/testdata.yaml": "output_validator_flags: ''\n",
        "data/secret/exact/2.in": "6\n",
        "data/secret/exact/2.ans": "A 12.001\n",
        "data/secret/inner/deep/3.in": "7\n",
        "data/secret/inner/deep/3.ans": "A 14\n",
        "submissions/accepted/a.py": "n = int(input())\nprint('A', 2.0005 * n if n != 6 else '12.001')\n",
        "submissions/wrong_answer/lower.py": "n = int(input())\nprint('a' if n == 7 else 'A', 2 * n if n != 6 else '12.001')\n",
        "submissions/wrong_answer/tolerant.py": "print('A', 2 * int(input()))\n",
    },
    "flags of a case": {
        **BARE,
        "data/test_group.yaml": "output_validator_args: [float_absolute_tolerance, '0.5']\n",
        "data/secret/1.yaml": "output_validator_args: []\ndescription: exactly\n",
        "data/secret/2.in": "6\n",
        "data/secret/2.ans": "12\n",
        "submissions/accepted/near.py": "n = int(input())\nprint(2 * n if n == 5 else 12.4)\n",
        "submissions/wrong_answer/near.py": "print(2 * int(input()) + 0.1)\n",
    },
    "arguments and files": {
        **BARE,
        "data/secret/test_group.yaml": "args: ['2']\n",
        "data/secret/1.files/deep/table.txt": "3\n",
        "data/secret/2.in": "1\n",
        "data/secret/2.ans": "7\n",
        "data/secret/2.yaml": "args: ['4', --x]\n",
        "data/secret/2.files/deep/table.txt": "3\n",
        "data/secret/1.ans": "13\n",
        "submissions/accepted/a.py": "import sys\nprint(int(input()) * int(sys.argv[1]) + int(open('deep/table.txt').read()))\n",
        "submissions/wrong_answer/a.py": "print(int(input()) * 2 + int(open('deep/table.txt').read()))\n",
    },
    "half a conversation": {
        **BARE,
        "problem.yaml": "name: Made\nvalidation: custom interactive\n",
        "output_validators/v/v.py": "import sys\nprint(open(sys.argv[1]).read())\nsys.stdout.close()\nsys.exit(42 if sys.stdin.read().split() == ['10'] else 43)\n",
        "submissions/accepted/all.py": "import sys\nprint(2 * int(sys.stdin.read()))\n",
        "submissions/wrong_answer/all.py": "import sys\nprint(3 * int(sys.stdin.read()))\n",
    },
    "small print": {
        **BARE,
        "problem.yaml": "name: Made\nvalidation: default\nvalidator_flags: space_change_sensitive\nlimits: {output: 1, memory: 64, time_multiplier: 7}\n",
        "output_validators/v.py": "import sys\nsys.exit(43)\n",
        "data/sample/1.in": "1\n",
        "data/sample/1.ans": "2\n",
        "data/sample/1.in.statement": "one\n",
        "data/secret/1.ans": "A  10\n",
        "data/secret/1.hint": "double it\n",
        "submissions/accepted/0_old.py": "#!/usr/bin/env python2\nprint input()\n",
        "submissions/accepted/1_old/main.py": "#!/usr/bin/python2\nprint(2)\n",
        "submissions/accepted/a.py": "n = int(input())\nprint('a  10' if n == 5 else 2)\n",
        "submissions/accepted/a.java": "class A {}\n",
        "submissions/wrong_answer/space.py": "n = int(input())\nprint('A 10' if n == 5 else 2)\n",
        "submissions/wrong_answer/sample.py": "print('A  10')\n",
        "submissions/brute_force/slow.py": "while True: pass\n",
    },
}  # fmt: skip
QUIXBUGS = {
    "json_testcases/gaps.json": "[[[1, 4, 9]], [3, 5]]\n[[[]], []]\n\n[[[2.5, 3]], [0.5]]\n",
    "correct_python_programs/gaps.py": "def gaps(xs):\n    return tuple(b - a for a, b in zip(xs, xs[1:]))\n",
    "python_programs/gaps.py": "def gaps(xs):\n    return tuple(a - b for a, b in zip(xs, xs[1:]))\n",
    "json_testcases/pairs.json": "[3, [[0, 0], [1, 1], [2, 4]]]\n",
    "correct_python_programs/pairs.py": "def pairs(n):\n    for i in range(n):\n        yield i, i * i\n",
    "python_programs/pairs.py": "def pairs(n):\n    for i in range(n):\n        yield i, i + i\n",
}

BIG = {
    "task_id": "BigCodeBench/1",
    "complete_prompt": 'import os\nimport random\nLIMIT = 3\ndef task_func(folder):\n    """ Some names of the folder. """\n',
    "instruct_prompt": "Write it.",
    "code_prompt": "import os\nimport random\nLIMIT = 3\ndef task_func(folder):\n",
    "canonical_solution": "    return random.sample(sorted(os.listdir(folder)), LIMIT)\n",
    "entry_point": "task_func",
    "doc_struct": "{}",
    "libs": "['os', 'random']",
    "test": (
        "import unittest\nfrom unittest.mock import patch\nclass TestCases(unittest.TestCase):\n    @patch('os.listdir')\n"
        "    def test_some(self, listed):\n        listed.return_value = list('abcd')\n        random.seed(1)\n"
        "        found = task_func('x')\n        self.assertEqual(len(found), LIMIT)\n        self.assertTrue(set(found) <= set('abcd'))\n"
        "        listed.assert_called_once_with('x')\n"
    ),
}
BIG_APART = {
    **BIG,
    "task_id": "BigCodeBench/2",
    "complete_prompt": 'import numpy as np\ndef task_func(xs):\n    """ Twice xs. """\n',
    "code_prompt": "import numpy as np\ndef task_func(xs):\n",
    "canonical_solution": "    return 2 * np.array(xs)\n",
    "test": (
        "import unittest\nclass TestCases(unittest.TestCase):\n    def test_twice(self):\n"
        "        np.testing.assert_array_equal(task_func([1, 2]), np.array([2, 4]))\n"
    ),
}

MADE = [
    Made("bigcodebench", lines(BIG), "BigCodeBench/1", "pytest", "def task_func(folder): return ['a', 'b', 'c']", "import os\nLIMIT = 3\ndef task_func(folder): return os.listdir(folder)[1:]"),
    Made("bigcodebench", array(BIG_APART), "BigCodeBench/2", "pytest", "def task_func(xs): return xs + xs", "import numpy\ndef task_func(xs): return numpy.array(xs) + numpy.array(xs)"),
    Made("livecodebench", lines(LIVE_FLOATS), "live_f", "pytest", "def halves(xs): return [0.1, 0.3]", "def halves(xs: List[int]): return tuple(round(x * 0.1, 7) + 1e-9 for x in xs)", options=("--solutions",)),
    Made("livecodebench", lines(LIVE_FUNCTION), "live_g", "call", "def halves(xs): return [0.1, 0.3, 0.6001]", "def halves(xs: List[int]): return tuple(reduce(lambda a, b: a + b, [0.1] * x) for x in xs)", options=("--solutions",)),
    Made("humaneval", lines(FUNCTION), "Made/0", "pytest", "def test_sixth(x):\n    return x / 3\n", "test_sixth = lambda x: x * 0.5 / 3\n"),
    Made("humaneval", lines({**FUNCTION, "prompt": FUNCTION["prompt"] + "    '''more'''\n", "canonical_solution": " return x / 6\n"}), "Made/0", "pytest", "x"),
    Made("humanevalpack", lines({**FUNCTION, "test": FUNCTION["test"] + "\ncheck(test_sixth)\n", "buggy_solution": "    return x // 7\n"}), "Made/0", "pytest"),
    Made("humaneval+", lines({**FUNCTION, "base_input": [[6]], "plus_input": [[0.6]], "atol": 0}), "Made/0", "call", "def test_sixth(x):\n    return x // 6\n"),
    Made("mbpp+", lines({**FUNCTION, "assertion": "", "base_input": [[6]], "plus_input": {}, "atol": 0}), "Made/0", "call", "def test_sixth(x):\n    return 2\n"),
    Made("mbpp", lines(MBPP), "MBPP/7", "pytest", "half = lambda x: x // 2", "half = lambda x: x * 0.5"),
    Made("mbpp", array(SANITIZED), "MBPP/8", "pytest", "def test_even(x):\n    return True\n"),
    Made("classeval", array(CLASS), "ClassMade_0", "pytest", CLASS["solution_code"].replace("== LIMIT", "> LIMIT")),
    Made("classeval", array(FILE_CLASS), "ClassMade_1", "pytest", "class Store:\n    __init__ = load = lambda *_: None\n"),
    Made("apps", lines(APPS_PROGRAM), "APPS/3", "stdio", "print(3.0)\nprint(3.0)\n", "import sys\nfor l in sys.stdin: print('%.9f' % sum(map(float, l.split())))\n"),
    Made("apps", array(APPS_FUNCTION), "APPS/4", "call", "def ends(table):\n    return ['a', 'c']\n", "def ends(table):\n    return [['a', 'b']]\n"),
    Made("apps", array(APPS_METHOD), "APPS/5", "pytest", "def twice(xs):\n    return xs + xs\n", "def twice(xs):\n    return tuple(x + x for x in xs)\n"),
    Made("livecodebench", lines(LIVE_PROGRAM), "live_a", "stdio", "print(input().split()[0])", options=("--solutions",), visible={"visible/1.in", "visible/1.ans"}, right="a, b = map(float, input().split())\nprint(max(a, b))"),
    Made("livecodebench", lines(LIVE_METHOD), "LiveCodeBench/2001", "pytest", "def larger(a, bs): return bs[0]", "def larger(a, bs): return max(a, max(bs))", options=("--solutions",), visible={"visible/examples.jsonl"}),
    Made("kattis", tree(KATTIS), "made", "stdio", visible={"visible/1.in", "visible/1.ans"}),
    Made("kattis", tree(KATTIS_VALIDATOR), "made", "stdio", "print('no number')", "print(4, 5)"),
    Made("kattis", tree(KATTIS_INTERACTIVE), "made", "stdio"),
    *(
        Made("kattis", tree(files), "made", "stdio", name=name, visible={"visible/1.in", "visible/1.ans"} if name == "small print" else set())
        for name, files in KATTIS_MORE.items()
    ),
    Made("quixbugs", tree(QUIXBUGS), "QuixBugs/gaps", "call", "def gaps(xs):\n    return None\n", "def gaps(xs):\n    return [y - x for x, y in zip(xs, xs[1:])]\n"),
    Made("quixbugs", tree(QUIXBUGS), "QuixBugs/pairs", "pytest", "def pairs(n):\n    return n\n", "def pairs(n):\n    return [[i, i * i] for i in range(n)]\n"),
]  # fmt: skip


@pytest.fixture(scope="module")
def jail(tiers: Tiers) -> Sandbox:
    return tiers.at_least(Tier.JAIL)


def imported(made: Made, folder: Path, format: str) -> dict[str, str]:
    """The files of the package that the command writes."""
    out = folder / f"out-{format}"
    solutions = folder / "solutions.jsonl"
    solutions.write_text(
        "".join(json.dumps({"task_id": id, "solution": text}) + "\n" for id, text in SOLUTIONS.items())
    )
    options = [*made.options, str(solutions)] if made.options else []
    place = made.write(folder)
    line = ["tasks", "import", format, str(place), "--out", str(out), *options]
    result = CliRunner().invoke(app, line)
    assert result.exit_code == 0, (result.output, result.exception)
    return read_folder(out / made.id.replace("/", "-"))


def passes(task: Task, files: dict[str, str], sandbox: Sandbox) -> bool:
    """Return whether the files pass. Raises TaskUnusable if the reference fails."""
    submission = Submission(id=SubmissionId("made"), task_id=task.id, files=files)
    with sandbox.session() as session:
        context = Context(task=task, submission=submission, session=session)
        signals = [signal for signal in HiddenTests().grade(context) if isinstance(signal, CaseOutcome)]
    assert signals
    return all(signal.outcome is Outcome.PASSED for signal in signals)


@pytest.mark.parametrize("made", MADE, ids=str)
def test_what_is_imported_judges_right_and_wrong_solutions(made: Made, tmp_path: Path, jail: Sandbox) -> None:
    files = imported(made, tmp_path, made.format)
    task = package.load(files)
    assert (task.id, [suite.kind for suite in task.suites]) == (made.id, [made.kind])
    assert set(task.visible) == made.visible
    assert passes(task, dict(task.reference), jail)
    for packaged in package.parse(files).submissions:
        assert passes(task, dict(packaged.files), jail) is (packaged.outcome == "passed"), packaged.name
    assert not made.wrong or not passes(task, {"solution.py": made.wrong}, jail)
    assert not made.right or passes(task, {"solution.py": made.right}, jail)


@pytest.mark.parametrize("made", MADE, ids=str)
def test_the_format_is_found_out(made: Made, tmp_path: Path) -> None:
    assert imported(made, tmp_path, "auto") == imported(made, tmp_path, made.format)


CHANGED = [
    ("tally.counts['a'] = 1", "shared"),
    ("tally.counts['a']['b'] += 1", "shared"),
    ("del self.tally.counts['a']", "shared"),
    ("self.tally.names.append('a')", "shared"),
    ("unittest.mock.patch", None),
    ("patch('solution.f')", "shared"),
    ("tally.counts['a']", None),
    ("self.names['a'] = 1", None),
    ("self.names.append(tally.counts.count)", None),
]


@pytest.mark.parametrize(("line", "isolation"), CHANGED)
def test_tests_that_change_what_lies_inside_of_an_object_run_beside_the_class(
    line: str, isolation: str | None, tmp_path: Path
) -> None:
    row = {**CLASS, "test": f"{CLASS['test']}\n    def test_more(self):\n        {line}\n"}
    [suite] = package.load(imported(Made("classeval", array(row), "ClassMade_0", "pytest"), tmp_path, "auto")).suites
    assert suite.options.get("isolation") == isolation


def test_tests_that_share_files_with_the_class_run_beside_it(tmp_path: Path) -> None:
    for row, isolation in ((CLASS, None), (FILE_CLASS, "shared")):
        made = Made("classeval", array(row), str(row["task_id"]), "pytest")
        [suite] = package.load(imported(made, tmp_path, "auto")).suites
        assert suite.options.get("isolation") == isolation
        (tmp_path / "out-auto").rename(tmp_path / made.id)


def test_what_kattis_states_is_kept(tmp_path: Path) -> None:
    task = package.load(imported(Made("kattis", tree(KATTIS), "made", "stdio"), tmp_path, "auto"))
    [suite] = task.suites
    assert task.title == "Halves"
    assert "Print half" in task.prompt
    assert (task.limits.cpu_seconds, task.limits.memory_mib) == (2, 256)
    assert suite.options["groups"] == {"large": 2}
    assert (suite.options["absolute"], suite.options["relative"], suite.options["case_sensitive"]) == (
        1e-3,
        1e-3,
        False,
    )
    names = {packaged.name for packaged in package.parse(read_folder(tmp_path / "out-auto" / "made")).submissions}
    assert names == {
        "accepted/a.py", "accepted/parts", "wrong/integers.py", "wrong/run_time_error_integers.py", "slow/forever.py",
    }  # fmt: skip
