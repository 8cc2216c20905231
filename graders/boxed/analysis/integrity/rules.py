"""The table of all rules."""

from collections.abc import Mapping

from graders.boxed.analysis.integrity import (
    characters,
    exits,
    files,
    frames,
    gaming,
    hidden,
    output,
    patches,
    reads,
    values,
)
from graders.boxed.analysis.integrity.rule import IntegrityRule

RULES: Mapping[str, IntegrityRule] = {
    rule.id: rule
    for family in (gaming, exits, values, patches, frames, reads, files, output, hidden, characters)
    for rule in family.RULES
}
"""By id, in the order of the documentation."""
