"""Asking an analyzer about each Python file of a submission, in a box.

The analyzers are libraries that read hostile source, so they never run in a process of the service. A box gets our
driver as its only files; the submission's files come as messages, one question each (graders/harness/file_analysis.py).
What comes back is as untrusted as the source was: the readers below take a value of the right type or raise Abstain.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import TypeVar

from graders.encoding import EncodingError, parse
from graders.interface import SOURCE_CAP_BYTES, Abstain, Command, Context, Conversation, End, Limits
from sandboxes.interface import SandboxError

LIMITS = Limits(wall_seconds=90, cpu_seconds=40, memory_mib=1024, processes=8, disk_mib=16, output_kib=256)
"""For all files of a submission; the driver has tighter ones for each."""
START_SECONDS = 30.0
"""The interpreter and the tool's imports, on a busy machine."""
ANSWER_SECONDS = 15.0
"""The driver itself gives up on a file after 10."""
_MALFORMED = "the analyzer's answer could not be read"


@dataclass(frozen=True, slots=True)
class NotLooked:
    """The analyzer did not look at a file."""

    reason: str


Answer = Mapping[str, object]
Look = TypeVar("Look")


def ask_about_files(
    context: Context, driver: str, tool: str, read: Callable[[Answer], Look]
) -> Iterator[tuple[str, Look | NotLooked]]:
    """For each `.py` file of the submission its path and what the analyzer found, or why it did not look.

    `driver` is a module of graders/harness, `tool` the name and version that it must answer with, `read` takes what was
    found apart and raises Abstain where that is malformed. Raises Abstain where there is nothing to look at, and
    SandboxError where the image lacks the tool: our failure, nothing of the submission is in the box by then.
    """
    sources = dict(context.texts(".py"))
    if not sources:
        raise Abstain("the submission has no .py file")
    with context.session.converse(_command(driver)) as conversation:
        _greet(conversation, driver, tool)
        for path, source in sources.items():
            unfit = _unfit(source)
            yield path, unfit if unfit is not None else _ask(conversation, source, read)


def _command(driver: str) -> Command:
    names = ("file_analysis.py", f"{driver}.py")
    harness = files("graders").joinpath("harness")
    # -I keeps the working directory off the path; it is put there again because it holds nothing but these files.
    start = f"import os, sys; sys.path.insert(0, os.getcwd()); from graders.harness.{driver} import main; main()"
    return Command(
        argv=("python3", "-I", "-c", start),
        files={f"graders/harness/{name}": harness.joinpath(name).read_bytes() for name in names},
        limits=LIMITS,
    )


def _greet(conversation: Conversation, driver: str, tool: str) -> None:
    answer = conversation.ask(b"{}", seconds=START_SECONDS)
    if answer is None:
        raise SandboxError(f"the analyzer {driver} does not start in the box", execution=conversation.finish())
    try:
        found = object_in(parse(answer)).get("tool")
    except (EncodingError, Abstain) as error:
        raise SandboxError(f"the analyzer {driver} does not answer as it should", answer=answer[:200]) from error
    if found != tool:
        raise SandboxError(f"the box image has {found}, this grader needs {tool}: build the image again")


def _unfit(source: str) -> NotLooked | None:
    """Why a file is not even sent, if so."""
    try:
        size = len(source.encode("utf-8"))
    except UnicodeEncodeError:
        return NotLooked("it is not valid Unicode (a lone surrogate)")
    if size > SOURCE_CAP_BYTES:
        return NotLooked(f"it is larger than {SOURCE_CAP_BYTES // 1024} KiB")
    return None


def _ask(conversation: Conversation, source: str, read: Callable[[Answer], Look]) -> Look | NotLooked:
    message = conversation.ask(json.dumps({"source": source}).encode("ascii"), seconds=ANSWER_SECONDS)
    if message is None:
        # and None for every file after it: a conversation that is over stays so
        return NotLooked(f"the analyzer's box ended: {_how(conversation)}")
    try:
        answer = object_in(parse(message))
        return NotLooked(text_in(answer, "cannot")) if "cannot" in answer else read(object_in(answer.get("found")))
    except (EncodingError, Abstain):
        return NotLooked(_MALFORMED)


def _how(conversation: Conversation) -> str:
    execution = conversation.finish()
    return f"exit code {execution.exit_code}" if execution.end is End.EXITED else execution.end.value


def object_in(value: object) -> Answer:
    """The value itself if it is a JSON object. Raises Abstain otherwise."""
    if not isinstance(value, dict):
        raise Abstain(_MALFORMED)
    return value


def text_in(answer: Answer, key: str) -> str:
    """A text of the answer, at most 500 characters. Raises Abstain for anything else."""
    value = answer.get(key)
    if not isinstance(value, str):
        raise Abstain(_MALFORMED)
    return value[:500]


def number_in(answer: Answer, key: str) -> float:
    """A finite number of the answer, not negative. Raises Abstain for anything else."""
    value = answer.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e15:
        raise Abstain(_MALFORMED)
    return value


def rows_in(answer: Answer, key: str) -> list[object]:
    """An array of the answer. Raises Abstain for anything else."""
    value = answer.get(key)
    if not isinstance(value, list):
        raise Abstain(_MALFORMED)
    return value
