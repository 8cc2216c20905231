"""Logging outlives the stream that stderr was when it was set up."""

import io
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
