"""Logging outlives the stream that stderr was when it was set up."""

import io
import os
import sys

import pytest
import structlog

from service import logs


def test_a_line_goes_to_the_stderr_of_its_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", first)
    logs.configure()
    first.close()
    monkeypatch.setattr(sys, "stderr", second)
    structlog.get_logger().warning("attempt failed", action="evaluate")
    assert "attempt failed" in second.getvalue()


class Full(io.StringIO):
    """A stream on a full disk; of nobody who reads; that a plugin has made non-blocking; that is closed."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def write(self, text: str) -> int:
        raise self._error

    def flush(self) -> None:
        raise self._error


@pytest.mark.parametrize(
    "error",
    [OSError(28, "No space left on device"), BrokenPipeError(), BlockingIOError(11, "full", 0), ValueError("closed")],
)
def test_who_has_something_to_say_does_not_die_of_the_stream(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    """A worker, and the keeper that replaces workers, would."""
    monkeypatch.setattr(sys, "stderr", Full(error))
    logs.configure()
    structlog.get_logger().warning("attempt failed", action="evaluate")
    try:
        {}["nothing"]
    except KeyError:
        structlog.get_logger().exception("attempt failed", action="evaluate")


def test_what_could_not_be_written_is_lost_and_the_next_line_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with os.fdopen(reading, "rb") as reader, os.fdopen(writing, "w", buffering=1) as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        logs.configure()
        for _ in range(100):
            structlog.get_logger().warning("x" * 2000, action="flood")
        os.set_blocking(reading, False)
        while len(reader.read(65_536) or b"") == 65_536:
            pass
        structlog.get_logger().warning("the next", action="after")
        assert "the next" in (reader.read(65_536) or b"").decode().splitlines()[-1]
