"""The complexity grader with the real radon in real boxes."""

from graders.builtin.complexity import Complexity
from graders.interface import Abstention, Measurement, Signal
from graders.plugins.testing import check, context_of
from sandboxes.interface import Sandbox

TANGLED = "def tangled(x):\n" + "".join(f"    if x == {n}:\n        x += 1\n" for n in range(30)) + "    return x\n"
TRIVIAL = "".join(f"def trivial_{n}(x):\n    return x\n\n\n" for n in range(49))


def graded(sandbox: Sandbox, files: dict[str, str]) -> list[Signal]:
    with sandbox.session() as session:
        return list(Complexity().grade(context_of(files, session)))


def test_the_examples_hold(sandbox: Sandbox) -> None:
    with sandbox.session() as session:
        check(Complexity(), session=session)


def test_the_worst_function_is_named_and_trivial_ones_do_not_hide_it(sandbox: Sandbox) -> None:
    signals = graded(sandbox, {"solution.py": TRIVIAL, "deep/worst.py": f"class Shape:\n    pass\n\n\n{TANGLED}"})
    measured = {signal.name: signal for signal in signals if isinstance(signal, Measurement)}
    assert set(measured) == {"cyclomatic-max", "cyclomatic-weighted", "maintainability", "lines"}
    worst = measured["cyclomatic-max"]
    assert (worst.value, worst.path, worst.line, worst.note) == (31, "deep/worst.py", 5, "tangled")
    assert measured["cyclomatic-weighted"].value > 10
    assert measured["lines"].value == 98 + 2 + 62
    assert 0 <= measured["maintainability"].value < 100
    assert {signal.criterion for signal in signals} == {"best_practices"}


def test_a_file_that_cannot_be_read_is_an_abstention_and_the_others_are_measured(sandbox: Sandbox) -> None:
    first, *rest = graded(sandbox, {"a.py": "def", "b.py": TANGLED})
    assert isinstance(first, Abstention)
    assert first.path == "a.py"
    assert {signal.name for signal in rest if isinstance(signal, Measurement)} >= {"cyclomatic-max", "lines"}
