"""The form of a rule: a sentence for a reviewer, a search for places, and its own good and bad examples."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from graders.boxed.analysis.integrity.shown import PromptExample
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
    bad: tuple[str, ...]
    """Sources in which it must find something."""
    good: tuple[str, ...]
    """Honest look-alikes: no rule at all may find anything in them."""
    shown: tuple[PromptExample, ...] = field(default=())
    """The examples that the prompt shows, for the rule's good and bad sources."""
    asked: str = ""
    """A pattern, without regard to case: a prompt that contains it asks for this very thing, so a finding is mild."""
    is_text: bool = False
    """True if the text itself is the sign, even in code that never runs."""
