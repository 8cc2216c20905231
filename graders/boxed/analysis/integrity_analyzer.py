"""Runs inside the box: the integrity rules on the source of one file at a time."""

import importlib
import re
import sys
from collections.abc import Iterator
from typing import Any

from graders.boxed.analysis.integrity.idle import idle_lines
from graders.boxed.analysis.integrity.rule import IntegrityRule, Place
from graders.boxed.analysis.integrity.rules import RULES
from graders.boxed.analysis.integrity.shown import examples
from graders.boxed.analysis.integrity.syntax import About, Code
from graders.boxed.analysis.one_file import parse

TOOL = "integrity-3"
PLACES_CAP = 5
"""Places of a rule that are kept for a file: the first ones; a reviewer reads the rest of the code then."""
DETAIL_CAP = 120
_DOTTED = re.compile(r"\b[a-z_]\w*(?:\.\w+)*\.\w{3,}")
_NOT_IMPORTED = frozenset(["antigravity", "this", "idlelib", "turtle", "turtledemo", "tkinter"])


def about(task: dict[str, Any]) -> About:
    """Return the facts about the task and the submission's other modules from a question.

    {"prompt": str, "visible": {path: text}, "modules": [str...], "is_program": bool}; a missing key means unknown.
    """
    prompt, visible = task.get("prompt", ""), task.get("visible", {})
    return About(
        shown=examples(prompt, visible),
        text="\n".join([prompt, *visible.values()]),
        own=frozenset(task.get("modules", ())),
        is_program=bool(task.get("is_program")),
    )


def analyze(source: bytes, known: About) -> dict[str, Any]:
    """Return the findings: {"places": [{"rule", "line", "detail", "mild"}...], "left_out": int, "own": [module...]}.

    `own` lists modules with names of the standard library from which the file imports names that the library's module
    lacks: the file means a module of the submission, which is not there to shadow the library's.
    """
    tree = parse(source)
    code = Code(source.decode("utf-8-sig"), tree, known)
    idle = idle_lines(code)
    places: list[dict[str, Any]] = []
    left_out = 0
    for rule in RULES.values():
        found: dict[int, Place] = {}
        for place in _places(code, rule, idle):
            if place.line not in found or (found[place.line].mild and not place.mild):
                found[place.line] = place
        kept = sorted(found.values(), key=lambda place: (place.mild, place.line))[:PLACES_CAP]
        left_out += len(found) - len(kept)
        places += [
            {"rule": rule.id, "line": place.line, "detail": place.detail[:DETAIL_CAP], "mild": place.mild}
            for place in kept
        ]
    return {"places": places, "left_out": left_out, "own": _own_modules(code)}


def _places(code: Code, rule: IntegrityRule, idle: frozenset[int]) -> Iterator[Place]:
    """Return the places that the rule finds; those that the prompt asks for, and those that no answer runs, are
    mild.
    """
    asked = code.is_asked(rule.asked)
    for place in rule.find(code):
        runs_not = not rule.is_text and place.line in idle
        yield place._replace(mild=True) if asked or runs_not or _is_named(code, place.detail) else place


def _is_named(code: Code, detail: str) -> bool:
    """Return True if the prompt itself names the function: "... with `sys.settrace`"."""
    return any(name in code.about.text for name in _DOTTED.findall(detail))


def _own_modules(code: Code) -> list[str]:
    wanted = {
        tuple(meaning.split(".")[:2])
        for _, meanings in code.mentions
        for meaning in meanings
        if meaning.count(".") >= 1
    } | {tuple(name.split(".")[:2]) for names in code.imports.values() for name in names if "." in name}
    return sorted({module for module, name in wanted if module in code.about.own and not _has(module, name)})


def _has(module: str, name: str) -> bool:
    if module in _NOT_IMPORTED or (module not in sys.stdlib_module_names and module not in sys.modules):
        return True
    try:
        return hasattr(importlib.import_module(module), name.partition("(")[0].partition("[")[0])
    except Exception:
        return True
