"""Rubrics from files: those that come with Assay, and those in the operator's folder."""

from importlib.resources import files
from pathlib import Path

from rubrics.loader import RubricError, load
from rubrics.model import Rubric


def builtin_rubrics() -> dict[str, Rubric]:
    """Return the rubrics that come with Assay, by id."""
    entries = (entry for entry in (files("rubrics") / "builtin").iterdir() if entry.name.endswith(".toml"))
    rubrics = (load(entry.read_text(encoding="utf-8"), name=entry.name) for entry in entries)
    return {rubric.id: rubric for rubric in rubrics}


def rubrics(folder: Path | None) -> dict[str, Rubric]:
    """Return the rubrics that come with Assay and those in the operator's folder (`*.toml`), by id.

    Raises RubricError for a file that is not a rubric or repeats an id, OSError for a folder that cannot be read.
    """
    found = builtin_rubrics()
    places = dict.fromkeys(found, "a rubric that comes with Assay")
    paths = sorted(path for path in folder.iterdir() if path.suffix == ".toml") if folder is not None else []
    for path in paths:
        rubric = load_file(path)
        if rubric.id in found:
            raise RubricError(path.name, None, "id", f"another id; {rubric.id!r} is that of {places[rubric.id]}")
        found[rubric.id] = rubric
        places[rubric.id] = path.name
    return found


def load_file(path: Path) -> Rubric:
    """Return the rubric in that file. Raises RubricError if it is not a rubric or not UTF-8, OSError if it cannot be read."""
    try:
        text = path.read_bytes().decode()
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise RubricError(path.name, line, "", "UTF-8 text") from error
    return load(text, name=path.name)
