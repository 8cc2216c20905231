"""What surrounds a call: tests set it for the code that they call, and see what that code has made of it, as in one process."""

from collections.abc import Mapping

import pytest

from graders.interface import Outcome
from sandboxes.interface import Sandbox
from tests.integration.test_two_process import cases, graded, jail, reports

__all__ = ["jail"]

P, F = Outcome.PASSED, Outcome.FAILED

SAME: dict[str, tuple[str, str | Mapping[str, str]]] = {
    "environment": (
        """
import os
def who(): return os.environ.get("ASKED_FOR", "nobody"), os.getenv("ASKED_FOR")
def keep(value): os.environ["KEPT"] = value
def drop(): os.environ.pop("KEPT", None)
def all(): return sorted(os.environ)
""",
        """
import os
from unittest import mock
import solution
def test_set(monkeypatch): monkeypatch.setenv("ASKED_FOR", "ann\\udcff\\u00e4"); assert solution.who()[0] == "ann\\udcff\\u00e4"
def test_taken_back(): assert solution.who() == ("nobody", None)
def test_removed(monkeypatch):
    monkeypatch.setenv("ASKED_FOR", "x"); solution.who(); monkeypatch.delenv("ASKED_FOR"); assert solution.who()[0] == "nobody"
def test_cleared():
    with mock.patch.dict(os.environ, {"ASKED_FOR": "bob"}, clear=True): assert [n for n in solution.all() if not n.startswith("PYTEST")] == ["ASKED_FOR"]
    assert "PATH" in solution.all()
def test_kept(): solution.keep("y"); assert os.environ["KEPT"] == "y"; solution.drop(); assert "KEPT" not in os.environ
""",
    ),
    "arguments": (
        "import sys\ndef arguments(): return sys.argv[1:]\n",
        """
import sys
import solution
def test_argv(monkeypatch): monkeypatch.setattr(sys, "argv", ["prog", "-n", "3"]); assert solution.arguments() == ["-n", "3"]
def test_changed(monkeypatch): monkeypatch.setattr(sys, "argv", ["prog"]); sys.argv.append("x"); assert solution.arguments() == ["x"]
""",
    ),
    "stdin": (
        """
import sys
def main():
    n = int(input("n? "))
    print(sum(int(input()) for _ in range(n)))
def lines(): return [line.rstrip("\\n") for line in sys.stdin]
def rest(): return sys.stdin.readline(), sys.stdin.read(2), sys.stdin.read()
def raw(): return sys.stdin.buffer.read().split()
def once():
    try: return input("more? ")
    except EOFError: return None
""",
        """
import io, sys
from unittest import mock
import pytest, solution
def feed(monkeypatch, text): monkeypatch.setattr(sys, "stdin", io.StringIO(text))
def test_input(monkeypatch, capsys): feed(monkeypatch, "2\\n3\\n4\\n"); solution.main(); assert capsys.readouterr().out == "n? 7\\n"
def test_lines(monkeypatch): feed(monkeypatch, "a\\n\\u00e4\\n\\nb"); assert solution.lines() == ["a", "\\u00e4", "", "b"]
def test_rest(monkeypatch): feed(monkeypatch, "one\\ntwo\\n"); assert solution.rest() == ("one\\n", "tw", "o\\n")
def test_raw(monkeypatch): monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"1 2"))); assert solution.raw() == [b"1", b"2"]
def test_end(monkeypatch): feed(monkeypatch, ""); assert solution.once() is None
def test_not_fed():
    with pytest.raises(OSError): solution.once()
def test_patched(capsys):
    with mock.patch("builtins.input", side_effect=["2", "5", "6"]) as asked: solution.main()
    assert capsys.readouterr().out == "11\\n" and asked.call_args_list == [mock.call("n? "), mock.call(), mock.call()]
def test_raises():
    with mock.patch("builtins.input", side_effect=EOFError): assert solution.once() is None
    with mock.patch("builtins.input", side_effect=KeyboardInterrupt), pytest.raises(KeyboardInterrupt): solution.once()
def test_shared_with_the_test(monkeypatch):
    feed(monkeypatch, "a\\nb\\n"); assert sys.stdin.readline() == "a\\n" and solution.once() == "b"
""",
    ),
    "random": (
        """
import random
def roll(): return random.randint(1, 10**9)
def many(n): return [random.random() for _ in range(n)]
def shuffled(xs): xs = list(xs); random.shuffle(xs); return xs
def own(): return random.Random(5).random()
def seeds(): random.seed(3); return random.random()
""",
        """
import random
import pytest, solution
def test_again():
    random.seed(1); a = [solution.roll() for _ in range(5)]
    random.seed(1); assert a == [solution.roll() for _ in range(5)]
def test_known(): random.seed(7); assert solution.many(2) == [random.Random(7).random(), solution.many(0) or 0.15084917392450192]
@pytest.mark.parametrize("n", [1, 300, 5000])
def test_in_turn(n):
    random.seed(2); expected = [random.random() for _ in range(n + 2)]
    random.seed(2); assert [random.random(), *solution.many(n), random.random()] == expected
def test_same_as_here(): random.seed("x"); a = solution.shuffled(range(9)); random.seed("x"); b = list(range(9)); random.shuffle(b); assert a == b
def test_state(): random.seed(4); state = random.getstate(); a = solution.roll(); random.setstate(state); assert solution.roll() == a
def test_own(): random.seed(1); assert solution.own() == random.Random(5).random()
def test_seeds(): random.seed(1); assert solution.seeds() == solution.seeds() == random.Random(3).random()
""",
    ),
    "random that is imported late": (
        "def roll():\n    import random\n    return random.random()\n",
        "import random, solution\ndef test_it(): random.seed(9); assert solution.roll() == random.Random(9).random()\n",
    ),
    "logging": (
        """
import logging
LOG = logging.getLogger(__name__)
QUIET = logging.getLogger("quiet.part"); QUIET.propagate = False
LOUD = logging.getLogger("loud"); LOUD.setLevel(logging.DEBUG)
def say(word, level=logging.INFO): LOG.log(level, "said %s", word, extra={"word": word})
def fail():
    try: 1 / 0
    except ZeroDivisionError: LOG.exception("failed")
def quietly(): QUIET.error("hush")
def loudly(): LOUD.debug("boo")
def level(): return LOG.getEffectiveLevel(), LOG.isEnabledFor(logging.DEBUG)
def configure(): logging.basicConfig(level=logging.DEBUG); LOG.debug("seen?")
def both(f): LOG.warning("before"); f(); LOG.warning("after")
""",
        """
import logging, unittest
import pytest, solution
def test_level(caplog):
    with caplog.at_level(logging.INFO): solution.say("hello"); solution.say("no", logging.DEBUG)
    assert caplog.record_tuples == [("solution", logging.INFO, "said hello")] and caplog.records[0].word == "hello"
    assert "solution" in caplog.text and caplog.records[0].funcName == "say"
def test_default(caplog): solution.say("a"); solution.say("b", logging.WARNING); assert caplog.messages == ["said b"]
def test_named(caplog): caplog.set_level(logging.DEBUG, logger="solution"); solution.say("x", logging.DEBUG); assert caplog.messages == ["said x"]
def test_after_it(caplog): solution.say("x", logging.DEBUG); assert caplog.messages == [] and solution.level() == (logging.WARNING, False)
def test_error(caplog): solution.fail(); [r] = caplog.records; assert r.levelname == "ERROR" and r.exc_info[0] is ZeroDivisionError
def test_no_propagation(caplog): solution.quietly(); assert caplog.messages == ["hush"]
def test_no_propagation_to_the_root():
    class Kept(logging.Handler):
        def emit(self, record): kept.append(record.name)
    kept, handler = [], Kept(); logging.getLogger().addHandler(handler); solution.quietly(); solution.say("x", logging.ERROR)
    logging.getLogger().removeHandler(handler); assert kept == ["solution"]
def test_own_level(caplog): caplog.handler.setLevel(0); solution.loudly(); assert caplog.messages == ["boo"]
def test_configure(caplog): solution.configure(); assert caplog.messages == []
def test_callback(caplog): solution.both(lambda: logging.warning("between")); assert caplog.messages == ["before", "between", "after"]
def test_disabled(caplog): logging.disable(logging.ERROR); solution.say("x", logging.ERROR); logging.disable(0); assert caplog.messages == []
def test_set_here(): logging.getLogger("solution").setLevel(5); assert solution.level()[0] == 5; logging.getLogger("solution").setLevel(0)
def test_handler_that_raises():
    class Strict(logging.Handler):
        def emit(self, record): raise ValueError(record.getMessage())
    strict = Strict(); logging.getLogger("solution").addHandler(strict)
    try:
        with pytest.raises(ValueError, match="said x"): solution.say("x", logging.ERROR)
    finally: logging.getLogger("solution").removeHandler(strict)
class TestLogs(unittest.TestCase):
    def test_logs(self):
        with self.assertLogs("solution", "DEBUG") as caught: solution.say("x", logging.DEBUG)
        self.assertEqual(caught.output, ["DEBUG:solution:said x"])
    def test_quiet(self):
        with self.assertLogs("quiet.part") as caught: solution.quietly()
        self.assertEqual(len(caught.records), 1)
    def test_none(self):
        with self.assertNoLogs("solution", "INFO"): solution.say("x", logging.DEBUG)
    def test_root(self):
        with self.assertLogs(level="INFO") as caught: solution.say("x")
        self.assertEqual(caught.records[0].levelno, logging.INFO)
""",
    ),
    "warnings": (
        """
import warnings
class Odd(UserWarning): pass
def old(): warnings.warn("old one", DeprecationWarning); return 1
def odd(n): warnings.warn(Odd("odd", n), stacklevel=2); return n
def twice(): old(); old()
def own():
    with warnings.catch_warnings(record=True) as caught: warnings.simplefilter("always"); old()
    return len(caught)
def quiet():
    with warnings.catch_warnings(): warnings.simplefilter("ignore"); return old()
""",
        """
import warnings, unittest
import pytest, solution
def test_warns():
    with pytest.warns(DeprecationWarning, match="old") as caught: assert solution.old() == 1
    assert len(caught) == 1 and str(caught[0].message) == "old one" and caught[0].filename.endswith("solution.py")
def test_own_class():
    with pytest.warns(solution.Odd) as caught: solution.odd(3)
    assert caught[0].category is solution.Odd and isinstance(caught[0].message, UserWarning) and caught[0].message.args == ("odd", 3)
def test_recorded():
    with warnings.catch_warnings(record=True) as caught: warnings.simplefilter("always"); solution.twice()
    assert [w.category for w in caught] == [DeprecationWarning] * 2
def test_default():
    for _ in range(2):
        with warnings.catch_warnings(record=True) as caught: warnings.simplefilter("default"); solution.twice(); solution.old()
        assert len(caught) == 1
def test_error():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(DeprecationWarning): solution.old()
        with pytest.raises(solution.Odd): solution.odd(1)
def test_one_of_them():
    with warnings.catch_warnings(): warnings.filterwarnings("error", message="OLD", category=DeprecationWarning); pytest.raises(DeprecationWarning, solution.old); assert solution.odd(2) == 2
@pytest.mark.filterwarnings("error")
def test_marked():
    with pytest.raises(solution.Odd): solution.odd(1)
def test_none():
    with warnings.catch_warnings(record=True) as caught: warnings.simplefilter("always"); assert solution.own() == 1 and solution.quiet() == 1
    assert caught == []
def test_recwarn(recwarn): solution.odd(1); assert recwarn.pop(solution.Odd)
class TestWarns(unittest.TestCase):
    def test_warns(self):
        with self.assertWarns(DeprecationWarning): solution.old()
    def test_regex(self):
        with self.assertWarnsRegex(UserWarning, "odd"): solution.odd(1)
""",
    ),
    "files": (
        """
import json, os, shutil
from pathlib import Path
def count(path):
    with open(path) as file: return len(file.readlines())
def copy(a, b): Path(b).write_bytes(Path(a).read_bytes())
def double(path): text = Path(path).read_text(); Path(path).write_text(text * 2); return len(text)
def names(folder): return sorted(p.relative_to(folder).as_posix() for p in Path(folder).rglob("*"))
def tree(folder): (Path(folder) / "a/b").mkdir(parents=True); (Path(folder) / "a/b/c.txt").write_text("c"); (Path(folder) / "empty").mkdir()
def remove(path): os.remove(path)
def wipe(folder): shutil.rmtree(folder)
def here(): return os.getcwd()
def save(name, text): Path(name).write_text(text); return os.path.exists(name)
class Store:
    def __init__(self, path): self.path = path
    def put(self, k, v):
        data = json.loads(self.path.read_text()) if self.path.exists() else {}
        data[k] = v; self.path.write_text(json.dumps(data))
    def get(self, k): return json.loads(self.path.read_text())[k]
def each(folder, f): [f(p) for p in sorted(Path(folder).iterdir())]
def from_environment(): return Path(os.environ["DATA"]).read_text()
""",
        {
            "test_it.py": """
import json, os, tempfile
from pathlib import Path
import pytest, solution
HERE = Path(__file__).parent
def test_read(tmp_path): p = tmp_path / "a.txt"; p.write_text("a\\nb\\n"); assert solution.count(p) == solution.count(str(p)) == 2
def test_changed(tmp_path):
    p = tmp_path / "a.txt"
    for n in range(5): p.write_text(f"{n}"); assert solution.double(p) == 1 and p.read_text() == f"{n}{n}"
def test_written(tmp_path): a, b = tmp_path / "a", tmp_path / "b"; a.write_bytes(bytes(range(256))); solution.copy(a, b); assert b.read_bytes() == bytes(range(256))
def test_folder(tmp_path):
    (tmp_path / "x").mkdir(); (tmp_path / "x/y.txt").write_text("y"); assert solution.names(tmp_path) == ["x", "x/y.txt"]
    solution.tree(tmp_path); assert (tmp_path / "a/b/c.txt").read_text() == "c" and (tmp_path / "empty").is_dir()
    (tmp_path / "x/y.txt").unlink(); (tmp_path / "x").rmdir(); assert solution.names(tmp_path) == ["a", "a/b", "a/b/c.txt", "empty"]
    solution.wipe(tmp_path / "a"); assert sorted(p.name for p in tmp_path.iterdir()) == ["empty"]
def test_removed(tmp_path): p = tmp_path / "a"; p.write_text(""); solution.remove(p); assert not p.exists()
def test_temporary():
    with tempfile.TemporaryDirectory() as d: Path(d, "f").write_text("1\\n"); assert solution.count(os.path.join(d, "f")) == 1
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as f: f.write("1\\n2\\n"); f.flush(); assert solution.count(f.name) == 2
def test_chdir(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path); Path("in.txt").write_text("1\\n"); assert solution.count("in.txt") == 1 and solution.here() == str(tmp_path)
    assert solution.save("out.txt", "o") and Path("out.txt").read_text() == "o"
def test_store(tmp_path): s = solution.Store(tmp_path / "s.json"); s.put("a", 1); s.put("b", 2); assert json.loads((tmp_path / "s.json").read_text()) == {"a": 1, "b": 2} and s.get("a") == 1
def test_callback(tmp_path):
    seen = []; (tmp_path / "a").write_text("1"); (tmp_path / "b").write_text("2"); solution.each(tmp_path, lambda p: seen.append(p.read_text())); assert seen == ["1", "2"]
def test_missing(tmp_path):
    with pytest.raises(FileNotFoundError): solution.count(tmp_path / "none")
def test_environment(tmp_path, monkeypatch): (tmp_path / "d").write_text("d"); monkeypatch.setenv("DATA", str(tmp_path / "d")); assert solution.from_environment() == "d"
def test_beside(): assert solution.count("lines.txt") == solution.count(HERE / "lines.txt") == solution.count(str(HERE / "data" / "more.txt")) == 2
def test_folder_beside(): assert solution.names(HERE / "data") == ["deep", "deep/er.txt", "more.txt"]
def test_made_here(): solution.save("made.txt", "m"); assert Path("made.txt").read_text() == "m"; solution.save("made.txt", "mm"); assert Path("made.txt").read_text() == "mm"; Path("made.txt").unlink()
def test_opened(tmp_path):
    with open(HERE / "lines.txt") as file: assert len(file.readlines()) == 2
""",
            "lines.txt": "1\n2\n",
            "data/more.txt": "1\n2\n",
            "data/deep/er.txt": "e",
        },
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_it_is_as_in_one_process(jail: Sandbox, name: str) -> None:
    solution, tests = SAME[name]
    apart = reports(jail, solution, tests)
    together = reports(jail, solution, tests, isolation="shared")
    not_passed = {test: text for test, (outcome, text) in [*apart.items(), *together.items()] if outcome != "passed"}
    assert not not_passed, "\n\n".join(f"{test}: {text}" for test, text in not_passed.items())
    assert apart.keys() == together.keys()


SENDS = """
import sys
LINE = next((m.LINE for m in list(sys.modules.values()) if hasattr(getattr(m, "LINE", None), "ask")), None)
def send(*changes):
    if LINE is None: return  # together with its tests
    links = LINE.links
    def once(encoder, said):
        del links.changes
        return [list(change) for change in changes]
    links.changes = once
"""
"""What a submission that has taken its own process apart may write in the place of honest changes."""
NOT_TAKEN: dict[str, tuple[str, str | Mapping[str, str]]] = {
    "names that mean something to Python, the linker or the runner": (
        SENDS
        + """
def f(): send(["environment", [[n, "/box/tmp"] for n in ("PYTHONPATH", "PYTEST_ADDOPTS", "LD_PRELOAD", "PATH", "HOME", "TMPDIR", "HYPOTHESIS_X", "_X", "OURS", "MINE")]])
""",
        """
import os, subprocess, solution
def test_it(monkeypatch):
    before = dict(os.environ); solution.f()
    assert {n: v for n, v in os.environ.items() if before.get(n) != v} == {"OURS": "/box/tmp", "MINE": "/box/tmp"}
    assert b"OURS" not in subprocess.check_output(["env"])
""",
    ),
    "files that the tests have not shared, or would run": (
        SENDS
        + """
import base64
WORDS = base64.b64encode(b"words").decode()
def share(folder): pass
def f(*paths): send(["files", [[], [[p[1:], WORDS] for p in paths]]])
def remove(*paths): send(["files", [[], [[p[1:], None] for p in paths]]])
""",
        {
            "test_it.py": """
import os, tempfile
from pathlib import Path
import solution
HERE = Path(__file__).parent
def unnamed(*paths): return ["=" + str(path) for path in paths]
def test_written(tmp_path):
    solution.f(*unnamed("/box/tmp/elsewhere", HERE / "test_it.py", HERE / "other.py", HERE / "conftest.py", HERE / "data.json",
        HERE / ".hidden", HERE / "__pycache__" / "x", HERE.parent / "above", "/box/work/x", tmp_path / "not-named"))
    assert not Path("/box/tmp/elsewhere").exists() and not (HERE.parent / "above").exists() and not list(tmp_path.iterdir())
    assert {p.name for p in HERE.iterdir()} - {"__pycache__"} == {"test_it.py", "data.json", "folder"}
    assert "words" not in (HERE / "data.json").read_text() and not (HERE / "__pycache__/x").exists()
def test_shared(tmp_path):
    code = [tmp_path / name for name in ("a.py", "a.so", "sub/b.PY", "c.pth", "d.sh", "e.zip")]
    (tmp_path / "run").write_text("#!/bin/sh"); (tmp_path / "run").chmod(0o755); (tmp_path / "out").symlink_to(HERE)
    solution.share(tmp_path)
    solution.f(*unnamed(*code, tmp_path, tmp_path / "run", tmp_path / "out" / "x.txt", tmp_path / "fine"))
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fine", "out", "run"] and (tmp_path / "run").read_text() == "#!/bin/sh"
    assert not (HERE / "x.txt").exists() and (tmp_path / "fine").read_text() == "words"
def test_removed(tmp_path):
    (tmp_path / "a").write_text("")
    solution.remove(*unnamed(HERE / "data.json", HERE / "test_it.py", "/box/tmp", tmp_path / "a", tmp_path))
    assert (HERE / "data.json").exists() and (HERE / "test_it.py").exists() and (tmp_path / "a").exists()
""",
            "data.json": "[]",
            "folder/more.json": "[]",
        },
    ),
    "which numbers come next": (
        "import random\ndef f(): random.seed(5); return random.random()\n",
        "import random, solution\ndef test_it(): random.seed(1); solution.f(); assert random.random() == random.Random(1).random()\n",
    ),
    "files beside the tests that they do not name": (
        """
import os
from pathlib import Path
def f(x): return x
def look(folder): return sorted(p.name for p in Path(folder).rglob("*")) if os.path.isdir(folder) else []
def read(name):
    try: return Path(name).read_text()
    except OSError: return None
def guess(): return "expected.json"
""",
        {
            "test_it.py": """
from pathlib import Path
import solution
HERE = Path(__file__).parent
def test_named(): assert solution.read("input.txt") == solution.read(str(HERE / "input.txt")) == "in"
def test_others(): assert solution.f("a") == "a" and solution.look(".") == ["input.txt"]
def test_all_of_it(): assert solution.look(HERE) == ["input.txt"] and solution.read(HERE / "test_it.py") is None
def test_guessed(): assert solution.read(solution.guess()) is None and solution.read("expected.json") is None
""",
            "input.txt": "in",
            "expected.json": "[1]",
        },
    ),
    "the name of the test": (
        "import os\ndef f(): return [v for v in os.environ.values() if 'test_it' in v]\n",
        "import os, solution\ndef test_it(monkeypatch): monkeypatch.setenv('X', 'y'); assert any('test_it' in v for v in os.environ.values()) and solution.f() == []\n",
    ),
}


@pytest.mark.parametrize("name", NOT_TAKEN)
def test_what_a_submission_has_no_say_in(jail: Sandbox, name: str) -> None:
    solution, tests = NOT_TAKEN[name]
    told = reports(jail, solution, tests)
    not_passed = {test: text for test, (outcome, text) in told.items() if outcome != "passed"}
    assert not not_passed, "\n\n".join(f"{test}: {text}" for test, text in not_passed.items())


BROKEN = {
    "a change of nothing": '["everything", 1]',
    "the state of random": '["random", "00"]',
    "more numbers than anyone draws": '["drawn", 10**9]',
    "numbers that are none": '["drawn", True]',
    "a folder": '["folder", "/"]',
    "its own root": '["files", [[["/box/work", True]], []]]',
    "no path": '["files", [[], [["../x", None]]]]',
    "a path with a way up": '["files", [[], [["/box/tmp/../work/x", None]]]]',
    "records without end": '["records", [None] * 1001]',
    "no record": '["records", [["solution", 20]]]',
    "a level that is none": '["levels", [["solution", "DEBUG"]]]',
    "a warning that is none": '["warnings", [[1, "x", 1]]]',
    "a warning of an error": '["warnings", [[{"$error": [{"$type": "builtins.ValueError"}, [], "", [], [], None, None]}, "x", 1]]]',
    "names without end": '["environment", [["A", "b"]] * 1001]',
    "a name that is none": '["environment", [["A=B", "b"]]]',
    "filters": '["filters", []]',
}


def test_what_nobody_would_have_sent_ends_the_line(jail: Sandbox) -> None:
    """Each in a test of its own: the candidate is ended, and the next test meets a fresh one."""
    functions = "".join(f"def f{n}(): send({change}); return 1\n" for n, change in enumerate(BROKEN.values()))
    honest = "".join(f"def f{n}(): return 1\n" for n in range(len(BROKEN)))
    for n, what in enumerate(BROKEN):
        tests = f"import solution\ndef test_it(): assert solution.f{n}() == 1\n"
        told = cases(graded(jail, SENDS + functions, tests, honest))
        assert told["test_it"].outcome is Outcome.ERROR, what
