"""The processes that evaluate: real ones, without a box, stopped and killed."""

import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandboxes.interface import Sandbox, SandboxError, Tier
from service.evaluation import pool
from service.evaluation.pool import EvaluationFailedError, EvaluatorLostError, Evaluators
from service.evaluation.start import Start
from service.plugins.grader import PluginLimits
from service.processes import child
from service.processes.wire import Wire
from service.rubric_files import builtin_rubrics
from service.storage.interface import RunRecord, TaskRecord
from service.storage.storage import Storage
from tests.integration import stored
from tests.integration.serving import children_of, is_evaluator

LIMITS = PluginLimits(seconds=5, memory_mib=1024)


@pytest.fixture
def made(storage: Storage, sandbox: Sandbox) -> Iterator[Evaluators]:
    start = Start(
        storage_url=str(storage.database.url),
        base_image="",
        tiers=(Tier.CONTAINER,),
        rubrics=builtin_rubrics(),
        plugins=(),
        limits=LIMITS,
    )
    tidied: list[None] = []
    pool = Evaluators(start, alive=lambda seconds: None, tidy=lambda: tidied.append(None))
    yield pool
    pool.close()
    assert tidied
    assert not {pid for pid in children_of(os.getpid()) if is_evaluator(pid)}


def only_evaluator() -> int:
    """The one that has been started. Between its fork and its own program it is not known for one yet."""
    while not (found := [pid for pid in children_of(os.getpid()) if is_evaluator(pid)]):
        pass
    [pid] = found
    return pid


@pytest.fixture
def run(storage: Storage) -> RunRecord:
    files = {**stored.PACKAGE}
    storage.tasks.add(
        TaskRecord(id=stored.task().id, version="v1", title="Double", files=files, created_at=stored.START)
    )
    [id] = storage.runs.accept([stored.record()], [""], [""])
    return storage.runs.get(id)


def test_a_run_is_evaluated_and_the_process_kept(made: Evaluators, run: RunRecord) -> None:
    findings = made(run)
    assert findings.outcome == "failed" and {signal.grader for signal in findings.signals} >= {"assay/hidden-tests"}
    assert findings.sandbox.startswith("container@") and findings.rubric_id == "default"
    pid = only_evaluator()
    assert made(run).outcome == "failed" and only_evaluator() == pid


def test_what_fails_there_fails_here(made: Evaluators, run: RunRecord, storage: Storage) -> None:
    gvisor = replace(run, submission=replace(run.submission, minimum_tier=Tier.GVISOR))
    with pytest.raises(SandboxError, match="tier gvisor is wanted"):
        made(gvisor)
    lost = replace(run, submission=replace(run.submission, task_version="nobody has it"))
    with pytest.raises((EvaluationFailedError, LookupError), match="nobody has it"):
        made(lost)
    assert made(run).outcome == "failed", "and the process is as good as before"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_one_that_dies_names_how(made: Evaluators, run: RunRecord, number: signal.Signals) -> None:
    made(run)
    pid = only_evaluator()
    os.kill(pid, signal.SIGSTOP)
    threading.Timer(0.5, os.kill, (pid, number)).start()
    if number != signal.SIGKILL:
        threading.Timer(0.6, os.kill, (pid, signal.SIGCONT)).start()
    with pytest.raises(EvaluatorLostError, match=rf"ended by signal {int(number)} \({number.name}\)"):
        made(run)
    assert made(run).outcome == "failed", "another one takes its place"


def test_one_that_died_between_two_runs_costs_no_attempt(made: Evaluators, run: RunRecord) -> None:
    made(run)
    pid = only_evaluator()
    os.kill(pid, signal.SIGKILL)
    while not made._idle[0].died_idle:
        pass
    assert made(run).outcome == "failed" and only_evaluator() != pid


def test_one_that_gives_no_sign_of_life_is_ended(
    made: Evaluators, run: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(run)
    os.kill(only_evaluator(), signal.SIGSTOP)
    monkeypatch.setattr(pool, "FIRST_SECONDS", 1.0)
    with pytest.raises(EvaluatorLostError, match="before the turn of any grader: it gave no sign of life for 1 s"):
        made(run)
    monkeypatch.undo()
    assert made(run).outcome == "failed"


def test_one_that_cannot_start_is_said_until_one_can(
    made: Evaluators, run: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child.sys, "executable", "/bin/false")
    with pytest.raises(SandboxError, match="does not start: its process ended with exit code 1"):
        made(run)
    assert made.missing() == ("an evaluator does not start: its process ended with exit code 1",)
    monkeypatch.setattr(child.sys, "executable", "/nowhere/python")
    with pytest.raises(SandboxError, match="cannot be started"):
        made(run)
    monkeypatch.undo()
    assert made(run).outcome == "failed" and not made.missing()


def test_those_that_are_busy_when_all_are_closed_are_ended(made: Evaluators, run: RunRecord) -> None:
    made(run)
    os.kill(only_evaluator(), signal.SIGSTOP)
    raised: list[BaseException] = []

    def evaluate() -> None:
        try:
            made(run)
        except EvaluatorLostError as error:
            raised.append(error)

    thread = threading.Thread(target=evaluate)
    thread.start()
    while made._idle:
        threading.Event().wait(0.01)
    made.close()
    thread.join(30)
    assert len(raised) == 1


def test_none_is_begun_once_all_are_closed(made: Evaluators, run: RunRecord) -> None:
    made.close()
    with pytest.raises(EvaluatorLostError, match="closed"):
        made(run)
    assert not [pid for pid in children_of(os.getpid()) if is_evaluator(pid)]


def test_who_asks_what_is_missing_has_it_tried_again(made: Evaluators, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is not ready is sent no run, and only a run would have shown that evaluators start again."""
    monkeypatch.setattr(pool, "ANEW_SECONDS", 0.0)
    python = sys.executable
    monkeypatch.setattr(child.sys, "executable", "/bin/false")
    with pytest.raises(SandboxError):
        made._take()
    assert made.missing() == ("an evaluator does not start: its process ended with exit code 1",)
    monkeypatch.setattr(child.sys, "executable", python)
    assert not made.missing() and len(made._idle) == 1


ODD_LAST_WORDS = {
    "half a message": b"\0\0\1\0{",
    "no JSON": b"\0\0\0\2{{",
    "findings that are none": b'\0\0\0\x0f{"findings": {}}',
    "silent for ever": b'\0\0\0\x14{"silent": Infinity}',
    "a failure without words": b'\0\0\0\x11{"failed": "task"}',
}


@pytest.mark.parametrize("word", ODD_LAST_WORDS)
def test_one_that_says_what_none_says_costs_an_attempt_and_no_thread(
    made: Evaluators, run: RunRecord, word: str
) -> None:
    """Like an evaluator killed between two messages or out of memory: the next run gets another one."""
    made(run)
    [evaluator] = made._idle
    pid = only_evaluator()
    os.kill(pid, signal.SIGSTOP)
    ours, theirs = socket.socketpair()
    real = evaluator._child.wire
    evaluator._child.wire = Wire(ours)

    def answer() -> None:
        theirs.recv(100_000)
        theirs.sendall(ODD_LAST_WORDS[word])
        theirs.shutdown(socket.SHUT_WR)

    answering = threading.Thread(target=answer)
    answering.start()
    with pytest.raises((EvaluatorLostError, LookupError, ValueError, TypeError, OverflowError)):
        made(run)
    answering.join()
    real.close()
    theirs.close()
    assert not Path(f"/proc/{pid}").exists()
    assert made(run).outcome == "failed"


def test_one_that_is_killed_while_it_starts_costs_an_attempt_only(made: Evaluators, run: RunRecord) -> None:
    made.start_ahead(1)
    os.kill(only_evaluator(), signal.SIGKILL)
    with pytest.raises(SandboxError, match="does not start: its process ended by signal 9"):
        made(run)
    assert made(run).outcome == "failed" and not made.missing()


def test_one_that_stands_still_while_it_starts_is_ended(
    made: Evaluators, run: RunRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "START_SECONDS", 2.0)
    made.start_ahead(1)
    os.kill(only_evaluator(), signal.SIGSTOP)
    with pytest.raises(SandboxError, match="did not start within 2 s"):
        made(run)
    monkeypatch.undo()
    assert made(run).outcome == "failed"
