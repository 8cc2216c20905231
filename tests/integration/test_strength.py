"""The worth of suites, tried in real boxes: every hole is found, and a suite without holes is reported as such."""

import json
from collections.abc import Mapping
from io import StringIO

import pytest

from graders.interface import TaskUnusable
from sandboxes.interface import Sandbox, Tier
from sandboxes.tiers import Tiers
from service.authoring.strength import Strength, strength
from service.authoring.strength_report import as_data, as_text
from service.progress import LineProgress


@pytest.fixture(scope="module")
def jail(tiers: Tiers) -> Sandbox:
    return tiers.at_least(Tier.JAIL)


CLAMP = "def clamp(x, low, high):\n    if x < low:\n        return low\n    if x > high:\n        return high\n    return x\n"


def package(reference: str, suite: str, hidden: Mapping[str, str], **more: str) -> dict[str, str]:
    return {
        "task.toml": f'id = "made"\nreference = "submissions/accepted/reference.py"\n\n[[suite]]\nid = "hidden"\n{suite}',
        "prompt.md": "Do it.",
        **{f"hidden/{path}": text for path, text in hidden.items()},
        "submissions/accepted/reference.py": reference,
        **{f"submissions/{name.replace('__', '/')}.py": text for name, text in more.items()},
    }


def calls(reference: str, entry_point: str, *cases: tuple[str, str], options: str = "", **more: str) -> dict[str, str]:
    rows = [{"id": call, "call": call, "returns": returns} for call, returns in cases]
    suite = f'kind = "call"\nfiles = ["hidden/*"]\nentry_point = "{entry_point}"\n{options}'
    return package(reference, suite, {"cases.jsonl": "".join(json.dumps(row) + "\n" for row in rows)}, **more)


def tried(files: Mapping[str, str], jail: Sandbox, seconds: float = 60) -> Strength:
    return strength(files, jail, LineProgress(StringIO()), seconds=seconds)


def test_what_no_case_notices_is_shown(jail: Sandbox) -> None:
    report = tried(calls(CLAMP, "clamp", ("clamp(5, 1, 9)", "5"), ("clamp(0, 1, 9)", "1")), jail)
    assert [branch.never for branch in report.missed] == ["solution.py, line 4: `if x > high` is never true"]
    alive = [report.mutants[number].diff for number in report.alive]
    assert any("+        return" in diff or "high" in diff for diff in alive)
    assert len(alive) < len(report.mutants)
    assert report.sound
    text = as_text(report)
    assert "`if x > high` is never true" in text
    assert "or a case is missing in which `x` equals `high`" in text
    assert f"{len(report.mutants) - len(alive)} of {len(report.mutants)} mutants" in text
    data = as_data(report)
    assert [each["alive"] for each in data["mutants"]].count(True) == len(alive)
    assert all(each["alive"] is not bool(each["failed"]) for each in data["mutants"])


def test_cases_for_all_of_it_leave_nothing(jail: Sandbox) -> None:
    cases = [("clamp(5, 1, 9)", "5"), ("clamp(0, 1, 9)", "1"), ("clamp(10, 1, 9)", "9")]
    report = tried(calls(CLAMP, "clamp", *cases), jail)
    assert report.missed == ()
    assert report.unseen == 0
    # At its bounds a clamped number is what it was: `<=` for `<` is the same function.
    assert all("=" in report.mutants[number].diff for number in report.alive)


def test_a_case_that_another_makes_needless_is_told(jail: Sandbox) -> None:
    cases = [("clamp(5, 1, 9)", "5"), ("clamp(0, 1, 9)", "1"), ("clamp(10, 1, 9)", "9"), ("clamp(-1, 1, 9)", "1")]
    report = tried(calls(CLAMP, "clamp", *cases), jail)
    assert "hidden/clamp(-1, 1, 9)" in report.redundant
    assert len(report.redundant) < len(report.cases)


def test_a_suite_that_a_trivial_answer_passes_is_weak(jail: Sandbox) -> None:
    even = "def even(n):\n    return n % 2 == 0\n"
    report = tried(calls(even, "even", ("even(2)", "True"), ("even(4)", "True")), jail)
    assert report.passed_by_nothing == ("`return True`", "`return 1`")  # which equals it
    assert not report.sound
    assert "WEAK    `return True` passes every case" in as_text(report)


@pytest.mark.parametrize("isolation", ["two-process", "shared"])
def test_a_case_that_the_reference_fails_now_and_then_is_flaky(isolation: str, jail: Sandbox) -> None:
    # By the seed itself, not by an order of sets, which differs between boxes unless it is set.
    order = "import os\n\n\ndef order(words):\n    return sorted(words, reverse=os.environ.get('PYTHONHASHSEED') == '777')\n"
    tests = "from solution import order\n\ndef test_one():\n    assert order('a') == ['a']\n\ndef test_two():\n    assert order('ba') == ['a', 'b']\n"
    suite = f'kind = "pytest"\nfiles = ["hidden/*.py"]\nisolation = "{isolation}"\n'
    report = tried(package(order, suite, {"test_order.py": tests}), jail)
    assert report.flaky == {"hidden/hidden/test_order.py::test_two": 1}
    assert not report.sound
    assert "FLAKY   hidden/hidden/test_order.py::test_two: the reference failed it in 1 of 5 runs" in as_text(report)


def test_a_reference_that_fails_is_told(jail: Sandbox) -> None:
    with pytest.raises(TaskUnusable):
        tried(calls(CLAMP, "clamp", ("clamp(5, 1, 9)", "6")), jail)


def test_every_case_has_its_say_where_the_suite_stops_at_a_failure(jail: Sandbox) -> None:
    cases = [("clamp(0, 1, 9)", "1"), ("clamp(-5, 1, 9)", "1"), ("clamp(10, 1, 9)", "9")]
    report = tried(calls(CLAMP, "clamp", *cases, options="stop_on_failure = true\n"), jail)
    assert any(len(failed) > 1 for failed in report.failed.values())


def test_programs_that_read_and_print_are_tried_by_what_they_print(jail: Sandbox) -> None:
    double = "print(2 * int(input()))\n"
    files = package(
        double, 'kind = "stdio"\nfiles = ["hidden/*"]\n', {"1.in": "0\n", "1.ans": "0\n", "2.in": "4\n", "2.ans": "8\n"}
    )
    report = tried(files, jail)
    passes = {each.does: each.passes for each in report.trivial if each.passes}
    assert passes.keys() == {"printing 0", "printing its input", "printing the first line of its input"}
    assert report.mutants
    assert not report.passed_by_nothing


def test_wrong_submissions_count_as_mistakes_to_notice(jail: Sandbox) -> None:
    cases = [("clamp(5, 1, 9)", "5"), ("clamp(0, 1, 9)", "1"), ("clamp(10, 1, 9)", "9"), ("clamp(7, 7, 7)", "7")]
    picky = CLAMP.replace("    if x < low", "    if low == high:\n        return None\n    if x < low")
    report = tried(calls(CLAMP, "clamp", *cases, wrong__picky=picky), jail)
    assert report.failed["wrong/picky.py"] == {"hidden/clamp(7, 7, 7)"}
    assert "hidden/clamp(7, 7, 7)" not in report.redundant


def test_what_there_is_no_time_for_is_counted(jail: Sandbox) -> None:
    report = tried(calls(CLAMP, "clamp", ("clamp(5, 1, 9)", "5")), jail, seconds=0.0)
    assert report.unseen > 10
    assert f"no time for {report.unseen} programs" in as_text(report)
