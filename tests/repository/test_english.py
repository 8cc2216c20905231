"""Plain English, as docs/style.md asks for it: the counted phrases may only become fewer."""

from pathlib import Path

import pytest

from tests.repository.english import OPENINGS, PATTERNS, counted, prose

MOST = {
    "sandboxes": (146, 28, 69, 42, 8, 19, 57, 42),
    "graders": (288, 70, 192, 77, 28, 29, 167, 138),
    "service": (222, 74, 146, 77, 49, 42, 137, 116),
    "rubrics": (24, 7, 18, 7, 0, 5, 10, 10),
    "tests": (64, 21, 100, 69, 6, 20, 78, 45),
    "benchmarks": (22, 3, 12, 10, 3, 5, 20, 14),
    "docs": (188, 88, 211, 111, 8, 29, 0, 0),
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
