"""Which sandbox a run gets, and that each is opened once, when it is first needed, and closed."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager

import pytest

from sandboxes.fake import FakeProgram, FakeSandbox
from sandboxes.interface import Sandbox, SandboxError, Tier
from sandboxes.tiers import Tiers, strictest


class Opened:
    """Sandboxes that say when they are opened and closed."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.failures = 0

    def open(self, tier: Tier) -> AbstractContextManager[Sandbox]:
        @contextmanager
        def opened() -> Iterator[Sandbox]:
            if self.failures:
                self.failures -= 1
                raise SandboxError("not yet")
            self.events.append(f"open {tier}")
            yield FakeSandbox(lambda command: FakeProgram(), name=f"{tier}@none")
            self.events.append(f"close {tier}")

        return opened()

    def tiers(self, *offered: Tier) -> Tiers:
        return Tiers({tier: lambda tier=tier: self.open(tier) for tier in offered})  # type: ignore[misc]


@pytest.mark.parametrize(
    ("offered", "wanted", "got"),
    [
        ((Tier.JAIL, Tier.CONTAINER), Tier.JAIL, "jail"),
        ((Tier.JAIL, Tier.CONTAINER), Tier.CONTAINER, "container"),
        ((Tier.GVISOR, Tier.CONTAINER), Tier.JAIL, "container"),
        ((Tier.JAIL, Tier.GVISOR), Tier.CONTAINER, "gvisor"),
    ],
)
def test_the_weakest_that_is_strict_enough_is_given(offered: tuple[Tier, ...], wanted: Tier, got: str) -> None:
    with Opened().tiers(*offered) as tiers:
        assert tiers.at_least(wanted).name == f"{got}@none"


def test_a_weaker_one_is_never_given() -> None:
    opened = Opened()
    says = "tier gvisor is wanted, and this host offers jail, container"
    with opened.tiers(Tier.JAIL, Tier.CONTAINER) as tiers, pytest.raises(SandboxError, match=says):
        tiers.at_least(Tier.GVISOR)
    assert opened.events == []


def test_each_is_opened_once_when_it_is_needed_and_closed_at_the_end() -> None:
    opened = Opened()
    with opened.tiers(Tier.JAIL, Tier.CONTAINER) as tiers, ThreadPoolExecutor(8) as threads:
        assert opened.events == []
        found = list(threads.map(tiers.at_least, [Tier.JAIL] * 40))
        assert len({id(sandbox) for sandbox in found}) == 1
        assert opened.events == ["open jail"]
    assert opened.events == ["open jail", "close jail"]


def test_one_that_could_not_be_opened_is_tried_again() -> None:
    opened = Opened()
    opened.failures = 1
    with opened.tiers(Tier.CONTAINER) as tiers:
        with pytest.raises(SandboxError, match="not yet"):
            tiers.at_least(Tier.CONTAINER)
        assert tiers.at_least(Tier.CONTAINER).name == "container@none"


def test_the_strictest_of_many() -> None:
    assert strictest(Tier.CONTAINER) is Tier.CONTAINER
    assert strictest(Tier.JAIL, Tier.GVISOR, Tier.CONTAINER) is Tier.GVISOR
