"""docs/howto/change-assay.md, followed to the letter in a copy of the checkout: its examples work and pass the tests that it names."""

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "howto" / "change-assay.md").read_text()
SECTIONS = {
    title: text for title, _, text in (part.partition("\n") for part in re.split(r"^## ", TEXT, flags=re.MULTILINE)[1:])
}
COPIED = (
    "service",
    "graders",
    "sandboxes",
    "rubrics",
    "docker",
    "docs/reference",
    "tests/unit",
    "tests/integrity",
    "tests/conftest.py",
)
MOST_LINES = 60
"""A change of these sorts is not larger; if it becomes so, the tree has got worse."""


@dataclass(frozen=True)
class Change:
    """The new files of a section, and its hunks as pairs of old and new text."""

    added: Mapping[str, str]
    hunks: Mapping[str, list[tuple[str, str]]]

    @property
    def lines(self) -> int:
        """Lines of code that the reader has to write, without blank ones."""
        written = [line for text in self.added.values() for line in text.splitlines()]
        for path, hunks in self.hunks.items():
            if not path.endswith(".md"):
                written += [line for old, new in hunks for line in new.splitlines() if line not in old.splitlines()]
        return len([line for line in written if line.strip()])


def change(section: str) -> Change:
    added: dict[str, str] = {}
    hunks: dict[str, list[tuple[str, str]]] = {}
    for language, block in re.findall(r"^```(python|diff)\n(.*?)^```$", section, flags=re.DOTALL | re.MULTILINE):
        first, _, rest = block.partition("\n")
        if language == "python" and first.startswith("# "):
            added[first.removeprefix("# ")] = rest
        elif language == "diff":
            head, *bodies = re.split(r"^@@\n", block, flags=re.MULTILINE)
            path = head.splitlines()[1].removeprefix("+++ b/")
            hunks.setdefault(path, []).extend(map(_old_and_new, bodies))
    return Change(added=added, hunks=hunks)


def _old_and_new(body: str) -> tuple[str, str]:
    lines = [(line[:1] or " ", line[1:]) for line in body.splitlines()]
    old = "\n".join(text for sign, text in lines if sign in " -")
    return old, "\n".join(text for sign, text in lines if sign in " +")


def applied(section: str, copy: Path) -> Change:
    """Follow the section in a copy of the checkout, and install that as `pip install -e` would."""
    for path in COPIED:
        if (ROOT / path).is_dir():
            shutil.copytree(ROOT / path, copy / path, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / path, copy / path)
    shutil.copy(ROOT / "pyproject.toml", copy)
    made = change(section)
    for path, text in made.added.items():
        assert not (copy / path).exists(), f"{path} is there already"
        if not (copy / path).parent.exists():
            (copy / path).parent.mkdir()
            (copy / path).with_name("__init__.py").touch()
        (copy / path).write_text(text)
    for path, hunks in made.hunks.items():
        for old, new in hunks:
            before = (copy / path).read_text()
            assert f"\n{before}".count(f"\n{old}\n") == 1, f"{path} does not have once:\n{old}"
            (copy / path).write_text(f"\n{before}".replace(f"\n{old}\n", f"\n{new}\n")[1:])
    metadata = copy / "assay-0.1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: assay\nVersion: 0.1.0\n")
    points = tomllib.loads((copy / "pyproject.toml").read_text())["project"]["entry-points"]["assay.graders"]
    lines = "".join(f"{name} = {value}\n" for name, value in points.items())
    (metadata / "entry_points.txt").write_text(f"[assay.graders]\n{lines}")
    return made


def run(copy: Path, *command: str) -> str:
    done = subprocess.run(
        command,
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(copy), "PATH": "/usr/bin:/bin:/usr/sbin:/sbin"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def passing(copy: Path, *arguments: str) -> str:
    """Run tests in the copy and return the names of those that passed."""
    return run(copy, sys.executable, "-m", "pytest", "-v", *arguments)


IN_A_BOX = """
from graders.interface import Tier
from service.host.preparation import prepare
with prepare(lambda line: None) as tiers, tiers.at_least(Tier.JAIL).session() as session:
"""
KIND = f"""
from dataclasses import replace
from graders.builtin.hidden_tests import HiddenTests
from graders.interface import CaseOutcome
from graders.plugins.testing import context_of
from graders.tasks.package import load
FILES = {{
    "task.toml": '''id = "greet"
title = "Greet"
reference = "submissions/accepted/reference.py"

[[suite]]
id = "hidden"
kind = "smoke"
files = ["hidden/*"]
''',
    "prompt.md": "Greet the name on stdin.",
    "hidden/empty.in": "", "hidden/name.in": "Ada\\n",
    "submissions/accepted/reference.py": "import sys\\nprint('Hello', sys.stdin.read())\\n",
}}
task = load(FILES)
{IN_A_BOX}
    given = replace(context_of({{"solution.py": "print('Hello', input())\\n"}}, session), task=task)
    print([(s.case, s.outcome.value) for s in HiddenTests().grade(given) if isinstance(s, CaseOutcome)])
"""
ANALYZER = f"""
from graders.builtin.todos import Todos
from graders.plugins.testing import check
{IN_A_BOX}
    check(Todos(), session=session)
"""
GRADER = """
from graders.builtin.docstrings import Docstrings
from graders.plugins.testing import check
check(Docstrings())
"""
IMPORTER = """
import json
from pathlib import Path
from graders.tasks.package import load
from service.importers.tasks import read_tasks
row = {"puzzle_id": "p1", "question": "Write one().", "answer": "def one():\\n    return 1\\n", "asserts": ["assert one() == 1"]}
Path("rows.jsonl").write_text(json.dumps(row))
[task] = read_tasks(Path("rows.jsonl")).values()
print(load(task.files).suites[0].kind)
"""


def suite_kind(copy: Path) -> None:
    assert run(copy, sys.executable, "-c", KIND).strip() == "[('empty', 'failed'), ('name', 'passed')]"


def analyzer(copy: Path) -> None:
    run(copy, sys.executable, "-c", ANALYZER)


def grader(copy: Path) -> None:
    run(copy, sys.executable, "-c", GRADER)
    assert "docstrings" in passing(copy, "tests/unit/test_registry_documented.py")


def integrity_rule(copy: Path) -> None:
    selected = "waits or no_section_is_left or good_example"
    assert "[assay/waits]" in passing(copy, "tests/unit/test_integrity.py", "-k", selected)


def importer(copy: Path) -> None:
    assert run(copy, sys.executable, "-c", IMPORTER).strip() == "pytest"


WALKS: Mapping[str, Callable[[Path], None]] = {
    "A suite kind": suite_kind,
    "A grader": grader,
    "An analyzer": analyzer,
    "An integrity rule": integrity_rule,
    "An importer": importer,
}

IN_BOXES = ("A suite kind", "An analyzer")


@pytest.mark.parametrize(
    "title", [pytest.param(title, marks=[pytest.mark.box] if title in IN_BOXES else []) for title in WALKS]
)
def test_a_stranger_who_follows_the_page_arrives(title: str, tmp_path: Path) -> None:
    made = applied(SECTIONS[title], tmp_path)
    assert 5 < made.lines <= MOST_LINES
    files = [str(tmp_path / path) for path in made.added]
    run(tmp_path, tool("ruff"), "check", "--no-cache", *files)
    run(tmp_path, tool("ruff"), "format", "--check", "--no-cache", *files)
    run(tmp_path, tool("lint-imports"), "--no-cache")
    WALKS[title](tmp_path)


@pytest.mark.parametrize("title", WALKS)
def test_a_change_touches_only_files_that_its_section_lists(title: str) -> None:
    made = change(SECTIONS[title])
    listed = re.findall(r"`([\w./]+)`", "".join(re.findall(r"^\| \d \|.*$", SECTIONS[title], flags=re.MULTILINE)))
    patterns = [re.sub(r"[A-Z]{4,}", r"\\w+", path) + (r"\w+\.py" if path.endswith("/") else "") for path in listed]
    for path in (*made.added, *made.hunks):
        assert any(re.fullmatch(pattern, path) for pattern in patterns), f"{path} is not in the table of {title!r}"


def test_every_sort_of_change_has_a_table_and_names_its_tests() -> None:
    assert len(SECTIONS) == 8
    for title, section in SECTIONS.items():
        assert re.search(r"^\| 1 \| ", section, flags=re.MULTILINE), title
        assert "**Tests that bite**" in section, title
        named = re.findall(r"`(tests/[\w./]+?)`", section)
        assert [path for path in named if "NAME" not in path and not (ROOT / path).exists()] == []


def test_a_hunk_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    moved = SECTIONS["An importer"].replace("         make=apps,", "         make=gone,")
    with pytest.raises(AssertionError, match="does not have once"):
        applied(moved, tmp_path)
