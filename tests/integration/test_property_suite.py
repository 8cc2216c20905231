"""`property` suites in real boxes: the example that a property fails for, that it comes again, and the reference beside it."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from graders.builtin.hidden_tests import HiddenTests
from graders.interface import CaseOutcome, Finding, Limits, Outcome, Session, Suite, TaskUnusable
from graders.plugins.testing import context_of

LIMITS = Limits(wall_seconds=30, cpu_seconds=20)
P, F = Outcome.PASSED, Outcome.FAILED
HEAD = "from hypothesis import example, given, settings, strategies as st\nfrom solution import f\n"
LISTS = HEAD + "@given(xs=st.lists(st.integers()))\ndef test_it(xs): assert f(xs) == sorted(xs)\n"
RIGHT = "def f(xs): return sorted(xs)\n"
SMALLEST = ("xs=[1, 0]", "xs=[0, -1]")
"""Of those that are not sorted; Hypothesis finds neither of the two smaller than the other."""
UNSORTED = "def f(xs): return list(xs)\n"
GONE = "import os, sys\ndef f(xs):\n    if len(xs) > 3 and 'pytest' not in sys.modules: os._exit(0)\n    return sorted(xs)\n"
"""Apart from its tests only: together with them nobody is left to say what it was given."""


def graded(
    session: Session,
    code: str | Mapping[str, str],
    tests: str = LISTS,
    reference: str | Mapping[str, str] = RIGHT,
    kind: str = "property",
    **options: object,
) -> CaseOutcome:
    context = context_of({"solution.py": code} if isinstance(code, str) else code, session)
    stated = Suite(id="s", kind=kind, files={"hidden/test_it.py": tests}, options=options)
    known = {"solution.py": reference} if isinstance(reference, str) else reference
    task = replace(context.task, suites=(stated,), limits=LIMITS, reference=known)
    signals = HiddenTests().grade(replace(context, task=task))
    [case] = [signal for signal in signals if isinstance(signal, CaseOutcome)]
    return case


def test_the_smallest_example_is_shown_and_comes_again(session: Session) -> None:
    case = graded(session, UNSORTED)
    assert (case.outcome, case.wanted, case.integrity) == (F, "the test passes", "full")
    assert case.given in SMALLEST
    assert f"assert {case.given.removeprefix('xs=')} == [" in case.got
    assert "@reproduce_failure(" in case.got
    assert case.note == "the same examples again with seed = 0"
    again = graded(session, UNSORTED)
    assert (again.given, again.note) == (case.given, case.note)
    assert graded(session, RIGHT).note == ""


def test_the_examples_depend_on_the_seed_and_on_nothing_else(session: Session) -> None:
    """A program that ends is not asked again for a smaller example: this is the first that it was given, apart."""
    case, again, other = (
        graded(session, GONE),
        graded(session, GONE + "import json, queue\nX = 12345\n"),
        graded(session, GONE, seed=1),
    )
    assert [case.outcome, again.outcome, other.outcome] == [F, F, F]
    assert case.given == again.given
    assert case.given.startswith("xs=[")
    assert other.given != case.given
    assert other.note.endswith("the same examples again with seed = 1")


def test_properties_in_a_pytest_suite_come_again_too(session: Session) -> None:
    assert graded(session, GONE, kind="pytest").given == graded(session, GONE, kind="pytest").given != ""


COUNTS = "calls = 0\ndef f(xs):\n    global calls\n    calls += 1\n    assert calls < 50\n    return sorted(xs)\n"


@pytest.mark.parametrize(
    ("stated", "options", "outcome"),
    [("", {}, F), ("", {"max_examples": 20}, P), ("@settings(max_examples=20)\n", {"max_examples": 100}, P)],
)
def test_max_examples_are_those_of_the_test_or_else_of_the_suite(
    session: Session, stated: str, options: dict[str, object], outcome: Outcome
) -> None:
    assert graded(session, COUNTS, LISTS.replace("@given", stated + "@given"), **options).outcome is outcome


BUSY = "import time\ndef f(xs):\n    end = time.process_time() + {seconds}\n    while time.process_time() < end: pass\n    return {answer}\n"


@pytest.mark.parametrize("stated", ["@settings(deadline=1)\n", "@settings(derandomize=True, print_blob=False)\n", ""])
def test_a_slow_answer_is_no_wrong_one(session: Session, stated: str) -> None:
    slow = BUSY.format(seconds=0.005, answer="sorted(xs)")
    assert graded(session, slow, LISTS.replace("@given", stated + "@given")).outcome is P


def test_shrinking_ends_in_time_for_its_result_to_be_told(session: Session) -> None:
    tests = HEAD + "@given(xs=st.lists(st.integers(), min_size=20))\ndef test_it(xs): assert f(xs) == sorted(xs)\n"
    case = graded(session, BUSY.format(seconds=0.05, answer="list(xs)"), tests, seconds=8, max_examples=10)
    assert case.outcome is F
    assert case.given.startswith("xs=[")
    assert "Timeout" not in case.got
    assert "Failing test case" in case.got
    assert case.seconds is not None and case.seconds < 8


COMPARED = (
    HEAD
    + "import reference\n@given(xs=st.lists(st.integers()))\ndef test_it(xs): assert f(list(xs)) == reference.f(list(xs))\n"
)


def test_the_reference_is_there_to_compare_with(session: Session) -> None:
    assert graded(session, RIGHT, COMPARED).outcome is P
    case = graded(session, "def f(xs): return sorted(set(xs))\n", COMPARED)
    assert (case.outcome, case.given) == (F, "xs=[0, 0]")


SEVERAL = {
    "solution.py": "import order\nfrom order import ascending\ndef f(xs):\n    from parts.late import same\n    import parts.late\n"
    "    assert parts.late.same is same\n    return same(ascending(order.ascending(xs)))\n",
    "order.py": "def ascending(xs): return sorted(xs)\n",
    "parts/__init__.py": "",
    "parts/late.py": "from . import other\ndef same(xs): return other.same(xs)\n",
    "parts/other.py": "def same(xs): return xs\n",
}


def test_the_modules_of_the_reference_are_its_own(session: Session) -> None:
    """Also where the submission has modules of those names, and one that is called as the reference is."""
    assert graded(session, SEVERAL, COMPARED, SEVERAL).outcome is P
    wrong = "def ascending(xs): return xs\n"
    assert graded(session, {**SEVERAL, "order.py": wrong}, COMPARED, SEVERAL).outcome is F
    lies = {
        "solution.py": UNSORTED,
        "reference.py": UNSORTED,
        "order.py": wrong,
        "parts/late.py": "def same(xs): return xs\n",
    }
    assert graded(session, lies, COMPARED, SEVERAL).outcome is F


THIEF = """
import glob, sys
try:
    from reference import f
except ImportError:
    def f(xs):
        sys.path[:0] = [*glob.glob("/box/**/reference", recursive=True), *glob.glob("/proc/*/cwd/reference")]
        frame = sys._getframe()
        while frame:
            found = frame.f_globals.get("reference")
            if found is not None:
                return found.f(xs)
            frame = frame.f_back
        import reference
        return reference.f(xs)
"""


def test_the_submission_gains_nothing_by_the_reference(session: Session) -> None:
    """It is there where the tests are, and not where credit is decided."""
    case = graded(session, THIEF, COMPARED)
    assert case.outcome is Outcome.DISPUTED
    assert "ModuleNotFoundError: No module named 'reference'" in case.got
    case = graded(session, "from reference import f\n", COMPARED)
    assert case.outcome in (F, Outcome.NOT_RUN)
    assert "No module named 'reference'" in case.got


def test_a_submission_may_have_a_module_reference_of_its_own(session: Session) -> None:
    own = {
        "solution.py": "import reference.order\nfrom reference import WORD\ndef f(xs): return reference.order.ordered(xs)\n",
        "reference/__init__.py": "WORD = 'mine'\nfrom reference import order\n",
        "reference/order.py": "def ordered(xs): return sorted(xs)\n",
    }
    for imports in ("import reference\nimport solution\n", "import solution\nimport reference\n"):
        assert graded(session, own, imports + COMPARED).outcome is P
        wrong = own | {"reference/order.py": "def ordered(xs): return xs\n"}
        assert graded(session, wrong, imports + COMPARED).outcome is F


def test_beside_the_submission_there_is_no_reference(session: Session) -> None:
    with pytest.raises(TaskUnusable, match="No module named 'reference'"):
        graded(session, RIGHT, COMPARED, isolation="shared")
    case = graded(session, UNSORTED, isolation="shared")
    assert (case.outcome, case.integrity) == (F, "reduced")
    assert case.given in SMALLEST


UNLIKE: dict[str, str] = {
    "rejects every example": "from hypothesis import reject\ndef f(xs): reject()\n",
    "has every example not count": "from hypothesis.errors import UnsatisfiedAssumption\ndef f(xs): raise UnsatisfiedAssumption\n",
    "stops the test": "from hypothesis.errors import StopTest\ndef f(xs): raise StopTest(0)\n",
    "is wrong once": "n = 0\ndef f(xs):\n    global n\n    n += 1\n    return sorted(xs) if n != 30 else None\n",
    "is wrong every other time": "n = 0\ndef f(xs):\n    global n\n    n += 1\n    return sorted(xs) if n % 2 else None\n",
    "lies in comparisons": "class L(list):\n    def __eq__(self, other): return True\n    __hash__ = None\ndef f(xs): return L()\n",
    "exits": "def f(xs): raise SystemExit(0)\n",
    "interrupts": "def f(xs): raise KeyboardInterrupt\n",
    "skips": "import pytest\ndef f(xs): pytest.skip('no')\n",
}  # fmt: skip


@pytest.mark.parametrize("code", UNLIKE.values(), ids=UNLIKE)
def test_no_way_around_a_property(session: Session, code: str) -> None:
    lies, skips = "__eq__" in code, "pytest.skip" in code  # as plain Python, where it is believed; apart it is not
    assert graded(session, code).outcome is (Outcome.DISPUTED if lies else Outcome.NOT_RUN if skips else F)


MACHINE = """
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from solution import Pile

class Compared(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.pile, self.model = Pile(), []

    @rule(x=st.integers(0, 3))
    def push(self, x):
        self.pile.push(x)
        self.model.append(x)

    @rule()
    def pop(self):
        assert self.pile.pop() == (self.model.pop() if self.model else None)

    @invariant()
    def same_size(self):
        assert len(self.pile) == len(self.model)

TestPile = Compared.TestCase
"""
PILE = """
class Pile:
    def __init__(self): self.items = []
    def push(self, x): self.items.append(x)
    def pop(self): return self.items.pop() if self.items else None
    def __len__(self): return len(self.items)
"""


def test_machines_of_rules_find_the_shortest_way_to_fail(session: Session) -> None:
    options: dict[str, object] = {"max_examples": 30}
    assert graded(session, PILE, MACHINE, PILE, **options).outcome is P
    wrong = PILE.replace("self.items.append(x)", "x in self.items or self.items.append(x)")
    case, again = (graded(session, wrong, MACHINE, PILE, **options) for _ in range(2))
    assert case.outcome is again.outcome is F
    assert case.got.count("state.push(x=0)") == 2
    assert case.got.count("state.") == again.got.count("state.")


def test_of_a_method_the_arguments_are_shown(session: Session) -> None:
    tests = HEAD + (
        "class TestIt:\n    @given(xs=st.lists(st.just(0), max_size=2), n=st.integers(0, 5))\n    @example(n=3, xs=[0] * 3)\n"
        "    def test_it(self, n, xs): assert len(f(xs)) == len(xs)\n"
    )
    case = graded(session, "def f(xs): return xs[:2]\n", tests)
    assert (case.outcome, case.given) == (F, "n=3, xs=[0, 0, 0]")


SORT = (
    HEAD
    + """
from collections import deque
import reference
@given(xs=st.lists(st.integers(), min_size=2, max_size=6))
def test_it(xs):
    assert f(xs) == sorted(xs)
    assert f(xs) == reference.f(xs)
"""
)
CHANGES = {
    "clears what it is given": "def f(xs): xs.clear(); return []\n",
    "keeps what it is given, and clears it later": "KEPT = []\ndef f(xs):\n    for kept in KEPT: kept.clear()\n    KEPT.append(xs); return sorted(xs)[:1]\n",
    "changes it in the middle": "def f(xs): xs[:] = [0] * len(xs); return [0] * len(xs)\n",
}


@pytest.mark.parametrize("isolation", ["two-process", "shared"])
@pytest.mark.parametrize("way", CHANGES)
def test_what_a_submission_changes_in_an_argument_changes_nothing_for_the_oracle(
    session: Session, way: str, isolation: str
) -> None:
    tests = (
        SORT if isolation == "two-process" else SORT.replace("import reference", "").replace("reference.f", "sorted")
    )
    assert graded(session, CHANGES[way], tests, isolation=isolation).outcome is F


@pytest.mark.parametrize("isolation", ["two-process", "shared"])
@pytest.mark.parametrize(
    "code",
    [
        "def f(xs): xs.sort(); return xs\n",
        "def f(xs):\n    if len(xs) < 2: return xs\n    p = xs.pop(); return f([x for x in xs if x < p]) + [p] + f([x for x in xs if x >= p])\n",
        "def f(xs): _sort(xs, 0, len(xs)); return xs\ndef _sort(xs, a, b): xs[a:b] = sorted(xs[a:b])\n",
    ],
)
def test_a_right_answer_is_right_whatever_becomes_of_the_argument(session: Session, code: str, isolation: str) -> None:
    assert graded(session, code, isolation=isolation).outcome is P


IN_PLACE = (
    HEAD
    + """
@given(xs=st.lists(st.lists(st.integers()), max_size=4), t=st.tuples(st.lists(st.integers())))
def test_it(xs, t):
    expected = sorted(xs)
    f(xs)
    assert xs == expected
"""
)


@pytest.mark.parametrize("isolation", ["two-process", "shared"])
def test_a_suite_may_share_its_values(session: Session, isolation: str) -> None:
    code = "def f(xs): xs.sort()\n"
    assert graded(session, code, IN_PLACE, code, shares_values=True, isolation=isolation).outcome is P
    with pytest.raises(TaskUnusable, match="does not pass"):
        graded(session, code, IN_PLACE, code, isolation=isolation)


def test_what_comes_back_holds_together_as_it_did_there(session: Session) -> None:
    """An argument that was changed and handed back is a copy: with all that it holds, each thing once."""
    tests = (
        HEAD
        + """
@given(xs=st.lists(st.lists(st.integers()), min_size=1))
def test_it(xs):
    before = [list(x) for x in xs]
    whole, first, pair = f(xs, xs[0], (xs[0],))
    assert xs == before
    assert whole is not xs and whole[0] is first is pair[0]
    assert first == before[0] + [1] and whole[1:] == before[1:] + [[2]]
"""
    )
    code = "def f(xs, x, t): x.append(1); xs.append([2]); return xs, x, t\n"
    assert graded(session, code, tests, code).outcome is P


def test_the_author_is_told_of_a_property_that_cannot_see_what_it_looks_for(session: Session) -> None:
    """With values of its own each call, `sorts` is a right program; with shared ones it is none, and nobody is told anything."""
    keeps = (
        HEAD
        + "@given(xs=st.lists(st.integers()))\ndef test_it(xs):\n    before = list(xs)\n    f(xs)\n    assert xs == before\n"
    )
    sorts = "def f(xs):\n    xs.sort()\n    return xs\n"
    found = {}
    for shares in (False, True):
        context = context_of({"solution.py": sorts}, session)
        stated = Suite(
            id="s",
            kind="property",
            files={"hidden/test_it.py": keeps},
            options={"shares_values": shares, "max_examples": 20},
        )
        task = replace(context.task, suites=(stated,), limits=LIMITS, reference={"solution.py": RIGHT})
        signals = list(HiddenTests().grade(replace(context, task=task)))
        [case] = [signal for signal in signals if isinstance(signal, CaseOutcome)]
        about = [signal.message for signal in signals if isinstance(signal, Finding) and signal.is_about_the_task]
        found[shares] = (case.outcome, about)
    assert found[True] == (F, [])
    outcome, [said] = found[False]
    assert outcome is P
    assert said.startswith("Suite s: test_it looks whether `xs` was changed, and passes whatever is done to it")
    assert "shares_values = true" in said
