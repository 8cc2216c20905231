"""A conversation with a driver in a box: JSON questions, each with a nonce that the answer must repeat."""

import json
import secrets
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from graders.boxed.shared.encoding import EncodingError
from graders.drivers import Driver
from graders.interface import Behaviour, Command, Conversation, Execution, Limits, Observation, Session
from graders.suites.values.messages import read


class DriverClient:
    """A driver in a box and what it said last."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._nonce = secrets.token_hex(8)
        self._count = 0
        self.broke = ""
        """Why the last answer was no answer, where the program did answer."""
        self.seconds = 0.0
        """Wall time from the last question, or from the answer before, to the last answer. Measured here, not in the box."""

    def ask(self, question: Mapping[str, object], *, seconds: float) -> dict[str, Any] | None:
        """The answer, or None where there will be none: the program ended, was too slow, or said something else."""
        return next(self.ask_each([(question, seconds)]), None)

    def ask_each(self, questions: Iterable[tuple[Mapping[str, object], float]]) -> Iterator[dict[str, Any]]:
        """The answers in order, up to where `ask` would return None. Further questions are sent before one is answered."""
        nonces: deque[str] = deque()

        def messages() -> Iterator[tuple[bytes, float]]:
            for question, seconds in questions:
                self._count += 1
                nonces.append(f"{self._nonce}-{self._count}")
                yield json.dumps({"nonce": nonces[-1], **question}, separators=(",", ":")).encode("ascii"), seconds

        before = time.monotonic()
        for reply in self._conversation.ask_each(messages()):
            now = time.monotonic()
            self.seconds, before = now - before, now
            answer = self._read(reply, nonces.popleft())
            if answer is None:
                return
            yield answer

    def _read(self, reply: bytes, nonce: str) -> dict[str, Any] | None:
        try:
            answer = read(reply)
        except EncodingError as error:
            self.broke = str(error)
            return None
        if not isinstance(answer, dict) or answer.get("nonce") != nonce:
            self.broke = "an answer without the question's nonce"
            return None
        return answer

    def refuse(self, why: str) -> None:
        """Its program broke the protocol elsewhere, on the line to another: have that among its evidence."""
        self.broke = self.broke or why

    def finish(self) -> Execution:
        """How the program ended; an answer that was none is among its evidence."""
        execution = self._conversation.finish()
        if not self.broke:
            return execution
        broke = Observation(behaviour=Behaviour.CHANNEL, detail=ascii(self.broke)[1:-1][:200], refused=True)
        return replace(execution, evidence=(*execution.evidence, broke))


@contextmanager
def open_driver(
    session: Session, driver: Driver, arguments: tuple[str, ...], files: Mapping[str, str | bytes], limits: Limits
) -> Iterator[DriverClient]:
    """Start a driver in a box with these files (path in the working directory -> text)."""
    with session.converse(driver.command(*arguments, files=_content(files), limits=limits)) as conversation:
        yield DriverClient(conversation)


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxedProgram:
    """One of two programs with a line between them."""

    driver: Driver
    arguments: tuple[str, ...]
    files: Mapping[str, str | bytes]
    """Path in the working directory -> content."""
    limits: Limits

    def command(self) -> Command:
        return self.driver.command(*self.arguments, files=_content(self.files), limits=self.limits)


@contextmanager
def open_pair(
    session: Session, examiner: BoxedProgram, candidate: BoxedProgram
) -> Iterator[tuple[DriverClient, DriverClient]]:
    """Start two drivers, each in a box of its own, with a line between them."""
    with session.pair(examiner.command(), candidate.command()) as (one, other):
        yield DriverClient(one), DriverClient(other)


def _content(files: Mapping[str, str | bytes]) -> dict[str, bytes]:
    return {
        path: content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
        for path, content in files.items()
    }
