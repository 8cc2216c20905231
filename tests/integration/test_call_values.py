"""Values as submissions of `call` suites return them, in a real box in tier jail: right ones in odd forms, and hostile ones."""

import json
import tracemalloc
from dataclasses import replace

import pytest

from graders.builtin.hidden_tests import HiddenTests
from graders.interface import CaseOutcome, Limits, Outcome, Session, Suite
from graders.plugins.testing import context_of

P, F = Outcome.PASSED, Outcome.FAILED
ACCEPTS = {"hidden/accepts.py": "def accepts(args, expected, got): return got[0] is got[1] and expected == got"}

FORGES = """
import json, os, struct, sys
def f(n):
    nonce = sys._getframe(1).f_locals['question']['nonce']
    message = ('{"nonce":"' + nonce + '","value":%s}').encode()
    os.write(3, struct.pack('>I', len(message)) + message)
    os._exit(0)
"""
"""Writes its answer itself: what it sends is a tree, and no value that it had to make."""
COLLISIONS = """{"$set":[' + ','.join(str(k * (2 ** 61 - 1)) for k in range(100_000)) + ']}"""


def graded(session: Session, code: str, returns: str, reference: str = "", **options: object) -> list[CaseOutcome]:
    """What becomes of two cases that both expect this."""
    cases = [{"call": f"f({n})", **({"returns": returns} if returns else {})} for n in range(2)]
    files = {"hidden/c.jsonl": "\n".join(map(json.dumps, cases))} | (ACCEPTS if "predicate" in options.values() else {})
    suite = Suite(id="s", kind="call", files=files, options={"entry_point": "f", **options})
    context = context_of({"solution.py": code}, session)
    task = replace(context.task, suites=(suite,), limits=Limits(), reference={"solution.py": reference})
    signals = list(HiddenTests().grade(replace(context, task=task)))
    return [signal for signal in signals if isinstance(signal, CaseOutcome)]


@pytest.mark.parametrize(
    ("code", "returns", "checker"),
    [
        ("from decimal import Decimal\ndef f(n): return Decimal('1.50')", "1.5", "exact"),
        ("from fractions import Fraction\ndef f(n): return {Fraction(3, 2): [(1,)]}", "{1.5: [(1,)]}", "exact"),
        ("def f(n): return [[0] * 3] * 3", "[[0, 0, 0], [0, 0, 0], [0, 0, 0]]", "exact"),
        ("def f(n): return [[0] * 3] * 3", "[[0.0, 0, 1e-12], [0, 0, 0], [0, 0, 0]]", "float"),
        ("def f(n): return {'c', 'b', 'a'}", "{'a', 'b', 'c'}", "exact"),
        ("def f(n): return [(2, {3}), (1, [float('nan')])]", "[(1, [nan]), (2, {3})]", "unordered"),
        ("def f(n): return 10 ** 400 // 10 ** 399", "[9, 10]", "any-of"),
        ("def f(n): page = [1]; return [page, page]", "[[1], [1]]", "predicate"),
        (
            "from collections import *\ndef f(n): return ChainMap({1: 2}, {1: 3, 2: UserList([4])})",
            "{1: 2, 2: [4]}",
            "exact",
        ),
        ("from collections import *\ndef f(n): return [UserDict(a=UserString('x'))]", "[{'a': 'x'}]", "exact"),
        ("from types import *\ndef f(n): return MappingProxyType({1: 1.5})", "{1: 1.5000000001}", "float"),
        ("def f(n): return [{1: 2}.keys(), {1: 2}.items(), memoryview(b'ab')]", "[{1}, {(1, 2)}, b'ab']", "exact"),
    ],
)
def test_a_right_value_passes_in_any_form(session: Session, code: str, returns: str, checker: str) -> None:
    assert [case.outcome for case in graded(session, code, returns, checker=checker)] == [P, P]
    wrong = code.replace("return", "return 0 and")
    assert [case.outcome for case in graded(session, wrong, returns, code, checker=checker)] == [F, F]


@pytest.mark.parametrize("checker", ["exact", "float", "unordered", "any-of"])
@pytest.mark.parametrize(
    ("code", "got"),
    [
        ("from decimal import Decimal\ndef f(n): return Decimal('sNaN')", "Decimal('sNaN')"),
        ("from decimal import Decimal\ndef f(n): return Decimal('1e999999999')", "Decimal('1E+999999999')"),
        ("def f(n): return ['x' * 100_000] * 100", "['" + "x" * 1998),
        ("def f(n): page = ['x' * 1_000_000]; return [page] * 100", "[['" + "x" * 1997),
        ("def f(n): return 1 << 4_000_000", "0x1" + "0" * 1997),
        ("def f(n): return [chr(0xd800)]", "['\\ud800']"),
        (
            "class E(Exception): pass\nE.__name__ = 'E' * 5_000_000\ndef f(n): raise E(chr(0xd800))",
            "E" * 100 + ": \\ud800",
        ),
        (FORGES % '{"$fraction":[1,0]}', "refused: expected a fraction with a denominator greater than 0"),
        (FORGES % COLLISIONS, None),
        (
            "from collections import UserList\nclass L(UserList):\n    def __iter__(self): yield self\ndef f(n): return L()",
            "refused: more than 100 containers inside each other",
        ),
    ],
    ids=[
        "signalling",
        "exponent",
        "texts",
        "pages",
        "integer",
        "surrogate",
        "exception",
        "malformed",
        "collisions",
        "endless",
    ],
)
def test_a_hostile_value_is_a_wrong_one(session: Session, checker: str, code: str, got: str | None) -> None:
    first, _ = graded(session, code, "[1.5]", checker=checker)
    assert first.outcome is F
    assert got is None or first.got == got
    assert len(first.got) <= 2000


def test_what_is_there_many_times_is_held_once(session: Session) -> None:
    """As text it would be 10 GB, and 100 MB where it is kept apart."""
    tracemalloc.start()
    try:
        found = graded(session, "def f(n): page = ['x' * 1_000_000]; return [[page] * 100] * 100", "1.5")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [case.outcome for case in found] == [F, F]
    assert peak < 40 << 20


def test_a_reference_may_answer_with_anything(session: Session) -> None:
    code = "from decimal import Decimal\ndef f(n): page = [Decimal('sNaN'), {float('nan')}]; return [page] * 50"
    assert [case.outcome for case in graded(session, code, "", reference=code)] == [P, P]
    other = code.replace("sNaN", "NaN")
    assert [case.outcome for case in graded(session, other, "", reference=code)] == [F, F]


FORGED = """
from graders.boxed.tests import pytest_run
send = pytest_run.send
def forge(answer):
    if 'test' in answer:
        answer = {'nonce': answer['nonce'], 'test': answer['test'], **%s}
    if 'collected' in answer:
        answer['collected'] = answer['collected'] * 2 + ['other.py::test', 7, 'x' * 100_000]
    send(answer)
pytest_run.send = forge
def f(): return 1
"""


@pytest.mark.parametrize(
    "report",
    [
        "{'outcome': [], 'seconds': 'x', 'text': {'a': 1}}",
        "{'outcome': 'x' * 100_000, 'note': chr(0xd800) * 100_000}",
        "{'outcome': 'failed', 'seconds': float('nan'), 'text': 'x' * 1_000_000, 'given': chr(0xd800)}",
        "{}",
    ],
)
def test_forged_reports_of_one_process_are_values(session: Session, report: str) -> None:
    files = {
        "hidden/test_f.py": "from solution import f\ndef test_one(): assert f() == 1\ndef test_two(): assert f() == 1\n"
    }
    suite = Suite(id="s", kind="pytest", files=files, options={"isolation": "shared"})
    context = context_of({"solution.py": FORGED % report}, session)
    task = replace(context.task, suites=(suite,), limits=Limits(), reference={"solution.py": "def f(): return 1"})
    found = [each for each in HiddenTests().grade(replace(context, task=task)) if isinstance(each, CaseOutcome)]
    assert [case.case for case in found] == ["hidden/test_f.py::test_one", "hidden/test_f.py::test_two"]
    assert all(case.outcome is not P for case in found)
    assert max(len(text) for case in found for text in (case.got, case.given, case.note)) <= 4000
    assert all(text.encode() is not None for case in found for text in (case.got, case.given, case.note))


ASYNC = {
    "a coroutine": "async def f(n): return 7",
    "one that sleeps": "import asyncio\nasync def f(n):\n    await asyncio.sleep(0.01)\n    return 7",
    "of a plain function": "async def g(): return 7\ndef f(n): return g()",
    "tasks of its own": "import asyncio\nasync def g(k): return k\nasync def f(n): return sum(await asyncio.gather(g(3), g(4)))",
    "one loop for all calls": "import asyncio\nloops = set()\nlock = asyncio.Lock()\nasync def f(n):\n    async with lock:\n        loops.add(asyncio.get_running_loop())\n        return 6 + len(loops)",
    "an object that can be awaited": "class Later:\n    def __await__(self):\n        return 7\n        yield\ndef f(n): return Later()",
    "a loop inside a plain function": "import asyncio\nasync def g(): return 7\ndef f(n): return asyncio.run(g())",
}  # fmt: skip


@pytest.mark.parametrize("name", ASYNC)
def test_what_can_be_awaited_is_awaited(session: Session, name: str) -> None:
    assert [case.outcome for case in graded(session, ASYNC[name], "7")] == [P, P]
    assert [case.outcome for case in graded(session, ASYNC[name], "", ASYNC[name])] == [P, P], "the reference as well"
    assert [case.outcome for case in graded(session, ASYNC[name], "8")] == [F, F]


def test_what_an_awaited_one_raises_counts_and_one_that_yields_is_no_value(session: Session) -> None:
    [case, _] = graded(session, "async def f(n): raise KeyError(n)", "7")
    assert (case.outcome, case.got.partition(":")[0]) == (F, "KeyError")
    [case, _] = graded(session, "async def f(n): yield 7", "[7]")
    assert case.outcome is F and "async_generator cannot leave the box" in case.got


def test_one_that_never_ends_runs_out_of_time(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graders.suites.call.runner.CASE_SECONDS", 1.0)
    code = "import asyncio\nasync def f(n): await asyncio.Event().wait()"
    assert graded(session, code, "7")[0].outcome is Outcome.ERROR
