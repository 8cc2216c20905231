"""The facts of the reference for a suite, and what a submission's run wanted beyond them. Standard library only.

Facts are short texts that do not depend on who implements the task, because they use names that the tests use:

    class Account                           a class that tests met, in any module of the submission
    operator Account sub                    an operator that was used on an object of the class, in any spelling
    object solution.find()                  a place that held something other than a plain value
    use test_it.Clock.sleep                 an attribute of a test's object that is read or called
    set test_it.Clock.now                   an attribute of a test's object that is set
    changed solution.sort() 0               an argument of a call, or a container of a test's object, that is changed
    name solution.total                     a name that a star import brings
    library solution.math                   a name in a submission's module that is a module of the library
    raises builtins.KeyError test_it.py::test_retry     an exception of the tests' own that reaches the submission
    swallowed test_it.py::test_retry        a test whose failed assertion does not come back
    disagrees Poly                          a class whose own `==` contradicts the compared states

The run of the reference records them and is allowed everything; a submission's run is held to them.
"""

from collections.abc import Iterable

MAX_FACTS = 10_000
MAX_LENGTH = 500
MAX_REFUSED = 10


class Learnt:
    """The facts of the reference. `facts`: None in the run of the reference, which records them."""

    def __init__(self, facts: Iterable[str] | None) -> None:
        self.learning = facts is None
        self.facts = set(facts or ())
        self.refused: dict[str, bool] = {}
        """Refused uses in the running test, in words -> whether the use counts against the submission."""

    def has(self, fact: str) -> bool:
        """Return whether the reference's run has this fact; record it in the reference's own run."""
        if self.learning and len(self.facts) < MAX_FACTS:
            self.facts.add(fact[:MAX_LENGTH])
        return self.learning or fact[:MAX_LENGTH] in self.facts

    def allows(self, fact: str, what: str, *, held: bool = True) -> bool:
        """Return `has(fact)`; if False, note `what` for the report of a failing test. `held`: no honest submission does
        it.
        """
        if self.has(fact):
            return True
        if len(self.refused) < MAX_REFUSED:
            self.refused[f"{what}, and the reference does not"] = held
        return False

    def about(self, kind: str) -> list[list[str]]:
        """Return the words of all facts of this kind, without the first word."""
        return [fact.split(" ")[1:] for fact in self.facts if fact.startswith(f"{kind} ")]
