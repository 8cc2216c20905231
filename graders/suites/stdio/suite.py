"""A `stdio` suite as its runner reads it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from graders.interface import Suite
from graders.suites import fields
from graders.suites.case_rows import CaseBudget
from graders.suites.options import OptionTable, common_options, options_of
from graders.suites.stdio.cases import StdioCase, companions, parse_stdio_cases
from graders.suites.stdio.comparison import Comparison
from graders.suites.stdio.judge import Judge

PROTOCOLS = ("plain", "kattis")
MOST_PASSES = 100
"""The most passes of a case. Each pass runs the submission and the author's program."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StdioSuite:
    """The options of a `stdio` suite, and its files."""

    id: str
    files: Mapping[str, str]
    comparison: Comparison
    judge: Judge | None
    """The author's program that judges. None if the outputs are compared on the host."""
    program: str
    """The path of that program in the package; empty if there is none."""
    command: tuple[str, ...]
    """The command that runs instead of the entry file; empty for the entry file."""
    ignore_exit_code: bool
    seconds: float | None
    """The time of one case. None for the time that the task's limits give it."""
    stop_on_failure: bool
    groups: Mapping[str, float]

    @classmethod
    def of(cls, suite: Suite) -> "StdioSuite":
        """Read the options. Raise PackageError if they do not fit, or if a program is not among the files."""
        common = common_options(suite)
        with options_of(suite) as table:
            comparison = Comparison.of(table)
            program, judge = _judge(table, suite, comparison)
            return cls(
                id=suite.id,
                files=suite.files,
                comparison=comparison,
                judge=judge,
                program=program,
                command=table.optional("command", _command, ()),
                ignore_exit_code=table.flag("ignore_exit_code"),
                seconds=table.seconds(None),
                stop_on_failure=common.stop_on_failure,
                groups=common.groups,
            )

    @property
    def several(self) -> bool:
        """True if each case has a list of accepted outputs."""
        return self.comparison.checker == "any-of"

    def cases(self, room: CaseBudget | None = None) -> list[tuple[str, StdioCase]]:
        """Return the cases, each with its place. Raise CaseError if one is wrong."""
        return parse_stdio_cases(self.files, several=self.several, needs_answer=self.judge is None, room=room)


def _judge(table: OptionTable, suite: Suite, comparison: Comparison) -> tuple[str, Judge | None]:
    interactive = table.has("interactor_file")
    if interactive and table.has("checker"):
        raise table.wrong("checker", "no checker beside an interactor_file, which gives the verdict")
    judged = interactive or comparison.checker == "program"
    protocol = table.one_of("protocol", PROTOCOLS, "plain")
    partial_credit = table.flag("partial_credit")
    for key in ("partial_credit", "passes", "protocol"):
        if table.has(key) and not judged:
            raise table.wrong(key, 'checker = "program" or an interactor_file beside it')
    passes = table.whole("passes", 2, MOST_PASSES, 1)
    if table.has("passes") and protocol != "kattis":
        raise table.wrong("passes", 'protocol = "kattis" beside it')

    def program(value: object, field: str) -> str:
        path = fields.text(value, field)
        if path not in suite.files or not path.endswith(".py"):
            raise fields.PackageError(field, f"a .py file among this suite's `files`, not {path!r}")
        return path

    checker_file, interactor_file = (table.optional(key, program, "") for key in ("checker_file", "interactor_file"))
    if (comparison.checker == "program") != bool(checker_file):
        raise table.wrong("checker_file", 'a Python file of this suite with checker = "program", else none')
    path = interactor_file or checker_file
    if not path:
        return "", None
    folder, _, name = path.rpartition("/")
    judge = Judge(
        suite=suite.id,
        program=f"judge/{name}",
        files={
            f"judge/{beside.removeprefix(folder).removeprefix('/')}": suite.files[beside].encode()
            for beside in companions(path, suite.files)
        },
        protocol=protocol,
        partial_credit=partial_credit,
        interactive=interactive,
        passes=passes,
    )
    return path, judge


def _command(value: object, field: str) -> tuple[str, ...]:
    return tuple(fields.texts(value, field, '["python3", "solution.py"]'))
