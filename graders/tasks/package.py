"""Task packages: from the files of a package to a `Task`. Pure: reads no disk, runs nothing.

docs/reference/task-package.md is the format. Everything is looked at before anything is stored, so that a package that
loads has a reference, cases that parse, patterns that match, and no unknown key.

    PackageError            a package is wrong; names the field, and what was expected there
"""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from dataclasses import fields as fields_of
from pathlib import PurePosixPath
from typing import Any

from graders.interface import Suite, Task, TaskId
from graders.suites import fields
from graders.suites.fields import PackageError
from graders.suites.kinds import KINDS
from graders.suites.relative_limits import LEAST_SECONDS, REFERENCE_SECONDS
from graders.tasks import suites as suite_tables
from rubrics import bounded_toml
from sandboxes.interface import Limits, LimitsError, Tier

__all__ = [
    "MAX_BYTES",
    "MAX_FILES",
    "Package",
    "PackageError",
    "PackagedSubmission",
    "load",
    "parse",
    "version",
]

MAX_FILES = 1000
MAX_BYTES = 16 * 1024 * 1024
"""The most bytes of all files of a package together."""
MAX_PATH = 200
"""Bytes, as UTF-8: no file system takes more than 255 in a name, and byte code has a longer one."""
MOST_TITLE_CHARACTERS = 500
MOST_PROMPT_CHARACTERS = 256 << 10
"""Each answer about the task contains both."""
MOST_SUBMISSIONS, MOST_REFERENCES = 500, 20
"""`assay verify` runs each of them."""

EXPECTED = {"accepted": "passed", "insecure": "passed", "wrong": "failed", "slow": "failed", "hostile": "failed"}
"""Folder of a submission -> its expected outcome."""
LEAST_TIMES, MOST_TIMES = 3, 1000
"""The multiples of the reference's time for a relative limit. Less than three is within the noise of a busy machine."""

_MANIFEST_KEYS = {
    "id", "title", "language", "entry_file", "reference", "references", "rubric", "minimum_tier", "limits",
    "graders", "suite", "submission", "prelude",
}  # fmt: skip
_TIMES = re.compile(r"[0-9]{1,4}(\.[0-9]{1,3})?x")
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.-]*"
_TASK_ID = re.compile(rf"(?=.{{1,200}}\Z){_NAME}(/{_NAME})*")
_GRADER_ID = re.compile(rf"{_NAME}/{_NAME}")


@dataclass(frozen=True, slots=True, kw_only=True)
class PackagedSubmission:
    """A submission that comes with its task, and the outcome that its author expects."""

    name: str
    """Its path below `submissions/`: `wrong/forgets_to_sort.py`."""
    kind: str
    """A key of EXPECTED."""
    files: Mapping[str, str]
    """Path in the submission -> text."""
    outcome: str
    """`passed` or `failed`."""
    findings: tuple[str, ...]
    """Rules that must be reported. An `insecure` submission needs a security finding even if this is empty."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """A task with all that its author sends along."""

    task: Task
    references: Mapping[str, Mapping[str, str]]
    """The files of each solution known to be right, by its path in the package. The first is the reference."""
    submissions: tuple[PackagedSubmission, ...]
    """Sorted by name."""


def load(files: Mapping[str, str]) -> Task:
    """Return the task in these files (path inside the package -> text). Raise PackageError if anything is wrong."""
    return parse(files).task


def parse(files: Mapping[str, str]) -> Package:
    """Return the package in these files (path inside the package -> text). Raise PackageError if anything is wrong."""
    _check_files(files)
    manifest = _manifest(files)
    entry_file = _entry_file(manifest)
    id = fields.matching(
        manifest.get("id"), "id", _TASK_ID, "a name of letters, digits and . _ - (and / between names)"
    )
    prompt = files.get("prompt.md", "")
    if not prompt.strip():
        raise PackageError("prompt.md", "a file with what the model was asked")
    if len(prompt) > MOST_PROMPT_CHARACTERS:
        raise PackageError("prompt.md", f"at most {MOST_PROMPT_CHARACTERS >> 10} KiB, not {len(prompt) >> 10}")
    title = fields.text(manifest.get("title", id), "title")
    if len(title) > MOST_TITLE_CHARACTERS:
        raise PackageError("title", f"at most {MOST_TITLE_CHARACTERS} characters, not {len(title)}")
    visible = {path: text for path, text in files.items() if path.startswith("visible/")}
    limits = fields.table(manifest.get("limits", {}), "limits")
    stated = _limits(limits)
    room = fields.PackageBudget(stated.output_kib)
    suite_tables.check_examples(visible, room)
    suites = suite_tables.suites(manifest.get("suite"), files, room)
    submissions = _submissions(files, manifest, entry_file)
    references = _references(files, manifest, entry_file)
    task = Task(
        id=TaskId(id),
        version=version(files),
        title=title,
        prompt=prompt,
        language=fields.one_of(manifest.get("language", "python"), "language", ("python",)),
        entry_file=entry_file,
        suites=suites,
        reference=next(iter(references.values())),
        limits=stated,
        relative=_relative(limits),
        graders=_graders(manifest),
        rubric_id=fields.text(manifest.get("rubric", "default"), "rubric"),
        minimum_tier=Tier(fields.one_of(manifest.get("minimum_tier", Tier.JAIL), "minimum_tier", tuple(Tier))),
        visible=visible,
        prelude=_prelude(manifest, files, suites, room),
    )
    return Package(task=task, references=references, submissions=submissions)


def _references(files: Mapping[str, str], manifest: Mapping[str, Any], entry_file: str) -> dict[str, Mapping[str, str]]:
    found: dict[str, Mapping[str, str]] = {}
    path = fields.text(manifest.get("reference"), "reference").rstrip("/")
    found[path] = _reference(path, "reference", files, entry_file)
    if "references" in manifest:
        others = fields.texts(manifest["references"], "references", '["submissions/accepted/other.py"]')
        if len(others) > MOST_REFERENCES:
            raise PackageError("references", f"at most {MOST_REFERENCES} paths, not {len(others)}")
        for more in others:
            if more.rstrip("/") in found:
                raise PackageError("references", f"each path once, and not the reference's; {more!r} is there already")
            found[more.rstrip("/")] = _reference(more.rstrip("/"), "references", files, entry_file)
    return found


def _submissions(
    files: Mapping[str, str], manifest: Mapping[str, Any], entry_file: str
) -> tuple[PackagedSubmission, ...]:
    changes = _expectations(manifest)
    names = sorted({"/".join(path.split("/")[1:3]) for path in files if path.startswith("submissions/")})
    if len(names) > MOST_SUBMISSIONS:
        raise PackageError("submissions", f"at most {MOST_SUBMISSIONS} submissions, not {len(names)}")
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
    plain = path.isprintable() and "\\" not in path and len(path.encode()) <= MAX_PATH
    if not plain or any(part in {"", ".", ".."} for part in parts):
        expected = f"a relative path inside the package, at most {MAX_PATH} bytes, with / and without . or .."
        raise PackageError(repr(path)[1:-1], expected)


def _manifest(files: Mapping[str, str]) -> dict[str, Any]:
    if "task.toml" not in files:
        raise PackageError("task.toml", "a file that says what the task is")
    try:
        manifest = bounded_toml.loads(files["task.toml"])
    except bounded_toml.TomlError as error:
        raise PackageError("task.toml", f"valid TOML: {error}") from error
    fields.refuse_unknown(manifest, _MANIFEST_KEYS, "")
    return manifest


def _entry_file(manifest: Mapping[str, Any]) -> str:
    entry_file = fields.text(manifest.get("entry_file", "solution.py"), "entry_file")
    stem, _, suffix = entry_file.rpartition(".")
    if suffix != "py" or not fields.is_name(stem):
        # Hidden tests import it by its stem, so it is not in a folder, and its stem is a name in Python.
        raise PackageError("entry_file", f"the name of a module, such as solution.py, not {entry_file!r}")
    if len(entry_file.encode()) > MAX_PATH:
        raise PackageError("entry_file", f"a name of at most {MAX_PATH} bytes")
    return entry_file


def _reference(path: str, field: str, files: Mapping[str, str], entry_file: str) -> dict[str, str]:
    found = _as_submitted(path, files, entry_file)
    if not found:
        raise PackageError(field, f"a file or a folder of this package, not {path!r}")
    if entry_file not in found:
        raise PackageError(field, f"a folder with {entry_file} in it, or that file; not {path!r}")
    return found


def _as_submitted(path: str, files: Mapping[str, str], entry_file: str) -> dict[str, str]:
    """Return the files: a single file becomes the entry file, and those of a folder keep their paths inside it."""
    if path in files:
        return {entry_file: files[path]}
    return {name.removeprefix(f"{path}/"): text for name, text in files.items() if name.startswith(f"{path}/")}


def _prelude(
    manifest: Mapping[str, Any], files: Mapping[str, str], suites: Sequence[Suite], room: fields.PackageBudget
) -> str:
    if "prelude" not in manifest:
        return ""
    path = fields.text(manifest["prelude"], "prelude")
    if path not in files or not path.endswith(".py"):
        raise PackageError("prelude", f"a .py file of this package, not {path!r}")
    room.parsed(path, files[path])
    for suite in suites:
        KINDS[suite.kind].check_prelude(suite)
    return files[path]


def _limits(table: Mapping[str, Any]) -> Limits:
    """Return the limits in numbers. If one is relative to the reference, it is the reference's own limit."""
    whole = {field.name: field.type is int for field in fields_of(Limits)}
    fields.refuse_unknown(table, set(whole), "limits.")
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
    """Return the limits that are multiples of the reference's time."""
    relative = {name: float(value[:-1]) for name, value in table.items() if _is_relative(name, value)}
    for name, times in relative.items():
        if not LEAST_TIMES <= times <= MOST_TIMES:
            expected = f'from "{LEAST_TIMES}x" to "{MOST_TIMES}x" what the reference takes, not {table[name]!r}'
            raise PackageError(f"limits.{name}", expected)
    return relative


def _graders(manifest: Mapping[str, Any]) -> dict[str, dict[str, object]]:
    graders = fields.table(manifest.get("graders", {}), "graders")
    for name in graders:
        if not _GRADER_ID.fullmatch(name):
            raise PackageError(f"graders.{name}", 'the id of a grader in quotes, such as "acme/no-print"')
    return {name: fields.table(options, f"graders.{name}") for name, options in graders.items()}


def _expectations(manifest: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """[[submission]] tables by the name of their submission."""
    changes: dict[str, Mapping[str, Any]] = {}
    for number, table in enumerate(fields.tables(manifest.get("submission", []), "submission")):
        path = fields.text(table.get("path"), f"submission.{number}.path").rstrip("/")
        field = f"submission.{path}"
        fields.refuse_unknown(table, {"path", "outcome", "findings"}, f"{field}.")
        name = path.removeprefix("submissions/")
        if name in changes:
            raise PackageError(field, "one [[submission]] for this path, not two")
        changes[name] = table
    return changes


def _submission(name: str, files: Mapping[str, str], entry_file: str, change: Mapping[str, Any]) -> PackagedSubmission:
    path, kind = f"submissions/{name}", name.partition("/")[0]
    if kind not in EXPECTED or "/" not in name:
        raise PackageError(path, f"to lie in submissions/ under one of {', '.join(EXPECTED)}")
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
        outcome=fields.one_of(
            change.get("outcome", EXPECTED[kind]), f"submission.{path}.outcome", ("passed", "failed")
        ),
        findings=tuple(findings),
    )
