"""The file of proposed cases beside a package's folder, and its way into the package.

Its first line names the suite that the cases are for. The other lines are those that the suite's file will have. Until the
cases are accepted, the author may remove, change or add lines.
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
    """Return the path of the file with the cases proposed for this package."""
    folder = package.resolve()
    return folder.with_name(f"{folder.name}.amplified.jsonl")


def write(path: Path, report: Amplified) -> None:
    """Write the proposed cases. If there are none, remove an older proposal."""
    if not report.chosen:
        path.unlink(missing_ok=True)
        return
    head = json.dumps({"suite": report.suite.id, "options": dict(report.suite.options), "seed": report.seed})
    _replace(path, "".join(f"{line}\n" for line in (head, *(each.line for each in report.chosen))))


def accept(package: Path, path: Path) -> Sequence[Path]:
    """Put the cases of the file into the package, remove the file, and return the paths that changed.

    Raises PackageError, and changes nothing, if a line is not a case or the case exists already.
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
