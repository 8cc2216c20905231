"""Shared by all tests: the marks that select them, the order in which they run side by side, and the real sandbox."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadFileScheduling

from sandboxes.interface import Sandbox, Tier
from sandboxes.tiers import Tiers
from service.host.preparation import prepare

settings.register_profile("any-host", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-host")
"""The duration of an example depends more on the host than on the code under test."""
settings.register_profile("fast", settings.get_profile("any-host"), max_examples=20)
"""The profile of `assay test --fast`, which searches less."""


BOXES = frozenset({"tiers", "tier_sandbox"})
"""The fixtures that open real boxes. All others that run something in a box, or talk to the engine, are made from them."""

GATE = Path(__file__).parent / "repository"

NO_ENGINE = "unix:///run/assay-tests-without-mark-box.sock"
"""The engine's address for a test without the mark `box`: it does not exist. So a test that needs one is marked, or
fails.
"""

SECONDS = {"slow": 20.0, "gate": 4.0, "gvisor": 1.5, "box": 0.7, "browser": 1.0}
"""About what a test takes, by the first of these marks that it has. Only the order of the groups depends on it."""
OTHERS_SECONDS = 0.05
FILES_SECONDS = {
    "tests/adversarial/examination/test_programs.py": 0.5,
    "tests/integration/test_hostile_clients.py": 0.5,
    "tests/integration/test_jail_python.py": 0.2,
    "tests/integration/test_worker.py": 2.5,
}
"""Where its marks say little: a test of a file that waits a lot, or that has many short ones in one box."""

GROUP = re.compile(r"\[(" + "|".join(Tier) + r")(?:-([\w ]+):|[-\]])")
"""A test whose parameters begin with a tier: the tier, and the family of its attack if it has one."""


def marks_of(item: pytest.Item) -> frozenset[str]:
    """Return the marks that follow from what a test uses and its file. `slow` and `nightly` are written at the test."""
    fixtures = frozenset(getattr(item, "fixturenames", ()))
    found = {"gate"} if GATE in item.path.parents else set()
    if "browser" in fixtures:
        found.add("browser")
    if fixtures & BOXES or item.get_closest_marker("box"):
        found |= {"box", *_tiers_of(item, fixtures)}
    return frozenset(found)


def _tiers_of(item: pytest.Item, fixtures: frozenset[str]) -> frozenset[str]:
    """By its parameters; otherwise that of the fixture `sandbox`, or the one that the service starts with."""
    parameters = (
        item.callspec.params.values() if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ()
    )
    named = {Tier(value) for value in parameters if isinstance(value, str) and value in set(Tier)}
    return frozenset(tier.value for tier in named or {Tier.CONTAINER if "sandbox" in fixtures else Tier.JAIL})


def group_of(nodeid: str) -> str:
    """Side by side, a process takes the tests of a whole file, which share what they make; or of its part about one tier or family."""
    file = nodeid.partition("::")[0]
    found = GROUP.search(nodeid)
    return " ".join([file, *filter(None, found.groups())]) if found else file


def _longest_first(items: list[pytest.Item]) -> None:
    """The long groups begin first, so that no process is left with one of them when the others have nothing more to do."""
    seconds: Counter[str] = Counter()
    for item in items:
        by_mark = (taken for mark, taken in SECONDS.items() if item.get_closest_marker(mark))
        of_file = FILES_SECONDS.get(item.nodeid.partition("::")[0])
        seconds[group_of(item.nodeid)] += of_file or next(by_mark, OTHERS_SECONDS)
    items.sort(key=lambda item: (-seconds[group_of(item.nodeid)], group_of(item.nodeid)))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Iterator[None]:
    """Mark before `-m` selects; order what is selected, as the processes of xdist take it."""
    for item in items:
        for mark in sorted(marks_of(item)):
            item.add_marker(mark)
    yield
    if hasattr(config, "workerinput"):
        _longest_first(items)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        if not item.get_closest_marker("box"):
            environment.setenv("DOCKER_HOST", NO_ENGINE)
        return (yield)


class Groups(LoadFileScheduling):
    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Groups | None:
    return Groups(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.fixture(scope="session")
def tiers() -> Iterator[Tiers]:
    """Return the tiers of this host. If there is no engine and none can be started, this fails: it never skips."""
    with prepare(lambda line: print(f"assay: {line}")) as opened:
        yield opened


@pytest.fixture(scope="session")
def sandbox(tiers: Tiers) -> Sandbox:
    """A real ContainerSandbox."""
    return tiers.at_least(Tier.CONTAINER)
