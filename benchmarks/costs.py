"""The costs of a tier beside CPU time: start, idle memory, round trips, and how much a limit lets through."""

import re
import struct
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from contenders import task_of, through_port
from docker.models.containers import Container
from engine import Engine
from jobs import ACROSS, PYTEST, SMALL, SOLUTION, WITH_HYPOTHESIS, Job

from graders.interface import Context, Submission, SubmissionId
from graders.suites.tests import runner as pytest_suite
from graders.suites.tests.suite import pytest_suite as read_suite
from sandboxes.engine.sweep import OWNER, OWNER_LABEL
from sandboxes.interface import Command, Harness, Limits, Sandbox

Open = Callable[[], AbstractContextManager[Sandbox]]

WALL_SECONDS = 1.0
SPIN = "while True:\n    pass\n"
FORK_BOMB = "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass\n"
ECHO = """
import os
while size := os.read(3, 4):
    os.write(3, size + os.read(3, int.from_bytes(size, "big")))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Memory of all processes of one idle container, MiB."""

    unique_mib: float
    """Anonymous and shared memory that no other container shares, and that its removal frees."""
    proportional_mib: float
    """With its share of the pages of programs and libraries, which all containers of an image share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """The costs of one tier."""

    first_result_seconds: float
    """From nothing of ours running to the result of the first small job."""
    idle_memory: Mapping[str, Memory]
    """By the job that was done last; the largest of the containers that wait for the next one."""
    spin_overruns_ms: Sequence[float]
    """How long after its wall limit the caller has the result of a program without end; start and removal included. Only of
    those that were ended by it, which may be none."""
    fork_bomb_overruns_ms: Sequence[float]
    answers_ms: Sequence[float]
    """From a question of 100 bytes over the channel to its answer."""
    call_across_us: float
    """Median of a small call from the box of the tests to that of the submission, as the test sees it."""


def of(engine: Engine, open: Open, *, times: int) -> Cost:
    """`times`: repetitions of what is repeated."""
    before = time.perf_counter()
    with open() as sandbox:
        through_port("first", SMALL, sandbox).evaluate()
        first_result_seconds = time.perf_counter() - before
        return Cost(
            first_result_seconds=first_result_seconds,
            idle_memory={
                name: memory
                for name, job in (("small", SMALL), ("pytest", PYTEST), ("hypothesis", WITH_HYPOTHESIS))
                if (memory := _idle_memory(engine, open, job)) is not None
            },
            spin_overruns_ms=_overruns_ms(sandbox, SPIN, times),
            fork_bomb_overruns_ms=_overruns_ms(sandbox, FORK_BOMB, times),
            answers_ms=_answers_ms(sandbox, 100 * times),
            call_across_us=_call_across_us(sandbox),
        )


def _idle_memory(engine: Engine, open: Open, job: Job) -> Memory | None:
    others = {container.id for container in _ours(engine)}
    with open() as sandbox:
        through_port("memory", job, sandbox).evaluate()
        engine.settle()
        waiting = [container for container in _ours(engine) if container.id not in others]
        amounts = [_memory(engine.processes(container.id)) for container in waiting]
    return max(amounts, key=lambda memory: memory.unique_mib, default=None)


def _ours(engine: Engine) -> list[Container]:
    return list(engine.client.containers.list(filters={"label": f"{OWNER_LABEL}={OWNER}"}))


def _memory(pids: Sequence[str]) -> Memory:
    unique = proportional = 0
    for pid in pids:
        sizes = {}
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]:
            name, _, size = line.partition(":")
            sizes[name] = int(size.split()[0])
        unique += sizes["Pss_Anon"] + sizes["Pss_Shmem"]
        proportional += sizes["Pss"]
    return Memory(unique_mib=unique / 1024, proportional_mib=proportional / 1024)


def _overruns_ms(sandbox: Sandbox, program: str, times: int) -> list[float]:
    command = Command(
        argv=("python3", "job.py"),
        files={"job.py": program.encode()},
        limits=Limits(wall_seconds=WALL_SECONDS),
    )
    seen = []
    for _ in range(times):
        before = time.perf_counter()
        with sandbox.session() as session:
            execution = session.run(command)
        beyond_ms = (time.perf_counter() - before - WALL_SECONDS) * 1e3
        if execution.end in ("wall-timeout", "process-limit"):
            seen.append(beyond_ms)
        elif execution.end != "out-of-memory":  # which a fork bomb under gVisor meets first, most of the time
            raise RuntimeError(f"a program without end came to the end {execution.end}")
    return seen


def _answers_ms(sandbox: Sandbox, times: int) -> list[float]:
    command = Command(argv=("python3", "echo.py"), files={"echo.py": ECHO.encode()}, harness=Harness())
    question = struct.pack(">I", 1) * 25
    seen = []
    with sandbox.session() as session, session.converse(command) as conversation:
        for _ in range(times):
            before = time.perf_counter()
            answer = conversation.ask(question, seconds=10)
            seen.append((time.perf_counter() - before) * 1e3)
            if answer != question:
                raise RuntimeError(f"the echo said {answer!r}")
        conversation.finish()
    return seen[1:]  # the first one waits for the program to start


def _call_across_us(sandbox: Sandbox) -> float:
    task = task_of(ACROSS)
    submission = Submission(id=SubmissionId("1"), task_id=task.id, files={"job.py": SOLUTION})
    with sandbox.session() as session:
        context = Context(task=task, submission=submission, session=session)
        run = pytest_suite.run_suite(
            context, submission.files, read_suite(ACROSS), None, limits=Limits(wall_seconds=60)
        )
    told = " ".join(report.text for report in run.reports.values()) or run.problem
    found = re.search(r"median ([0-9.]+) us", told)
    if found is None:
        raise RuntimeError(f"no call came across: {told[-500:]}")
    return float(found[1])
