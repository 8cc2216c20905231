"""Files that tests and submission share across their boxes: files that tests name are sent, and what is written comes
back.

    files   [[[path, is a folder]...], [[path, content]...]]        content: base64, "/" for a folder, null if it is gone

Paths are the same on both sides: absolute and normalized. A folder that tests name is shared with all below it, a file
by itself. Links and special files do not cross. Files that Python or a shell would run do not come back: tests may
import from there.
"""

import os
import stat
import time
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterator
from typing import Any

from graders.boxed.shared.encoding import Decoder, Encoder, EncodingError, Tree, array, text

MAX_FILES = 1000
MAX_TOTAL = 8 << 20
"""Bytes in all shared files of one side."""
FOLDER = "/"
SETTLED_NS = 50_000_000
"""A file that changed within this time may change again without a new date: clocks of file systems are coarse."""
CODE = (".py", ".pyc", ".pyd", ".so", ".pth", ".sh", ".zip", ".egg")

Stamp = tuple[int, int, int]


class SharedFiles:
    """The part of the file system that is the same on both sides."""

    def __init__(self) -> None:
        self.roots: dict[str, bool] = {}
        """Path -> whether it is a folder, which is shared with all below it."""
        self._known: dict[str, tuple[Stamp, str]] = {}
        """Path -> its stamp at the last look, and the content that both sides have."""
        self._new_roots: list[str] = []

    def share(self, path: str, *, folder: bool) -> None:
        """Share this path from now on."""
        if not self.is_shared(path):
            self.roots[path] = folder
            self._new_roots.append(path)

    def is_shared(self, path: str) -> bool:
        return path in self.roots or any(folder and path.startswith(root + "/") for root, folder in self.roots.items())

    def changes(self, encoder: Encoder) -> Tree:
        """Return the changes that the other side does not have yet, or None. Raises EncodingError if they are too
        large.
        """
        told: list[Tree] = []
        now: dict[str, tuple[Stamp, str]] = {}
        total = 0
        for path, found in self._found():
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            known = self._known.get(path)
            if known is not None and known[0] == stamp and is_settled(found):
                now[path] = known
            else:
                content = _content(path, found) if self.sends(path) else None
                if content is None:
                    continue
                now[path] = (stamp, content)
                if known is None or known[1] != content:
                    told.append([encoder.tree(path), content])
            total += len(now[path][1]) * 3 // 4
            if len(now) > MAX_FILES or total > MAX_TOTAL:
                raise EncodingError(
                    f"more than {MAX_FILES} files or {MAX_TOTAL >> 20} MiB that tests and submission share"
                )
        gone: list[Tree] = [[encoder.tree(path), None] for path in reversed(self._known) if path not in now]
        roots: list[Tree] = [[encoder.tree(path), self.roots[path]] for path in self._new_roots]
        self._known, self._new_roots = now, []
        return [roots, gone + told] if roots or gone or told else None

    def again(self) -> None:
        """Send everything again: the last changes may not have reached the other side."""
        self._known, self._new_roots = {}, list(self.roots)

    def may_write(self, path: str) -> bool:
        """Return whether the other side may write this file here."""
        raise NotImplementedError

    def sends(self, path: str) -> bool:
        """Return whether this file is sent to the other side."""
        return True

    def apply(self, decoder: Decoder, content: Tree) -> None:
        """Write the other side's changes here. Raises EncodingError for changes that no honest side sends."""
        roots, changes = array(content, 2)
        for pair in array(roots):
            path, folder = array(pair, 2)
            self._take_root(_path(decoder, path), folder=folder is True)
        written = array(changes)
        if len(written) > 2 * MAX_FILES:
            raise EncodingError("too many files")
        for pair in written:
            name, tree = array(pair, 2)
            path = _path(decoder, name)
            if self.may_write(path):
                self._write(path, None if tree is None else text(tree))

    def _take_root(self, path: str, *, folder: bool) -> None:
        raise EncodingError(f"{path}, {folder}: only tests share a file")

    def _write(self, path: str, content: str | None) -> None:
        try:
            if content is None:
                self._known.pop(path, None)
                os.rmdir(path) if stat.S_ISDIR(os.lstat(path).st_mode) else os.unlink(path)
                return
            if content == FOLDER:
                os.makedirs(path, exist_ok=True)
            else:
                replace(path, a2b_base64(content))
        except ValueError as error:
            raise EncodingError("no content of a file") from error
        except OSError:
            return  # tests or submission put something in its way on purpose
        found = os.lstat(path)
        self._known[path] = ((found.st_mtime_ns, found.st_size, found.st_ino), content)

    def _found(self) -> Iterator[tuple[str, os.stat_result]]:
        for root, folder in self.roots.items():
            try:
                found = os.lstat(root)
            except OSError:
                continue
            if not folder:
                yield root, found
            elif stat.S_ISDIR(found.st_mode):
                yield root, found
                yield from below(root)


def below(folder: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield everything in a folder, with the status of links themselves, each folder before its content."""
    try:
        with os.scandir(folder) as each:
            entries = list(each)
    except OSError:
        return
    for entry in entries:
        try:
            found = entry.stat(follow_symlinks=False)
        except OSError:
            continue
        yield entry.path, found
        if stat.S_ISDIR(found.st_mode):
            yield from below(entry.path)


def replace(path: str, content: bytes) -> None:
    """Write a file, and make its folder if needed. Raises OSError if something else is in its place."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path) and not stat.S_ISREG(os.lstat(path).st_mode):
        raise FileExistsError(path)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644), "wb") as file:
        file.write(content)


def is_code(path: str) -> bool:
    """Return whether Python or a shell would run a file of this name."""
    return path.lower().endswith(CODE)


def is_settled(found: os.stat_result) -> bool:
    """Return whether another change would get another date."""
    return time.time_ns() - found.st_mtime_ns > SETTLED_NS


def _content(path: str, found: os.stat_result) -> str | None:
    if stat.S_ISDIR(found.st_mode):
        return FOLDER
    if not stat.S_ISREG(found.st_mode):
        return None
    if found.st_size > MAX_TOTAL:
        raise EncodingError(f"a file of more than {MAX_TOTAL >> 20} MiB")
    try:
        with open(path, "rb") as file:
            return b2a_base64(file.read(MAX_TOTAL), newline=False).decode()
    except OSError:
        return None


def _path(decoder: Decoder, tree: Tree) -> str:
    path: Any = decoder.value(tree)
    if type(path) is not str or not path.startswith("/") or os.path.normpath(path) != path or "\0" in path:
        raise EncodingError("no path")
    return path
