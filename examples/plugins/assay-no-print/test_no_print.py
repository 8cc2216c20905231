from no_print import NoPrint

from graders.plugins.testing import check, context_of


def test_the_examples_hold() -> None:
    check(NoPrint())


def test_some_prints_may_be_allowed() -> None:
    context = context_of({"solution.py": "print(1)\nprint(2)\nprint(3)\n"})
    assert [found.line for found in NoPrint(allowed=2).grade(context)] == [3]
