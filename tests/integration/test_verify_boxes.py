"""`assay verify` with a service of its own and real boxes: an author reads what went wrong, and waits for it once."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from sandboxes.interface import Sandbox

HEAD = 'id = "{}"\nreference = "submissions/accepted/reference.py"\n'
STDIO = '[[suite]]\nid = "io"\nkind = "stdio"\nfiles = ["hidden/*"]\n'
CASES = {"hidden/1.in": "4\n", "hidden/1.ans": "1 3\n", "hidden/2.in": "10\n", "hidden/2.ans": "3 7\n"}
CHECKER = """
import sys
a, b = map(int, sys.stdin.read().split())
sys.exit(not (a != b and a + b == int(open(sys.argv[1]).read())))
"""
PAIR = "n = int(input())\nprint(1, n - 1)\n"


def verified(tmp_path: Path, packages: Mapping[str, Mapping[str, str]], *options: str) -> tuple[str, str]:
    """Return its output and its messages on the way."""
    for name, files in packages.items():
        for path, text in {"prompt.md": "Write it.", **files}.items():
            (tmp_path / name / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name / path).write_text(text)
    line = ["verify", "--quick", *options, *(str(tmp_path / name) for name in packages)]
    done = subprocess.run(
        [sys.executable, "-c", "from service.cli.main import main; main()", *line],
        env={**os.environ, "ASSAY_HOME": str(tmp_path / "home"), "ASSAY_WORKERS": "1"},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1, done.stderr[-3000:]
    return done.stdout, done.stderr


def test_an_author_reads_which_case_failed_or_which_checker_broke(tmp_path: Path, sandbox: Sandbox) -> None:
    checked = STDIO + 'checker = "program"\nchecker_file = "hidden/check.py"\n'
    pytest_suite = '[[suite]]\nid = "unit"\nkind = "pytest"\nfiles = ["unit/*"]\n'
    test = "import solution\ndef test_it():\n    assert solution.f(20) == 41, 'the ' + 'word'\n"
    text, _ = verified(
        tmp_path,
        {
            "wrong": {
                "task.toml": HEAD.format("wrong") + STDIO,
                **CASES,
                "submissions/accepted/reference.py": PAIR,
            },
            "broken": {
                "task.toml": HEAD.format("broken") + checked,
                **CASES,
                "hidden/check.py": CHECKER,
                "submissions/accepted/reference.py": PAIR,
                "submissions/hostile/says_a_word.py": "print('x y')\n",
            },
            "tested": {
                "task.toml": HEAD.format("tested") + pytest_suite,
                "unit/test_it.py": test,
                "submissions/accepted/reference.py": "def f(x):\n    return 2 * x\n",
            },
        },
    )
    wrong, rest = text.split("broken (version")
    broken, tested = rest.split("tested (version")
    assert "expected passed, got failed (1 of 2 cases passed)" in wrong
    assert (
        "          case 2 of suite io: failed\n            input: 10\n            wanted: 3 7\n            got: 1 9\n"
        "            note: token 1: expected '3', got '1'\n"
    ) in wrong
    assert "case 1 of" not in wrong
    assert (
        "  ok      hostile/says_a_word.py  failed      0/2\n          task: Suite io: the task's checker gave" in broken
    )
    assert "ValueError: invalid literal for int() with base 10: 'x'" in broken
    assert "DIFFERS" not in broken
    assert "the reference does not pass" in tested
    assert "AssertionError: the word" in tested, "the test's own text"


def test_a_reference_that_hangs_is_waited_for_once(tmp_path: Path, sandbox: Sandbox) -> None:
    hangs = "import time\nn = input()\nif n == '10': time.sleep(1000)\nprint('1 3' if n == '4' else '3 7')\n"
    files = {
        "task.toml": HEAD.format("hangs") + '[limits]\ncpu_seconds = "10x"\n' + STDIO + "seconds = 5\n",
        **CASES,
        "submissions/accepted/reference.py": hangs,
        **{f"submissions/wrong/{number}.py": f"print({number})\n" for number in range(8)},
    }
    text, said = verified(tmp_path, {"hangs": files}, "--json")
    [task] = json.loads(text)["tasks"]
    reasons = {row["surprises"][0].partition("(")[2] for row in task["submissions"]}
    assert {row["outcome"] for row in task["submissions"]} == {"ungradable"}
    assert reasons == {
        "suite io, case 2: the reference ended by wall-timeout (input '10\\n', wanted '3 7\\n', got ''))"
    }
    assert said.count("task is unusable") == 1, "twelve runs, and it was found out by the first"
