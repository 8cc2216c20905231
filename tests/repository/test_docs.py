"""Every page is listed in docs/index.md, every link leads to a file, and prose wraps at 100 characters."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
INDEX = DOCS / "index.md"
WIDTH = 100
OTHERS = (
    "explanation/sandbox.md",
    "explanation/examination.md",
    "adr/0014-two-examinations.md",
    "adr/0015-what-objects-decide.md",
)
"""Pages that are rewritten apart from this rule. Remove a name when its page keeps it."""
GENERATED = "reference/http-api.md"
PAGES = sorted(page for page in DOCS.rglob("*.md") if "changelog.d" not in page.parts)
LINK = re.compile(r"\]\(([^)\s]+)\)")
ROW = re.compile(r"^\| \[[^\]]+\]\(([^)\s]+)\) \|", re.MULTILINE)
"""A page in a table of the index."""
PATH = re.compile(r"`((?:service|graders|sandboxes|rubrics|tests|benchmarks)/[\w./-]*\.(?:py|c|md|toml))`")
"""A file of the tree, as pages name it."""


def name(page: Path) -> str:
    return str(page.relative_to(DOCS))


def prose_lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the numbered lines of a page that can wrap: not code, tables, headings, or one long word."""
    inside = False
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            inside = not inside
        elif not inside and not line.startswith(("|", "#", "    ")) and " " in line.strip().lstrip("*-0123456789. "):
            yield number, line


def unlisted(index: str, pages: list[str]) -> list[str]:
    listed = ROW.findall(index)
    return [page for page in pages if listed.count(page) != 1]


def dead_links(page: Path, text: str) -> list[str]:
    targets = [link.partition("#")[0] for link in LINK.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL))]
    return [link for link in targets if link and "://" not in link and not (page.parent / link).exists()]


def test_every_page_is_listed_once_in_the_index() -> None:
    assert not unlisted(INDEX.read_text(), [name(page) for page in PAGES if page != INDEX])
    assert "(docs/index.md)" in (ROOT / "README.md").read_text()


def test_a_page_that_is_not_listed_is_found() -> None:
    assert unlisted("| [a](howto/a.md) |", ["howto/a.md", "howto/b.md"]) == ["howto/b.md"]


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=lambda page: page.stem)
def test_every_link_leads_to_a_file(page: Path) -> None:
    assert not dead_links(page, page.read_text())


@pytest.mark.parametrize("page", [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"], ids=lambda page: page.stem)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    made = "howto/change-assay.md"  # its examples make files, and tests/integration/test_howto_change.py makes them
    named = PATH.findall(re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL))
    missing = [path for path in named if not (ROOT / path).exists()]
    assert not missing or str(page).endswith(made), missing


@pytest.mark.parametrize(
    "page",
    [*(page for page in PAGES if name(page) not in (*OTHERS, GENERATED)), ROOT / "README.md", ROOT / "CONTRIBUTING.md"],
    ids=lambda page: page.stem,
)
def test_prose_wraps(page: Path) -> None:
    long = [f"{page.name}:{number}" for number, line in prose_lines(page.read_text()) if len(line) > WIDTH]
    assert not long


def test_a_long_line_of_prose_is_found_and_a_table_is_not() -> None:
    long = "word " * 30
    text = f"{long}\n| {long} |\n```\n{long}\n```\n* {long}\n"
    assert [number for number, line in prose_lines(text) if len(line) > WIDTH] == [1, 6]
