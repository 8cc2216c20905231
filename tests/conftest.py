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


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Side by side, a process takes the tests of a whole file, which share what they make; long files name smaller groups."""
    for item in items:
        if item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(str(item.path.relative_to(item.config.rootpath))))


@pytest.fixture(scope="session")
def tiers() -> Iterator[Tiers]:
    """The tiers of this host. Where there is no engine and none can be had, this fails: it never skips."""
    with prepare(lambda line: print(f"assay: {line}")) as opened:
        yield opened


@pytest.fixture(scope="session")
def sandbox(tiers: Tiers) -> Sandbox:
    """A real ContainerSandbox."""
    return tiers.at_least(Tier.CONTAINER)
