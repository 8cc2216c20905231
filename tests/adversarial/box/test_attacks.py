"""Rule 10 of the box: each attack ends by its limits, beside a live neighbour and before an honest run.

Tier jail, the default, meets all of them in every run of the tests. An attack takes two boxes beside the neighbour's, and in the other
tiers each of them is a container to be made: tier container meets every third of each family there, gvisor every eighth. The others
are the same attacks on the same mechanisms once more, and meet them in a run of the nightly tests.
"""

from collections.abc import Callable, Iterator

import pytest

from sandboxes.interface import Sandbox, Tier
from tests.adversarial.box.attack import Attack, neighbour, suffer
from tests.adversarial.box.catalogue import FAMILIES
from tests.adversarial.box.tiers import SEES, TIERS

STEPS = {Tier.JAIL: 1, Tier.CONTAINER: 3, Tier.GVISOR: 8}


def meetings() -> Iterator[object]:
    for tier in TIERS:
        for family, attacks in FAMILIES.items():
            for number, attack in enumerate(attacks):
                marks = [pytest.mark.nightly] if number % STEPS[tier] else []
                yield pytest.param(tier, attack, id=f"{tier}-{family}: {attack.name}", marks=marks)


@pytest.fixture(scope="module")
def undisturbed(tier_sandbox: Sandbox) -> Iterator[Callable[[], None]]:
    """One neighbour of all attacks on a tier: asks whether it is right still."""
    with neighbour(tier_sandbox) as ask:
        yield ask


@pytest.mark.parametrize(("tier", "attack"), list(meetings()), indirect=["tier"])
def test_attack(attack: Attack, tier: Tier, tier_sandbox: Sandbox, undisturbed: Callable[[], None]) -> None:
    suffer(tier_sandbox, attack, sees=tier in SEES)
    undisturbed()
