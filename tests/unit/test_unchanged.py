"""Properties that look whether their argument was changed: those in which that can be seen simply, and no others."""

import pytest

from graders.suites.tests.unchanged import vacuous

HEAD = "from copy import deepcopy\nfrom hypothesis import given, strategies as st\nimport hypothesis\nimport solution\nfrom solution import f\n"


def seen(body: str, decorator: str = "@given(st.lists(st.integers()))", name: str = "xs") -> list[tuple[str, str]]:
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return list(vacuous({"hidden/test_it.py": f"{HEAD}{decorator}\ndef test_it({name}):\n{lines}"}, "solution"))


@pytest.mark.parametrize(
    "body",
    [
        "before = list(xs)\nf(xs)\nassert xs == before",
        "before = xs[:]\nout = f(xs)\nassert before == xs, 'changed'",
        "before = xs.copy()\nsolution.f(values=xs)\nassert xs == before",
        "before = deepcopy(xs)\nassert len(f(xs)) == len(xs) and xs == before",
        "mine = list(xs)\nf(mine)\nassert mine == xs",
        "for _ in range(2):\n    before = tuple(xs)\n    f(xs)\n    assert xs == before",
    ],
)
def test_a_property_that_looks_at_its_argument_is_seen(body: str) -> None:
    assert seen(body) == [("test_it", "xs")]
    assert seen(body, "@hypothesis.given(xs=st.lists(st.integers()))") == [("test_it", "xs")]


@pytest.mark.parametrize(
    "body",
    [
        "assert f(xs) == sorted(xs)",
        "before = list(xs)\nassert xs == before\nf(xs)",  # nothing was called before
        "before = list(xs)\nlen(xs)\nassert xs == before",  # not of the submission
        "before = sorted(xs)\nf(xs)\nassert xs == before",  # it is to sort
        "before = list(xs)\nxs = f(xs)\nassert xs == before",  # what it gives, under the name of what it got
        "before = list(xs)\nbefore = f(xs)\nassert xs == before",
        "before = list(xs)\nout = f(xs)\nassert out == before",
        "before = list(xs)\nf(xs)\nassert xs != before",  # it is to change it
    ],
)
def test_what_looks_like_it_is_not(body: str) -> None:
    assert seen(body) == []


def test_a_test_that_is_no_property_has_the_values_that_it_made() -> None:
    assert seen("before = list(xs)\nf(xs)\nassert xs == before", "@pytest.mark.parametrize('xs', [[1]])") == []


def test_a_file_that_is_no_python_is_told_elsewhere() -> None:
    assert list(vacuous({"hidden/test_it.py": "def", "hidden/cases.json": "{}"}, "solution")) == []
