"""Our own programs for boxes: the files that each kind brings along, and how it is started.

Each folder of `graders/boxed` is for one kind of box; every box also gets `shared`. There is one `Harness` for each
kind, made once: tier jail keeps an interpreter warm for each different one. There are several kinds because a fork
costs more the more is imported, and a `call` suite, the most frequent, needs neither pytest nor bandit.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files as resource_files
from importlib.resources.abc import Traversable

from graders.interface import Command, Harness, Limits, Task

_STANDARD = (
    "abc", "bisect", "collections", "copy", "dataclasses", "enum", "functools", "heapq", "itertools", "math", "operator",
    "re", "string", "typing",
)  # fmt: skip
"""The modules that solutions import most; importing them in each box would cost more than the examination. `random`,
and modules that import it, are not here: it seeds itself after each fork, which costs all boxes more than a few boxes
save."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """A module below graders/boxed whose `main` is the program."""

    module: str
    harness: Harness

    def command(self, *arguments: str, files: Mapping[str, bytes], limits: Limits) -> Command:
        """Return the program with these arguments and these files in its working directory.

        Neither that directory nor one of the user's is on its search path (-P, -s), and no byte code is written (-B).
        """
        argv = ("python3", "-B", "-P", "-s", "-m", "graders.boxed", self.module, *arguments)
        return Command(argv=argv, harness=self.harness, files=files, limits=limits)


def _driver(module: str, *beside: str, preload: tuple[str, ...] = ()) -> Driver:
    """Return the driver `module`, whose harness is its folder and those `beside` it; `preload` is imported ahead of
    it.
    """
    package = resource_files("graders")
    folders = ("shared", module.partition(".")[0], *beside)
    paths = ["__init__.py", "boxed/__init__.py", "boxed/__main__.py"]
    paths += [path for folder in folders for path in _modules(package, f"boxed/{folder}")]
    harness = Harness(
        files=tuple((f"graders/{path}", package.joinpath(path).read_bytes()) for path in paths),
        preload=(*preload, f"graders.boxed.{module}", "graders.boxed.__main__"),
    )
    return Driver(module=module, harness=harness)


def _modules(package: Traversable, folder: str) -> Iterator[str]:
    for entry in sorted(package.joinpath(folder).iterdir(), key=lambda entry: entry.name):
        if entry.is_dir():
            yield from _modules(package, f"{folder}/{entry.name}")
        elif entry.name.endswith(".py"):
            yield f"{folder}/{entry.name}"


def prelude_file(task: Task) -> dict[str, str]:
    """Return the path of the task's prelude in a submission's box -> its text; empty if it has none. Named like the
    module.
    """
    return {f"prelude/{task.entry_file}": task.prelude} if task.prelude else {}


CALL = _driver("call.driver", preload=_STANDARD)
STDIO = _driver("stdio.driver", preload=_STANDARD)
"""Every program of `stdio` suites. The submission's own process is forked from the same interpreter."""
_FOLDER = "getpass"
"""tmp_path imports it for the name of its folder."""
PYTEST = _driver(
    "tests.pytest_driver", "examiner", "rpc", preload=(*_STANDARD, _FOLDER, "graders.boxed.tests.preload_pytest")
)
PROPERTY = _driver(
    "tests.property_driver", "examiner", "rpc",
    preload=(
        *_STANDARD, "hypothesis", "hypothesis.core", "hypothesis.strategies", _FOLDER, "graders.boxed.tests.preload_hypothesis",
    ),
)  # fmt: skip
CANDIDATE = _driver("candidate.driver", "rpc", preload=_STANDARD)
"""The submission's side of a two-process examination; PYTEST or PROPERTY is the other."""
ANALYSIS = _driver("analysis.driver")
