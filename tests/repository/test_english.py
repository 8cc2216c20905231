"""Plain English, as docs/style.md asks for it: the counted phrases may only become fewer."""

from pathlib import Path

import pytest

from tests.repository.english import OPENINGS, PATTERNS, counted, prose

MOST = {
    "sandboxes": (146, 28, 69, 42, 8, 19, 54, 42),
    "graders": (314, 79, 199, 78, 38, 31, 178, 153),
    "service": (167, 56, 129, 69, 35, 35, 102, 91),
    "rubrics": (24, 7, 18, 7, 0, 5, 10, 10),
    "tests": (55, 18, 92, 57, 6, 15, 69, 40),
    "benchmarks": (22, 3, 12, 10, 3, 5, 20, 14),
    "docs": (180, 84, 207, 110, 7, 29, 0, 0),
}
"""Folder -> how often each phrase may occur, in the order of `PATTERNS` and `OPENINGS`. Lower a number after a rewrite; never raise one."""


@pytest.mark.parametrize("folder", MOST)
def test_no_phrase_becomes_more_frequent(folder: str) -> None:
    counts = counted(folder)
    more = {
        name: f"{counts[name]}, not {most}"
        for name, most in zip((*PATTERNS, *OPENINGS), MOST[folder], strict=True)
        if counts[name] > most
    }
    assert not more, f"see docs/style.md for what to write instead: {more}"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("where", "Raises an error where there is none."),
        ("no", "It is no error."),
        ("tell", "What the engine says of it."),
        ("whoever", "Whoever reads it, somebody must."),
        ("so many", "It is tried so often."),
        ("gives", "What becomes of it."),
    ],
)
def test_the_counter_sees_each_phrase(name: str, text: str) -> None:
    assert PATTERNS[name].search(text)


def test_code_is_not_prose(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text('"""What it is."""\nwhere = "nobody"  # so many\n')
    assert list(prose(file)) == [("# so many", False), ("What it is.", True)]
