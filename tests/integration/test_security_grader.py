"""The security grader with the real bandit in real boxes."""

import pytest

from graders.builtin.security import Security
from graders.interface import Abstention, Finding, Measurement, Severity, Signal
from graders.plugins.testing import check, context_of
from sandboxes.interface import Sandbox


def graded(sandbox: Sandbox, files: dict[str, str]) -> list[Signal]:
    with sandbox.session() as session:
        return list(Security().grade(context_of(files, session)))


def test_the_examples_hold(sandbox: Sandbox) -> None:
    with sandbox.session() as session:
        check(Security(), session=session)


@pytest.fixture(scope="module")
def findings(sandbox: Sandbox) -> dict[str, Finding]:
    """By rule, for one submission with several weaknesses."""
    files = {
        "solution.py": "import helper\nimport hashlib\n\n\ndef digest(x):\n    return hashlib.md5(x).hexdigest()\n",
        "helper.py": (
            "import pickle\nimport subprocess\nimport yaml\n\n\ndef run(command, data):\n"
            "    subprocess.run(command, shell=True)  # nosec\n    yaml.load(data)\n    return pickle.loads(data)\n"
        ),
        "query.py": 'def find(db, name):\n    return db.execute("SELECT * FROM t WHERE name = \'" + name + "\'")\n',
    }
    return {signal.rule: signal for signal in graded(sandbox, files) if isinstance(signal, Finding)}


@pytest.mark.parametrize(
    ("rule", "path", "line", "cwe"),
    [
        ("B602", "helper.py", 7, 78),
        ("B301", "helper.py", 9, 502),
        ("B506", "helper.py", 8, 20),
        ("B324", "solution.py", 6, 327),
        ("B608", "query.py", 2, 89),
    ],
)
def test_each_weakness_is_found_with_its_place_and_number(
    findings: dict[str, Finding], rule: str, path: str, line: int, cwe: int
) -> None:
    found = findings[rule]
    assert (found.path, found.line, found.cwe) == (path, line, cwe)
    assert found.criterion == "security"
    assert found.more.startswith(f"bandit {rule}")
    assert "/" not in found.more


def test_how_bad_and_how_sure_are_apart(findings: dict[str, Finding]) -> None:
    assert (findings["B602"].severity, findings["B602"].confidence) == (Severity.HIGH, Severity.HIGH)
    assert (findings["B301"].severity, findings["B301"].confidence) == (Severity.MEDIUM, Severity.HIGH)


def test_looked_and_found_nothing_is_not_silence(sandbox: Sandbox) -> None:
    [signal] = graded(sandbox, {"solution.py": "def f(x):\n    return x\n", "notes.txt": "eval(x)"})
    assert isinstance(signal, Measurement)
    assert (signal.name, signal.value) == ("files-scanned", 1)


def test_a_file_that_cannot_be_read_is_an_abstention_and_the_others_are_looked_at(sandbox: Sandbox) -> None:
    abstention, finding, scanned = graded(sandbox, {"a.py": "def", "b.py": "def f(x):\n    return eval(x)\n"})
    assert isinstance(abstention, Abstention)
    assert (abstention.path, abstention.reason) == ("a.py", "it does not compile: invalid syntax (line 1)")
    assert isinstance(finding, Finding)
    assert (finding.rule, finding.path) == ("B307", "b.py")
    assert isinstance(scanned, Measurement)
    assert scanned.value == 1
