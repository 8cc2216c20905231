"""Writes the outcomes of a suite's cases, in the name of the grader that runs it. Pure."""

from dataclasses import dataclass

from graders.interface import CaseOutcome, Execution, Outcome, Suite, UntrustedText

SHOWN_CASES = 20
"""At most this many failing cases of a suite carry texts: if a thousand fail, readers need only a few."""
NOTE_CHARACTERS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseTexts:
    """The texts for the reader of a case that did not pass."""

    given: str
    wanted: str
    got: str


_NO_TEXTS = CaseTexts(given="", wanted="", got="")


@dataclass(slots=True, kw_only=True)
class SuiteReporter:
    """Makes the outcomes of one suite, for one submission."""

    suite: Suite
    grader: str
    criterion: str
    _shown: int = 0

    @property
    def has_room(self) -> bool:
        """True while the next failing case may carry its texts."""
        return self._shown < SHOWN_CASES

    def report_case(
        self,
        case: str,
        outcome: Outcome,
        *,
        weight: float = 1.0,
        group: str = "",
        credit: float | None = None,
        end: str = "",
        seconds: float | None = None,
        run: Execution | None = None,
        texts: CaseTexts | None = None,
        note: str = "",
        integrity: str = "full",
    ) -> CaseOutcome:
        """Return the outcome of one case.

        Args:
            case: the id of the case.
            outcome: the verdict.
            weight: the weight of the case within its suite.
            group: the group that the case itself states.
            credit: the share of the weight that the author's program awarded.
            end: how the program ended, if that decided the outcome.
            seconds: the wall time of a case that shares its process with others.
            run: the execution of a case that has one of its own.
            texts: the texts for the reader. Ask `has_room` before you make them.
            note: a sentence for author and reviewer.
            integrity: `reduced` if the submission could have written its own verdict.
        """
        self._shown += texts is not None
        told = texts or _NO_TEXTS
        return CaseOutcome(
            grader=self.grader,
            criterion=self.criterion,
            suite=self.suite.id,
            case=case,
            outcome=outcome,
            weight=weight * self.suite.weight,
            credit=credit,
            group=group,
            end=end,
            seconds=run.wall_seconds if run else seconds,
            cpu_seconds=run.cpu_seconds if run else None,
            peak_memory_mib=run.peak_memory_mib if run else None,
            given=UntrustedText(told.given),
            wanted=UntrustedText(told.wanted),
            got=UntrustedText(told.got),
            note=UntrustedText(note[:NOTE_CHARACTERS]),
            integrity=integrity,
        )
