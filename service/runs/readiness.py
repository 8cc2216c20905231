"""Whether the service can do its work right now: the answer of `/readyz`.

Each check runs in a thread of its own and is waited for only until a deadline. One that hangs is reported as hanging, does not
run again until it has answered, and delays neither the other checks nor the caller.
"""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future

from graders.plugins.fence import told

PATIENCE_SECONDS = 2.0
"""How long an answer is waited for. A healthy one takes milliseconds."""
FRESH_SECONDS = 1.0
"""Seconds that the answer of a costly check counts, however often `/readyz` is polled."""


class Check:
    """One thing that the service needs. Thread-safe."""

    def __init__(self, name: str, ask: Callable[[], Sequence[str]], *, fresh_seconds: float = FRESH_SECONDS) -> None:
        """Make a check. `ask` returns what is missing, in words for an operator; `name` is its subject: `the database`."""
        self._name = name
        self._ask = ask
        self._fresh_seconds = fresh_seconds
        self._lock = threading.Lock()
        self._asked: Future[Sequence[str]] | None = None
        self._asked_at = 0.0

    def begin(self) -> "Future[Sequence[str]]":
        """Return the answer that is fresh or under way, or begin a new one."""
        with self._lock:
            now = time.monotonic()
            if self._asked is not None and (not self._asked.done() or now - self._asked_at < self._fresh_seconds):
                return self._asked
            self._asked, self._asked_at = Future(), now
            threading.Thread(target=self._answer, args=(self._asked,), name="readiness", daemon=True).start()
            return self._asked

    def says(self, answer: "Future[Sequence[str]]", seconds: float) -> Sequence[str]:
        """Return what is missing, or that the check did not answer in time."""
        try:
            return answer.result(seconds)
        except TimeoutError:
            return (f"{self._name} did not answer within {PATIENCE_SECONDS:g} s",)

    def _answer(self, asked: "Future[Sequence[str]]") -> None:
        try:
            asked.set_result(self._ask())
        except Exception as error:  # noqa: BLE001 - any error means that the service lacks it
            asked.set_result((f"{self._name} failed: {told(error)}",))


class Readiness:
    """All checks. Thread-safe."""

    def __init__(self, checks: Sequence[Check]) -> None:
        self._checks = tuple(checks)

    def missing(self) -> list[str]:
        """Return what is missing, in words for an operator; empty if nothing is. Takes PATIENCE_SECONDS at most."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        answers = [(check, check.begin()) for check in self._checks]
        return [line for check, answer in answers for line in check.says(answer, max(0.0, deadline - time.monotonic()))]
