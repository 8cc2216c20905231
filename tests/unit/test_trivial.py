"""Answers that do nothing of what is asked."""

import io
import sys
from typing import Any

import pytest

from service.authoring.trivial import ANSWERS, trivial_functions, trivial_programs

PROGRAM = """
class Box:
    def __init__(self, x):
        self.x = x

    def times(self, n, more=1):
        return self.x * n * more

def double(x):
    return 2 * x

def nothing():
    return 3
"""


def answers(program: str) -> tuple[object, object, object]:
    names: dict[str, object] = {}
    exec(program, names)
    return names["double"](21), names["Box"](4).times(5), names["nothing"]()  # type: ignore[operator]


@pytest.mark.parametrize("answer", ANSWERS)
def test_all_functions_and_methods_answer_the_same(answer: str) -> None:
    value = eval(answer)
    assert answers(trivial_functions(PROGRAM)[f"`return {answer}`"]) == (value, value, value)


def test_the_first_argument_is_not_the_object() -> None:
    assert answers(trivial_functions(PROGRAM)["returning the first argument"]) == (21, 5, None)


def test_what_the_program_does_anyway_is_no_trivial_answer() -> None:
    assert "`return 0`" not in trivial_functions("def f():\n    return 0\n")
    assert trivial_functions("print(1)\n") == {}


@pytest.mark.parametrize(
    ("does", "printed"),
    [
        ("printing nothing", ""),
        ("printing its input", "a\nb\n"),
        ("printing the first line of its input", "a\n"),
        ("printing YES", "YES\n"),
    ],
)
def test_programs_print_what_they_say(
    does: str, printed: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("a\nb\n"))
    exec(trivial_programs()[does], {})
    assert capsys.readouterr().out == printed


def test_all_objects_of_a_class_are_equal_and_do_nothing() -> None:
    names: dict[str, Any] = {}
    exec(trivial_functions(PROGRAM + EQUAL_BY_X)["returning objects that are all equal"], names)
    assert names["Box"](4) == names["Box"](5)
    assert names["Point"](4) == names["Point"](5)
    assert len({names["Point"](4), names["Point"](5)}) == 1
    assert names["double"](1) == names["double"](2) == 17
    assert names["Box"](4).x == 4  # objects can be made


EQUAL_BY_X = """
class Point:
    def __init__(self, x):
        self.x = x

    def __eq__(self, other):
        return self.x == other.x

    def __hash__(self):
        return hash(self.x)
"""
