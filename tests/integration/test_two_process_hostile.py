"""Submissions that play with the two-process examination: each way of it, and that no test is passed by it."""

import pytest

from graders.interface import Finding, Outcome
from sandboxes.interface import Sandbox
from tests.integration.test_two_process import cases, graded, jail, reports

__all__ = ["jail"]

REFERENCE = """
def median(xs):
    s = sorted(xs)
    n = len(s)
    return s[n // 2] if n % 2 else (s[n // 2 - 1] + s[n // 2]) / 2
def apply(f, x): return f(x)
class Account:
    def __init__(self, n): self.n = n
    def __eq__(self, other): return isinstance(other, Account) and self.n == other.n
    def __hash__(self): return hash(self.n)
    def __lt__(self, other): return self.n < (other.n if isinstance(other, Account) else other)
"""
SECRET = 424242
TESTS = f"""
import math, unittest
import pytest, solution
from solution import median
EXPECTED = {SECRET}
def double(x, secret={SECRET}):
    hidden = {SECRET}
    return x * 2
def test_plain(): assert median([3, 1, 2]) == 2
def test_turned(): assert 2 == median([3, 1, 2])
def test_near(): assert abs(median([3, 1, 2]) - 2) < 1e-9
def test_approx(): assert median([3, 1, 2]) == pytest.approx(2)
def test_between(): assert 1.5 < median([3, 1, 2]) < 2.5
def test_isclose(): assert math.isclose(median([3, 1, 2]), 2)
def test_in(): assert median([3, 1, 2]) in (2, 2.0)
def test_unittest(): unittest.TestCase().assertAlmostEqual(median([3, 1, 2]), 2)
def test_list(): assert [median([3, 1, 2]), median([5, 4])] == [2, 4.5]
def test_set(): assert {{median([3, 1, 2])}} == {{2}}
def test_dict(): assert {{"a": median([3, 1, 2])}} == {{"a": 2}}
def test_callback(): assert solution.apply(double, {SECRET} // 2) == EXPECTED
def test_raises():
    with pytest.raises(BaseException): median(None)
"""
"""A submission that is wrong in all of them passes none, whatever it returns."""

WAYS = {
    "always equal": "class L:\n    __eq__ = lambda s, o: True\n    __ne__ = lambda s, o: False\n    __hash__ = lambda s: hash(2)\n"
    "def median(xs): return L()",
    "lying arithmetic": "class L:\n"
    + "".join(
        f"    __{n}__ = lambda s, *o: L()\n"
        for n in ("sub", "rsub", "add", "radd", "abs", "neg", "truediv", "rtruediv")
    )
    + "".join(f"    __{n}__ = lambda s, *o: True\n" for n in ("lt", "le", "gt", "ge", "eq", "bool", "contains"))
    + "    __hash__ = lambda s: 2\n    __float__ = lambda s: 9.9\n    __round__ = lambda s, *n: L()\ndef median(xs): return L()",
    "a float that lies": "class L(float):\n    __eq__ = lambda s, o: True\n    __sub__ = __rsub__ = lambda s, o: 0.0\n"
    "    __lt__ = __le__ = __gt__ = __ge__ = lambda s, o: True\n    __hash__ = lambda s: hash(2)\ndef median(xs): return L(7.25)",
    "a list that lies": "class L(list):\n    __eq__ = lambda s, o: True\n    __contains__ = lambda s, o: True\n    __hash__ = lambda s: 2\n"
    "def median(xs): return L([9])",
    "says that it is a float": "class L:\n    __class__ = float\n    __eq__ = lambda s, o: True\n    __hash__ = lambda s: 2\ndef median(xs): return L()",
    "a class of the name of a known one, in another module": "class Account:\n    __module__ = 'helper'\n    __eq__ = lambda s, o: True\n"
    "    __hash__ = lambda s: 2\n    __lt__ = __gt__ = lambda s, o: True\n    __sub__ = lambda s, o: 0\ndef median(xs): return Account()",
    "an enumeration that is always equal": "import enum\nclass E(enum.Enum):\n    A = 1\n    def __eq__(s, o): return True\n    __hash__ = lambda s: 2\n"
    "def median(xs): return E.A",
    "an exception as a value": "def median(xs): return ValueError(2)",
    "leaves": "import os\ndef median(xs): os._exit(0)\napply = median",
    "leaves later": "import os, threading\ndef median(xs): threading.Timer(0.01, os._exit, (0,)).start(); return -1",
    "raises SystemExit": "def median(xs): raise SystemExit(0)\ndef apply(f, x): raise SystemExit(0)",
    "raises KeyboardInterrupt": "def median(xs): raise KeyboardInterrupt",
    "raises GeneratorExit": "def median(xs): raise GeneratorExit",
    "looks like a skip": "class Skipped(BaseException):\n    __module__ = '_pytest.outcomes'\n    msg = 'x'\n    allow_module_level = True\n"
    "    def __init__(self, *a): self.allow_module_level = True\ndef median(xs): raise Skipped('x')",
    "skips": "import sys\ntry:\n    import pytest\n    def median(xs): pytest.skip('x')\nexcept ImportError: pass",
    "skips by unittest": "import unittest\ndef median(xs): raise unittest.SkipTest('x')",
    "exits by pytest": "import pytest\ndef median(xs): pytest.exit('x', 0)",
    "xfails": "import pytest\ndef median(xs): pytest.xfail('x')",
    "writes on the channel": "import os\ndef median(xs):\n    os.write(3, b'\\0\\0\\0\\x02{}')\n    return -1",
    "writes garbage on the line": "import os\ndef median(xs):\n    os.write(4, b'\\0\\0\\0\\x05hello')\n    return -1",
    "announces a gigabyte": "import os\ndef median(xs):\n    os.write(4, b'\\x40\\0\\0\\0')\n    return -1",
    "closes the line": "import os\ndef median(xs):\n    os.close(4)\n    return -1",
    "answers ahead of the question": "import os, json\ndef median(xs):\n    for n in range(100):\n"
    "        m = json.dumps([n, True, 2, [], ['', '']]).encode()\n        os.write(4, len(m).to_bytes(4, 'big') + m)\n    return -1",
    "reads the line itself": "import os\ndef median(xs): return os.read(4, 10)",
    "calls a handle that there is not": "import os, json\ndef median(xs):\n    m = json.dumps([1, 'call', 99, None, [], {}, []]).encode()\n"
    "    os.write(4, len(m).to_bytes(4, 'big') + m); return -1",
    "deep": "def median(xs):\n    x = []\n    for _ in range(10000): x = [x]\n    return x",
    "cyclic": "def median(xs): x = []; x.append(x); return x",
    "wide": "def median(xs):\n    x = []\n    for _ in range(60): x = [x, x]\n    return x",
    "huge": "def median(xs): return 'x' * (40 << 20)",
    "a hundred thousand handles": "class A: pass\nKEEP = []\ndef median(xs): KEEP.append([A() for _ in range(100_000)]); return KEEP[-1]",
    "a generator": "def median(xs): yield 2",
    "an endless iterator": "import itertools\ndef median(xs): return itertools.repeat(2)",
    "a proxy of everything": "class L:\n    def __getattr__(s, n): return L()\n    def __call__(s, *a): return L()\n    __eq__ = lambda s, o: True\n"
    "    __hash__ = lambda s: 2\ndef median(xs): return L()",
    "changes what it is given": "def median(xs): xs.clear(); return -1",
    "patches the harness": "import sys\nfor m in list(sys.modules.values()):\n    if getattr(m, '__name__', '').startswith('graders'):\n"
    "        for n in ('_is_same', 'held', 'is_special'):\n            if hasattr(m, n): setattr(m, n, lambda *a: True)\ndef median(xs): return -1",
    "patches pytest": "import pytest, _pytest.runner\n_pytest.runner.CallInfo.from_call = None\npytest.raises = None\ndef median(xs): return -1",
    "modules in the place of the tests' own": "import sys\nsys.modules['math'] = sys.modules['pytest'] = None\ndef median(xs): return -1",
    "not there": "def other(): pass",
    "exits while it is imported": "import os\nos._exit(0)",
    "raises SystemExit while it is imported": "import sys\nsys.exit(0)",
    "raises KeyboardInterrupt while it is imported": "raise KeyboardInterrupt",
    "skips while it is imported": "import pytest\npytest.skip('x', allow_module_level=True)",
}


THIEF = """
def median(xs): return -1
def look(f):
    seen = []
    for path in ("__globals__", "__code__", "__defaults__", "__closure__", "__self__", "__module__", "__dict__", "__class__",
                 "__reduce__", "__subclasshook__", "__init__", "gi_frame", "cr_frame", "f_globals", "tb_frame", "func", "args",
                 "keywords", "_assay_ref", "__wrapped__", "config", "node", "session"):
        try: seen.append(repr(getattr(f, path)))
        except Exception as error: seen.append(type(error).__name__)
        try: seen.append(repr(getattr(type(f), path)))
        except Exception as error: seen.append(type(error).__name__)
    for way in (vars, dir, repr, str, lambda f: f.__doc__, lambda f: f.__name__, lambda f: f.__annotations__):
        try: seen.append(repr(way(f)))
        except Exception as error: seen.append(type(error).__name__)
    return seen
def raw(f):
    import gc, sys
    out = []
    for m in list(sys.modules.values()):
        line = getattr(m, "LINE", None)
        if not hasattr(line, "ask"): continue
        for number in list(line._refs.keys()):
            for name in ("__globals__", "__code__", "__defaults__", "__dict__", "__class__", "__init__", "__getattribute__", "gi_frame",
                         "cr_frame", "args", "func", "keywords", "config", "__self__", "__func__"):
                for operation in ("get", "call", "dir", "state", "content", "copy", "import", "await", "set"):
                    if number not in line._refs: continue
                    try: out.append(repr(line.ask(operation, number, name, ["__globals__"] if operation == "call" else [])))
                    except Exception as error: out.append(type(error).__name__)
    return out
"""


def outcomes_of(signals) -> dict[str, Outcome]:
    return {name: case.outcome for name, case in cases(signals).items()}


@pytest.mark.parametrize("way", WAYS)
def test_no_way_of_it_passes_a_test(jail: Sandbox, way: str) -> None:
    solution = WAYS[way]
    seen = outcomes_of(graded(jail, solution + "\n", TESTS, REFERENCE))
    assert len(seen) == 13
    # What raises has raised: that test is passed by any submission that does so, and by none that has left.
    left = "_exit" in solution or Outcome.ERROR in seen.values()
    honest = set() if left else {"test_raises"}
    passed = {name for name, outcome in seen.items() if outcome is Outcome.PASSED}
    assert passed <= honest


@pytest.mark.parametrize("way", ["leaves", "leaves later", "exits while it is imported"])
def test_who_leaves_is_flagged(jail: Sandbox, way: str) -> None:
    signals = graded(jail, WAYS[way], TESTS, REFERENCE)
    assert Outcome.ERROR in outcomes_of(signals).values()
    assert "assay/early-exit" in {signal.rule for signal in signals if isinstance(signal, Finding)}


@pytest.mark.parametrize(
    "way",
    [
        "writes garbage on the line",
        "announces a gigabyte",
        "answers ahead of the question",
        "calls a handle that there is not",
    ],
)
def test_who_breaks_the_line_is_flagged(jail: Sandbox, way: str) -> None:
    # Together with the tests there is no line to break, and it is right.
    solution = f"{REFERENCE}\nright = median\n{WAYS[way]}\nwrong = median\nimport sys\nif 'pytest' in sys.modules: median = right\n"
    signals = graded(jail, solution, TESTS, REFERENCE)
    assert Outcome.ERROR in outcomes_of(signals).values()
    assert "assay/channel" in {signal.rule for signal in signals if isinstance(signal, Finding)}


STEAL = f"""
import asyncio, functools, types
import pytest, solution
EXPECTED = {SECRET}
def double(x, secret={SECRET}):
    hidden = {SECRET}
    return x * 2
def generator():
    hidden = {SECRET}
    yield 1
async def coroutine(): return {SECRET}
class Thing:
    _hidden = {SECRET}
    def __init__(self): self._own = {SECRET}
    def method(self): return {SECRET}
WHAT = dict(function=double, lambda_=lambda: {SECRET}, generator=generator(), thing=Thing(), method=Thing().method, kind=Thing,
            partial=functools.partial(double, {SECRET}), space=types.SimpleNamespace(_hidden={SECRET}))
@pytest.mark.parametrize("what", WHAT)
@pytest.mark.parametrize("how", ["look", "raw"])
def test_steal(what, how, request):
    seen = str(getattr(solution, how)(WHAT[what]))
    assert "{SECRET}" not in seen and "EXPECTED" not in seen and "/box/work/tests" not in seen
    assert len(seen) > 100
def test_request(request):
    seen = str(solution.look(request)); assert "{SECRET}" not in seen
@pytest.mark.parametrize("how", ["look", "raw"])
def test_coroutine(how):
    c = coroutine(); seen = str(getattr(solution, how)(c)); c.close(); assert "EXPECTED" not in seen
"""


def test_what_a_test_hands_over_tells_nothing_else(jail: Sandbox) -> None:
    wrong = {name: text[-600:] for name, (outcome, text) in reports(jail, THIEF, STEAL).items() if outcome != "passed"}
    assert not wrong


def test_a_test_that_was_cut_off_does_not_cost_the_others(jail: Sandbox) -> None:
    solution = REFERENCE.replace("def apply(f, x): return f(x)", "def apply(f, x):\n    while True: pass")
    signals = graded(jail, solution, TESTS, REFERENCE, seconds=1)
    seen = outcomes_of(signals)
    assert seen.pop("test_callback") is Outcome.FAILED
    assert set(seen.values()) == {Outcome.PASSED}
    assert not [signal for signal in signals if isinstance(signal, Finding)]


def test_a_candidate_that_has_ended_does_not_cost_the_others(jail: Sandbox) -> None:
    solution = REFERENCE.replace("def apply(f, x): return f(x)", "def apply(f, x):\n    import os; os.abort()")
    seen = outcomes_of(graded(jail, solution, TESTS, REFERENCE))
    assert seen.pop("test_callback") is Outcome.ERROR
    assert set(seen.values()) == {Outcome.PASSED}


COMPARED = """
from solution import Account
def test_equal(): assert Account(1) == Account(1)
def test_other(): assert Account(1) != Account(2)
def test_plain(): assert Account(1).n == 1
def test_less(): assert Account(1) < 5
"""


def test_what_the_submissions_own_objects_decided_is_told(jail: Sandbox) -> None:
    told = {
        name: (case.outcome, str(case.note))
        for name, case in cases(graded(jail, REFERENCE, COMPARED, REFERENCE)).items()
    }
    compared = "two objects of the submission were compared with each other"
    assert told == {
        "test_equal": (Outcome.PASSED, compared),
        "test_other": (Outcome.PASSED, compared),
        "test_plain": (Outcome.PASSED, ""),
        "test_less": (Outcome.PASSED, "Account.__lt__ of the submission decided"),
    }


def test_a_class_that_says_that_all_are_equal_fails(jail: Sandbox) -> None:
    """As it would anywhere, though states that are compared apart from it are the right ones."""
    liar = REFERENCE.replace("return isinstance(other, Account) and self.n == other.n", "return True")
    assert reports(jail, liar, COMPARED)["test_other"][0] == "passed"
    assert outcomes_of(graded(jail, liar, COMPARED, REFERENCE))["test_other"] is Outcome.FAILED
    own = cases(graded(jail, liar, COMPARED, REFERENCE, equality="own"))
    assert own["test_equal"].outcome is Outcome.PASSED
    assert own["test_other"].outcome is Outcome.FAILED
    assert {case.integrity for case in own.values()} == {"reduced"}


def test_shared_lowers_the_integrity(jail: Sandbox) -> None:
    apart = cases(graded(jail, REFERENCE, TESTS, REFERENCE)).values()
    together = cases(graded(jail, REFERENCE, TESTS, REFERENCE, isolation="shared")).values()
    assert {case.integrity for case in apart} == {"full"}
    assert {case.integrity for case in together} == {"reduced"}


@pytest.mark.parametrize(
    "body",
    [
        "def test_it(monkeypatch): monkeypatch.setattr(solution, 'X', 2)",
        "def test_it(): solution.X = 2",
        "def test_it(): del solution.X",
        "def test_it(): inspect.getsource(solution.f)",
        "def test_it(): inspect.getsource(solution)",
        "def test_it(): inspect.getsource(solution.A)",
        "def test_it():\n    class B(solution.A): pass",
        "def test_it(): x = []; x.append(x); solution.f(x)",
        "def test_it(): solution.f(solution.cycle())",
    ],
)
def test_what_cannot_cross_says_so(jail: Sandbox, body: str) -> None:
    solution = "X = 1\ndef f(x): return x\nclass A: pass\ndef cycle():\n    x = []\n    x.append(x)\n    return x\n"
    from tests.integration.test_two_process import reports

    [(outcome, text)] = reports(jail, solution, f"import inspect, solution\n{body}\n").values()
    assert outcome == "failed" and 'isolation = "shared"' in text
