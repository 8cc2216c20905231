"""Task packages: from the files of a package to a `Task`. Pure: reads no disk, runs nothing.

docs/reference/task-package.md is the format. Everything is looked at before anything is stored, so that a package that
loads has a reference, cases that parse, patterns that match and no key that nobody reads.

    PackageError            what is wrong with a package: the field, and what was expected there
"""

import ast
import hashlib
import keyword
import math
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase
from pathlib import PurePosixPath
from typing import Any, TypeGuard

from graders.cases import CaseError, parse_cases
from graders.headroom import LEAST_SECONDS, REFERENCE_SECONDS
from graders.interface import Suite, Task, TaskId
from sandboxes.interface import Limits, LimitsError, Tier

MAX_FILES = 1000
MAX_BYTES = 16 * 1024 * 1024
"""All files of a package together."""

KINDS = {"accepted": "passed", "insecure": "passed", "wrong": "failed", "slow": "failed", "hostile": "failed"}
"""Folder of a submission -> its expected outcome."""
LEAST_TIMES, MOST_TIMES = 3, 1000
"""A relative limit is so many times what the reference takes; less than thrice is within the noise of a busy machine."""
CHECKERS = ("exact", "float", "unordered", "predicate")

_MANIFEST_KEYS = {
    "id", "title", "language", "entry_file", "reference", "rubric", "minimum_tier", "limits", "graders",
    "suite", "submission",
}  # fmt: skip
_SUITE_KEYS = {"id", "kind", "files", "weight"}
_OPTION_KEYS: Mapping[str, set[str]] = {
    "call": {"entry_point", "checker", "absolute", "relative"},
    "pytest": set(),
}
_TIMES = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?x")
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_TASK_ID = re.compile(rf"(?=.{{1,200}}\Z){_NAME}(/{_NAME})*")
_SUITE_ID = re.compile(rf"(?=.{{1,100}}\Z){_NAME}")
_GRADER_ID = re.compile(rf"{_NAME}/{_NAME}")
_TEST_FILE = re.compile(r"(test_.*|.*_test)\.py")


class PackageError(ValueError):
    """A package is not as docs/reference/task-package.md says.

    Args:
        field: a file (`hidden/cases.jsonl:3`), or a place in task.toml (`suite.hidden.checker`).
        expected: what should have been there.
    """

    def __init__(self, field: str, expected: str) -> None:
        super().__init__(f"{field}: expected {expected}")
        self.field = field
        self.expected = expected


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagedSubmission:
    """A submission that comes with its task, and what its author says will become of it."""

    name: str
    """Its path below `submissions/`: `wrong/forgets_to_sort.py`."""
    kind: str
    """A key of KINDS."""
    files: Mapping[str, str]
    """As they are submitted."""
    outcome: str
    """`passed` or `failed`."""
    findings: tuple[str, ...]
    """Rules that must be reported. An `insecure` submission needs a security finding even where this is empty."""


def load(files: Mapping[str, str]) -> Task:
    """The task in these files, path inside the package -> text. Raises PackageError for whatever is wrong with them."""
    _check_files(files)
    manifest = _manifest(files)
    entry_file = _entry_file(manifest)
    id = _matching(manifest.get("id"), "id", _TASK_ID, "a name of letters, digits and . _ - (and / between names)")
    if not files.get("prompt.md", "").strip():
        raise PackageError("prompt.md", "a file with what the model was asked")
    suites = _suites(manifest, files)
    limits = _table(manifest.get("limits", {}), "limits")
    # Loaded for their errors: a package is looked at as a whole before it is stored.
    submissions(files)
    return Task(
        id=TaskId(id),
        version=version(files),
        title=_text(manifest.get("title", id), "title"),
        prompt=files["prompt.md"],
        language=_one_of(manifest.get("language", "python"), "language", ("python",)),
        entry_file=entry_file,
        suites=suites,
        reference=_reference(manifest, files, entry_file),
        limits=_limits(limits),
        relative=_relative(limits),
        graders=_graders(manifest),
        rubric_id=_text(manifest.get("rubric", "default"), "rubric"),
        minimum_tier=Tier(_one_of(manifest.get("minimum_tier", Tier.JAIL), "minimum_tier", tuple(Tier))),
    )


def submissions(files: Mapping[str, str]) -> tuple[PackagedSubmission, ...]:
    """The submissions of a package, by name. Raises PackageError."""
    manifest = _manifest(files)
    entry_file = _entry_file(manifest)
    changes = _expectations(manifest)
    names = sorted({"/".join(path.split("/")[1:3]) for path in files if path.startswith("submissions/")})
    unknown = sorted(set(changes) - set(names))
    if unknown:
        raise PackageError("submission.path", f"a submission of this package, not {f'submissions/{unknown[0]}'!r}")
    return tuple(_submission(name, files, entry_file, changes.get(name, {})) for name in names)


def version(files: Mapping[str, str]) -> str:
    """First 12 hex digits of the SHA-256 of the sorted files, each path and text preceded by its length in bytes."""
    digest = hashlib.sha256()
    for path in sorted(files):
        for part in (path.encode(), files[path].encode()):
            digest.update(b"%d:" % len(part) + part)
    return digest.hexdigest()[:12]


def _check_files(files: Mapping[str, str]) -> None:
    if len(files) > MAX_FILES:
        raise PackageError("files", f"at most {MAX_FILES} files, not {len(files)}")
    for path, text in files.items():
        _check_path(path)
        if any(folder in files for folder in map(str, PurePosixPath(path).parents)):
            raise PackageError(path, "a path whose folder is not also a file of the package")
        if "\0" in text:
            raise PackageError(path, "text without NUL characters")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise PackageError(path, "text that can be written as UTF-8 (it has a lone surrogate)") from error
    size = sum(len(text.encode()) for text in files.values())
    if size > MAX_BYTES:
        raise PackageError("files", f"at most {MAX_BYTES // 1024**2} MiB together, not {size / 1024**2:.1f}")


def _check_path(path: str) -> None:
    parts = path.split("/")
    if "\\" in path or not path.isprintable() or len(path) > 200 or any(part in {"", ".", ".."} for part in parts):
        raise PackageError(
            repr(path)[1:-1], "a relative path inside the package, at most 200 characters, with / and without . or .."
        )


def _manifest(files: Mapping[str, str]) -> dict[str, Any]:
    if "task.toml" not in files:
        raise PackageError("task.toml", "a file that says what the task is")
    try:
        manifest = tomllib.loads(files["task.toml"])
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PackageError("task.toml", f"valid TOML: {error}") from error
    _refuse_unknown(manifest, _MANIFEST_KEYS, "")
    return manifest


def _entry_file(manifest: Mapping[str, Any]) -> str:
    entry_file = _text(manifest.get("entry_file", "solution.py"), "entry_file")
    stem, _, suffix = entry_file.rpartition(".")
    if suffix != "py" or not _is_name(stem):
        # Hidden tests import it by its stem, so it is no folder's file and its stem is a name in Python.
        raise PackageError("entry_file", f"the name of a module, such as solution.py, not {entry_file!r}")
    return entry_file


def _reference(manifest: Mapping[str, Any], files: Mapping[str, str], entry_file: str) -> dict[str, str]:
    path = _text(manifest.get("reference"), "reference").rstrip("/")
    found = _as_submitted(path, files, entry_file)
    if not found:
        raise PackageError("reference", f"a file or a folder of this package, not {path!r}")
    if entry_file not in found:
        raise PackageError("reference", f"a folder with {entry_file} in it, or that file; not {path!r}")
    return found


def _as_submitted(path: str, files: Mapping[str, str], entry_file: str) -> dict[str, str]:
    """A single file becomes the entry file, a folder's files keep their paths inside it; empty where neither exists."""
    if path in files:
        return {entry_file: files[path]}
    return {name.removeprefix(f"{path}/"): text for name, text in files.items() if name.startswith(f"{path}/")}


def _limits(table: Mapping[str, Any]) -> Limits:
    """Those in numbers; where a limit is relative to the reference, what the reference itself gets."""
    whole = {field.name: field.type is int for field in fields(Limits)}
    _refuse_unknown(table, set(whole), "limits.")
    numbers: dict[str, Any] = {
        name: REFERENCE_SECONDS if _is_relative(name, value) else value for name, value in table.items()
    }
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int if whole[name] else int | float):
            kinds = 'a number of seconds, or "10x"' if name in LEAST_SECONDS else "a number"
            raise PackageError(f"limits.{name}", f"{'a whole number' if whole[name] else kinds}, not {value!r}")
        if not math.isfinite(value):
            raise PackageError(f"limits.{name}", f"a finite number, not {value}")
    try:
        return Limits(**numbers)
    except LimitsError as error:
        name, _, rule = str(error).partition(" ")
        raise PackageError(name, f"a value that fits ({rule})") from error


def _is_relative(name: str, value: object) -> bool:
    return name in LEAST_SECONDS and isinstance(value, str) and bool(_TIMES.fullmatch(value))


def _relative(table: Mapping[str, Any]) -> dict[str, float]:
    """The limits that are given as times the reference's."""
    relative = {name: float(value[:-1]) for name, value in table.items() if _is_relative(name, value)}
    for name, times in relative.items():
        if not LEAST_TIMES <= times <= MOST_TIMES:
            expected = f'from "{LEAST_TIMES}x" to "{MOST_TIMES}x" what the reference takes, not {table[name]!r}'
            raise PackageError(f"limits.{name}", expected)
    return relative


def _graders(manifest: Mapping[str, Any]) -> dict[str, dict[str, object]]:
    graders = _table(manifest.get("graders", {}), "graders")
    for name in graders:
        if not _GRADER_ID.fullmatch(name):
            raise PackageError(f"graders.{name}", 'the id of a grader in quotes, such as "acme/no-print"')
    return {name: _table(options, f"graders.{name}") for name, options in graders.items()}


def _suites(manifest: Mapping[str, Any], files: Mapping[str, str]) -> tuple[Suite, ...]:
    suites: dict[str, Suite] = {}
    for number, table in enumerate(_tables(manifest.get("suite"), "suite")):
        id = _matching(table.get("id"), f"suite.{number}.id", _SUITE_ID, "a name of letters, digits and . _ -")
        if id in suites:
            raise PackageError(f"suite.{id}", "an id that no other suite of this task has")
        suites[id] = _suite(id, table, files)
    if not suites:
        raise PackageError("suite", "at least one [[suite]]")
    used = {path for suite in suites.values() for path in suite.files}
    unused = sorted(path for path in files if path.startswith("hidden/") and path not in used)
    if unused:
        raise PackageError(unused[0], "to be in the `files` of some suite, as everything in hidden/")
    return tuple(suites.values())


def _suite(id: str, table: Mapping[str, Any], files: Mapping[str, str]) -> Suite:
    field = f"suite.{id}"
    kind = _one_of(table.get("kind"), f"{field}.kind", tuple(_OPTION_KEYS))
    _refuse_unknown(table, _SUITE_KEYS | _OPTION_KEYS[kind], f"{field}.")
    own = _suite_files(table.get("files"), f"{field}.files", files)
    options = {key: value for key, value in table.items() if key not in _SUITE_KEYS}
    if kind == "call":
        _check_call(options, own, field)
    else:
        _check_pytest(own, field)
    return Suite(
        id=id, kind=kind, files=own, options=options, weight=_weight(table.get("weight", 1.0), f"{field}.weight")
    )


def _suite_files(patterns: object, field: str, files: Mapping[str, str]) -> dict[str, str]:
    if not isinstance(patterns, list) or not patterns:
        raise PackageError(field, 'a list of patterns, such as ["hidden/*"]')
    own: dict[str, str] = {}
    for pattern in patterns:
        matched = [path for path in files if fnmatchcase(path, _text(pattern, field))]
        if not matched:
            raise PackageError(field, f"patterns that match some file; {pattern!r} matches none")
        own |= {path: files[path] for path in sorted(matched)}
    for path in own:
        # A pytest suite's files go into the submission's box: a pattern like "*" would take the solution there.
        if path == "task.toml" or path.startswith("submissions/"):
            raise PackageError(field, f"patterns of the suite's own files; {path} is none")
    return own


def _check_call(options: Mapping[str, Any], own: Mapping[str, str], field: str) -> None:
    entry_point = _text(options.get("entry_point"), f"{field}.entry_point")
    if not _is_name(entry_point):
        raise PackageError(f"{field}.entry_point", f"the name of a function, not {entry_point!r}")
    checker = _one_of(options.get("checker", "exact"), f"{field}.checker", CHECKERS)
    for key in {"absolute", "relative"} & options.keys():
        if checker != "float":
            raise PackageError(f"{field}.{key}", 'no tolerance unless checker = "float"')
        if not _is_number(options[key]) or not 0 <= options[key] < math.inf:
            raise PackageError(f"{field}.{key}", f"a number of at least 0, not {options[key]!r}")
    wanted = {".jsonl": 1} | ({".py": 1} if checker == "predicate" else {})
    found = [PurePosixPath(path).suffix for path in own]
    if sorted(found) != sorted(wanted):
        what = f"exactly one {' and one '.join(wanted)} file"
        raise PackageError(f"{field}.files", f"{what}, not {', '.join(sorted(own))}")
    for path, text in own.items():
        if path.endswith(".jsonl"):
            _check_cases(path, text, entry_point)
        else:
            _check_predicate(path, text)


def _check_cases(path: str, text: str, entry_point: str) -> None:
    try:
        parse_cases(text, name=path, entry_point=entry_point)
    except CaseError as error:
        raise PackageError(error.where, error.expected) from error


def _check_predicate(path: str, text: str) -> None:
    if not any(isinstance(node, ast.FunctionDef) and node.name == "accepts" for node in _parsed(path, text).body):
        raise PackageError(path, "a function `accepts(args, expected, got)`")


def _check_pytest(own: Mapping[str, str], field: str) -> None:
    if not any(_TEST_FILE.fullmatch(PurePosixPath(path).name) for path in own):
        raise PackageError(f"{field}.files", "at least one test file, named test_*.py or *_test.py")
    for path, text in own.items():
        if path.endswith(".py"):
            _parsed(path, text)


def _parsed(path: str, text: str) -> ast.Module:
    try:
        return ast.parse(text, filename=path)
    except SyntaxError as error:
        raise PackageError(f"{path}:{error.lineno}", f"Python that can be parsed ({error.msg})") from error
    except (ValueError, RecursionError, MemoryError) as error:
        raise PackageError(path, f"Python that can be parsed ({type(error).__name__})") from error


def _expectations(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """[[submission]] tables by the name of their submission."""
    changes: dict[str, Mapping[str, Any]] = {}
    for number, table in enumerate(_tables(manifest.get("submission", []), "submission")):
        path = _text(table.get("path"), f"submission.{number}.path").rstrip("/")
        field = f"submission.{path}"
        _refuse_unknown(table, {"path", "outcome", "findings"}, f"{field}.")
        name = path.removeprefix("submissions/")
        if name in changes:
            raise PackageError(field, "one [[submission]] for this path, not two")
        changes[name] = table
    return changes


def _submission(name: str, files: Mapping[str, str], entry_file: str, change: Mapping[str, Any]) -> PackagedSubmission:
    path, kind = f"submissions/{name}", name.partition("/")[0]
    if kind not in KINDS or "/" not in name:
        raise PackageError(path, f"to lie in submissions/ under one of {', '.join(KINDS)}")
    if path in files and not path.endswith(".py"):
        raise PackageError(path, "a .py file, or a folder with the files of a submission")
    findings = change.get("findings", [])
    if not isinstance(findings, list) or not all(isinstance(rule, str) and rule for rule in findings):
        raise PackageError(f"submission.{path}.findings", f'a list of rules, such as ["B602"], not {findings!r}')
    own = _as_submitted(path, files, entry_file)
    if not own.get(entry_file, "").strip():
        raise PackageError(path, f"a program in {entry_file}: the service takes no submission without one")
    return PackagedSubmission(
        name=name,
        kind=kind,
        files=own,
        outcome=_one_of(change.get("outcome", KINDS[kind]), f"submission.{path}.outcome", ("passed", "failed")),
        findings=tuple(findings),
    )


def _refuse_unknown(table: Mapping[str, Any], known: set[str], prefix: str) -> None:
    unknown = sorted(set(table) - known)
    if unknown:
        raise PackageError(f"{prefix}{unknown[0]}", f"one of the keys {', '.join(sorted(known))}")


def _text(value: object, field: str) -> str:
    if not isinstance(value, str) or not value.strip():
        raise PackageError(field, "a text" if value is None else f"a text that is not empty, not {value!r}")
    return value


def _matching(value: object, field: str, pattern: re.Pattern[str], what: str) -> str:
    text = _text(value, field)
    if not pattern.fullmatch(text):
        raise PackageError(field, f"{what}, not {text!r}")
    return text


def _one_of(value: object, field: str, allowed: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in allowed:
        raise PackageError(field, f"one of {', '.join(allowed)}, not {value!r}")
    return value


def _table(value: object, field: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise PackageError(field, f"a table, not {value!r}")
    return value


def _tables(value: object, field: str) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise PackageError(field, f"tables [[{field}]]")
    return [_table(item, f"{field}.{number}") for number, item in enumerate(value)]


def _weight(value: object, field: str) -> float:
    if not _is_number(value) or not 0 < value < math.inf:
        raise PackageError(field, f"a number greater than 0, not {value!r}")
    return float(value)


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_name(text: str) -> bool:
    return text.isidentifier() and not keyword.iskeyword(text)
