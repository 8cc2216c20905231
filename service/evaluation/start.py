"""The first message to an evaluator (service/evaluation/process.py)."""

from collections.abc import Mapping
from dataclasses import dataclass

from rubrics.model import Rubric
from sandboxes.interface import Tier
from service.plugins.grader import Plugin, PluginLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    storage_url: str
    base_image: str
    tiers: tuple[Tier, ...]
    """Those that this host holds."""
    rubrics: Mapping[str, Rubric]
    plugins: tuple[Plugin, ...]
    limits: PluginLimits
    """Limits of plugins; `memory_mib` holds for the evaluator as well."""
