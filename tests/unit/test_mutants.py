"""Mutants: each has one slip in one place, and its byte code differs from the source's."""

import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.authoring.amplify.report import shown_survivor
from service.authoring.mutation import operators
from service.authoring.mutation.mutants import Mutant, mutants
from service.authoring.mutation.operators import Operator

SLIPS: dict[Operator, tuple[str, str, str]] = {
    # operator: (source, a line that it makes of it, source that it leaves as it is)
    operators.boundary: ("def f(a, b):\n    return a < b\n", "return a <= b", "def f(a, b):\n    return a == b\n"),
    operators.comparison: ("def f(a, b):\n    return a not in b\n", "return a in b", "def f(a, b):\n    return a + b\n"),
    operators.arithmetic: ("def f(a, b):\n    a += b\n    return a\n", "a -= b", 'def f(a):\n    return a + "x"\n'),
    operators.unary: ("def f(a):\n    return not a\n", "return a", "def f(a):\n    return +a\n"),
    operators.boolean: ("def f(a, b):\n    return a and b\n", "return a or b", "def f(a, b):\n    return a & b\n"),
    operators.condition: ("def f(a):\n    if a:\n        g()\n", "if not a:", "def f(a):\n    assert a\n"),
    operators.constant: ("def f(a):\n    return a * 7\n", "return a * 8", "def f(a):\n    return None\n"),
    operators.slices: ("def f(a, n):\n    return a[n:]\n", "return a[n + 1:]", "def f(a, n):\n    return a[n]\n"),
    operators.off_by_one: ("def f(n):\n    return [*range(n)]\n", "return [*range(n + 1)]", "def f(n):\n    return g(n)\n"),
    operators.returned: ("def f(a):\n    return a\n", "return None", "def f(a):\n    return None\n"),
    operators.removed: ("def f(a):\n    a.sort()\n", "pass", "def f(a):\n    b = g(a)\n    return b\n"),
    operators.raised: ("def f(a):\n    raise ValueError(a)\n", "raise Exception()", "def f(a):\n    raise\n"),
    operators.handled: ("try:\n    f()\nexcept KeyError:\n    g()\n", "raise", "try:\n    f()\nexcept KeyError:\n    raise\n"),
    operators.jump: ("for a in f():\n    break\n", "continue", "for a in f():\n    pass\n"),
    operators.swapped: ("def f(a, b):\n    return pow(a, b)\n", "return pow(b, a)", "def f(a, b):\n    return max(a, b)\n"),
    operators.confused: ("def f(a):\n    return g(a.strip())\n", "return g(a.rstrip())", "def f(a):\n    return a.split(',')\n"),
    operators.keyword: ("def f(a):\n    return g(a, key=a)\n", "return g(a)", "def f(a):\n    return g(**a)\n"),
    operators.iterated: ("def f(a):\n    return [b for b in a]\n", "return [b for b in list(a)[:-1]]", "def f():\n    return [b for b in g()]\n"),
}  # fmt: skip


def added(mutant: Mutant) -> list[str]:
    return [
        line[1:].strip() for line in mutant.diff.splitlines() if line.startswith("+") and not line.startswith("+++")
    ]


def made(source: str, operator: Operator, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setattr("service.authoring.mutation.mutants.OPERATORS", (operator,))
    return [line for mutant in mutants(source, most=100) for line in added(mutant)]


@pytest.mark.parametrize("operator", operators.OPERATORS, ids=lambda operator: operator.__name__)
def test_a_slip_of_each_kind(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    source, line, untouched = SLIPS[operator]
    assert line in made(source, operator, monkeypatch)
    assert made(untouched, operator, monkeypatch) == []


MISSING: dict[Operator, tuple[str, ...]] = {
    # What is printed below each survivor of the sources in SLIPS, after "a case is missing".
    operators.boundary: ("in which `a` equals `b`",),
    operators.comparison: ("whose answer depends on `a not in b`",),
    operators.arithmetic: ("in which `a += b` and `a -= b` lead to different answers",),
    operators.unary: ("in which `not a` and `a` lead to different answers",),
    operators.boolean: (
        "in which some but not all of `a`, `b` hold",
        "in which `a` fails and nothing else in `a and b` does",
        "in which `b` fails and nothing else in `a and b` does",
    ),
    operators.condition: (
        "whose answer depends on `a`",
        "whose answer depends on `a` being false",
        "whose answer depends on `a` being true",
    ),
    operators.constant: ("whose answer depends on the exact value `7`",),
    operators.slices: ("whose answer depends on where the slice `n:` begins and ends",),
    operators.off_by_one: ("whose answer depends on where `range(n)` begins and ends",),
    operators.returned: ("that reaches `return a`",),
    operators.removed: ("whose answer depends on `a.sort()`",),
    operators.raised: ("that must raise `ValueError`",),
    operators.handled: ("in which `KeyError` is raised and caught",),
    operators.jump: ("in which the loop could go on after `break`",),
    operators.swapped: ("in which `pow(a, b)` and `pow(b, a)` differ",),
    operators.confused: ("in which `strip` and `rstrip` differ",),
    operators.keyword: ("whose answer depends on `key=` in `g(a, key=a)`",),
    operators.iterated: ("whose answer depends on the last item of `a`",),
}


@pytest.mark.parametrize("operator", operators.OPERATORS, ids=lambda operator: operator.__name__)
def test_the_sentence_below_a_survivor_of_each_kind(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.authoring.mutation.mutants.OPERATORS", (operator,))
    made = mutants(SLIPS[operator][0], most=100)
    printed = {shown_survivor(number, mutant)[-1] for number, mutant in enumerate(made)}
    missing = "    either this behaves like the reference, or a case is missing"
    assert printed == {f"{missing} {phrase}" for phrase in MISSING[operator]}


FURTHER = [
    (operators.confused, "def f(a):\n    return sorted(a)\n", "return list(a)"),
    (operators.confused, "def f(a):\n    return min(a)\n", "return max(a)"),
    (operators.confused, "def f(a):\n    return abs(a)\n", "return a"),
    (operators.confused, "def f(a):\n    return a.split(',', 1)\n", "return a.rsplit(',', 1)"),
    (operators.boolean, "def f(a, b):\n    return a and b\n", "return b"),
    (operators.condition, "def f(a):\n    if a > 1:\n        g()\n", "if True:"),
    (operators.removed, "def f(a):\n    a = g(a)\n    return a\n", "pass"),
    (operators.jump, "for a in f():\n    continue\n", "break"),
    (operators.returned, "def f(a):\n    yield a\n", "(yield None)"),
    (operators.constant, "def f(a):\n    return True\n", "return False"),
    (operators.iterated, "def f(a):\n    for b in a:\n        g(b)\n", "for b in list(a)[:-1]:"),
]


@pytest.mark.parametrize(("operator", "source", "line"), FURTHER)
def test_further_slips(operator: Operator, source: str, line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert line in made(source, operator, monkeypatch)


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


@settings(deadline=None)  # sixty compilations and syntax trees: on a busy machine they take as long as they take
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
