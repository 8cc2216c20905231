"""The options of a suite, or of one case, for comparing outputs on the host. Pure."""

from dataclasses import dataclass

from graders.suites.options import OptionTable
from graders.suites.stdio.outputs import Check, Tolerance, exact, lines_check, tokens_check

COMPARED = ("lines", "tokens", "exact", "float")
CHECKERS = (*COMPARED, "any-of", "program")


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A checker and its options. If the author's program judges, it is not used."""

    checker: str
    """One of CHECKERS; `tokens` if none is stated."""
    case_sensitive: bool
    space_sensitive: bool
    tolerance: Tolerance

    @classmethod
    def of(cls, table: OptionTable, checkers: tuple[str, ...] = CHECKERS) -> "Comparison":
        """Read the options of a comparison. Raise PackageError if they do not fit. `checkers`: the allowed ones."""
        checker = table.one_of("checker", checkers, "tokens")
        absolute, relative = table.tolerance(checker)
        flags = {}
        for key, default, none in (
            ("case_sensitive", True, ("exact", "program")),
            ("space_sensitive", False, ("exact", "program", "lines")),
        ):
            flags[key] = table.flag(key, default=default)
            if table.has(key) and checker in none:
                *others, last = [f'"{name}"' for name in checkers if name not in none]
                raise table.wrong(key, f"checker = {', '.join(others)} or {last}, not {checker!r}")
        return cls(checker=checker, tolerance=Tolerance(absolute=absolute, relative=relative), **flags)

    @property
    def check(self) -> Check:
        """The comparison of one expected output with what was printed."""
        if self.checker == "exact":
            return exact
        if self.checker == "lines":
            return lines_check(case_sensitive=self.case_sensitive, tolerance=self.tolerance)
        return tokens_check(
            case_sensitive=self.case_sensitive,
            space_sensitive=self.space_sensitive,
            tolerance=self.tolerance if self.checker == "float" else None,
        )
