"""Packages that a task's programs import and a box does not have, unless its base image was made to. Nothing is run."""

import ast
import sys
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

BOX_PACKAGES = frozenset({"numpy", "pytest", "_pytest", "pytest_timeout", "hypothesis", "reference"})
"""Packages in a box beside the standard library (docs/reference/task-package.md); property suites import `reference`."""


def missing_packages(files: Mapping[str, str]) -> frozenset[str]:
    """Return the packages that references and suites (path -> text) import and a box lacks, without optional imports."""
    programs = {
        path: text for path, text in files.items() if path.endswith(".py") and not path.startswith(_OTHER_SUBMISSIONS)
    }
    own = {name for path in files if path.endswith(".py") for name in _names(path)} | {"solution"}
    found = {name for text in programs.values() for name in _imported(text)}
    return frozenset(found - own - BOX_PACKAGES - sys.stdlib_module_names)


_OTHER_SUBMISSIONS = tuple(f"submissions/{kind}/" for kind in ("wrong", "slow", "insecure", "hostile"))


def _names(path: str) -> Iterator[str]:
    place = PurePosixPath(path)
    yield from (place.stem, *place.parts[:-1])


def _imported(text: str) -> Iterator[str]:
    try:
        nodes: list[ast.AST] = [ast.parse(text)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    while nodes:
        node = nodes.pop()
        match node:
            case ast.Import(names=aliases):
                yield from (alias.name.partition(".")[0] for alias in aliases)
            case ast.ImportFrom(module=str(module), level=0):
                yield module.partition(".")[0]
        if not isinstance(node, ast.Try):
            nodes += ast.iter_child_nodes(node)
