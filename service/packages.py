"""A task package's folder on this disk, read into the form in which it goes over HTTP."""

import os
from collections.abc import Iterator
from pathlib import Path

from graders.tasks.package import MAX_BYTES, MAX_FILES, PackageError


def read_folder(folder: Path) -> dict[str, str]:
    """Path inside the package -> text, for every file but those whose name begins with a dot, and `__pycache__`.

    Raises:
        PackageError: where there is no such folder, a file is a symbolic link or no regular file, is no UTF-8 text, or
            there is more than a package may hold. What the texts say is left to `graders.tasks.package.load`.
    """
    if not folder.is_dir():
        raise PackageError(str(folder), "the folder of a task package")
    files: dict[str, str] = {}
    room = MAX_BYTES
    for path in _paths(folder):
        name = path.relative_to(folder).as_posix()
        # A link could lead out of the package, to a file that its author never meant to upload.
        if path.is_symlink() or not path.is_file():
            raise PackageError(name, "a regular file, not a link or a device")
        if len(files) == MAX_FILES:
            raise PackageError(str(folder), f"at most {MAX_FILES} files")
        room -= path.stat().st_size
        if room < 0:
            raise PackageError(name, f"at most {MAX_BYTES // 1024**2} MiB in all files together")
        try:
            files[name] = path.read_bytes().decode("utf-8")
        except UnicodeDecodeError as error:
            raise PackageError(name, f"UTF-8 text (byte {error.start} is {error.object[error.start]:#04x})") from error
    return files


def _paths(folder: Path) -> Iterator[Path]:
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.name.startswith(".") or entry.name == "__pycache__":
            continue
        if entry.is_dir(follow_symlinks=False):
            yield from _paths(Path(entry.path))
        else:
            yield Path(entry.path)
