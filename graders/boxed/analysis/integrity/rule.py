"""What a rule is: a sentence for a reviewer, a search for places, and its own good and bad examples."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from graders.boxed.analysis.integrity.shown import PromptExample
from graders.boxed.analysis.integrity.syntax import Code


class Place(NamedTuple):
    """Where a rule found something."""

    line: int
    detail: str
    """What it is, in a few words of the code itself; "" where the rule's sentence says it all."""
    mild: bool = False
    """True where it is only unusual: what it reaches is its own, or decides nothing. Told as "noticed"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrityRule:
    """One sign of play with the examination. Its page: docs/reference/integrity.md."""

    id: str
    severity: Literal["low", "medium", "high"]
    """`low`: worth a look, told as "noticed" and not counted among the flags of the queue."""
    confidence: Literal["low", "medium", "high"]
    says: str
    """A sentence that a reviewer understands without the code."""
    find: Callable[[Code], Iterable[Place]]
    bad: tuple[str, ...]
    """Sources in which it must find something."""
    good: tuple[str, ...]
    """Honest look-alikes: no rule at all may find anything in them."""
    shown: tuple[PromptExample, ...] = field(default=())
    """What the prompt of the examples' task shows."""
    asked: str = ""
    """A pattern: a prompt that has it asks for just this, so that it is mild. Upper and lower case are the same."""
    is_text: bool = False
    """True for what is a sign wherever it is written: nothing has to run for it."""
