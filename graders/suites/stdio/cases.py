r"""The hidden cases of a `stdio` suite: what a program is given to read, and what it should print.

    NAME.in with NAME.ans (or NAME.out)         files: a case's id is NAME, without hidden/ before it
    {"id": "small", "input": "3\n", "output": "6\n", "weight": 2, "group": "samples"}      a line of a .jsonl file
    "args", "files", "judge_args", "compare"    what a line may state besides, for a case that differs from the others

docs/reference/task-package.md explains them. Pure.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from graders.suites.case_rows import CaseBudget, CaseError, group_of, id_of, refuse_unknown, row_of, weight_of
from graders.suites.options import OptionTable
from graders.suites.stdio.comparison import COMPARED, Comparison

ANSWERS = (".ans", ".out")
SUFFIXES = (".in", *ANSWERS)
_KEYS = {"id", "input", "output", "weight", "group", "args", "files", "judge_args", "compare"}
MOST_ARGUMENTS = 1000
MOST_FILES = 100
"""The most files of one case."""
MOST_PATH_BYTES = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class StdioCase:
    """One input and what is expected of a program that reads it."""

    id: str
    """Unique in its suite; `line-7` or `NAME` if the author stated none."""
    given: bytes
    accepted: tuple[bytes, ...]
    """Outputs that are right: several only with `any-of`, and none if the author's program judges without one."""
    weight: float = 1.0
    group: str = ""
    args: tuple[str, ...] = ()
    """The program's command-line arguments."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """More files of its working directory: relative path -> content."""
    judge_args: tuple[str, ...] = ()
    """Further arguments of the author's program, after those that it always has."""
    comparison: Comparison | None = None
    """How the output is compared; None for the suite's own way."""


def parse_stdio_cases(
    files: Mapping[str, str], *, several: bool = False, needs_answer: bool = True, room: CaseBudget | None = None
) -> list[tuple[str, StdioCase]]:
    """Return the cases in a suite's files (path -> text), each with its place. Other files are ignored.

    Args:
        files: the suite's files.
        several: whether an `output` is a list of accepted texts (checker `any-of`).
        needs_answer: whether a case without an answer is an error.
        room: the budget of the package; a fresh one by default.

    Raises:
        PackageError: if a `compare` does not fit.
        CaseError: if a line is not a case, an answer has no input, an id occurs twice, or there are too many cases.
    """
    room = room or CaseBudget()
    in_lines = _in_lines(files, several=several, needs_answer=needs_answer, room=room)
    cases = [*in_files(files, needs_answer=needs_answer, room=room), *in_lines]
    ids = set()
    for where, case in cases:
        if case.id in ids:
            raise CaseError(where, f"an id that no other case of this suite has, not {case.id!r}")
        ids.add(case.id)
    return cases


def in_files(
    files: Mapping[str, str], *, needs_answer: bool = True, room: CaseBudget
) -> Iterator[tuple[str, StdioCase]]:
    """Yield the cases that are files NAME.in, each with its place. Raise CaseError if one is wrong."""
    inputs = {path.removesuffix(".in"): text for path, text in sorted(files.items()) if path.endswith(".in")}
    answers: dict[str, list[str]] = {stem: [] for stem in inputs}
    for path in sorted(path for path in files if path.endswith(ANSWERS)):
        stem = path.rpartition(".")[0]
        if stem not in answers:
            raise CaseError(path, f"{stem}.in beside it")
        answers[stem].append(files[path])
    for stem, text in inputs.items():
        room.take_input(text, f"{stem}.in")
        if len(answers[stem]) > 1 or (needs_answer and not answers[stem]):
            raise CaseError(f"{stem}.in", f"one answer beside it, {stem}.ans or {stem}.out")
        accepted = tuple(answer.encode() for answer in answers[stem])
        yield f"{stem}.in", StdioCase(id=stem.removeprefix("hidden/"), given=text.encode(), accepted=accepted)


def _in_lines(
    files: Mapping[str, str], *, several: bool, needs_answer: bool, room: CaseBudget
) -> Iterator[tuple[str, StdioCase]]:
    for path in sorted(path for path in files if path.endswith(".jsonl")):
        room.take_file(files[path], f"{path}:1")
        # Not splitlines(): a text may hold U+2028, which JSON allows inside a string.
        for number, line in enumerate(files[path].split("\n"), start=1):
            if line.strip():
                where = f"{path}:{number}"
                room.take_case(line, where)
                yield where, _in_line(line, number, where, several=several, needs_answer=needs_answer)


def _in_line(line: str, number: int, where: str, *, several: bool, needs_answer: bool) -> StdioCase:
    row = row_of(line, where)
    refuse_unknown(row, _KEYS, where)
    accepted: tuple[bytes, ...] = ()
    if "output" in row or needs_answer:
        stated = row.get("output") if several else [row.get("output")]
        if not isinstance(stated, list) or not stated:
            raise CaseError(where, f"a list of accepted texts in `output`, not {stated!r:.80}")
        accepted = tuple(_text(text, "output", where) for text in stated)
    return StdioCase(
        id=id_of(row.get("id", f"line-{number}"), where),
        given=_text(row.get("input"), "input", where),
        accepted=accepted,
        weight=weight_of(row.get("weight", 1.0), where),
        group=group_of(row.get("group", ""), where),
        args=_arguments(row, "args", where),
        files=_files(row.get("files", {}), where),
        judge_args=_arguments(row, "judge_args", where),
        comparison=_comparison(row, where),
    )


def _arguments(row: Mapping[str, object], key: str, where: str) -> tuple[str, ...]:
    stated = row.get(key, [])
    if not isinstance(stated, list) or len(stated) > MOST_ARGUMENTS or any("\0" in str(text) for text in stated):
        raise CaseError(where, f"a list of at most {MOST_ARGUMENTS} texts in `{key}`, not {stated!r:.80}")
    return tuple(_text(text, key, where).decode() for text in stated)


def _files(stated: object, where: str) -> dict[str, bytes]:
    if not isinstance(stated, dict) or len(stated) > MOST_FILES:
        raise CaseError(where, f"an object of at most {MOST_FILES} files, path -> text, in `files`, not {stated!r:.80}")
    for path in stated:
        if not is_inside(path):
            raise CaseError(where, f"relative paths without . and .. in `files`, not {path!r:.80}")
        above = {str(parent) for parent in PurePosixPath(path).parents}
        if above & stated.keys():
            raise CaseError(
                where, f"files in `files` that are not also folders of others, as one above {path!r:.80} is"
            )
    return {path: _text(text, "files", where) for path, text in stated.items()}


def companions(program: str, files: Mapping[str, str]) -> list[str]:
    """Return the files of a checker or interactor: its whole folder if no case is in it, else itself alone."""
    folder = program.rpartition("/")[0]
    beside = [path for path in files if path.startswith(f"{folder}/")]
    return beside if folder and not any(path.endswith((*SUFFIXES, ".jsonl")) for path in beside) else [program]


def is_inside(path: str) -> bool:
    """Return whether it is a plain relative path that stays inside its folder."""
    printable = path.isprintable() and len(path.encode("utf-8", "replace")) <= MOST_PATH_BYTES
    return printable and all(part not in ("", ".", "..") for part in path.split("/"))


def _comparison(row: Mapping[str, object], where: str) -> Comparison | None:
    if "compare" not in row:
        return None
    stated = row["compare"]
    if not isinstance(stated, dict):
        raise CaseError(where, f'an object in `compare`, such as {{"checker": "float"}}, not {stated!r:.80}')
    table = OptionTable(stated, f"{where}: compare")
    comparison = Comparison.of(table, COMPARED)
    table.refuse_unread()
    return comparison


def _text(value: object, key: str, where: str) -> bytes:
    if not isinstance(value, str):
        raise CaseError(where, f"a text in `{key}`, not {value!r:.80}")
    try:
        return value.encode()
    except UnicodeEncodeError as error:
        raise CaseError(where, f"text in `{key}` that can be written as UTF-8 (it has a lone surrogate)") from error
