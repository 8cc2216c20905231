"""The example tasks without a box: each package loads, its right submissions are right and its wrong ones are wrong.

What runs here was written by us and read before it was committed; even so, no hostile submission runs outside a box.
The real run of all of them is tests/integration/test_examples_verified.py; the runs here, which show the same with less, are nightly.
"""

import ast
import json
import os
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from graders.boxed.shared import encoding
from graders.interface import Suite, Task
from graders.suites.call import cases
from graders.suites.call.suite import CallSuite
from graders.suites.stdio.cases import parse_stdio_cases
from graders.suites.stdio.suite import StdioSuite
from graders.suites.values.description import describe, described
from graders.tasks import package
from service.packages import read_folder

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted(path.parent.name for path in (ROOT / "examples").glob("*/task.toml"))
CPU_SECONDS = 2
"""Ten times what the right submissions take, on a slow machine too: it is CPU time."""
SLOW_CPU_SECONDS = 1
"""The slow ones would take minutes to years."""

DRIVER = """
import importlib, json, os, sys
sys.path[:0] = [sys.argv[1], sys.argv[2]]
from graders.boxed.shared.encoding import from_json, to_json
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
questions = json.load(sys.stdin)
function = getattr(importlib.import_module(sys.argv[3]), sys.argv[4])
for args, kwargs in questions:
    try:
        value = function(*map(from_json, args), **{name: from_json(item) for name, item in kwargs.items()})
        answer = {"value": to_json(value)}
    except Exception as error:
        answer = {"raised": [kind.__name__ for kind in type(error).__mro__]}
    print(json.dumps(answer), file=out, flush=True)
"""


def example(name: str) -> tuple[Task, tuple[package.PackagedSubmission, ...]]:
    files = read_folder(ROOT / "examples" / name)
    packaged = package.parse(files)
    return packaged.task, packaged.submissions


def submissions(*kinds: str) -> list[object]:
    return [
        pytest.param(task, submission, id=f"{name}/{submission.name}")
        for name in EXAMPLES
        for task, packaged in [example(name)]
        for submission in packaged
        if submission.kind in kinds
    ]


def run_limited(
    command: list[str], folder: Path, cpu_seconds: int, given: str = ""
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        input=given,
        cwd=folder,
        env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds)),
        capture_output=True,
        text=True,
        check=False,
    )


def passes(task: Task, submission: package.PackagedSubmission, folder: Path, cpu_seconds: int = CPU_SECONDS) -> bool:
    for path, text in submission.files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return all(
        passes_call(task, suite, folder, cpu_seconds)
        if suite.kind == "call"
        else passes_stdio(task, suite, folder, cpu_seconds)
        if suite.kind == "stdio"
        else passes_programs(suite, folder, cpu_seconds)
        if suite.kind == "program"
        else passes_pytest(task, suite, folder, cpu_seconds)
        for suite in task.suites
    )


def passes_stdio(task: Task, suite: Suite, folder: Path, cpu_seconds: int) -> bool:
    interactor = suite.options.get("interactor_file")
    command = [sys.executable, "-E", task.entry_file]  # or PYTHONUNBUFFERED would flush what a program forgets to
    stated = [case for _, case in parse_stdio_cases(suite.files, needs_answer=interactor is None)]
    if interactor is not None:
        (folder / "interactor").write_text(suite.files[str(interactor)])
        return all(conversed(command, case.given.decode(), folder, cpu_seconds) for case in stated)
    check = StdioSuite.of(suite).comparison.check
    runs = ((case, run_limited(command, folder, cpu_seconds, case.given.decode())) for case in stated)
    return all(run.returncode == 0 and not check(case.accepted[0], run.stdout.encode()) for case, run in runs)


def conversed(command: list[str], given: str, folder: Path, cpu_seconds: int) -> bool:
    """Whether the interactor accepts, and the program ends well, within so many seconds of either kind."""
    (folder / "case.in").write_text(given)
    (to_us, to_program), (from_us, from_program) = os.pipe(), os.pipe()
    with suppress(subprocess.TimeoutExpired):
        program = subprocess.Popen(command, cwd=folder, stdin=to_us, stdout=from_program, stderr=subprocess.DEVNULL)
        resource.prlimit(program.pid, resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds))
        judge = subprocess.Popen(
            [sys.executable, "-u", "interactor", "case.in"], cwd=folder, stdin=from_us, stdout=to_program, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for fd in (to_us, to_program, from_us, from_program):
            os.close(fd)
        try:
            return (judge.wait(10 * cpu_seconds), program.wait(10 * cpu_seconds)) == (0, 0)
        finally:
            for each in (program, judge):
                each.kill()
                each.wait()
    return False


def passes_programs(suite: Suite, folder: Path, cpu_seconds: int) -> bool:
    """As benchmarks of that form run them: solution and test as one module."""
    solution = (folder / "solution.py").read_text()
    for path, text in suite.files.items():
        called = f"\ncheck({suite.options['entry_point']})\n" if "def check(" in text else ""
        (folder / Path(path).name).write_text(f"{solution}\n{text}{called}")
    paths = [Path(path).name for path in suite.files]
    return all(run_limited([sys.executable, "-B", path], folder, cpu_seconds).returncode == 0 for path in paths)


def passes_pytest(task: Task, suite: Suite, folder: Path, cpu_seconds: int) -> bool:
    for path, text in suite.files.items():
        (folder / Path(path).name).write_text(text)
    if suite.kind == "property":
        cpu_seconds *= 5  # a hundred examples of each
        (folder / "reference.py").write_text(task.reference["solution.py"])
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "--rootdir", ".", "."]
    return run_limited(command, folder, cpu_seconds).returncode == 0


def passes_call(task: Task, suite: Suite, folder: Path, cpu_seconds: int) -> bool:
    [(name, text)] = [(path, text) for path, text in suite.files.items() if path.endswith(".jsonl")]
    entry_point = str(suite.options["entry_point"])
    questions = cases.parse_cases(text, name=name, entry_point=entry_point)
    asked = [
        [[encoding.to_json(arg) for arg in case.args], {key: encoding.to_json(arg) for key, arg in case.kwargs.items()}]
        for case in questions
    ]
    command = [sys.executable, "-I", "-c", DRIVER, str(ROOT), str(folder), Path(task.entry_file).stem, entry_point]
    run = run_limited(command, folder, cpu_seconds, json.dumps(asked))
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    return len(answers) == len(questions) and all(map(accepted_by(suite), questions, answers))


def accepted_by(suite: Suite) -> Callable[[cases.Case, dict[str, object]], bool]:
    predicate: dict[str, Callable[..., bool]] = {}
    for path, text in suite.files.items():
        if path.endswith(".py"):
            exec(compile(text, path, "exec"), predicate)
    check = CallSuite.of(suite).check

    def accepted(case: cases.Case, answer: dict[str, object]) -> bool:
        if case.raises is not None:
            return case.raises in answer.get("raised", ())
        if "value" not in answer:
            return False
        tree: encoding.Tree = answer["value"]  # type: ignore[assignment]
        if check is not None:
            return check(described(case.expected), describe(tree))
        return predicate["accepts"](case.args, case.expected, encoding.from_json(tree))

    return accepted


def test_there_are_at_least_seven_examples() -> None:
    assert len(EXAMPLES) >= 7


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_is_complete(name: str) -> None:
    task, packaged = example(name)
    kinds = Counter(submission.kind for submission in packaged)
    assert task.id == name
    assert kinds["accepted"] >= 2
    assert kinds["wrong"] >= 2
    assert kinds["slow"] >= 1
    assert kinds["hostile"] >= 2
    assert task.reference in [submission.files for submission in packaged if submission.kind == "accepted"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_suite_has_at_least_fifteen_cases(name: str) -> None:
    task, _ = example(name)
    for suite in task.suites:
        if suite.kind == "stdio":
            assert len(parse_stdio_cases(suite.files, needs_answer=False)) >= 15
        for path, text in suite.files.items():
            if suite.kind == "stdio":
                break
            if path.endswith(".jsonl"):
                assert len(cases.parse_cases(text, name=path)) >= 15
            elif suite.kind == "pytest":
                functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
                assert sum(number_of_tests(node) for node in functions) >= 15


def number_of_tests(function: ast.FunctionDef) -> int:
    tables = [
        node for decorator in function.decorator_list for node in ast.walk(decorator) if isinstance(node, ast.List)
    ]
    return (len(tables[0].elts) if tables else 1) if function.name.startswith("test_") else 0


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_answer_is_a_good_guess(name: str) -> None:
    """A program that always gives the same answer passes less than a fifth of the cases that expect a value."""
    task, _ = example(name)
    for suite in task.suites:
        if suite.kind == "stdio":
            answers = Counter(case.accepted for _, case in parse_stdio_cases(suite.files, needs_answer=False))
            assert answers.pop((), 0) or answers.most_common(1)[0][1] < max(3, len(answers) / 5)
            continue
        for path, text in suite.files.items():
            if path.endswith(".jsonl"):
                expected = [case.expected for case in cases.parse_cases(text, name=path) if case.raises is None]
                values = [repr(value) for value in expected if value is not cases.NO_ANSWER]
                assert not values or Counter(values).most_common(1)[0][1] < max(2, len(values) / 5)


@pytest.mark.nightly
@pytest.mark.parametrize(("task", "submission"), submissions("accepted", "insecure"))
def test_right_submission_passes(task: Task, submission: package.PackagedSubmission, tmp_path: Path) -> None:
    assert passes(task, submission, tmp_path)


@pytest.mark.nightly
@pytest.mark.parametrize(("task", "submission"), submissions("wrong"))
def test_wrong_submission_fails(task: Task, submission: package.PackagedSubmission, tmp_path: Path) -> None:
    assert not passes(task, submission, tmp_path)


@pytest.mark.nightly
@pytest.mark.parametrize(("task", "submission"), submissions("slow"))
def test_slow_submission_does_not_finish(task: Task, submission: package.PackagedSubmission, tmp_path: Path) -> None:
    assert not passes(task, submission, tmp_path, SLOW_CPU_SECONDS)
