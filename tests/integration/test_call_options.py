"""Options that all kinds share, and the checker any-of, as `call` suites have them, in a real box."""

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest

from graders.builtin.hidden_tests import HiddenTests
from graders.interface import CaseOutcome, Finding, Limits, Measurement, Outcome, Session, Suite, TaskUnusable
from graders.plugins.testing import context_of
from service.evaluation.task_cache import TaskCache

P, F, E, N = Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.NOT_RUN
CASES = [{"call": f"f({n})", "returns": str(n), "group": "even" if n % 2 == 0 else "odd"} for n in range(6)]
ACCEPTS = {"hidden/accepts.py": "def accepts(args, expected, got): return expected == got"}


def graded(
    session: Session, code: str, cases: list[dict[str, str]], **options: object
) -> tuple[list[CaseOutcome], float]:
    """The outcomes, and how much was printed."""
    files = {"hidden/c.jsonl": "\n".join(map(json.dumps, cases))} | (ACCEPTS if "predicate" in options.values() else {})
    suite = Suite(id="s", kind="call", files=files, options={"entry_point": "f", **options})
    context = context_of({"solution.py": code}, session)
    signals = list(HiddenTests().grade(replace(context, task=replace(context.task, suites=(suite,), limits=Limits()))))
    printed = sum(
        signal.value * 1024 for signal in signals if isinstance(signal, Measurement) and signal.name == "printed"
    )
    return [signal for signal in signals if isinstance(signal, CaseOutcome)], printed


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("def f(n):\n    print('x', end='', flush=True)\n    return -1", F),
        ("def f(n):\n    print('x', end='', flush=True)\n    raise ValueError", F),
        ("import os\ndef f(n):\n    os.write(1, b'x')\n    os._exit(0)", E),
        ("def f(n):\n    print('x', end='', flush=True)\n    return f", F),
    ],
)
@pytest.mark.parametrize("checker", ["exact", "predicate"])
def test_nothing_is_asked_after_a_failure(session: Session, code: str, first: Outcome, checker: str) -> None:
    found, printed = graded(session, code, CASES, stop_on_failure=True, checker=checker)
    assert [case.outcome for case in found] == [first, N, N, N, N, N]
    assert printed == 1 or (checker == "predicate" and "-1" in code), "a predicate is asked when all have been put"
    assert [bool(case.given) for case in found] == [True] + [False] * 5


def test_all_cases_run_where_all_pass(session: Session) -> None:
    found, _ = graded(session, "def f(n): return n", CASES, stop_on_failure=True)
    assert [case.outcome for case in found] == [P] * 6


def test_groups_weigh_what_the_author_says(session: Session) -> None:
    found, _ = graded(session, "def f(n): return n if n % 2 else 0", CASES, groups={"even": 3, "odd": 6})
    by_id = {case.case: case for case in found}
    assert [(by_id[f"line-{n}"].group, by_id[f"line-{n}"].weight) for n in range(1, 7)] == [("even", 1), ("odd", 2)] * 3
    assert [by_id[f"line-{n}"].outcome for n in range(1, 7)] == [P, P, F, P, F, P]


def test_any_of_the_accepted_values(session: Session) -> None:
    cases = [
        {"call": "f(0)", "returns": "[1, [2]]"},
        {"call": "f(1)", "returns": "[(1,), None]"},
        {"call": "f(2)", "raises": "KeyError"},
    ]
    code = "def f(n):\n    if n == 2: raise KeyError\n    return [2] if n == 0 else [1]"
    found = {case.case: case for case in graded(session, code, cases, checker="any-of")[0]}
    assert {name: case.outcome for name, case in found.items()} == {"line-1": P, "line-2": F, "line-3": P}
    assert (found["line-2"].wanted, found["line-2"].got) == ("[(1,), None]", "[1]")


# --- an author's predicate that breaks --------------------------------------------------------------------------------------

BREAKS = {
    "raises": ("return got.wrong", "raised AttributeError: 'int' object"),
    "says neither": ("return 'yes'", 'returned "yes", neither True nor False'),
    "says a number": ("return 1", "returned 1, neither True nor False"),
    "says what cannot cross": ("return accepts", "gave no answer: "),
    "ends its process": ("os._exit(0)", "ended by exited"),
    "kills it": ("os.kill(os.getpid(), 9)", "ended by signalled"),
    "takes all memory": ("return len(b'x' * (4 << 30))", "ended by out-of-memory|raised MemoryError"),
    "leaves": ("sys.exit(0)", "raised SystemExit"),
    "hangs": ("while True: pass", "ended by (cpu|wall)-timeout"),
}
RIGHT = "def f(n): return n"


def judged(
    session: Session, code: str, predicate: str, remember: Callable[..., object] | None = None, count: int = 6
) -> tuple[dict[str, CaseOutcome], list[Finding]]:
    """Outcomes by case, and what is said to the author."""
    files = {"hidden/c.jsonl": "\n".join(map(json.dumps, CASES[:count])), "hidden/accepts.py": predicate}
    suite = Suite(id="s", kind="call", files=files, options={"entry_point": "f", "checker": "predicate"})
    context = context_of({"solution.py": code}, session)
    task = replace(context.task, suites=(suite,), limits=Limits(), reference={"solution.py": RIGHT})
    context = replace(context, task=task, remember=remember or TaskCache().of("t", "1"))
    signals = list(HiddenTests().grade(context))
    found = {signal.case: signal for signal in signals if isinstance(signal, CaseOutcome)}
    findings = [signal for signal in signals if isinstance(signal, Finding)]
    assert not [finding for finding in findings if finding.flag]
    return found, findings


@pytest.mark.parametrize("name", BREAKS)
def test_a_predicate_that_breaks_on_this_value_only_has_rejected_it(
    name: str, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "hangs":
        monkeypatch.setattr("graders.suites.call.predicate.CASE_SECONDS", 2.0)
    breaks, why = BREAKS[name]
    predicate = f"import os, sys\ndef accepts(args, expected, got):\n    if got < 0:\n        {breaks}\n    return expected == got"
    found, findings = judged(session, "def f(n): return -1 if n == 2 else 7 if n == 4 else n", predicate)
    # The others are judged all the same, in a box of their own where need be.
    assert [found[f"line-{n}"].outcome for n in range(1, 7)] == [P, P, F, P, F, P]
    assert re.search(f"this is rejected: the checker ({why})", found["line-3"].note), found["line-3"].note
    assert found["line-5"].note == "", "it was judged, and rejected"
    [mend] = findings
    assert (mend.rule, mend.severity) == ("assay/task-checker", "low")
    assert "(case line-3), while it accepts the reference's" in mend.message


def test_answers_that_make_a_predicate_slow_hold_no_worker_for_long(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each verdict is within its time; all together are not."""
    monkeypatch.setattr("graders.suites.call.predicate.SUITE_SECONDS", 0.5)
    predicate = "import time\ndef accepts(args, expected, got):\n    time.sleep(0.7)\n    return expected == got"
    found, _ = judged(session, RIGHT, predicate)
    assert sorted(case.outcome for case in found.values()) == sorted([P, F, F, F, F, F])
    assert sum("had taken too long" in case.note for case in found.values()) == 5


def test_a_predicate_that_breaks_on_the_reference_as_well_is_the_task_s_failure(session: Session) -> None:
    predicate = "def accepts(args, expected, got):\n    return got > 2 or 1 // 0"
    with pytest.raises(
        TaskUnusable, match=r"case line-[123]: its checker raised ZeroDivisionError.* the reference is no better"
    ):
        judged(session, RIGHT, predicate)
    # One that rejects the reference has a verdict, and that counts.
    found, findings = judged(session, RIGHT, "def accepts(args, expected, got):\n    return got > 2")
    assert [found[f"line-{n}"].outcome for n in range(1, 7)] == [F, F, F, P, P, P]
    assert findings == []


def test_a_predicate_that_hangs_on_all_is_not_asked_for_ever(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graders.suites.call.predicate.CASE_SECONDS", 1.0)
    predicate = "def accepts(args, expected, got):\n    while got < 0: pass\n    return True"
    found, _ = judged(session, "def f(n): return -1", predicate)
    assert {case.outcome for case in found.values()} == {F}
    notes = sorted(case.note.partition(":")[0] for case in found.values())
    assert notes == ["no verdict, and the reference's is accepted, so this is rejected"] * 3 + ["not judged"] * 3


def test_a_slow_predicate_has_its_seconds_for_each_case(session: Session) -> None:
    """Not for all together: the limits of the task are for the submission."""
    predicate = "import time\ndef accepts(args, expected, got):\n    time.sleep(0.9)\n    return expected == got"
    files = {"hidden/c.jsonl": "\n".join(map(json.dumps, CASES)), "hidden/accepts.py": predicate}
    suite = Suite(id="s", kind="call", files=files, options={"entry_point": "f", "checker": "predicate"})
    context = context_of({"solution.py": RIGHT}, session)
    task = replace(context.task, suites=(suite,), limits=Limits(wall_seconds=5.0))  # all six take longer
    signals = list(HiddenTests().grade(replace(context, task=task)))
    assert [signal.outcome for signal in signals if isinstance(signal, CaseOutcome)] == [P] * 6
