"""Files of a submission whose names are in the way of something: its own failure at worst, and never ours.

A name of 200 characters that are four bytes each fits into no file system: no box could be made for it, and so the run was
tried to the end of its attempts, cost a slot each time, and came out ungradable.
"""

from collections import Counter
from dataclasses import replace

import pytest

from graders.interface import Execution, Limits, Outcome, Session, Suite
from graders.plugins.testing import context_of
from graders.suites.kinds import KINDS
from graders.suites.reporting import SuiteReporter
from service.evaluation.task_cache import TaskCache
from service.runs.intake import check_files

CODE = "def f(n): return n + 1\nif __name__ == '__main__': print(f(int(input())))\n"
INTERACTOR = "import sys\nprint(1, flush=True)\nsys.exit(0 if input() == '2' else 1)\n"
TEST = "from solution import f\ndef test_f(): assert f(1) == 2\n"
PROPERTY = "from hypothesis import given, strategies as st\nfrom solution import f\n@given(st.integers())\ndef test_f(n): assert f(n) == n + 1\n"
SUITES = {
    "call": ({"hidden/c.jsonl": '{"call": "f(1)", "returns": "2"}'}, {"entry_point": "f"}),
    "stdio": ({"hidden/1.in": "1", "hidden/1.ans": "2"}, {}),
    "interactor": ({"hidden/1.in": "1", "hidden/i.py": INTERACTOR}, {"interactor_file": "hidden/i.py"}),
    "command": ({"hidden/1.in": "1", "hidden/1.ans": "2"}, {"command": ["python3", "solution.py"]}),
    "pytest": ({"hidden/test_f.py": TEST}, {}),
    "shared": ({"hidden/test_f.py": TEST}, {"isolation": "shared"}),
    "property": ({"hidden/test_f.py": PROPERTY}, {"max_examples": 3}),
}
OF_KIND = {"interactor": "stdio", "command": "stdio", "shared": "pytest"}
FILES = {
    "the folder of byte code as a file": {"__pycache__": "x"},
    "byte code": {"__pycache__/solution.cpython-311.pyc": "x"},
    "our package as a file": {"graders": "x"},
    "our package": {
        "graders/__init__.py": "1 / 0",
        "graders/boxed/shared/encoding.py": "1 / 0",
        "graders/boxed/__init__.py": "1 / 0",
    },
    "our folders as files": {
        "submission": "x",
        "tests": "x",
        "reference": "x",
        "judge": "x",
        "hidden": "x",
        "feedback": "x",
    },
    "files of a checker": {"case.in": "x", "case.ans": "x", "case.out": "x", "judge/c.py": "x"},
    "a long name": {"a" * 197 + ".py": "x = 1"},
    "a long name of large letters": {"\N{GRINNING FACE}" * 197 + ".py": "x = 1"},
    "a long identifier": {"\N{CJK UNIFIED IDEOGRAPH-4E2D}" * 80 + ".py": "x = 1"},
    "long folders": {"\N{GRINNING FACE}" * 99 + "/" + "\N{GRINNING FACE}" * 100: "x"},
    "a hundred folders": {"a/" * 98 + "b.py": "x = 1"},
    "a module of the library": {
        "json.py": "1 / 0",
        "os.py": "1 / 0",
        "site.py": "1 / 0",
        "encodings/__init__.py": "1 / 0",
    },
    "what an interpreter reads": {
        "sitecustomize.py": "1 / 0",
        "usercustomize.py": "1 / 0",
        "pyvenv.cfg": "home = /nowhere",
        "python311._pth": "x",
    },
    "what pytest reads": {
        "conftest.py": "1 / 0",
        "pytest.ini": "[pytest]\naddopts = --nope",
        "pyproject.toml": "[",
        "tox.ini": "[",
    },
    "options": {"-c": "x", "--help": "x", "-m.py": "x = 1"},
    "the entry as a package": {"solution/__init__.py": "1 / 0"},
}


@pytest.mark.parametrize("kind", SUITES)
@pytest.mark.parametrize("name", FILES)
def test_a_name_that_is_in_the_way_is_refused_or_its_submission_s_own(session: Session, name: str, kind: str) -> None:
    files = {"solution.py": CODE, **FILES[name]}
    if list(check_files(files, "solution.py")):
        return
    hidden, options = SUITES[kind]
    suite = Suite(id="s", kind=OF_KIND.get(kind, kind), files=hidden, options=options)
    ends: Counter[str] = Counter()

    def ended(execution: Execution) -> None:
        ends[execution.end.value] += 1

    context = context_of(files, session)
    context = replace(
        context,
        task=replace(context.task, reference={"solution.py": CODE}, suites=(suite,)),
        remember=TaskCache().of("t", "1"),
        ended=ended,
    )
    reporter = SuiteReporter(suite=suite, grader="assay/hidden-tests", criterion="correctness")
    [found] = KINDS[suite.kind].outcomes(context, suite, Limits(), reporter)
    assert found.outcome in (Outcome.PASSED, Outcome.FAILED, Outcome.ERROR, Outcome.NOT_RUN)
    assert ends
