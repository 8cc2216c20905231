"""Fixtures of all tests: the real sandbox, made once."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from sandboxes.interface import Sandbox, Tier
from sandboxes.tiers import Tiers
from service.host import prepare

settings.register_profile("any-host", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-host")
"""How long an example takes says more of the host than of what is tested."""


SMALLER_GROUPS = {
    "tests/adversarial/box/test_attacks.py": re.compile(r"\[(\w+-[\w ]+):"),
    "tests/adversarial/test_faults.py": re.compile(r"\[(\w+)"),
    "tests/conformance/test_tiers.py": re.compile(r"\[(\w+)-"),
}
"""Of long files: what in a test's parameters it has in common with the others of its group."""


class Groups(LoadFileScheduling):
    """Side by side, a process takes the tests of a whole file, which share what they make; of some files, those of a group."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        found = SMALLER_GROUPS[file].search(nodeid) if file in SMALLER_GROUPS else None
        return f"{file} {found[1]}" if found else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups | None:
    return Groups(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def tiers() -> Iterator[Tiers]:
    """The tiers of this host. Where there is no engine and none can be had, this fails: it never skips."""
    with prepare(lambda line: print(f"assay: {line}")) as opened:
        yield opened


@pytest.fixture(scope="session")
def sandbox(tiers: Tiers) -> Sandbox:
    """A real ContainerSandbox."""
    return tiers.at_least(Tier.CONTAINER)
