"""The port's promises, kept by real Docker."""

from collections.abc import Mapping

import pytest

from sandboxes.conformance import checks, pair_checks
from sandboxes.conformance.checks import Check
from sandboxes.conformance.gvisor import INSTEAD
from sandboxes.interface import Tier
from sandboxes.tiers import Tiers

CHECKS = (*checks.CHECKS, *pair_checks.CHECKS)

OTHERWISE: Mapping[Tier, Mapping[str, Check]] = {Tier.GVISOR: INSTEAD}
"""Where a tier promises something else than a check asks, the check of that."""


PROMISES = [
    pytest.param(tier, OTHERWISE.get(tier, {}).get(check.__name__, check), id=f"{tier}-{check.__name__}")
    for tier in Tier
    for check in CHECKS
]


@pytest.mark.parametrize(("tier", "check"), PROMISES)
def test_promise(tier: Tier, check: Check, tiers: Tiers) -> None:
    sandbox = tiers.at_least(tier)
    assert sandbox.name.startswith(f"{tier}@"), "a stricter tier took its place"
    with sandbox.session() as session:
        check(session)


def test_what_holds_otherwise_is_about_checks_that_are_there() -> None:
    names = {check.__name__ for check in CHECKS}
    assert all(set(checks) <= names for checks in OTHERWISE.values())
