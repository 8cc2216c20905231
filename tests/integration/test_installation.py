"""Plugins that misbehave at import, in the check, or when they are made with a task's options: never in the service's process."""

import os
import re
from pathlib import Path

import pytest

from graders.interface import Task
from graders.plugins.registry import GraderChoiceError
from graders.tasks import package
from service.plugins import installation as finding
from service.plugins.grader import PluginLimits
from service.plugins.installation import Installation, installation
from tests.integration.serving import children_of, installed
from tests.integration.stored import PACKAGE

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

CRITERIA = ["correctness", "efficiency", "security", "best_practices"]
LIMITS = PluginLimits(seconds=10, memory_mib=512)
SHORT = PluginLimits(seconds=4, memory_mib=512)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an installation with two plugins: one that misbehaves as the environment states, and an honest one."""
    folder = tmp_path / "site"
    for path in installed(folder, "at_import", "at_import:AtImport").split(os.pathsep):
        monkeypatch.syspath_prepend(path)
    installed(folder, "misbehaving", "misbehaving:Misbehaving")
    return folder


ENDED = {
    "hang": "it did not finish within 4 s",
    "sleep with everything blocked": "it did not finish within 4 s",
    "exit": "its process ended with exit code 7",
    "exit as if all were well": "its process ended with exit code 0",
    "leave": "SystemExit: 3",
    "crash": r"its process ended by signal 11 \(SIGSEGV\)",
    "kill": r"its process ended by signal 9 \(SIGKILL\)",
    "stop": "it did not finish within 4 s",
    "close everything": "came to no end",
    "interrupt": "",
    "say what is no message": "came to no end",
}


@pytest.mark.parametrize("place", ["import", "check"])
@pytest.mark.parametrize("way", ENDED)
def test_a_plugin_that_comes_to_no_end_is_left_out(
    site: Path, monkeypatch: pytest.MonkeyPatch, place: str, way: str
) -> None:
    """A service that hung or ended at its start, for a plugin that no task may even name."""
    monkeypatch.setenv("ASSAY_TEST_PLACE", place)
    monkeypatch.setenv("ASSAY_TEST_WAY", way)
    before = children_of(os.getpid())
    found = installation(CRITERIA, SHORT)
    assert set(found.plugins) == {"acme/misbehaving"}
    assert {"acme/misbehaving", "assay/hidden-tests"} <= set(found.graders) and "acme/at-import" not in found.graders
    [broken] = found.broken
    assert (broken.name, broken.distribution) == ("at_import", "at_import")
    assert re.search(ENDED[way], str(broken)), broken
    assert children_of(os.getpid()) == before
    with pytest.raises(GraderChoiceError, match="broken: at_import of at_import"):
        found.check(task("acme/at-import"))


@pytest.mark.parametrize("place", ["import", "check"])
@pytest.mark.parametrize("way", ["leave a thread", "fork", "replace"])
def test_what_a_plugin_leaves_behind_holds_nothing_up(
    site: Path, monkeypatch: pytest.MonkeyPatch, place: str, way: str
) -> None:
    monkeypatch.setenv("ASSAY_TEST_PLACE", place)
    monkeypatch.setenv("ASSAY_TEST_WAY", way)
    found = installation(CRITERIA, LIMITS)
    assert set(found.plugins) == {"acme/misbehaving", "acme/at-import"} and not found.broken


def task(plugin: str, options: str = "") -> Task:
    toml = f'{PACKAGE["task.toml"]}\n[graders."{plugin}"]\n{options}\n'
    return package.load({**PACKAGE, "task.toml": toml})


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("site")
        for path in installed(folder, "at_import", "at_import:AtImport").split(os.pathsep):
            patch.syspath_prepend(path)
        return installation(CRITERIA, SHORT)


MADE = {
    "hang": "did not finish within 4 s",
    "sleep with everything blocked": "did not finish within 4 s",
    "exit": "its process ended with exit code 7",
    "exit as if all were well": "its process ended with exit code 0",
    "leave": "SystemExit: 3",
    "crash": "SIGSEGV",
    "kill": "SIGKILL",
    "close everything": "its process ended with exit code 1",
    "interrupt": "KeyboardInterrupt",
    "eat": "MemoryError",
    "say no": r"options that the grader accepts \(no\)",
    "": "",
    "leave a thread": "",
    "replace": "",
}


@pytest.mark.parametrize("way", MADE)
def test_a_plugin_is_made_with_a_tasks_options_elsewhere(both: Installation, tmp_path: Path, way: str) -> None:
    """It was made in the service when a task was stored: one that hung held a thread of the web server for ever."""
    with pytest.MonkeyPatch.context() as patch:
        for path in installed(tmp_path / "site", "at_import", "at_import:AtImport").split(os.pathsep):
            patch.syspath_prepend(path)
        wanted = task("acme/at-import", f'way = "{way}"')
        if not MADE[way]:
            both.check(wanted)
            return
        with pytest.raises(GraderChoiceError, match=MADE[way]) as raised:
            both.check(wanted)
    assert raised.value.field == 'graders."acme/at-import"'


def test_an_option_that_there_is_not_is_named(both: Installation, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for path in installed(tmp_path / "site", "at_import", "at_import:AtImport").split(os.pathsep):
            patch.syspath_prepend(path)
        with pytest.raises(GraderChoiceError, match="one of the options of this grader: way") as raised:
            both.check(task("acme/at-import", "wy = 1"))
        assert raised.value.field == 'graders."acme/at-import".wy'
        with pytest.raises(GraderChoiceError, match="a string, not 3"):
            both.check(task("acme/at-import", "way = 3"))


def test_without_plugins_no_process_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "PluginProcess", None)
    assert not installation(CRITERIA, LIMITS).plugins
