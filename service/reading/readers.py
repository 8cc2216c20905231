"""Reading what takes long, bodies and packages, in processes of their own.

A parser keeps the interpreter's lock for as long as it likes, so that a thread beside the event loop would stop it: for 0.1 s
with a body of 32 MiB, and several times that on a busy machine.

    ReaderLostError         the process died, twice
"""

import atexit
import io
import json
import pickle
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import date, datetime, time, timedelta, timezone
from typing import Any

from graders.interface import Limits, Task, Tier
from graders.tasks.package import PackageError
from service.processes.child import Child, how
from service.processes.wire import WireError, down
from service.reading.body import BodyError
from service.reading.task_summary import SuiteSummary, TaskSummary

READ_SECONDS = 120.0
"""More than anything takes that is let in, on a busy machine."""
END_SECONDS = 2.0
_KINDS = {
    (kind.__module__, kind.__qualname__): kind
    for kind in (Task, Limits, Tier, TaskSummary, SuiteSummary, datetime, date, time, timedelta, timezone)
}
"""Besides numbers, texts, lists and objects; options of graders may hold times."""


class ReaderLostError(Exception):
    """The process died with what it was to read, and so did the next one."""


class Reader:
    """A process (service/reading/process.py) that reads one thing after the other. Starts when it is first needed, and again when it died."""

    def __init__(self, name: str) -> None:
        self._thread = ThreadPoolExecutor(1, name)
        self._child: Child | None = None
        atexit.register(self.close)

    def body(self, body: bytes) -> "Future[Any]":
        """Return the future JSON value. It raises BodyError, or ValueError if the body is not JSON in UTF-8."""
        return self._thread.submit(self._read, body)

    def package(self, files: Mapping[str, str]) -> "Future[tuple[Task, TaskSummary]]":
        """Return the future task, without suites and other files, and its summary. It raises PackageError."""
        return self._thread.submit(self._read, dict(files))

    def close(self) -> None:
        """End the process, when it has read what it was asked to."""
        self._thread.shutdown()
        if self._child is not None:
            self._child.end(within=END_SECONDS)
            self._child = None

    def _read(self, content: bytes | Mapping[str, str]) -> Any:
        message = down(content)
        try:
            answer = self._answered(message)
        except ReaderLostError:
            answer = self._answered(message)
        match answer:
            case ("read", value):
                return value
            case ("no body", kind, detail, expected):
                raise BodyError(kind, detail, expected)
            case ("no JSON", text, position):
                raise json.JSONDecodeError(text, "", position)
            case ("no package", field, expected):
                raise PackageError(field, expected)
        raise ValueError(answer[1])

    def _answered(self, message: bytes) -> Any:
        if self._child is None:
            self._child = Child("service.reading.process")
        try:
            self._child.wire.send(message)
            answer = self._child.wire.receive(READ_SECONDS)
        except WireError:
            answer = None
        if answer is None:
            child, self._child = self._child, None
            raise ReaderLostError(f"what reads was lost: {how(child.end(within=0))}")
        return _Plain(io.BytesIO(answer)).load()


BODIES, PACKAGES, STORED = Reader("bodies"), Reader("packages"), Reader("stored")
"""Readers of this process. A package may take seconds: new ones delay neither bodies nor stored packages."""


class _Plain(pickle.Unpickler):
    """Takes plain values and what describes a task, and runs nothing: the other process reads what strangers wrote."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return _KINDS[module, name]
        except KeyError:
            raise WireError(f"it sent a {module}.{name}") from None
