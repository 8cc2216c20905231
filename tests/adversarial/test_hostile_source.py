"""Source that is written to blind, crash or take over an analyzer, in real boxes.

Every hostile file ends in a line with a known weakness. Then there are two honest outcomes, and silence is none of
them: the weakness is reported, or the file is an abstention.
"""

from collections.abc import Mapping

import pytest

from graders.builtin.analysis import Answer, Skipped, analyze_files
from graders.builtin.complexity import TOOL as RADON
from graders.builtin.security import Security
from graders.interface import Abstention, Finding, Measurement, Signal
from graders.plugins.testing import context_of
from sandboxes.interface import Sandbox

WEAKNESS = "\nimport subprocess\nsubprocess.call(input(), shell=True)\n"

RUNS_IN_PYTHON: Mapping[str, str] = {
    "elif_chain": "x = 0\nif x == 1: pass\n" + "".join(f"elif x == {n}: pass\n" for n in range(1200)),
    "sum": "x = " + " + ".join("1" * 1500),
    "comparisons": "x = " + "(" * 90 + "1" + " < 2)" * 90,
    "operators": "x = " + "1 - (" * 90 + "1" + ")" * 90,
    "not": "x = " + "not " * 900 + "1",
    "attributes": "x = lambda a: a" + ".b" * 1500,
    "calls": "x = lambda f: f" + "()" * 1500,
    "lambdas": "x = " + "lambda: " * 600 + "1",
    "nested_functions": "".join(" " * n + f"def f{n}():\n" for n in range(90)) + " " * 90 + "pass\n",
    "long_hex": "x = 0x" + "f" * 200_000,
    "long_text": "password = '" + "a" * 200_000 + "'",
    "terminal": "x = '\\x1b]0;owned\\x07'  # \x1b[2J \u202e\u2066",
    "nosec": "# nosec\n# bandit: skip\n# type: ignore\n# flake8: noqa",
    "byte_order_mark": "\ufeffx = 1",
    "carriage_returns": "x = 1\r\ny = 2\r\n",
    "form_feed": "x = 'a\x0cb'",
    "line_separator": "x = 'a\u2028b'",
    "exits": "import sys, os\nsys.exit(0)\nos._exit(0)",
    "closes": "import os\nos.close(3)\nos.closerange(0, 100)",
    "forges": 'import os\nos.write(3, b\'\\x00\\x00\\x00\\x10{"cannot": "forged"}\')',
}
"""Python compiles these, and a plain run of bandit or radon is blind on some or dies of some."""

MAY_BE_REFUSED: Mapping[str, str] = {
    "brackets": "x = " + "(" * 5000 + ")" * 5000,
    "minus": "x = " + "-" * 100_000 + "1",
    "deep_sum": "x = " + " + ".join("1" * 20_000),
    "digits": "x = " + "9" * 200_000,
    "indents": "".join(" " * n + "if x:\n" for n in range(150)) + " " * 150 + "pass\n",
    "continuations": "\\\n" * 100_000 + "x = 1",
    "tuples": "x = {" + ", ".join(f"({n},)" for n in range(25_000)) + "}",
    "asserts": "assert 1\n" * 25_000,
    "nul": "x = 1\0",
    "latin": "# -*- coding: latin-1 -*-\nx = '\u00e9'",
    "utf_7": "# coding: utf-7\n",
    "hidden_cookie": "\f\r# coding: utf-7\n",
    "surrogate": "x = '\ud800'",
    "too_large": "#" * (256 * 1024),
    "format_strings": "x = " + "f'{" * 10 + "1" + "}'" * 10,
    "walrus": "x = [" + "(y := " * 150 + "1" + ")" * 150 + "]",
}
READS_AS_OTHER_TEXT = ["latin.py", "utf_7.py", "hidden_cookie.py"]
"""A reviewer would see other code than Python runs."""
HOSTILE = {f"{name}.py": source + WEAKNESS for name, source in {**RUNS_IN_PYTHON, **MAY_BE_REFUSED}.items()}
WITNESS = {"zz_witness.py": WEAKNESS}
"""Looked at last, after all the others."""

SHADOWING = [
    "ast", "bandit", "codecs", "graders/__init__", "graders/boxed/__init__", "graders/boxed/bandit_analyzer",
    "graders/boxed/file_analysis", "io", "json", "os", "radon", "radon/visitors", "re", "sitecustomize", "stevedore",
    "tokenize", "usercustomize", "warnings", "yaml",
]  # fmt: skip


def security(sandbox: Sandbox, files: Mapping[str, str]) -> list[Signal]:
    with sandbox.session() as session:
        return list(Security().grade(context_of(files, session)))


def complexity(sandbox: Sandbox, files: Mapping[str, str]) -> dict[str, Answer | Skipped]:
    """What radon said of each file."""
    with sandbox.session() as session:
        return dict(analyze_files(context_of(files, session), RADON, lambda found: found))


@pytest.fixture(scope="module")
def signals(sandbox: Sandbox) -> list[Signal]:
    return security(sandbox, {**HOSTILE, **WITNESS})


@pytest.fixture(scope="module")
def measures(sandbox: Sandbox) -> dict[str, Answer | Skipped]:
    return complexity(sandbox, {**HOSTILE, **WITNESS})


def found_in(signals: list[Signal], path: str) -> set[str]:
    return {signal.rule for signal in signals if isinstance(signal, Finding) and signal.path == path}


def abstained_on(signals: list[Signal]) -> set[str]:
    return {signal.path for signal in signals if isinstance(signal, Abstention)}


@pytest.mark.parametrize("path", [*HOSTILE, *WITNESS])
def test_a_hostile_file_is_never_silence(signals: list[Signal], path: str) -> None:
    assert ("B602" in found_in(signals, path)) != (path in abstained_on(signals))


@pytest.mark.parametrize("path", [f"{name}.py" for name in RUNS_IN_PYTHON] + [*WITNESS])
def test_what_python_runs_bandit_sees(signals: list[Signal], path: str) -> None:
    assert "B602" in found_in(signals, path)


@pytest.mark.parametrize("path", [f"{name}.py" for name in RUNS_IN_PYTHON] + [*WITNESS])
def test_what_python_runs_radon_measures(measures: dict[str, Answer | Skipped], path: str) -> None:
    look = measures[path]
    assert not isinstance(look, Skipped)
    assert isinstance(look["lines"], int)
    assert look["lines"] >= 2


@pytest.mark.parametrize("path", READS_AS_OTHER_TEXT)
def test_what_a_reviewer_reads_as_other_text_than_python_is_refused(
    signals: list[Signal], measures: dict[str, Answer | Skipped], path: str
) -> None:
    assert path in abstained_on(signals)
    assert isinstance(measures[path], Skipped)


def test_no_file_is_lost(signals: list[Signal], measures: dict[str, Answer | Skipped]) -> None:
    [scanned] = [signal for signal in signals if isinstance(signal, Measurement) and signal.name == "files-scanned"]
    assert scanned.value + len(abstained_on(signals)) == len(HOSTILE) + len(WITNESS)
    assert set(measures) == {*HOSTILE, *WITNESS}


def test_abstentions_say_why_in_words(signals: list[Signal], measures: dict[str, Answer | Skipped]) -> None:
    reasons = [signal.reason for signal in signals if isinstance(signal, Abstention)]
    reasons += [look.reason for look in measures.values() if isinstance(look, Skipped)]
    assert reasons
    for reason in reasons:
        assert " " in reason
        assert len(reason) <= 500
        assert "box ended" not in reason, "one file took the box of all of them"


def test_no_file_of_the_submission_takes_the_place_of_a_library(sandbox: Sandbox) -> None:
    files = {f"{name}.py": f"raise SystemExit({name!r})\n" for name in SHADOWING}
    files |= {
        "bandit.yaml": "skips: [B602]",
        ".bandit": "[bandit]\nskips: B602\n",
        "setup.cfg": "[radon]\ncc_max = A\n",
    }
    reported = security(sandbox, {**files, **WITNESS})
    assert "B602" in found_in(reported, "zz_witness.py")
    assert abstained_on(reported) == set()
    measured = complexity(sandbox, {**files, **WITNESS})
    assert not [look for look in measured.values() if isinstance(look, Skipped)]


def test_nothing_that_the_submission_contains_is_executed(sandbox: Sandbox) -> None:
    """What would run tries to spoil every later answer: by closing the channel, by ending the process, by forging."""
    spoilers = {
        "a_import.py": "import os\nos.closerange(0, 100)\n",
        "b_decorator.py": "import os\n@os._exit\ndef f(): pass\n",
        "c_default.py": "import os\ndef f(x=os._exit(1)): pass\n",
        "d_annotation.py": "import os\nx: os._exit(1) = 1\n",
        "e_class.py": "import os\nclass A:\n    os._exit(1)\n",
        "f_main.py": "import os\nif __name__ != 'x':\n    os._exit(1)\n",
        "g_format.py": "import os\nx = f'{os._exit(1)}'\n",
        "h_pickle.py": "import pickle\npickle.loads(b'cos\\nsystem\\n(S\"kill -9 -1\"\\ntR.')\n",
    }
    reported = security(sandbox, {**spoilers, **WITNESS})
    assert "B602" in found_in(reported, "zz_witness.py")
    assert abstained_on(reported) == set()
