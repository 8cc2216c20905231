"""A kind of suite is a folder and a line in the table of kinds: with these two, all of Assay knows it."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from graders.builtin.hidden_tests import TASK_VALUES, HiddenTests
from graders.interface import CaseOutcome, Finding, Outcome, Suite
from graders.plugins.testing import context_of
from graders.suites.kinds import KINDS
from graders.suites.reporting import SHOWN_CASES, CaseTexts, SuiteReporter
from graders.tasks.package import PackageError, load
from service.reading.task_summary import summarize
from tests.unit.sixth_kind.kind import WordKind

HEAD = 'id = "t"\nreference = "submissions/accepted/a.py"\n'
SUITE = '[[suite]]\nid = "w"\nkind = "words"\nfiles = ["hidden/*"]\n'


def package(suite: str, words: str = "def\nRETURN\n") -> Mapping[str, str]:
    return {
        "task.toml": HEAD + suite, "prompt.md": "Write `f`.", "hidden/words.txt": words,
        "submissions/accepted/a.py": "def f():\n    return 1\n",
    }  # fmt: skip


@pytest.fixture(autouse=True)
def sixth_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, WordKind.name, WordKind())  # type: ignore[arg-type] # a dict


def test_its_packages_load_and_tell_how_many_cases_they_have() -> None:
    [suite] = summarize(load(package(SUITE))).suites
    assert (suite.kind, suite.cases) == ("words", 2)


@pytest.mark.parametrize(
    ("suite", "words", "field", "expected"),
    [
        (SUITE + "any_case = 1\n", "a", "suite.w.any_case", "true or false"),
        (SUITE + 'checker = "exact"\n', "a", "suite.w.checker", "one of the keys any_case, files, groups, id, kind"),
        (SUITE + "groups = { g = 1 }\n", "a", "suite.w.groups.g", "some case"),
        (SUITE, " ", "suite.w.files", "at least one word"),
        (SUITE.replace("words", "verse"), "a", "suite.w.kind", "property, program, words, not 'verse'"),
    ],
)
def test_its_options_and_files_are_looked_at(suite: str, words: str, field: str, expected: str) -> None:
    with pytest.raises(PackageError) as caught:
        load(package(suite, words))
    assert caught.value.field == field
    assert expected in caught.value.expected


def test_its_cases_are_run_and_reported() -> None:
    task = load(package(SUITE + "stop_on_failure = true\nweight = 2\n", "def\nRETURN\nword\n"))
    context = replace(context_of({"solution.py": "def f(): return 1"}), task=task)
    signals = list(HiddenTests().grade(context))
    cases = {signal.case: signal for signal in signals if isinstance(signal, CaseOutcome)}
    assert {name: case.outcome for name, case in cases.items()} == {
        "def": Outcome.PASSED,
        "RETURN": Outcome.FAILED,
        "word": Outcome.NOT_RUN,
    }
    assert (cases["RETURN"].weight, cases["RETURN"].given) == (2, "RETURN")
    assert (cases["RETURN"].grader, cases["RETURN"].criterion) == (HiddenTests.id, HiddenTests.criterion)
    [advice] = [signal for signal in signals if isinstance(signal, Finding)]
    assert (advice.rule, advice.message) == (TASK_VALUES, "`word` is a poor word")


def test_each_kind_is_in_the_table_under_its_name() -> None:
    assert {name: kind.name for name, kind in KINDS.items()} == {name: name for name in KINDS}
    assert [name for name, kind in KINDS.items() if kind.runs_programs] == ["stdio"]


def test_only_so_many_cases_carry_texts() -> None:
    reporter = SuiteReporter(suite=Suite(id="s", kind="call", files={}), grader="g", criterion="c")
    texts = CaseTexts(given="1", wanted="2", got="3")
    shown = []
    for number in range(SHOWN_CASES + 3):
        reporter.report_case(f"passed {number}", Outcome.PASSED)
        told = texts if reporter.has_room else None
        shown.append(reporter.report_case(str(number), Outcome.FAILED, texts=told))
    assert [case.got for case in shown] == ["3"] * SHOWN_CASES + [""] * 3
