"""The scores of a Kattis problem's cases, as groups that count only if all cases pass, and as cases that count alone.

    pass-fail               every folder of secret/ is a group that weighs as much as it has cases
    scoring, legacy         accept_score and grader_flags: a group that forgives a failed part is the sum of its parts
    scoring, since 2023-07  scoring.score and scoring.aggregation

Other scoring is refused, with its file and key: graders of the author's own, scores that a validator chooses, and parts that
only count if others pass.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rubrics.input_error import InputError
from service.importers.kattis.data import Group
from service.importers.kattis.files import number_of, table_of

MOST_SCORE = 100.0
"""Score of all secret cases together, unless the package states one."""

_FORGIVING = ("always_accept", "accept_if_any_accepted")
_VERDICTS = ("first_error", "worst_error", "always_accept")
_AGGREGATED = ("sum", "avg", "min", "max")
_FLAGS = frozenset({*_VERDICTS, *_AGGREGATED, "ignore_sample", "accept_if_any_accepted"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredPart:
    """Cases that count together, or one that counts by itself."""

    group: str
    """`` for a case by itself."""
    weight: float
    cases: tuple[str, ...]
    """Their paths."""


def of_pass_fail(data: Group) -> list[ScoredPart]:
    """Return the parts of a pass-fail problem: every case counts, samples too."""
    parts = []
    for group in _each(data):
        flags = _flags(group)
        if set(flags) & set(_FORGIVING):
            raise InputError(f"{group.where}: grader_flags", f"none of {', '.join(_FORGIVING)} in a pass-fail problem")
        cases = tuple(case.path for case in group.cases)
        name = _name(group) if group.path.startswith("secret/") else ""
        if name and cases:
            parts.append(ScoredPart(group=name, weight=float(len(cases)), cases=cases))
        else:
            parts += [ScoredPart(group="", weight=1.0, cases=(case,)) for case in cases]
    return parts


def _each(group: Group) -> Iterable[Group]:
    yield group
    for inner in group.groups:
        yield from _each(inner)


def _name(group: Group) -> str:
    return group.path.removeprefix("secret/").replace("/", "-") or "data"


def _together(group: Group, weight: float) -> ScoredPart:
    return ScoredPart(group=_name(group), weight=weight, cases=tuple(case.path for case in group.all_cases()))


# --- the legacy format ----------------------------------------------------------------------------------------------------


def of_legacy(data: Group) -> list[ScoredPart]:
    """Return the parts of a legacy scoring problem. Raises InputError."""
    ignores_sample = "ignore_sample" in _flags(data)
    groups = tuple(group for group in data.groups if not (ignores_sample and group.path == "sample"))
    whole = Group(path=data.path, where=data.where, stated=data.stated, cases=(), groups=groups)
    # Samples that give no points are left out.
    return [part for part in _legacy_parts(whole) if part.weight]


def _flags(group: Group) -> list[str]:
    stated = group.stated.get("grader_flags", "")
    flags = stated.split() if isinstance(stated, str) else [repr(stated)]
    unknown = [flag for flag in flags if flag not in _FLAGS]
    if unknown:
        raise InputError(f"{group.where}: grader_flags", f"some of {', '.join(sorted(_FLAGS))}, not {unknown[0]!r:.80}")
    return flags


def _legacy_parts(group: Group) -> list[ScoredPart]:
    flags = _flags(group)
    _refuse_scores(group)
    if not _forgives(group):
        return [_together(group, _legacy_score(group))]
    aggregated = _last(flags, _AGGREGATED, "sum")
    if aggregated == "min":
        return [_together(group, _legacy_score(group))]
    if aggregated == "max":
        raise InputError(f"{group.where}: grader_flags", "sum, avg or min where a failed part is forgiven, not 'max'")
    count = len(group.cases) + len(group.groups)
    share = 1.0 if aggregated == "sum" else 1.0 / max(1, count)
    parts = [ScoredPart(group="", weight=_accepted(group), cases=(case.path,)) for case in group.cases]
    parts += [part for inner in group.groups for part in _legacy_parts(inner)]
    return [ScoredPart(group=part.group, weight=part.weight * share, cases=part.cases) for part in parts]


def _forgives(group: Group) -> bool:
    """Return whether the group counts although a part failed. A part that forgives as well has not failed then."""
    return bool(set(_flags(group)) & set(_FORGIVING)) or any(_forgives(inner) for inner in group.groups)


def _legacy_score(group: Group) -> float:
    """Return the score of a group that is fully accepted."""
    scores = [_accepted(group)] * len(group.cases) + [_legacy_score(inner) for inner in group.groups]
    if not scores:
        return 0.0
    match _last(_flags(group), _AGGREGATED, "sum"):
        case "min":
            return min(scores)
        case "max":
            return max(scores)
        case "avg":
            return sum(scores) / len(scores)
        case _:
            return sum(scores)


def _accepted(group: Group) -> float:
    return number_of(group.stated.get("accept_score", 1), f"{group.where}: accept_score", above=-1e-300)


def _refuse_scores(group: Group) -> None:
    if group.stated.get("reject_score", 0) != 0:
        raise InputError(f"{group.where}: reject_score", "0: what failed counts nothing here")


def _last(flags: list[str], kind: tuple[str, ...], otherwise: str) -> str:
    return next((flag for flag in reversed(flags) if flag in kind), otherwise)


# --- since 2023-07 --------------------------------------------------------------------------------------------------------


def of_modern(data: Group) -> list[ScoredPart]:
    """Return the parts of a problem scored since 2023-07; samples do not score. Raises InputError."""
    [secret] = [group for group in data.groups if group.path == "secret"]
    return _modern_parts(secret, _score(secret, MOST_SCORE))


def _modern_parts(group: Group, score: float) -> list[ScoredPart]:
    aggregated = _aggregated(group)
    if score <= 0:
        raise InputError(f"{group.where}: scoring", f"a score greater than 0 for {group.path}, not {score:g}")
    if aggregated != "sum":
        for inner in _each(group):
            if inner is not group and _aggregated(inner) == "sum":
                raise InputError(
                    f"{inner.where}: scoring: aggregation", f"none but pass-fail and min inside {group.path}"
                )
        return [_together(group, score)]
    stated = [_score(inner, None) for inner in group.groups]
    unstated = len(group.cases) + stated.count(None)
    left = score - sum(filter(None, stated))
    share = left / unstated if unstated else 0.0
    if left < 0 or (unstated and share <= 0):
        raise InputError(f"{group.where}: scoring", f"{score:g} points that are enough for the parts of {group.path}")
    parts = [ScoredPart(group="", weight=share, cases=(case.path,)) for case in group.cases]
    return parts + [
        part
        for inner, points in zip(group.groups, stated, strict=True)
        for part in _modern_parts(inner, share if points is None else points)
    ]


def _scoring(group: Group) -> Mapping[str, Any]:
    where = f"{group.where}: scoring"
    scoring = table_of(group.stated.get("scoring", {}), where, ("score", "aggregation", "require_pass"))
    if "require_pass" in scoring:
        raise InputError(f"{where}: require_pass", "no group that only counts if another is passed")
    return scoring


def _score(group: Group, otherwise: float | None) -> Any:
    stated = _scoring(group).get("score", otherwise)
    return None if stated is None else number_of(stated, f"{group.where}: scoring: score", above=-1e-300)


def _aggregated(group: Group) -> str:
    stated = _scoring(group).get("aggregation", "sum" if group.path == "secret" else "pass-fail")
    if stated not in ("pass-fail", "sum", "min"):
        raise InputError(f"{group.where}: scoring: aggregation", f"pass-fail, sum or min, not {stated!r:.80}")
    return str(stated)
