"""A conversation with a driver in a box: JSON questions, each with a nonce that the answer must repeat."""

import json
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from graders.encoding import EncodingError, parse
from graders.interface import Behaviour, Command, Conversation, Evidence, Execution, Limits, Session

_HARNESS = Path(__file__).parent / "harness"


class Examinee:
    """A driver in a box and what it said last."""

    def __init__(self, conversation: Conversation) -> None:
        self._conversation = conversation
        self._nonce = secrets.token_hex(8)
        self._count = 0
        self.broke = ""
        """Why the last answer was no answer, where the program did answer."""
        self.seconds = 0.0
        """Wall time from the last question to its answer."""

    def ask(self, question: Mapping[str, object], *, seconds: float) -> dict[str, Any] | None:
        """The answer, or None where there will be none: the program ended, was too slow, or said something else."""
        self._count += 1
        nonce = f"{self._nonce}-{self._count}"
        message = json.dumps({"nonce": nonce, **question}, separators=(",", ":")).encode("ascii")
        before = time.monotonic()
        reply = self._conversation.ask(message, seconds=seconds)
        self.seconds = time.monotonic() - before
        if reply is None:
            return None
        try:
            answer = parse(reply)
        except EncodingError as error:
            self.broke = str(error)
            return None
        if not isinstance(answer, dict) or answer.get("nonce") != nonce:
            self.broke = "an answer without the question's nonce"
            return None
        return answer

    def finish(self) -> Execution:
        """How the program ended; an answer that was none is among its evidence."""
        execution = self._conversation.finish()
        if not self.broke:
            return execution
        broke = Evidence(behaviour=Behaviour.CHANNEL, detail=self.broke[:200], refused=True)
        return replace(execution, evidence=(*execution.evidence, broke))


@contextmanager
def examine(
    session: Session, driver: str, arguments: tuple[str, ...], files: Mapping[str, str], limits: Limits
) -> Iterator[Examinee]:
    """Start `graders/harness/<driver>` in a box with these files (path in the working directory -> text)."""
    harness = {
        f"harness/{driver}": (_HARNESS / driver).read_bytes(),
        "harness/encoding.py": (_HARNESS.parent / "encoding.py").read_bytes(),
    }
    texts = {path: text.encode("utf-8", "surrogatepass") for path, text in files.items()}
    command = Command(
        argv=("python3", "-I", f"harness/{driver}", *arguments), files={**texts, **harness}, limits=limits
    )
    with session.converse(command) as conversation:
        yield Examinee(conversation)
