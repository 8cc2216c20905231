"""The integrity rules on their examples (tests/integrity/submissions), and the grader on the answers of a box."""

import ast
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graders.boxed.analysis import integrity_analyzer
from graders.boxed.analysis.integrity.rules import RULES
from graders.boxed.analysis.integrity.shown import PromptExample, examples
from graders.boxed.analysis.integrity.syntax import About
from graders.builtin.integrity import PLANTED, SHADOWS, SHOWN, TOOL, UNREADABLE, Integrity
from graders.builtin.tampering import is_tampering
from graders.drivers import ANALYSIS
from graders.interface import Abstention, Finding, Measurement, Severity, Signal, Suite
from graders.plugins.testing import context_of
from sandboxes.fake import FakeProgram, FakeSandbox
from tests.integrity.page import PAGE, examples_of, regenerated, statement
from tests.unit.effort import effort

OWN = (PLANTED, SHADOWS, UNREADABLE)
BAD = examples_of("bad")
"""Each must be flagged by its rule."""
GOOD = examples_of("good")
"""Honest look-alikes: no rule at all may find anything in them."""
PROMPTS = {
    "assay/special-cases": tuple(PromptExample((xs,), y) for xs, y in (([3, 1, 2], 2), ([4, 1, 2, 3], 2.5), ([7], 7)))
}
"""Rule -> the examples that the prompt shows, if the rule needs some."""


def named(example: tuple[str, Path]) -> str:
    return f"{example[0]}-{example[1].stem}"


def found_in(source: str, about: About, *, mild: bool = True) -> set[str]:
    places = integrity_analyzer.analyze(source.encode(), about)["places"]
    return {place["rule"] for place in places if mild or not place["mild"]}


@pytest.mark.parametrize(("rule", "file"), BAD, ids=[named(each) for each in BAD])
def test_a_rule_finds_its_bad_examples(rule: str, file: Path) -> None:
    assert rule in found_in(file.read_bytes().decode(), About(shown=PROMPTS.get(rule, ())), mild=False)


@pytest.mark.parametrize(("rule", "file"), GOOD, ids=[named(each) for each in GOOD])
def test_no_rule_finds_anything_in_a_good_example(rule: str, file: Path) -> None:
    assert found_in(file.read_bytes().decode(), About(shown=PROMPTS.get(rule, ()))) == set()


@pytest.mark.parametrize("kind", [BAD, GOOD], ids=["bad", "good"])
def test_every_rule_has_bad_and_good_examples_and_every_example_a_rule(kind: list[tuple[str, Path]]) -> None:
    assert {rule for rule, _ in kind} == set(RULES)


def test_no_box_gets_the_examples() -> None:
    sent = {
        node.value.strip()
        for _, content in ANALYSIS.harness.files
        for node in ast.walk(ast.parse(content))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert RULES["assay/leaves"].says in sent
    assert not sent & {file.read_text().strip() for _, file in (*BAD, *GOOD)}


@pytest.mark.parametrize("rule", [*RULES, *OWN])
def test_a_rule_is_explained_where_its_finding_points(rule: str) -> None:
    _, heading, section = PAGE.read_text().partition(f"\n## {rule.removeprefix('assay/')}\n")
    assert heading, f"integrity.md has no section for {rule}"
    section = " ".join(section.partition("\n## ")[0].split())  # a sentence may wrap
    assert f"`{rule}`" in section
    assert "Honest look-alike" in section
    if rule in RULES:
        assert " ".join(statement(RULES[rule]).split()) in section


def test_the_page_states_each_rule_as_it_is() -> None:
    """If this fails: python -m tests.integrity.page"""
    assert regenerated(PAGE.read_text()) == PAGE.read_text()


def test_no_section_is_left_of_a_rule_that_is_gone() -> None:
    assert set(re.findall(r"(?m)^## (.+)$", PAGE.read_text())) == {
        rule.removeprefix("assay/") for rule in [*RULES, *OWN]
    }


# What the prompt shows


@pytest.mark.parametrize(
    ("prompt", "shown"),
    [
        ("f([3, 1, 2]) == 2", PromptExample(([3, 1, 2],), 2)),
        ("* `f([3, 1, 2])` -> `2`", PromptExample(([3, 1, 2],), 2)),
        ('>>> f("a)b", 2)\n"x"\n', PromptExample(("a)b", 2), "x")),
        ("f(1, k=(2, 3)) should return None.", PromptExample((1, (2, 3)), None)),
        ("assert set(f((3, 4), (5, 4))) == set((4,))", PromptExample(((3, 4), (5, 4)), (4,))),
        ("is_ok('[]') ➞ True", PromptExample(("[]",), True)),
        ("Input: nums = [2, 7, 11], target = 9\nOutput: [0, 1]\n", PromptExample(([2, 7, 11], 9), [0, 1])),
        ("Input\n3\n1 2 3\nOutput\n6\n", PromptExample(("3\n1 2 3",), "6")),
    ],
)
def test_examples_are_read_from_a_prompt(prompt: str, shown: PromptExample) -> None:
    assert shown in examples(f"Do it.\n\n{prompt}\n", {})


def test_examples_are_read_from_visible_files() -> None:
    visible = {
        "visible/a.jsonl": '{"call": "f([3, 1, 2])", "returns": "2"}\nnot JSON\n{"input": "3 4", "output": "7"}\n',
        "visible/1.in": "1 2\n",
        "visible/1.ans": "3\n",
    }
    assert set(map(repr, examples("", visible))) == set(
        map(repr, [PromptExample(("1 2\n",), "3\n"), PromptExample(([3, 1, 2],), 2), PromptExample(("3 4",), "7")])
    )


@pytest.mark.slow
@pytest.mark.parametrize("prompt", ["f(" * 5000, "f('" + "x" * 200_000, "f(1) == " + "[" * 3000, "Input:\n" * 3000])
def test_a_prompt_of_any_form_is_read_in_time(prompt: str) -> None:
    assert effort(lambda: examples(prompt, {})) < 25


@pytest.mark.slow
@pytest.mark.parametrize(
    "source",
    [
        "x = " + "+".join(["1"] * 1400), "x = " + "f(" * 80 + "1" + ")" * 80, "x" + ".a" * 2000,
        "a0 = 'x' * 100\n" + "".join(f"a{n + 1} = a{n} + a{n}\n" for n in range(200)) + "getattr(object, a60)\n",
        "".join(f"a{n} = (a{n + 1}, a{n + 1}, a{n + 1})\n" for n in range(200)) + "a200 = 1\nT = {a0: 1, a1: 2}\n",
        "x = x.a\nx = x.b(x)\ny = z\nz = y\n" * 50, "exec(" + "'a' 'b' " * 500 + ")", "x = 9 ** 9 ** 9\ny = 'a' * 10 ** 12\n",
        "import zlib\nexec(zlib.decompress(b'x\\x9c'))", "'%1000000000d' % 1\n'{:>1000000000}'.format(1)\n",
        "def f():\n    pass\n" * 300 + "f()\n", "", "# nothing", "\ufeffx = 1\r\n",
    ],
)  # fmt: skip
def test_hostile_source_costs_little(source: str) -> None:
    about = About(shown=(PromptExample(([3, 1, 2],), 2),) * 60)
    assert effort(lambda: integrity_analyzer.analyze(source.encode(), about)) < 10


# The grader


def box(found: object = None, cannot: str = "") -> FakeSandbox:
    """A box whose analyzer says the same of each file."""

    def answer(question: bytes) -> bytes:
        if not json.loads(question):
            return json.dumps({"tools": [TOOL]}).encode()
        return json.dumps({"integrity": {"cannot": cannot} if cannot else {"found": found}}).encode()

    return FakeSandbox(programs=lambda command: FakeProgram(answer=answer))


PLACE: dict[str, Any] = {"rule": "assay/leaves", "line": 3, "detail": "os._exit(0)", "mild": False}
NOTHING: dict[str, Any] = {"places": [], "left_out": 0, "own": []}


def flags(signals: list[Signal]) -> list[Finding]:
    return [signal for signal in signals if isinstance(signal, Finding)]


def graded(sandbox: FakeSandbox, files: dict[str, str], *, hidden: tuple[str, ...] = ()) -> list[Signal]:
    with sandbox.session() as session:
        context = context_of(files, session)
        suites = (Suite(id="hidden", kind="pytest", files=dict.fromkeys(hidden, "")),) if hidden else ()
        return list(Integrity().grade(replace(context, task=replace(context.task, suites=suites))))


def test_the_analyzer_in_the_box_is_the_one_the_grader_names() -> None:
    assert integrity_analyzer.TOOL == TOOL
    assert TOOL in Integrity.version


def test_a_flag_says_what_and_where_and_points_to_its_page() -> None:
    flag, read = graded(box({**NOTHING, "places": [PLACE]}), {"solution.py": "x"})
    assert isinstance(flag, Finding)
    assert (flag.rule, flag.path, flag.line, flag.flag) == ("assay/leaves", "solution.py", 3, True)
    assert flag.message == f"{RULES['assay/leaves'].says} Here: os._exit(0)"
    assert flag.more == "docs/reference/integrity.md#leaves"
    assert isinstance(read, Measurement)
    assert (read.name, read.value) == ("files-read", 1)


def test_what_is_mild_is_only_noticed() -> None:
    [flag] = flags(graded(box({**NOTHING, "places": [{**PLACE, "mild": True}]}), {"solution.py": "x"}))
    assert (flag.rule, flag.severity, flag.flag) == ("assay/leaves", Severity.LOW, True)


REFERENCE = {"solution.py": "# what the author does"}


@pytest.mark.parametrize(("rule", "severity"), [("assay/leaves", Severity.LOW), ("assay/traces", Severity.HIGH)])
def test_what_the_reference_does_as_well_is_only_noticed(rule: str, severity: Severity) -> None:
    """It is looked at in a box of its own, once for a task, and only where somebody would be accused."""
    looked: list[str] = []

    def program(command: object) -> FakeProgram:
        def answer(question: bytes) -> bytes:
            asked = json.loads(question)
            if not asked:
                return json.dumps({"tools": [TOOL]}).encode()
            looked.append(asked["source"])
            of_reference = asked["source"] == REFERENCE["solution.py"]
            places = [PLACE] if of_reference else [{**PLACE, "rule": rule}] * (asked["source"] != "# honest")
            return json.dumps({"integrity": {"found": {**NOTHING, "places": places}}}).encode()

        return FakeProgram(answer=answer)

    kept: dict[str, object] = {}

    def remember(key: str, make: Callable[[], object]) -> object:
        return kept[key] if key in kept else kept.setdefault(key, make())

    sandbox = FakeSandbox(programs=program)
    for source, also in (("# honest", []), ("# does it", [REFERENCE["solution.py"]]), ("# does it too", [])):
        looked.clear()
        with sandbox.session() as session:
            context = context_of({"solution.py": source}, session)
            context = replace(context, task=replace(context.task, reference=REFERENCE), remember=remember)
            found = flags(list(Integrity().grade(context)))
        assert looked == [source, *also]
        assert [flag.severity for flag in found] == [severity] * (source != "# honest")
    assert len(sandbox.commands) == 4, "never in the submission's box"


def test_many_flags_are_counted_and_the_worst_are_told() -> None:
    places = [{**PLACE, "rule": "assay/silences-analyzers", "line": n} for n in range(1, 50)] + [PLACE]
    signals = graded(box({**NOTHING, "places": places, "left_out": 7}), {"solution.py": "x"})
    told = flags(signals)
    assert len(told) == SHOWN
    assert told[0].severity is Severity.HIGH
    [left_out] = [
        signal.value for signal in signals if isinstance(signal, Measurement) and signal.name == "flags-left-out"
    ]
    assert left_out == 50 - SHOWN + 7


@pytest.mark.parametrize(
    "found",
    [
        None, [], {}, {**NOTHING, "places": {}}, {**NOTHING, "places": [{**PLACE, "rule": "assay/made-up"}]},
        {**NOTHING, "places": [{**PLACE, "line": -1}]}, {**NOTHING, "places": [{**PLACE, "detail": 1}]},
        {**NOTHING, "places": [{**PLACE, "mild": "no"}]}, {**NOTHING, "places": [{"rule": "assay/leaves", "line": 1, "detail": ""}]},
        {**NOTHING, "left_out": "1"}, {**NOTHING, "own": "x"},
    ],
)  # fmt: skip
def test_a_malformed_answer_is_an_abstention_that_no_criterion_has(found: object) -> None:
    signals = graded(box(found), {"solution.py": "x"})
    [abstention] = [signal for signal in signals if isinstance(signal, Abstention)]
    assert (abstention.path, abstention.criterion) == ("solution.py", "integrity")


@pytest.mark.parametrize(
    ("reason", "flagged"),
    [
        ("it does not compile: invalid syntax (line 1)", False),
        ("the analyzer used more than 5 s of CPU time", True),
        ("it declares the encoding utf-7; only UTF-8 is read", True),
    ],
)
def test_what_runs_and_cannot_be_read_is_flagged(reason: str, flagged: bool) -> None:
    signals = graded(box(cannot=reason), {"solution.py": "x"})
    assert [signal.rule for signal in signals if isinstance(signal, Finding)] == [UNREADABLE] * flagged
    assert [signal.criterion for signal in signals if isinstance(signal, Abstention)] == ["integrity"]


PLANTS = {
    "conftest.py": "", "a/conftest.py": "", "pytest.ini": "", "tox.ini": "[pytest]\naddopts = -x", "setup.cfg": "[tool:pytest]",
    "pyproject.toml": "x = 1\n[tool.pytest.ini_options]\n", "sitecustomize.py": "", "usercustomize.py": "", "x.pth": "import os",
    "evil-1.0.dist-info/entry_points.txt": "[pytest11]", "evil.egg-info/PKG-INFO": "", "__pycache__/a.cpython-311.pyc": "",
    "a.so": "", "bin/python3": "#!/bin/sh", ".bashrc": "",
}  # fmt: skip


@pytest.mark.parametrize("path", PLANTS)
def test_a_file_that_acts_without_being_asked_to_is_flagged(path: str) -> None:
    [flag] = flags(graded(box(NOTHING), {"solution.py": "x", path: PLANTS[path]}))
    assert (flag.rule, flag.path, flag.severity) == (PLANTED, path, Severity.HIGH)
    assert is_tampering(flag)


@pytest.mark.parametrize(
    ("path", "text", "severity"),
    [
        ("tests/conftest.py", "import pytest\n@pytest.fixture\ndef stack():\n    return []\n", Severity.LOW),
        ("pytest.ini", "[pytest]\ntestpaths = tests\naddopts = -q --tb=short\n", Severity.LOW),
        ("pyproject.toml", '[tool.pytest.ini_options]\naddopts = "-ra"\ntestpaths = ["tests"]\n\n[tool.x]\n', Severity.LOW),
        ("tests/conftest.py", "def pytest_runtest_makereport(item, call): pass\n", Severity.HIGH),
        ("conftest.py", "import pytest\n@pytest.fixture(autouse=True)\ndef patch(): pass\n", Severity.HIGH),
        ("conftest.py", "import builtins\n", Severity.HIGH),
        ("pytest.ini", "[pytest]\naddopts = -q --collect-only\n", Severity.HIGH),
        ("pytest.ini", "[pytest]\naddopts = -q\n  -p no:python\n", Severity.HIGH),
        ("setup.cfg", "[tool:pytest]\nconfcutdir = /tmp\n", Severity.HIGH),
        ("other/conftest.py", "", Severity.HIGH),
    ],
)  # fmt: skip
def test_what_configures_tests_of_the_authors_own_is_only_noticed(path: str, text: str, severity: Severity) -> None:
    files = {"solution.py": "x", "tests/test_stack.py": "def test_it(): assert True\n", path: text}
    assert [(flag.rule, flag.severity) for flag in flags(graded(box(NOTHING), files))] == [(PLANTED, severity)]


def test_files_that_the_reference_has_as_well_are_part_of_the_task() -> None:
    files = {"solution.py": "x", "pytest.ini": "[pytest]\n", "json.py": ""}
    with box(NOTHING).session() as session:
        context = context_of(files, session)
        context = replace(context, task=replace(context.task, reference=files))
        assert flags(list(Integrity().grade(context))) == []


def test_a_module_that_only_the_submission_would_import_is_only_noticed() -> None:
    [flag] = flags(graded(box(NOTHING), {"solution.py": "x", "statistics.py": ""}))
    assert (flag.rule, flag.severity) == (SHADOWS, Severity.LOW)


def test_only_flags_of_high_severity_are_tampering() -> None:
    high, low = (
        flags(graded(box({**NOTHING, "places": [{**PLACE, "mild": mild}]}), {"solution.py": "x"}))[0]
        for mild in (False, True)
    )
    assert is_tampering(high)
    assert not is_tampering(low)
    assert not is_tampering(replace(high, flag=False))
    assert not is_tampering(replace(high, rule="assay/turned-text"))


@pytest.mark.parametrize(
    "path", ["pytest.py", "json.py", "random/__init__.py", "numpy.py", "hypothesis/core.py", "graders/x.py"]
)
def test_a_module_in_the_place_of_another_is_flagged(path: str) -> None:
    signals = graded(box(NOTHING), {"solution.py": "x", path: ""})
    assert {(signal.rule, signal.path) for signal in signals if isinstance(signal, Finding)} == {(SHADOWS, path)}


def test_a_file_with_the_name_of_a_hidden_test_is_flagged() -> None:
    files = {"solution.py": "x", "test_a.py": "", "test_b.py": ""}
    signals = graded(box(NOTHING), files, hidden=("hidden/test_a.py",))
    assert {(signal.rule, signal.path) for signal in signals if isinstance(signal, Finding)} == {(SHADOWS, "test_a.py")}


def test_an_own_module_with_an_unlucky_name_is_not_flagged() -> None:
    files = {
        "solution.py": "x",
        "types.py": "",
        "test_solution.py": "",
        "setup.cfg": "[metadata]",
        "README.md": "",
        "data.txt": "",
    }
    signals = graded(box({**NOTHING, "own": ["types"]}), files)
    assert [signal for signal in signals if isinstance(signal, Finding)] == []


def test_what_makes_a_module_ones_own_is_what_the_library_lacks() -> None:
    about = About(own=frozenset(("types", "random", "json", "queue")))
    source = (
        "from types import Token\nimport random, json\nimport queue as q\nrandom.choice([1])\njson.dumps(1)\nq.Line()\n"
    )
    assert integrity_analyzer.analyze(source.encode(), about)["own"] == ["queue", "types"]


def test_without_python_the_names_are_still_looked_at() -> None:
    signals = graded(box(NOTHING), {"pytest.ini": "", "main.c": "int main;"})
    assert [type(signal) for signal in signals] == [Abstention, Finding]


def test_the_box_is_told_what_the_author_was_shown_and_nothing_hidden() -> None:
    asked: list[dict[str, Any]] = []

    def answer(question: bytes) -> bytes:
        asked.append(json.loads(question))
        return json.dumps({"integrity": {"found": NOTHING}} if asked[-1] else {"tools": [TOOL]}).encode()

    sandbox = FakeSandbox(programs=lambda command: FakeProgram(answer=answer))
    with sandbox.session() as session:
        context = context_of({"solution.py": "x", "parts/a.py": "y"}, session)
        suite = Suite(id="hidden", kind="stdio", files={"hidden/1.in": "SECRET", "hidden/1.ans": "SECRET"})
        task = replace(context.task, prompt="Say it.\ud800", visible={"visible/1.in": "a"}, suites=(suite,))
        list(Integrity().grade(replace(context, task=task)))
    known = {
        "prompt": "Say it.?",
        "visible": {"visible/1.in": "a"},
        "modules": ["parts", "solution"],
        "is_program": True,
    }
    assert asked == [{}, {"source": "y", "task": known}, {"source": "x", "task": known}]
