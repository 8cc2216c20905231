"""The Python 3 programs of a Kattis problem package: its example submissions and its validator.

Programs in other languages, and those without an outcome that a run here could have, are left out, counted and reported.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from rubrics.input_error import InputError
from service.importers.kattis.files import Tree, table_of
from service.importers.names import is_python

SUBMISSIONS = {
    "accepted": "accepted", "wrong_answer": "wrong", "time_limit_exceeded": "slow", "run_time_error": "wrong",
    "rejected": "wrong", "brute_force": "wrong", "partially_accepted": "wrong",
}  # fmt: skip
"""Their folder -> ours: what is partially accepted has failed a case. Other folders state no outcome that is known here."""
VALIDATORS = ("output_validators", "output_validator")

_PYTHON = (".py", ".py3")
_CASES = (".in", ".ans", ".out", ".jsonl")
_PYTHON_2 = re.compile(r"#!.*(python2|pypy2|pypy\b)")
_KEYS = frozenset({
    "language", "entrypoint", "authors", "author", "model_solution", "permitted", "required", "score", "message",
    "use_for_time_limit", "use_for_timelimit",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Submissions:
    """The example submissions that came along."""

    files: Mapping[str, str]
    """Path in our package -> text."""
    reference: str
    """The path of the accepted one that is the reference."""
    notes: tuple[str, ...]


def read_submissions(tree: Tree) -> Submissions:
    """Return the submissions. Raises InputError if none is accepted."""
    place = tree.root / "submissions"
    stated = _stated(tree, place / "submissions.yaml")
    files: dict[str, str] = {}
    models: list[str] = []
    skipped: Counter[str] = Counter()
    for program in _programs(tree, place):
        told = _told(stated, program.relative_to(place).as_posix())
        why, texts = _texts(tree, program, told)
        skipped.update([why] if why else [])
        ours = f"submissions/{_our_name(program)}"
        files |= {f"{ours}{inside}": text for inside, text in texts.items()}
        if texts and told.get("model_solution") is True and program.parent.name == "accepted":
            models.append(ours)
    accepted = sorted({"/".join(path.split("/")[:3]) for path in files if path.startswith("submissions/accepted/")})
    notes = tuple(f"{count} of submissions/ left out: {why}" for why, count in sorted(skipped.items()))
    if not accepted:
        expected = f"a Python program (of Python 3), or a folder with one; {'; '.join(notes) or 'it has none'}"
        raise InputError(str(place / "accepted"), expected)
    return Submissions(files=files, reference=(models or accepted)[0], notes=notes)


def _programs(tree: Tree, place: Path) -> Iterator[Path]:
    for folder in tree.entries(place):
        if folder.is_dir():
            yield from (path for path in tree.entries(folder) if not path.name.startswith("README"))
        elif folder.name != "submissions.yaml" and not folder.name.startswith("README"):
            raise InputError(str(folder), "a folder of submissions")


def _our_name(program: Path) -> str:
    """Return the program's path in our package; several of their folders share one of ours."""
    theirs = program.parent.name
    ours = SUBMISSIONS.get(theirs, theirs)
    name = f"{program.name}.py" if program.is_file() and program.suffix != ".py" else program.name
    same = theirs in ("accepted", "wrong_answer", "time_limit_exceeded")
    return f"{ours}/{name}" if same else f"{ours}/{theirs}_{name}"


def _stated(tree: Tree, path: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return submissions.yaml: pattern -> the facts about programs that match it."""
    tables = tree.table(path)
    for pattern, table in tables.items():
        # Other keys are names of groups and cases, with facts about these alone.
        where = f"{path}: {pattern}"
        own = {key: value for key, value in table_of(table, where).items() if not isinstance(value, dict)}
        table_of(own, where, _KEYS)
    return tables


def _told(stated: Mapping[str, Mapping[str, Any]], path: str) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for pattern, table in stated.items():
        if any(
            fnmatchcase(path, f"{each}{below}") for each in _alternatives(pattern.rstrip("/")) for below in ("", "/*")
        ):
            told |= table
    return told


def _alternatives(pattern: str) -> Iterator[str]:
    """Return the alternatives of a pattern: `{a,b}.py` is a.py and b.py."""
    found = re.search(r"\{([^{}]*)\}", pattern)
    if found is None:
        yield pattern
        return
    for each in found[1].split(","):
        yield from _alternatives(pattern[: found.start()] + each + pattern[found.end() :])


def _is_open(program: Path, told: Mapping[str, Any]) -> bool:
    """Return whether the facts about a program leave open if it passes, or contradict its folder."""
    if program.parent.name == "accepted":
        return bool(told.get("permitted", ["AC"]) != ["AC"])
    return "AC" in (told.get("required") or []) or told.get("permitted") == ["AC"]


def _texts(tree: Tree, program: Path, told: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Return the program's files (path -> text, the main one first), or why the program is left out."""
    if program.parent.name not in SUBMISSIONS:
        return f"{program.parent.name}/ states no outcome that is known here", {}
    if _is_open(program, told):
        return "submissions.yaml permits them to pass and to fail", {}
    paths = list(tree.files(program)) if program.is_dir() else [program]
    sources = [path for path in paths if path.suffix in _PYTHON]
    language = str(told.get("language", "python3"))
    if not sources or not language.startswith("python3"):
        return _in_another(paths, language), {}
    texts = {path: tree.replaced(path) for path in sources}
    if any(_PYTHON_2.match(text) or not is_python(text) for text in texts.values()):
        return "not in Python 3 (Python 2, or no Python at all)", {}
    if program.is_file():
        return "", {"": texts[program]}
    top = [path.name for path in sources if path.parent == program]
    named = (str(told.get("entrypoint", "")), "__main__.py", "main.py")
    starts = [name for name in named if name in top][:1] or top
    if len(starts) != 1:
        raise InputError(str(program), "a program that starts from main.py")
    return "", {
        "/solution.py" if path == program / starts[0] else f"/{path.relative_to(program).as_posix()}": (
            texts[path] if path in texts else tree.text(path)
        )
        for path in paths
    }


def _in_another(paths: list[Path], language: str) -> str:
    suffixes = sorted({path.suffix or path.name for path in paths if path.suffix not in _PYTHON})
    return f"not in Python 3 ({' '.join(suffixes) or language})"


def validator(tree: Tree) -> dict[str, str]:
    """Return the output validator's files, the main one first; empty if the package does not have a validator."""
    places = [tree.root / place for place in VALIDATORS if tree.entries(tree.root / place)]
    if len(places) > 1:
        raise InputError(str(places[1]), f"one of {' and '.join(VALIDATORS)}")
    if not places:
        return {}
    [place] = places
    found = [path for path in tree.entries(place) if not path.name.startswith("README")]
    # Each entry of the older folder is a validator; the newer folder may be the program's own.
    one = len(found) == 1 or place.name == "output_validator"
    folder = found[0] if len(found) == 1 and found[0].is_dir() else place
    files = [path for path in tree.files(folder) if not path.name.startswith("README")]
    sources = [path for path in files if path.suffix in _PYTHON and path.parent == folder]
    starts = [path for path in sources if path.stem in ("__main__", "main")] or sources
    if not one or len(starts) != 1 or {"build", "run"} & {path.name for path in files}:
        raise InputError(str(place), "one validator, a Python program: a file, or a folder with __main__.py")
    for path in files:
        if path.suffix in _CASES:  # it would be taken for a case
            raise InputError(str(path), f"a file of the validator that does not end in one of {' '.join(_CASES)}")
    texts = {path: tree.replaced(path) for path in (starts[0], *files)}
    if not is_python(texts[starts[0]]):
        raise InputError(str(starts[0]), "a program in Python 3")
    return {path.relative_to(folder).as_posix(): text for path, text in texts.items()}
