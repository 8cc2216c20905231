"""docs/reference/graders.md describes each grader that Assay brings, and each of its options."""

from pathlib import Path

import pytest

from graders.interface import Grader
from graders.plugins.registry import Registry, option_types

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "graders.md"
OWN = {
    id: grader
    for id, grader in Registry.discover(["correctness", "efficiency", "security", "best_practices"]).graders.items()
    if id.startswith("assay/")
}


def test_the_built_in_graders_are_registered() -> None:
    assert {"assay/hidden-tests", "assay/security", "assay/complexity"} <= set(OWN)


@pytest.mark.parametrize(("id", "grader"), OWN.items())
def test_a_grader_has_a_section_with_its_criterion_and_options(id: str, grader: type[Grader]) -> None:
    _, heading, section = PAGE.read_text().partition(f"\n## {id}\n")
    assert heading, f"{PAGE.name} has no section `## {id}`"
    section = section.partition("\n## ")[0]
    assert f"Criterion `{grader.criterion}`" in section
    options = option_types(grader)
    assert [name for name in options if f"`{name}`" not in section] == []
    assert bool(options) != ("No options" in section)


def test_no_section_is_left_of_a_grader_that_is_gone() -> None:
    sections = {line.removeprefix("## ") for line in PAGE.read_text().splitlines() if line.startswith("## ")}
    assert sections == set(OWN)
