"""A `call` suite as its runner reads it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from graders.interface import Suite
from graders.suites import fields
from graders.suites.call.compare import Check, check_named
from graders.suites.options import common_options, options_of

CHECKERS = ("exact", "float", "unordered", "any-of", "predicate")


@dataclass(frozen=True, slots=True, kw_only=True)
class CallSuite:
    """The options of a `call` suite, and its files."""

    id: str
    files: Mapping[str, str]
    entry_point: str
    checker: str
    """One of CHECKERS."""
    absolute: float
    relative: float
    """How far a number may be from an expected float; for the checker `float`."""
    stop_on_failure: bool

    @classmethod
    def of(cls, suite: Suite) -> "CallSuite":
        """Read the options. Raise PackageError if they do not fit. The files are not read."""
        with options_of(suite) as table:
            entry_point = table.required("entry_point", fields.function_name)
            checker = table.one_of("checker", CHECKERS, "exact")
            absolute, relative = table.tolerance(checker)
        return cls(
            id=suite.id,
            files=suite.files,
            entry_point=entry_point,
            checker=checker,
            absolute=absolute,
            relative=relative,
            stop_on_failure=common_options(suite).stop_on_failure,
        )

    @property
    def check(self) -> Check | None:
        """The comparison of answers on the host. None if the author's predicate decides, in a box."""
        if self.checker == "predicate":
            return None
        return check_named(self.checker, absolute=self.absolute, relative=self.relative)

    def files_ending(self, suffix: str) -> list[tuple[str, str]]:
        """Return path and text of each file whose path ends so."""
        return [(path, text) for path, text in self.files.items() if path.endswith(suffix)]
