"""Mutants: each is one slip, in one place, and does something else than the source as far as byte code tells."""

import ast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.mutants import Mutant, mutants

SLIPS = [
    ("boundary", "def f(a, b):\n    return a < b\n", "return a <= b"),
    ("comparison", "def f(a, b):\n    return a == b\n", "return a != b"),
    ("arithmetic", "def f(a, b):\n    return a + b\n", "return a - b"),
    ("boolean", "def f(a, b):\n    return a and b\n", "return a or b"),
    ("unary", "def f(a):\n    return not a\n", "return a"),
    ("condition", "def f(a):\n    if a:\n        return 1\n    return 2\n", "if not a:"),
    ("constant", "def f(a):\n    return a * 7\n", "return a * 8"),
    ("slice", "def f(a):\n    return a[1:]\n", "return a[:]"),
    ("off-by-one", "def f(n):\n    return sum(range(n))\n", "return sum(range(n + 1))"),
    ("return value", "def f(a):\n    return a\n", "return None"),
    ("removed statement", "def f(a):\n    a.sort()\n    return a\n", "pass"),
    ("exception", "def f(a):\n    raise ValueError(a)\n", "raise Exception()"),
    ("swapped arguments", "def f(a, b):\n    return pow(a, b)\n", "return pow(b, a)"),
]


def added(mutant: Mutant) -> list[str]:
    return [
        line[1:].strip() for line in mutant.diff.splitlines() if line.startswith("+") and not line.startswith("+++")
    ]


@pytest.mark.parametrize(("operator", "source", "line"), SLIPS, ids=[slip[0] for slip in SLIPS])
def test_a_slip_of_each_kind(operator: str, source: str, line: str) -> None:
    found = {(mutant.operator, line) for mutant in mutants(source, most=100) for line in added(mutant)}
    assert (operator, line) in found


@pytest.mark.parametrize(
    "source",
    [
        '"""Only a docstring."""\n',
        "def f():\n    pass\n",
        "def f(a: int) -> list[int]:\n    pass\n",
        'if __name__ == "__main__":\n    print(1 + 1)\n',
    ],
)
def test_what_decides_nothing_has_no_mutant(source: str) -> None:
    assert mutants(source, most=100) == []


def test_functions_that_the_entry_point_cannot_come_to_are_left_as_they_are() -> None:
    source = "def help(a):\n    return a + 1\n\ndef f(a):\n    return help(a)\n\ndef other(a):\n    return a - 1\n"
    assert {mutant.line for mutant in mutants(source, most=100, entry_point="f")} == {2, 5}
    assert {mutant.line for mutant in mutants(source, most=100)} == {2, 5, 8}


def test_where_only_some_are_wanted_they_are_from_the_whole_text() -> None:
    source = "".join(f"def f{n}(a):\n    return a + {n + 2}\n" for n in range(40))
    lines = [mutant.line for mutant in mutants(source, most=8)]
    assert len(lines) == 8
    assert lines == sorted(lines)
    assert all(any(low < line <= low + 20 for line in lines) for low in range(0, 80, 20))


def test_comments_and_the_form_of_other_lines_stay() -> None:
    source = "def f( a,b ):   # a comment\n    return (a  <  b)  # here too\n"
    [boundary] = [mutant for mutant in mutants(source, most=100) if mutant.operator == "boundary"]
    assert boundary.source == "def f( a,b ):   # a comment\n    return (a  <=  b)  # here too\n"


def test_what_is_no_program_is_refused() -> None:
    with pytest.raises(SyntaxError):
        mutants("def f(:", most=1)


PIECES = [
    "a + b",
    "a < b and not b",
    "[x for x in a if x > 1]",
    "a[1:-1]",
    "f(b, a)",
    "{1: 'é'}[a]",
    "-a ** 2",
    "f'{a!r:>{b}}'",
]


@given(
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=4),
    st.sampled_from(["\n", "\r\n"]),
    st.integers(1, 60),
)
def test_each_mutant_is_another_program_that_differs_in_one_place(pieces: list[str], end: str, most: int) -> None:
    source = (
        "def f(a, b):"
        + end
        + "".join(f"    t{n} = {piece}{end}" for n, piece in enumerate(pieces))
        + "    return a"
        + end
    )
    found = mutants(source, most=most)
    assert found == mutants(source, most=most)
    assert len({mutant.source for mutant in found}) == len(found) <= most
    for mutant in found:
        assert ast.dump(ast.parse(mutant.source)) != ast.dump(ast.parse(source))
        assert sum(line.startswith("@@") for line in mutant.diff.splitlines()) == 1
        changed = [old != new for old, new in zip(source.splitlines(), mutant.source.splitlines(), strict=True)]
        assert changed.count(True) == 1
        assert changed[mutant.line - 1]
