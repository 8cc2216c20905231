"""From a submission's files to what each case runs: compiled once, in a box, with limits of its own.

A language that is compiled differs in nothing but the box's question: what comes out is the files that each case's box
starts with, and the command that runs them. What was compiled is as untrusted as the source: it only ever goes into the
submission's own boxes.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from graders.drivers import STDIO
from graders.interface import Execution, Limits, Session
from graders.suites.driver_client import DriverClient
from graders.suites.values.leaves import bytes_at
from graders.suites.values.messages import text_of

BUILD_SECONDS = 20.0
"""Wall and CPU time. Some sources take for ever to compile, or all memory there is."""
BUILD_MIB = 16
"""Disk that the compiler has at least: any submission and its byte code fit, and any memory limit allows it."""

_TAG = re.compile(r"[a-z]+-[0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """The result of compiling."""

    argv: tuple[str, ...]
    """The program's command line."""
    files: Mapping[str, bytes]
    """The files of its box at the start: path -> content."""
    execution: Execution
    """How the compiler's box ended."""
    problem: str = ""
    """The compiler's error, which is untrusted; empty if there is a program to run."""


def build_python(session: Session, files: Mapping[str, str], entry_file: str, limits: Limits) -> Build:
    """Compile each file. The result is a problem if the entry file fails. Of `limits`, memory and processes count."""
    sources = {path: text.encode("utf-8", "surrogatepass") for path, text in files.items()}
    paths = [entry_file, *sorted(path for path in files if path.endswith(".py") and path != entry_file)]
    disk_mib = max(limits.disk_mib, BUILD_MIB)
    own = replace(limits, wall_seconds=BUILD_SECONDS, cpu_seconds=BUILD_SECONDS, disk_mib=disk_mib)
    with session.converse(STDIO.command("build", files=sources, limits=own)) as conversation:
        compiler = DriverClient(conversation)
        answer = compiler.ask({"files": paths}, seconds=BUILD_SECONDS)
        execution = compiler.finish()
    # As a module, because that is how the interpreter looks for byte code before it compiles.
    argv = ("python3", "-m", PurePosixPath(entry_file).stem)
    if answer is None:
        problem = f"it cannot be compiled: the compiler ended ({execution.end}) {compiler.broke}".rstrip()
        return Build(argv=argv, files=sources, execution=execution, problem=problem)
    if problem := text_of(answer.get("problem")).strip():
        return Build(argv=argv, files=sources, execution=execution, problem=problem)
    compiled = sources | _byte_code(paths, answer)
    # Byte code counts as disk of the program. If it would take most of that, Python compiles again in each box.
    fits = sum(map(len, compiled.values())) < limits.disk_mib << 19
    return Build(argv=argv, files=compiled if fits else sources, execution=execution)


def _byte_code(paths: list[str], answer: Mapping[str, object]) -> dict[str, bytes]:
    """Return byte code by the path at which Python looks for it. Malformed code is left out: Python compiles then."""
    tag, codes = text_of(answer.get("tag")), answer.get("code")
    if not _TAG.fullmatch(tag) or not isinstance(codes, list):
        return {}
    pairs = zip(map(PurePosixPath, paths), map(bytes_at, codes), strict=False)
    return {
        str(path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc"): code for path, code in pairs if code is not None
    }
