"""`assay tasks import`: write tasks as folders of task packages, all of them or none.

They are written beside the target folder and take its place after the last one is complete, so that a reader of the folder sees
either the old tasks or the new ones. Each package is loaded first, to be sure that it loads.
"""

import secrets
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from graders.tasks import package
from graders.tasks.package import PackageError
from rubrics.input_error import InputError
from service.importers.benchmark import raise_it
from service.importers.needs import missing_packages
from service.importers.package_text import ImportedTask, with_reference
from service.importers.tasks import OnBad, source
from service.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """The result of an import."""

    written: int
    left_out: tuple[str, ...]
    """Why a task was left out, a sentence each."""
    notes: tuple[str, ...]
    """Notes for the authors of the written tasks, a sentence each."""
    needs: Mapping[str, int]
    """Packages that a box does not have -> how many of the written tasks import them."""
    needy: int
    """How many tasks those are."""


def import_tasks(
    paths: Iterable[Path],
    format: str,
    out: Path,
    progress: Progress,
    *,
    solutions: Mapping[str, str],
    limit: int | None = None,
    force: bool = False,
    keep_going: bool = False,
) -> Imported:
    """Write a folder for each task into `out`. If one fails, nothing is left behind.

    Args:
        paths: files and folders with tasks.
        format: one of `service.importers.tasks.NAMES`.
        out: a folder that does not exist yet or is empty; with `force` also one that only holds task packages.
        progress: receives each task.
        solutions: task id -> program, for tasks whose benchmark lacks a solution.
        limit: import only this number of tasks.
        force: replace all tasks in `out`.
        keep_going: leave out tasks that cannot be read or would not load.

    Raises:
        InputError, PackageError: for a task, or for an `out` that may not be replaced.
    """
    _check_replaceable(out, force=force)
    left_out: list[str] = []
    notes: list[str] = []
    on_bad: OnBad = (lambda error: left_out.append(str(error))) if keep_going else raise_it
    found = source(paths, format, on_bad)
    progress.start("tasks", total=found.total if limit is None else min(limit, found.total), done=0)
    needs: list[frozenset[str]] = []
    loaded = _told(_loadable(islice(found.tasks, limit), solutions, on_bad, notes), needs)
    written = _write(loaded, out, progress)
    counted = Counter(name for names in needs for name in sorted(names))
    return Imported(
        written=written,
        left_out=tuple(left_out),
        notes=tuple(notes),
        needs=dict(counted.most_common()),
        needy=sum(map(bool, needs)),
    )


def _told(
    tasks: Iterable[tuple[str, Mapping[str, str]]], needs: list[frozenset[str]]
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield the same tasks, and add the packages that each needs to `needs`."""
    for id, files in tasks:
        needs.append(missing_packages(files))
        yield id, files


def _loadable(
    tasks: Iterable[ImportedTask], solutions: Mapping[str, str], on_bad: OnBad, notes: list[str]
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """Yield id and files of each task whose package loads; add the notes on it to `notes`."""
    for task in tasks:
        try:
            files = with_reference(task, solutions).files
            package.load(files)
        except PackageError as error:
            on_bad(PackageError(f"{task.where}: {error.field}", error.expected))
        except InputError as error:
            on_bad(error)
        else:
            notes += [f"{task.id}: {note}" for note in task.notes]
            yield task.id, files


def _write(tasks: Iterable[tuple[str, Mapping[str, str]]], out: Path, progress: Progress) -> int:
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.with_name(f".{out.name}.{secrets.token_hex(4)}")
    draft.mkdir()
    try:
        written = 0
        for id, files in tasks:
            write_files(_folder(draft, id), files)
            written += 1
            progress.advance()
        if not written:
            raise InputError(str(out), "at least one task to write")
        _take_place(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return written


def write_files(folder: Path, files: Mapping[str, str]) -> None:
    """Write the files of a package with exactly the bytes that are sent over HTTP."""
    for path, text in files.items():
        place = folder / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(text.encode("utf-8"))


def _folder(draft: Path, id: str) -> Path:
    """Return the folder of a task: HumanEval-3 for `HumanEval/3`, HumanEval-3-2 if that name is taken."""
    name = id.replace("/", "-")
    number = 1
    while (folder := draft / (name if number == 1 else f"{name}-{number}")).exists():
        number += 1
    return folder


def _check_replaceable(out: Path, *, force: bool) -> None:
    if not out.exists():
        return
    if not out.is_dir():
        raise InputError(str(out), "a folder")
    there = list(out.iterdir())
    if there and not force:
        raise InputError(str(out), "a folder that does not exist yet, or --force to replace the tasks in it")
    for path in there:
        # A slip of the finger must not cost a home folder.
        if not (path / "task.toml").is_file():
            raise InputError(str(out), f"a folder with task packages only; {path.name} is none, so nothing is replaced")


def _take_place(draft: Path, out: Path) -> None:
    if not out.exists():
        draft.rename(out)
        return
    old = out.with_name(f"{draft.name}.old")
    out.rename(old)
    try:
        draft.rename(out)
    except OSError:
        old.rename(out)
        raise
    shutil.rmtree(old)
