"""What lies beside hidden tests: helper modules and conftest.py are found as pytest's own way of importing finds them."""

from collections.abc import Mapping

import pytest

from graders.interface import Outcome, TaskUnusable
from sandboxes.interface import Sandbox
from tests.integration.test_two_process import cases, graded, jail, reports

__all__ = ["jail"]

SOLUTION = "def f(n): return n + 1\n"
BESIDE: dict[str, Mapping[str, str]] = {
    "a module": {
        "hidden/test_it.py": "from helper import CASES\nfrom solution import f\ndef test_it():\n    for a, b in CASES: assert f(a) == b\n",
        "hidden/helper.py": "CASES = [(1, 2)]\n",
    },
    "conftest": {
        "hidden/test_it.py": "from conftest import CASES\nfrom solution import f\ndef test_it(one):\n    for a, b in CASES: assert f(a) == b == one + 1\n",
        "hidden/conftest.py": "import pytest\nCASES = [(1, 2)]\n@pytest.fixture\ndef one(): return 1\n",
    },
    "a package beside, and one that the test is in": {
        "hidden/checks/test_it.py": "from shared.values import V\nfrom checks.more import W\nfrom solution import f\ndef test_it(): assert f(V) == W\n",
        "hidden/checks/__init__.py": "",
        "hidden/checks/more.py": "W = 2\n",
        "hidden/shared/__init__.py": "",
        "hidden/shared/values.py": "V = 1\n",
    },
    "two folders": {
        "hidden/a/test_a.py": "from one import V\nfrom solution import f\ndef test_it(): assert f(V) == 2\n",
        "hidden/a/one.py": "V = 1\n",
        "hidden/b/test_b.py": "from two import W\nfrom solution import f\ndef test_it(): assert f(W) == 3\n",
        "hidden/b/two.py": "W = 2\n",
    },
    "a stub of the submission": {
        "hidden/test_it.py": "from solution import f\ndef test_it(): assert f(1) == 2\n",
        "hidden/solution.py": "def f(n): raise NotImplementedError\n",
    },
    "a helper that uses the submission": {
        "hidden/test_it.py": "from helper import check\ndef test_it(): check()\n",
        "hidden/helper.py": "from solution import f\ndef check(): assert f(1) == 2\n",
    },
}


@pytest.mark.parametrize("isolation", ["two-process", "shared"])
@pytest.mark.parametrize("name", BESIDE)
def test_what_lies_beside_is_found(jail: Sandbox, name: str, isolation: str) -> None:
    told = reports(jail, SOLUTION, BESIDE[name], isolation=isolation)
    assert {outcome for outcome, _ in told.values()} == {"passed"}, told


def test_a_module_of_the_submission_takes_no_helpers_place(jail: Sandbox) -> None:
    tests = BESIDE["a module"]
    hostile = {"solution.py": "def f(n): return 0\n", "helper.py": "CASES = []\n"}
    # In one process there is one module of that name, and the submission has it; apart each side has its own.
    assert cases(graded(jail, hostile, tests, SOLUTION))["test_it"].outcome is Outcome.DISPUTED


def test_neither_does_a_helper_take_a_modules_place(jail: Sandbox) -> None:
    tests = BESIDE["a module"]
    honest = {"solution.py": "import helper\ndef f(n): return n + helper.STEP\n", "helper.py": "STEP = 1\n"}
    assert reports(jail, honest, tests)["test_it"][0] == "passed"


DRAWN = "import random\nimport pytest\nfrom solution import f\n@pytest.mark.parametrize('n', [random.randint(0, 10**9) for _ in range(3)])\ndef test_it(n): assert f(n) == n + 1\n"
OTHER_IDS = {
    "of the clock": "time.monotonic_ns()",
    "of the kernel": "os.urandom(8).hex()",
    "of an identifier": "str(uuid.uuid4())",
}


def test_what_is_drawn_while_tests_are_collected_is_the_same_for_all(jail: Sandbox) -> None:
    told = cases(graded(jail, SOLUTION, DRAWN, SOLUTION))
    assert [case.outcome for case in told.values()] == [Outcome.PASSED] * 3
    wrong = cases(graded(jail, "def f(n): return n\n", DRAWN, SOLUTION))
    assert wrong.keys() == told.keys()
    assert {case.outcome for case in wrong.values()} == {Outcome.FAILED}


@pytest.mark.parametrize("way", OTHER_IDS)
def test_ids_that_differ_each_time_are_the_tasks_fault(jail: Sandbox, way: str) -> None:
    head = "import os, time, uuid\nimport pytest\nfrom solution import f\n"
    tests = head + f"@pytest.mark.parametrize('n', [{OTHER_IDS[way]}])\ndef test_it(n): assert f(1) == 2\n"
    with pytest.raises(TaskUnusable, match=r"other ids each time .*test_it\["):
        graded(jail, SOLUTION, tests, SOLUTION)


def test_ids_that_the_submission_changes_are_its_own_doing(jail: Sandbox) -> None:
    tests = "import pytest, solution\n@pytest.mark.parametrize('n', sorted(solution.CASES))\ndef test_it(n): assert solution.CASES[n] == n\n"
    told = cases(graded(jail, "CASES = {1: 1}\n", tests, "CASES = {1: 1, 2: 2}\n"))
    assert {name: case.outcome for name, case in told.items()} == {
        "test_it[1]": Outcome.PASSED,
        "test_it[2]": Outcome.NOT_RUN,
    }
    told = cases(graded(jail, "CASES = {3: 3}\n", tests, "CASES = {1: 1}\n"))
    assert told["test_it[1]"].outcome is Outcome.NOT_RUN
    told = cases(graded(jail, "raise ValueError\n", tests, "CASES = {1: 1}\n"))
    assert told["test_it[1]"].outcome is Outcome.NOT_RUN
