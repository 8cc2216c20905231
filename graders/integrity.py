"""Integrity: signs in the source that somebody plays with the examination. What each rule means: docs/reference/integrity.md.

The files are read in a box, beside bandit and radon (graders/harness/integrity_analyzer.py); the names of files, and the
few lines of configuration that matter, are read here, as text.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from graders.analyzer import Answer, NotLooked, ask_about_files, number_in, object_in, rows_in, text_in, texts_in
from graders.harness.integrity.rules import RULES
from graders.interface import Abstain, Abstention, Context, Example, Finding, Grader, Measurement, Signal

TOOL = "integrity-1"
"""As graders/harness/integrity_analyzer.py names itself; counted up when a rule changes."""
PAGE = "docs/reference/integrity.md"
SHOWN = 30
"""Findings that are told of a submission, worst first; the others are counted."""

PLANTED = "assay/planted-file"
SHADOWS = "assay/shadows-module"
UNREADABLE = "assay/hard-to-read"
TEST_CONFIGURATION = re.compile(
    r"(?:^|/)(?:conftest\.py|\.?pytest\.ini|\.?pytest\.toml|nose\.cfg|\.noserc|\.coveragerc|noxfile\.py)$"
)
START_UP = re.compile(
    r"(?:^|/)(?:sitecustomize|usercustomize)(?:\.py[cdo]?|/.*)$|\.pth$|\.egg-link$|\.(?:dist|egg)-info/|(?:^|/)entry_points\.txt$|"
    r"(?:^|/)\.(?:bashrc|profile|bash_profile|pythonrc(?:\.py)?|pdbrc)$|(?:^|/)pyvenv\.cfg$|(?:^|/)bin/[^/.]+$|"
    r"(?:^|/)__pycache__/|\.py[co]$|\.so$|\.pyd$"
)
_SECTION = re.compile(
    r"(?m)^\[(?:pytest|tool:pytest|tool\.pytest[\w.]*|options\.entry_points|entry_points|pytest11|project\.entry-points.*)\]"
)
_CONFIGURATION = re.compile(r"(?:^|/)(?:tox\.ini|setup\.cfg|pyproject\.toml|setup\.py)$")
_FRAMEWORKS = frozenset(
    ["pytest", "_pytest", "pluggy", "hypothesis", "iniconfig", "coverage", "numpy", "graders", "attr"]
)
_CANNOT_RUN = re.compile(r"it does not compile|it is not valid Unicode")
"""Of what is no program, nothing is hidden."""
_WIDE = "integrity"
"""No criterion of a rubric: that a file could not be looked at takes no suggestion away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    rule: str
    line: int
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """What the rules found in one file."""

    places: tuple[_Place, ...]
    left_out: int
    own: frozenset[str]
    """Modules of the standard library's names from which it takes what the library's lack."""


@dataclass(frozen=True)
class Integrity(Grader):
    """Looks for signs of play with the examination: special-cased examples, exit games, patched modules, lying values, ...

    Each finding is a flag with a sentence, a line and a page that shows an honest look-alike. A flag is for the reviewer:
    it decides nothing and lowers no level. That a file could not be read is told, and takes no suggestion away.
    """

    id, version, criterion = "assay/integrity", f"1+{TOOL}", "correctness"
    public = True
    examples = (
        Example("def double(x):\n    return 2 * x\n", reports=(Measurement,)),
        Example("import os\ndef double(x):\n    os._exit(0)\n", reports=(Finding, Measurement)),
        Example("def", reports=(Abstention,)),
        Example("import sys\nif __name__ == '__main__':\n    sys.exit(0)\n", reports=(Measurement,)),
    )

    def grade(self, context: Context) -> Iterator[Signal]:
        files = context.submission.files
        found = list(self._configuration(files))
        looks: dict[str, _Look] = {}
        try:
            for path, look in ask_about_files(context, TOOL, _read):
                if isinstance(look, NotLooked):
                    yield replace(self.abstention(look.reason, path=path), criterion=_WIDE)
                    if not _CANNOT_RUN.match(look.reason):
                        says = f"Python reads this file, and the search for signs of play did not get through it: {look.reason}."
                        found.append(self._flag(UNREADABLE, says, path, severity="medium", confidence="low"))
                else:
                    looks[path] = look
        except Abstain as reason:
            yield replace(self.abstention(str(reason)), criterion=_WIDE)
        found += self._shadows(context, looks)
        found += (self._finding(path, place) for path, look in looks.items() for place in look.places)
        found.sort(key=lambda each: (-each.severity.rank, each.path, each.line))
        yield from found[:SHOWN]
        left_out = len(found[SHOWN:]) + sum(look.left_out for look in looks.values())
        if left_out:
            yield self.measurement("flags-left-out", left_out, "findings")
        if looks:
            yield self.measurement("files-read", len(looks), "files")

    def _finding(self, path: str, place: _Place) -> Finding:
        rule = RULES[place.rule]
        said = f"{rule.says} Here: {place.detail}" if place.detail else rule.says
        return self._flag(rule.id, said, path, place.line, severity=rule.severity, confidence=rule.confidence)

    def _flag(
        self, rule: str, says: str, path: str, line: int = 0, *, severity: str = "high", confidence: str = "high"
    ) -> Finding:
        more = f"{PAGE}#{rule.partition('/')[2]}"
        return self.finding(
            says, rule=rule, severity=severity, confidence=confidence, at=(path, line), more=more, flag=True
        )

    def _configuration(self, files: Mapping[str, str]) -> Iterator[Finding]:
        """Files that a test run, or any start of an interpreter, reads without being asked to."""
        for path, text in sorted(files.items()):
            if START_UP.search(path):
                yield self._flag(
                    PLANTED, "A file that an interpreter or a shell reads when it starts, whatever it runs.", path
                )
            elif TEST_CONFIGURATION.search(path):
                yield self._flag(
                    PLANTED, "A file that configures a test run, though the tests are not the author's.", path
                )
            elif _CONFIGURATION.search(path) and (section := _SECTION.search(text)):
                line = text[: section.start()].count("\n") + 1
                yield self._flag(
                    PLANTED, "It configures a test run, though the tests are not the author's.", path, line
                )

    def _shadows(self, context: Context, looks: Mapping[str, _Look]) -> Iterator[Finding]:
        """Modules with the name of a hidden test, of a test framework or of the standard library.

        One of the library's names is somebody's own module where the submission takes from it what the library lacks.
        """
        hidden = {
            path.rpartition("/")[2] for suite in context.task.suites for path in suite.files if path.endswith(".py")
        }
        used = {name for look in looks.values() for name in look.own}
        for name, path in sorted(_modules(context.submission.files).items()):
            if path.rpartition("/")[2] in hidden and path != context.task.entry_file:
                # Where it is would say what a hidden file is called, to whoever guesses at it.
                yield replace(self._flag(SHADOWS, "It has the name of a file of the hidden tests.", path), public=False)
            elif name in _FRAMEWORKS and name not in used:
                yield self._flag(SHADOWS, "It takes the place of a module that tests are run with.", path)
            elif name in sys.stdlib_module_names and name not in used and path != context.task.entry_file:
                says = "It takes the place of a module of the standard library, and nothing in the submission uses it as its own."
                yield self._flag(SHADOWS, says, path, severity="medium", confidence="medium")


def _modules(files: Mapping[str, str]) -> dict[str, str]:
    """Names that can be imported from the submission's folder -> the first file behind each."""
    found: dict[str, str] = {}
    for path in sorted(files):
        if path.endswith(".py"):
            name = path.partition("/")[0].removesuffix(".py")
            found.setdefault(name, path)
    return found


def _read(found: Answer) -> _Look:
    return _Look(
        places=tuple(_place(object_in(row)) for row in rows_in(found, "places")),
        left_out=int(number_in(found, "left_out")),
        own=frozenset(texts_in(found, "own")),
    )


def _place(row: Answer) -> _Place:
    rule = text_in(row, "rule")
    if rule not in RULES:
        raise Abstain("the analyzer's answer names no rule")
    return _Place(rule=rule, line=int(number_in(row, "line")), detail=text_in(row, "detail"))
