"""The evaluators of a service: a process for each run that is under way, kept for the next one.

Evaluating is nowhere else, so nothing that a submission, a task or a plugin makes a grader do can stop the process that serves
HTTP and renews leases. What comes from an evaluator is JSON.

    EvaluatorLostError      its process died, or gave no sign of life and was ended
"""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog

from graders.interface import TaskUnusable
from sandboxes.interface import SandboxError
from service.evaluation import pipeline
from service.evaluation.findings_json import findings_from_json
from service.evaluation.start import Start
from service.processes.child import Child, how
from service.processes.wire import WireError, down, from_below, wait
from service.storage.interface import RunRecord, RunResult, StorageError

_log = structlog.get_logger()

START_SECONDS = 120.0
"""From its start to its first word, on a busy machine. It may find that the engine has to make the box image again."""
END_SECONDS = 12.0
"""How long an evaluator may take to remove its boxes when it is not needed any more."""
ANEW_SECONDS = 5.0
"""Seconds before the next attempt, if no evaluator could be started."""
FIRST_SECONDS = 300.0
"""Until the first sign of life of a run: the task is read and checked."""


class EvaluatorLostError(Exception):
    """The process died, or gave no sign of life and was ended. The message names the grader whose turn it was."""


class EvaluationFailedError(Exception):
    """Something of ours failed in the evaluator.

    Args:
        kind: the type of what was raised there.
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


class Evaluators:
    """`service.runs.worker.Evaluate`, in processes. Thread-safe: each thread that evaluates has one to itself for that time."""

    def __init__(self, start: Start, *, alive: Callable[[float], None], tidy: Callable[[], object]) -> None:
        """Make a pool without starting anything.

        Args:
            start: the first message to each evaluator.
            alive: called at each sign of life with the seconds for which the calling thread may be silent now.
            tidy: removes the boxes of processes that have died. May raise SandboxError.
        """
        self._start = start
        self._alive = alive
        self._tidy = tidy
        self._lock = threading.Lock()
        self._idle: list[_EvaluatorProcess] = []
        self._all: set[_EvaluatorProcess] = set()
        self._closed = False
        self._trouble = ""
        self._anew_at = 0.0

    def start_ahead(self, count: int) -> None:
        """Start this number of evaluators without waiting for them."""
        self._idle += [self._begin() for _ in range(count)]

    def __call__(self, run: RunRecord) -> RunResult:
        """Evaluate a run. Raises SandboxError, TaskUnusable, StorageError, EvaluationFailedError or EvaluatorLostError."""
        evaluator = self._take()
        try:
            answer = evaluator.evaluate(run, self._alive)
        except BaseException:
            self._end(evaluator, within=0)
            raise
        if answer.pop("worn", True):
            self._end(evaluator, within=END_SECONDS)
        else:
            with self._lock:
                self._idle.append(evaluator)
        return _findings(answer)

    def ungradable(self, diagnostics: Mapping[str, str]) -> RunResult:
        return pipeline.ungradable(diagnostics)

    def missing(self) -> Sequence[str]:
        """Return why the last start of an evaluator failed, for an operator; empty if it succeeded.

        Calling this retries the start now and then: a service that is not ready may not get a run that would do so.
        """
        if self._trouble and not self._closed and time.monotonic() > self._anew_at:
            with suppress(SandboxError):
                evaluator = self._take()
                with self._lock:
                    self._idle.append(evaluator)
            self._anew_at = time.monotonic() + ANEW_SECONDS
        return (self._trouble,) if self._trouble else ()

    def close(self) -> None:
        """End them all, also those that evaluate: what they do is delivered again."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
            busy = self._all - set(idle)
        for evaluator in busy:
            evaluator.kill()
        for evaluator in idle:
            evaluator.leave()
        for evaluator in idle:
            self._end(evaluator, within=END_SECONDS)

    def _take(self) -> "_EvaluatorProcess":
        while (evaluator := self._idle_one()) is not None and evaluator.died_idle:
            self._end(evaluator, within=0)
        if evaluator is None:
            evaluator = self._begin()
        try:
            evaluator.wait_until_ready()
        except EvaluatorLostError as error:
            self._trouble = str(error)
            self._end(evaluator, within=0)
            raise SandboxError(str(error)) from error
        except BaseException:
            self._end(evaluator, within=0)
            raise
        self._trouble = ""
        return evaluator

    def _idle_one(self) -> "_EvaluatorProcess | None":
        with self._lock:
            return self._idle.pop() if self._idle else None

    def _begin(self) -> "_EvaluatorProcess":
        try:
            evaluator = _EvaluatorProcess(self._start)
        except OSError as error:
            self._trouble = f"an evaluator cannot be started: {error}"
            raise SandboxError(self._trouble) from error
        with self._lock:
            closed = self._closed
            self._all.add(evaluator)
        if closed:  # The pool was closed after this start was requested, so nothing else would end the evaluator.
            self._end(evaluator, within=0)
            raise EvaluatorLostError("the evaluators are closed")
        return evaluator

    def _end(self, evaluator: "_EvaluatorProcess", *, within: float) -> None:
        evaluator.end(within=within)
        with self._lock:
            self._all.discard(evaluator)
        try:
            self._tidy()
        except SandboxError as error:
            _log.warning("boxes of an evaluator may be left", action="tidy", reason=str(error))


class _EvaluatorProcess:
    """One process (service/evaluation/process.py)."""

    def __init__(self, start: Start) -> None:
        self._child = Child("service.evaluation.process")
        self._started = time.monotonic()
        self._ready = False
        with suppress(WireError):  # it has ended already; who waits for it finds out how
            self._child.wire.send(down(start))

    def wait_until_ready(self) -> None:
        """Wait until the evaluator is ready. Raises EvaluatorLostError."""
        if self._ready:
            return
        try:
            left = self._started + START_SECONDS - time.monotonic()
            word = self._child.wire.receive(max(1.0, left))
        except WireError:
            raise EvaluatorLostError(f"an evaluator does not start: {how(self.end(within=1))}") from None
        if word is None:
            raise EvaluatorLostError(f"an evaluator did not start within {START_SECONDS:g} s")
        self._ready = True

    @property
    def died_idle(self) -> bool:
        """Return whether the idle evaluator has died. It sends nothing between two runs, so any input is its end."""
        return self._ready and bool(wait((self._child.wire,), 0))

    def evaluate(self, run: RunRecord, alive: Callable[[float], None]) -> dict[str, Any]:
        """Return its last message on this run. Raises EvaluatorLostError."""
        grader, silent = "", FIRST_SECONDS
        try:
            self._child.wire.send(down(run))
            while (message := self._child.wire.receive(silent)) is not None:
                word = from_below(message)
                if "silent" not in word:
                    return word
                grader, silent = word.get("grader", grader), float(word["silent"])
                alive(silent)
        except WireError:
            ended = how(self.end(within=1))
        else:
            ended = f"it gave no sign of life for {silent:g} s, and its process was ended"
        place = f"in the turn of {grader}" if grader else "before the turn of any grader"
        raise EvaluatorLostError(f"the evaluator was lost {place}: {ended}")

    def kill(self) -> None:
        self._child.kill()

    def leave(self) -> None:
        self._child.wire.close()

    def end(self, *, within: float) -> int:
        return self._child.end(within=within)


def _findings(answer: dict[str, Any]) -> RunResult:
    """Return the result in the answer. Raises the error that the answer describes."""
    kind = answer.pop("failed", "")
    if not kind:
        return findings_from_json(answer["findings"])
    message = answer["message"]
    if kind == "sandbox":
        raise SandboxError(message, **answer["details"])
    if kind == "task":
        raise TaskUnusable(message, suite=answer["suite"], case=answer["case"])
    if kind == "storage":
        raise StorageError(message)
    raise EvaluationFailedError(kind, message)
