"""Rule 10 of the box: each attack ends by its limits, beside a live neighbour and before an honest run."""

import pytest

from sandboxes.interface import Sandbox, Tier
from tests.adversarial.box.attack import Attack, suffer
from tests.adversarial.box.catalogue import FAMILIES
from tests.adversarial.box.tiers import SEES

ATTACKS = [pytest.param(attack, id=f"{family}: {attack.name}") for family in FAMILIES for attack in FAMILIES[family]]


@pytest.mark.parametrize("attack", ATTACKS)
def test_attack(attack: Attack, tier: Tier, tier_sandbox: Sandbox) -> None:
    suffer(tier_sandbox, attack, sees=tier in SEES)
