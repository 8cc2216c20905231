"""A task's prelude in real boxes: its names and settings are there in each kind of suite, and no line of a submission moves."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from graders.builtin.hidden_tests import HiddenTests
from graders.interface import CaseOutcome, Limits, Outcome, Session, Suite
from graders.plugins.testing import context_of
from service.importers.formats import preludes

P, F = Outcome.PASSED, Outcome.FAILED
PRELUDE = '"""Names."""\nimport sys\nfrom math import *\n\nunit = 7\npow = 5\nsys.setrecursionlimit(4321)\n'
TESTS = {"hidden/test_f.py": "from solution import f\n\n\ndef test_f():\n    assert f(3) == 21\n"}
CHECK = {"hidden/judge.py": "def check(candidate):\n    assert candidate(3) == 21\n"}
SUITES = {
    "call": Suite(
        id="s", kind="call", files={"hidden/c.jsonl": json.dumps({"call": "f(3)", "returns": "21"})}, options={"entry_point": "f"}
    ),
    "stdio": Suite(id="s", kind="stdio", files={"hidden/1.in": "3\n", "hidden/1.ans": "21\n"}),
    "interactive": Suite(
        id="s", kind="stdio",
        files={"hidden/1.in": "3\n", "hidden/talk.py": "import sys\nprint(3)\nsys.exit(input() != '21')\n"},
        options={"interactor_file": "hidden/talk.py"},
    ),
    "pytest": Suite(id="s", kind="pytest", files=TESTS),
    "shared": Suite(id="s", kind="pytest", files=TESTS, options={"isolation": "shared"}),
    "program": Suite(id="s", kind="program", files=CHECK, options={"entry_point": "f"}),
}  # fmt: skip
PRINTS = "\nif __name__ == '__main__':\n    print(f(int(input())))\n"
RIGHT = {"solution.py": f"def f(n):\n    return 7 * n\n{PRINTS}"}


def graded(
    session: Session, suite: Suite, code: str, prelude: str = PRELUDE, more: Mapping[str, str] | None = None
) -> list[CaseOutcome]:
    context = context_of({"solution.py": code + PRINTS, **(more or {})}, session)
    task = replace(context.task, suites=(suite,), limits=Limits(), reference=RIGHT, prelude=prelude)
    return [case for case in HiddenTests().grade(replace(context, task=task)) if isinstance(case, CaseOutcome)]


@pytest.mark.parametrize("kind", SUITES)
def test_what_it_defines_and_sets_is_there_in_the_entry_module(session: Session, kind: str) -> None:
    code = "def f(n):\n    assert sys.getrecursionlimit() == 4321\n    return floor(sqrt(n * n)) * unit"
    assert [case.outcome for case in graded(session, SUITES[kind], code)] == [P]
    assert [case.outcome for case in graded(session, SUITES[kind], code, prelude="")] == [F]


@pytest.mark.parametrize("kind", SUITES)
@pytest.mark.parametrize(
    ("code", "more"),
    [
        ('"""Doc."""\nfrom __future__ import annotations\nunit: Missing = 3\ndef f(n):\n    return 7 * n if unit == 3 else 0', {}),
        ("import helper\ndef f(n): return helper.f(n)", {"helper.py": "def f(n): return 7 * n if 'unit' not in globals() else 0"}),
        ("import queue\ndef f(n): return queue.f(n)", {"queue.py": "def f(n): return 7 * n", "prelude.py": "1 / 0"}),
    ],
    ids=["its own name, and the future", "another module has none", "files of the same names"],
)  # fmt: skip
def test_a_submission_is_as_it_would_be_without(session: Session, kind: str, code: str, more: dict[str, str]) -> None:
    assert [case.outcome for case in graded(session, SUITES[kind], code, more=more)] == [P]


def test_no_line_of_the_submission_moves(session: Session) -> None:
    code = "import traceback\ndef f(n):\n    try:\n        1 / 0\n    except ZeroDivisionError as error:\n        return error.__traceback__.tb_lineno"
    for kind in ("call", "stdio"):
        [case] = graded(session, SUITES[kind], code)
        assert case.got.strip() == "4"


DEEP = """
import sys
from functools import cache, lru_cache
@lru_cache(maxsize=None)
def d(n): return 0 if n == 0 else 1 + d(n - 1)
@cache
def e(n, *, k=1): return 0 if n == 0 else k + e(n - 1, k=k)
@lru_cache
def g(n): return n
class A:
    @functools.lru_cache(2, typed=True)
    def h(self, n): return [n]
def f(n):
    assert d(20_000) == 20_000 and e(15_000) == 15_000
    sys.setrecursionlimit(10**6)
    assert d(70_000) == 70_000 and d.cache_info()[:2] == (1, 70_001)
    a = A()
    one = a.h(1)
    assert a.h(1) is one and a.h(1.0) is not one and a.h(1) is one and a.h(3) and a.h(1) is one and a.h(1.0) is not one
    assert [g(k) for k in range(200)] and g.cache_info() == (0, 200, 128, 128) and g.__name__ == "g"
    d.cache_clear()
    assert d.cache_info().currsize == 0 and d.cache_parameters() == {"maxsize": None, "typed": False}
    c = Counter([n, n])
    return len(str(10**6000)) - 6001 + heappop([7]) * n * c[n] // 2
"""


@pytest.mark.parametrize("kind", ["call", "stdio", "pytest"])
def test_livecodebench_has_its_names_its_recursion_and_long_integers(session: Session, kind: str) -> None:
    [case] = graded(session, SUITES[kind], DEEP, prelude=preludes.LIVECODEBENCH)
    assert case.outcome is P, case


@pytest.mark.parametrize("kind", ["call", "stdio"])
def test_apps_has_its_names_and_numpy_for_who_uses_it(session: Session, kind: str) -> None:
    code = "def f(n):\n    assert Counter and deque and 'numpy.core' not in sys.modules\n    return int(np.array([n, 0]).sum()) * gcd(7, 49)"
    [case] = graded(session, SUITES[kind], code, prelude=preludes.APPS)
    assert case.outcome is P, case
