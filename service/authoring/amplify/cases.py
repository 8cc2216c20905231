"""The cases that `assay amplify` proposes: which of many candidates, how they are written, how they come into a package. Pure."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from graders.boxed.shared.encoding import EncodingError, from_json, to_json
from graders.interface import Suite
from graders.suites.call.cases import Case, parse_cases
from graders.suites.call.runner import Answer
from graders.tasks import package
from graders.tasks.package import PackageError
from service.authoring.inputs.domain import Call
from service.authoring.inputs.rules import is_number

LARGE_SHARE = 0.05
"""Largest share of large cases among those that no survivor needs."""
TWICE = 2
"""Number of cases that notice each survivor, if there are enough: the author may delete one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A new case, and which programs fail it."""

    case: Case
    line: str
    """The case as a line of a suite's file."""
    fails: frozenset[str]
    """Names of the programs (mutants, wrong submissions) that fail it."""
    large: bool = False
    """Larger than what is known; many such cases would make right solutions too slow."""

    @property
    def sort(self) -> tuple[object, ...]:
        """Cases of one sort are alike: the same programs fail them, and inputs and answer are of the same form."""
        inputs = [*self.case.args, *self.case.kwargs.values()]
        return self.fails, tuple(map(_form, inputs)), self.case.raises or repr(self.case.expected)[:1]


def _form(value: Any) -> tuple[object, ...]:
    """Return a coarse form of a value: what a mistake may depend on."""
    if isinstance(value, str):
        lower = value.lower()
        return len(value).bit_length(), lower == value, " " in value, value.isalnum(), lower == lower[::-1]
    if isinstance(value, list | tuple):
        kinds = frozenset(type(item).__name__ for item in value)
        doubles = len(set(map(repr, value))) < len(value)
        negative = any(is_number(item) and item < 0 for item in value)
        return len(value).bit_length(), kinds, doubles, negative, max(map(repr, value), key=len, default="")[:1]
    if is_number(value):
        return value < 0, int(min(abs(value), 10**9)).bit_length(), value % 2 == 0, type(value).__name__
    return (len(value).bit_length() if isinstance(value, dict | set | frozenset) else repr(value)[:1],)


def shown_call(call: Call, entry_point: str) -> str:
    """Return the call as Python text. Raises ValueError for an integer with more digits than Python writes."""
    arguments = [*map(repr, call.args), *(f"{name}={value!r}" for name, value in call.kwargs.items())]
    return f"{entry_point}({', '.join(arguments)})"


def value_of(answer: Answer) -> object:
    """Return the value of an answer of the reference, whose author is trusted. Raises EncodingError."""
    assert answer.value is not None
    return from_json(answer.value.tree)


def candidate_case(call: Call, answer: Answer, entry_point: str) -> tuple[Case, str] | None:
    """Return the case that expects this answer, and its line; None if a case cannot express the answer.

    The line has the readable form if that form keeps the value and its types.
    """
    raised: dict[str, object] = {"raises": answer.raised[0]} if answer.kind == "raised" else {}
    try:
        encoded = {
            "args": [to_json(value) for value in call.args],
            "kwargs": {name: to_json(value) for name, value in call.kwargs.items()},
            **(raised or {"expected": to_json(value_of(answer))}),
        }
        plain = {"call": shown_call(call, entry_point), **(raised or {"returns": repr(value_of(answer))})}
    except (EncodingError, ValueError):  # a value of a kind, or an integer of a size, that cannot be written
        return None
    id = f"amplified-{hashlib.sha256(json.dumps(encoded).encode()).hexdigest()[:10]}"
    for form in (plain, encoded):
        line = json.dumps({"id": id, **form}, ensure_ascii=False)
        try:
            [case] = parse_cases(line, name="amplified", entry_point=entry_point)
        except ValueError:
            continue
        if _same(case, call, answer):
            return case, line
    return None


def _same(case: Case, call: Call, answer: Answer) -> bool:
    if _spelled([case.args, case.kwargs]) != _spelled([call.args, call.kwargs]):
        return False
    if answer.kind == "raised":
        return case.raises == answer.raised[0]
    return _spelled(case.expected) == _spelled(value_of(answer))


def _spelled(value: Any) -> str:
    """Return the value as text with its types: equal texts for equal values, whatever the order of their sets."""
    if isinstance(value, dict):
        items = [f"{_spelled(key)}: {_spelled(item)}" for key, item in value.items()]
    elif isinstance(value, list | tuple):
        items = list(map(_spelled, value))
    elif isinstance(value, set | frozenset):
        items = sorted(map(_spelled, value))
    else:
        return repr(value)
    return f"{type(value).__name__}({', '.join(items)})"


def choose(candidates: Sequence[Candidate], survivors: frozenset[str], *, most: int) -> list[Candidate]:
    """Return at most `most` candidates: first those that alone notice a program, then some of each form.

    Args:
        candidates: in the order in which they were made.
        survivors: the programs that pass the task's own suites.
        most: upper bound on the number of cases.
    """
    chosen: dict[str, Candidate] = {}
    noticed = dict.fromkeys(sorted(survivors), 0)
    while len(chosen) < most:
        wanting = {name for name, times in noticed.items() if times < TWICE}
        left = [each for each in candidates if each.case.id not in chosen and each.fails & wanting]
        if not left:
            break
        best = max(left, key=lambda each: (len(each.fails & wanting), -len(each.line)))
        chosen[best.case.id] = best
        for name in best.fails & survivors:
            noticed[name] += 1
    sorts: dict[tuple[object, ...], list[Candidate]] = {}
    for each in candidates:
        sorts.setdefault(each.sort, []).append(each)
    room = int(LARGE_SHARE * most)
    for turn in range(max(map(len, sorts.values()), default=0)):
        for alike in sorts.values():
            if turn < len(alike) and len(chosen) < most and (room > 0 or not alike[turn].large):
                room -= alike[turn].large and alike[turn].case.id not in chosen
                chosen.setdefault(alike[turn].case.id, alike[turn])
    return list(chosen.values())


def new_suite(entry_point: str, *, floats: bool) -> Suite:
    """Return a `call` suite for a task without one; `floats`: numbers need not agree in their last digits."""
    tolerance = {"checker": "float", "absolute": 1e-9, "relative": 1e-9} if floats else {"checker": "exact"}
    return Suite(id="amplified", kind="call", files={}, options={"entry_point": entry_point, **tolerance})


def with_cases(suite: Suite, lines: Sequence[str], *, number: int) -> Suite:
    """Return the suite with these cases in place of its own, and this number in its id."""
    others = {path: text for path, text in suite.files.items() if not path.endswith(".jsonl")}
    return replace(
        suite, id=f"{suite.id}/amplified-{number}", files={**others, "amplified.jsonl": "\n".join(lines) + "\n"}
    )


def accept(files: Mapping[str, str], suite: Suite, lines: Sequence[str]) -> dict[str, str]:
    """Return the files of the package (path -> text) that change if these cases are added.

    A `call` suite gets them at the end of its own file. If the package does not have a suite of this id, it gets one with a
    file that belongs to no other suite. Raises PackageError if a line is not a case, or the case exists already.
    """
    task = package.load(files)
    own = next((each for each in task.suites if each.id == suite.id), None)
    text = "".join(f"{line}\n" for line in lines)
    if own is not None:
        [path] = [path for path in own.files if path.endswith(".jsonl")]
        before = files[path]
        changed = {path: (before if before.endswith("\n") else f"{before}\n") + text}
        package.load({**files, **changed})
        return changed
    for path in ("hidden/amplified.jsonl", "amplified/cases.jsonl"):
        options = "".join(f"{key} = {json.dumps(value)}\n" for key, value in suite.options.items())
        table = f'\n[[suite]]\nid = "{suite.id}"\nkind = "call"\nfiles = ["{path}"]\n{options}'
        changed = {path: text, "task.toml": f"{files['task.toml'].rstrip()}\n{table}"}
        if path not in files and all(path not in each.files for each in package.load({**files, **changed}).suites[:-1]):
            return changed
    raise PackageError("hidden/amplified.jsonl", "a place for new cases that no other suite's `files` match")
