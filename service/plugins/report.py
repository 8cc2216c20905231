"""The plugin part of `assay doctor`: their user, which of them are usable, and why the others are not."""

import os
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from service.plugins.installation import Installation

OWN_USER = "plugins run as a user of their own, from before their import on"
SERVICE_USER = "plugins run as the user of the service, with all that this user may do: serve as root, or install only those that you trust"


def as_text(found: Installation) -> RenderableType:
    """Return a line for each plugin, and what to do."""
    data = as_data(found)
    lines = [f"Grader plugins: {data['run_as']}"]
    lines += [f"  {id} {version}" for id, version in data["usable"].items()] or ["  none can be used"]
    lines += [f"  {id}: {reason}" for id, reason in data["weaker"].items()]
    lines += [f"  left out: {reason}" for reason in data["left_out"]]
    return Group(*map(Text, lines))


def as_data(found: Installation) -> dict[str, Any]:
    """Return the report as JSON values."""
    return {
        "run_as": OWN_USER if os.geteuid() == 0 else SERVICE_USER,
        "usable": {id: plugin.version for id, plugin in sorted(found.plugins.items())},
        "weaker": dict(sorted(found.closed.items())),
        "left_out": [str(each) for each in found.broken],
    }
