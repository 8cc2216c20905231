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
"""So many of those that are not for survivors may be large."""
TWICE = 2
"""Each survivor is noticed by so many cases, where there are as many: one may fall to the author's pencil."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A new case, and which programs fail it."""

    case: Case
    line: str
    """As it stands in a suite's file."""
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
    """What a mistake may depend on, coarsely."""
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
    """As Python text. Raises ValueError for an integer of more digits than Python writes."""
    arguments = [*map(repr, call.args), *(f"{name}={value!r}" for name, value in call.kwargs.items())]
    return f"{entry_point}({', '.join(arguments)})"


def value_of(answer: Answer) -> object:
    """The value of an answer of the reference's, whose author is trusted. Raises EncodingError."""
    assert answer.value is not None
    return from_json(answer.value.tree)


def candidate_case(call: Call, answer: Answer, entry_point: str) -> tuple[Case, str] | None:
    """The case that this call gives this answer, and its line; None where its answer has no place in a case.

    In the form for people where that says the same, types included.
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
    """The value as text, its types included: equal where it is the same value, whatever the order of its sets."""
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
    """At most `most` of them: first those that programs fail which nothing else notices, then some of each sort.

    Args:
        candidates: in the order in which they were made.
        survivors: the programs that the task's own suites pass.
        most: so many at most.
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
    """A `call` suite for a task that has none; `floats`: numbers need not agree in their last digits."""
    tolerance = {"checker": "float", "absolute": 1e-9, "relative": 1e-9} if floats else {"checker": "exact"}
    return Suite(id="amplified", kind="call", files={}, options={"entry_point": entry_point, **tolerance})


def with_cases(suite: Suite, lines: Sequence[str], *, number: int) -> Suite:
    """The same suite with these cases in the place of its own, under an id with this number."""
    others = {path: text for path, text in suite.files.items() if not path.endswith(".jsonl")}
    return replace(
        suite, id=f"{suite.id}/amplified-{number}", files={**others, "amplified.jsonl": "\n".join(lines) + "\n"}
    )


def accept(files: Mapping[str, str], suite: Suite, lines: Sequence[str]) -> dict[str, str]:
    """The files of the package (path -> text) that change, with these cases in it.

    A `call` suite gets them at the end of its own file. Where the package has no suite of this id, it gets one, with a file
    of its own that no other suite takes for its. Raises PackageError where a line is no case, or is there already.
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
