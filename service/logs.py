"""What the service writes about itself: one line an event on stderr, `action=` first among its words.

Tracebacks are plain text without local variables: those may hold tokens and submissions.
"""

import sys

import structlog


def configure() -> None:
    """For the whole process. Text for people on a terminal, JSON lines otherwise."""
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
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


_JSON = structlog.processors.JSONRenderer()
