"""The drivers that run inside the box, called here as plain functions on harmless data.

What hostile source does to them is tried in real boxes: tests/adversarial/test_hostile_source.py.
"""

import os
import signal
import sys
import warnings
from collections.abc import Iterator

import pytest

from graders.boxed.analysis import one_file, radon_analyzer
from graders.boxed.analysis.one_file import (
    Analyze,
    UnreadableError,
    answer_for,
    answer_in_fork,
    check_source,
    code_lines,
    parse,
)
from graders.builtin import security

with warnings.catch_warnings():
    # bandit 1.9 passes stevedore an argument that stevedore 5.10 no longer wants; it matters to neither
    warnings.simplefilter("ignore", DeprecationWarning)
    from graders.boxed.analysis import bandit_analyzer

TANGLED = "def tangled(x):\n" + "".join(f"    if x == {n}:\n        x += 1\n" for n in range(20)) + "    return x\n"
TRIVIAL = "".join(f"def trivial_{n}(x):\n    return x\n" for n in range(49))


def rules(source: str) -> set[str]:
    return {found["rule"] for found in bandit_analyzer.analyze(source.encode())["findings"]}


def test_bandit_reports_rule_ranks_line_and_weakness() -> None:
    found = bandit_analyzer.analyze(b"import subprocess\n\nsubprocess.call(input(), shell=True)\n")
    [worst, *_] = found["findings"]
    assert (worst["rule"], worst["severity"], worst["confidence"]) == ("B602", "HIGH", "HIGH")
    assert (worst["line"], worst["cwe"], worst["name"]) == (3, 78, "subprocess_popen_with_shell_equals_true")
    assert (found["lines"], found["left_out"], found["failed_checks"]) == (2, 0, [])


@pytest.mark.parametrize("comment", ["# nosec", "#nosec B602", "# nosec: B602, B404", "# noqa  # nosec"])
def test_the_author_cannot_switch_bandit_off(comment: str) -> None:
    assert "B602" in rules(f"import subprocess {comment}\nsubprocess.call(input(), shell=True)  {comment}\n")


def test_every_name_that_bandit_has_is_one_that_the_host_reads() -> None:
    """B314 is `xml_bad_ElementTree`, with capital letters."""
    manager = bandit_analyzer.extension_loader.MANAGER
    rules = {*manager.plugins_by_id, *manager.blacklist_by_id}
    assert {"B314", "B602"} <= rules
    assert [rule for rule in rules if not security._NAME.fullmatch(bandit_analyzer._name(rule))] == []


def test_the_worst_findings_are_kept_and_the_others_counted() -> None:
    source = "assert x\n" * 500 + "import subprocess\nsubprocess.call(input(), shell=True)\n"
    found = bandit_analyzer.analyze(source.encode())
    assert len(found["findings"]) == bandit_analyzer.FINDINGS_CAP
    assert found["findings"][0]["rule"] == "B602"
    assert found["left_out"] >= 400


def test_a_check_of_bandit_that_crashes_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def crashing(context: object) -> None:
        raise ValueError("this check is broken")

    monkeypatch.setitem(bandit_analyzer.checks().tests, "Call", [crashing])
    found = bandit_analyzer.analyze(b"f()\n")
    assert found["findings"] == []
    assert "crashing" in found["failed_checks"][0]
    assert "this check is broken" in found["failed_checks"][0]


def test_bidirectional_control_characters_are_found() -> None:
    assert "B613" in rules("x = 'a\u202eb'\n")


def test_trivial_functions_do_not_dilute_a_tangled_one() -> None:
    alone = radon_analyzer.analyze(TANGLED.encode())
    among = radon_analyzer.analyze((TRIVIAL + TANGLED).encode())
    assert alone["worst"]["complexity"] == among["worst"]["complexity"] == 21
    assert among["worst"]["name"] == "tangled"
    assert among["worst"]["line"] == 99
    mean = (49 + 21) / 50
    assert among["weighted_sum"] / among["lines"] > 4 * mean


def test_the_worst_is_the_one_with_most_paths_and_not_the_longest() -> None:
    long = "def long(x):\n" + "    x += 1\n" * 300
    assert radon_analyzer.analyze((long + TANGLED).encode())["worst"]["name"] == "tangled"
    assert radon_analyzer.analyze((TANGLED + long).encode())["worst"]["name"] == "tangled"


def test_blank_lines_and_comments_weigh_nothing() -> None:
    padded = "def padded(x):\n" + "\n    # nothing\n" * 300 + "    return x\n"
    plain, with_padding = (radon_analyzer.analyze((text + TANGLED).encode()) for text in ("", padded))
    assert with_padding["lines"] == plain["lines"] + 2


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("class Outer:\n    class Inner:\n        def method(self):\n{body}", "Outer.Inner.method"),
        ("def outer():\n    class Hidden:\n        def method(self):\n{body}", "outer.Hidden.method"),
        ("if True:\n    async def inner():\n        try:\n            pass\n        finally:\n{body}", "inner"),
        ("match 1:\n    case 1:\n        def inner():\n{body}", "inner"),
        ("with f:\n    while True:\n{body}", "<module>"),
        ("class Body:\n    if True:\n{body}", "Body"),
    ],
)
def test_code_is_measured_wherever_it_is(source: str, name: str) -> None:
    body = "".join(f"            if x == {n}: x = 0\n" for n in range(20))
    found = radon_analyzer.analyze(source.format(body=body).encode())
    assert found["worst"]["name"] == name
    assert found["worst"]["complexity"] >= 21


CHOICE = " ".join(f"{n} if x == {n} else" for n in range(32)) + " 99"


@pytest.mark.parametrize(
    ("plain", "elsewhere", "name"),
    [
        (f"def f(x):\n    return lambda x: {CHOICE}\n", f"def f(x, y=lambda x: {CHOICE}):\n    return y\n", "f"),
        (f"def f(x):\n    return lambda x: {CHOICE}\n", f"def f(x, *, y=lambda x: {CHOICE}):\n    return y\n", "f"),
        (f"def f(x):\n    return lambda x: {CHOICE}\n", f"@g(lambda x: {CHOICE})\ndef f(x):\n    return x\n", "f"),
        (f"class C:\n    y = lambda x: {CHOICE}\n", f"class C(D, y=lambda x: {CHOICE}):\n    pass\n", "C"),
        (f"class C:\n    y = lambda x: {CHOICE}\n", f"@(lambda x: {CHOICE})\nclass C(D):\n    pass\n", "C"),
    ],
)
def test_what_is_written_around_a_definition_counts_as_what_is_in_it(plain: str, elsewhere: str, name: str) -> None:
    first, second = (radon_analyzer.analyze(source.encode())["worst"] for source in (plain, elsewhere))
    assert (first["name"], second["name"]) == (name, name)
    assert first["complexity"] == second["complexity"] >= 33


@pytest.mark.parametrize("indent", ["", "    "])
def test_a_list_of_assertions_is_no_tangle(indent: str) -> None:
    guard = "if __name__ == '__main__':\n" if indent else ""
    asserted = "def f(x):\n    return x\n" + guard + "".join(f"{indent}assert f({n}) == {n}\n" for n in range(40))
    assert radon_analyzer.analyze(asserted.encode())["worst"]["complexity"] <= 2


def test_a_long_text_hides_no_tangle_beside_it() -> None:
    """radon would take a minute for it, and the file has five seconds."""
    words = "\n".join(f"term{n}: é {n}" for n in range(6500))
    more = "x\n" * 100
    data = f'WORDS = """\n{words}\n""".split(); MORE = b"""{more}"""; F = f"""{more}{{1 + 1}}{more}"""\n\n\n'
    alone, beside = (radon_analyzer.analyze((text + TANGLED).encode()) for text in ("", data))
    assert beside["worst"]["complexity"] == alone["worst"]["complexity"]
    assert beside["reason"] == "" and beside["maintainability"] > 0


def test_a_long_file_without_operators_is_not_perfectly_maintainable() -> None:
    short, long = ("def f(x):\n    return x\n" * n for n in (1, 400))
    assert radon_analyzer.maintainability(short) > 90
    assert radon_analyzer.maintainability(long) < 60


def test_every_line_of_code_counts_once() -> None:
    docstring = '"""Text\n\nof three lines."""\n'
    source = f"{docstring}\n# comment\nclass A:\n    def f(self, x=1):\n        return [\n            x,\n        ]\n"
    found = radon_analyzer.analyze(source.encode())
    assert found["lines"] == code_lines(parse(source.encode())) == 5


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"def", "does not compile: invalid syntax (line 1)"),
        (b"x = 1\0", "does not compile"),
        (b"x = '\xff'", "encoding is not UTF-8"),
        (b"# -*- coding: latin-1 -*-\nx = '\xff'", "declares the encoding iso-8859-1"),
        (b"\n# vim: fileencoding=utf-7\nx = 1", "declares the encoding utf-7"),
        (b"\f\r# coding: utf-7\nx = 1\n", "declares the encoding utf-7"),
        (b"# coding: no-such-encoding\n", "encoding is not UTF-8"),
        (b"x = " + b"(" * 1000 + b")" * 1000, "does not compile"),
        (b"x = " + b"-" * 100_000 + b"1", "does not compile"),
        (b"x = " + b"9" * 10_000, "does not compile"),
        (b"return 1", "does not compile: 'return' outside function"),
    ],
)
def test_what_python_would_not_run_or_reads_as_other_text_is_refused(source: bytes, reason: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        check_source(source)
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    "source",
    [
        b"",
        b"\xef\xbb\xbfx = 1",
        b"x = 1\r\ny = 2\r\n",
        b"# coding: utf8\nx = '\xc3\xa9'",
        b"# coding: ascii\n",
        b"x = '\\d'",
    ],
)
def test_ordinary_files_are_looked_at(source: bytes) -> None:
    check_source(source)


@pytest.fixture
def recursion_limit() -> Iterator[None]:
    """Puts it back: what raises it is meant for a fork."""
    limit = sys.getrecursionlimit()
    yield
    sys.setrecursionlimit(limit)


@pytest.mark.usefixtures("recursion_limit")
def test_a_crash_of_the_analyzer_is_a_reason_and_not_an_empty_report() -> None:
    def crashing(source: bytes) -> dict[str, object]:
        raise KeyError("a defect of the analyzer")

    answer = answer_for(crashing, b"x = 1")
    assert set(answer) == {"cannot"}
    assert "KeyError" in answer["cannot"]


def spin(source: bytes) -> dict[str, object]:
    while True:
        pass


def wait(source: bytes) -> dict[str, object]:
    signal.pause()
    return {}


def allocate(source: bytes) -> dict[str, object]:
    return {"size": len(bytearray(one_file.MEMORY_BYTES))}


def die(source: bytes) -> dict[str, object]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def leave(source: bytes) -> dict[str, object]:
    os._exit(0)


def babble(source: bytes) -> dict[str, object]:
    return {"text": "a" * (one_file.ANSWER_CAP_BYTES + 1)}


@pytest.mark.parametrize(
    ("analyze", "reason"),
    [
        (spin, "CPU time"),
        (wait, "did not finish"),
        (allocate, "MemoryError"),
        (die, "ended by signal 9"),
        (leave, "no usable answer"),
        (babble, "no usable answer"),
    ],
)
def test_what_a_file_does_to_its_fork_is_a_reason_and_the_next_file_is_looked_at(
    monkeypatch: pytest.MonkeyPatch, analyze: Analyze, reason: str
) -> None:
    monkeypatch.setattr(one_file, "CPU_SECONDS", 1)
    monkeypatch.setattr(one_file, "WALL_SECONDS", 0.2 if analyze is wait else 8.0)
    assert reason in answer_in_fork(analyze, b"x = 1")["cannot"]
    assert answer_in_fork(lambda source: {"seen": source.decode()}, b"x = 1") == {"found": {"seen": "x = 1"}}
