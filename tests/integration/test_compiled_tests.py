"""The tests of a suite are compiled once, with the reference, and not again for every submission."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from graders.interface import Context, Limits, Submission, SubmissionId, Suite, Task, TaskId
from graders.suites.tests import runner as pytest_suite
from graders.suites.tests.suite import pytest_suite as read_suite
from sandboxes.interface import Command, Sandbox

HEADER = 16
"""Bytes of a .pyc file before its code."""


PASSES = "import marshal; print(marshal.dumps(compile('def test_it(): pass', 'test_it.py', 'exec')).hex())"
"""Byte code is of one version of Python, that of the box."""


def context_of(session, **options: object) -> Context:
    task = Task(
        id=TaskId("double"), version="1", title="", prompt="", language="python", entry_file="solution.py",
        suites=(Suite(id="hidden", kind="pytest", files={"test_it.py": "def test_it():\n    from solution import f\n    assert f(2) == 4\n"},
                      options=options),),
        reference={"solution.py": "def f(x): return 2 * x"}, limits=Limits(), graders={}, rubric_id="default",
    )  # fmt: skip
    submission = Submission(id=SubmissionId("1"), task_id=task.id, files={"solution.py": "def f(x): return 5"})
    return Context(task=task, submission=submission, session=session)


def learnt(context: Context) -> pytest_suite.Reference:
    [suite] = context.task.suites
    run = pytest_suite.run_suite(context, context.task.reference, read_suite(suite), None, limits=Limits())
    return pytest_suite.Reference(tests=tuple(run.reports), facts=run.facts, compiled=run.compiled, evidence=())


def outcome(context: Context, known: pytest_suite.Reference) -> str:
    [suite] = context.task.suites
    run = pytest_suite.run_suite(context, context.submission.files, read_suite(suite), known, limits=Limits())
    return run.reports["test_it.py::test_it"].outcome


@pytest.mark.parametrize("options", [{}, {"isolation": "shared"}], ids=["apart", "shared"])
def test_the_code_of_the_references_run_is_what_a_submission_meets(
    sandbox: Sandbox, options: Mapping[str, object]
) -> None:
    with sandbox.session() as session:
        context = context_of(session, **options)
        known = learnt(context)
        assert outcome(context, known) == "failed"
        [(path, code)] = known.compiled.items()
        passes = session.run(Command(argv=("python3", "-c", PASSES))).stdout
        other = {path: code[:HEADER] + bytes.fromhex(passes.decode())}
        # Nobody would do this: it shows that the tests were not compiled again.
        assert outcome(context, replace(known, compiled=other)) == "passed"


@pytest.mark.parametrize("change", [b"\n# another size", b""])
def test_code_of_another_text_is_not_taken(sandbox: Sandbox, change: bytes) -> None:
    with sandbox.session() as session:
        context = context_of(session)
        known = learnt(context)
        [(path, code)] = known.compiled.items()
        damaged = code[: HEADER + 40] if not change else code[:12] + b"\xff\xff\0\0" + code[HEADER:]
        assert outcome(context, replace(known, compiled={path: damaged})) == "failed"


def test_a_submission_leaves_no_code_behind(sandbox: Sandbox) -> None:
    with sandbox.session() as session:
        context = context_of(session, isolation="shared")
        known = learnt(context)
        [suite] = context.task.suites
        run = pytest_suite.run_suite(context, context.submission.files, read_suite(suite), known, limits=Limits())
        assert run.compiled == {}
