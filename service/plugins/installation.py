"""Which graders this installation has, for processes that run no code of a plugin: the one that serves HTTP, and commands.

Each plugin is imported and checked in a process of its own (service/plugins/process.py), and made with a task's options in a fork of one.
One that hangs or ends its process there is left out, like one whose import fails.
"""

import os
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from importlib.metadata import EntryPoint

from graders.interface import Grader, Task
from graders.plugins.registry import (
    Broken,
    GraderChoiceError,
    Registry,
    broken,
    own_entry_points,
    plugin_entry_points,
    rivalries,
)
from service.plugins.grader import Plugin, PluginError, PluginLimits, PluginProcess, UnusableError, stand_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """The built-in graders, and what is known of the plugins."""

    known: Registry
    """A plugin's class there stands for it: it has its id, version and criterion, and cannot look."""
    plugins: Mapping[str, Plugin]
    closed: Mapping[str, str]
    """Plugins that cannot import all that is installed: what they cannot, and what to do, in half a sentence."""
    limits: PluginLimits

    @property
    def graders(self) -> Mapping[str, type[Grader]]:
        return self.known.graders

    @property
    def broken(self) -> tuple[Broken, ...]:
        return self.known.broken

    def check(self, task: Task) -> None:
        """Raise GraderChoiceError for an unknown grader or option, and for a plugin that cannot be made."""
        for id, options in sorted(task.graders.items()):
            if id in self.plugins:
                self._check_plugin(self.plugins[id], options)
            else:
                self.known.build(id, options)

    def _check_plugin(self, plugin: Plugin, options: Mapping[str, object]) -> None:
        try:
            with closing(PluginProcess(plugin.place, (plugin.criterion,), self.limits)) as process:
                process.check(options)
        except (PluginError, OSError) as error:
            raise GraderChoiceError(
                f'graders."{plugin.id}"', f"options with which the grader can be made ({plugin.id} {error})"
            ) from error


def installation(criteria: Collection[str], limits: PluginLimits) -> Installation:
    """Return the installed graders. Raises RegistryError for a broken built-in one, OSError if a process cannot start."""
    own = Registry.discover(criteria, own_entry_points())
    points = plugin_entry_points()
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        looked = list(pool.map(lambda point: _looked_at(point, criteria, limits), points))
    left_out = [each for each in looked if isinstance(each, Broken)]
    found = [each for each in looked if isinstance(each, _Found)]
    plugins: dict[str, _Found] = {}
    claims = [(each.plugin.id, each.point, each.file) for each in found]
    for each, reasons in zip(found, rivalries(claims), strict=True):
        if reasons:
            left_out.append(broken(each.point, each.file, reasons))
        else:
            plugins[each.plugin.id] = each
    graders = {**own.graders, **{id: stand_in(each.plugin) for id, each in plugins.items()}}
    return Installation(
        known=Registry(graders=dict(sorted(graders.items())), broken=tuple(sorted(left_out, key=str))),
        plugins={id: each.plugin for id, each in plugins.items()},
        closed={id: each.closed for id, each in plugins.items() if each.closed},
        limits=limits,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    point: EntryPoint
    plugin: Plugin
    file: str
    closed: str


def _looked_at(point: EntryPoint, criteria: Collection[str], limits: PluginLimits) -> _Found | Broken:
    """Return the plugin's description, or why it is left out."""
    try:
        with closing(PluginProcess(point.value, criteria, limits)) as process:
            return _Found(point=point, plugin=process.plugin, file=process.file, closed=process.closed)
    except UnusableError as error:
        return broken(point, error.file, error.reasons)
