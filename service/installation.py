"""Which graders this installation has, for the process that serves HTTP: no code of a plugin ever runs there.

Plugins are imported and checked by another process (service/plugin_finder.py), and made with a task's options in a fork of one
(service/plugin_process.py). One that hangs or ends its process there is left out, like one whose import fails.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from graders.interface import Grader, Task
from graders.registry import (
    Broken,
    GraderChoiceError,
    Registry,
    distribution_of,
    own_entry_points,
    plugin_entry_points,
)
from service.child import Child, how
from service.plugin_finder import key
from service.plugins import Plugin, PluginError, PluginLimits, PluginProcess, stand_in
from service.wire import WireError, down, from_below

START_SECONDS = 120.0
"""From the start of the process that looks to its first word, on a busy machine: no plugin has had a turn yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The built-in graders, and what is known of the plugins."""

    known: Registry
    """A plugin's class there stands for it: it has its id, version and criterion, and cannot look."""
    plugins: Mapping[str, Plugin]
    limits: PluginLimits

    @property
    def graders(self) -> Mapping[str, type[Grader]]:
        return self.known.graders

    @property
    def broken(self) -> tuple[Broken, ...]:
        return self.known.broken

    def check(self, task: Task) -> None:
        """Raises GraderChoiceError for a grader or an option that there is not, and for a plugin that cannot be made."""
        for id, options in sorted(task.graders.items()):
            if id in self.plugins:
                self._check_plugin(self.plugins[id], options)
            else:
                self.known.build(id, options)

    def _check_plugin(self, plugin: Plugin, options: Mapping[str, object]) -> None:
        process = None
        try:
            process = PluginProcess(plugin, self.limits)
            process.check(options)
        except (PluginError, OSError) as error:
            raise GraderChoiceError(
                f'graders."{plugin.id}"', f"options with which the grader can be made ({plugin.id} {error})"
            ) from error
        finally:
            if process is not None:
                process.close()


def installation(criteria: Collection[str], limits: PluginLimits) -> Installation:
    """What is installed. Raises RegistryError where a built-in grader is broken."""
    own = Registry.discover(criteria, own_entry_points())
    plugins, broken = _plugins(criteria, limits.seconds) if plugin_entry_points() else ((), ())
    graders = {**own.graders, **{plugin.id: stand_in(plugin) for plugin in plugins}}
    return Installation(
        known=Registry(graders=dict(sorted(graders.items())), broken=tuple(sorted(broken, key=str))),
        plugins={plugin.id: plugin for plugin in plugins},
        limits=limits,
    )


def _plugins(criteria: Collection[str], seconds: float) -> tuple[tuple[Plugin, ...], tuple[Broken, ...]]:
    """The proper plugins, and the others. Each may take so many seconds to be imported and checked."""
    points = {key(point): point for point in plugin_entry_points()}
    left_out: dict[str, Broken] = {}
    while True:
        turn, word, how_not = _asked(criteria, frozenset(left_out), seconds)
        with suppress(KeyError, TypeError, ValueError):
            plugins = tuple(Plugin(**row) for row in word["plugins"])
            broken = tuple(Broken(**{**row, "reasons": tuple(row["reasons"])}) for row in word["broken"])
            return plugins, (*broken, *left_out.values())
        if turn not in points or turn in left_out:
            raise PluginError(f"no plugin can be looked at: {how_not}")
        point = points[turn]
        left_out[turn] = Broken(
            name=point.name,
            distribution=distribution_of(point),
            file=point.value,
            reasons=(f"importing or checking it came to no end: {how_not}",),
        )


def _asked(criteria: Collection[str], left_out: frozenset[str], seconds: float) -> tuple[str, dict[str, Any], str]:
    """Whose turn it was at last, what the process found, or how it came to find nothing."""
    child = Child("service.plugin_finder")
    turn, word, how_not = "", {}, f"it did not finish within {seconds:g} s"
    patience = max(seconds, START_SECONDS)
    try:
        child.wire.send(down((frozenset(criteria), left_out)))
        while (message := child.wire.receive(patience)) is not None:
            patience = seconds
            word = from_below(message)
            if "began" not in word:
                break
            turn = str(word["began"])
    except WireError:
        how_not = how(child.end(within=1))
    finally:
        child.end(within=0)
    return turn, word, how_not
