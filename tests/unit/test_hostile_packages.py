"""Packages that are made to cost: each is loaded or refused within seconds and little memory, whatever is in it.

Each in a process of its own whose CPU time and memory end where a bounded package is far from: the limits are generous, so
that only what grows faster than its text comes near them.
"""

import json
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from graders.suites.case_rows import LINE_CHARACTERS, LINE_VALUES, LITERAL_CHARACTERS, MOST_CASES, MOST_LINES
from graders.suites.fields import MOST_PATTERNS, PYTHON_CHARACTERS
from graders.suites.options import MOST_GROUPS
from graders.tasks.package import MAX_BYTES, MOST_REFERENCES, MOST_SUBMISSIONS, PackageError, load
from graders.tasks.suites import MOST_SUITES
from rubrics.bounded_toml import MOST_BYTES

CPU_SECONDS = 30
MEMORY_BYTES = 2 << 30
LOADER = """
import json, sys
from graders.tasks.package import PackageError, load
from service.reading.task_summary import summarize
try:
    summarize(load(json.load(sys.stdin)))
except PackageError as error:
    print(str(error)[:300])
else:
    print("loads")
"""
HEAD = 'id = "t"\nreference = "submissions/accepted/r.py"\n'
CALL = '[[suite]]\nid = "s"\nkind = "call"\nfiles = ["hidden/c.jsonl"]\nentry_point = "f"\n'
STDIO = '[[suite]]\nid = "s"\nkind = "stdio"\nfiles = ["hidden/*"]\n'
PYTEST = '[[suite]]\nid = "s"\nkind = "pytest"\nfiles = ["hidden/*"]\n'


def package(toml: str = HEAD + CALL, cases: str = '{"call": "f(1)"}\n', **more: str) -> dict[str, str]:
    files = {"task.toml": toml, "prompt.md": "Write f.", "submissions/accepted/r.py": "def f(*a): pass\n"}
    return files | ({"hidden/c.jsonl": cases} if cases else {}) | more


def in_tests(source: str, count: int = 1) -> dict[str, str]:
    return package(HEAD + PYTEST, "", **{f"hidden/test_{number}.py": source for number in range(count)})


def in_lines(line: str) -> str:
    """As many of the line as a package may hold."""
    return line * ((MAX_BYTES - 5000) // len(line))


def encoded(argument: object, times: int = 1) -> str:
    return (json.dumps({"args": [argument]}) + "\n") * times


def in_programs(source: str) -> dict[str, str]:
    """A file that is in each of as many suites as there may be."""
    suite = PYTEST.replace("pytest", "program").replace("*", "c.py")
    return package(
        HEAD + "".join(suite.replace('"s"', f'"s{n}"') for n in range(MOST_SUITES)), "", **{"hidden/c.py": source}
    )


COLLIDING = [n * ((1 << 61) - 1) for n in range(150_000)]
"""Python's hash of all of them is 0."""


def call(argument: str) -> str:
    return json.dumps({"call": f"f({argument})"}) + "\n"


LONG_NAMES = {f"hidden/{'a' * 170}{number:04}.{kind}": "1" for number in range(450) for kind in ("in", "ans")}
WILD = "*" + "a" * 60 + "?*{}.in"
PACKAGES: Mapping[str, tuple[Callable[[], dict[str, str]], str]] = {
    "a dotted key": (lambda: package(HEAD + CALL + "a" + ".a" * 100_000 + " = 1\n"), "task.toml: expected valid TOML: it may have 64"),
    "a shorter dotted key": (lambda: package(HEAD + CALL + "a" + ".a" * 30_000 + " = 1\n"), "a key may have 8 parts"),
    "a table of that name": (lambda: package(HEAD + CALL + "[" + "'a'." * 15_000 + "a]\n"), "a key may have 8 parts"),
    "one in an inline table": (lambda: package(HEAD + CALL + "a = [{b" + ".a" * 30_000 + " = 1}]\n"), "a key may have 8 parts"),
    "arrays in arrays": (lambda: package(HEAD + CALL + "a = " + "[" * 60_000 + "\n"), "brackets may be 8 deep"),
    "a manifest of the largest size": (
        lambda: package((HEAD + CALL + "".join(f"a.b.c.d.e.f.g.x{n} = 1\n" for n in range(2_900)))[:MOST_BYTES]), "task.toml|suite.s"),
    "a number beyond any float": (lambda: package(HEAD + CALL + f"weight = 0x{'f' * 9_000}\n"), "an integer has 64 bits"),
    "fifty thousand cases": (lambda: package(cases='{"args": []}\n' * 50_000), f":{MOST_CASES + 1}: expected at most 10,000 cases"),
    "empty lines": (lambda: package(cases='{"args": []}\n' + "\n" * 15_000_000), f"at most {MOST_LINES:,} lines"),
    "one line": (lambda: package(cases='{"args": [' + "1," * 7_000_000 + "1]}\n"), "a line of at most 4 MiB, not 13"),
    "lists in a list": (lambda: package(cases=in_lines('{"args": [' + "[]," * 300_000 + "1]}\n")), f"a case of at most {LINE_VALUES:,} values"),
    "as many lists as there may be": (lambda: package(cases=('{"args": [' + "[]," * 124_000 + "1]}\n") * 8), "loads"),
    "deep lists": (lambda: package(cases='{"args": [' + "[" * 100_000 + "]" * 100_000 + "]}\n"), "expected a JSON object on one line"),
    "deep lists that JSON reads": (lambda: package(cases='{"args": [' + "[" * 900 + "]" * 900 + "]}\n"), "loads|expected"),
    "numbers": (lambda: package(cases=in_lines('{"args": [[' + "1," * 249_000 + "1]]}\n")), "loads"),
    "long numbers": (lambda: package(cases=in_lines('{"args": [' + ("9" * 4_299 + ",") * 900 + "1]}\n")), "loads"),
    "a number of a million digits": (lambda: package(cases='{"args": [' + "9" * 1_000_000 + "]}\n"), "expected a JSON object"),
    "a key twice": (lambda: package(cases='{"args": [], ' + '"a": 1, ' * 100_000 + '"b": 1}\n'), "a key occurs twice"),
    "a long literal": (lambda: package(cases=call("[" + "1," * 100_000 + "]")), "at most 32 KiB in `call`, not 195"),
    "many long literals": (lambda: package(cases=call("[],1," * (LITERAL_CHARACTERS // 6)) * 100), "characters in `call` and `returns`"),
    "literals in disguise": (lambda: package(cases=(call("[],1," * 6_000).replace("call", "\\u0063all")) * 100), "characters in `call`"),
    "deep literals": (lambda: package(cases=call("[" * 190 + "]" * 190) * 2_000), "characters in `call` and `returns`"),
    "a literal of signs": (lambda: package(cases=call("-" * 30_000 + "1")), "expected a Python expression"),
    "a literal of sums": (lambda: package(cases=call("1+" * 15_000 + "1")), "expected a Python expression"),
    "a literal of dots": (lambda: package(cases=call("a" + ".a" * 15_000)), "expected a Python expression"),
    "a hexadecimal literal": (lambda: package(cases=call("0x" + "f" * 30_000)), "loads"),
    "suites without end": (lambda: package(HEAD + "".join(CALL.replace('"s"', f'"s{n}"') for n in range(500))), f"at most {MOST_SUITES} suites"),
    "one large file in each suite": (
        lambda: package(HEAD + "".join(CALL.replace('"s"', f'"s{n}"') for n in range(100)), in_lines('{"args": [[' + "1," * 249_000 + "1]]}\n")),
        "characters in files with cases, in all suites"),
    "many cases in each suite": (
        lambda: package(HEAD + "".join(CALL.replace('"s"', f'"s{n}"') for n in range(100)), '{"args": []}\n' * 9_000), "at most 10,000 cases, in all"),
    "many cases as examples": (lambda: package(cases='{"args": []}\n' * 9_000, **{"visible/c.jsonl": '{"args": []}\n' * 9_000}), "at most 10,000"),
    "groups": (
        lambda: package(HEAD + STDIO + "[suite.groups]\n" + "".join(f"g{n} = 1\n" for n in range(5_000))), f"at most {MOST_GROUPS} groups"),
    "cases and groups": (
        lambda: package(HEAD + STDIO + "[suite.groups]\n" + "".join(f"g{n} = 1\n" for n in range(100)),
                        "".join(json.dumps({"id": "a/" * 90 + str(n), "input": "", "output": ""}) + "\n" for n in range(9_999))),
        r"suite\.s\.groups\.g0: expected some case"),
    "structure in the place of text": (lambda: package(HEAD + STDIO, '{"input": [' + "[]," * 1_200_000 + "1]}\n"), "a text|a list of accepted"),
    "patterns that match": (
        lambda: package(HEAD + STDIO.replace("]\n", ", " + ", ".join(f'"{WILD.format(n)}"' for n in range(400, 440)) + "]\n", 2)
                        .replace(']\n, "', ', "'), "", **LONG_NAMES), "loads|expected"),
    "too many patterns": (
        lambda: package(HEAD + STDIO.replace('"hidden/*"', '"hidden/*",' * 60)), f"at most {MOST_PATTERNS} patterns"),
    "a pattern of stars": (lambda: package(HEAD + STDIO.replace("hidden/*", "*a" * 90 + "b"), "", **LONG_NAMES), "100 characters at most"),
    "stars within that": (lambda: package(HEAD + STDIO.replace("hidden/*", "*a" * 45 + "b"), "", **LONG_NAMES), "matches none"),
    "submissions": (lambda: package(**{f"submissions/wrong/{n}.py": "x" for n in range(900)}), f"at most {MOST_SUBMISSIONS} submissions"),
    "references": (
        lambda: package("references = [" + ", ".join(f'"submissions/wrong/{n}.py"' for n in range(400)) + "]\n" + HEAD + CALL,
                        **{f"submissions/wrong/{n}.py": "x" for n in range(400)}), f"at most {MOST_REFERENCES} paths"),
    "folders in folders": (
        lambda: package(**{f"submissions/wrong/x/{'a/' * 85}{n}": "x" for n in range(900)}, **{"submissions/wrong/x/solution.py": "x"}), "loads"),
    "statements": (lambda: in_tests("x=1\n" * (PYTHON_CHARACTERS // 4), 200), "loads"),
    "a large file of tests": (lambda: in_tests("x=1\n" * 3_000_000), "loads"),
    "brackets in Python": (lambda: in_tests("x = " + "(" * 30_000), "too many nested parentheses"),
    "signs in Python": (lambda: in_tests("x = " + "-" * 30_000 + "1"), "expected Python that can be parsed"),
    "sums in Python": (lambda: in_tests("x = " + "1+" * 15_000 + "1"), "expected Python that can be parsed"),
    "branches in Python": (lambda: in_tests("if 1: pass\n" + "elif 1: pass\n" * 2_400), "loads|expected Python that can be parsed"),
    "digits in Python": (lambda: in_tests("x = " + "9" * 30_000), "expected Python that can be parsed"),
    "a set of colliding numbers": (lambda: package(cases=encoded({"$set": COLLIDING})), "256 elements of one hash"),
    "sets of as many of them as there may be": (lambda: package(cases=encoded([{"$set": COLLIDING[:256]}] * 100, 25)), "loads"),
    "a frozenset of colliding tuples": (
        lambda: package(cases=encoded({"$frozenset": [{"$tuple": [n]} for n in COLLIDING[:60_000]]})), "256 elements of one hash"),
    "a dict of colliding keys": (
        lambda: package(cases=encoded({"$dict": [[n, 1] for n in COLLIDING[:80_000]]})), "256 elements of one hash"),
    "a fraction of large numbers": (
        lambda: package(cases=encoded({"$fraction": [{"$int": f"0x{3**n:x}"} for n in (2_600_000, 2_500_000)]})), "a fraction may have"),
    "fractions": (
        lambda: package(cases=encoded([{"$fraction": [{"$int": f"0x{3**n:x}"} for n in (10_300, 10_200)]}] * 100, 19)), "loads"),
    "an array of a large shape": (lambda: package(cases=encoded({"$array": ["<i8", [9**400] * 9_000, []]})), "numpy's and a shape"),
    "one page a hundred thousand times": (
        lambda: package(cases=encoded([["x" * 2_000_000], *[{"$ref": 1}] * 100_000])), "loads"),
    "an entry file that no file system takes": (lambda: package(f'entry_file = "{"a" * 300}.py"\n' + HEAD + CALL), "entry_file: expected a name of at most"),
    "a path that no file system takes": (lambda: package(**{"submissions/wrong/" + "\u4e2d" * 90 + ".py": "x"}), "at most 200 bytes"),
    "a command with a NUL": (
        lambda: package(HEAD + STDIO + 'command = ["python3", "a\\u0000"]\n', **{"hidden/a.in": "", "hidden/a.ans": ""}), "command: expected text without NUL"),
    "a title with a NUL": (lambda: package('title = "a\\u0000"\n' + HEAD + CALL), "title: expected text without NUL"),
    "a weight beyond any float": (lambda: package(cases='{"args": [], "weight": 1' + "0" * 400 + "}\n"), "weight"),
    "weights of which there is no sum": (lambda: package(cases='{"args": [], "weight": 1e308}\n{"args": [1], "weight": 1e308}\n'), "from 1e-100 to 1e100"),
    "a weight that is nothing in a suite of as little": (
        lambda: package(HEAD + CALL + "weight = 1e-320\n", '{"args": [], "weight": 1e-99}\n'), r"suite\.s\.weight: expected a number greater than 0"),
    "one large file of functions in each suite": (lambda: in_programs("def  f(x):pass\n" * 1_000_000), "loads"),
    "one large file of beginnings of functions": (lambda: in_programs(("def " + " " * 70 + "\n") * 200_000), "loads"),
    "a prompt of megabytes": (lambda: package(**{"prompt.md": "x" * 3_000_000}), "prompt.md: expected at most 256 KiB"),
    "a title of all that is left": (lambda: package(f'title = "{"x" * 60_000}"\n' + HEAD + CALL), "loads|title: expected at most"),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", PACKAGES)
def test_a_hostile_package_is_loaded_or_refused_at_a_bounded_cost(name: str) -> None:
    make, expected = PACKAGES[name]

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))

    done = subprocess.run(
        [sys.executable, "-c", LOADER],
        input=json.dumps(make()),
        capture_output=True,
        text=True,
        preexec_fn=limit,
        cwd=Path(__file__).parents[2],
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert re.search(expected, done.stdout), done.stdout


def test_a_file_that_is_too_large_to_be_parsed_may_still_have_the_function_that_is_asked_for() -> None:
    toml = HEAD + CALL.replace('files = ["hidden/c.jsonl"]', 'files = ["hidden/*"]\nchecker = "predicate"')
    padding = "# " + "x" * PYTHON_CHARACTERS + "\n"
    assert load(
        package(toml, **{"hidden/p.py": padding + "def accepts(args, expected, got):\n    return True\n"})
    ).suites
    with pytest.raises(PackageError, match="a function `accepts"):
        load(package(toml, **{"hidden/p.py": padding + "def accept(args): pass\n"}))


def test_a_line_of_the_largest_size_is_read() -> None:
    line = '{"args": ["' + "x" * (LINE_CHARACTERS - 14) + '"]}'
    assert len(line) == LINE_CHARACTERS
    assert load(package(cases=line)).suites
