"""Kattis problem packages, in the legacy format and in that of 2023-07, as far as their programs are Python.

problem.yaml                                name, validation, validator_flags, limits
problem_statement/problem.en.tex            the prompt, as it is written there (or statement/, .md)
data/sample/*.in, *.ans                     shown to the model
data/secret/**/*.in, *.ans                  the hidden cases, a `stdio` suite
output_validators/                          its checker, or its interactor
submissions/{accepted,wrong_answer,...}/    the proof; those in other languages are left out
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from service.importers.package_text import FormatError, ImportedTask, SuiteText, package, stdio_suite
from service.packages import read_folder

SUBMISSIONS = {
    "accepted": "accepted", "wrong_answer": "wrong", "time_limit_exceeded": "slow", "run_time_error": "wrong",
}  # fmt: skip
"""Their folder -> ours. Others, such as partially_accepted, state no outcome that a run here could have."""

TIME_MULTIPLIER = 5
"""Where no time limit is stated, it is so many times what the slowest accepted program takes; here, the reference."""
MEMORY_MIB = 1024
MOST_YAML_CHARACTERS = 64 << 10

_VALIDATORS = ("output_validators", "output_validator")
_STATEMENTS = ("problem_statement", "statement")
_TOLERANCES = {
    "float_tolerance": ("absolute", "relative"),
    "float_absolute_tolerance": ("absolute",),
    "float_relative_tolerance": ("relative",),
}
_NOT_IN_AN_ID = re.compile(r"[^A-Za-z0-9_.-]+")

Files = Mapping[str, str]


def read_problem(folder: Path) -> ImportedTask:
    """The task of a problem package's folder. Raises FormatError."""
    problem = _problem(folder)
    id = _NOT_IN_AN_ID.sub("-", folder.resolve().name).strip("-.")
    submissions = _submissions(folder)
    accepted = sorted(path for path in submissions if path.startswith("submissions/accepted/"))
    if not accepted:
        raise FormatError(f"{folder}/submissions/accepted", "a Python program, or a folder with one")
    cases = list(_cases(folder))
    if not cases:
        raise FormatError(f"{folder}/data/secret", "at least one .in with its .ans")
    files = package(
        id=id,
        title=_name(problem, id),
        prompt=_statement(folder),
        suite=_suite(folder, problem, cases),
        submissions=submissions,
        # What an interactor reads is for nobody else, samples included.
        visible={} if _is_interactive(problem) else _samples(folder),
        # A file, or the folder of a program of several.
        reference="/".join(accepted[0].split("/")[:3]),
        limits=_limits(problem.get("limits") or {}, f"{folder}/problem.yaml: limits"),
    )
    return ImportedTask(id=id, files=files, where=str(folder))


def _problem(folder: Path) -> dict[str, Any]:
    path = folder / "problem.yaml"
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(MOST_YAML_CHARACTERS + 1)
        # A few lines of aliases stand for more than any memory holds, once somebody writes them out.
        has_alias = any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=yaml.SafeLoader))
        problem = None if has_alias else yaml.safe_load(text) or {}
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:  # ValueError: no UTF-8, or no such date
        raise FormatError(str(path), f"YAML ({error})") from error
    if has_alias or len(text) > MOST_YAML_CHARACTERS:
        raise FormatError(str(path), f"YAML of at most {MOST_YAML_CHARACTERS >> 10} KiB without aliases (*name)")
    if not isinstance(problem, dict) or not isinstance(problem.get("limits") or {}, dict):
        raise FormatError(str(path), "a table of keys and values, `limits` among them a table too")
    return problem


def _limits(stated: Mapping[str, Any], where: str) -> dict[str, object]:
    """For one case. Their time is CPU time; a wall clock on a busy machine would fail honest programs."""
    seconds, memory = stated.get("time_limit"), stated.get("memory", MEMORY_MIB)
    if not all(isinstance(value, int | float) and value > 0 for value in (seconds or 1, memory)):
        raise FormatError(where, f"numbers greater than 0 for time_limit and memory, not {seconds!r} and {memory!r}")
    time = (
        {"cpu_seconds": f"{TIME_MULTIPLIER}x", "wall_seconds": f"{2 * TIME_MULTIPLIER}x"}
        if seconds is None
        else {"cpu_seconds": seconds, "wall_seconds": 5 * seconds + 5}
    )
    # Their default is 2 GiB for a machine that runs one program at a time.
    return {**time, "memory_mib": min(max(64, int(memory)), MEMORY_MIB)}


def _name(problem: Mapping[str, Any], id: str) -> str:
    name = problem.get("name") or id
    # A name for each language, in the newer format.
    return str(name.get("en") or next(iter(name.values()))) if isinstance(name, dict) else str(name)


def _is_interactive(problem: Mapping[str, Any]) -> bool:
    # The legacy format says it of the validation, the newer one of the type.
    return "interactive" in f"{problem.get('validation')} {problem.get('type')}"


def _statement(folder: Path) -> str:
    for place in _STATEMENTS:
        texts = [path for path in sorted((folder / place).glob("problem*")) if path.suffix in (".tex", ".md")]
        english = [path for path in texts if path.stem in ("problem", "problem.en")]
        for path in (english or texts)[:1]:
            return _text(path)
    raise FormatError(f"{folder}/{_STATEMENTS[0]}", "a statement that is text: problem.en.tex or problem.en.md")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise FormatError(str(path), f"a text in UTF-8 ({error})") from error


def _samples(folder: Path) -> Files:
    return {
        f"visible/{path.with_suffix(suffix).name}": _text(path.with_suffix(suffix))
        for path in sorted((folder / "data" / "sample").glob("*.in"))
        for suffix in (".in", ".ans")
    }


def _cases(folder: Path) -> Iterator[dict[str, object]]:
    secret = folder / "data" / "secret"
    for path in sorted(secret.rglob("*.in")):
        answer = path.with_suffix(".ans")
        if not answer.exists():
            raise FormatError(str(path), f"{answer.name} beside it")
        case = path.relative_to(secret).with_suffix("")
        group = {"group": "-".join(case.parent.parts)} if case.parent.parts else {}
        yield {"id": case.as_posix(), "input": _text(path), "output": _text(answer), **group}


def _suite(folder: Path, problem: Mapping[str, Any], cases: list[dict[str, object]]) -> SuiteText:
    options: dict[str, object] = {}
    programs = {}
    flags = str(problem.get("validator_flags") or "").split()
    validator = _validator(folder)
    if validator is None:
        options |= _default_checker(flags, str(folder / "problem.yaml"))
    else:
        interactive = _is_interactive(problem)
        path = "hidden/interactor.py" if interactive else "hidden/checker.py"
        options |= {"interactor_file": path} if interactive else {"checker": "program", "checker_file": path}
        options["protocol"] = "kattis"
        options["protocol"] = "kattis"
        programs[path] = _with_flags(validator, flags)
    groups = sorted({str(case["group"]) for case in cases if "group" in case})
    if groups:
        # Each weighs as much as it has cases: what is stated of scores is for graders of their own.
        options["groups"] = {group: sum(case.get("group") == group for case in cases) for group in groups}
    return stdio_suite(cases, options, programs)


def _validator(folder: Path) -> str | None:
    for place in _VALIDATORS:
        found = sorted(path for path in (folder / place).glob("*") if not path.name.startswith("."))
        programs = [path for path in found if path.suffix == ".py"]
        inside = [path for each in found if each.is_dir() for path in sorted(each.glob("*")) if path.is_file()]
        if len(found) == 1 and found[0].is_dir() and len(inside) == 1 and inside[0].suffix == ".py":
            programs = inside
        if found and len(programs) != 1:
            raise FormatError(f"{folder}/{place}", "one validator, a Python program in one file")
        if programs:
            return _text(programs[0])
    return None


def _with_flags(validator: str, flags: list[str]) -> str:
    """Where the problem gives its validator arguments, it is told of them: they come after the three that all get."""
    return f"import sys; sys.argv[4:] = {flags!r}\n{validator}" if flags else validator


def _default_checker(flags: list[str], where: str) -> dict[str, object]:
    """Of Kattis' own validator: it ignores case and white space unless it is told otherwise."""
    options: dict[str, object] = {"case_sensitive": False}
    left = iter(flags)
    for flag in left:
        if flag == "case_sensitive":
            options["case_sensitive"] = True
        elif flag == "space_change_sensitive":
            options["checker"] = "exact"
        elif flag in _TOLERANCES:
            options |= {"checker": "float", "absolute": 0.0, "relative": 0.0} | {
                key: value for key, value in options.items() if key in ("absolute", "relative")
            }
            options |= dict.fromkeys(_TOLERANCES[flag], _number(next(left, ""), flag, where))
        else:
            known = ", ".join(("case_sensitive", "space_change_sensitive", *_TOLERANCES))
            raise FormatError(f"{where}: validator_flags", f"one of {known}, not {flag!r}")
    if options.get("checker") == "exact":
        return {"checker": "exact"}
    return options


def _number(text: str, flag: str, where: str) -> float:
    try:
        return float(text)
    except ValueError as error:
        raise FormatError(f"{where}: validator_flags", f"a number after {flag}, not {text!r}") from error


def _submissions(folder: Path) -> dict[str, str]:
    found = {}
    for theirs, ours in SUBMISSIONS.items():
        for path in sorted((folder / "submissions" / theirs).glob("*")):
            # Two of their folders become one of ours.
            name = f"run_time_error_{path.name}" if theirs == "run_time_error" else path.name
            if path.is_file() and path.suffix == ".py":
                found[f"submissions/{ours}/{name}"] = _text(path)
            elif path.is_dir() and any(path.glob("*.py")):
                found |= {f"submissions/{ours}/{name}/{each}": text for each, text in _program(path).items()}
    return found


def _program(folder: Path) -> dict[str, str]:
    """A submission of several files; the one that is started gets the name that submissions start from here."""
    files = read_folder(folder)
    programs = [name for name in files if name.endswith(".py") and "/" not in name]
    starts = [name for name in ("__main__.py", "main.py") if name in programs] or programs
    if len(starts) != 1:
        raise FormatError(str(folder), "a program that starts from main.py")
    return {("solution.py" if name == starts[0] else name): text for name, text in files.items()}
