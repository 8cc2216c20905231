"""Tasks from wherever a command line names them: folders of task packages, benchmarks' files, other people's packages.

`assay eval`, `verify`, `tasks` and `tasks import` all read them here.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from graders.tasks import package
from graders.tasks.package import PackageError
from rubrics.input_error import InputError
from service.importers.benchmark import AUTO, FORMATS, raise_it, read_benchmark
from service.importers.formats import quixbugs
from service.importers.kattis import package as kattis
from service.importers.package_text import ImportedTask, with_reference
from service.importers.rows import count
from service.packages import read_folder

FOLDERS = ("kattis", "quixbugs")
NAMES = (AUTO, *FORMATS, *FOLDERS)
"""The names of the formats on the command line."""

OnBad = Callable[[InputError | PackageError], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Tasks at one place."""

    total: int
    """How many there are, those that turn out to be none included."""
    tasks: Iterator[ImportedTask]
    """Read as they are asked for. Raises InputError."""


def read_tasks(path: Path) -> dict[str, ImportedTask]:
    """Return the tasks of a task package's folder, of a folder of such folders, or of a benchmark, by id.

    Raises InputError, or PackageError with the folder.
    """
    return {task.id: with_reference(task, {}) for task in source([path]).tasks}


def source(paths: Iterable[Path], format: str = AUTO, on_bad: OnBad = raise_it) -> Source:
    """Return the tasks at these places in order. Raises InputError if a place does not have tasks.

    Args:
        paths: files or folders.
        format: one of NAMES.
        on_bad: receives the error of each task that cannot be read; if it does not raise, the others follow.
    """
    found = [_source(path, format, on_bad) for path in paths]
    tasks = _unique((task for each in found for task in each.tasks), on_bad)
    return Source(total=sum(each.total for each in found), tasks=tasks)


def _unique(tasks: Iterable[ImportedTask], on_bad: OnBad) -> Iterator[ImportedTask]:
    seen: dict[str, str] = {}
    for task in tasks:
        if task.id in seen:
            on_bad(InputError(f"{task.where}: id", f"an id of its own; {seen[task.id]} has {task.id!r} too"))
            continue
        seen[task.id] = task.where
        yield task


def _source(path: Path, format: str, on_bad: OnBad) -> Source:
    if not path.is_dir():
        if format in FOLDERS:
            raise InputError(str(path), f"a folder in the form of {format}")
        return Source(total=count(path), tasks=read_benchmark(path, format, on_bad))
    if format in FORMATS:
        raise InputError(str(path), f"a file in the form of {format}, not a folder")
    for name, places, read in (
        ("packages", _folders(path, "task.toml"), _read_package),
        ("kattis", _folders(path, "problem.yaml"), kattis.read_problem),
        ("quixbugs", quixbugs.programs(path) if quixbugs.is_quixbugs(path) else [], quixbugs.read_program),
    ):
        if places and format in (AUTO, name):
            return Source(total=len(places), tasks=_each(places, read, on_bad))
    raise InputError(
        str(path), _EXPECTED.get(format, "the folder of a task package (with a task.toml), or a folder of such folders")
    )


_EXPECTED: Mapping[str, str] = {
    "kattis": "the folder of a problem package (with a problem.yaml), or a folder of such folders",
    "quixbugs": f"a folder with {quixbugs.CASES}, {quixbugs.CORRECT} and {quixbugs.BUGGY}",
}


def _folders(path: Path, file: str) -> list[Path]:
    return [path] if (path / file).exists() else sorted(found.parent for found in path.glob(f"*/{file}"))


def _each(places: list[Path], read: Callable[[Path], ImportedTask], on_bad: OnBad) -> Iterator[ImportedTask]:
    for place in places:
        try:
            task = read(place)
        except (InputError, PackageError) as error:
            on_bad(error)
            continue
        yield task


def _read_package(folder: Path) -> ImportedTask:
    try:
        files = read_folder(folder)
        task = package.load(files)
    except PackageError as error:
        raise PackageError(f"{folder}: {error.field}", error.expected) from error
    return ImportedTask(id=task.id, files=files, entry_file=task.entry_file, where=str(folder))
