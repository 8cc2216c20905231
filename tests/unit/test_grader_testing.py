"""`check`: a grader that does what its examples say passes, and each way of not doing so is told apart."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from graders.interface import (
    Abstain,
    Abstention,
    Command,
    Context,
    Example,
    Finding,
    Grader,
    Measurement,
    Signal,
    UntrustedText,
)
from graders.plugins.testing import check, context_of


@dataclass(frozen=True)
class NoEval(Grader):
    """Calls of eval, counted from the syntax tree."""

    id, version, criterion = "acme/no-eval", "1", "security"
    examples = (
        Example("x = 1"),
        Example("eval('1')", reports=(Finding,)),
        Example("def", reports=(Abstention,)),
    )

    def grade(self, context: Context) -> Iterator[Signal]:
        for path, tree in context.parsed(".py"):
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "eval":
                    yield self.finding("calls eval", at=(path, node.lineno))


def test_a_grader_that_keeps_its_examples_passes() -> None:
    check(NoEval())


def variant(**attributes: object) -> Grader:
    """NoEval with some of its parts replaced."""
    kind: Any = type("Variant", (NoEval,), {"__doc__": "A variant of NoEval.", **attributes})
    grader: Grader = dataclass(frozen=True)(kind)()
    return grader


@pytest.mark.parametrize(
    ("example", "message"),
    [
        (Example("eval('1')"), "should report nothing, but reported Finding"),
        (Example("x = 1", reports=(Finding,)), "should report Finding, but reported nothing"),
        (Example("def", reports=(Finding,)), "should report Finding, but reported Abstention"),
        (Example("eval('1')", reports=(Finding, Measurement)), "Finding, Measurement, but reported Finding"),
    ],
)
def test_an_example_that_is_not_kept_is_shown_with_what_was_reported(example: Example, message: str) -> None:
    with pytest.raises(AssertionError) as raised:
        check(variant(examples=(Example("x = 1"), example)))
    assert message in str(raised.value)
    assert "example 2" in str(raised.value)
    assert example.code in str(raised.value)


def test_what_was_reported_before_abstaining_counts() -> None:
    def grade(self: Grader, context: Context) -> Iterator[Signal]:
        yield self.finding("seen")
        raise Abstain("and then it could not go on")

    check(variant(grade=grade, examples=(Example("x", reports=(Finding, Abstention)),)))


def test_a_crash_is_shown_with_its_traceback() -> None:
    def grade(self: Grader, context: Context) -> Iterator[Signal]:
        yield self.finding(str(1 // 0))

    with pytest.raises(AssertionError, match=r"(?s)crashed.*ZeroDivisionError"):
        check(variant(grade=grade))


def test_the_rules_of_registration_are_checked_too() -> None:
    with pytest.raises(AssertionError, match="refused at registration: it has no examples"):
        check(variant(examples=()))


def test_an_instance_of_no_grader_is_refused() -> None:
    with pytest.raises(AssertionError, match=r"graders\.interface\.Grader"):
        check("acme/no-eval")  # type: ignore[arg-type]


HONEST = NoEval().finding("x")


@pytest.mark.parametrize(
    ("signal", "message"),
    [
        ("a text", "no signal"),
        (replace(HONEST, grader="acme/another"), "in the name of 'acme/another'"),
        (replace(HONEST, message=UntrustedText(b"bytes")), "cannot be stored"),  # type: ignore[arg-type]
        (replace(HONEST, line=(1, 2)), "cannot be stored"),  # type: ignore[arg-type]
    ],
)
def test_signals_that_the_service_could_not_store_fail(signal: object, message: str) -> None:
    def grade(self: Grader, context: Context) -> Iterator[object]:
        yield signal

    with pytest.raises(AssertionError, match=message):
        check(variant(grade=grade, examples=(Example("x", reports=(Finding,)),)))


def test_a_grader_that_needs_a_box_is_told_how_to_give_one() -> None:
    def grade(self: Grader, context: Context) -> Iterator[Signal]:
        context.session.run(Command(argv=("python3",)))
        yield self.finding("x")

    with pytest.raises(AssertionError, match=r"check\(grader, session=\.\.\.\)"):
        check(variant(grade=grade))


def test_options_are_tried_on_a_context_of_ones_own() -> None:
    [signal] = NoEval().grade(context_of({"a.py": "x = 1", "b.py": "eval('1')", "c.txt": "eval('1')"}))
    assert isinstance(signal, Finding)
    assert (signal.path, signal.line) == ("b.py", 1)
