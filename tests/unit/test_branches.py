"""Ways through a program: which there are, what they are called, and that the program made for one ends there and only there."""

import ast
import subprocess
import sys

import pytest

from service.authoring.mutation.branches import branches

PROGRAM = '''
from __future__ import annotations

def sign(n):
    """Of a number."""
    if n < 0:
        return -1
    elif n > 0:
        return 1
    return 0

def first(xs):
    for x in xs:
        if x:
            break
    else:
        x = None
    return "some" if x else "none"

def number(text):
    try:
        return int(text)
    except ValueError:
        return None

def kind(x):
    match x:
        case [_]:
            return 1
        case int():
            return 2
    return 3

def down(n):
    while n:
        n -= 1
    while True:
        return n

if __name__ == "__main__":
    sign(3)
'''
WAYS = {
    "`sign` is never called": "sign(0)",
    "`if n < 0` is never true": "sign(-1)",
    "`if n < 0` is never false": "sign(2)",
    "`if n > 0` is never true": "sign(2)",
    "`if n > 0` is never false": "sign(0)",
    "`first` is never called": "first([1])",
    "`for x in xs` never has an element": "first([0])",
    "`for x in xs` never comes to its end": "first([])",
    "`if x` is never true": "first([1])",
    "`if x` is never false": "first([0])",
    "the condition of `'some' if x else 'none'` is never true": "first([1])",
    "the condition of `'some' if x else 'none'` is never false": "first([0])",
    "`number` is never called": "number('1')",
    "`except ValueError` never catches anything": "number('x')",
    "`kind` is never called": "kind(None)",
    "`case [_]` never matches": "kind([1])",
    "`case int()` never matches": "kind(1)",
    "`down` is never called": "down(0)",
    "`while n` is never true": "down(1)",
    "`while n` is never false": "down(0)",
    "`while True` is never true": "down(0)",
}
ELSEWHERE = {
    "`if n < 0` is never true": "sign(0)",
    "`if n < 0` is never false": "sign(-1)",
    "`for x in xs` never has an element": "first([])",
    "`for x in xs` never comes to its end": "first([1])",
    "the condition of `'some' if x else 'none'` is never true": "first([])",
    "`except ValueError` never catches anything": "number('1')",
    "`case int()` never matches": "kind([1])",
    "`while n` is never true": "down(0)",
}


def ends(source: str, call: str) -> bool:
    done = subprocess.run([sys.executable, "-c", f"{source}\n{call}"], check=False, capture_output=True)
    assert done.returncode in (0, -6), done.stderr.decode()
    return done.returncode != 0


def test_every_way_has_a_name() -> None:
    found = branches(PROGRAM)
    assert {branch.never for branch in found} == WAYS.keys()
    assert len(found) == len(WAYS)
    assert [branch.line for branch in found] == sorted(branch.line for branch in found)


@pytest.mark.parametrize("never", WAYS)
def test_the_program_ends_itself_where_it_goes_that_way(never: str) -> None:
    [branch] = [branch for branch in branches(PROGRAM.partition("\nif __name__")[0]) if branch.never == never]
    assert ends(branch.source, WAYS[never])
    if never in ELSEWHERE:
        assert not ends(branch.source, ELSEWHERE[never])


def test_the_program_is_left_as_it_was() -> None:
    last = branches(PROGRAM)[-1].source
    assert last.count("abort()") == 1
    assert ast.unparse(ast.parse(last.replace("__import__('os').abort()", "pass"))).count("pass") == 1


def test_no_program_is_told() -> None:
    with pytest.raises(SyntaxError):
        branches("def f(:")
