"""A task package's folder on this disk, read into the form in which it goes over HTTP."""

import os
from collections.abc import Iterator
from pathlib import Path

from graders.tasks.package import MAX_BYTES, MAX_FILES, PackageError


def read_folder(folder: Path) -> dict[str, str]:
    """Return the package: path inside it -> text, without files whose name begins with a dot, and without `__pycache__`.

    Raises:
        PackageError: if the folder does not exist, a file is a symbolic link, not regular or not UTF-8, or the package is
            larger than allowed. `graders.tasks.package.load` checks the contents.
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
