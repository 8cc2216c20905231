"""The service's log: one line an event on stderr, beginning with `action=`.

Tracebacks are plain text without local variables: those may hold tokens and submissions.
"""

import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog


def configure() -> None:
    """Configure the whole process: text for people on a terminal, JSON lines otherwise."""
    people = sys.stderr.isatty()
    last = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback) if people else _JSON
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *([] if people else [structlog.processors.format_exc_info]),
            last,
        ],
        # Looked up for each line: a worker must not die of a stream that its process has replaced and closed.
        logger_factory=lambda *_: structlog.PrintLogger(cast("TextIO", _Lossy(sys.stderr))),
        cache_logger_on_first_use=False,
    )


class _Lossy:
    """A stream that never raises: a line is lost if the disk is full, the reader is gone, or a plugin made it non-blocking."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()


_JSON = structlog.processors.JSONRenderer()
