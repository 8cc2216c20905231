"""Rubrics of an operator's own."""

from pathlib import Path

import pytest

from rubrics.loader import RubricError
from service.rubric_files import builtin_rubrics, rubrics

LEVELS = 'level = [{value = 0, title = "a", anchor = "b"}, {value = 1, title = "c", anchor = "d"}]'
OWN = f"""id = "own"
title = "Own"
[[criterion]]
id = "style"
title = "Style"
question = "How does it look?"
weight = 1
no_basis = "-"
{LEVELS}
"""


def test_they_stand_beside_those_that_are_built_in(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN)
    (tmp_path / "README.md").write_text("no rubric")
    assert set(rubrics(tmp_path)) == {"own", *builtin_rubrics()}
    assert rubrics(None) == builtin_rubrics()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (OWN.replace("weight = 1", 'weight = "x"'), "own.toml, line 7: criterion.0.weight: expected a finite number"),
        (
            OWN.replace('"own"', '"default"'),
            "own.toml: id: expected another id; 'default' is that of a rubric that comes",
        ),
        ("id = = 3\n", "own.toml, line 1: expected TOML"),
    ],
)
def test_what_is_wrong_names_the_file_and_the_place(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "own.toml").write_text(text)
    with pytest.raises(RubricError) as refused:
        rubrics(tmp_path)
    assert says in str(refused.value)


def test_two_with_one_id_are_refused(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(OWN)
    with pytest.raises(RubricError, match=r"b\.toml: id: expected another id; 'own' is that of a\.toml"):
        rubrics(tmp_path)


def test_a_folder_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="nowhere"):
        rubrics(tmp_path / "nowhere")
