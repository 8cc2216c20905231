"""Tasks from wherever a command line names them: folders of task packages, files of benchmarks."""

from pathlib import Path

from graders import package
from graders.package import PackageError
from service.importers.benchmark import read_benchmark
from service.importers.package_text import FormatError, ImportedTask
from service.packages import read_folder


def read_tasks(path: Path) -> dict[str, ImportedTask]:
    """The tasks, by id, of a task package's folder, of a folder of such folders, or of a benchmark's file.

    Raises FormatError, or PackageError naming the folder.
    """
    if not path.is_dir():
        return {task.id: task for task in read_benchmark(path)}
    folders = [path] if (path / "task.toml").exists() else sorted(file.parent for file in path.glob("*/task.toml"))
    if not folders:
        raise FormatError(str(path), "the folder of a task package (with a task.toml), or a folder of such folders")
    tasks: dict[str, ImportedTask] = {}
    for folder in folders:
        task = _read_package(folder)
        if task.id in tasks:
            raise FormatError(f"{folder}: id", f"an id that no other task here has, not {task.id!r}")
        tasks[task.id] = task
    return tasks


def _read_package(folder: Path) -> ImportedTask:
    try:
        files = read_folder(folder)
        task = package.load(files)
    except PackageError as error:
        raise PackageError(f"{folder}: {error.field}", error.expected) from error
    return ImportedTask(id=task.id, files=files, completed_prompt=None, entry_file=task.entry_file)
