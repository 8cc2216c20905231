"""The drivers as a warm interpreter runs them: imported ahead, forked, and examined over a channel, in a real box."""

import json
from collections.abc import Iterable
from dataclasses import replace

import pytest

from graders.drivers import ANALYSIS, CALL, PROPERTY, PYTEST, Driver
from graders.interface import Limits
from sandboxes.interface import End, Sandbox

PROBE = """
import json, os, socket, struct, sys
from importlib import import_module

module, arguments, preload, questions = json.loads(sys.argv[1])
for name in preload:
    import_module(name)
ours, theirs = socket.socketpair()
if os.fork() == 0:
    ours.close()
    os.dup2(theirs.fileno(), 3)
    import graders.boxed.shared.channel as channel
    before = set(sys.modules)
    def leave(code):
        print(json.dumps({"imported": sorted(set(sys.modules) - before)}), flush=True)
        os._exit(code)
    channel._exit = leave
    import_module("graders.boxed." + module).main(*arguments)
theirs.close()
for question in questions:
    message = json.dumps(question).encode()
    ours.sendall(struct.pack(">I", len(message)) + message)
    (size,) = struct.unpack(">I", ours.recv(4, socket.MSG_WAITALL))
    print(ours.recv(size, socket.MSG_WAITALL).decode(), flush=True)
ours.shutdown(socket.SHUT_WR)
os.wait()
"""
PROPERTIES = {"seed": 0, "max_examples": None, "reference": None, "entry": "solution", "anew": False}
SOLUTION = b"import collections, heapq, re, typing\ndef f(x):\n    return x\n"
TESTS = b"""
import os, random
import pytest
from hypothesis import given, settings, strategies as st
from solution import f

@settings(deadline=None)
@given(st.lists(st.integers()))
def test_property(x): assert f(x) == x
@pytest.mark.parametrize("x", [1, 2])
def test_parameters(x): assert f(x) == x
def test_fixtures(tmp_path, capsys, monkeypatch, caplog):
    monkeypatch.setenv("X", "1")
    (tmp_path / "a").write_text("x")
    print(1)
    assert capsys.readouterr().out == "1\\n"
def test_rewritten():
    left = [1, 2]
    assert left == [1, 3]
@pytest.mark.timeout(1)
def test_hangs():
    while True: pass
def test_raises():
    with pytest.raises(ZeroDivisionError): f(1) / 0
@pytest.mark.skip
def test_skipped(): pass
"""


def forked(
    sandbox: Sandbox, driver: Driver, arguments: list[str], files: dict[str, bytes], questions: Iterable[object]
):
    """The answers of the driver, forked from an interpreter with its preload, and the modules that it still imported."""
    spec = json.dumps([driver.module, arguments, driver.harness.preload, list(questions)])
    command = driver.command(files=files, limits=Limits(wall_seconds=150, cpu_seconds=60, memory_mib=1024))
    with sandbox.session() as session:
        done = session.run(replace(command, argv=("python3", "-P", "-s", "-c", PROBE, spec)))
    assert (done.end, done.exit_code) == (End.EXITED, 0), done.stderr.decode()
    *answers, last = map(json.loads, done.stdout.splitlines())
    return answers, set(last["imported"])


def test_a_forked_call_driver_imports_nothing_but_the_submission(sandbox: Sandbox) -> None:
    questions = [
        {"nonce": "n", "module": "solution", "function": "f"},
        {"nonce": "n", "args": [{"$tuple": [1]}], "kwargs": {}},
        {"nonce": "n", "args": [], "kwargs": {}},
    ]
    loaded, value, raised = (
        answers := forked(sandbox, CALL, ["submission"], {"submission/solution.py": SOLUTION}, questions)
    )[0]
    assert "value" in loaded
    assert value["value"] == {"$tuple": [1]}
    assert raised["raised"]["type"] == "TypeError"
    assert answers[1] == {"solution"}


def test_a_forked_pytest_is_as_a_fresh_one(sandbox: Sandbox) -> None:
    """Plugins, rewritten assertions, time-outs and search path; and it imports hardly anything."""
    files = {"submission/solution.py": SOLUTION, "tests/test_it.py": TESTS}
    questions = [
        {"nonce": "n", "tests": None, "seconds": 10, "programs": None, "properties": PROPERTIES},
        *[{"nonce": "n"}] * 9,
    ]
    (collected, *told, ended), imported = forked(sandbox, PROPERTY, ["tests", "submission"], files, questions)
    assert len(collected["collected"]) == 8
    outcomes = {report["test"].removeprefix("test_it.py::test_"): report for report in told}
    assert {name: report["outcome"] for name, report in outcomes.items()} == {
        "property": "passed", "parameters[1]": "passed", "parameters[2]": "passed", "fixtures": "passed",
        "rewritten": "failed", "hangs": "failed", "raises": "passed", "skipped": "skipped",
    }  # fmt: skip
    assert "At index 1 diff: 2 != 3" in outcomes["rewritten"]["text"]
    assert "Timeout" in outcomes["hangs"]["text"]
    assert ended["end"] == 1
    # what hypothesis and pytest take only for some tests
    assert imported - {"hypothesis.internal.conjecture.optimiser", "pwd"} == {"solution", "test_it"}


def test_forked_analyzers_import_nothing(sandbox: Sandbox) -> None:
    source = (
        "import subprocess, hashlib\nsubprocess.call(input(), shell=True)\nhashlib.md5(b'')\ndef f(a): return a + 1\n"
    )
    (tools, looked), imported = forked(sandbox, ANALYSIS, [], {}, [{}, {"source": source}])
    assert tools == {"tools": ["bandit-1.9.4", "radon-6.0.1", "integrity-3"]}
    assert {finding["rule"] for finding in looked["bandit"]["found"]["findings"]} >= {"B602", "B324", "B404"}
    assert looked["radon"]["found"]["lines"] == 4
    assert imported == set()


@pytest.mark.parametrize("driver", [CALL, PYTEST, PROPERTY], ids=lambda driver: driver.module)
def test_what_is_imported_ahead_keeps_no_state_of_a_process(sandbox: Sandbox, driver: Driver) -> None:
    """No thread, no descriptor and no file is there that a fork would share or a later run would find."""
    look = (
        "import json, os, sys, threading\nfrom importlib import import_module\n"
        "def fds():\n    for fd in range(256):\n        try: os.fstat(fd)\n        except OSError: continue\n        yield fd\n"
        "before = set(fds())\n"
        f"for name in {driver.harness.preload!r}: import_module(name)\n"
        "new = set(fds()) - before\n"
        "files = [name for top in ('/box/work', '/box/tmp') for _, folders, names in os.walk(top) for name in folders + names]\n"
        "print(json.dumps([threading.active_count(), sorted(new), files, sys.stdout is sys.__stdout__]))\n"
    )
    command = replace(driver.command(files={}, limits=Limits()), argv=("python3", "-B", "-P", "-s", "-c", look))
    with sandbox.session() as session:
        done = session.run(command)
    assert json.loads(done.stdout) == [1, [], [], True], done.stderr.decode()
