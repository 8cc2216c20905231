"""In tier jail `python3 ...` goes on in a forked interpreter. A program cannot tell it from a new one, where that matters."""

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest

from graders.drivers import PYTEST
from sandboxes.interface import Command, Execution, Harness, Limits, Sandbox, Session, Tier
from sandboxes.tiers import Tiers

LIMITS = Limits(wall_seconds=30, cpu_seconds=20, memory_mib=256, processes=32, disk_mib=32)
NEW_INTERPRETER = {"LANG": "C.UTF-8"}
"""Settings that an interpreter reads at its start make a fork useless: such a command is executed."""

PROGRAMS = {
    "prints": "print('out'); import sys; print('err', file=sys.stderr)",
    "exit-code": "import sys; sys.exit(3)",
    "exit-text": "import sys; sys.exit('no good')",
    "exit-none": "raise SystemExit",
    "exit-large": "raise SystemExit(256 + 7)",
    "uncaught": "def f(x):\n    return 1 / x\nprint('before')\nf(0)\n",
    "chained": "try:\n    {}['a']\nexcept KeyError as error:\n    raise ValueError('second') from error\n",
    "syntax-error": "print('never')\ndef f(:\n",
    "excepthook": "import sys\nsys.excepthook = lambda *a: print('hook', a[0].__name__)\n1 / 0\n",
    "broken-excepthook": "import sys\ndef hook(*a): raise RuntimeError('hook')\nsys.excepthook = hook\n1 / 0\n",
    "exit-hooks": "import atexit\natexit.register(print, 'first')\natexit.register(print, 'second')\nprint('body')",
    "exit-hook-raises": "import atexit\n@atexit.register\ndef bad(): raise ValueError('late')\nprint('body')",
    "threads-are-waited-for": (
        "import threading, time\n"
        "threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()\nprint('main')"
    ),
    "daemon-threads-are-not": (
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\nprint('main')"
    ),
    "unflushed": "import sys; sys.stdout.write('no newline')",
    "closed-stdout": "import sys; print('x'); sys.stdout.close()",
    "names": "print(__name__, '__file__' in globals(), __doc__, __spec__, __package__, __builtins__.__name__)",
    "no-leftover-names": "print(sorted(name for name in globals() if not name.startswith('__')))",
    "main-module": "import __main__; answer = 42; print(__main__.answer)",
    "pickle-of-main": "import pickle\nclass A: pass\nprint(type(pickle.loads(pickle.dumps(A()))).__module__)",
    "stdin": "import sys; print(sys.stdin.read().upper()); print(input.__name__)",
    "input": "print(input('? '))",
    "standard-streams": "import sys; print(sys.stdout.encoding, sys.stdout.errors, sys.stdout.line_buffering, sys.stdin.fileno())",
    "paths": "import os, sys; print(os.getcwd(), sys.path[0], sys.executable, sys.flags.optimize)",
    "environment": "import os; print(sorted(set(os.environ) - {'LANG', 'LC_CTYPE'}), os.environ['HOME'])",
    "warnings": "import warnings; warnings.warn('careful')",
    "signals": "import signal; print(signal.getsignal(signal.SIGINT).__name__, signal.getsignal(signal.SIGPIPE))",
    "interrupt": "import os, signal; os.kill(os.getpid(), signal.SIGINT); import time; time.sleep(5)",
    "abort": "import os; print('x', flush=True); os.abort()",
    "segfault": "import ctypes; ctypes.string_at(0)",
    "os-exit": "import os; print('lost'); os._exit(4)",
    "fork": "import os\npid = os.fork()\nif pid == 0: os._exit(9)\nprint(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))",
    "subprocess": "import subprocess, sys; print(subprocess.run([sys.executable, '-c', 'print(7)'], capture_output=True).stdout)",
    "shell": "import os; print(os.system('exit 3') >> 8)",
    "processes": (
        "import multiprocessing as m\ndef f(x): return x * x\n"
        "if __name__ == '__main__':\n    with m.Pool(2) as pool: print(pool.map(f, [1, 2, 3]))"
    ),
    "asyncio": "import asyncio\nasync def main(): await asyncio.sleep(0); return 5\nprint(asyncio.run(main()))",
    "dataclass": "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\nprint(P(1))",
    "future-annotations-are-not-inherited": "def f(x: print('evaluated')): pass",
    "typing-hints": "import typing\ndef f(x: int) -> str: ...\nprint(typing.get_type_hints(f), f.__annotations__)",
    "recursion": "def f(n): return n and 1 + f(n - 1)\nprint(f(900))\ntry: f(100_000)\nexcept RecursionError: print('deep')",
    "excepthook-exits": "import sys\ndef hook(*a): sys.exit(5)\nsys.excepthook = hook\n1 / 0\n",
    "sqlite": "import sqlite3; print(sqlite3.connect('x.db').execute('select 1 + 1').fetchone())",
    "temporary-files": "import tempfile, os\nwith tempfile.NamedTemporaryFile() as f: print(os.path.dirname(f.name))",
    "numpy": "import numpy as np; print(np.arange(6).reshape(2, 3).sum(axis=0).tolist())",
    "zoneinfo": "import zoneinfo, datetime; print(datetime.datetime(2024, 7, 1, tzinfo=zoneinfo.ZoneInfo('UTC')).isoformat())",
}


@pytest.fixture(scope="module")
def jail(tiers: Tiers) -> Sandbox:
    return tiers.at_least(Tier.JAIL)


@pytest.fixture
def session(jail: Sandbox) -> Iterator[Session]:
    with jail.session() as session:
        yield session


def _told(execution: Execution) -> tuple[object, ...]:
    return (
        execution.end,
        execution.exit_code,
        execution.signal,
        execution.stdout.decode(),
        re.sub("0x[0-9a-f]+", "0x", execution.stderr.decode()),
    )


def _same_as_new(session: Session, command: Command) -> Execution:
    forked = session.run(command)
    new = session.run(replace(command, environment=NEW_INTERPRETER))
    assert _told(forked) == _told(new)
    return forked


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_script_behaves_as_under_a_new_interpreter(session: Session, name: str) -> None:
    files = {"job.py": PROGRAMS[name].encode()}
    _same_as_new(session, Command(argv=("python3", "job.py", "a", "b"), files=files, stdin=b"line\n", limits=LIMITS))


@pytest.mark.parametrize(
    "argv",
    [
        ("-c", "import sys; print(sys.argv, sys.path[0], __name__)", "a", "-c"),
        ("-B", "-c", "import sys; print(sys.dont_write_bytecode)"),
        ("-c", "import sys; print(sys.dont_write_bytecode)"),
        ("-I", "-c", "import sys; print(sys.argv, sys.flags.isolated)"),
        ("-P", "-s", "-m", "package.tool", "x"),
        ("-m", "package.tool", "x"),
        ("-m", "package"),
        ("-m", "no_such_module"),
        ("folder/job.py", "x"),
        ("-u", "folder/job.py"),
        ("-B", "-I", "folder/job.py"),
        ("no-such-file.py",),
        ("-O", "-c", "print(__debug__)"),
        ("-W", "error", "-c", "import warnings; warnings.warn('x')"),
        ("-",),
        ("--version",),
    ],
    ids=" ".join,
)
def test_a_command_line_means_the_same(session: Session, argv: tuple[str, ...]) -> None:
    tool = b"import sys; print(sys.argv[1:], __name__, __package__, sys.path[0])"
    files = {"package/__init__.py": b"", "package/tool.py": tool, "package/__main__.py": tool, "folder/job.py": tool}
    _same_as_new(session, Command(argv=("python3", *argv), files=files, stdin=b"print('stdin')", limits=LIMITS))


def test_random_numbers_differ_from_run_to_run(session: Session) -> None:
    code = "import random, uuid, numpy.random; print(random.random(), uuid.uuid4(), numpy.random.rand())"
    command = Command(argv=("python3", "-c", code), limits=LIMITS)
    runs = [session.run(command).stdout.split() for _ in range(3)]
    for column in zip(*runs, strict=True):
        assert len(set(column)) == 3


FORKS = """
import logging, os, threading
handler, holds, may_end = logging.StreamHandler(), threading.Event(), threading.Event()
def hold():
    handler.acquire(); holds.set(); may_end.wait(); handler.release()
thread = threading.Thread(target=hold); thread.start(); holds.wait()
child = os.fork()
if child == 0:
    os._exit(10 * threading.active_count() + handler.lock.acquire(timeout=20))
print(threading.main_thread().native_id == os.getpid(), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
may_end.set()
"""


@pytest.mark.parametrize("harness", [Harness(), PYTEST.harness], ids=["bare", "threading-is-there"])
def test_a_fork_of_a_program_has_one_thread_and_free_locks(session: Session, harness: Harness) -> None:
    execution = session.run(Command(argv=("python3", "-c", FORKS), harness=harness, limits=LIMITS))
    assert execution.stdout == b"True 11\n", execution


def test_a_fork_does_what_a_new_interpreter_would_take_long_for(session: Session) -> None:
    """That it is a fork at all: a new interpreter has not had time for less than this."""
    command = Command(argv=("python3", "-c", "import time; print(time.process_time())"), limits=LIMITS)
    session.run(command)
    forked = float(session.run(command).stdout)
    new = float(session.run(replace(command, environment=NEW_INTERPRETER)).stdout)
    assert forked < new


COUNTS = """
import ctypes, gc, json, sys, weakref
can, forever = sys.version_info >= (3, 12), sys.getrefcount(None)
code = json.dumps.__code__
there = (json, json.dumps, code, code.co_consts, code.co_name, vars(json), sys.modules, ctypes.Structure, list(vars(json))[9])
print([n for n, each in enumerate(there) if (sys.getrefcount(each) == forever) != can])
class Own: pass
own = json.own = Own()
gone, kept, before = weakref.ref(own), [own] * 10, sys.getrefcount(own)
kept.append(own)
print(sys.getrefcount(own) - before, sys.getrefcount(Own) < forever)
was_empty = sys.modules["copyreg"]._extension_cache
was_empty["it"] = found = []
gc.collect()
print(any(each is was_empty for each in gc.get_referrers(found)))
gc.unfreeze(); gc.collect()
print(type(json.own).__name__, json.loads(json.dumps({"a": [1]})))
del own, kept, json.own
print(gone())
"""


def test_what_was_there_before_the_fork_is_counted_no_more_and_all_else_is(session: Session) -> None:
    execution = session.run(Command(argv=("python3", "-c", COUNTS), harness=PYTEST.harness, limits=LIMITS))
    assert execution.stdout.decode().splitlines() == ["[]", "1 True", "True", "Own {'a': [1]}", "None"], execution
