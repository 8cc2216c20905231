"""An evaluator: the process that evaluates runs, one at a time. Started by `service.evaluation.pool`.

It holds the boxes, the built-in graders and the task cache. Plugins run in processes of their own (service/plugins/grader.py).
The starter sends a run; the evaluator answers with signs of life and finally the findings. When its starter is gone for any
reason, the evaluator removes its boxes and ends.
"""

import os
import queue
import resource
import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from graders.interface import Command, Conversation, Execution, Session, TaskUnusable, Tier
from graders.plugins.fence import text_of
from graders.plugins.registry import Registry, own_entry_points
from sandboxes.interface import Sandbox, SandboxError
from sandboxes.tiers import Tiers
from service import logs
from service.evaluation.findings_json import findings_to_json
from service.evaluation.run_evaluator import RunEvaluator
from service.evaluation.start import Start
from service.host import preparation
from service.plugins.grader import BOX_TIMES, IsolatedPlugins
from service.processes.child import limit_memory
from service.processes.wire import Wire, WireError, from_above, up
from service.storage.database import Database
from service.storage.interface import RunRecord, StorageError
from service.storage.storage import Storage

HOST_SECONDS = 300.0
"""How long an evaluator may work by itself without a sign of life; while a box runs, that much more than the box has."""
MESSAGE_CHARACTERS = 4000
"""Most characters of an error in a run's diagnostics."""
LEAVING_SECONDS = 10.0
"""After its starter has gone."""


def main() -> None:
    """Take runs until the starter is gone."""
    wire = Wire(socket.socket(fileno=int(sys.argv[1])))
    start: Start = from_above(wire.receive() or b"")
    logs.configure()
    tiers = preparation.reopen(start.tiers, base_image=start.base_image)
    plugins = IsolatedPlugins(Registry.discover(_criteria(start), own_entry_points()), start.plugins, start.limits)
    with closing(Storage.on(Database(start.storage_url))) as storage:
        life = _Life(wire, HOST_SECONDS + (BOX_TIMES + 2) * start.limits.seconds)
        evaluation = RunEvaluator(
            storage=storage,
            registry=plugins,
            rubrics=start.rubrics,
            tiers=_WatchedTiers(tiers, life),
            began=life.began,
        )
        limit_memory(start.limits.memory_mib << 20)
        runs: queue.SimpleQueue[RunRecord] = queue.SimpleQueue()
        threading.Thread(target=_read, args=(wire, runs, tiers), name="starter", daemon=True).start()
        wire.send(up({"ready": True}))
        while True:
            answer = _answer(evaluation, runs.get())
            wire.send(up({**answer, "worn": _bytes_used() > start.limits.memory_mib << 19}))


def _criteria(start: Start) -> set[str]:
    return {criterion.id for rubric in start.rubrics.values() for criterion in rubric.criteria}


def _read(wire: Wire, runs: "queue.SimpleQueue[RunRecord]", tiers: Tiers) -> None:
    """Pass on the starter's messages. When the connection ends, end the process: its current run no longer has an owner."""
    try:
        while True:
            message = wire.receive()
            assert message is not None
            runs.put(from_above(message))
    except WireError:
        forced = threading.Timer(LEAVING_SECONDS, os._exit, (1,))
        forced.daemon = True
        forced.start()
        preparation.leave(tiers)
    except BaseException:  # noqa: BLE001 - any error here is the end of this process
        traceback.print_exc()
    finally:
        os._exit(0)


def _answer(evaluation: RunEvaluator, run: RunRecord) -> dict[str, Any]:
    """Return the findings, or our failure, as a JSON object."""
    try:
        return {"findings": findings_to_json(evaluation(run))}
    except SandboxError as error:
        return {"failed": "sandbox", **_texts(error.diagnostics())}
    except TaskUnusable as error:
        return {"failed": "task", "message": str(error), "suite": error.suite, "case": error.case}
    except StorageError as error:
        return {"failed": "storage", "message": str(error)}
    except BaseException as error:  # noqa: BLE001 - the starter receives every error
        return {"failed": type(error).__name__, "message": text_of(error, MESSAGE_CHARACTERS)}


def _texts(diagnostics: dict[str, str]) -> dict[str, Any]:
    message = diagnostics.pop("message")
    return {"message": message, "details": diagnostics}


def _bytes_used() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


class _Life:
    """Sends signs of life to the starter, which ends an evaluator that is silent for longer than it announced."""

    def __init__(self, wire: Wire, seconds: float) -> None:
        self._wire = wire
        self._seconds = seconds

    def began(self, grader: str) -> None:
        self._wire.send(up({"grader": grader, "silent": self._seconds}))

    @contextmanager
    def in_a_box(self, *commands: Command) -> Iterator[None]:
        seconds = 2 * sum(command.limits.wall_seconds for command in commands)
        self._wire.send(up({"silent": seconds + self._seconds}))
        try:
            yield
        finally:
            self._wire.send(up({"silent": self._seconds}))


class _WatchedTiers:
    def __init__(self, tiers: Tiers, life: _Life) -> None:
        self._tiers = tiers
        self._life = life

    def at_least(self, tier: Tier) -> Sandbox:
        return _Watched(self._tiers.at_least(tier), self._life)


class _Watched:
    """A sandbox of which each box is a sign of life."""

    def __init__(self, sandbox: Sandbox, life: _Life) -> None:
        self._sandbox = sandbox
        self._life = life

    @property
    def name(self) -> str:
        return self._sandbox.name

    @contextmanager
    def session(self) -> Iterator[Session]:
        with self._sandbox.session() as session:
            yield _WatchedSession(session, self._life)


class _WatchedSession:
    def __init__(self, session: Session, life: _Life) -> None:
        self._session = session
        self._life = life

    def run(self, command: Command) -> Execution:
        with self._life.in_a_box(command):
            return self._session.run(command)

    @contextmanager
    def converse(self, command: Command) -> Iterator[Conversation]:
        with self._life.in_a_box(command), self._session.converse(command) as conversation:
            yield conversation

    @contextmanager
    def pair(self, first: Command, second: Command) -> Iterator[tuple[Conversation, Conversation]]:
        with self._life.in_a_box(first, second), self._session.pair(first, second) as both:
            yield both


if __name__ == "__main__":
    main()
