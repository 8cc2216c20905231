"""Kattis problem packages, in the legacy format and in those since 2023-07, as far as their programs are Python.

problem.yaml                                name, type, validation, validator_flags, limits
problem_statement/problem.en.tex            the prompt, as it is written there (or statement/, .md)
data/sample/*.in, *.ans                     shown to the model, and cases like the others
data/secret/**/*.in, *.ans                  the hidden cases, a `stdio` suite; see kattis_data.py and kattis_scores.py
output_validators/                          its checker, or its interactor
submissions/{accepted,wrong_answer,...}/    the proof; see kattis_programs.py

A key, a value or a file that is not known here stops the import and is named: what it asks for would not be done.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from graders.suites.stdio.suite import MOST_PASSES
from rubrics.input_error import InputError
from service.importers.kattis.data import Group, TestCase, read_data
from service.importers.kattis.files import Tree, number_of, table_of, words_of
from service.importers.kattis.programs import VALIDATORS, read_submissions, validator
from service.importers.kattis.scores import ScoredPart, of_legacy, of_modern, of_pass_fail
from service.importers.package_text import ImportedTask, SuiteText, package, stdio_suite

LEGACY = ("legacy", "legacy-icpc")
MODERN = ("2023-07", "2023-07-draft", "2025-09", "2025-09-draft", "draft")
TIME_MULTIPLIER = 5
"""If a package does not state a time limit, its limit is this multiple of the slowest accepted program's time; here, the
reference's. An author's greater multiplier counts. A smaller one does not, because the reference may be the fastest program.
"""
MEMORY_MIB = 1024
"""Their default is 2 GiB, for a machine that runs one program at a time."""
OUTPUT_MIB = 8
VALIDATION_SECONDS = 60

_KEYS = frozenset({
    "problem_format_version", "type", "name", "uuid", "version", "author", "credits", "source", "source_url", "license",
    "rights_owner", "embargo_until", "limits", "validation", "validator_flags", "grading", "keywords", "languages",
    "allow_file_writing", "constants",
})  # fmt: skip
_LIMITS = frozenset({
    "time_multiplier", "time_safety_margin", "time_multipliers", "time_limit", "time_resolution", "memory", "output", "code",
    "compilation_time", "compilation_memory", "validation_time", "validation_memory", "validation_output", "validation_passes",
})  # fmt: skip
_TYPES = ("pass-fail", "scoring", "interactive", "multi-pass")
_VALIDATION = ("default", "custom", "score", "interactive", "multi-pass")
_STATEMENTS = ("problem_statement", "statement")
_REFUSED = {
    "graders": "none: programs that decide what a group counts are not run",
    "static_validator": "none: no program of the author's looks at the source",
}
_UNUSED = (
    "attachments", "solution", "generators", "input_validators", "input_format_validators", "input_visualizer",
    "output_visualizer", "test_case_visualizer",
)  # fmt: skip
"""Keys of the format that do not affect judging."""
_USED = ("problem.yaml", "data", "submissions", "include", *_STATEMENTS, *VALIDATORS)
_TOLERANCES = {
    "float_tolerance": ("absolute", "relative"),
    "float_absolute_tolerance": ("absolute",),
    "float_relative_tolerance": ("relative",),
}
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_.-]+")

Files = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class KattisProblem:
    """The contents of problem.yaml."""

    where: str
    stated: Mapping[str, Any]
    limits: Mapping[str, Any]
    types: frozenset[str]
    """The types in both formats. `interactive` and `multi-pass` are added if the legacy format states them as
    validation.
    """
    is_modern: bool
    custom: bool | None
    """True if the author's validator judges; None if it does whenever one exists."""


def read_problem(folder: Path) -> ImportedTask:
    """Return the task of a problem package's folder. Raises InputError."""
    tree = Tree(root=folder)
    notes = list(_top(tree))
    problem = _problem(tree)
    tree = replace(tree, constants=_constants(problem))
    id = _NOT_IN_AN_ID.sub("-", folder.resolve().name).strip("-.")
    submissions = read_submissions(tree)
    data = read_data(tree)
    suite = _suite(tree, problem, data, notes)
    files = package(
        id=id,
        title=_name(problem.stated, id),
        prompt=_statement(tree) + _conversations(tree),
        suite=suite,
        submissions=submissions.files,
        # The interactor's input, samples included, is hidden from programs and prompts.
        visible={} if "interactive" in problem.types else _samples(tree, notes),
        reference=submissions.reference,
        limits=_limits(tree, problem, notes),
    )
    return ImportedTask(id=id, files=files, where=str(folder), notes=(*notes, *submissions.notes))


def _top(tree: Tree) -> Iterable[str]:
    """Yield the top-level files that are not read. Raises InputError for unknown ones."""
    for path in tree.entries(tree.root):
        if path.name in _REFUSED and tree.entries(path):
            raise InputError(str(path), _REFUSED[path.name])
        if path.name == "attachments" and tree.entries(path):
            yield "attachments/ is not part of the prompt"
        elif path.name == "domjudge-problem.ini":
            yield "domjudge-problem.ini is not read"
        elif path.name not in (*_USED, *_UNUSED, *_REFUSED) and not path.name.startswith(("README", "LICENSE")):
            raise InputError(str(path), f"only what the format has: {', '.join((*_USED, *_UNUSED))}")
    for path in tree.entries(tree.root / "include"):
        # A Python program does not need files for other languages.
        if path.name.startswith(("default", "python", "pypy")) and tree.entries(path):
            raise InputError(str(path), "none: no files are added to submissions here")


# --- problem.yaml ---------------------------------------------------------------------------------------------------------


def _problem(tree: Tree) -> KattisProblem:
    path = tree.root / "problem.yaml"
    where, stated = str(path), tree.table(path, _KEYS)
    version = str(stated.get("problem_format_version", "legacy"))
    if version not in (*LEGACY, *MODERN):
        raise InputError(
            f"{where}: problem_format_version", f"one of {', '.join((*LEGACY, *MODERN))}, not {version!r:.80}"
        )
    limits = table_of(stated.get("limits") or {}, f"{where}: limits", _LIMITS)
    types = set(_listed(stated.get("type") or "pass-fail", _TYPES, f"{where}: type"))
    validation = _listed(stated.get("validation") or [], _VALIDATION, f"{where}: validation")
    if {"default", "custom"} <= set(validation) or (validation and validation[0] not in ("default", "custom")):
        raise InputError(
            f"{where}: validation", f"default, or custom and what kind of it, not {stated['validation']!r:.80}"
        )
    if "score" in validation:
        raise InputError(f"{where}: validation", "no `score`: a validator that gives any number of points")
    table_of(stated.get("grading") or {}, f"{where}: grading", ("objective", "show_test_data_groups"))
    if (stated.get("grading") or {}).get("objective", "max") != "max":
        raise InputError(f"{where}: grading: objective", "max: the more points the better")
    is_modern = version in MODERN
    custom = "custom" in validation if validation or not is_modern else None
    return KattisProblem(
        where=where, stated=stated, limits=limits, types=frozenset(types | set(validation)), is_modern=is_modern,
        custom=custom,
    )  # fmt: skip


def _listed(stated: object, known: tuple[str, ...], where: str) -> tuple[str, ...]:
    words = words_of(stated, where)
    unknown = [word for word in words if word not in known]
    if unknown:
        raise InputError(where, f"some of {', '.join(known)}, not {unknown[0]!r:.80}")
    return words


def _constants(problem: KattisProblem) -> dict[str, str]:
    stated = table_of(problem.stated.get("constants") or {}, f"{problem.where}: constants")
    for name, value in stated.items():
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise InputError(f"{problem.where}: constants: {name}", f"a number or a text, not {value!r:.80}")
    return {name: str(value) for name, value in stated.items()}


def _limits(tree: Tree, problem: KattisProblem, notes: list[str]) -> dict[str, object]:
    """Return the limits of one case. Kattis limits CPU time; as wall time it would fail honest programs on a busy machine."""
    stated, multipliers = problem.limits, problem.limits.get("time_multipliers") or {}
    table_of(multipliers, f"{problem.where}: limits: time_multipliers", ("ac_to_time_limit", "time_limit_to_tle"))
    numbers = {key: value for key, value in {**stated, **multipliers}.items() if key != "time_multipliers"}
    for key, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise InputError(f"{problem.where}: limits", f"numbers greater than 0, not {value!r:.80} for {key}")
    seconds, beside = numbers.get("time_limit"), tree.root / ".timelimit"
    if seconds is None and beside.is_file():
        seconds = number_of(_as_number(tree.text(beside)), str(beside))
    times = max(TIME_MULTIPLIER, numbers.get("time_multiplier", 0), numbers.get("ac_to_time_limit", 0))
    time: dict[str, object] = (
        {"cpu_seconds": f"{times:g}x", "wall_seconds": f"{2 * times:g}x"}
        if seconds is None
        else {"cpu_seconds": seconds, "wall_seconds": 5 * seconds + 5}
    )
    if numbers.get("memory", 0) > MEMORY_MIB:
        notes.append(f"limits.memory is {numbers['memory']} MiB; a submission gets {MEMORY_MIB}")
    if numbers.get("validation_time", 0) > VALIDATION_SECONDS:
        notes.append(f"limits.validation_time is {numbers['validation_time']} s; a validator gets {VALIDATION_SECONDS}")
    if "code" in numbers:
        notes.append(f"limits.code is {numbers['code']} KiB; how long a submission is decides nothing")
    memory = min(max(64, int(numbers.get("memory", MEMORY_MIB))), MEMORY_MIB)
    room = {"disk_mib": memory // 2} if memory < 128 else {}
    output = {"output_kib": max(1, int(numbers["output"] * 1024))} if "output" in numbers else {}
    return {**time, "memory_mib": memory, **room, **output}


def _as_number(text: str) -> object:
    try:
        return float(text)
    except ValueError:
        return text


def _name(stated: Mapping[str, Any], id: str) -> str:
    name = stated.get("name") or id
    # A name for each language, in the newer format.
    return str(name.get("en") or next(iter(name.values()))) if isinstance(name, dict) else str(name)


# --- what the model is shown ----------------------------------------------------------------------------------------------


def _statement(tree: Tree) -> str:
    for place in _STATEMENTS:
        found = tree.entries(tree.root / place)
        texts = [path for path in found if path.name.startswith("problem") and path.suffix in (".tex", ".md")]
        english = [path for path in texts if path.stem in ("problem", "problem.en")]
        for path in (english or texts)[:1]:
            return tree.replaced(path)
    raise InputError(f"{tree.root}/{_STATEMENTS[0]}", "a statement that is text: problem.en.tex or problem.en.md")


def _conversations(tree: Tree) -> str:
    """Return sample conversations of interactor and program, which replace sample inputs and answers in the format."""
    found = [path for path in tree.entries(tree.root / "data" / "sample") if path.suffix == ".interaction"]
    return "".join(f"\n\nAn example of a conversation:\n\n{_indented(tree.text(path))}" for path in found)


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())


def _samples(tree: Tree, notes: list[str]) -> Files:
    visible = {}
    for path in tree.entries(tree.root / "data" / "sample"):
        if path.suffix != ".in" or path.with_suffix(".interaction").exists():
            continue
        # What is shown may differ from what is judged.
        given = _first(path.with_suffix(".in.statement"), path)
        answer = _first(path.with_suffix(".ans.statement"), path.with_suffix(".out"), path.with_suffix(".ans"))
        visible[f"visible/{path.name}"] = tree.text(given)
        visible[f"visible/{path.stem}.ans"] = tree.text(answer)
        if path.with_suffix(".files").exists() or path.with_suffix(".yaml").exists():
            notes.append(f"what is shown of sample {path.stem} is its input and answer, without arguments and files")
    return visible


def _first(*paths: Path) -> Path:
    return next((path for path in paths if path.exists()), paths[-1])


# --- the hidden cases -----------------------------------------------------------------------------------------------------


def _suite(tree: Tree, problem: KattisProblem, data: Group, notes: list[str]) -> SuiteText:
    programs = _validator(tree, problem, notes)
    parts = _parts(problem, data)
    cases = {case.path: case for case in data.all_cases()}
    counted = [(cases[path], part) for part in parts for path in part.cases]
    if len(counted) < len(cases):
        notes.append(f"{len(cases) - len(counted)} of {len(cases)} cases give no points and are left out")
    order = {path: place for place, path in enumerate(cases)}
    counted.sort(key=lambda pair: order[pair[0].path])
    options, rows = _judged(problem, counted, programs) if programs else _compared(problem, counted)
    groups = {part.group: part.weight for part in parts if part.group}
    if groups:
        options["groups"] = groups
    own = {f"hidden/validator/{path}": text for path, text in programs.items()}
    return stdio_suite(rows, options, own)


def _parts(problem: KattisProblem, data: Group) -> list[ScoredPart]:
    if "scoring" not in problem.types:
        return of_pass_fail(data)
    return of_modern(data) if problem.is_modern else of_legacy(data)


def _validator(tree: Tree, problem: KattisProblem, notes: list[str]) -> Files:
    """Return the files of the author's validator; none if the default one judges."""
    if problem.custom is False:
        if any(tree.entries(tree.root / place) for place in VALIDATORS):
            notes.append("the output validator is not used: problem.yaml does not say `validation: custom`")
        programs: Files = {}
    else:
        programs = validator(tree)
        if problem.custom and not programs:
            raise InputError(str(tree.root / VALIDATORS[0]), "a validator, as problem.yaml says that it is custom")
    for kind in sorted({"interactive", "multi-pass"} & problem.types):
        if not programs:
            raise InputError(f"{problem.where}: type", f"a custom validator beside {kind}")
    return programs


def _judged(
    problem: KattisProblem, cases: list[tuple[TestCase, ScoredPart]], programs: Files
) -> tuple[dict[str, object], list[dict[str, object]]]:
    path = f"hidden/validator/{next(iter(programs))}"
    interactive = "interactive" in problem.types
    options: dict[str, object] = (
        {"interactor_file": path} if interactive else {"checker": "program", "checker_file": path}
    )
    options["protocol"] = "kattis"
    if "scoring" in problem.types:
        if any("score.txt" in text for text in programs.values()):
            raise InputError(str(VALIDATORS[0]), "no score.txt: a validator that gives any number of points")
        options["partial_credit"] = True
    passes = problem.limits.get("validation_passes", 2)
    if "multi-pass" in problem.types:
        if type(passes) is not int or not 2 <= passes <= MOST_PASSES:
            raise InputError(f"{problem.where}: limits: validation_passes", f"2 to {MOST_PASSES}, not {passes!r:.80}")
        options["passes"] = passes
    elif "validation_passes" in problem.limits:
        raise InputError(f"{problem.where}: limits: validation_passes", "none, or `type: multi-pass`")
    rows = []
    for case, part in cases:
        flags = [*_problem_flags(problem), *case.validator_args]
        rows.append(_row(case, part) | ({"judge_args": flags} if flags else {}))
    return options, rows


def _problem_flags(problem: KattisProblem) -> tuple[str, ...]:
    return words_of(problem.stated.get("validator_flags") or "", f"{problem.where}: validator_flags")


def _compared(
    problem: KattisProblem, cases: list[tuple[TestCase, ScoredPart]]
) -> tuple[dict[str, object], list[dict[str, object]]]:
    """Return the checker options of Kattis' own validator, and the cases with options that differ from most."""
    checks = [_check(problem, case) for case, _ in cases]
    [(most, _)] = Counter(map(repr, checks)).most_common(1)
    options = next(check for check in checks if repr(check) == most)
    rows = [
        _row(case, part) | ({} if check == options else {"compare": check})
        for (case, part), check in zip(cases, checks, strict=True)
    ]
    return dict(options), rows


def _row(case: TestCase, part: ScoredPart) -> dict[str, object]:
    folder, _, name = case.path.partition("/")
    # A sample is called so that no folder of secret cases is meant by a part of its name.
    id = name if folder == "secret" else f"{folder}:{name.replace('/', '-')}"
    row: dict[str, object] = {"id": id, "input": case.given, "output": case.answer}
    row |= {"group": part.group} if part.group else {}
    row |= {"weight": part.weight} if not part.group and part.weight != 1 else {}
    row |= {"args": list(case.args)} if case.args else {}
    return row | ({"files": dict(case.files)} if case.files else {})


def _check(problem: KattisProblem, case: TestCase) -> dict[str, object]:
    """Return the options of Kattis' own validator, which ignores case and white space by default."""
    own = f"{problem.where}: validator_flags"
    options: dict[str, object] = {"case_sensitive": False}
    for flags, where in (
        (_problem_flags(problem), own),
        (case.validator_args, f"output validator arguments of {case.path}"),
    ):
        options |= _flagged(flags, options, where)
    return options


def _flagged(flags: tuple[str, ...], before: Mapping[str, object], where: str) -> dict[str, object]:
    options = dict(before)
    left = iter(flags)
    for flag in left:
        if flag == "case_sensitive":
            options["case_sensitive"] = True
        elif flag == "space_change_sensitive":
            options["space_sensitive"] = True
        elif flag in _TOLERANCES:
            if options.get("checker") != "float":
                options |= {"checker": "float", "absolute": 0.0, "relative": 0.0}
            options |= dict.fromkeys(_TOLERANCES[flag], _tolerance(next(left, ""), flag, where))
        else:
            known = ", ".join(("case_sensitive", "space_change_sensitive", *_TOLERANCES))
            raise InputError(where, f"one of {known}, not {flag!r:.80}")
    return options


def _tolerance(text: str, flag: str, where: str) -> float:
    tolerance = _as_number(text)
    if not isinstance(tolerance, float) or not 0 <= tolerance < float("inf"):
        raise InputError(where, f"a number after {flag}, not {text!r:.80}")
    return tolerance
