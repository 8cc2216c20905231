"""Whose doing it is that a process, which several cases share, has run out of a limit; and how often that is put up with. Pure.

Limits are for a case, though cases share a process as long as there is room. A case that finds them used by others is asked again
in a fresh process. What bounds it all is counted and not timed, so that the same program gets the same outcomes on a busy machine.
"""

from dataclasses import dataclass

from graders.interface import End, Limits

MOST_USED_UP = 3
"""So many cases are asked again because others had used the limits of their process; all together have a few times the limits."""
ALONE_SHARE = 0.1
"""A case before which so little of the limit was used has had it to itself."""


def used_up_by_others(end: End | None, limits: Limits, *, before: float, had_its_time: bool) -> bool:
    """Whether a case may have found no answer because of what those before it in its process had used.

    Args:
        end: how the process ended, None where it was no limit.
        limits: of the process.
        before: seconds of the wall clock for which there were cases before it.
        had_its_time: the time that is each case's own was over, before that of the process was.
    """
    match end:
        case None | End.EXITED | End.SIGNALLED:
            return False
        case End.WALL_TIMEOUT:
            return not had_its_time and before > ALONE_SHARE * limits.wall_seconds
        case End.CPU_TIMEOUT:
            return before > ALONE_SHARE * limits.cpu_seconds
        case _:
            return before > 0


@dataclass(slots=True)
class Turns:
    """The processes that a program has had for a suite."""

    lost: int = 0
    """Cases that ran out of a limit, or ended the program, by themselves."""
    used_up: int = 0
    """Cases that were asked again and found an answer: others had used what they needed."""
    _again: bool = False

    def ended(self, *, answered: bool, by_others: bool) -> bool:
        """A process has ended in the midst of a case. Return whether that case is asked again.

        Args:
            answered: whether there was an answer before it in the same process.
            by_others: whether it may have run out of what those had used.
        """
        # A case that was asked again, and is lost where it is the first, was lost by its own doing.
        self.used_up += self._again and answered
        self._again = answered and by_others
        self.lost += not self._again
        return self._again

    @property
    def were_used_up(self) -> bool:
        """True where so many processes were used up by several cases together that there is no other."""
        return self.used_up >= MOST_USED_UP

    def are_left(self, most_lost: int) -> bool:
        return self.lost < most_lost and not self.were_used_up
