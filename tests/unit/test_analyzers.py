"""What the host makes of an analyzer's answers: the box is as untrusted as the source that it read."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from graders.builtin.complexity import TOOL as RADON
from graders.builtin.complexity import Complexity
from graders.builtin.security import TOOL as BANDIT
from graders.builtin.security import Security
from graders.interface import (
    Abstain,
    Abstention,
    End,
    Finding,
    Grader,
    Measurement,
    Severity,
    Signal,
    Submission,
    SubmissionId,
)
from graders.plugins.testing import context_of
from sandboxes.fake import QUIET, FakeProgram, FakeSandbox
from sandboxes.interface import Execution, SandboxError
from service.evaluation.pipeline import evaluate
from service.rubric_files import builtin_rubrics

PLACE = {
    "rule": "B602", "name": "subprocess_popen", "message": "shell", "severity": "HIGH", "confidence": "LOW", "line": 3,
    "cwe": 78,
}  # fmt: skip
BANDIT_FOUND: dict[str, Any] = {"lines": 5, "findings": [PLACE], "left_out": 0, "failed_checks": []}
RADON_FOUND: dict[str, Any] = {
    "lines": 10, "worst": {"name": "f", "line": 2, "complexity": 7, "lines": 6}, "weighted_sum": 50,
    "maintainability": 61.5, "reason": "",
}  # fmt: skip


def replying(reply: Callable[[str], object], tool: str, execution: Execution = QUIET) -> FakeSandbox:
    """A box that greets with both tools; `tool` then answers each source with `reply` (None: it is gone)."""

    def answer(question: bytes) -> bytes | None:
        asked = json.loads(question)
        if not asked:
            return json.dumps({"tools": [BANDIT, RADON]}).encode()
        value = reply(asked["source"])
        text = value if value is None or isinstance(value, bytes) else json.dumps(value).encode()
        return None if text is None else b'{"%s": %s}' % (tool.partition("-")[0].encode(), text)

    return FakeSandbox(programs=lambda command: FakeProgram(answer=answer, execution=execution))


def graded(grader: Grader, sandbox: FakeSandbox, files: dict[str, str]) -> list[Signal]:
    with sandbox.session() as session:
        return list(grader.grade(context_of(files, session)))


def test_the_tool_named_in_a_graders_version_is_the_one_pinned_for_the_image() -> None:
    lock = (Path(__file__).parents[2] / "docker" / "requirements.lock").read_text()
    for grader, tool in ((Security, BANDIT), (Complexity, RADON)):
        name, _, version = tool.partition("-")
        assert re.search(rf"(?m)^{name}==(\S+)", lock)[1] == version  # type: ignore[index]
        assert tool in grader.version


def test_a_finding_carries_rule_place_and_both_ranks() -> None:
    sandbox = replying(lambda source: {"found": BANDIT_FOUND}, BANDIT)
    finding, scanned = graded(Security(), sandbox, {"solution.py": "x"})
    assert isinstance(finding, Finding)
    assert (finding.rule, finding.cwe, finding.path, finding.line) == ("B602", 78, "solution.py", 3)
    assert (finding.severity, finding.confidence) == (Severity.HIGH, Severity.LOW)
    assert finding.more == "bandit B602 subprocess_popen"
    assert isinstance(scanned, Measurement)
    assert (scanned.name, scanned.value) == ("files-scanned", 1)


def test_no_file_of_the_submission_is_in_the_box() -> None:
    sandbox = replying(lambda source: {"found": BANDIT_FOUND}, BANDIT)
    graded(
        Security(),
        sandbox,
        {"ast.py": "raise SystemExit(7)", "graders/boxed/analysis/bandit_analyzer.py": "raise SystemExit(7)"},
    )
    [command] = sandbox.commands
    assert command.files == {}
    assert b"raise SystemExit(7)" not in b"".join(content for _, content in command.harness.files)
    assert {"-P", "-s"} < set(command.argv)


def test_both_graders_of_a_run_read_the_answers_of_one_box() -> None:
    asked: list[str] = []

    def answer(question: bytes) -> bytes:
        source = json.loads(question).get("source")
        if source is None:
            return json.dumps({"tools": [BANDIT, RADON]}).encode()
        asked.append(source)
        return json.dumps({"bandit": {"found": BANDIT_FOUND}, "radon": {"cannot": "it died"}}).encode()

    sandbox = FakeSandbox(programs=lambda command: FakeProgram(answer=answer))
    task = replace(context_of({}).task, suites=())
    submission = Submission(id=SubmissionId("s"), task_id=task.id, files={"a.py": "x", "b.py": "y"})
    for _ in range(2):
        findings = evaluate(
            task,
            submission,
            graders=(Complexity(), Security()),
            rubric=builtin_rubrics()["default"],
            sandbox=sandbox,
            remember=lambda key, make: make(),
        )
    assert asked == ["x", "y"] * 2, "each run asks for itself, and once"
    assert len(sandbox.commands) == 2
    assert [(signal.grader, type(signal)) for signal in findings.signals] == [
        *[("assay/complexity", Abstention)] * 2, *[("assay/security", Finding)] * 2, ("assay/security", Measurement),
    ]  # fmt: skip


def test_one_tools_missing_answer_costs_the_other_nothing() -> None:
    sandbox = replying(lambda source: {"found": BANDIT_FOUND}, BANDIT)
    [signal] = graded(Complexity(), sandbox, {"a.py": "x"})
    assert isinstance(signal, Abstention)
    assert [type(signal) for signal in graded(Security(), sandbox, {"a.py": "x"})] == [Finding, Measurement]


@pytest.mark.parametrize(("grader", "tool"), [(Security(), BANDIT), (Complexity(), RADON)])
@pytest.mark.parametrize(
    "reply",
    [
        b"", b"\xff", b"[" * 100_000, b"[]", b"1", b"{}", b'{"found": null}', b'{"found": []}', b'{"found": {}}',
        b'{"cannot": 1}', b'{"cannot": null}', b'{"found": {"lines": NaN}}',
    ],
)  # fmt: skip
def test_a_malformed_answer_is_an_abstention_for_that_file(grader: Grader, tool: str, reply: bytes) -> None:
    sandbox = replying(lambda source: reply, tool)
    [signal] = graded(grader, sandbox, {"solution.py": "x"})
    assert isinstance(signal, Abstention)
    assert signal.path == "solution.py"


BAD_FOR_BANDIT: list[tuple[str, object]] = [
    ("lines", -1), ("lines", True), ("lines", "5"), ("findings", {}), ("left_out", None), ("failed_checks", "x"),
]  # fmt: skip
BAD_FOR_RADON: list[tuple[str, object]] = [
    ("lines", None), ("worst", []), ("worst", {}), ("weighted_sum", "1"), ("weighted_sum", float("nan")),
    ("maintainability", "high"), ("maintainability", -1), ("reason", None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("grader", "tool", "found"),
    [
        *((Security(), BANDIT, {**BANDIT_FOUND, key: value}) for key, value in BAD_FOR_BANDIT),
        *((Complexity(), RADON, {**RADON_FOUND, key: value}) for key, value in BAD_FOR_RADON),
    ],
)
def test_a_wrong_value_in_an_answer_is_an_abstention_for_that_file(
    grader: Grader, tool: str, found: dict[str, object]
) -> None:
    sandbox = replying(lambda source: {"found": found}, tool)
    [signal] = graded(grader, sandbox, {"solution.py": "x"})
    assert isinstance(signal, Abstention)


@pytest.mark.parametrize(
    "row",
    [
        1, {}, {**PLACE, "rule": "B6022"}, {**PLACE, "name": "<script>"}, {**PLACE, "severity": 3}, {**PLACE, "message": None},
        {**PLACE, "line": float("inf")},
    ],
)  # fmt: skip
def test_a_finding_that_cannot_be_read_costs_no_other(row: object) -> None:
    found = {**BANDIT_FOUND, "findings": [row, PLACE]}
    signals = graded(Security(), replying(lambda source: {"found": found}, BANDIT), {"a.py": "x"})
    assert [type(signal) for signal in signals] == [Finding, Abstention, Measurement]
    assert "1 findings of the analyzer could not be read" in str(signals[1])


def test_a_box_that_ends_costs_the_files_that_were_not_answered_and_no_other() -> None:
    ending = Execution(
        end=End.OUT_OF_MEMORY, exit_code=None, signal=9, stdout=b"", stderr=b"", truncated=False,
        wall_seconds=1, cpu_seconds=1, peak_memory_mib=1024,
    )  # fmt: skip
    sandbox = replying(lambda source: None if source == "bomb" else {"found": BANDIT_FOUND}, BANDIT, ending)
    signals = graded(Security(), sandbox, {"a.py": "x", "b.py": "bomb", "c.py": "x"})
    assert [(type(signal), getattr(signal, "path", "")) for signal in signals] == [
        (Finding, "a.py"), (Abstention, "b.py"), (Abstention, "c.py"), (Measurement, ""),
    ]  # fmt: skip
    assert "out-of-memory" in str(signals[1])
    assert isinstance(signals[3], Measurement)
    assert signals[3].value == 1


def test_an_image_without_the_tool_is_our_failure() -> None:
    for reply in (None, b"[]", b"{", b"{}", b'{"tools": 1}', b'{"tools": ["bandit-1.0", "radon-6.0.1"]}'):
        program = FakeProgram(answer=lambda question, reply=reply: reply)  # type: ignore[misc]
        with pytest.raises(SandboxError):
            graded(Security(), FakeSandbox(programs=lambda command, program=program: program), {"a.py": "x"})  # type: ignore[misc]


@pytest.mark.parametrize(
    ("source", "reason"), [("\ud800", "not valid Unicode"), ("#" * (256 * 1024 + 1), "larger than 256 KiB")]
)
def test_an_unfit_file_is_not_even_sent(source: str, reason: str) -> None:
    asked: list[str] = []

    def reply(sent: str) -> object:
        asked.append(sent)
        return {"found": BANDIT_FOUND}

    first, *_ = graded(Security(), replying(reply, BANDIT), {"a.py": source, "b.py": "fine"})
    assert isinstance(first, Abstention)
    assert reason in first.reason
    assert asked == ["fine"]


@pytest.mark.parametrize("grader", [Security(), Complexity()])
def test_nothing_to_look_at_is_an_abstention_without_a_box(grader: Grader) -> None:
    sandbox = replying(lambda source: None, "")
    with pytest.raises(Abstain, match=r"no \.py file"):
        graded(grader, sandbox, {"notes.txt": "import os"})
    assert sandbox.commands == []


def test_a_check_of_bandit_that_failed_is_an_abstention_beside_the_findings() -> None:
    found = {**BANDIT_FOUND, "failed_checks": ["B101 crashed"], "left_out": 4}
    signals = graded(Security(), replying(lambda source: {"found": found}, BANDIT), {"a.py": "x"})
    assert [type(signal) for signal in signals] == [Finding, Measurement, Abstention, Measurement]
    assert "B101 crashed" in str(signals[2])


def test_complexity_names_the_worst_of_all_files_and_weights_by_their_lines() -> None:
    answers: dict[str, dict[str, object]] = {
        "small": {**RADON_FOUND, "lines": 90, "weighted_sum": 90, "maintainability": 80.0},
        "large": {**RADON_FOUND, "worst": {"name": "C.g", "line": 4, "complexity": 30}, "weighted_sum": 300},
    }
    sandbox = replying(lambda source: {"found": answers[source]}, RADON)
    measured = {
        signal.name: signal
        for signal in graded(Complexity(), sandbox, {"a.py": "small", "b.py": "large"})
        if isinstance(signal, Measurement)
    }
    worst = measured["cyclomatic-max"]
    assert (worst.value, worst.path, worst.line, worst.note) == (30, "b.py", 4, "C.g")
    assert measured["cyclomatic-weighted"].value == pytest.approx(3.9)
    assert (measured["maintainability"].value, measured["maintainability"].path) == (61.5, "b.py")
    assert measured["lines"].value == 100
    assert {signal.criterion for signal in measured.values()} == {"best_practices"}


def test_complexity_without_a_maintainability_index_says_so_and_keeps_the_rest() -> None:
    found = {**RADON_FOUND, "maintainability": None, "reason": "radon: SyntaxError"}
    signals = graded(Complexity(), replying(lambda source: {"found": found}, RADON), {"a.py": "x"})
    assert isinstance(signals[0], Abstention)
    assert "radon: SyntaxError" in signals[0].reason
    assert [signal.name for signal in signals[1:] if isinstance(signal, Measurement)] == [
        "cyclomatic-max", "cyclomatic-weighted", "lines",
    ]  # fmt: skip
