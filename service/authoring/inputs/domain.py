"""The inputs that a function is meant for, learned from its known calls and its prompt. Pure: no task code runs here.

Authors of benchmarks write down few of the rules for an input: sorted, not empty, matching brackets, a `k` that is not
larger than the list. The known calls keep them all, so a rule that all known calls keep is taken as meant, unless chance
explains it well. Rules are rather kept than dropped: a case outside the meant inputs rejects right solutions, while a
missing case only leaves a hole.
"""

import re
import string
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations

from service.authoring.inputs.rules import RELATIONS, RULES, InputRule, Relation, is_number

Place = tuple[str, ...]
"""An argument or a part of it: its name (or its position in digits), then a step for each container around the part:
`*` an element, `k` a key, `v` a value of a dict, a number for the position in tuples of one length.
"""

SAME_SIZE = 4
"""If this number of values all have one size, other sizes are not meant."""
CLOSED = 8
"""If each distinct number occurs at least this often on average, treat the set of numbers as closed."""
FREE = 3
"""A place with values of this number of types takes any type."""
LARGEST = 10**6
"""Larger numbers stay as they were seen and are never made: to count up to such a number may be an honest solution."""
SIZED = (str, list, tuple, dict, set, frozenset)
MOST_ELEMENTS = 120
"""Most elements of a container or characters of a text, unless all known ones have more."""

_TEXT = string.ascii_letters + string.digits + " .,!?-'"
_POSITIVE = r"\bpositive (integer|int|number)|natural number|>=? ?1\b|\b1 ?<=?"
_NOT_EMPTY = r"non-?\s?empty|not empty|at least (one|two|1|2)\b"
_LOWER_CASE = r"lower ?case|small letters"
_UPPER_BOUND = re.compile(
    r"(less th[ae]n or equal to|at most|up to|less th[ae]n|smaller than|below|<=?) *(\d+)", re.IGNORECASE
)
_STRICT = {"less than", "less then", "smaller than", "below", "<"}


@dataclass(frozen=True, slots=True)
class Call:
    """The arguments of a call."""

    args: tuple[object, ...]
    kwargs: Mapping[str, object] = field(default_factory=dict)

    def named(self) -> dict[str, object]:
        """Return all arguments by name, positional ones by their position."""
        return {**{str(position): value for position, value in enumerate(self.args)}, **self.kwargs}

    def with_values(self, values: Mapping[str, object]) -> "Call":
        """Return a call of the same form with other values."""
        args = tuple(values[str(position)] for position in range(len(self.args)))
        return Call(args, {name: values[name] for name in self.kwargs})


@dataclass(frozen=True, slots=True, kw_only=True)
class Guards:
    """The values that the reference checks for. Such inputs are meant even if no call shows them."""

    numbers: Mapping[str, Sequence[float]] = field(default_factory=dict)
    """Argument (its name, or its position in digits) -> the numbers that it is compared with."""
    pairs: frozenset[frozenset[str]] = frozenset()
    """Arguments that are compared with each other: neither is always below the other."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownValues:
    """The known values of one place, and the values that it may take."""

    values: tuple[object, ...]
    """The values in the order of the calls, with repetitions."""
    kinds: tuple[type, ...]
    low: float
    high: float
    """Largest number."""
    least: int
    most: int
    """Elements or characters."""
    alphabet: str
    vocabulary: tuple[str, ...]
    """The words of this place, if its texts are made of the same few words again and again."""
    rules: tuple[InputRule, ...]
    traits: frozenset[str]
    """Special properties of the known values, in words."""

    def sizes(self) -> list[int]:
        return [len(value) for value in self.values if isinstance(value, SIZED)]

    def numbers(self) -> list[int | float]:
        return [value for value in self.values if is_number(value)]

    def texts(self) -> list[str]:
        return [value for value in self.values if isinstance(value, str)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """All places of a function's calls."""

    calls: tuple[Call, ...]
    """That it was learned from."""
    places: Mapping[Place, KnownValues]
    fixed: frozenset[Place]
    """Tuples that all have one length."""
    relations: tuple[tuple[Place, str, str, Relation], ...]
    """The place that holds both (empty for arguments), the two steps into it, what they keep."""

    def admits(self, call: Call) -> bool:
        """Return whether this call is meant, as far as is known."""
        named = call.named()
        return self._related((), named) and all(self._fits(place, value) for place, value in self._walk(named))

    def alike(self, call: Call) -> bool:
        """Return whether all values in the call have types that are known at their place."""
        found = ((self.places.get(place), value) for place, value in self._walk(call.named()))
        return all(seen is not None and type(value) in seen.kinds for seen, value in found)

    def is_large(self, call: Call) -> bool:
        """Return whether an argument is a larger number, or has more elements, than any known one at its place.

        A right solution may need much longer for such a call than for all known ones together.
        """
        for name, value in call.named().items():
            seen = self.places.get((name,))
            if seen is not None and is_number(value) and abs(value) > max(map(abs, seen.numbers()), default=0):
                return True
            if seen is not None and isinstance(value, SIZED) and len(value) > max(seen.sizes(), default=0):
                return True
        return False

    def news(self, call: Call) -> frozenset[tuple[Place, str]]:
        """Return how the call goes beyond the known ones: each place with its new property, in words."""
        found = set()
        for place, value in self._walk(call.named()):
            seen = self.places.get(place)
            if seen is not None:
                found |= {(place, trait) for trait in _traits(value) if trait not in seen.traits}
        return frozenset(found)

    def sentences(self) -> list[str]:
        """Return the rules beyond types and sizes that were taken as meant, for the author to check."""
        said = [
            f"{place_name(place)} {rule.name}" for place, seen in sorted(self.places.items()) for rule in seen.rules
        ]
        for place, first, second, relation in self.relations:
            said.append(relation.name.format(first=place_name((*place, first)), second=place_name((*place, second))))
        return said

    def _fits(self, place: Place, value: object) -> bool:
        """Return whether the value itself, apart from its contents, may be at this place."""
        seen = self.places.get(place)
        if seen is None:
            return True
        if type(value) not in seen.kinds:
            return False
        if is_number(value) and not seen.low <= value <= seen.high:
            return value in seen.values
        if isinstance(value, str) and not set(value) <= set(seen.alphabet):
            return False
        if isinstance(value, SIZED) and not seen.least <= len(value) <= seen.most:
            return False
        if isinstance(value, tuple) and not self._related(place, dict(zip(map(str, range(len(value))), value))):  # noqa: B905 - the first has no end of its own
            return False
        return all(rule.kept(value) for rule in seen.rules)

    def _related(self, place: Place, parts: Mapping[str, object]) -> bool:
        return all(
            relation.kept(parts[first], parts[second])
            for holder, first, second, relation in self.relations
            if holder == place and first in parts and second in parts
        )

    def _walk(self, named: Mapping[str, object]) -> Iterator[tuple[Place, object]]:
        return _all_places(named, self.fixed)


def place_name(place: Place) -> str:
    """Return a place in words: `numbers`, `elements of numbers`, `position 0 of elements of pairs`."""
    steps = {"*": "elements of ", "k": "keys of ", "v": "values of "}
    name = f"argument {int(place[0]) + 1}" if place[0].isdigit() else place[0]
    for step in place[1:]:
        name = steps.get(step, f"position {step} of ") + name
    return name


def elements(value: object) -> list[object]:
    """Return the elements of a container. Those of a set get an order that is the same in each process."""
    assert isinstance(value, list | tuple | set | frozenset)
    return sorted(value, key=repr) if isinstance(value, set | frozenset) else list(value)


def learn(known: Sequence[Call], examples: Sequence[Call], prompt: str, guards: Guards) -> Domain:
    """Return the domain of all known calls and of the examples that have the same types.

    Args:
        known: calls that the task's suites make, at least one.
        examples: calls that the prompt shows. One with other types is left out: its author may not want to test it.
        prompt: has words for rules, such as "sorted", and bounds, such as "less than 10".
        guards: the values that the reference checks for.
    """
    domain = _learn(known, prompt, guards)
    return _learn([*known, *(each for each in examples if each not in known and domain.alike(each))], prompt, guards)


def _learn(calls: Sequence[Call], prompt: str, guards: Guards) -> Domain:
    fixed = _fixed(calls)
    values: dict[Place, list[object]] = {}
    for call in calls:
        for place, value in _all_places(call.named(), fixed):
            values.setdefault(place, []).append(value)
    return Domain(
        calls=tuple(calls),
        places={
            place: _seen(found, prompt, guards.numbers.get("/".join(place), ())) for place, found in values.items()
        },
        fixed=fixed,
        relations=tuple(
            each for each in _relations(calls, values, fixed) if each[0] or frozenset(each[1:3]) not in guards.pairs
        ),
    )


def _all_places(named: Mapping[str, object], fixed: frozenset[Place]) -> Iterator[tuple[Place, object]]:
    for name, value in named.items():
        yield from _places((name,), value, fixed)


def _places(place: Place, value: object, fixed: frozenset[Place]) -> Iterator[tuple[Place, object]]:
    yield place, value
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _places((*place, "k"), key, fixed)
            yield from _places((*place, "v"), item, fixed)
    elif isinstance(value, list | tuple | set | frozenset):
        for position, item in enumerate(elements(value)):
            yield from _places((*place, str(position) if place in fixed else "*"), item, fixed)


def _fixed(calls: Sequence[Call]) -> frozenset[Place]:
    """Return the places of tuples that all have one length above 0, outer ones first: inner names depend on them."""
    fixed: frozenset[Place] = frozenset()
    while True:
        sizes: dict[Place, set[int]] = {}
        for call in calls:
            for place, value in _all_places(call.named(), fixed):
                sizes.setdefault(place, set()).add(len(value) if isinstance(value, tuple) else 0)
        more = {place for place, found in sizes.items() if len(found) == 1 and 0 not in found} - fixed
        if not more:
            return fixed
        fixed |= {min(more, key=lambda place: (len(place), place))}


def _seen(values: Sequence[object], prompt: str, guards: Sequence[float]) -> KnownValues:
    kinds = tuple(dict.fromkeys(map(type, values)))
    if len(kinds) >= FREE:
        kinds = tuple(dict.fromkeys((*kinds, bool, int, float, str, type(None))))
    low, high = _bounds([value for value in values if is_number(value)], prompt, guards)
    texts = [value for value in values if isinstance(value, str)]
    sized = [value for value in values if isinstance(value, SIZED)]
    least, most = _sizes([len(value) for value in sized], prompt, texts=len(sized) == len(texts))
    return KnownValues(
        values=tuple(values),
        kinds=kinds,
        low=low,
        high=high,
        least=least,
        most=most,
        alphabet=_alphabet(texts, prompt),
        vocabulary=_vocabulary(texts),
        traits=frozenset(trait for value in values for trait in _traits(value)),
        rules=tuple(rule for rule in RULES if _is_kept(rule, values, prompt)),
    )


def _is_kept(rule: InputRule, values: Sequence[object], prompt: str) -> bool:
    speaking = {repr(value): value for value in values if rule.speaks(value)}
    needed = 1 if rule.words and re.search(rule.words, prompt, re.IGNORECASE) else rule.evidence
    return len(speaking) >= needed and all(rule.holds(value) for value in speaking.values())


def _bounds(numbers: Sequence[float], prompt: str, guards: Sequence[float]) -> tuple[float, float]:
    """Return the range in which numbers may be made: near the known ones, of the same sign, within the prompt's bounds.

    1 is meant if 2 is; 0 only if it is known, or if the reference checks for it.
    """
    finite = [number for number in numbers if abs(number) <= LARGEST]
    if not finite:
        return 0, 10
    low, high = min(finite), max(finite)
    if len(finite) >= CLOSED * len(set(finite)):
        return low, high
    reach = max(abs(low), abs(high))
    if low < 0:
        least = -2 * reach - 5
    else:
        zero = 0 in guards and not re.search(_POSITIVE, prompt, re.IGNORECASE)
        least = min(low, 0 if zero else 1)
    bounds = [float(bound) - (words.lower() in _STRICT) for words, bound in _UPPER_BOUND.findall(prompt)]
    near = [bound for bound in bounds if high <= bound <= 20 * reach]
    return least, min(near, default=2 * reach + 5)


def _sizes(sizes: Sequence[int], prompt: str, *, texts: bool) -> tuple[int, int]:
    """Return the fewest and the most elements. 0 is allowed if it was seen, and for a text that may be shorter."""
    if not sizes:
        return 0, 0
    if len(set(sizes)) == 1 and len(sizes) >= SAME_SIZE:
        return sizes[0], sizes[0]
    least = min(sizes)
    if (texts or least == 1) and not re.search(_NOT_EMPTY, prompt, re.IGNORECASE):
        least = 0
    most = MOST_ELEMENTS if max(sizes) > 3 else 2 * max(sizes) + 2
    return least, max(most, 2 * least)


def _alphabet(texts: Sequence[str], prompt: str) -> str:
    """Return the characters of the known texts; with letters among them, also those of ordinary text."""
    seen = set("".join(texts))
    if seen & set(string.ascii_letters):
        lower = re.search(_LOWER_CASE, prompt, re.IGNORECASE) and not seen & set(string.ascii_uppercase)
        seen |= set(string.ascii_lowercase if lower else _TEXT)
    elif seen and seen <= set(string.digits):
        seen |= set(string.digits)
    return "".join(sorted(seen))


def _vocabulary(texts: Sequence[str]) -> tuple[str, ...]:
    words = [word for text in texts for word in text.split()]
    different = tuple(dict.fromkeys(words))
    return different if len(words) >= 3 * len(different) and any(len(word) > 1 for word in different) else ()


def _relations(
    calls: Sequence[Call], values: Mapping[Place, Sequence[object]], fixed: frozenset[Place]
) -> Iterator[tuple[Place, str, str, Relation]]:
    rows: dict[Place, list[Mapping[str, object]]] = {(): [call.named() for call in calls]}
    for place in fixed:
        tuples = [value for value in values[place] if isinstance(value, tuple)]
        rows[place] = [{str(position): item for position, item in enumerate(value)} for value in tuples]
    for place, found in sorted(rows.items()):
        for first, second in permutations(sorted({step for row in found for step in row}), 2):
            both = [(row[first], row[second]) for row in found if first in row and second in row]
            kept = [relation for relation in RELATIONS if _is_related(relation, both)]
            yield from ((place, first, second, relation) for relation in kept[:1])


def _is_related(relation: Relation, both: Sequence[tuple[object, object]]) -> bool:
    speaking = {repr(pair): pair for pair in both if relation.speaks(*pair)}
    return len(speaking) >= relation.evidence and all(relation.holds(*pair) for pair in speaking.values())


def _traits(value: object) -> Iterator[str]:
    """Yield the special properties of a single value."""
    yield f"a value of type {type(value).__name__}"
    if is_number(value):
        if -2 <= value <= 2:
            yield f"the number {value:g}"
        if value < 0:
            yield "a negative number"
    if isinstance(value, SIZED) and len(value) <= 1:
        yield "a single element" if value else "nothing inside"
