"""`assay doctor` on this host, for real; and which tiers a service starts with."""

import json
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sandboxes.diagnosis import probing
from sandboxes.diagnosis.conditions import Condition, State
from sandboxes.fake import QUIET, FakeProgram, FakeSandbox
from sandboxes.interface import Command, Execution, Sandbox, SandboxError, Session, Tier
from sandboxes.tiers import Open
from service.cli.main import app
from service.host import preparation


def doctor(*line: str, **environment: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["doctor", *line], env={"DOCKER_HOST": None, **environment})
    return result.exit_code, result.stdout


def test_the_tier_that_was_asked_for_is_looked_at_and_tried(sandbox: Sandbox) -> None:
    code, told = doctor("--tier", "container")
    assert "tier container holds" in told, told
    assert code == 0
    assert "jail" not in told.splitlines()[2]


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_json_has_every_tier_with_what_was_seen(sandbox: Sandbox) -> None:
    code, told = doctor("--json")
    found = json.loads(told)
    assert list(found["tiers"]) == list(Tier)
    assert (code == 0) == found["tiers"]["jail"]["holds"]
    for tier in found["tiers"].values():
        assert tier["holds"] == (bool(tier["tried"]) and all(probe["held"] for probe in tier["tried"])), tier
    container = found["tiers"]["container"]
    assert container["holds"], container
    assert len(container["tried"]) > 8
    assert found["facts"]["engine"]["image"] == sandbox.name.partition("@")[2]
    assert Path(found["facts"]["engine"]["data_folder"]).is_absolute()


def test_without_an_engine_it_says_so_and_starts_none(tmp_path: Path) -> None:
    code, told = doctor(DOCKER_HOST=f"unix://{tmp_path}/nobody.sock")
    assert code == 1
    assert "no Docker engine answers" in told
    assert "tier jail cannot be held: engine missing" in told
    assert list(tmp_path.iterdir()) == []


def test_a_tier_that_does_not_exist_is_a_mistake() -> None:
    assert doctor("--tier", "castle")[0] == 2


class Generous:
    """A real box that grants far more than was asked for."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self.converse = session.converse

    def run(self, command: Command) -> Execution:
        more = replace(command.limits, memory_mib=1024, processes=200, cpu_seconds=60)
        if command.limits.wall_seconds > probing.LIMITS.wall_seconds:
            more = replace(more, wall_seconds=2)  # only its CPU time would end it, and that is a minute
        return self._session.run(replace(command, limits=more))


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_limits_that_do_not_hold_are_seen(sandbox: Sandbox) -> None:
    class Weak:
        name = "weak@none"

        @contextmanager
        def session(self) -> Iterator[Session]:
            with sandbox.session() as real:
                yield Generous(real)

    failed = {probe.name for probe in probing.attempts(Weak()) if not probe.held}
    assert failed == {"memory is limited", "processes are limited", "CPU time is limited"}


def working(tier: Tier) -> Open:
    execution = replace(QUIET, stdout=b"42\n")
    return lambda: nullcontext(FakeSandbox(lambda command: FakeProgram(execution=execution), name=f"{tier}@none"))


def broken() -> nullcontext[Sandbox]:
    raise SandboxError("no slot could be made", error="mount: permission denied")


NO_NAMESPACES = Condition(
    name="user namespaces", state=State.MISSING, tiers=(Tier.JAIL,), says="none may be made", remedy="sysctl them on"
)


def test_a_service_starts_with_all_tiers_that_hold() -> None:
    told: list[str] = []
    with preparation._hold({tier: working(tier) for tier in Tier}, (), Tier.JAIL, told.append) as tiers:
        assert tiers.offered == tuple(Tier)
    assert told == []


def test_what_is_known_to_be_missing_is_not_even_tried() -> None:
    told: list[str] = []
    found: dict[Tier, Open] = {Tier.JAIL: lambda: pytest.fail("opened"), Tier.CONTAINER: working(Tier.CONTAINER)}
    with preparation._hold(found, [NO_NAMESPACES], Tier.JAIL, told.append) as tiers:
        assert tiers.offered == (Tier.CONTAINER,)
    [line] = told
    assert "tier jail cannot be held here, tier container takes its place" in line
    assert "none may be made: sysctl them on" in line


def test_a_tier_in_which_no_program_runs_is_not_offered() -> None:
    told: list[str] = []
    idle = FakeSandbox(lambda command: FakeProgram())
    found: dict[Tier, Open] = {
        Tier.JAIL: broken,
        Tier.CONTAINER: lambda: nullcontext(idle),
        Tier.GVISOR: working(Tier.GVISOR),
    }
    with preparation._hold(found, (), Tier.JAIL, told.append) as tiers:
        assert tiers.offered == (Tier.GVISOR,)
    assert ["mount: permission denied" in line for line in told] == [True, False]
    assert "a program did not run" in told[1]


def test_a_weaker_tier_never_takes_the_place_of_the_least_allowed() -> None:
    found: dict[Tier, Open] = {Tier.JAIL: working(Tier.JAIL), Tier.CONTAINER: broken}
    with pytest.raises(preparation.HostError, match=r"no tier from container on(.|\n)*container: .*permission denied"):
        preparation._hold(found, (), Tier.CONTAINER, print)
