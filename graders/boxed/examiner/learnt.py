"""What the run of the reference taught of a suite, and what a submission's run wanted beyond it. Standard library only.

Facts are short texts that are the same whoever implements the task, because they name what tests name:

    class Account                           a class that tests met, whichever module of the submission's has it
    operator Account sub                    an operator that an object of the class was asked for, however it was written
    object solution.find()                  where something else than a plain value stood
    use test_it.Clock.sleep                 what is read of an object of the tests', or called
    set test_it.Clock.now                   what is set of one
    changed solution.sort() 0               which argument of a call, or which container of such an object, is changed
    name solution.total                     what a star import brings
    library solution.math                   where a module of the submission's has one of the library, which it then is
    raises builtins.KeyError test_it.py::test_retry     an exception of the tests' own that reaches the submission
    swallowed test_it.py::test_retry        a test whose failed assertion nobody hears of
    disagrees Poly                          a class whose own `==` says something else than the compared states

The run of the reference writes them down and is allowed everything; that of a submission is held to them.
"""

from collections.abc import Iterable

MAX_FACTS = 10_000
MAX_LENGTH = 500
MAX_REFUSED = 10


class Learnt:
    """`facts`: those of the reference, or None for the run that learns them."""

    def __init__(self, facts: Iterable[str] | None) -> None:
        self.learning = facts is None
        self.facts = set(facts or ())
        self.refused: dict[str, bool] = {}
        """What was refused in the running test, in words -> whether that is held against the submission."""

    def has(self, fact: str) -> bool:
        """Whether the reference's run had it."""
        if self.learning and len(self.facts) < MAX_FACTS:
            self.facts.add(fact[:MAX_LENGTH])
        return self.learning or fact[:MAX_LENGTH] in self.facts

    def allows(self, fact: str, what: str, *, held: bool = True) -> bool:
        """The same; `what` is told with a test that fails, and is `held` against the submission where no honest one does it."""
        if self.has(fact):
            return True
        if len(self.refused) < MAX_REFUSED:
            self.refused[f"{what}, and the reference does not"] = held
        return False

    def about(self, kind: str) -> list[list[str]]:
        """The words of all facts of this kind, after the first one."""
        return [fact.split(" ")[1:] for fact in self.facts if fact.startswith(f"{kind} ")]
