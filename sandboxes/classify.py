"""Classifies the facts about a box as an `End`, or as a failure of ours. Pure.

Only this module separates the program's failure from ours. The order matters: acts of the host come before the
supervisor's observations, because a program that is killed for one reason often dies of another.
"""

import json
from dataclasses import dataclass, replace
from signal import SIGXCPU, SIGXFSZ
from typing import Literal

from pydantic import FiniteFloat, NonNegativeInt, TypeAdapter, ValidationError

from sandboxes.interface import Behaviour, End, Observation, SandboxError

Stopped = Literal["", "cpu", "left", "killed"]
"""Why the box ended its program: it did not; CPU time; the program was asked to leave and did not; the host asked."""
StoppedFor = Literal["", "wall", "cpu", "output", "protocol"]
"""Why the host ended the program; empty if it did not."""

LATE: dict[StoppedFor, End] = {"wall": End.WALL_TIMEOUT, "cpu": End.CPU_TIMEOUT}
"""The end of a program that took too long, by why the host ended it."""
MOST_EVIDENCE = 256
"""The supervisors keep fewer (`watch.Notes`)."""
LONGEST_DETAIL = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The supervisor's last words, checked for type by `parse_report`."""

    exit_code: int | None
    signal: int | None
    stopped: Stopped
    cpu_seconds: FiniteFloat
    peak_bytes: NonNegativeInt
    oom_kills: NonNegativeInt
    forks_refused: NonNegativeInt
    disk_full: bool
    limit_hits: NonNegativeInt | None = None
    """How often the box's own memory limit was met; None if the kernel does not count it."""
    processes: NonNegativeInt = 0
    written_bytes: NonNegativeInt = 0
    evidence: tuple[Observation, ...] = ()


_REPORT = TypeAdapter(Report)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndFacts:
    """All facts about a box at its end."""

    started: bool
    """The box reported that its program begins, so our preparations are done. Before that, nothing counts against the program."""
    report: Report | None
    """None if the supervisor never reported: it, or the whole container, died."""
    stopped_for: StoppedFor
    container_oom: bool
    """The engine reports that the container ran out of its own memory."""
    container_exit_code: int | None
    supervisor_error: str
    """The supervisor's own stderr."""


def decode(message: bytes) -> object:
    """Return the JSON that a box sent. Raises SandboxError if it is not JSON, or is nested too deep to be ours."""
    try:
        return json.loads(message)
    except (ValueError, RecursionError) as error:
        raise SandboxError("the box sent bytes that are not JSON", sent=message[:1000]) from error


def parse_report(fields: object) -> Report:
    """Return the report's JSON as a `Report`. Raises SandboxError if it is malformed: the supervisor is ours, so that is our failure.

    The texts in it are the program's. They are escaped and cut here, even if the supervisor has already done so.
    """
    try:
        report = _REPORT.validate_python(fields)
    except ValidationError as error:
        raise SandboxError("the box's supervisor sent a malformed report", report=str(fields)[:2000]) from error
    evidence = [replace(entry, detail=_printable(entry.detail)) for entry in report.evidence[:MOST_EVIDENCE]]
    if report.forks_refused:
        detail = "more processes or threads at once than allowed"
        refused = Observation(behaviour=Behaviour.PROCESSES, detail=detail, refused=True, times=report.forks_refused)
        evidence.append(refused)
    return replace(report, evidence=tuple(evidence))


def _printable(text: str) -> str:
    shown = (letter if " " <= letter <= "~" else ascii(letter)[1:-1] for letter in text[:LONGEST_DETAIL])
    return "".join(shown)[:LONGEST_DETAIL]


def classify(seen: EndFacts) -> End:
    """Return how the program ended. Raises SandboxError if the failure was ours, so that the program cannot be judged."""
    report = seen.report
    if not seen.started:
        raise SandboxError(
            "the program never began",
            report=report,
            exit_code=seen.container_exit_code,
            supervisor=seen.supervisor_error,
        )
    if seen.stopped_for == "output":
        return End.OUTPUT_LIMIT
    if report is None:
        if seen.container_oom:
            # With its own processes all dead the kernel takes the supervisor too; the cgroup held this one program only.
            return End.OUT_OF_MEMORY
        if seen.stopped_for in LATE:
            # A program that keeps the supervisor from its last words (a fork bomb) was ended with the container.
            return LATE[seen.stopped_for]
        raise SandboxError(
            "the box ended without a report",
            exit_code=seen.container_exit_code,
            supervisor=seen.supervisor_error,
        )
    if report.oom_kills and report.limit_hits == 0:
        raise SandboxError("the host ran out of memory and killed a program that was within its limit")
    left_well = report.stopped == "left" or (report.exit_code == 0 and report.signal is None)
    in_order = (
        (report.oom_kills > 0 and (not left_well or seen.stopped_for != ""), End.OUT_OF_MEMORY),
        (seen.stopped_for == "wall", End.WALL_TIMEOUT),
        ("cpu" in (seen.stopped_for, report.stopped) or report.signal == SIGXCPU, End.CPU_TIMEOUT),
        (report.signal == SIGXFSZ, End.DISK_LIMIT),
        # From here on it ended by itself or was let go; a limit that it met and coped with is not an end.
        (left_well or seen.stopped_for == "protocol", End.EXITED),
        (report.disk_full, End.DISK_LIMIT),
        (report.forks_refused > 0, End.PROCESS_LIMIT),
        (report.signal is not None, End.SIGNALLED),
    )
    return next((end for holds, end in in_order if holds), End.EXITED)
