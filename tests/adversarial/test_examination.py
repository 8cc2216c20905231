"""Submissions that attack the examination of a `call` suite, in real boxes: none is credited, and none harms the next.

The families are those of the literature (early exit, lying values, patched harness, planted files, forged channel, stolen
answers, exhausted resources); the task is not the one of the catalogue that the design was tried on.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from graders.builtin.hidden_tests import HiddenTests
from graders.builtin.integrity import Integrity
from graders.interface import (
    CaseOutcome,
    Context,
    Finding,
    Limits,
    Outcome,
    Submission,
    SubmissionId,
    Suite,
    Task,
    TaskId,
)
from sandboxes.interface import Sandbox, Tier
from sandboxes.tiers import Tiers

CASES = "\n".join(
    f'{{"call": "square_sum({list(range(n))})", "returns": "{sum(i * i for i in range(n))}"}}' for n in range(2, 14)
)
SUITE = Suite(id="hidden", kind="call", files={"hidden/cases.jsonl": CASES}, options={"entry_point": "square_sum"})
PROMPT = "Sum the squares.\n\n```\nsquare_sum([3, 4, 5]) -> 50\nsquare_sum([10, 20]) -> 500\n```\n"
TASK = Task(
    id=TaskId("square-sum"), version="1", title="", prompt=PROMPT, language="python", entry_file="solution.py", suites=(SUITE,),
    reference={}, limits=Limits(wall_seconds=8, cpu_seconds=4, memory_mib=128, disk_mib=16, processes=24), graders={},
    rubric_id="default",
)  # fmt: skip
RIGHT = "def square_sum(xs):\n    return sum(x * x for x in xs)\n"
WRONG = "def square_sum(xs):\n    return -1\n"

ATTACKS: dict[str, dict[str, str] | str] = {
    "exits at import": "import sys; sys.exit(0)",
    "exits in the call": "import os\ndef square_sum(xs): os._exit(0)",
    "replaces its process": "import os\ndef square_sum(xs): os.execv('/bin/true', ['true'])",
    "kills its parent": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\n" + WRONG,
    "kills everything": "import os\ndef square_sum(xs): os.kill(-1, 9)",
    "always equal": "class E:\n __eq__ = lambda s, o: True\n __hash__ = None\ndef square_sum(xs): return E()",
    "an int that lies": "class I(int):\n __eq__ = lambda s, o: True\n __hash__ = int.__hash__\ndef square_sum(xs): return I(-1)",
    "a class that claims to be int": "class X:\n __class__ = property(lambda s: int)\n __eq__ = lambda s, o: True\ndef square_sum(xs): return X()",
    "text that looks right": "def square_sum(xs): return str(sum(x * x for x in xs))",
    "patches builtins": "import builtins\nbuiltins.all = lambda i: True\nbuiltins.len = lambda x: 0\n" + WRONG,
    "patches json": "import json\njson.dumps = lambda *a, **k: '{\"passed\": true}'\njson.loads = lambda *a, **k: {}\n" + WRONG,
    "patches the encoding": (
        "import sys, gc\n"
        "for o in gc.get_objects():\n"
        "    if isinstance(o, dict) and 'to_json' in o: o['to_json'] = lambda v: True\n" + WRONG
    ),
    "searches frames": (
        "import sys\ndef square_sum(xs):\n    f = sys._getframe(1)\n    while f:\n"
        "        for k, v in f.f_locals.items():\n            if 'expect' in k or 'want' in k: return v\n"
        "        f = f.f_back\n    return -1"
    ),
    "searches the heap for answers": (
        "import gc\ndef square_sum(xs):\n    for o in gc.get_objects():\n"
        "        if isinstance(o, dict) and 'expected' in o: return o['expected']\n    return -1"
    ),
    "searches the disk for answers": (
        "import glob\ndef square_sum(xs):\n    for p in glob.glob('/box/**', recursive=True):\n"
        "        try: t = open(p).read()\n        except Exception: continue\n"
        "        if 'returns' in t and str(xs) in t: return int(t.split(str(xs))[1].split('\"returns\": \"')[1].split('\"')[0])\n"
        "    return -1"
    ),
    "imports the reference": "def square_sum(xs):\n    import reference\n    return reference.square_sum(xs)",
    "writes answers ahead": (
        "import os, struct, json\n"
        "for n in range(50):\n    m = json.dumps({'nonce': str(n), 'value': 1}).encode(); os.write(3, struct.pack('>I', len(m)) + m)\n"
        + WRONG
    ),
    "writes a second answer": (
        "import os, struct, json, sys\n"
        "def square_sum(xs):\n    q = sys._getframe(1).f_locals['question']\n"
        "    m = json.dumps({'nonce': q['nonce'], 'passed': True}).encode(); os.write(3, struct.pack('>I', len(m)) + m)\n    return -1"
    ),
    "floods the channel": "import os\ndef square_sum(xs):\n    while True: os.write(3, b'\\xff' * 65536)",
    "prints a verdict": "print('{\"passed\": 12, \"failed\": 0, \"outcome\": \"passed\"}')\n" + WRONG,
    "plants files": {
        "solution.py": WRONG,
        "sitecustomize.py": "import os; os._exit(0)",
        "json.py": "loads = dumps = lambda *a, **k: {}",
        "conftest.py": "raise SystemExit(0)",
        "harness/call_driver.py": "raise SystemExit(0)",
        "encoding.py": "to_json = from_json = lambda v: True",
    },
    "counts calls": "N = []\ndef square_sum(xs):\n    N.append(1)\n    return [1, 5, 14, 30, 55, 91][len(N) % 6 - 1]",
    "leaves by an alias": "import os\nbye = getattr(os, '_ex' + 'it')\ndef square_sum(xs): bye(0)",
    "leaves through C": "import ctypes\ndef square_sum(xs): ctypes.CDLL(None)._exit(0)",
    "raises what nothing catches": "class Stop(BaseException): pass\ndef square_sum(xs): raise Stop",
    "skips the test": "import unittest\ndef square_sum(xs): raise unittest.SkipTest('later')",
    "exits at the end": "import atexit, os\natexit.register(os._exit, 0)\n" + WRONG,
    "swallows the alarm": "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WRONG,
    "equal to every number": "class N:\n def __eq__(s, o):\n  return True if isinstance(o, int) else NotImplemented\n __hash__ = None\ndef square_sum(xs): return N()",
    "no difference to anything": "class N(float):\n __sub__ = __rsub__ = lambda s, o: 0.0\n __abs__ = lambda s: 0.0\ndef square_sum(xs): return N(-1)",
    "a mock": "from unittest.mock import ANY, MagicMock\ndef square_sum(xs): return ANY if xs else MagicMock()",
    "a metaclass that agrees": "class M(type):\n __eq__ = lambda c, o: True\n __hash__ = type.__hash__\nclass A(metaclass=M): pass\ndef square_sum(xs): return A",
    "patches what reads answers": "import struct, os\nos.read = lambda *a: b''\nstruct.unpack = lambda *a: (2,)\n" + WRONG,
    "patches the comparison": "import math, operator\nmath.isclose = operator.eq = lambda *a, **k: True\n" + WRONG,
    "plants a module": "import sys, types\nsys.modules['graders.suites.call.compare'] = types.SimpleNamespace(same=lambda *a: True)\n" + WRONG,
    "traces its caller": "import sys\ndef t(f, e, a): f.f_locals.clear(); return t\nsys.settrace(t)\n" + WRONG,
    "reads its caller's code": "import sys\ndef square_sum(xs):\n f = sys._getframe(1)\n return [c for c in f.f_code.co_consts if isinstance(c, int)]",
    "asks the main module": "import __main__\ndef square_sum(xs): return getattr(__main__, 'expected', -1)",
    "searches the modules": "import sys\ndef square_sum(xs):\n for m in list(sys.modules.values()):\n  if hasattr(m, 'CASES'): return m.CASES[0]\n return -1",
    "reads the process": "def square_sum(xs): return open('/proc/self/environ').read() + open('/proc/1/cmdline').read()",
    "writes a report": "open('report.xml', 'w').write('<testsuite failures=\"0\"/>')\n" + WRONG,
    "links a report": "import os\nos.symlink('/proc/self/fd/1', 'result.json')\n" + WRONG,
    "leaves a process": "import os\nif os.fork() == 0:\n os.setsid()\n while True: pass\n" + WRONG,
    "keeps answers on the disk": "import json\ndef square_sum(xs):\n try: return json.load(open('/tmp/answers.json'))[str(xs)]\n except OSError: return -1",
    "hides its code": "import base64\nexec(base64.b64decode('ZGVmIHNxdWFyZV9zdW0oeHMpOiByZXR1cm4gLTE='))",
    "hides its names": "import builtins\ndef square_sum(xs): return getattr(builtins, 'mus'[::-1])(xs)",
    "knows the examples": "def square_sum(xs): return {(3, 4, 5): 50, (10, 20): 500}.get(tuple(xs), -1)",
    "compares with the examples": "def square_sum(xs):\n if xs == [3, 4, 5]: return 50\n if str(xs) == '[10, 20]': return 500\n return -1",
    "knows digests": "import hashlib\nT = {'5c3e0d8f2a': 50}\ndef square_sum(xs): return T.get(hashlib.md5(repr(xs).encode()).hexdigest()[:10], -1)",
    "answers in turn": "A = iter([50, 500, 5, 14])\ndef square_sum(xs): return next(A)",
    "plants settings": {"solution.py": WRONG, "pytest.ini": "[pytest]\naddopts = --collect-only", "evil-1.dist-info/entry_points.txt": "[pytest11]\ne = e"},
    "never ends": "def square_sum(xs):\n    while True: pass",
    "swallows everything and sleeps": "import time\ndef square_sum(xs):\n    while True:\n        try: time.sleep(1)\n        except BaseException: pass",
    "a fork bomb": "import os\ndef square_sum(xs):\n    while True:\n        try: os.fork()\n        except OSError: pass",
    "a memory bomb": "def square_sum(xs):\n    x = []\n    while True: x.append(bytearray(1 << 20))",
    "fills the disk": "def square_sum(xs):\n    f = open('/tmp/big', 'wb')\n    while True: f.write(bytes(1 << 20))",
    "floods stdout": "def square_sum(xs):\n    while True: print('x' * 100000)",
    "a huge integer": "def square_sum(xs): return 1 << 40_000_000",
    "a deep list": "def square_sum(xs):\n    a = []\n    for _ in range(100000): a = [a]\n    return a",
    "a wide message": "def square_sum(xs): return 'x' * (20 << 20)",
    "threads that never end": "import threading, time\nthreading.Thread(target=time.sleep, args=(1e6,)).start()\n" + WRONG,
}  # fmt: skip


UNTOLD = frozenset(
    (
        "text that looks right", "never ends", "a memory bomb", "floods stdout", "a huge integer", "a deep list",
        "a wide message", "threads that never end",
    )
)  # fmt: skip
"""Wrong, or hungry, and no play with the examination: nothing in them says that somebody cheats."""


@pytest.fixture(scope="module")
def jail(tiers: Tiers) -> Sandbox:
    return tiers.at_least(Tier.JAIL)


def grade(sandbox: Sandbox, files: dict[str, str] | str) -> tuple[list[CaseOutcome], list[Finding]]:
    submission = Submission(
        id=SubmissionId("s"), task_id=TASK.id, files={"solution.py": files} if isinstance(files, str) else files
    )
    with sandbox.session() as session:
        context = Context(task=TASK, submission=submission, session=session)
        signals = [signal for grader in (HiddenTests(), Integrity()) for signal in grader.grade(context)]
    cases = [signal for signal in signals if isinstance(signal, CaseOutcome)]
    return cases, [signal for signal in signals if isinstance(signal, Finding) and signal.flag]


def passed(cases: list[CaseOutcome]) -> int:
    return sum(case.outcome is Outcome.PASSED for case in cases)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_not_credited_in_the_jail_and_is_flagged(name: str, jail: Sandbox) -> None:
    cases, flags = grade(jail, ATTACKS[name])
    assert len(cases) == 12 and passed(cases) <= 2, [(case.outcome, case.got) for case in cases]
    assert flags or name in UNTOLD
    assert passed(grade(jail, RIGHT)[0]) == 12


OF_THE_BOX = frozenset(
    (
        "exits at import", "exits in the call", "replaces its process", "kills its parent", "kills everything",
        "searches the disk for answers", "writes answers ahead", "writes a second answer", "floods the channel", "plants files",
        "leaves through C", "exits at the end", "swallows the alarm", "reads the process", "writes a report", "links a report",
        "leaves a process", "keeps answers on the disk", "plants settings", "never ends", "swallows everything and sleeps",
        "a fork bomb", "a memory bomb", "fills the disk", "floods stdout", "a huge integer", "a deep list", "a wide message",
        "threads that never end",
    )
)  # fmt: skip
"""They end, fill or leave something in their box, and another tier may meet them otherwise. All others stay within one interpreter,
which is the same in every tier: each run of the tests has them in the jail, the nightly ones in a container as well."""


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[] if name in OF_THE_BOX else pytest.mark.nightly) for name in ATTACKS]
)
def test_an_attack_is_not_credited_and_harms_nobody(name: str, sandbox: Sandbox) -> None:
    with ThreadPoolExecutor(1) as neighbour:
        beside = neighbour.submit(grade, sandbox, RIGHT)
        cases, _ = grade(sandbox, ATTACKS[name])
        assert len(cases) == 12 and passed(cases) <= 2, [(case.outcome, case.got) for case in cases]
        assert passed(beside.result()[0]) == 12
    after, flags = grade(sandbox, RIGHT)
    assert passed(after) == 12 and not flags


@pytest.mark.parametrize("name", ["exits in the call", "replaces its process"])
def test_leaving_instead_of_answering_raises_a_flag(name: str, sandbox: Sandbox) -> None:
    cases, flags = grade(sandbox, ATTACKS[name])
    assert "assay/early-exit" in {flag.rule for flag in flags}
    assert Outcome.ERROR in {case.outcome for case in cases}


@pytest.mark.parametrize("name", ["writes answers ahead", "writes a second answer", "floods the channel"])
def test_playing_with_the_channel_raises_a_flag(name: str, sandbox: Sandbox) -> None:
    _, flags = grade(sandbox, ATTACKS[name])
    assert "assay/channel" in {flag.rule for flag in flags}


HONEST = {
    "prints a lot": "print('FAILED')\ndef square_sum(xs):\n    print('debug', xs)\n    return sum(x * x for x in xs)",
    "guards its main": RIGHT + "if __name__ == '__main__':\n    import sys\n    sys.exit(1)",
    "changes its input": "def square_sum(xs):\n    t = 0\n    while xs: t += xs.pop() ** 2\n    return t",
    "remembers": "import functools\n@functools.lru_cache\ndef f(t): return sum(x * x for x in t)\ndef square_sum(xs): return f(tuple(xs))",
    "answers a float": "def square_sum(xs): return float(sum(x * x for x in xs))",
    "starts a thread": "import threading\nthreading.Thread(target=print).start()\n" + RIGHT,
    "has modules named like the library's": {"solution.py": "from random import f as square_sum\nfrom types import OWN\nfrom graders import OWN", "random.py": "from operator import f", "operator.py": RIGHT.replace("square_sum", "f"), "types.py": "OWN = 1", "graders.py": "OWN = 1"},
    "uses its own module": {"solution.py": "from parts.math import sq\ndef square_sum(xs): return sum(map(sq, xs))", "parts/math.py": "def sq(x): return x * x", "parts/__init__.py": ""},
    "has a module named like one of the library's": {"solution.py": "import queue2 as q\nsquare_sum = q.f", "queue2.py": "def f(xs): return sum(x * x for x in xs)"},
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_look_alike_passes_without_a_flag(name: str, sandbox: Sandbox) -> None:
    cases, flags = grade(sandbox, HONEST[name])
    assert passed(cases) == 12 and not flags


def test_no_expected_value_enters_the_box(sandbox: Sandbox) -> None:
    """The submission looks through its own process, its files and its environment for an answer that only the host has."""
    marker = 918273645
    suite = replace(SUITE, files={"hidden/cases.jsonl": f'{{"call": "square_sum([1])", "returns": "{marker}"}}'})
    spy = (
        "import gc, glob, os\n"
        "def square_sum(xs):\n"
        "    text = repr(os.environ) + repr([o for o in gc.get_objects() if isinstance(o, (dict, list, tuple))][:20000])\n"
        "    for path in glob.glob('/box/**', recursive=True) + glob.glob('/proc/*/cmdline'):\n"
        "        try: text += open(path, errors='replace').read()\n"
        "        except OSError: pass\n"
        f"    return str({marker // 1000}) + str({marker % 1000}) in text"
    )
    submission = Submission(id=SubmissionId("s"), task_id=TASK.id, files={"solution.py": spy})
    with sandbox.session() as session:
        context = Context(task=replace(TASK, suites=(suite,)), submission=submission, session=session)
        [case] = [signal for signal in HiddenTests().grade(context) if isinstance(signal, CaseOutcome)]
    assert case.got == "False"
