"""Rule 10 of the box: each attack ends by its limits, beside a live neighbour and before an honest run.

Tiers jail and container meet all of them here. In tier gvisor a box takes a second to start, and an attack three boxes: it
meets every eighth of each family here, and all of them in `benchmarks/hostile.py --tier gvisor`.
"""

from collections.abc import Iterator

import pytest

from sandboxes.interface import Sandbox, Tier
from tests.adversarial.box.attack import Attack, suffer
from tests.adversarial.box.catalogue import FAMILIES
from tests.adversarial.box.tiers import SEES, TIERS

GVISOR_STEP = 8


def meetings() -> Iterator[object]:
    for tier in TIERS:
        for family, attacks in FAMILIES.items():
            for attack in attacks[:: GVISOR_STEP if tier is Tier.GVISOR else 1]:
                yield pytest.param(tier, attack, id=f"{tier}-{family}: {attack.name}")


@pytest.mark.parametrize(("tier", "attack"), list(meetings()), indirect=["tier"])
def test_attack(attack: Attack, tier: Tier, tier_sandbox: Sandbox) -> None:
    suffer(tier_sandbox, attack, sees=tier in SEES)
