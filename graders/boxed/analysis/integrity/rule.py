"""The form of a rule: a sentence for a reviewer, and a search for places. Its bad and good examples: tests/integrity."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from graders.boxed.analysis.integrity.syntax import Code


class Place(NamedTuple):
    """A line in which a rule found something."""

    line: int
    detail: str
    """The finding in a few words of the code itself; "" if the rule's sentence is enough."""
    mild: bool = False
    """True if it is only unusual: it reaches only its own objects, or decides nothing. Shown as "noticed"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrityRule:
    """One sign that a submission games its examination. Its page: docs/reference/integrity.md."""

    id: str
    severity: Literal["low", "medium", "high"]
    """`low`: worth a look, shown as "noticed" and not counted among the flags of the queue."""
    confidence: Literal["low", "medium", "high"]
    says: str
    """A sentence that a reviewer understands without the code."""
    find: Callable[[Code], Iterable[Place]]
    asked: str = ""
    """A pattern, without regard to case: a prompt that contains it asks for this very thing, so a finding is mild."""
    is_text: bool = False
    """True if the text itself is the sign, even in code that never runs."""
