"""`program` suites in real boxes: the three forms of a program, whose word a name is, and that no case is lost."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from graders.builtin.hidden_tests import HiddenTests
from graders.interface import CaseOutcome, Limits, Outcome, Session, Suite, TaskUnusable
from graders.plugins.testing import context_of

LIMITS = Limits(wall_seconds=20, cpu_seconds=10)
P, F, E, N = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.NOT_RUN

RIGHT = """
import math
from dataclasses import dataclass

TABLE = {"a": 1}

@dataclass
class Box:
    size: float

def area(r):
    return math.pi * r * r

def label(r):
    return "small" if r < 2 else "large"
"""
CHECK = """
METADATA = {"author": "someone"}

def check(candidate):
    assert abs(candidate(1) - 3.14159) < 1e-4
    assert candidate(0) == 0
"""
UNITTEST = """
import unittest

class Base(unittest.TestCase):
    def setUp(self):
        self.box = Box(2)

class AreaTest(Base):
    def test_area(self):
        self.assertAlmostEqual(area(1), math.pi)

    def test_box(self):
        self.assertEqual(self.box, Box(2))

class AreaTestLabel(Base):
    def test_label(self):
        for r, wanted in ((1, "small"), (3, "large")):
            with self.subTest(r=r):
                self.assertEqual(label(r), wanted)

if __name__ == "__main__":
    unittest.main()
"""
SCRIPT = """
assert area(0) == 0
shown = label(1)
if __name__ == "__main__":
    assert shown == "small"
"""
FUNCTIONS = """
import pytest

@pytest.mark.parametrize("r", [0, 1])
def test_small(r):
    assert label(r) == "small"
"""
FILES = {"checks.py": CHECK, "suites.py": UNITTEST, "script.py": SCRIPT, "functions.py": FUNCTIONS}
CASES = [
    "checks.py::check",
    "functions.py::test_small[0]",
    "functions.py::test_small[1]",
    "script.py::run",
    "suites.py::AreaTest::test_area",
    "suites.py::AreaTest::test_box",
    "suites.py::AreaTestLabel::test_label",
]


def graded(
    session: Session, code: str | Mapping[str, str], files: Mapping[str, str], reference: str = RIGHT, **options: object
) -> dict[str, CaseOutcome]:
    context = context_of({"solution.py": code} if isinstance(code, str) else code, session)
    stated = Suite(
        id="s", kind="program", files={f"hidden/{path}": text for path, text in files.items()}, options=options
    )
    task = replace(context.task, suites=(stated,), limits=LIMITS, reference={"solution.py": reference})
    signals = HiddenTests().grade(replace(context, task=task))
    return {signal.case.removeprefix("hidden/"): signal for signal in signals if isinstance(signal, CaseOutcome)}


def outcomes(cases: Mapping[str, CaseOutcome]) -> dict[str, Outcome]:
    return {case: outcome.outcome for case, outcome in cases.items()}


@pytest.mark.parametrize("isolation", ["two-process", "shared"])
def test_every_form_of_program_judges(session: Session, isolation: str) -> None:
    cases = graded(session, RIGHT, FILES, entry_point="area", isolation=isolation)
    assert outcomes(cases) == dict.fromkeys(CASES, P)
    assert {case.integrity for case in cases.values()} == {"reduced" if isolation == "shared" else "full"}

    wrong = RIGHT.replace("* r * r", "* r").replace("r < 2", "r < 1")
    cases = graded(session, wrong, FILES, entry_point="area", isolation=isolation)
    failed = {"functions.py::test_small[1]", "script.py::run", "suites.py::AreaTestLabel::test_label"}
    assert outcomes(cases) == {case: F if case in failed else P for case in CASES}
    assert "assert shown ==" in cases["script.py::run"].got
    assert "'large' == 'small'" in cases["script.py::run"].got
    assert "/harness/" not in cases["script.py::run"].got


NEARLY = "def check(candidate):\n    assert abs(candidate(1) - 3.14159) < 1e-4\n"
WORDS: dict[str, tuple[str, str, Outcome]] = {
    "its own abs": (NEARLY, "abs = lambda x: 0\ndef area(r): return -1", F),
    "its own builtins": (
        NEARLY,
        "import builtins\nbuiltins.abs = lambda x: 0\nbuiltins.AssertionError = ValueError\ndef area(r): return -1",
        F,
    ),
    "its own math": (
        "assert not math.isclose(1, 2)",  # of the library: nothing of the submission is imported for it
        RIGHT + "\nmath.isclose = lambda *a: True\n",
        P,
    ),
    "a class in the place of a module": ("assert math.pi == 4", RIGHT + "\nclass math: pi = 4\n", P),
    "a class in the place of a module that the reference imports": (
        "assert math.fabs(area(1) - 3.14159) < 1e-4",
        "class math: fabs = staticmethod(lambda x: 0)\ndef area(r): return -1\n",
        F,
    ),
    "a function in the place of one that the reference imports": (
        "import dataclasses\nassert dataclass is dataclasses.dataclass and dataclass and area(1) > 3",
        "def dataclass(cls): return cls\ndef area(r): return -1\n",
        F,
    ),
    "a module of the library that nobody imports": (
        "assert statistics.mean([area(0)]) == 0",
        "class statistics: mean = staticmethod(lambda xs: 0)\ndef area(r): return -1\n",
        F,
    ),
    "its own name of a test": (
        "import unittest\nclass A(unittest.TestCase):\n    def test_a(self): self.assertEqual(area(0), 0)\nMaker = lambda: TestMaker()",
        RIGHT + "\nclass TestMaker:\n    def test_b(self): pass\n",
        P,
    ),
    "a dunder": ("assert __author__", RIGHT + "\n__author__ = 'me'\n", F),
    "nothing of that name": ("assert label", "def area(r): return 1", F),
}


@pytest.mark.parametrize(("program", "code", "outcome"), WORDS.values(), ids=WORDS)
def test_names_of_the_submission_come_last(session: Session, program: str, code: str, outcome: Outcome) -> None:
    reference = code if outcome is P else RIGHT + "\nabs = abs\n"
    if "__author__" in program:
        with pytest.raises(TaskUnusable, match="__author__"):
            graded(session, code, {"it.py": program}, reference)
        return
    assert list(outcomes(graded(session, code, {"it.py": program}, reference, entry_point="area")).values()) == [
        outcome
    ]


def test_a_missing_name_is_a_name_error(session: Session) -> None:
    case = graded(session, "def area(r): return 1", {"it.py": "assert label(1) == 'small'"})["it.py::run"]
    assert "NameError: name 'label' is not defined" in case.got


def test_a_program_may_have_the_name_of_the_entry_file(session: Session) -> None:
    files = {
        "solution.py": "from solution import label\ndef test_label(): assert label(1) == 'small'",
        "random.py": "import random\nrandom.seed",
    }
    assert outcomes(graded(session, RIGHT, files)) == {"random.py::run": P, "solution.py::test_label": P}
    assert outcomes(graded(session, "def label(r): return 1", files))["solution.py::test_label"] is F


ENDS: dict[str, tuple[str, Outcome]] = {
    "leaves at import": ("import sys\nsys.exit(0)", F),
    "is gone at import": ("import os\nos._exit(0)", E),
    "leaves in the call": (RIGHT + "\ndef label(r): raise SystemExit(0)", F),
    "is gone in the call": (RIGHT + "\nimport os\ndef label(r): os._exit(0)", E),
    "skips": (RIGHT + "\nimport unittest\ndef label(r): raise unittest.SkipTest('no')", Outcome.NOT_RUN),
    "interrupts": (RIGHT + "\ndef label(r): raise KeyboardInterrupt", F),
    "never answers": (RIGHT + "\ndef label(r):\n    while True: pass", F),
    "raises what an assertion raises": (RIGHT + "\ndef label(r): raise AssertionError", F),
    "generates its exit": (RIGHT + "\ndef label(r): raise GeneratorExit", F),
    "does not parse": ("def label(r:", F),
}


@pytest.mark.parametrize(("code", "outcome"), ENDS.values(), ids=ENDS)
def test_a_script_passes_only_where_it_comes_to_its_end(session: Session, code: str, outcome: Outcome) -> None:
    cases = graded(session, code, {"script.py": SCRIPT}, seconds=1)
    assert outcomes(cases) == {"script.py::run": outcome}


def test_a_candidate_that_ends_costs_the_running_program_only(session: Session) -> None:
    code = RIGHT + "\nimport os\ndef area(r):\n    if r: os._exit(0)\n    return 0\n"
    ended = {"checks.py::check", "suites.py::AreaTest::test_area"}
    assert outcomes(graded(session, code, FILES, entry_point="area")) == {
        case: E if case in ended else P for case in CASES
    }


def test_every_case_of_the_reference_is_accounted_for(session: Session) -> None:
    """Whatever a submission does, a case that the reference has is there, and has not passed."""
    code = "import os\nos._exit(0)\n"
    cases = graded(session, code, FILES, entry_point="area")
    assert list(cases) == CASES
    assert P not in outcomes(cases).values()


REFUSED = {
    "a skipped test": "import unittest\nclass A(unittest.TestCase):\n    @unittest.skip('later')\n    def test_a(self): pass",
    "an expected failure": "import unittest\nclass A(unittest.TestCase):\n    @unittest.expectedFailure\n    def test_a(self): self.fail()",
    "a script that exits": "import sys\nsys.exit(0)",
    "a script that fails": "assert False",
    "a program that cannot be imported": "import nothing_like_this\nimport unittest\nclass A(unittest.TestCase):\n    def test_a(self): pass",
}


@pytest.mark.parametrize("program", REFUSED.values(), ids=REFUSED)
def test_a_reference_has_to_pass_every_case(session: Session, program: str) -> None:
    with pytest.raises(TaskUnusable):
        graded(session, RIGHT, {"it.py": program})


def test_conftest_is_no_program(session: Session) -> None:
    files = {
        "conftest.py": "import pytest\n@pytest.fixture\ndef wanted(): return 'small'",
        "it.py": "def test_it(wanted): assert label(1) == wanted",
    }
    assert outcomes(graded(session, RIGHT, files)) == {"it.py::test_it": P}


HELPED = "import math as m\nfrom os import path as where\nfrom math import fabs\ndef statistics(x): return x\ndef helper(x): return x\ndef area(r): return r\n"


def test_names_that_the_reference_imports_are_the_librarys(session: Session) -> None:
    program = "import os, math\nassert m is math and where is os.path and fabs is math.fabs and statistics(3) == 3"
    case = graded(session, HELPED, {"it.py": program}, HELPED)["it.py::run"]
    assert (case.outcome, case.note) == (P, "")


def test_a_helper_of_the_submission_is_told(session: Session) -> None:
    program = "def check(candidate):\n    assert helper(candidate(2)) == 2 and area(1) == 1\n"
    case = graded(session, HELPED, {"it.py": program}, HELPED, entry_point="area")["it.py::check"]
    assert (case.outcome, case.note) == (P, "helper of the submission had a say in it")
