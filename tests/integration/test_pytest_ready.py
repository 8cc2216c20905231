"""A run of pytest that was begun ahead of a fork comes out as one of `pytest.main` in an interpreter of its own."""

import json
import re
from typing import Any

import pytest

from graders.drivers import PROPERTY, PYTEST, Driver
from graders.interface import Harness
from sandboxes.interface import Command, Limits, Sandbox, Tier
from sandboxes.tiers import Tiers

RECORDER = """
import json, os, sys

OUT = os.dup(1)


def tell(*fields):
    os.write(OUT, json.dumps(fields).encode() + b"\\n")


class Recorder:
    def pytest_collectreport(self, report):
        tell("collected", str(report.nodeid), report.outcome, str(report.longrepr or ""))

    def pytest_runtest_logreport(self, report):
        outcome = [report.outcome, getattr(report, "wasxfail", None), list(report.user_properties), report.sections]
        tell(str(report.nodeid), report.when, str(report.location), sorted(report.keywords), outcome, str(report.longrepr or ""))

    def pytest_warning_recorded(self, warning_message, when, nodeid):
        tell("warning", when, str(nodeid), warning_message.category.__name__, str(warning_message.message))

    def pytest_sessionfinish(self, session, exitstatus):
        tell("finished", int(exitstatus), session.testscollected, session.testsfailed)
"""
FRESH = (
    RECORDER
    + """
import io
import pytest
from _pytest._io import TerminalWriter

class NoTerminal:
    def __init__(self): self._tw = TerminalWriter(io.StringIO())

class Registers:
    def pytest_configure(self, config): config.pluginmanager.register(NoTerminal(), "terminalreporter")

os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
sys.path.insert(0, os.path.abspath("submission"))
status = pytest.main([
    "--rootdir", "tests", "-c", os.devnull, "--confcutdir", "tests", "--import-mode=importlib",
    "-p", "no:cacheprovider", "-p", "no:terminal", "-p", "pytest_timeout", "-p", "_hypothesis_pytestplugin",
    "--timeout-method", "signal", "--capture=sys", "tests",
], plugins=[Registers(), Recorder()])
tell("status", int(status))
"""
)
READY = (
    RECORDER
    + """
from graders.boxed.tests import property_driver as driver
from graders.boxed.shared.search_path import make_importable

os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
sys.dont_write_bytecode = True
driver.REPORTER.question = {"tests": None}
driver.REPORTER.answer = lambda **_: None
recorder = Recorder()
driver.READY.plugins.append(recorder)
driver.READY.config.pluginmanager.register(recorder)
make_importable("submission")
status = driver.READY.run("tests")
driver.READY.close()  # which tells of warnings too, and tidies up what `pytest.main` does
tell("status", int(status))
"""
)
SUITES: dict[str, dict[str, str]] = {
    "fixtures": {
        "test_it.py": """
import pytest
done = []
@pytest.fixture(scope="session")
def s(): done.append("s"); yield 1; done.append("end")
@pytest.fixture(scope="module", params=["a", "b"])
def m(request, s): yield request.param
@pytest.fixture(scope="class", autouse=True)
def c(): done.append("c")
@pytest.fixture
def f(request, m): request.addfinalizer(lambda: done.append(m)); return m
@pytest.fixture(name="other")
def renamed(f): return f * 2
def test_f(f): assert f in "ab"
class TestClass:
    @pytest.fixture
    def own(self, other): return other + "!"
    def test_own(self, own, s): assert own == "aa!"
    @pytest.mark.usefixtures("f")
    def test_done(self): assert done == []
def test_unknown(nothing): pass
@pytest.fixture
def broken(): raise ValueError("broken")
def test_broken(broken): pass
@pytest.fixture
def late(): yield; raise ValueError("late")
def test_late(late): pass
""",
    },
    "parameters": {
        "test_it.py": """
import pytest
@pytest.mark.parametrize("x", [1, pytest.param(2, id="two"), pytest.param(3, marks=pytest.mark.xfail)])
@pytest.mark.parametrize("y", ["a", None, object])
def test_table(x, y, record_property): record_property("x", x); assert x < 3
""",
    },
    "conftest": {
        "conftest.py": """
import pytest
def pytest_addoption(parser): parser.addoption("--level", type=int, default="7")
def pytest_configure(config): config.addinivalue_line("markers", "slow: takes long")
def pytest_collection_modifyitems(items): items.reverse()
@pytest.fixture
def level(request): return request.config.getoption("--level")
""",
        "test_it.py": "import pytest\n@pytest.mark.slow\ndef test_level(level): assert level == 7\ndef test_b(): pass\n",
        "deep/conftest.py": "import pytest\n@pytest.fixture\ndef level(level): return -level\n",
        "deep/test_deep.py": "def test_level(level): assert level == 7\n",
    },
    "broken conftest": {"conftest.py": "import nothing_like_it\n", "test_it.py": "def test_it(): pass\n"},
    "unittest": {
        "test_it.py": """
import unittest
class Case(unittest.TestCase):
    @classmethod
    def setUpClass(cls): cls.x = 1
    def setUp(self): self.y = self.x
    def test_equal(self): self.assertEqual(self.y, 2)
    def test_sub(self):
        for i in range(3):
            with self.subTest(i=i): self.assertNotEqual(i, 1)
    @unittest.skip("why not")
    def test_skip(self): pass
    @unittest.expectedFailure
    def test_expected(self): self.fail()
""",
    },
    "skips": {
        "test_it.py": """
import pytest
@pytest.mark.skip(reason="r")
def test_skip(): pass
@pytest.mark.skipif("sys.platform == 'linux'")
def test_skipif(): pass
@pytest.mark.xfail(strict=True)
def test_strict(): pass
@pytest.mark.xfail(raises=ValueError)
def test_raises(): raise KeyError("k")
def test_inside(): pytest.importorskip("nothing_like_it")
async def test_async(): pass
def test_returns(): return 1
""",
        "test_module.py": "import pytest\npytest.skip('all of it', allow_module_level=True)\n",
    },
    "properties": {
        "test_it.py": """
from hypothesis import given, settings, strategies as st
@settings(derandomize=True, database=None, deadline=None)
@given(st.lists(st.integers()))
def test_sum(x): assert 0 not in x
@settings(derandomize=True, database=None, deadline=None)
@given(st.lists(st.characters(min_codepoint=97, max_codepoint=99)))
def test_characters(x): assert len(x) < 2
@settings(database=None, deadline=None)
@given(st.integers())
def test_integers(x): assert x == x
def test_home():
    from hypothesis.configuration import storage_directory
    assert str(storage_directory("x").path) == ""
""",
    },
    "time": {
        "test_it.py": """
import time, pytest
@pytest.mark.timeout(0.2)
def test_spin():
    while True: pass
@pytest.mark.timeout(0.2)
def test_sleep(): time.sleep(60)
def test_fine(): pass
""",
    },
    "built in": {
        "test_it.py": """
import logging, os, sys, warnings, subprocess
import pytest
def test_capsys(capsys): print("x"); assert capsys.readouterr() == ("x\\n", "")
def test_capfd(capfd): os.write(2, b"y"); assert capfd.readouterr() == ("", "y")
def test_tmp_path(tmp_path, tmp_path_factory): (tmp_path / "f").write_text("1"); assert str(tmp_path).startswith("/box/tmp/")
def test_tmpdir(tmpdir): tmpdir.join("f").write("1")
def test_monkeypatch(monkeypatch): monkeypatch.setenv("A", "1"); monkeypatch.chdir("/"); assert os.getcwd() == "/"
def test_caplog(caplog): logging.getLogger("x").warning("w"); assert caplog.messages == ["w"]
def test_recwarn(recwarn): warnings.warn("w"); assert len(recwarn) == 1
def test_warns():
    with pytest.warns(UserWarning): pass
def test_sections(): print("out"); sys.stderr.write("err"); logging.warning("log"); os.system("echo child"); assert 0
def test_environment(): assert (os.environ["PYTEST_VERSION"], os.getcwd(), sys.argv[0] == "") == (pytest.__version__, "/box/work", False)
def test_place(request, pytestconfig):
    config = pytestconfig
    places = [config.rootpath, config.invocation_params.dir, request.path, request.session.path, request.session.startpath]
    pytest.fail(str([config.args, *map(str, places)]))
def test_options(pytestconfig):
    option = vars(pytestconfig.option)
    names = ("timeout", "confcutdir", "rootdir", "file_or_dir", "importmode", "capture", "inifilename", "verbose")
    pytest.fail(str([option[name] for name in names]))
def test_stdin(): sys.stdin.read()
""",
    },
    "broken modules": {
        "test_import.py": "import nothing_like_it\n",
        "test_syntax.py": "def f(:\n",
        "test_raises.py": "1 / 0\n",
        "test_fine.py": "def test_it(): pass\n",
    },
    "exits": {"test_it.py": "import os\ndef test_a(): pass\ndef test_b(): os._exit(7)\ndef test_c(): pass\n"},
    "sys.exit": {"test_it.py": "import sys\ndef test_a(): sys.exit(3)\ndef test_b(): pass\n"},
    "pytest.exit": {"test_it.py": "import pytest\ndef test_a(): pytest.exit('enough', 9)\ndef test_b(): pass\n"},
    "exit while collecting": {"test_it.py": "import sys\nsys.exit(3)\n"},
    "nothing": {"readme.txt": ""},
    "warnings": {
        "test_it.py": """
import warnings, threading, pytest
warnings.warn("while collecting")
def test_warns(): warnings.warn("in a test"); warnings.warn("old", DeprecationWarning)
@pytest.mark.filterwarnings("error")
def test_error(): warnings.warn("in a test")
@pytest.mark.unheard_of
def test_mark(): pass
def test_thread():
    thread = threading.Thread(target=lambda: 1 / 0); thread.start(); thread.join()
class D:
    def __del__(self): raise ValueError("del")
def test_unraisable(): D()
""",
    },
    "assertions": {
        "test_it.py": """
def f(x): return x
def test_list(): assert [f(i) for i in range(5)] == [0, 1, 2, 4, 4]
def test_dict(): assert {"a": 1, "b": {"c": 2}} == {"a": 1, "b": {"c": 3}}
def test_text(): assert "one\\ntwo\\n" == "one\\nto\\n", "the message"
def test_call(): assert f(f(1) + 1) == 3 and f(2)
def test_in(): assert "z" in "abc"
def test_not():
    x = 1
    assert not x
def test_walrus(): assert (y := f(3)) > 3
def test_error(): f()
def test_group(): raise ExceptionGroup("g", [ValueError(1), KeyError(2)])
def test_cause():
    try: 1 / 0
    except ZeroDivisionError as error: raise ValueError("v") from error
""",
    },
    "folders": {
        "a/test_same.py": "from solution import f\nimport helper_of_tests\ndef test_a(): assert f(1) == 1\n",
        "b/test_same.py": "from solution import f\ndef test_b(): assert f(1) == 2\n",
        "c/__init__.py": "",
        "c/test_same.py": "from . import helper\ndef test_c(): assert helper.x == 1\n",
        "c/helper.py": "x = 1\n",
        "c_test.py": "def test_other_pattern(): assert __name__ == ''\n",
        "helper_of_tests.py": "",
    },
    "plugins of a module": {
        "test_it.py": "pytest_plugins = ['own_plugin']\ndef test_it(thing): assert thing == 2\n",
    },
    "configuration": {  # none of it counts
        "pytest.ini": "[pytest]\naddopts = --collect-only\n",
        "pyproject.toml": "[tool.pytest.ini_options]\naddopts = '--collect-only'\n",
        "test_it.py": "def test_it(): assert 0\n",
    },
}
SUBMISSION = {
    "solution.py": "def f(x):\n    return x\n",
    "conftest.py": "raise SystemExit('nobody reads this')\n",
    "pytest.ini": "[pytest]\naddopts = --collect-only\n",
    "own_plugin.py": "import pytest\n@pytest.fixture\ndef thing(): return 2\n",
}


LOOKED_FOR = re.compile(rb"/[\w./-]+/_pytest/pathlib\.py:\d+: in \w+\\n(?: (?:[^\\]|\\[^n])*\\n)+")
"""Frames of pytest's own way to a test file, in the text about one that is no Python."""


def recorded(
    sandbox: Sandbox, program: str, suite: dict[str, str], harness: Harness
) -> tuple[int | None, list[Any], list[str]]:
    """Exit code, what the recorder saw, and what came out on stderr."""
    files = {f"tests/{path}": text.encode() for path, text in suite.items()}
    files |= {f"submission/{path}": text.encode() for path, text in SUBMISSION.items()}
    argv = ("python3", "-B", "-P", "-s", "-c", program)
    limits = Limits(memory_mib=1024, wall_seconds=60)
    with sandbox.session() as session:
        done = session.run(Command(argv=argv, harness=harness, files=files, limits=limits))
    lines = LOOKED_FOR.sub(b"", re.sub(rb"0x[0-9a-f]+", b"0x", done.stdout)).splitlines()
    # Where pytest says that it failed itself, it shows the frames that led there, and they differ.
    said = [line for line in done.stderr.decode().splitlines() if not line.startswith(("INTERNALERROR", "mainloop:"))]
    return done.exit_code, [json.loads(line) for line in lines if line.startswith(b"[")], said


@pytest.mark.parametrize("codec", ["utf-8", "ascii"])
def test_the_tables_of_characters_are_those_of_hypothesis(tiers: Tiers, codec: str) -> None:
    look = (
        "import json, hashlib; from hypothesis.internal import charmap\n"
        f"found = [charmap.charmap(), charmap.categories(), *(s.intervals for s in charmap.intervals_from_codec({codec!r}))]\n"
        "print('[\"' + hashlib.sha256(json.dumps(found).encode()).hexdigest() + '\"]')\n"
    )
    fresh = recorded(tiers.at_least(Tier.CONTAINER), look, {}, Harness())
    assert recorded(tiers.at_least(Tier.JAIL), look, {}, PROPERTY.harness) == fresh
    assert fresh[1]


@pytest.mark.parametrize("suite", SUITES.values(), ids=SUITES)
def test_a_run_that_was_begun_ahead_is_as_one_of_pytest_main(tiers: Tiers, suite: dict[str, str]) -> None:
    fresh = recorded(tiers.at_least(Tier.CONTAINER), FRESH, suite, Harness())
    ready = recorded(tiers.at_least(Tier.JAIL), READY, suite, PROPERTY.harness)
    assert fresh[1], fresh[2]
    assert ready == fresh


@pytest.mark.parametrize("driver", [PYTEST, PROPERTY], ids=lambda driver: driver.module)
def test_the_rehearsal_leaves_nothing(tiers: Tiers, driver: Driver) -> None:
    look = """
import atexit, json, linecache, logging, os, signal, sys, tempfile, warnings
left = {
    "modules": [name for name in sys.modules if "rehearsal" in name and not name.startswith("graders.")],
    "lines": list(linecache.cache),
    "exceptions": [name for name in vars(sys) if name.startswith("last_")],
    "handlers": [logging.root.handlers, logging.root.level],
    "alarm": [signal.getsignal(signal.SIGALRM) is signal.SIG_DFL, signal.getitimer(signal.ITIMER_REAL)],
    "environment": [name for name in os.environ if "PYTEST" in name],
    "folder": tempfile.tempdir,
    "streams": [sys.stdout is sys.__stdout__, sys.stderr is sys.__stderr__, sys.stdin is sys.__stdin__],
    "path": [path for path in sys.path if "rehearsal" in path],
    "descriptors": [],
}
for fd in range(3, 256):
    try: left["descriptors"].append(str(os.fstat(fd)))
    except OSError: pass
print(json.dumps([left]))
"""
    code, told, said = recorded(tiers.at_least(Tier.JAIL), look, {}, driver.harness)
    assert (code, said) == (0, [])
    assert told == [
        [
            {
                "modules": [], "lines": [], "exceptions": [], "handlers": [[], 30], "alarm": [True, [0.0, 0.0]],
                "environment": [], "folder": None, "streams": [True, True, True], "path": [], "descriptors": [],
            }
        ]
    ]  # fmt: skip
