"""The folder of a Kattis problem package: its files as text, its YAML as tables. Nothing outside of it is read.

Tree                    reads; raises InputError, which names the file and what was expected there
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from graders.tasks.package import MAX_BYTES
from rubrics.input_error import InputError

MOST_YAML_CHARACTERS = 64 << 10
MOST_DEPTH = 20
"""Folders in folders; a link may lead to a folder above it."""


class _EachKeyOnce(yaml.SafeLoader):  # type: ignore[misc] # PyYAML has no types
    """A loader that refuses equal keys; PyYAML silently drops the first of two."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - as there
        made: dict[Any, Any] = super().construct_mapping(node, deep=deep)
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(keys)) < len(keys):
            [(twice, _)] = Counter(keys).most_common(1)
            raise ValueError(f"the key {twice!r:.80} is there twice")
        return made


_CONSTANT = re.compile(r"\{\{(\w+)\}\}|\\constant\{(\w+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """A problem package. Paths are in its folder; a part of one that begins with a dot is not there."""

    root: Path
    constants: Mapping[str, str] = field(default_factory=dict)
    """Values of `{{name}}` in all files but test data."""

    def entries(self, folder: Path) -> list[Path]:
        """Return the entries of a folder by name; empty if the folder does not exist."""
        if not folder.is_dir():
            return []
        if len(folder.relative_to(self.root).parts) > MOST_DEPTH:
            raise InputError(str(folder), f"folders of at most {MOST_DEPTH} levels")
        found = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
        for path in found:
            self._check_inside(path)
            if not (path.is_file() or path.is_dir()):
                raise InputError(str(path), "a file or a folder")
        return [path for path in found if path.name != "__pycache__"]

    def _check_inside(self, path: Path) -> None:
        """Refuse a link that leads out of the package: it may bring any file of this machine."""
        if path.is_symlink() and not path.resolve().is_relative_to(self.root.resolve()):
            raise InputError(str(path), "a link to something in the package, not out of it")

    def files(self, folder: Path) -> Iterator[Path]:
        """Return all files below a folder."""
        for path in self.entries(folder):
            if path.is_dir():
                yield from self.files(path)
            else:
                yield path

    def text(self, path: Path) -> str:
        """Return a file of test data, byte for byte."""
        self._check_inside(path)
        try:
            if path.stat().st_size > MAX_BYTES:
                raise InputError(str(path), f"at most {MAX_BYTES >> 20} MiB")
            return path.read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(str(path), f"a text in UTF-8 ({error})") from error

    def replaced(self, path: Path) -> str:
        """Return any other file, with the package's constants filled in."""
        return _CONSTANT.sub(lambda found: self.constants.get(found[1] or found[2], found[0]), self.text(path))

    def table(self, path: Path, known: Iterable[str] | None = None) -> dict[str, Any]:
        """Return a YAML file as a table with only the known keys (any keys if None); empty if the file is missing."""
        text = self.replaced(path) if path.exists() else ""
        try:
            # A few lines of aliases may expand to more than all memory.
            has_alias = any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader))
            stated = None if has_alias or len(text) > MOST_YAML_CHARACTERS else yaml.load(text, _EachKeyOnce) or {}  # noqa: S506
        except (ValueError, yaml.YAMLError, RecursionError) as error:  # ValueError: no such date
            raise InputError(str(path), f"YAML ({error})") from error
        if has_alias or len(text) > MOST_YAML_CHARACTERS:
            raise InputError(str(path), f"YAML of at most {MOST_YAML_CHARACTERS >> 10} KiB without aliases (*name)")
        return table_of(stated, str(path), known)


def table_of(stated: object, where: str, known: Iterable[str] | None = None) -> dict[str, Any]:
    """Return a table with only the known keys; any keys if `known` is None."""
    if not isinstance(stated, dict) or not all(isinstance(key, str) for key in stated):
        raise InputError(where, f"a table of keys and values, not {stated!r:.80}")
    unknown = [] if known is None else sorted(set(stated) - set(known))
    if known is not None and unknown:
        raise InputError(f"{where}: {unknown[0]}", f"one of the keys {', '.join(sorted(known))}")
    return stated


def words_of(stated: object, where: str) -> tuple[str, ...]:
    """Return arguments of a program: a list of texts, or one text that is split at its white space."""
    if isinstance(stated, str):
        return tuple(stated.split())
    if not isinstance(stated, list) or not all(isinstance(word, str) for word in stated):
        raise InputError(where, f"a text, or a list of texts (numbers in quotes), not {stated!r:.80}")
    return tuple(stated)


def number_of(stated: object, where: str, *, above: float = 0.0) -> float:
    """Return a number greater than `above`."""
    if isinstance(stated, bool) or not isinstance(stated, int | float) or not above < stated < float("inf"):
        raise InputError(where, f"a number greater than {above:g}, not {stated!r:.80}")
    return stated
