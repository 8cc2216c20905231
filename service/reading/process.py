"""Reads bodies and packages, one at a time. Started by `service.reading.readers`; ends when its starter is gone."""

import json
import pickle
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

from graders.interface import Task
from graders.tasks import package
from graders.tasks.package import PackageError
from service.processes.wire import Wire, WireError, from_above
from service.reading.body import BodyError, parsed
from service.reading.task_summary import TaskSummary, summarize


def main() -> None:
    wire = Wire(socket.socket(fileno=int(sys.argv[1])))
    with suppress(WireError):
        while (message := wire.receive()) is not None:
            wire.send(pickle.dumps(_read(from_above(message))))


def _read(content: bytes | Mapping[str, str]) -> tuple[object, ...]:
    try:
        return "read", parsed(content) if isinstance(content, bytes) else _task(content)
    except BodyError as error:
        return "no body", error.kind, error.detail, error.expected
    except PackageError as error:
        return "no package", error.field, error.expected
    except json.JSONDecodeError as error:
        return "no JSON", error.msg, error.pos
    except (ValueError, RecursionError) as error:
        if not isinstance(content, bytes):
            raise
        return "no text", str(error)


def _task(files: Mapping[str, str]) -> tuple[Task, TaskSummary]:
    task = package.load(files)
    return replace(task, suites=(), reference={}, visible={}, prelude=""), summarize(task)


if __name__ == "__main__":
    main()
