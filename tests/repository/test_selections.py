"""The contents of each selection of `assay test`: each test is in one, and only repetition is nightly."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sandboxes.interface import Tier
from service.cli import main
from service.host import preparation, selftest
from service.host.selftest import FAST, NIGHTLY, Selection, of_tier
from tests.adversarial.box.catalogue import FAMILIES
from tests.adversarial.test_examination import ATTACKS, OF_THE_BOX
from tests.conftest import group_of

ROOT = Path(__file__).parents[2]
WHOLE = Selection(marks="not nightly", programs={}, tiers=())


def collected(selection: Selection, *files: str) -> Sequence[str]:
    """The tests of these files that are in it."""
    options = ["--collect-only", "-q", "-m", selection.marks]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *files], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return [line for line in done.stdout.splitlines() if "::" in line]


def test_every_attack_meets_every_tier_and_each_family_in_each_run() -> None:
    file = "tests/adversarial/box/test_attacks.py"
    each_run, nightly = collected(WHOLE, file), collected(NIGHTLY, file)
    attacks = {f"{family}: {attack.name}" for family, attacks in FAMILIES.items() for attack in attacks}
    ids = [re.sub(r".*\[(.*)\]$", r"\1", test) for test in (*each_run, *nightly)]
    assert sorted(ids) == sorted(f"{tier}-{attack}" for tier in Tier for attack in attacks)
    assert {group_of(test) for test in each_run} == {
        f"{file} {tier} {family}" for tier in Tier for family in FAMILIES
    }, "a process has the attacks of a family and tier"
    assert all("[jail-" not in test for test in nightly)


def test_every_cheat_meets_the_examination_in_each_run() -> None:
    file = "tests/adversarial/test_examination.py"
    each_run, nightly = collected(WHOLE, file), collected(NIGHTLY, file)
    of = f"{file}::test_an_attack_is_not_credited_in_the_jail_and_is_flagged"
    assert {test for test in each_run if test.startswith(of)} == {f"{of}[{name}]" for name in ATTACKS}
    again = f"{file}::test_an_attack_is_not_credited_and_harms_nobody"
    both = [test for test in (*each_run, *nightly) if test.startswith(again)]
    assert sorted(both) == sorted(f"{again}[{name}]" for name in ATTACKS)
    assert {test.partition("[")[0] for test in nightly} == {again}
    assert ATTACKS.keys() > OF_THE_BOX


def test_what_is_fast_meets_no_box_no_browser_and_no_type_check() -> None:
    files = [
        "tests/conformance",
        "tests/browser",
        "tests/repository",
        "tests/unit/test_wire.py",
        "tests/integration/test_cli.py",
    ]
    fast = collected(FAST, *files)
    assert {test.partition("::")[0] for test in fast} >= {"tests/unit/test_wire.py", "tests/integration/test_cli.py"}
    assert not [test for test in fast if test.startswith(("tests/repository", "tests/browser/test_review_page"))]
    assert [test for test in fast if "conformance" in test] == [
        "tests/conformance/test_tiers.py::test_what_holds_otherwise_is_about_checks_that_are_there"
    ]


def test_a_tier_is_met_with_all_its_promises_and_no_other_tier_is() -> None:
    file = "tests/conformance/test_tiers.py"
    of = {
        tier: collected(of_tier(tier), file, "tests/integration/test_jail_python.py")
        for tier in (Tier.JAIL, Tier.GVISOR)
    }
    promises = {tier: [test for test in tests if "::test_promise[" in test] for tier, tests in of.items()}
    assert len(promises[Tier.JAIL]) == len(promises[Tier.GVISOR]) > 60
    for tier, tests in promises.items():
        assert all(f"[{tier}-" in test for test in tests)
    assert [test for test in of[Tier.JAIL] if "jail_python" in test], (
        "what names no tier is in the one that the service starts with"
    )


def test_the_marks_that_a_selection_names_are_registered(pytestconfig: pytest.Config) -> None:
    registered = {line.partition(":")[0] for line in pytestconfig.getini("markers")}
    for selection in (FAST, NIGHTLY, *map(of_tier, Tier)):
        assert set(re.findall(r"\w+", selection.marks)) - {"not", "or", "and"} <= registered


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, object]]:
    """Record what would be done to the host and passed to pytest; neither happens here."""
    done: list[tuple[str, object]] = []
    monkeypatch.setattr(selftest, "_prepare", lambda selection: done.append(("host", selection.tiers)))
    monkeypatch.setattr(
        subprocess, "run", lambda line, **_: done.append(("pytest", line)) or subprocess.CompletedProcess(line, 5)
    )
    return done


@pytest.mark.parametrize(
    ("options", "tiers", "marks"),
    [
        ([], tuple(Tier), None),
        (["--fast"], None, FAST.marks),
        (["--box", "jail"], (Tier.JAIL,), "box and jail and not (slow or nightly)"),
        (["--nightly"], tuple(Tier), "nightly"),
    ],
    ids=["whole", "fast", "box", "nightly"],
)
def test_only_what_is_needed_is_prepared_and_the_rest_of_the_line_is_pytests(
    options: list[str], tiers: tuple[Tier, ...] | None, marks: str | None, asked: list[tuple[str, object]]
) -> None:
    done = CliRunner().invoke(main.app, ["test", *options, "-x", "-k", "a name", "-m", "mine", "tests/unit"])
    assert done.exit_code == 5, (done.output, done.exception)
    assert [what for kind, what in asked if kind == "host"] == ([tiers] if tiers else [])
    line = dict(asked)["pytest"]
    assert line[-6:] == ["-x", "-k", "a name", "-m", "mine", "tests/unit"]
    before = line[line.index("pytest") + 1 : -6]
    assert before == [
        *selftest.SIDE_BY_SIDE,
        *(["-m", marks] if marks else []),
        *(FAST.options if marks == FAST.marks else []),
    ]


@pytest.mark.parametrize("line", [["--fast", "--nightly"], ["--fast", "--box", "jail"], ["--box", "tent"]])
def test_a_line_that_asks_for_two_or_for_no_tier_is_a_mistake(line: list[str], asked: list[tuple[str, object]]) -> None:
    done = CliRunner().invoke(main.app, ["test", *line])
    assert (done.exit_code, asked) == (2, [])
    assert "expected one of" in done.stderr


def test_a_host_that_cannot_hold_a_tier_that_was_asked_for_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Opened:
        def close(self) -> None:
            pass

    monkeypatch.setattr(preparation, "install_programs", lambda programs, report: None)
    monkeypatch.setattr(preparation, "prepare", lambda report, minimum: Opened())
    monkeypatch.setattr(preparation, "lacks", lambda: {Tier.GVISOR: "no runsc"})
    monkeypatch.setattr(subprocess, "run", lambda line, **_: subprocess.CompletedProcess(line, 0))
    assert selftest.run(of_tier(Tier.JAIL), []) == 0
    with pytest.raises(preparation.HostError, match="gvisor: no runsc"):
        selftest.run(of_tier(Tier.GVISOR), [])
