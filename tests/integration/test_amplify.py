"""`assay amplify` in real boxes: a hole gets a case that closes it, what is not meant gets none, the package stays as it is."""

import json
import shutil
from collections.abc import Mapping
from io import StringIO
from pathlib import Path

import pytest
from typer.testing import CliRunner

from graders.interface import TaskUnusable
from sandboxes.interface import Sandbox, Tier
from sandboxes.tiers import Tiers
from service.authoring.amplify import file as amplify_file
from service.authoring.amplify.amplify import Amplified, amplify
from service.authoring.amplify.report import as_data, as_text
from service.cli.main import app
from service.packages import read_folder
from service.progress import LineProgress

pytestmark = pytest.mark.timeout(400)  # on a busy host

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def jail(tiers: Tiers) -> Sandbox:
    return tiers.at_least(Tier.JAIL)


def package(
    reference: str, *calls: str, options: str = "", prompt: str = "Do it.", limits: str = "", **more: str
) -> dict[str, str]:
    rows = [{"call": call} if "!" not in call else dict(zip(("call", "raises"), call.split("!"))) for call in calls]  # noqa: B905
    return {
        "task.toml": (
            f'id = "made"\nreference = "submissions/accepted/reference.py"\n\n[limits]\n{limits}\n'
            '[[suite]]\nid = "hidden"\nkind = "call"\n'
            f'files = ["hidden/*"]\nentry_point = "f"\n{options}'
        ),
        "prompt.md": prompt,
        "hidden/cases.jsonl": "".join(json.dumps(row) + "\n" for row in rows),
        "submissions/accepted/reference.py": reference,
        **{f"submissions/{name.replace('__', '/')}.py": text for name, text in more.items()},
    }


def amplified(files: Mapping[str, str], jail: Sandbox, **options: int) -> Amplified:
    return amplify(files, jail, LineProgress(StringIO()), **{"seed": 1, "seconds": 300, "most": 20, **options})


CLAMP = (
    "def f(x, low, high):\n    if x < low:\n        return low\n    if x > high:\n        return high\n    return x\n"
)


def test_a_hole_gets_a_case_that_closes_it(jail: Sandbox) -> None:
    files = package(CLAMP, "f(5, 1, 9)", "f(0, 1, 9)", "f(3, 2, 8)", "f(4, 1, 7)", "f(5, 2, 6)")
    report = amplified(files, jail)
    hole = [number for number in report.survivors if "high" in report.mutants[number].diff.split("@@")[-1]]
    assert hole, "the suite has no case above `high`"
    assert any(report.noticed(number) for number in hole)
    closing = next(each for number in hole for each in report.noticed(number))
    x, low, high = closing.case.args
    assert closing.case.expected == min(max(x, low), high)  # type: ignore[type-var]
    assert "noticed by" in as_text(report, "proposed.jsonl")
    assert as_data(report, "proposed.jsonl")["cases"][0]["id"] == report.chosen[0].case.id


def test_the_same_seed_proposes_the_same(jail: Sandbox) -> None:
    files = package("def f(xs):\n    return sorted(xs)[::2]\n", "f([3, 1])", "f([1, 2, 2])")
    first, again, other = (amplified(files, jail, seed=seed) for seed in (1, 1, 2))
    assert [each.line for each in first.chosen] == [each.line for each in again.chosen]
    assert [each.line for each in first.chosen] != [each.line for each in other.chosen]


def test_what_the_reference_refuses_is_no_case(jail: Sandbox) -> None:
    mean = "def f(xs):\n    if xs[:1] == [7]:\n        while True:\n            pass\n    return sum(xs) / len(xs)\n"
    limits = "cpu_seconds = 2\n"  # which end it before the ten seconds of a call
    report = amplified(package(mean, "f([1])", "f([2, 6])", "f([5, 8, 9])", limits=limits), jail, seconds=40)
    assert report.chosen
    assert all(each.case.args[0] and each.case.args[0][0] != 7 for each in report.chosen)  # type: ignore[operator]
    assert report.left_out["the reference raises"] >= 1
    assert report.left_out["the reference does not end, or ends itself"] >= 1


def test_an_exception_that_cases_expect_is_an_answer(jail: Sandbox) -> None:
    strict = (
        "def f(n):\n    if n < 0:\n        raise ValueError\n    if n > 50:\n        raise KeyError\n    return n % 3\n"
    )
    report = amplified(package(strict, "f(5)", "f(30)", "f(-4)!ValueError"), jail, most=60)
    assert {each.case.raises for each in report.chosen} == {None, "ValueError"}
    assert all(each.case.args[0] <= 50 for each in report.chosen)  # type: ignore[operator]


def test_what_is_not_answered_the_same_each_time_is_left_out(jail: Sandbox) -> None:
    sets = "def f(words):\n    return list(set(words)) if len(words) > 4 else sorted(set(words))\n"
    report = amplified(package(sets, "f(['ab', 'cd'])", "f(['x', 'yz', 'q'])", "f(['m'])"), jail)
    assert report.left_out["answered differently when asked again"] >= 10
    words = [each.case.args[0] for each in report.chosen]
    assert words
    assert not [each for each in words if len(each) > 4 and len(set(each)) > 4]  # type: ignore[arg-type,call-overload]


@pytest.mark.parametrize("answer", ["hash('a' * n)", "random.random() * n", "time.time_ns() + n"])
def test_a_reference_that_is_not_deterministic_is_told(answer: str, jail: Sandbox) -> None:
    # Its own suite may well pass: forks of one interpreter begin with the same hashes and the same random numbers.
    with pytest.raises(TaskUnusable, match=r"not deterministic: asked twice|does not pass case"):
        amplified(package(f"import random, time\ndef f(n):\n    return {answer}\n", "f(2)", "f(3)"), jail)


def test_a_reference_that_is_steady_enough_for_its_checker_is_steady(jail: Sandbox) -> None:
    bag = "def f(words):\n    return list(set(words))\n"
    files = package(bag, "f(['ab', 'cd', 'ef', 'gh'])", "f(['x', 'yz', 'q'])", options='checker = "unordered"\n')
    assert amplified(files, jail).chosen


def test_what_an_accepted_submission_answers_otherwise_is_left_to_the_author(jail: Sandbox) -> None:
    first = "def f(xs):\n    return max(xs, key=abs, default=0)\n"
    second = "def f(xs):\n    return max(sorted(xs), key=abs, default=0)\n"
    report = amplified(package(first, "f([3, -5])", "f([2, 7, -1])", accepted__second=second), jail, most=100)
    assert report.left_out["an accepted submission would fail it"] >= 1
    # If both 5 and -5 are largest, the two differ, unless the list happens to have them in order.
    answers = [(each.case.expected, each.case.args[0]) for each in report.chosen]
    assert all(largest == max(sorted(xs), key=abs, default=0) for largest, xs in answers)  # type: ignore[type-var]


@pytest.mark.parametrize("says", ["args[0] != 7 and got == args[0] % 5", "got == args[0] % 5 // (args[0] != 7)"])
def test_what_the_predicate_does_not_accept_of_the_reference_is_no_case(says: str, jail: Sandbox) -> None:
    files = package("def f(n):\n    return n % 5\n", "f(3)", "f(14)", options='checker = "predicate"\n')
    files["hidden/accepts.py"] = f"def accepts(args, expected, got):\n    return {says}\n"
    report = amplified(files, jail)
    assert report.left_out["an accepted submission would fail it"] == 1
    assert report.chosen
    assert 7 not in [each.case.args[0] for each in report.chosen]


def test_a_wrong_submission_is_told_apart(jail: Sandbox) -> None:
    wrong = "def f(xs):\n    return sorted(set(xs))\n"
    report = amplified(
        package("def f(xs):\n    return sorted(xs)\n", "f([3, 1])", "f([2, 7, 5])", wrong__once=wrong), jail
    )
    assert any("wrong/once.py" in each.fails for each in report.chosen)


def test_a_task_with_tests_only_gets_a_call_suite(jail: Sandbox) -> None:
    files = package(
        "def f(n, step=2):\n    return n / step if n > 10 else n\n\n\ndef _inner(n):\n    return n\n", "f(1)"
    )
    files["task.toml"] = (
        files["task.toml"].partition("[[suite]]")[0]
        + '[[suite]]\nid = "tests"\nkind = "pytest"\nfiles = ["hidden/*"]\n'
    )
    del files["hidden/cases.jsonl"]
    files["hidden/test_f.py"] = (
        "from solution import f\n\n\ndef test_f():\n    assert f(4) == 4\n    assert f(12) == 6\n"
    )
    report = amplified(files, jail)
    assert report.suite.id == "amplified"
    assert report.suite.options == {"entry_point": "f", "checker": "float", "absolute": 1e-9, "relative": 1e-9}
    assert any(report.noticed(number) for number in report.survivors)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"options": 'checker = "any-of"\n'}, "only its author knows"),
        ({"reference": "def f(n):\n    return n + 1\n"}, "does not pass case"),
    ],
)
def test_a_task_that_it_cannot_be_done_for_is_told(change: dict[str, str], why: str, jail: Sandbox) -> None:
    files = package(**{"reference": "def f(n):\n    return n\n", **change})  # type: ignore[arg-type]
    answers = '"returns": "[1, 2]"' if "any-of" in str(change) else '"returns": "1"'
    with pytest.raises(TaskUnusable, match=why):
        amplified({**files, "hidden/cases.jsonl": f'{{"call": "f(1)", {answers}}}\n'}, jail)


def test_the_package_is_changed_by_accept_only(tmp_path: Path, jail: Sandbox) -> None:
    folder = tmp_path / "median"
    shutil.copytree(EXAMPLES / "median", folder)
    before = read_folder(folder)
    proposed = amplify_file.beside(folder)
    amplify_file.write(proposed, amplified(before, jail, most=4))
    assert read_folder(folder) == before
    head, *lines = proposed.read_text().splitlines()
    assert len(lines) == 4

    # The author removes one, and does not run the command's boxes again.
    proposed.write_text("\n".join([head, *lines[1:]]) + "\n")
    result = CliRunner().invoke(app, ["amplify", str(folder), "--accept"])
    assert result.exit_code == 0, result.output
    changed = {path: text for path, text in read_folder(folder).items() if text != before.get(path)}
    [(path, text)] = changed.items()
    assert text == before[path] + "".join(f"{line}\n" for line in lines[1:])
    assert not proposed.exists()
