"""The glossary names each idea once, and every type of the ports is named after one of them."""

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

from graders import interface as graders_interface
from rubrics import model, preference, signals
from sandboxes import interface as sandboxes_interface

ROOT = Path(__file__).parents[2]
GLOSSARY = ROOT / "docs" / "glossary.md"
PACKAGES = ("service", "graders", "sandboxes", "rubrics")
NOT_OURS = {"submissions", "hidden", "migrations"}
"""Folders of what authors and models write, and of what alembic reads."""
PORTS = (graders_interface, sandboxes_interface, signals, model, preference)


def words() -> list[str]:
    rows = [line.split("|")[1] for line in GLOSSARY.read_text(encoding="utf-8").splitlines() if line.startswith("| **")]
    return [word for row in rows for word in re.findall(r"\*\*(.+?)\*\*", row)]


def types() -> list[type]:
    """The classes that the ports define, without exceptions, which are named after what went wrong."""
    return [
        value
        for port in PORTS
        for name, value in vars(port).items()
        if isinstance(value, type) and value.__module__ == port.__name__ and not name.startswith("_")
        if not issubclass(value, Exception)
    ]


def test_a_word_is_explained_once() -> None:
    assert sorted(set(words())) == sorted(words())
    assert len(words()) > 30


@pytest.mark.parametrize("named", types(), ids=lambda named: named.__name__)
def test_a_type_of_the_ports_is_named_after_an_idea(named: type) -> None:
    parts = {part.lower() for part in re.findall("[A-Z][a-z]*", named.__name__)}
    assert parts & set(words()), f"{named.__name__} uses no word of docs/glossary.md: add it there, or rename the type"


def test_a_type_name_stands_for_one_idea() -> None:
    """A leading underscore does not matter: a search for the word finds both."""
    homes = defaultdict(set)
    for file in (file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        if not NOT_OURS & set(file.parts):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    homes[node.name.lstrip("_")].add(str(file.relative_to(ROOT)))
    twice = {name: sorted(files) for name, files in homes.items() if len(files) > 1}
    assert not twice, f"two ideas have one name; rename one of them: {twice}"
