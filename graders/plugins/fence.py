"""The fence around a grader's reports: which signals are accepted, of which size, and how many.

A plugin reports in its own name, on its own criterion, with plain values. Any other signal ends it, and it abstains;
earlier valid signals are kept. Texts that are too long are cut. Of too many signals the most informative are kept, and
the number left out is a measurement. Built-in graders may report on other criteria, and limit their reports themselves.

    Refused                 the grader reported something that is not a signal of its own
"""

import reprlib
import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from enum import Enum
from types import UnionType
from typing import Any, get_args, get_type_hints

from graders.interface import Abstention, CaseOutcome, Finding, Grader, Measurement, Severity, Signal

OWN_NAMESPACE = "assay/"
SIGNALS_KEPT = 500
"""Signals that are kept of one plugin in one run."""
TEXT_CHARACTERS = 2000
"""Characters of a text for reviewers: a longer one is cut."""
NAME_CHARACTERS = 300
"""Characters of a path, rule, unit or name: a longer one is refused, because a cut name would be another name."""
LEFT_OUT = "signals-left-out"
_LARGEST_INT = 2**31 - 1
_TEXTS = ("message", "note", "reason")
_REPORTED = (Measurement, Finding, Abstention)
_CUT = " [...]"


class Refused(Exception):  # noqa: N818 - like Abstain: an outcome of a grader, not an error of ours
    """The grader reported an invalid signal. The argument continues a sentence that begins with the grader's name."""


def is_own(id: str) -> bool:
    """Return True for a built-in grader: no plugin can have such an id (`graders.plugins.registry`)."""
    return id.startswith(OWN_NAMESPACE)


def admit(signal: object, *, id: str, criterion: str) -> Signal:
    """Return the signal as it is kept. Raises Refused if grader `id`, which is for `criterion`, may not report it."""
    if is_own(id):
        if not isinstance(signal, Signal) or signal.grader != id:
            raise Refused(f"yielded {_shown(signal)}, which is no signal of its own")
        return signal
    if type(signal) is CaseOutcome:
        raise Refused("yielded a case outcome, which only built-in graders report")
    if type(signal) not in _REPORTED:
        raise Refused(f"yielded {_shown(signal)}, which is no signal")
    assert isinstance(signal, _REPORTED)
    for name, (kinds, optional) in _FIELDS[type(signal)].items():
        value = getattr(signal, name)
        if not (optional and value is None):
            _check(f"{_kind(signal)} whose {name}", name, value, kinds)
    for name, own in (("grader", id), ("criterion", criterion)):
        if getattr(signal, name) != own:
            raise Refused(f"yielded {_kind(signal)} for the {name} {_shown(getattr(signal, name))}, not its own {own}")
    if isinstance(signal, Finding) and is_own(signal.rule):
        raise Refused(
            f"yielded a finding of the rule {_shown(signal.rule)}; rules in {OWN_NAMESPACE} are of built-in graders"
        )
    shorter: dict[str, Any] = {
        name: cut(getattr(signal, name)) for name in _TEXTS if len(getattr(signal, name, "")) > TEXT_CHARACTERS
    }
    return replace(signal, **shorter) if shorter else signal


def cut(text: str, characters: int = TEXT_CHARACTERS) -> str:
    """Return at most `characters` characters of a text, with a mark at a cut."""
    return text if len(text) <= characters else text[: characters - len(_CUT)] + _CUT


def text_of(error: BaseException, characters: int = 500) -> str:
    """Return the text of an exception, even if its own `__str__` raises."""
    try:
        return cut(str(error), characters)
    except BaseException:  # noqa: BLE001 - code of a plugin
        return "(its text could not be had)"


def told(error: BaseException) -> str:
    """Return the type and the text of an exception."""
    name, text = type(error).__name__[:NAME_CHARACTERS], text_of(error)
    return cut(f"{name}: {text}" if text else name, 500)


class Kept:
    """The signals of one grader and run: all signals of a built-in grader, the most informative of a plugin."""

    def __init__(self, grader: Grader) -> None:
        self._grader = grader
        self._most = sys.maxsize if is_own(grader.id) else SIGNALS_KEPT
        self._signals: list[Signal] = []
        self._left_out = 0

    def add(self, signal: object) -> None:
        """Add a signal. Raises Refused, and then does not keep it."""
        self._signals.append(admit(signal, id=self._grader.id, criterion=self._grader.criterion))
        if len(self._signals) >= 2 * self._most:
            self._prune()

    def signals(self, last_words: str = "", *, public: bool | None = None) -> list[Signal]:
        """Return the signals in the order in which they were added.

        `last_words`: why the grader abstains at the end, if it does; `public`: whether submitters may read these words;
        None if the grader decides.
        """
        self._prune()
        signals = list(self._signals)
        if self._left_out:
            signals.append(self._grader.measurement(LEFT_OUT, self._left_out, "signals"))
        if last_words:
            abstention = self._grader.abstention(cut(last_words))
            signals.append(abstention if public is None else replace(abstention, public=public))
        return signals

    def _prune(self) -> None:
        if len(self._signals) > self._most:
            by_telling = sorted(range(len(self._signals)), key=lambda at: (-_telling(self._signals[at]), at))
            self._left_out += len(self._signals) - self._most
            self._signals = [self._signals[at] for at in sorted(by_telling[: self._most])]


def _telling(signal: Signal) -> int:
    """Return the priority of a signal: abstentions first, then the severest findings, then numbers, then mild
    findings.
    """
    if isinstance(signal, Abstention):
        return 4
    if isinstance(signal, Finding):
        return {Severity.HIGH: 3, Severity.MEDIUM: 2, Severity.LOW: 0}[signal.severity]
    return 1


def _check(what: str, name: str, value: object, kinds: tuple[type, ...]) -> None:
    if isinstance(value, bool) and bool not in kinds:
        raise Refused(f"yielded {what} is {value}, not {_words(kinds)}")
    if float in kinds and isinstance(value, int | float):
        if not abs(value) <= sys.float_info.max:
            raise Refused(f"yielded {what} is not a finite number")
    elif not isinstance(value, kinds):
        raise Refused(f"yielded {what} is {_shown(value)}, not {_words(kinds)}")
    elif kinds == (int,) and not 0 <= value <= _LARGEST_INT:  # type: ignore[operator]
        raise Refused(f"yielded {what} is not from 0 to {_LARGEST_INT}")
    elif kinds == (str,) and name not in _TEXTS and len(value) > NAME_CHARACTERS:  # type: ignore[arg-type]
        raise Refused(f"yielded {what} has more than {NAME_CHARACTERS} characters")


def _words(kinds: tuple[type, ...]) -> str:
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "a text"}
    return " or ".join(
        f"one of {', '.join(map(str, kind))}" if issubclass(kind, Enum) else words[kind] for kind in kinds
    )


def _kind(signal: object) -> str:
    name = type(signal).__name__.lower()
    return f"an {name}" if name[0] == "a" else f"a {name}"


def _shown(value: object) -> str:
    """Return a value in the form for messages, without running code of the value's own class."""
    if value is None or type(value) in (bool, int, float, str, bytes):
        return reprlib.repr(value)
    return f"an object of type {type(value).__name__[:80]}"


def _field_types(kind: type) -> Mapping[str, tuple[tuple[type, ...], bool]]:
    """Return the name of each field -> the types that it may have, and whether it may be None."""
    hints = get_type_hints(kind)
    return {field.name: _plain(hints[field.name]) for field in fields(kind)}


def _plain(hint: Any) -> tuple[tuple[type, ...], bool]:
    kinds = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    named = tuple(getattr(kind, "__supertype__", kind) for kind in kinds if kind is not type(None))
    return named, len(named) < len(kinds)


_FIELDS = {kind: _field_types(kind) for kind in _REPORTED}
