"""Runs the analyzers on each Python file of a submission, in a box.

The analyzers are libraries that read hostile source, so they never run in a process of the service. A box gets our
driver and no file of the submission; the files are sent as messages, one question each
(graders/boxed/analysis/driver.py), and all analyzers answer each question, so that a submission needs one box. The
answers are as untrusted as the source: the readers below take a value of the right type or raise Abstain.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from graders.boxed.shared.encoding import EncodingError
from graders.drivers import ANALYSIS
from graders.interface import SOURCE_CAP_BYTES, Abstain, Context, Conversation, End, Limits
from graders.suites.kinds import KINDS
from graders.suites.values.messages import read, text_of, texts_of
from sandboxes.interface import SandboxError

LIMITS = Limits(wall_seconds=180, cpu_seconds=90, memory_mib=1024, processes=8, disk_mib=16, output_kib=256)
"""Limits for all files of a submission; the driver has tighter ones for each file."""
START_SECONDS = 30.0
"""Seconds for the interpreter and the tools' imports, on a busy machine."""
ANSWER_SECONDS = 35.0
"""Seconds for one file. The driver itself gives up after 10 for each of the three analyzers."""
TEXT_CHARACTERS = 500
"""Characters of a text in an answer."""
SHOWN_CAP = 100_000
"""Characters of a prompt, or of a visible file, that are sent to the analyzers."""
_MALFORMED = "the analyzer's answer could not be read"


@dataclass(frozen=True, slots=True)
class Skipped:
    """The analyzer did not look at a file."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Analysis:
    """The answers of a box about a submission."""

    tools: object
    """Names and versions of the analyzers, unchecked, so of any type."""
    answers: Mapping[str, "Answer | Skipped"]
    """Path -> the answer, with a key for each analyzer, or why there is none."""


Answer = Mapping[str, object]
Look = TypeVar("Look")


def analyze_files(context: Context, tool: str, read: Callable[[Answer], Look]) -> Iterator[tuple[str, Look | Skipped]]:
    """Yield the path of each `.py` file of the submission with the analyzer's findings, or why it did not look.

    `tool` is the required name and version (`bandit-1.9.4`). `read` parses the findings and raises Abstain if they are
    malformed. Raises Abstain if the submission has no `.py` file, and SandboxError if the image lacks the tool: that is
    our failure, because the tools are named before any file of the submission is in the box.
    """
    analysis = context.once("analysis", lambda: _analyse(context))
    if not isinstance(analysis.tools, list) or tool not in analysis.tools:
        raise SandboxError(f"the box image has {analysis.tools}, this grader needs {tool}: build the image again")
    name = tool.partition("-")[0]
    for path, answer in analysis.answers.items():
        yield path, answer if isinstance(answer, Skipped) else _look(answer, name, read)


def _look(answer: Answer, name: str, read: Callable[[Answer], Look]) -> Look | Skipped:
    try:
        own = object_in(answer.get(name))
        return Skipped(text_in(own, "cannot")) if "cannot" in own else read(object_in(own.get("found")))
    except Abstain:
        return Skipped(_MALFORMED)


def _analyse(context: Context) -> _Analysis:
    sources = dict(context.texts(".py"))
    if not sources:
        raise Abstain("the submission has no .py file")
    task = _about(context)
    with context.session.converse(ANALYSIS.command(files={}, limits=LIMITS)) as conversation:
        return _Analysis(
            tools=_greet(conversation),
            answers={path: _unfit(source) or _ask(conversation, source, task) for path, source in sources.items()},
        )


def _about(context: Context) -> dict[str, object]:
    """Return what the author of the code was shown, and the names of its modules. No hidden file enters the box."""
    task = context.task
    return {
        "prompt": _text(task.prompt),
        "visible": {_text(path): _text(text) for path, text in task.visible.items()},
        "modules": sorted({_text(path.partition("/")[0].removesuffix(".py")) for path in context.submission.files}),
        "is_program": bool(task.suites) and all(KINDS[suite.kind].runs_programs for suite in task.suites),
    }


def _text(text: str) -> str:
    return text[:SHOWN_CAP].encode("utf-8", "replace").decode("utf-8")


def _greet(conversation: Conversation) -> object:
    answer = conversation.ask(b"{}", seconds=START_SECONDS)
    if answer is None:
        raise SandboxError("the analyzers do not start in the box", execution=conversation.finish())
    try:
        return object_in(read(answer)).get("tools")
    except (EncodingError, Abstain) as error:
        raise SandboxError("the analyzers do not answer as they should", answer=answer[:200]) from error


def _unfit(source: str) -> Skipped | None:
    """Return why a file cannot be sent, or None."""
    try:
        size = len(source.encode("utf-8"))
    except UnicodeEncodeError:
        return Skipped("it is not valid Unicode (a lone surrogate)")
    if size > SOURCE_CAP_BYTES:
        return Skipped(f"it is larger than {SOURCE_CAP_BYTES // 1024} KiB")
    return None


def _ask(conversation: Conversation, source: str, task: Mapping[str, object]) -> Answer | Skipped:
    message = conversation.ask(json.dumps({"source": source, "task": task}).encode("ascii"), seconds=ANSWER_SECONDS)
    if message is None:
        # every later file gets None too: the conversation is over
        return Skipped(f"the analyzer's box ended: {_how(conversation)}")
    try:
        return object_in(read(message))
    except (EncodingError, Abstain):
        return Skipped(_MALFORMED)


def _how(conversation: Conversation) -> str:
    execution = conversation.finish()
    return f"exit code {execution.exit_code}" if execution.end is End.EXITED else execution.end.value


def object_in(value: object) -> Answer:
    """Return the value if it is a JSON object. Raises Abstain otherwise."""
    if not isinstance(value, dict):
        raise Abstain(_MALFORMED)
    return value


def text_in(answer: Answer, key: str) -> str:
    """Return a text of the answer, at most TEXT_CHARACTERS. Raises Abstain for anything else."""
    value = answer.get(key)
    if not isinstance(value, str):
        raise Abstain(_MALFORMED)
    return text_of(value, TEXT_CHARACTERS)


def number_in(answer: Answer, key: str) -> float:
    """Return a finite number of the answer, not negative. Raises Abstain for anything else."""
    value = answer.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value < 1e15:
        raise Abstain(_MALFORMED)
    return value


def texts_in(answer: Answer, key: str) -> tuple[str, ...]:
    """Return an array of texts of the answer, each cut as by `text_in`. Raises Abstain if it is not an array."""
    return texts_of(rows_in(answer, key), TEXT_CHARACTERS)


def rows_in(answer: Answer, key: str) -> list[object]:
    """Return an array of the answer. Raises Abstain for anything else."""
    value = answer.get(key)
    if not isinstance(value, list):
        raise Abstain(_MALFORMED)
    return value
