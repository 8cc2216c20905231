"""A case of a `call` suite that runs out of a limit, or ends the program, ends itself and no other; in real boxes."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import pytest

from graders.builtin.hidden_tests import HiddenTests
from graders.interface import (
    CaseOutcome,
    Context,
    Finding,
    Limits,
    Outcome,
    Session,
    Signal,
    SubmissionId,
    Suite,
)
from graders.plugins.testing import context_of
from graders.suites import shared_limits
from rubrics.prefill import prefill
from service.rubric_files import builtin_rubrics

P, F, E, T = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.NOT_TRIED
SLOW = "import time\ndef f(n):\n    if n in (3, 7):\n        time.sleep(60)\n    return n if n != 5 else -1\n"


def context(
    session: Session, code: str, count: int, *, id: str = "s", limits: Limits | None = None, **options: object
) -> Context:
    lines = "\n".join(json.dumps({"call": f"f({n})", "returns": str(n)}) for n in range(1, count + 1))
    suite = Suite(id="s", kind="call", files={"hidden/c.jsonl": lines}, options={"entry_point": "f", **options})
    made = context_of({"solution.py": code}, session)
    task = replace(made.task, suites=(suite,), limits=limits or Limits())
    return replace(made, task=task, submission=replace(made.submission, id=SubmissionId(id)))


def graded(context: Context) -> Sequence[Signal]:
    return list(HiddenTests().grade(context))


def outcomes(signals: Sequence[Signal]) -> list[tuple[str, Outcome]]:
    """In the order in which they were put."""
    return [(signal.case, signal.outcome) for signal in signals if isinstance(signal, CaseOutcome)]


def in_order(signals: Sequence[Signal]) -> list[Outcome]:
    by_number = {int(case.removeprefix("line-")): outcome for case, outcome in outcomes(signals)}
    return [by_number[number] for number in sorted(by_number)]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graders.suites.call.runner.CASE_SECONDS", 0.5)


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the limits of the process end a case, however busy the machine is."""
    monkeypatch.setattr("graders.suites.call.runner.CASE_SECONDS", 600.0)


@pytest.mark.usefixtures("impatient")
def test_the_same_code_under_another_id_meets_the_same_cases_with_the_same_outcomes(session: Session) -> None:
    found = [graded(context(session, SLOW, 9, id=id)) for id in ("sub_1", "sub_2", "other", "")]
    assert in_order(found[0]) == [P, P, E, P, F, P, E, P, P]
    assert [outcomes(each) for each in found] == [outcomes(found[0])] * 4, "in the same order as well"
    levels = {prefill(builtin_rubrics()["default"], each)[0].level for each in found}
    assert levels == {2}
    assert not [signal for each in found for signal in each if isinstance(signal, Finding) and signal.flag]


@pytest.mark.usefixtures("impatient")
def test_other_code_and_another_version_meet_the_cases_in_another_order(session: Session) -> None:
    first = context(session, SLOW.replace("(3, 7)", "()"), 9)
    other_code = replace(first, submission=replace(first.submission, files={"solution.py": "def f(n): return n"}))
    other_version = replace(first, task=replace(first.task, version="another"))
    orders = {tuple(case for case, _ in outcomes(graded(each))) for each in (first, other_code, other_version)}
    assert len(orders) == 3


@pytest.mark.parametrize(
    ("ending", "end"),
    [("os._exit(3)", "exited"), ("os.kill(os.getpid(), 9)", "signalled"), ("bytearray(4 << 30)", "")],
)
def test_a_case_that_ends_the_program_ends_no_other(session: Session, ending: str, end: str) -> None:
    signals = graded(context(session, f"import os\ndef f(n):\n    if n % 2: {ending}\n    return n", 7))
    assert [outcome is P for outcome in in_order(signals)] == [False, True] * 3 + [False]
    if end:
        assert {each.end for each in signals if isinstance(each, CaseOutcome) and each.outcome is E} == {end}
        [flag] = [each for each in signals if isinstance(each, Finding)]
        assert flag.rule == "assay/early-exit"


def test_after_five_of_them_the_rest_is_not_tried_and_the_level_is_open(session: Session) -> None:
    signals = graded(context(session, "import os\ndef f(n): os._exit(0)", 14))
    assert [outcome for _, outcome in outcomes(signals)] == [E] * 5 + [T] * 9
    notes = {each.note for each in signals if isinstance(each, CaseOutcome) and each.outcome is T}
    assert notes == {"not tried: 5 cases before it ran out of a limit or ended the program"}
    entry = prefill(builtin_rubrics()["default"], signals)[0]
    assert (entry.level, entry.rule) == (None, "undecided")
    assert entry.says == "9 cases were not tried, and the level depends on them."


def test_a_program_that_ends_while_it_is_loaded_is_loaded_once(session: Session) -> None:
    signals = graded(context(session, "import os\nos._exit(0)", 14))
    assert Counter(outcome for _, outcome in outcomes(signals)) == {E: 1, Outcome.NOT_RUN: 13}


BUSY = "import time\ndef f(n):\n    end = time.process_time() + 0.3\n    while time.process_time() < end: pass\n    return n"


@pytest.mark.usefixtures("patient")
def test_a_case_that_finds_the_limits_used_by_others_is_asked_again(session: Session) -> None:
    """Each takes a third of the limit, all together twice as much."""
    limits = Limits(cpu_seconds=1, wall_seconds=600)
    ends: list[str] = []
    made = context(session, BUSY, 7, limits=limits)
    signals = graded(replace(made, ended=lambda execution: ends.append(execution.end.value)))
    assert in_order(signals) == [P] * 7
    assert "cpu-timeout" in ends and ends[-1] == "exited"


@pytest.mark.usefixtures("patient")
def test_what_is_used_together_has_an_end(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_limits, "MOST_USED_UP", 1)
    signals = graded(context(session, BUSY, 30, limits=Limits(cpu_seconds=1, wall_seconds=600)))
    found = [outcome for _, outcome in outcomes(signals)]
    tried = found.index(T)
    assert 2 <= tried <= 8
    assert found == [P] * tried + [T] * (30 - tried)
    last = next(each for each in signals if isinstance(each, CaseOutcome) and each.outcome is T)
    assert last.note == "not tried: the cases before it had used the limits of 2 processes"


@pytest.mark.usefixtures("patient")
def test_an_endless_loop_ends_its_own_case_whatever_came_before(session: Session) -> None:
    """Five of them, each after others that may have used the limit: what is asked again and is lost is no sign of that."""
    limits = Limits(cpu_seconds=0.5, wall_seconds=600)
    code = "import time\ndef f(n):\n    time.sleep(0.1)\n    while n % 2: pass\n    return n"
    assert in_order(graded(context(session, code, 8, limits=limits))) == [E, P] * 4
