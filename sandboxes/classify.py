"""From what was seen of a box to an `End`, or to the verdict that it was our failure. Pure.

This is the one place that tells their failure from ours. The order matters: what the host did comes before what the
supervisor saw, because a program that is being killed for one reason often dies of another.
"""

from dataclasses import dataclass
from signal import SIGXCPU, SIGXFSZ

from sandboxes.interface import End, SandboxError


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The supervisor's last words, checked for type by `parse_report`."""

    exit_code: int | None
    signal: int | None
    stopped: str
    """`` (it ended by itself), `cpu`, `left` (asked to leave after its channel closed), `killed` (the host asked)."""
    cpu_seconds: float
    peak_bytes: int
    oom_kills: int
    forks_refused: int
    disk_full: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that is known of a box at its end."""

    report: Report | None
    """None where the supervisor never reported: it, or the whole container, died."""
    stopped_for: str
    """Why the host ended it: `` (it did not), `wall`, `output`, `protocol`."""
    started: bool
    """The supervisor said that the program was about to start."""
    container_oom: bool
    """The engine says that the container ran out of its own memory."""
    container_exit_code: int | None
    supervisor_error: str
    """What the supervisor printed on its own stderr."""


def parse_report(fields: object) -> Report:
    """The report's JSON as a `Report`. Raises SandboxError: the supervisor is ours, so a malformed report is our failure."""
    try:
        report = Report(**fields)  # type: ignore[arg-type]
    except TypeError as error:
        raise SandboxError("the box's supervisor sent a malformed report", report=fields) from error
    numbers = (report.cpu_seconds, report.peak_bytes, report.oom_kills, report.forks_refused)
    if not all(isinstance(number, int | float) for number in numbers):
        raise SandboxError("the box's supervisor sent a malformed report", report=fields)
    return report


def classify(seen: Seen) -> End:
    """How the program ended. Raises SandboxError where it was our failure and nothing can be said about the program."""
    if seen.stopped_for == "output":
        return End.OUTPUT_LIMIT
    report = seen.report
    if report is None:
        if seen.started and seen.container_oom:
            # With its own processes all dead the kernel takes the supervisor too; the cgroup held this one program only.
            return End.OUT_OF_MEMORY
        if seen.started and seen.stopped_for == "wall":
            # A program that keeps the supervisor from its last words (a fork bomb) was ended with the container.
            return End.WALL_TIMEOUT
        raise SandboxError(
            "the box ended without a report",
            started=seen.started,
            exit_code=seen.container_exit_code,
            supervisor=seen.supervisor_error,
        )
    left_well = report.stopped == "left" or (report.exit_code == 0 and report.signal is None)
    in_order = (
        (report.oom_kills > 0 and (not left_well or seen.stopped_for != ""), End.OUT_OF_MEMORY),
        (seen.stopped_for == "wall", End.WALL_TIMEOUT),
        (report.stopped == "cpu" or report.signal == SIGXCPU, End.CPU_TIMEOUT),
        (report.signal == SIGXFSZ, End.DISK_LIMIT),
        # From here on: it ended by itself or was let go; a limit that it met and coped with is no end.
        (left_well or seen.stopped_for == "protocol", End.EXITED),
        (report.disk_full, End.DISK_LIMIT),
        (report.forks_refused > 0, End.PROCESS_LIMIT),
        (report.signal is not None, End.SIGNALLED),
    )
    return next((end for holds, end in in_order if holds), End.EXITED)
