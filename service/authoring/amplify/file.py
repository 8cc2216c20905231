"""The file of proposed cases beside a package's folder, and how it becomes part of the package.

Its first line says which suite the cases are for; the rest is as it will stand in that suite's file. Between the proposal
and its acceptance it is the author's: lines may be removed, changed or added.
"""

import json
from collections.abc import Sequence
from pathlib import Path

from graders.interface import Suite
from graders.tasks.package import PackageError
from service.authoring.amplify.amplify import Amplified
from service.authoring.amplify.cases import accept as accepted
from service.packages import read_folder


def beside(package: Path) -> Path:
    """Where the cases that are proposed for this package are written."""
    folder = package.resolve()
    return folder.with_name(f"{folder.name}.amplified.jsonl")


def write(path: Path, report: Amplified) -> None:
    """The proposed cases; where there are none, an older proposal goes."""
    if not report.chosen:
        path.unlink(missing_ok=True)
        return
    head = json.dumps({"suite": report.suite.id, "options": dict(report.suite.options), "seed": report.seed})
    _replace(path, "".join(f"{line}\n" for line in (head, *(each.line for each in report.chosen))))


def accept(package: Path, path: Path) -> Sequence[Path]:
    """Put the cases of the file into the package, and remove the file; gives the files that changed.

    Nothing is changed where this raises PackageError: for a line that is no case, or a case that is there already.
    """
    head, *lines = [line for line in path.read_text(encoding="utf-8").split("\n") if line.strip()]
    changed = accepted(read_folder(package), _suite(head, str(path)), lines) if lines else {}
    for name, text in changed.items():
        target = package / name
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, text)
    path.unlink()
    return [package / name for name in changed]


def _suite(head: str, where: str) -> Suite:
    try:
        row = json.loads(head)
        return Suite(id=row["suite"], kind="call", files={}, options=dict(row["options"]))
    except (ValueError, KeyError, TypeError) as error:
        raise PackageError(
            f"{where}:1", "the line that says which suite the cases are for, as it was written"
        ) from error


def _replace(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
