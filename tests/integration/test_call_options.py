"""Options that all kinds share, and the checker any-of, as `call` suites have them, in a real box."""

import json
from dataclasses import replace

import pytest

from graders.hidden_tests import HiddenTests
from graders.interface import CaseOutcome, Limits, Measurement, Outcome, Session, Suite
from graders.testing import context_of

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
