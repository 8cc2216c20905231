"""Suites of tests are examined together with the submission and apart from it: credit needs both."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from graders.builtin.hidden_tests import HiddenTests
from graders.interface import MOST_LOST, Execution, Finding, Limits, Outcome, Signal, TaskUnusable
from graders.suites.tests.agreement import OWN_EQUALITY, SHARED
from sandboxes.interface import End, Sandbox
from tests.integration.test_two_process import cases, context_of, graded, jail

__all__ = ["jail"]

P, F, E, D = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.DISPUTED
RIGHT = "def double(n): return 2 * n\n"
TESTS = """
from solution import double
def test_one(): assert double(1) == 2
def test_two(): assert double(2) == 4
"""


def outcomes(signals: list[Signal]) -> dict[str, Outcome]:
    return {name: case.outcome for name, case in cases(signals).items()}


def watched(
    sandbox: Sandbox, solution: str, tests: str, reference: str, limits: Limits, **options: object
) -> tuple[dict[str, Outcome], list[Execution]]:
    """The outcomes, and each execution of the submission's own code."""
    executions: list[Execution] = []
    with sandbox.session() as session:
        context = context_of(session, solution, tests, reference, **options)
        context = replace(context, ended=executions.append, task=replace(context.task, limits=limits))
        signals = list(HiddenTests().grade(context))
    return outcomes(signals), executions


# --- what only the translation favours fails, as it would anywhere ----------------------------------------------------------

FAVOURED: dict[str, tuple[str, str, str]] = {
    "changes the array that it is given": (
        "def scaled(a): return a / a.sum()\n",
        "def scaled(a):\n    a /= a.sum()\n    return a\n",
        ("import numpy as np\nfrom solution import scaled\n"
        "def test_it():\n    a = np.array([1.0, 3.0])\n    assert scaled(a).tolist() == [0.25, 0.75]\n    assert a.tolist() == [1.0, 3.0]\n"),
    ),
    "hands out what it keeps": (
        "class Log:\n    def __init__(self): self._said = []\n    def say(self, x): self._said.append(x)\n    def said(self): return list(self._said)\n",
        "class Log:\n    def __init__(self): self._said = []\n    def say(self, x): self._said.append(x)\n    def said(self): return self._said\n",
        "from solution import Log\ndef test_it():\n    log = Log()\n    log.say(1)\n    log.said().clear()\n    assert log.said() == [1]\n",
    ),
    "yields one list again and again": (
        "def runs(n):\n    for i in range(n): yield list(range(i + 1))\n",
        "def runs(n):\n    out = []\n    for i in range(n):\n        out.append(i)\n        yield out\n",
        "from solution import runs\ndef test_it(): assert list(runs(3)) == [[0], [0, 1], [0, 1, 2]]\n",
    ),
    "keeps what it was given": (
        "class Box:\n    def __init__(self, xs): self.xs = list(xs)\n    def total(self): return sum(self.xs)\n",
        "class Box:\n    def __init__(self, xs): self.xs = xs\n    def total(self): return sum(self.xs)\n",
        "from solution import Box\ndef test_it():\n    xs = [1]\n    box = Box(xs)\n    xs.append(5)\n    assert box.total() == 1\n",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("reference", "wrong", "tests"), FAVOURED.values(), ids=FAVOURED)
def test_a_wrong_program_that_the_translation_favours_fails(
    jail: Sandbox, reference: str, wrong: str, tests: str
) -> None:
    assert outcomes(graded(jail, reference, tests, reference)) == {"test_it": P}
    assert outcomes(graded(jail, wrong, tests, reference)) == {"test_it": F}


# --- what only the translation breaks is disputed -----------------------------------------------------------------------------

RATIO = "class Ratio:\n    def __init__(self, a, b): self.a, self.b = a, b\n"
REDUCED = """
import math
class Ratio:
    def __init__(self, a, b): self.a, self.b = a // math.gcd(a, b), b // math.gcd(a, b)
    def __eq__(self, other): return (self.a, self.b) == (other.a, other.b)
    def size(self): return self.a / self.b
"""
CROSSWISE = """
class Ratio:
    def __init__(self, a, b): self.a, self.b = a, b
    def __eq__(self, other): return self.a * other.b == other.a * self.b
    def size(self): return self.a / self.b
"""
RATIOS = """
from solution import Ratio
def test_same(): assert Ratio(1, 2) == Ratio(2, 4)
def test_other(): assert Ratio(1, 2) != Ratio(1, 3)
def test_size(): assert Ratio(1, 2).size() == 0.5
"""


def test_another_representation_is_disputed_and_its_option_named(jail: Sandbox) -> None:
    found = cases(graded(jail, CROSSWISE, RATIOS, REDUCED))
    assert {name: case.outcome for name, case in found.items()} == {"test_same": D, "test_other": P, "test_size": P}
    assert "passes together with its tests and fails apart from them" in found["test_same"].note
    assert OWN_EQUALITY in found["test_same"].note
    assert "assert" in found["test_same"].got
    own = graded(jail, CROSSWISE, RATIOS, REDUCED, equality="own")
    assert set(outcomes(own).values()) == {P}


def test_a_dispute_beside_play_with_the_examination_is_a_failure(jail: Sandbox) -> None:
    breaks = "\nimport os, sys\ndef size(self):\n    'pytest' in sys.modules or os.write(4, b'\\0\\0\\0\\2{}')\n    return 0.5\nRatio.size = size\n"
    signals = graded(jail, CROSSWISE + breaks, RATIOS, REDUCED)
    assert outcomes(signals) == {"test_same": F, "test_other": P, "test_size": E}
    assert "assay/channel" in {signal.rule for signal in signals if isinstance(signal, Finding)}


# --- what a program can do to the examination that it shares with its tests ---------------------------------------------------

FORGES = """
import sys
run = sys.modules.get("graders.boxed.tests.pytest_run")
if run is not None:
    told = run.Reporter.answer
    def answer(self, **fields):
        if "test" in fields: fields["outcome"] = "{word}"
        told(self, **fields)
    run.Reporter.answer = answer
def double(n): return -1
"""


@pytest.mark.parametrize(
    ("word", "outcome"),
    [("passed", D), ("disputed", F), ("not-tried", F), ("", F), ("failed", F), ("skipped", Outcome.NOT_RUN), ("ended", E)],
)  # fmt: skip
def test_forged_reports_credit_nothing(jail: Sandbox, word: str, outcome: Outcome) -> None:
    assert set(outcomes(graded(jail, FORGES.format(word=word), TESTS, RIGHT)).values()) == {outcome}


def test_reports_that_were_forged_of_a_right_program_are_its_own_harm(jail: Sandbox) -> None:
    forged = FORGES.format(word="failed").replace("-1", "2 * n")
    assert set(outcomes(graded(jail, forged, TESTS, RIGHT)).values()) == {F}


BESIDE: dict[str, str] = {
    "leaves with its tests, and is right without them": "if 'pytest' in sys.modules: os._exit(0)\n" + RIGHT,
    "leaves at the end": "import atexit\natexit.register(os._exit, 0)\ndef double(n): return -1\n",
    "leaves in the call": "def double(n): os._exit(0)\n",
    "ends the run of pytest": "def double(n):\n    import pytest\n    pytest.exit('enough', 0)\n",
    "writes on the channel": "def double(n):\n    os.write(3, b'\\0\\0\\0\\2{}')\n    return -1\n",
    "closes the channel": "def double(n):\n    os.close(3)\n    return -1\n",
    "takes the questions": "def double(n): return os.read(3, 100)\n",
    "changes the tests": "import glob\nfor p in glob.glob('tests/*'):\n    try: open(p, 'w').write('def test_one(): pass\\ndef test_two(): pass\\n')\n"
    "    except OSError: pass\ndef double(n): return -1\n",
    "plants tests and their settings": "for p in ('tests/conftest.py', 'conftest.py', 'pytest.ini'):\n    try: open(p, 'w').write('raise SystemExit(0)')\n"
    "    except OSError: pass\ndef double(n): return -1\n",
    "prints a flood": "def double(n):\n    while True: os.write(1, b'x' * 65536)\n",
    "eats its memory": "def double(n):\n    xs = []\n    while True: xs.append(bytearray(1 << 24))\n",
    "raises what pytest takes for the user's": "def double(n): raise KeyboardInterrupt\n",
    "recurses without end": "def double(n): return double(n)\n",
}  # fmt: skip


@pytest.mark.parametrize("solution", BESIDE.values(), ids=BESIDE)
def test_nothing_done_beside_the_tests_is_credited_or_our_failure(jail: Sandbox, solution: str) -> None:
    found = outcomes(graded(jail, "import os, sys\n" + solution, TESTS, RIGHT))
    assert len(found) == 2
    assert set(found.values()) <= {F, E, Outcome.NOT_RUN}


def test_who_is_right_beside_the_tests_and_leaves_apart_from_them_has_failed(jail: Sandbox) -> None:
    signals = graded(jail, "import os, sys\nif 'pytest' not in sys.modules: os._exit(0)\n" + RIGHT, TESTS, RIGHT)
    assert set(outcomes(signals).values()) == {F}
    assert "assay/early-exit" in {signal.rule for signal in signals if isinstance(signal, Finding)}


def test_what_fails_together_is_not_run_again(jail: Sandbox) -> None:
    limits = Limits(wall_seconds=60)
    found, executions = watched(jail, "def double(n): return 2\n", TESTS, RIGHT, limits)
    assert found == {"test_one": P, "test_two": F}
    assert len(executions) == 2
    found, executions = watched(jail, "def double(n): return -1\n", TESTS, RIGHT, limits)
    assert set(found.values()) == {F}
    assert len(executions) == 1
    assert not executions[0].evidence


# --- what the reference teaches, and what its author is told -------------------------------------------------------------------

PATCHED = "import solution\ndef test_it(monkeypatch):\n    monkeypatch.setattr(solution, 'LIMIT', 1)\n    assert solution.limit() == 1\n"
LONG = "def deep(n):\n    if not n: raise ValueError('too deep')\n    return deep(n - 1)\n"
UNLIKE: dict[str, tuple[str, str, str]] = {
    "together only": ("LIMIT = 5\ndef limit(): return LIMIT\n", PATCHED, SHARED),
    "its own equality": (CROSSWISE, RATIOS, OWN_EQUALITY),
    "apart only": (
        "import sys\ndef alone(): return 'pytest' not in sys.modules\n",
        "from solution import alone\ndef test_it(): assert alone()\n",
        "does not pass test_it.py::test_it together with its tests",
    ),
    "neither": (RIGHT, TESTS.replace("== 4", "== 5"), "does not pass test_it.py::test_two:"),
    "a long way down": (LONG, "from solution import deep\ndef test_it(): deep(300)\n", "does not pass test_it.py::test_it: "),
    "other ids each time": (
        RIGHT,
        "import os, pytest\n@pytest.mark.parametrize('x', [os.urandom(8).hex()])\ndef test_it(x): pass\n",
        "other ids each time",
    ),
    "skips all": (RIGHT, "import pytest\ndef test_it(): pytest.skip('not here')\n", "skips all of its tests"),
}  # fmt: skip


@pytest.mark.parametrize(("reference", "tests", "says"), UNLIKE.values(), ids=UNLIKE)
def test_a_reference_that_fails_is_told_what_to_do_in_the_first_line(
    jail: Sandbox, reference: str, tests: str, says: str
) -> None:
    with pytest.raises(TaskUnusable) as told:
        graded(jail, reference, tests, reference)
    first, *more = str(told.value).splitlines()
    assert says in first
    assert len(first) < 800
    assert len("\n".join(more)) <= 1500


def test_what_was_raised_is_in_the_first_line(jail: Sandbox) -> None:
    with pytest.raises(TaskUnusable) as told:
        graded(jail, LONG, "from solution import deep\ndef test_it(): deep(300)\n", LONG)
    assert "ValueError: too deep" in str(told.value).splitlines()[0]


def test_what_the_reference_skips_is_not_expected(jail: Sandbox) -> None:
    tests = (
        TESTS
        + "import pytest\ndef test_not_here(): pytest.skip('no')\n@pytest.mark.xfail\ndef test_known(): assert double(0)\n"
    )
    assert outcomes(graded(jail, RIGHT, tests, RIGHT)) == {"test_one": P, "test_two": P}


# --- a time-out ends one case ----------------------------------------------------------------------------------------------------

MANY = "import pytest\nfrom solution import double\n@pytest.mark.parametrize('n', range({count}))\ndef test_it(n): assert double(n) == 2 * n\n"


def numbered(found: Mapping[str, Outcome]) -> list[Outcome]:
    return [found[f"test_it[{n}]"] for n in range(len(found))]


@pytest.mark.parametrize("options", [{}, {"isolation": "shared"}], ids=["twice", "shared"])
def test_each_test_that_hangs_fails_and_no_other(jail: Sandbox, options: Mapping[str, object]) -> None:
    hangs = "import time\ndef double(n):\n    while n in (1, 3): time.sleep(n - 1)\n    return 2 * n\n"
    found = outcomes(graded(jail, hangs, MANY.format(count=6), RIGHT, seconds=2, **options))
    assert numbered(found) == [P, F, P, F, P, P]


def test_who_hangs_apart_only_is_disputed(jail: Sandbox) -> None:
    hangs = "import sys\ndef double(n):\n    while n == 1 and 'pytest' not in sys.modules: pass\n    return 2 * n\n"
    signals = graded(jail, hangs, MANY.format(count=3), RIGHT, seconds=2)
    assert numbered(outcomes(signals)) == [P, D, P]
    assert cases(signals)["test_it[1]"].end == End.WALL_TIMEOUT
    assert not [signal for signal in signals if isinstance(signal, Finding)]


def test_what_is_left_after_many_that_hang_is_not_tried(jail: Sandbox) -> None:
    hangs = "def double(n):\n    while n: pass\n    return 0\n"
    limits = Limits(wall_seconds=60)
    found, executions = watched(jail, hangs, MANY.format(count=MOST_LOST + 3), RIGHT, limits, seconds=0.5)
    assert numbered(found) == [P, *[F] * MOST_LOST, Outcome.NOT_TRIED, Outcome.NOT_TRIED]
    assert len(executions) == MOST_LOST + 1


def test_each_test_that_ends_the_program_is_an_error_and_no_other(jail: Sandbox) -> None:
    leaves = "import os\ndef double(n): return os._exit(0) if n % 2 else 2 * n\n"
    assert numbered(outcomes(graded(jail, leaves, MANY.format(count=8), RIGHT))) == [P, E] * 4


def test_limits_are_for_a_test_though_tests_share_a_box(jail: Sandbox) -> None:
    """What a box has is used up by two of them; the test in the midst of which that shows begins again."""
    works = "import time\ndef double(n):\n    begun = time.process_time()\n    while time.process_time() < begun + 0.4: pass\n    return 2 * n\n"
    limits = Limits(wall_seconds=600, cpu_seconds=1)
    found, executions = watched(jail, works, MANY.format(count=4), RIGHT, limits, seconds=100)
    assert numbered(found) == [P] * 4
    assert End.CPU_TIMEOUT in {execution.end for execution in executions}


def test_a_test_that_hangs_wherever_it_begins_is_lost_by_its_own_doing(jail: Sandbox) -> None:
    """Four of them, each after one that had used a part of the limit: that they are asked again is no sign of a box used up."""
    hangs = "import time\ndef double(n):\n    time.sleep(0.1)\n    while n % 2: pass\n    return 2 * n\n"
    limits = Limits(wall_seconds=600, cpu_seconds=0.5)
    found, executions = watched(jail, hangs, MANY.format(count=8), RIGHT, limits, seconds=100)
    assert numbered(found) == [P, E] * 4
    assert [execution.end for execution in executions].count(End.CPU_TIMEOUT) == 8


def test_a_program_that_hangs_while_it_is_imported_is_started_once(jail: Sandbox) -> None:
    limits = Limits(wall_seconds=3)
    found, executions = watched(jail, "while True: pass\n", TESTS, RIGHT, limits)
    assert list(found.values()) == [E, Outcome.NOT_RUN]
    assert [execution.end for execution in executions] == [End.WALL_TIMEOUT]
