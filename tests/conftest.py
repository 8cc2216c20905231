"""Fixtures of all tests: the real sandbox, made once."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from sandboxes.interface import Sandbox, Tier
from sandboxes.tiers import Tiers
from service.host import prepare

settings.register_profile("any-host", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-host")
"""How long an example takes says more of the host than of what is tested."""


@pytest.fixture(scope="session")
def tiers() -> Iterator[Tiers]:
    """The tiers of this host. Where there is no engine and none can be had, this fails: it never skips."""
    with prepare(lambda line: print(f"assay: {line}")) as opened:
        yield opened


@pytest.fixture(scope="session")
def sandbox(tiers: Tiers) -> Sandbox:
    """A real ContainerSandbox."""
    return tiers.at_least(Tier.CONTAINER)
