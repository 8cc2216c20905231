"""The author's program that judges a case: a checker of output, or an interactor. It runs in a box of its own.

The protocols, and what a broken one means, are in docs/reference/task-package.md.

    NoVerdict               it crashed, ran out of a limit or ended without a verdict. If it does so on the reference's
                            output too, the task is unusable. If not, the submission is rejected
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from graders.drivers import STDIO
from graders.interface import Command, End, Limits, Session, TaskUnusable
from graders.suites.driver_client import DriverClient
from graders.suites.stdio.cases import StdioCase, is_inside
from graders.suites.values.leaves import bytes_at
from graders.suites.values.messages import number_of, object_of, text_of
from graders.suites.verdicts import STARVED_TIMES

CHECKER_SECONDS = 60.0
"""Wall and CPU time for one verdict. The author's own program, so this only ends one that never would."""
GRACE_SECONDS = 20.0
"""Seconds of an interactor beyond the submission's own wall limit."""
MOST_TEXT = 4000
"""Characters of each text in an answer, as graders/boxed/stdio/driver.py cuts them."""

_ACCEPTS, _REJECTS = {"plain": 0, "kattis": 42}, {"plain": 1, "kattis": 43}


class NoVerdict(TaskUnusable):
    """The author's program came to no verdict on a case.

    Args:
        message: what happened; it may quote the program and what it was given.
        suite: whose program it is.
        ran_out_of_time: whether it hung, rather than crashed.
    """

    def __init__(self, message: str, *, suite: str = "", ran_out_of_time: bool = False) -> None:
        super().__init__(message, suite=suite)
        self.ran_out_of_time = ran_out_of_time


@dataclass(frozen=True, slots=True, kw_only=True)
class Pass:
    """One run of the submission in a case. Most cases have one."""

    given: bytes
    """Its input; with an interactor, the interactor's."""
    feedback: Mapping[str, bytes] = field(default_factory=dict)
    """The files that the author's program left in its feedback folder in earlier passes: path in it -> content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruling:
    """The verdict of the author's program on one case."""

    accepted: bool
    credit: float | None = None
    """Share of the case's weight, 0 to 1; None if the program awards none."""
    says: str = ""
    """Its message. It may quote what the submission printed."""
    next: Pass | None = None
    """The pass that it asks for, if it accepts this one and the suite has several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judge:
    """A suite's checker or interactor. `interactive`: which of the two."""

    suite: str
    program: str
    files: Mapping[str, bytes]
    """The program and what lies beside it: path in its box -> content."""
    protocol: str
    partial_credit: bool
    interactive: bool
    passes: int
    """How often a submission is run in a case, at most."""

    @property
    def called(self) -> str:
        """`interactor` or `checker`."""
        return "interactor" if self.interactive else "checker"

    def command(self, case: StdioCase, limits: Limits, this: Pass, *, output: bytes = b"") -> Command:
        """Return its command. It gets the memory and the processes of `limits`, which are the submission's."""
        seconds = limits.wall_seconds + GRACE_SECONDS if self.interactive else CHECKER_SECONDS
        answer = case.accepted[0] if case.accepted else b""
        files = {f"feedback/{path}": content for path, content in this.feedback.items()}
        files |= {**self.files, "case.in": this.given, "case.ans": answer, "case.out": output}
        # A checker that is kept from computing gets more wall time (`Conversation.ask`): that is not its fault.
        wall_seconds = seconds if self.interactive else STARVED_TIMES * seconds
        # One more thread carries an interactor's output.
        processes = limits.processes + self.interactive
        own = replace(limits, wall_seconds=wall_seconds, cpu_seconds=seconds, processes=processes)
        # As little as a submission may write, these have to fit.
        disk_mib = max(limits.disk_mib, 2 + (sum(map(len, files.values())) >> 19))
        own = replace(own, disk_mib=disk_mib, memory_mib=max(limits.memory_mib, 2 * disk_mib))
        return STDIO.command("judge", files=files, limits=own)

    def question(self, case: StdioCase) -> dict[str, object]:
        # With a slash at its end, as in Kattis: validators write to argument + "judgemessage.txt".
        last = "feedback/" if self.interactive or self.protocol == "kattis" else "case.out"
        arguments = ["case.in", "case.ans", last, *case.judge_args]
        stdin = "" if self.interactive else "case.out"
        return {"program": self.program, "arguments": arguments, "stdin": stdin, "passes": self.passes > 1}

    def check(self, session: Session, case: StdioCase, limits: Limits, this: Pass, output: bytes) -> Ruling:
        """Return the checker's verdict on an output. Raise NoVerdict if it has none."""
        with session.converse(self.command(case, limits, this, output=output)) as conversation:
            examinee = DriverClient(conversation)
            return self.heard(examinee, examinee.ask(self.question(case), seconds=CHECKER_SECONDS), case)

    def heard(self, examinee: DriverClient, answer: Mapping[str, Any] | None, case: StdioCase) -> Ruling:
        """Return the verdict in its answer. Raise NoVerdict if there is none.

        The exit status of its process is not a verdict: an interpreter that cannot start exits with 1 too.
        """
        if answer is None:
            execution = examinee.finish()
            status = "" if execution.exit_code is None else f"with exit code {execution.exit_code}, but not by sys.exit"
            hung = execution.end in (End.WALL_TIMEOUT, End.CPU_TIMEOUT)
            why = f"ended by {execution.end} {status} {examinee.broke}".strip()
            raise self.without(case, why, ran_out_of_time=hung)
        if "exit_code" not in answer:
            raise self.without(case, f"crashed: {text_of(answer.get('crash'), MOST_TEXT)}")
        code, says = answer["exit_code"], text_of(answer.get("message"), MOST_TEXT).strip()
        if code not in (_ACCEPTS[self.protocol], _REJECTS[self.protocol]):
            expected = f"{_ACCEPTS[self.protocol]} (accept) or {_REJECTS[self.protocol]} (reject)"
            raise self.without(case, f"ended with exit code {code!r:.20}, not {expected}: {says}")
        accepted = code == _ACCEPTS[self.protocol]
        following = self._next(case, answer) if self.passes > 1 else None
        if following is not None and not accepted:
            raise self.without(case, "wrote the input of another pass, and did not accept this one")
        credit = self._credit(case, answer) if accepted and self.partial_credit and following is None else None
        return Ruling(accepted=accepted, credit=credit, says=says, next=following)

    def _next(self, case: StdioCase, answer: Mapping[str, Any]) -> Pass | None:
        """Return the pass that the answer asks for. Raise NoVerdict if it left too many files for it."""
        if "too_much" in answer:
            most = (number_of(answer["too_much"]) or 0) / (1 << 20)
            raise self.without(case, f"left more than {most:.0f} MiB in its feedback folder")
        given = bytes_at(answer.get("next"))
        feedback: Any = object_of(answer.get("feedback"))
        kept = {path: bytes_at(content) for path, content in feedback.items()}
        inside = {path: content for path, content in kept.items() if content is not None and is_inside(path)}
        return None if given is None else Pass(given=given, feedback=inside)

    def _credit(self, case: StdioCase, answer: Mapping[str, Any]) -> float | None:
        """Return the credit in score.txt or, for the plain protocol, the last printed word. None if there is none."""
        score, printed = (text_of(answer.get(key), MOST_TEXT).split() for key in ("score", "printed"))
        words = score or (printed if self.protocol == "plain" else [])
        if not words:
            return None
        try:
            credit = float(words[-1])
        except ValueError:
            credit = math.nan
        if not 0 <= credit <= 1:
            raise self.without(case, f"gave {words[-1]!r:.80} as credit, not a number from 0 to 1")
        return credit

    def without(self, case: StdioCase, why: str, *, ran_out_of_time: bool = False) -> NoVerdict:
        """Return the error for a case without a verdict. `why` is a predicate of the program: "crashed"."""
        message = f"suite {self.suite}, case {case.id}: its {self.called} {why}".strip()
        return NoVerdict(message, suite=self.suite, ran_out_of_time=ran_out_of_time)
