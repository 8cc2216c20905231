"""Plain English, as docs/style.md asks for it: the counted phrases may only become fewer."""

from pathlib import Path

import pytest

from tests.repository.english import OPENINGS, PATTERNS, counted, prose

MOST = {
    "sandboxes": (5, 14, 2, 6, 0, 4, 1, 0),
    "graders": (35, 34, 22, 5, 4, 2, 13, 17),
    "service": (7, 14, 7, 8, 0, 2, 6, 8),
    "rubrics": (1, 2, 0, 1, 0, 0, 0, 1),
    "tests": (42, 17, 72, 56, 5, 17, 59, 39),
    "benchmarks": (3, 3, 2, 3, 0, 0, 0, 2),
    "docs": (8, 18, 20, 19, 0, 8, 0, 0),
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
