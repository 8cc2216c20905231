"""Runs inside the box: runs an analyzer on the source of one file, in a fork with limits.

The source is data and stays data: it is parsed and never executed, and no file of the submission exists in the box, so
none can be imported in the place of a library (a submission may contain an `ast.py`).

Each analysis is in its own forked child, because a MemoryError, a segmentation fault or an endless loop on one file
must not cost the other files, or the other analyzers, their answer. Limits of the child, tried on hostile source:
docs/explanation/analyzers.md. Standard library only.
"""

import ast
import codecs
import io
import json
import os
import re
import resource
import select
import signal
import sys
import time
import tokenize
import warnings
from collections.abc import Callable
from typing import Any

MEMORY_BYTES = 768 << 20
"""bandit took 2.2 GB for a long literal; ordinary code takes less than a tenth of this limit."""
STACK_BYTES = 64 << 20
CPU_SECONDS = 5
WALL_SECONDS = 10.0
RECURSION_LIMIT = 20_000
"""Enough for every file that Python itself compiles. A higher one ends in a segmentation fault instead of an error."""
ANSWER_CAP_BYTES = 1 << 20

Analyze = Callable[[bytes], dict[str, Any]]
"""Takes the bytes of a file and returns its findings; raises UnreadableError for a file that it cannot analyze."""


class UnreadableError(Exception):
    """The file cannot be analyzed; the argument is the reason, in words."""


def check_source(source: bytes) -> None:
    """Raise UnreadableError for source that Python would not run, or would read differently than a reviewer does."""
    try:
        # A lone \r ends a line for the compiler, not for detect_encoding: a cookie could hide behind it.
        encoding, _ = tokenize.detect_encoding(io.BytesIO(re.sub(rb"\r\n?", b"\n", source)).readline)
    except SyntaxError as error:
        raise UnreadableError(f"its encoding is not UTF-8: {error}") from error
    if codecs.lookup(encoding).name not in ("utf-8", "utf-8-sig", "ascii"):
        raise UnreadableError(f"it declares the encoding {encoding}; only UTF-8 is read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, "submission", "exec", dont_inherit=True)
    except SyntaxError as error:
        place = f" (line {error.lineno})" if error.lineno else ""
        raise UnreadableError(f"it does not compile: {error.msg}{place}") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise UnreadableError(f"it does not compile: {type(error).__name__}: {error}") from error


def parse(source: bytes) -> ast.Module:
    """Return the syntax tree, without the warnings of the parser."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(source)


def code_lines(tree: ast.AST) -> int:
    """Return the number of lines on which a statement or expression begins: blank lines and comments do not count."""
    return len({node.lineno for node in ast.walk(tree) if hasattr(node, "lineno")})


def answer_for(analyze: Analyze, source: bytes) -> dict[str, Any]:
    """Analyze a file in this process. A failure becomes a reason: a crash must not read as "nothing found"."""
    try:
        check_source(source)
        sys.setrecursionlimit(RECURSION_LIMIT)
        return {"found": analyze(source)}
    except UnreadableError as error:
        return {"cannot": str(error)}
    except Exception as error:
        return {"cannot": f"the analyzer failed on it: {type(error).__name__}: {error}"[:500]}


def answer_in_fork(analyze: Analyze, source: bytes) -> dict[str, Any]:
    """Analyze a file in a child with limits, and wait for it at most WALL_SECONDS.

    Return {"found": the result of `analyze`} or {"cannot": "a reason in words"}.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        _be_child(analyze, source, writer)
    os.close(writer)
    data, in_time = _read_all(reader, time.monotonic() + WALL_SECONDS)
    os.close(reader)
    if not in_time:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    if not in_time:
        return {"cannot": f"the analyzer did not finish within {WALL_SECONDS:.0f} s"}
    if os.WIFSIGNALED(status):
        return {"cannot": _ending(os.WTERMSIG(status))}
    if len(data) > ANSWER_CAP_BYTES or not data:
        return {"cannot": "the analyzer gave no usable answer"}
    answer: dict[str, Any] = json.loads(data)
    return answer


def _ending(number: int) -> str:
    if number == signal.SIGXCPU:
        return f"the analyzer used more than {CPU_SECONDS} s of CPU time"
    return f"the analyzer was ended by signal {number}"


def _be_child(analyze: Analyze, source: bytes, writer: int) -> None:
    """Never returns."""
    try:
        for name, value in (
            (resource.RLIMIT_AS, MEMORY_BYTES),
            (resource.RLIMIT_STACK, STACK_BYTES),
            (resource.RLIMIT_CPU, CPU_SECONDS),
        ):
            _, hard = resource.getrlimit(name)
            resource.setrlimit(name, (value if hard == resource.RLIM_INFINITY else min(value, hard), hard))
        data = json.dumps(answer_for(analyze, source)).encode("ascii")
        with os.fdopen(writer, "wb") as file:
            file.write(data)
    finally:
        os._exit(0)


def _read_all(fd: int, deadline: float) -> tuple[bytes, bool]:
    """Return all bytes until the writer closes, and whether it did so before the deadline."""
    parts = []
    size = 0
    while size <= ANSWER_CAP_BYTES:
        ready, _, _ = select.select([fd], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            return b"", False
        part = os.read(fd, 1 << 16)
        if not part:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts), True
