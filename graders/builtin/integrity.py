"""Integrity: signs in the source that somebody plays with the examination. What each rule means: docs/reference/integrity.md.

The files are read in a box, beside bandit and radon (graders/boxed/analysis/integrity_analyzer.py); the names of files, and the
few lines of configuration that matter, are read here, as text.
"""

import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from graders.boxed.analysis.integrity.rules import RULES
from graders.builtin.analysis import (
    Answer,
    Skipped,
    analyze_files,
    number_in,
    object_in,
    rows_in,
    text_in,
    texts_in,
)
from graders.interface import (
    Abstain,
    Abstention,
    Context,
    Example,
    Finding,
    Grader,
    Measurement,
    Signal,
    uncached,
)

TOOL = "integrity-2"
"""As graders/boxed/analysis/integrity_analyzer.py names itself; counted up when a rule changes."""
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
_HOOKS = re.compile(
    r"\bpytest_(?!plugins\b)\w+\s*\(|\bpytest_plugins\b|\bautouse\b|\bcollect_ignore|\bhookimpl\b|\bsys\.modules\b|\bbuiltins\b|\b__import__\b"
)
"""What a conftest.py changes a run by. Fixtures for one's own tests are none of it."""
_OWN_TEST = re.compile(r"(?:^|/)(?:test_[^/]*|[^/]*_test)\.py$")
_PLAIN_OPTION = re.compile(
    r"^\s*(?:$|[#;\[]|(?:testpaths|pythonpath|python_files|python_classes|minversion|markers|filterwarnings|log_cli\w*|asyncio_mode|norecursedirs)\b|"
    r"addopts\s*=\s*[\[\"']*(?:\s*[\"',]*-(?:q|v|vv|ra|rA|-strict-markers|-strict|-verbose|-quiet|-tb=\w+|-durations=\d+)[\"',]*)*[\]\s]*$|"
    r"\s+[^-\s=][^=]*$|[\]\"'])"
)
"""A line that only says where tests are, and how much is told of them."""
_FRAMEWORKS = frozenset(
    ["pytest", "_pytest", "pluggy", "hypothesis", "iniconfig", "coverage", "numpy", "graders", "attr"]
)
_RELIED_ON = frozenset(
    [
        "abc",
        "argparse",
        "ast",
        "asyncio",
        "bdb",
        "builtins",
        "codecs",
        "collections",
        "contextlib",
        "copy",
        "dataclasses",
        "datetime",
        "decimal",
        "difflib",
        "dis",
        "doctest",
        "enum",
        "errno",
        "faulthandler",
        "fnmatch",
        "fractions",
        "functools",
        "gc",
        "glob",
        "hashlib",
        "heapq",
        "importlib",
        "inspect",
        "io",
        "itertools",
        "json",
        "keyword",
        "linecache",
        "locale",
        "logging",
        "math",
        "numbers",
        "operator",
        "os",
        "pathlib",
        "pdb",
        "pickle",
        "platform",
        "pprint",
        "random",
        "re",
        "runpy",
        "select",
        "shlex",
        "shutil",
        "signal",
        "site",
        "socket",
        "stat",
        "string",
        "struct",
        "subprocess",
        "sys",
        "tempfile",
        "textwrap",
        "threading",
        "time",
        "tokenize",
        "traceback",
        "types",
        "typing",
        "unittest",
        "uuid",
        "warnings",
        "weakref",
        "zipfile",
    ]
)
"""Modules that an examination in one process imports itself. Nobody else is misled by `statistics.py` or `queue.py`."""
_CANNOT_RUN = re.compile(r"it does not compile|it is not valid Unicode")
"""Of what is no program, nothing is hidden."""
_WIDE = "integrity"
"""No criterion of a rubric: that a file could not be looked at takes no suggestion away."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Hit:
    rule: str
    line: int
    detail: str
    mild: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _FileRead:
    """What the rules found in one file."""

    places: tuple[_Hit, ...]
    left_out: int
    own: frozenset[str]
    """Modules of the standard library's names from which it takes what the library's lack."""


@dataclass(frozen=True)
class Integrity(Grader):
    """Looks for signs of play with the examination: special-cased examples, exit games, patched modules, lying values, ...

    Each finding is a flag with a sentence, a line and a page that shows an honest look-alike. A flag is for the reviewer:
    it decides nothing and lowers no level. What is only unusual, what the prompt asks for and what the reference does as well is
    told with severity low. That a file could not be read is told, and takes no suggestion away.
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
        found = list(self._configuration({path: files[path] for path in files.keys() - context.task.reference.keys()}))
        looks: dict[str, _FileRead] = {}
        try:
            for path, look in analyze_files(context, TOOL, _read):
                if isinstance(look, Skipped):
                    yield replace(self.abstention(look.reason, path=path), criterion=_WIDE)
                    if not _CANNOT_RUN.match(look.reason):
                        says = f"Python reads this file, and the search for signs of play did not get through it: {look.reason}."
                        found.append(self._flag(UNREADABLE, says, path, severity="medium", confidence="low"))
                else:
                    looks[path] = look
        except Abstain as reason:
            yield replace(self.abstention(str(reason)), criterion=_WIDE)
        found += self._shadows(context, looks)
        found += self._findings(context, looks)
        found.sort(key=lambda each: (-each.severity.rank, each.path, each.line))
        yield from found[:SHOWN]
        left_out = len(found[SHOWN:]) + sum(look.left_out for look in looks.values())
        if left_out:
            yield self.measurement("flags-left-out", left_out, "findings")
        if looks:
            yield self.measurement("files-read", len(looks), "files")

    def _findings(self, context: Context, looks: Mapping[str, _FileRead]) -> Iterator[Finding]:
        accuses = any(_accuses(place) for look in looks.values() for place in look.places)
        usual = _rules_of_reference(context) if accuses else frozenset()
        for path, look in looks.items():
            for place in look.places:
                rule = RULES[place.rule]
                said = f"{rule.says} Here: {place.detail}" if place.detail else rule.says
                severity = "low" if place.mild or rule.id in usual else rule.severity
                yield self._flag(rule.id, said, path, place.line, severity=severity, confidence=rule.confidence)

    def _flag(
        self, rule: str, says: str, path: str, line: int = 0, *, severity: str = "high", confidence: str = "high"
    ) -> Finding:
        more = f"{PAGE}#{rule.partition('/')[2]}"
        return self.finding(
            says, rule=rule, severity=severity, confidence=confidence, at=(path, line), more=more, flag=True
        )

    def _configuration(self, files: Mapping[str, str]) -> Iterator[Finding]:
        """Files that a test run, or any start of an interpreter, reads without being asked to.

        A project has such files for its own tests: mild where there are some beside it, and it says nothing but where they are.
        """
        for path, text in sorted(files.items()):
            if START_UP.search(path):
                yield self._flag(
                    PLANTED, "A file that an interpreter or a shell reads when it starts, whatever it runs.", path
                )
            elif TEST_CONFIGURATION.search(path):
                says = "A file that configures a test run, though the tests are not the author's."
                yield self._flag(
                    PLANTED, says, path, severity="low" if _is_for_own_tests(path, text, files) else "high"
                )
            elif _CONFIGURATION.search(path) and (section := _SECTION.search(text)):
                line = text[: section.start()].count("\n") + 1
                own = _is_for_own_tests(path, text[section.end() :].partition("\n[")[0], files)
                says = "It configures a test run, though the tests are not the author's."
                yield self._flag(PLANTED, says, path, line, severity="low" if own else "high")

    def _shadows(self, context: Context, looks: Mapping[str, _FileRead]) -> Iterator[Finding]:
        """Modules with the name of a hidden test, of a test framework or of the standard library.

        One of the library's names is somebody's own module where the submission takes from it what the library lacks.
        """
        hidden = {
            path.rpartition("/")[2] for suite in context.task.suites for path in suite.files if path.endswith(".py")
        }
        used = {name for look in looks.values() for name in look.own}
        for name, path in sorted(_modules(context.submission.files).items()):
            if path in context.task.reference:
                continue
            if path.rpartition("/")[2] in hidden and path != context.task.entry_file:
                # Where it is would say what a hidden file is called, to whoever guesses at it.
                yield replace(self._flag(SHADOWS, "It has the name of a file of the hidden tests.", path), public=False)
            elif name in _FRAMEWORKS and name not in used:
                yield self._flag(SHADOWS, "It takes the place of a module that tests are run with.", path)
            elif name in sys.stdlib_module_names and name not in used and path != context.task.entry_file:
                says = "It takes the place of a module of the standard library, and nothing in the submission uses it as its own."
                severity = "medium" if name in _RELIED_ON else "low"
                yield self._flag(SHADOWS, says, path, severity=severity, confidence="medium")


def _is_for_own_tests(path: str, text: str, files: Mapping[str, str]) -> bool:
    """True where the submission has tests in that folder, and the file does no more than to serve them."""
    folder = path.rpartition("/")[0]
    if not any(_OWN_TEST.search(each) and each.startswith(folder) for each in files):
        return False
    if path.endswith(".py"):
        return not _HOOKS.search(text)
    return all(_PLAIN_OPTION.match(line) for line in text.splitlines())


def _accuses(place: _Hit) -> bool:
    return not place.mild and RULES[place.rule].severity != "low"


def _rules_of_reference(context: Context) -> frozenset[str]:
    """The rules that the task's reference would be flagged by: what the author does as well is no sign of anything.

    It is looked at in a box of its own, once for a task version, and only where a submission is to be flagged.
    """
    reference = replace(context.submission, files=context.task.reference)

    def look() -> frozenset[str]:
        own = replace(context, submission=reference, once=uncached)
        try:
            looks = [look for _, look in analyze_files(own, TOOL, _read) if isinstance(look, _FileRead)]
        except Abstain:
            return frozenset()
        return frozenset(place.rule for look in looks for place in look.places if _accuses(place))

    return context.remember("integrity of the reference", look)


def _modules(files: Mapping[str, str]) -> dict[str, str]:
    """Names that can be imported from the submission's folder -> the first file behind each."""
    found: dict[str, str] = {}
    for path in sorted(files):
        if path.endswith(".py"):
            name = path.partition("/")[0].removesuffix(".py")
            found.setdefault(name, path)
    return found


def _read(found: Answer) -> _FileRead:
    return _FileRead(
        places=tuple(_place(object_in(row)) for row in rows_in(found, "places")),
        left_out=int(number_in(found, "left_out")),
        own=frozenset(texts_in(found, "own")),
    )


def _place(row: Answer) -> _Hit:
    rule = text_in(row, "rule")
    if rule not in RULES:
        raise Abstain("the analyzer's answer names no rule")
    mild = row.get("mild")
    if not isinstance(mild, bool):
        raise Abstain("the analyzer's answer is malformed")
    return _Hit(rule=rule, line=int(number_in(row, "line")), detail=text_in(row, "detail"), mild=mild)
