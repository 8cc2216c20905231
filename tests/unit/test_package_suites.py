"""Suites of a package: the options of each kind, groups, visible examples and further references."""

import json
from collections.abc import Mapping

import pytest

from graders.tasks.package import PackageError, load, parse

HEAD = 'id = "double"\nreference = "submissions/accepted/reference.py"\n'
CALL = '[[suite]]\nid = "hidden"\nkind = "call"\nfiles = ["hidden/*.jsonl"]\nentry_point = "double"\n'
STDIO = '[[suite]]\nid = "io"\nkind = "stdio"\nfiles = ["io/*"]\n'
SMALL = "[limits]\noutput_kib = 1\n"
TESTS = '[[suite]]\nid = "unit"\nkind = "pytest"\nfiles = ["unit/*"]\n'
PROPERTY = TESTS.replace("pytest", "property")
PROGRAM = TESTS.replace("pytest", "program")
FILES = {"prompt.md": "Write `double(x)`.", "submissions/accepted/reference.py": "def double(x):\n    return 2 * x\n"}
CASES = {"hidden/cases.jsonl": '{"call": "double(2)", "returns": "4"}\n'}
PAIR = {"io/a.in": "1\n", "io/a.ans": "2\n"}
CHECK = {"unit/checks.py": "def check(candidate):\n    assert candidate(1) == 2\n"}


def package(manifest: str, files: Mapping[str, str]) -> dict[str, str]:
    return {**FILES, "task.toml": HEAD + manifest, **files}


FITTING: dict[str, tuple[str, Mapping[str, str], dict[str, object]]] = {
    # name: (suite, its files, what of its options the grader finds)
    "any-of": (CALL + 'checker = "any-of"\n', {"hidden/c.jsonl": '{"call": "double(2)", "returns": "[4, 5]"}'}, {"checker": "any-of"}),
    "any-of that raises": (CALL + 'checker = "any-of"\n', {"hidden/c.jsonl": '{"call": "double(2)", "raises": "ValueError"}'}, {}),
    "call with groups": (
        CALL + "stop_on_failure = true\ngroups = { small = 1, large = 2.5 }\n",
        {"hidden/c.jsonl": '{"call": "double(2)", "group": "small"}\n{"call": "double(3)", "group": "large"}'},
        {"stop_on_failure": True, "groups": {"small": 1, "large": 2.5}},
    ),
    "stdio": (STDIO, PAIR, {}),
    "stdio with .out": (STDIO, {"io/a.in": "1", "io/a.out": "2", "io/b.in": "1", "io/b.ans": "2"}, {}),
    "stdio in lines": (STDIO, {"io/c.jsonl": '{"input": "1", "output": "2"}\n\n{"id": "b", "input": "", "output": ""}'}, {}),
    "stdio, either text": (STDIO + 'checker = "any-of"\n', {"io/c.jsonl": '{"input": "1", "output": ["2", "3"]}'}, {}),
    "stdio, floats": (STDIO + 'checker = "float"\nabsolute = 1e-6\ncase_sensitive = false\n', PAIR, {"absolute": 1e-6}),
    "stdio, either text that fits": (
        SMALL + STDIO + 'checker = "any-of"\n', {"io/c.jsonl": json.dumps({"input": "", "output": ["2" * 1025, "3" * 1024]})}, {},
    ),
    "stdio, a long answer for a program": (
        SMALL + STDIO + 'checker = "program"\nchecker_file = "io/check.py"\n', {"io/a.in": "1", "io/a.ans": "2" * 1025, "io/check.py": ""}, {},
    ),
    "stdio, line by line": (STDIO + 'checker = "lines"\nabsolute = 1e-6\ncase_sensitive = false\n', PAIR, {"checker": "lines"}),
    "call after a prelude": ('prelude = "before.py"\n' + CALL, {**CASES, "before.py": "import math"}, {}),
    "stdio, checked by a program": (
        STDIO + 'checker = "program"\nchecker_file = "io/check.py"\n', {"io/a.in": "1", "io/check.py": "x = 1"}, {"checker_file": "io/check.py"},
    ),
    "stdio, interactive": (
        STDIO + 'interactor_file = "io/talk.py"\nseconds = 2.5\n', {"io/a.in": "1", "io/talk.py": "x = 1"}, {"seconds": 2.5},
    ),
    "stdio, another command": (STDIO + 'command = ["python3", "-O", "solution.py"]\n', PAIR, {}),
    "stdio, groups by folder": (STDIO + "groups = { big = 3 }\n", {"io/big/a.in": "1", "io/big/a.ans": "1", **PAIR}, {}),
    "stdio, groups by line": (STDIO + "groups = { big = 3 }\n", {"io/c.jsonl": '{"input": "1", "output": "2", "group": "big"}'}, {}),
    "pytest beside the submission": (TESTS + 'isolation = "shared"\n', {"unit/test_a.py": ""}, {"isolation": "shared"}),
    "pytest with its own equality": (TESTS + 'equality = "own"\nseconds = 5\n', {"unit/test_a.py": ""}, {"equality": "own", "seconds": 5}),
    "property": (PROPERTY, {"unit/test_a.py": "", "unit/data.txt": ""}, {}),
    "property with a seed": (PROPERTY + "seed = 7\nmax_examples = 20\n", {"unit/test_a.py": ""}, {"seed": 7, "max_examples": 20}),
    "program of unittest classes": (PROGRAM, {"unit/anything.py": "import unittest"}, {}),
    "program with check": (PROGRAM + 'entry_point = "double"\n', CHECK, {"entry_point": "double"}),
}  # fmt: skip


@pytest.mark.parametrize(("suite", "files", "options"), FITTING.values(), ids=FITTING)
def test_loads(suite: str, files: Mapping[str, str], options: dict[str, object]) -> None:
    [found] = load(package(suite, files)).suites
    assert found.files == {path: text for path, text in files.items() if path != "before.py"}
    assert options.items() <= found.options.items()


BROKEN: dict[str, tuple[str, Mapping[str, str], str, str]] = {
    # name: (suite, its files, field, part of what was expected)
    "any-of with one answer": (
        CALL + 'checker = "any-of"\n', {"hidden/c.jsonl": '{"id": "two", "call": "double(2)", "returns": "4"}'},
        "hidden/c.jsonl, case two", "a list of the accepted answers",
    ),
    "any-of with no answer": (
        CALL + 'checker = "any-of"\n', {"hidden/c.jsonl": '{"call": "double(2)", "returns": "[]"}'},
        "hidden/c.jsonl, case line-1", "a list of the accepted answers",
    ),
    "an output that no limit lets out": (
        SMALL + STDIO, {"io/a.in": "1\n", "io/a.ans": "2" * 1025 + "\n"},
        "io/a.in, case io/a", "fits limits.output_kib, which is 1; what is right is 1 KiB long",
    ),
    "all accepted outputs too long": (
        SMALL + STDIO + 'checker = "any-of"\n', {"io/c.jsonl": json.dumps({"id": "b", "input": "", "output": ["2" * 1025, "3" * 2000]})},
        "io/c.jsonl:1, case b", "fits limits",
    ),
    "a prelude that is not there": ('prelude = "before.py"\n' + CALL, CASES, "prelude", "a .py file of this package, not 'before.py'"),
    "a prelude that is no Python": ('prelude = "before.py"\n' + CALL, {**CASES, "before.py": "("}, "before.py:1", "Python that can be parsed"),
    "a prelude beside a command": (
        'prelude = "before.py"\n' + STDIO + 'command = ["python3", "solution.py"]\n', {**PAIR, "before.py": ""}, "suite.io.command", "no command",
    ),
    "a prelude of properties": (
        'prelude = "before.py"\n' + PROPERTY, {"unit/test_a.py": "", "before.py": ""}, "prelude", "not of kind property",
    ),
    "stop at a number": (CALL + "stop_on_failure = 1\n", CASES, "suite.hidden.stop_on_failure", "true or false"),
    "groups are a list": (CALL + 'groups = ["a"]\n', CASES, "suite.hidden.groups", "a table"),
    "group without weight": (CALL + "groups = { a = 0 }\n", CASES, "suite.hidden.groups.a", "greater than 0"),
    "group with an odd name": (CALL + 'groups = { "a b" = 1 }\n', CASES, "suite.hidden.groups.a b", "letters"),
    "group of no case": (CALL + "groups = { a = 1 }\n", CASES, "suite.hidden.groups.a", "some case"),
    "group that the suite has not": (
        CALL + "groups = { a = 1 }\n",
        {"hidden/c.jsonl": '{"call": "double(2)", "group": "a"}\n{"call": "double(3)", "group": "b"}'},
        "hidden/c.jsonl, case line-2", "has (a), not 'b'",
    ),
    "group without groups": (
        CALL, {"hidden/c.jsonl": '{"call": "double(2)", "group": "a"}'},
        "hidden/c.jsonl, case line-1", "it has none",
    ),
    "isolation of a call suite": (CALL + 'isolation = "shared"\n', CASES, "suite.hidden.isolation", "one of the keys"),
    "answer missing": (STDIO, {"io/a.in": "1"}, "io/a.in", "io/a.ans or io/a.out"),
    "two answers": (STDIO, {**PAIR, "io/a.out": "2"}, "io/a.in", "one answer"),
    "answer to nothing": (STDIO, {**PAIR, "io/b.ans": "2"}, "io/b.ans", "io/b.in beside it"),
    "no case": (STDIO, {"io/c.jsonl": "\n"}, "suite.io.files", "at least one case"),
    "odd file": (STDIO, {**PAIR, "io/notes.txt": ""}, "io/notes.txt", "NAME.in"),
    "unknown checker of text": (STDIO + 'checker = "unordered"\n', PAIR, "suite.io.checker", "tokens, exact, float, any-of, program"),
    "tolerance of tokens": (STDIO + "relative = 0.1\n", PAIR, "suite.io.relative", "float"),
    "case is no boolean": (STDIO + "case_sensitive = 0\n", PAIR, "suite.io.case_sensitive", "true or false"),
    "case of exact text": (STDIO + 'checker = "exact"\ncase_sensitive = false\n', PAIR, "suite.io.case_sensitive", "tokens"),
    "checker without its file": (STDIO + 'checker = "program"\n', PAIR, "suite.io.checker_file", "a Python file"),
    "file without its checker": (
        STDIO + 'checker_file = "io/check.py"\n', {**PAIR, "io/check.py": ""}, "suite.io.checker_file", "else none",
    ),
    "checker elsewhere": (
        STDIO + 'checker = "program"\nchecker_file = "check.py"\n', {**PAIR, "check.py": ""}, "suite.io.checker_file", "among this suite's",
    ),
    "checker that does not parse": (
        STDIO + 'checker = "program"\nchecker_file = "io/check.py"\n', {**PAIR, "io/check.py": "def"}, "io/check.py:1", "parsed",
    ),
    "interactor and checker": (
        STDIO + 'interactor_file = "io/talk.py"\nchecker = "tokens"\n', {"io/a.in": "1", "io/talk.py": ""}, "suite.io.checker", "interactor_file",
    ),
    "command is a text": (STDIO + 'command = "python3 x"\n', PAIR, "suite.io.command", "a list of texts"),
    "no time": (STDIO + "seconds = 0\n", PAIR, "suite.io.seconds", "greater than 0"),
    "milliseconds": (STDIO + "seconds = 5000\n", PAIR, "suite.io.seconds", "at most 3600"),
    "line is no JSON": (STDIO, {"io/c.jsonl": '{"input": "1", "output": "2"}\n{'}, "io/c.jsonl:2", "a JSON object"),
    "line is a list": (STDIO, {"io/c.jsonl": "[]"}, "io/c.jsonl:1", "not list"),
    "line with another key": (STDIO, {"io/c.jsonl": '{"input": "1", "answer": "2"}'}, "io/c.jsonl:1", "not 'answer'"),
    "line without an input": (STDIO, {"io/c.jsonl": '{"output": "2"}'}, "io/c.jsonl:1", "`input`"),
    "line without an output": (STDIO, {"io/c.jsonl": '{"input": "2"}'}, "io/c.jsonl:1", "a text in `output`"),
    "line with one of several": (
        STDIO + 'checker = "any-of"\n', {"io/c.jsonl": '{"input": "2", "output": "2"}'}, "io/c.jsonl:1", "a list of accepted texts",
    ),
    "line's id twice": (
        STDIO, {"io/c.jsonl": '{"id": "a", "input": "", "output": ""}\n{"id": "a", "input": "", "output": ""}'}, "io/c.jsonl:2", "no other case",
    ),
    "line's weight": (STDIO, {"io/c.jsonl": '{"weight": -1, "input": "", "output": ""}'}, "io/c.jsonl:1", "greater than 0"),
    "line's group is a number": (STDIO, {"io/c.jsonl": '{"group": 1, "input": "", "output": ""}'}, "io/c.jsonl:1", "name of a group"),
    "line's group is unknown": (STDIO, {"io/c.jsonl": '{"group": "g", "input": "", "output": ""}'}, "io/c.jsonl:1", "it has none"),
    "unknown isolation": (TESTS + 'isolation = "none"\n', {"unit/test_a.py": ""}, "suite.unit.isolation", "two-process, shared"),
    "unknown equality": (TESTS + 'equality = "loose"\n', {"unit/test_a.py": ""}, "suite.unit.equality", "state, own"),
    "equality in one process": (
        TESTS + 'isolation = "shared"\nequality = "state"\n', {"unit/test_a.py": ""}, "suite.unit.equality", "compare themselves",
    ),
    "entry point of a pytest suite": (TESTS + 'entry_point = "f"\n', {"unit/test_a.py": ""}, "suite.unit.entry_point", "one of the keys"),
    "property suite without tests": (PROPERTY, {"unit/a.py": ""}, "suite.unit.files", "test_*.py"),
    "property with half a seed": (PROPERTY + "seed = 0.5\n", {"unit/test_a.py": ""}, "suite.unit.seed", "a whole number from 0"),
    "property without examples": (PROPERTY + "max_examples = 0\n", {"unit/test_a.py": ""}, "suite.unit.max_examples", "from 1 to"),
    "seed of a pytest suite": (TESTS + "seed = 1\n", {"unit/test_a.py": ""}, "suite.unit.seed", "one of the keys"),
    "program without a program": (PROGRAM, {"unit/a.txt": ""}, "suite.unit.files", "at least one .py"),
    "program without check": (PROGRAM + 'entry_point = "double"\n', {"unit/a.py": ""}, "suite.unit.files", "check(candidate)"),
    "program that does not parse": (PROGRAM, {"unit/a.py": "x ="}, "unit/a.py:1", "parsed"),
    "visible file in a suite": (CALL.replace("*.jsonl", '*.jsonl", "visible/*'), {**CASES, "visible/c.jsonl": '{"call": "f()"}'}, "suite.hidden.files", "visible/c.jsonl is none"),
    "visible text of another kind": (CALL, {**CASES, "visible/readme.md": ""}, "visible/readme.md", "NAME.in"),
    "visible case that is none": (CALL, {**CASES, "visible/c.jsonl": "\n{}"}, "visible/c.jsonl:2", "a `call`"),
    "visible input without an answer": (CALL, {**CASES, "visible/1.in": "x"}, "visible/1.in", "one answer beside it"),
}  # fmt: skip


@pytest.mark.parametrize(("suite", "files", "field", "expected"), BROKEN.values(), ids=BROKEN)
def test_error_names_the_field(suite: str, files: Mapping[str, str], field: str, expected: str) -> None:
    with pytest.raises(PackageError) as caught:
        load(package(suite, files))
    assert caught.value.field == field
    assert expected in caught.value.expected


def test_visible_examples_are_the_tasks_and_no_suites() -> None:
    visible = {
        "visible/cases.jsonl": '{"call": "double(1)", "returns": "2"}\n',
        "visible/1.in": "1",
        "visible/1.ans": "2",
    }
    task = load(package(CALL, {**CASES, **visible}))
    assert task.visible == visible
    assert task.suites[0].files == CASES
    assert load(package(CALL, CASES)).visible == {}


MORE = {
    "submissions/accepted/other.py": "double = lambda x: x + x\n",
    "answers/two/solution.py": "from b import double\n",
    "answers/two/b.py": "",
}


def test_several_references() -> None:
    files = package(CALL, {**CASES, **MORE})
    files["task.toml"] = 'references = ["submissions/accepted/other.py", "answers/two/"]\n' + files["task.toml"]
    assert parse(files).references == {
        "submissions/accepted/reference.py": {"solution.py": FILES["submissions/accepted/reference.py"]},
        "submissions/accepted/other.py": {"solution.py": MORE["submissions/accepted/other.py"]},
        "answers/two": {"solution.py": MORE["answers/two/solution.py"], "b.py": ""},
    }
    assert load(files).reference == {"solution.py": FILES["submissions/accepted/reference.py"]}
    assert list(parse(package(CALL, CASES)).references) == ["submissions/accepted/reference.py"]


@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        ('"submissions/accepted/other.py"', "a list of texts"),
        ('["submissions/accepted/reference.py"]', "there already"),
        ('["submissions/accepted/other.py", "submissions/accepted/other.py"]', "there already"),
        ('["submissions/accepted/none.py"]', "of this package"),
        ('["hidden"]', "a folder with solution.py"),
    ],
)
def test_references_that_are_none(stated: str, expected: str) -> None:
    files = package(CALL, {**CASES, **MORE})
    files["task.toml"] = f"references = {stated}\n{files['task.toml']}"
    with pytest.raises(PackageError) as caught:
        load(files)
    assert caught.value.field == "references"
    assert expected in caught.value.expected
