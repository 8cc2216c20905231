"""The author's predicate of a `call` suite: `accepts(args, expected, got)`, asked in a box of its own.

It sees the submission's answer, so the answer may break it: it raises, hangs, ends its process, or returns neither
True nor False. Then it has not given a verdict. That costs this case alone, as the next is asked in a fresh box.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graders.boxed.shared.encoding import dump
from graders.drivers import CALL
from graders.interface import Context, End, TaskUnusable
from graders.suites.call.suite import CallSuite
from graders.suites.driver_client import open_driver
from graders.suites.values.messages import object_of, text_of
from graders.suites.verdicts import STARVED_TIMES

LOAD_SECONDS = 20.0
CASE_SECONDS = 10.0
HANGS = 3
"""After this many cases on which it ran out of time it is not asked again: each holds a worker for CASE_SECONDS."""
BOXES = 25
"""The most boxes in which the cases of a suite are judged."""
SUITE_SECONDS = 600.0
"""The time for all verdicts on a submission together; cases that are left then are not asked. A submission's answers
decide how long a verdict takes: a thousand that each take just less than CASE_SECONDS would hold a worker for
hours."""
SHOWN_CHARACTERS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The predicate's verdict on one case."""

    accepted: bool = False
    broke: str = ""
    """The reason if it did not give a verdict. It may quote the program and its input."""
    unasked: bool = False
    """True for a case that was left when the predicate had broken too often, or had taken too long."""


def judged(
    context: Context, suite: CallSuite, question: Callable[[int], Mapping[str, object]], count: int
) -> Sequence[Verdict]:
    """Return a verdict on each of `count` cases. `question(place)` has the arguments, as the driver reads them.

    Raise TaskUnusable if the predicate cannot be loaded.
    """
    verdicts: list[Verdict] = []
    hangs = 0
    deadline = time.monotonic() + SUITE_SECONDS
    for _ in range(BOXES):
        if len(verdicts) == count or hangs == HANGS or time.monotonic() > deadline:
            break
        if ended := _sit(context, suite, question, count, verdicts, deadline=deadline):
            verdicts.append(Verdict(broke=f"ended by {ended}"))
            hangs += ended.startswith((End.WALL_TIMEOUT, End.CPU_TIMEOUT))
    return [*verdicts, *[Verdict(unasked=True)] * (count - len(verdicts))]


def _sit(
    context: Context,
    suite: CallSuite,
    question: Callable[[int], Mapping[str, object]],
    count: int,
    verdicts: list[Verdict],
    *,
    deadline: float,
) -> str:
    """Add the verdicts of one box. Return how the box ended; empty if all cases have verdicts or time is up."""
    [(_, text)] = suite.files_ending(".py")
    left = range(len(verdicts), count)
    # It is the author's own program. Only a case has a limit: one for the box would cut off a suite of many cases.
    seconds = LOAD_SECONDS + CASE_SECONDS * len(left)
    limits = replace(context.task.limits, wall_seconds=STARVED_TIMES * seconds, cpu_seconds=seconds)
    with open_driver(context.session, CALL, ("checker",), {"checker/checker.py": text}, limits) as judge:
        loaded = judge.ask({"module": "checker", "function": "accepts"}, seconds=LOAD_SECONDS)
        if loaded is None or "value" not in loaded:
            problem = f"suite {suite.id}: its checker cannot be loaded: {judge.broke or loaded}"
            raise TaskUnusable(problem, suite=suite.id)
        asked = ((question(place), CASE_SECONDS) for place in left)
        for answer in judge.ask_each(asked):
            verdicts.append(_read(answer))
            if len(verdicts) == count or time.monotonic() > deadline:
                return ""
        execution = judge.finish()
    return f"{execution.end} {judge.broke}".strip()


def _read(answer: Mapping[str, Any]) -> Verdict:
    value = answer.get("value")
    if value is True or value is False:
        return Verdict(accepted=value)
    if "value" in answer:
        why = f"returned {dump(value)[:SHOWN_CHARACTERS]}, neither True nor False"
    elif raised := object_of(answer.get("raised")):
        why = f"raised {text_of(raised.get('type'))}: {text_of(raised.get('message'))}"
    else:
        why = f"gave no answer: {text_of(answer.get('refused'))}"
    return Verdict(broke=why[:SHOWN_CHARACTERS])
