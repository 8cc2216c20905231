"""The refusals of intake, field by field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.runs.intake import MAX_BYTES, MAX_FILES, RunRequest, Wrong, check_files, check_labels

GOOD = {"solution.py": "def f(): return 1\n"}


def wrong(files: dict[str, str]) -> list[Wrong]:
    return list(check_files(files, "solution.py"))


def test_a_good_submission_has_nothing_wrong() -> None:
    assert wrong({**GOOD, "package/part.py": "", "data/ünïcode name.txt": "\u202e\x1b[31m"}) == []


@pytest.mark.parametrize(
    "path",
    [
        "", "/etc/passwd", "../x.py", "a/../../x.py", "a//b.py", "a/", "./a.py", "a/./b.py", "..", ".",
        "a\\b.py", "C:\\x.py", "a\0.py", "a\nb.py", "a\x1b[2J.py", "a\ud800.py", "a\u202eyp.exe", "x" * 201,
        "\N{SNOWMAN}" * 86, "a/" + "\N{GRINNING FACE}" * 64 + "/b.py",
    ],
)  # fmt: skip
def test_paths_that_leave_the_folder_or_confuse_are_refused(path: str) -> None:
    (found,) = wrong({**GOOD, path: "x = 1"})
    assert found.field.startswith("files.")
    assert "relative path" in found.expected
    assert found.field.isprintable()


@pytest.mark.parametrize("folder", ["pkg", "pkg/sub"])
def test_a_path_cannot_be_a_file_and_a_folder(folder: str) -> None:
    (found,) = wrong({**GOOD, folder: "x", "pkg/sub/part.py": "y"})
    assert found.field == "files.pkg/sub/part.py"
    assert "folder" in found.expected


@pytest.mark.parametrize(("text", "said"), [("a\0b", "NUL"), ("a\ud800b", "UTF-8"), ("x\udcffy", "UTF-8")])
def test_text_that_no_file_can_hold_is_refused(text: str, said: str) -> None:
    (found,) = wrong({**GOOD, "part.py": text})
    assert found.field == "files.part.py"
    assert said in found.expected


@pytest.mark.parametrize("text", ["", " \n\t", "\ufeff".replace("\ufeff", "\u2003")])
def test_an_empty_answer_is_an_answer(text: str) -> None:
    assert wrong({"solution.py": text}) == []
    assert wrong({"other.py": text}) == []
    assert wrong({}) == []
    assert wrong({"solution.py": text, "other.py": "x = 1"}) == []


def test_the_file_that_the_tests_import_must_be_there() -> None:
    (found,) = wrong({"main.py": "x = 1"})
    assert found.field == "files.solution.py"


def test_ten_megabytes_are_refused_naming_the_field_and_the_cap() -> None:
    (found,) = wrong({"solution.py": "x" * 10_000_000})
    assert found.field == "files.solution.py"
    assert "1024 KiB" in found.expected
    assert "9766 KiB" in found.expected


def test_the_cap_counts_all_files_together_in_bytes() -> None:
    half = "é" * (MAX_BYTES // 4)
    assert wrong({"solution.py": half, "b.py": half}) == []
    (found,) = wrong({"solution.py": half, "b.py": half + "x"})
    assert found.field == "files"


def test_too_many_files_are_refused() -> None:
    assert wrong({**GOOD, **{f"f{n}.py": "" for n in range(MAX_FILES - 1)}}) == []
    (found,) = wrong({**GOOD, **{f"f{n}.py": "" for n in range(MAX_FILES)}})
    assert "100" in found.expected


@pytest.mark.parametrize("field", ["id", "tag", "model", "group_id", "task_id", "task_version", "idempotency_key"])
@pytest.mark.parametrize("text", ["a\0", "a\n", "\x1b[31m", "\ud800", "\u202e"])
def test_labels_take_no_control_characters(field: str, text: str) -> None:
    (found,) = check_labels(RunRequest(**{"task_id": "t", field: text}))
    assert found.field == field


@given(st.dictionaries(st.text(max_size=30), st.text(max_size=30), max_size=6))
def test_whatever_passes_can_be_written_below_a_folder(files: dict[str, str]) -> None:
    files = {**files, **GOOD}
    if not wrong(files):
        for path, text in files.items():
            assert not path.startswith("/")
            assert ".." not in path.split("/")
            assert path.encode()
            assert text.encode().count(b"\0") == 0
            assert not any(other.startswith(f"{path}/") for other in files)


@given(st.dictionaries(st.text(), st.text(), max_size=6))
def test_whatever_comes_the_check_says_something_printable(files: dict[str, str]) -> None:
    assert all(each.field.isprintable() and each.expected.isprintable() for each in wrong(files))
