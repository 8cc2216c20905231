"""Our own programs for boxes: what each kind of them brings along, and how it is started.

One `Harness` for each kind, made once: tier jail keeps an interpreter warm for each different one. There are several
because a fork costs the more the more is imported, and a `call` suite, the most frequent, needs neither pytest nor bandit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files as resource_files

from graders.interface import Command, Harness, Limits, Task

_STANDARD = (
    "abc", "bisect", "collections", "copy", "dataclasses", "enum", "functools", "heapq", "itertools", "math", "operator",
    "re", "string", "typing",
)  # fmt: skip
"""What solutions import most. Importing it in each box would cost more than the examination itself. Without `random`, which
seeds itself after each fork, and what imports it: that costs every box more than the few that want it save."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """A module of graders/harness whose `main` is the program."""

    module: str
    harness: Harness

    def command(self, *arguments: str, files: Mapping[str, bytes], limits: Limits) -> Command:
        """The program with these arguments and these files in its working directory.

        Neither that directory nor one of the user's is on its search path (-P, -s), and no byte code is written (-B).
        """
        argv = ("python3", "-B", "-P", "-s", "-m", "graders.harness", self.module, *arguments)
        return Command(argv=argv, harness=self.harness, files=files, limits=limits)


def _driver(module: str, *uses: str, preload: tuple[str, ...] = ()) -> Driver:
    """`uses`: the other modules of graders/harness that it imports; `preload`: what is imported ahead besides itself."""
    package = resource_files("graders")
    paths = ["__init__.py", "encoding.py"]
    paths += [f"harness/{name}.py" for name in ("__init__", "__main__", "channel", "search_path", *uses, module)]
    harness = Harness(
        files=tuple((f"graders/{path}", package.joinpath(path).read_bytes()) for path in paths),
        preload=(*preload, f"graders.harness.{module}", "graders.harness.__main__"),
    )
    return Driver(module=module, harness=harness)


def prelude_file(task: Task) -> dict[str, str]:
    """Where the task's prelude lies in a submission's box -> its text; nothing where there is none. Named like the module."""
    return {f"prelude/{task.entry_file}": task.prelude} if task.prelude else {}


CALL = _driver("call_driver", preload=_STANDARD)
_LINE = (
    "line", "links", "ambient", "shared_files", "both_have", "taken", "stand_in_class", "signatures", "stand_in",
)  # fmt: skip
_TESTS = (
    *_LINE, "learnt", "watch", "doubles", "ambient_of_tests", "examiner", "programs", "pytest_run", "pytest_ready",
    "pytest_rehearsal", "rehearsal/test_rehearsal",
)  # fmt: skip
_FOLDER = "getpass"
"""For the name of the folder of tmp_path."""
PYTEST = _driver(
    "pytest_driver", *_TESTS, "pytest_ahead", preload=(*_STANDARD, _FOLDER, "graders.harness.pytest_ahead")
)
PROPERTY = _driver(
    "property_driver", *_TESTS, "properties", "reference", "anew", "property_ahead",
    preload=(
        *_STANDARD, "hypothesis", "hypothesis.core", "hypothesis.strategies", _FOLDER, "graders.harness.property_ahead",
    ),
)  # fmt: skip
CANDIDATE = _driver("candidate_driver", *_LINE, "ambient_of_candidate", preload=_STANDARD)
"""The submission's side of a two-process examination; PYTEST or PROPERTY is the other."""
ANALYSIS = _driver(
    "analysis_driver", "file_analysis", "bandit_analyzer", "radon_analyzer", "integrity_analyzer",
    *(f"integrity/{name}" for name in (
        "__init__", "characters", "constant", "exits", "files", "frames", "gaming", "hidden", "idle", "names", "output", "patches", "reads", "rule", "rules", "shown", "syntax",
        "values",
    )),
)  # fmt: skip
STDIO = _driver("stdio_driver", preload=_STANDARD)
"""All that `stdio` suites run but the submission's own process, which is forked from the same interpreter."""
