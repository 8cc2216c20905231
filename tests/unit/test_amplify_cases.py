"""Proposed cases: their choice, their text, and their place in the package (service.authoring.amplify.cases)."""

import json
import math
from dataclasses import replace

import pytest

from graders.suites.call.cases import parse_cases
from graders.suites.call.runner import Answer
from graders.suites.values.description import described
from graders.tasks import package
from graders.tasks.package import PackageError
from service.authoring.amplify.cases import Candidate, accept, candidate_case, choose, new_suite
from service.authoring.inputs.domain import Call
from service.authoring.inputs.known_calls import in_program, in_text

REFERENCE = "def add(a, b):\n    return a + b\n"
CALL_SUITE = '[[suite]]\nid = "hidden"\nkind = "call"\nfiles = ["hidden/*"]\nentry_point = "add"\n'
PYTEST_SUITE = '[[suite]]\nid = "tests"\nkind = "pytest"\nfiles = ["hidden/*"]\n'
TOML = 'id = "add"\nreference = "submissions/accepted/reference.py"\n\n'


def files(suite: str, **hidden: str) -> dict[str, str]:
    return {
        "task.toml": TOML + suite,
        "prompt.md": "Add.",
        "submissions/accepted/reference.py": REFERENCE,
        **{f"hidden/{name.replace('__', '.')}": text for name, text in hidden.items()},
    }


@pytest.mark.parametrize(
    ("call", "value", "plain"),
    [
        (Call(([1, "a"],), {"key": None}), {"x": (1.5, True)}, True),
        (Call((math.nan,)), -math.inf, True),
        (Call((set(),)), {1}, True),
        (Call((frozenset({1}),)), b"x", False),
        (Call(("\u2028é\ud800",)), "", True),
        (Call(({1, 2},)), range(3), False),
    ],
)
def test_a_line_says_the_same_call_and_answer(call: Call, value: object, *, plain: bool) -> None:
    written = candidate_case(call, Answer("value", value=described(value)), "f")
    assert written is not None
    case, line = written
    assert ("call" in json.loads(line)) is plain
    assert "\n" not in line
    [read] = parse_cases(line, name="x", entry_point="f")
    assert repr((read.args, read.kwargs, read.expected)) == repr((call.args, dict(call.kwargs), value))
    assert read.id == case.id


def test_an_exception_is_an_answer() -> None:
    written = candidate_case(Call(("",)), Answer("raised", raised=("ValueError", "Exception")), "f")
    assert written is not None
    assert written[0].raises == "ValueError"


def test_what_cannot_be_written_is_no_case() -> None:
    assert candidate_case(Call((object(),)), Answer("value", value=described(1)), "f") is None


def candidate(number: int, *fails: str) -> Candidate:
    written = candidate_case(Call((number,)), Answer("value", value=described(1)), "f")
    assert written is not None
    return Candidate(case=written[0], line=written[1], fails=frozenset(fails))


def test_survivors_come_first_each_noticed_twice_then_one_of_each_sort() -> None:
    alike = [candidate(number) for number in (100, 102, 104)]
    both, one, other, third = candidate(1, "m", "n"), candidate(2, "m"), candidate(3, "n"), candidate(5, "m")
    chosen = choose([*alike, one, other, third, both], frozenset({"m", "n"}), most=6)
    assert chosen[0] == both
    assert {each.case.id for each in chosen[1:3]} in ({one.case.id, other.case.id}, {third.case.id, other.case.id})
    assert len(chosen) == 6
    assert chosen[3] == alike[0]
    assert choose([*alike, both], frozenset({"m"}), most=1) == [both]


def test_few_of_them_are_large_but_for_survivors() -> None:
    large = [replace(candidate(number), large=True) for number in range(1, 80)]
    small = [candidate(number) for number in range(100, 120)]
    needed = replace(candidate(90, "m"), large=True)
    chosen = choose([*large, *small, needed], frozenset({"m"}), most=20)
    assert sum(each.large for each in chosen) == 2
    assert needed in chosen


def test_accepted_cases_go_to_the_end_of_the_call_suite() -> None:
    before = files(CALL_SUITE, cases__jsonl='{"call": "add(1, 2)"}')
    line = '{"id": "new", "call": "add(3, 4)", "returns": "7"}'
    changed = accept(before, package.load(before).suites[0], [line])
    assert changed == {"hidden/cases.jsonl": f'{{"call": "add(1, 2)"}}\n{line}\n'}
    with pytest.raises(PackageError, match="no other case"):
        accept({**before, **changed}, package.load(before).suites[0], [line])


@pytest.mark.parametrize(
    ("pattern", "place"), [("hidden/*", "amplified/cases.jsonl"), ("hidden/*.py", "hidden/amplified.jsonl")]
)
def test_a_task_without_a_call_suite_gets_one_with_a_file_that_is_not_the_tests(pattern: str, place: str) -> None:
    before = files(PYTEST_SUITE.replace("hidden/*", pattern), test_add__py="def test_it():\n    pass\n")
    changed = accept(before, new_suite("add", floats=True), ['{"call": "add(1, 2)", "returns": "3"}'])
    assert set(changed) == {place, "task.toml"}
    tests, new = package.load({**before, **changed}).suites
    assert (new.id, new.kind, new.options["checker"], set(new.files)) == ("amplified", "call", "float", {place})
    assert set(tests.files) == {"hidden/test_add.py"}


def test_a_line_that_is_no_case_is_refused() -> None:
    before = files(CALL_SUITE, cases__jsonl='{"call": "add(1, 2)"}')
    with pytest.raises(PackageError, match=r"hidden/cases\.jsonl:2"):
        accept(before, package.load(before).suites[0], ['{"call": "add(3, four)"}'])


def test_known_calls_in_a_prompt() -> None:
    prompt = '''def add(a, b):
    """Adds.
    >>> add(1, (2))
    3
    add("a)", b=[1]) == ..., and read(5), add(x), my.add(7), add() and add(
    """'''
    assert in_text(prompt, "add") == [Call((1, 2)), Call(("a)",), {"b": [1]})]


def test_known_calls_in_tests() -> None:
    tests = "import solution\ndef check(candidate):\n    assert candidate([1]) == 2\n    solution.f(-1, k=(2,))\n    g(3); f(x); f(*[1])\n"
    assert in_program(tests, "f") == [Call(([1],)), Call((-1,), {"k": (2,)})]
    assert in_program("def f(:", "f") == []
