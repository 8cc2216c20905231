"""`assay tasks init`: a task package to start from, for each kind of suite.

The packages themselves lie in service/authoring/scaffolds/ and are what they look like, but for the id and the title in task.toml.
"""

import re
from importlib.resources import files as resource_files
from pathlib import Path

from graders.tasks import package
from rubrics.input_error import InputError
from service.importers.write import write_files
from service.packages import read_folder

KINDS = ("call", "stdio", "pytest", "property", "program")

_ID_AND_TITLE = re.compile(r'^id = "[^"]*"\ntitle = "[^"]*"\n', re.MULTILINE)


def make_package(folder: Path, kind: str) -> None:
    """Write the package of this kind; the last part of the folder's name is its id.

    Raises InputError if the folder exists already, PackageError if the name cannot be an id.
    """
    if folder.exists():
        raise InputError(str(folder), "a folder that does not exist yet")
    id = folder.resolve().name
    files = read_folder(Path(str(resource_files("service.authoring"))) / "scaffolds" / kind)
    named = {**files, "task.toml": _ID_AND_TITLE.sub(f'id = "{id}"\ntitle = "{id}"\n', files["task.toml"], count=1)}
    package.load(named)
    write_files(folder, named)
