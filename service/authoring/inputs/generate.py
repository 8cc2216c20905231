"""New inputs for a function, made from its known calls: like them in type, near them in size. Pure and deterministic.

Two in three are known calls with a few places changed by little (a number next to it, an element twice, a list reversed), the
rest is built anew from what was seen at each place. What `service.authoring.inputs.domain` does not admit is thrown away.
"""

import ast
import string
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from service.authoring.inputs.domain import Call, Domain, Guards, Place, elements
from service.authoring.inputs.rules import is_number

TRIES = 300
"""After this number of refusals in a row, the domain counts as exhausted."""
DEPTH = 6
_ANYTHING = (0, 1, -1, 2, "a", "", 1.5, None, True)
"""Values for places without known values, such as the elements of an empty list."""


def proposals(domain: Domain, known: Sequence[Call], source: str, *, seed: int) -> Iterator[Call]:
    """Yield calls that the domain admits, each once and none of them known, until the domain is exhausted.

    Args:
        domain: the inputs that the function is meant for.
        known: calls that have cases already. Other calls that the domain was learned from come first.
        source: the reference's, for the constants that it works with.
        seed: the same seed yields the same calls.
    """
    maker = _Maker(domain, _constants(ast.walk(ast.parse(source))), Random(seed))
    told = {repr(call) for call in known}
    # What is larger than what is made here would only be made again and again, and thrown away.
    grown = [call for call in domain.calls if domain.admits(call)] or list(domain.calls)
    waiting = list(domain.calls)
    refused = 0
    while refused < TRIES:
        call = waiting.pop(0) if waiting else maker.call(grown)
        if repr(call) in told or not domain.admits(call):
            refused += not waiting
            continue
        refused = 0
        told.add(repr(call))
        if len(grown) < 4 * len(domain.calls) + 40:
            grown.append(call)  # what was changed once may be changed again
        yield call


def guards(source: str, entry_point: str) -> Guards:
    """Return the values that a program checks its arguments for: `if n == 0`, `while 1 < n`, `if low > high`."""
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    function = next((node for node in functions if node.name == entry_point), None)
    if function is None:
        return Guards()
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    steps = {name: {name, str(position)} for position, name in enumerate(names)}
    numbers: dict[str, list[float]] = {}
    pairs: set[frozenset[str]] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            sides = (node.left, node.comparators[0])
            for side, other in (sides, sides[::-1]):
                if isinstance(side, ast.Name) and isinstance(other, ast.Constant) and is_number(other.value):
                    # `n < 2` is a guard for smaller numbers as well; in `n > 1`, `n` may have been changed before.
                    below = (
                        [0]
                        if side is node.left and isinstance(node.ops[0], ast.Lt | ast.LtE) and other.value > 0
                        else []
                    )
                    for step in steps.get(side.id, {side.id}):
                        numbers.setdefault(step, []).extend([other.value, *below])
            first, second = ({each.id for each in ast.walk(side) if isinstance(each, ast.Name)} for side in sides)
            pairs |= {
                frozenset({one, other})
                for name in first & steps.keys()
                for peer in second & steps.keys() - {name}
                for one in steps[name]
                for other in steps[peer]
            }
    return Guards(numbers=numbers, pairs=frozenset(pairs))


def _constants(nodes: Iterable[ast.AST]) -> list[object]:
    """Return the numbers and texts of the program, each once, without docstrings."""
    nodes = list(nodes)
    said = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    values = [node.value for node in nodes if isinstance(node, ast.Constant) and id(node) not in said]
    return list({(type(value), value): value for value in values if isinstance(value, int | float | str)}.values())


def _unshared(value: Any) -> Any:
    """Return the value with copies of repeated containers: a function may change one of two references to a list."""
    if isinstance(value, dict):
        return {_unshared(key): _unshared(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return type(value)(map(_unshared, value))
    return value


class _Maker:
    """Makes values for the places of a domain."""

    def __init__(self, domain: Domain, constants: Sequence[object], random: Random) -> None:
        self._domain = domain
        self._numbers = [value for value in constants if is_number(value)]
        self._texts = [value for value in constants if isinstance(value, str) and value]
        self._random = random

    def call(self, known: Sequence[Call]) -> Call:
        """Return a new call, which the domain may still refuse."""
        chosen = self._random.choice(known)
        named = chosen.named()
        if self._random.random() < 0.35:
            named = {name: self._value((name,)) for name in named}
        else:
            for _ in range(self._random.choice((1, 1, 1, 2, 2, 3, 5))):
                name = self._random.choice(list(named))
                named[name] = self._changed((name,), named[name])
        if len(named) > 1 and self._random.random() < 0.1:
            named = self._one_from_another(named)
        return chosen.with_values({name: _unshared(self._repaired((name,), value)) for name, value in named.items()})

    def _one_from_another(self, named: Mapping[str, object]) -> dict[str, object]:
        """Make one argument equal to another, or to a part of another."""
        one, other = self._random.sample(sorted(named), 2)
        source = named[other]
        if type(source) is not type(named[one]) and isinstance(source, list | tuple | str) and source:
            source = self._random.choice(source)
        return {**named, one: source}

    def _repaired(self, place: Place, value: object) -> object:
        """Return the value changed so that it keeps the rules of its place and of its parts, if we know how."""
        if isinstance(value, list | tuple):
            items = [self._repaired(self._inside(place, position), item) for position, item in enumerate(value)]
            value = type(value)(items)
        seen = self._domain.places.get(place)
        for rule in seen.rules if seen else ():
            if rule.repair is not None and not rule.kept(value):
                value = rule.repair(value)
        return value

    def _inside(self, place: Place, position: int) -> Place:
        return (*place, str(position) if place in self._domain.fixed else "*")

    def _value(self, place: Place, depth: int = 0) -> object:
        """Return a new value from the known values of this place."""
        seen = self._domain.places.get(place)
        if seen is None or depth > DEPTH:
            return self._random.choice(_ANYTHING)
        if self._random.random() < 0.15:
            return deepcopy(self._random.choice(seen.values))
        kind = self._random.choice([*map(type, seen.values), *seen.kinds])
        if kind is bool:
            return self._random.random() < 0.5
        if kind is int:
            return self._whole(place)
        if kind is float:
            return self._real(place)
        if kind is str:
            return self._text(place)
        if kind in (list, tuple, set, frozenset, dict):
            return self._container(kind, place, depth)
        return self._random.choice([value for value in seen.values if type(value) is kind] or [None])

    def _whole(self, place: Place) -> int:
        seen = self._domain.places[place]
        low, high = int(seen.low), int(seen.high)
        near = max(min(high, 12), low)
        numbers = [int(number) for number in [*seen.numbers(), *self._numbers] if abs(number) < 10**9]
        choice = self._random.random()
        if choice < 0.15:
            return self._random.choice((low, high, 0, 1, 2, -1, 10, 100))
        if choice < 0.45 and numbers:
            return self._random.choice(numbers) + self._random.choice((-2, -1, -1, 0, 1, 1, 2))
        if choice < 0.75:
            return self._random.randint(*sorted((max(low, -abs(near)), near)))
        return self._random.randint(low, max(low, high))

    def _real(self, place: Place) -> float:
        seen = self._domain.places[place]
        numbers = [*seen.numbers(), *self._numbers]
        choice = self._random.random()
        if choice < 0.3 and numbers:
            return float(self._random.choice(numbers)) + self._random.choice((-1.0, -0.5, -0.1, 0.0, 0.1, 0.5, 1.0))
        if choice < 0.5:
            return float(self._whole(place))
        return round(self._random.uniform(seen.low, seen.high), self._random.choice((1, 1, 2, 3)))

    def _size(self, place: Place) -> int:
        """Return a known size, a small one, or now and then any up to the largest."""
        seen = self._domain.places[place]
        sizes = seen.sizes() or [seen.least]
        choice = self._random.random()
        if choice < 0.5:
            return self._random.choice(sizes)
        most = 6 if choice < 0.8 else 2 * max(sizes) + 2 if choice < 0.95 else seen.most
        return self._random.randint(seen.least, max(seen.least, min(seen.most, most)))

    def _text(self, place: Place) -> str:
        seen = self._domain.places[place]
        size = self._size(place)
        if seen.vocabulary:
            return " ".join(self._random.choices(seen.vocabulary, k=max(1, size // 5)))
        own = "".join(seen.texts())
        letters = seen.alphabet
        choice = self._random.random()
        if choice < 0.2 and self._texts:
            return "".join(self._random.choices([*self._texts, *own], k=self._random.randint(1, 4)))
        if choice < 0.55 and own:
            letters = own  # as frequent as they are in what was seen
        elif choice < 0.75:
            letters = "".join(self._random.sample(letters, min(len(letters), self._random.randint(1, 3))))
        return "".join(self._random.choices(letters, k=size)) if letters else ""

    def _container(self, kind: Any, place: Place, depth: int) -> object:
        if place in self._domain.fixed:
            [size] = set(self._domain.places[place].sizes())
            return tuple(self._value((*place, str(position)), depth + 1) for position in range(size))
        size = self._size(place)
        if kind is dict:
            return {self._key(place): self._value((*place, "v"), depth + 1) for _ in range(size)}
        items = [self._value((*place, "*"), depth + 1) for _ in range(size)]
        if items and self._random.random() < 0.25:
            items = [self._random.choice(items[: 1 + len(items) // 2]) for _ in items]  # many of them twice
        return _made(kind, items)

    def _key(self, place: Place) -> object:
        key = self._value((*place, "k"))
        return key if isinstance(key, int | float | str | tuple | bool | None) else repr(key)

    def _changed(self, place: Place, value: object) -> object:
        """Return the value, changed at one spot or as a whole."""
        if place not in self._domain.places or self._random.random() < 0.08:
            return self._value(place)
        if isinstance(value, bool):
            return not value
        if isinstance(value, int):
            return self._changed_number(place, value)
        if isinstance(value, float):
            return float(self._changed_number(place, value)) if self._random.random() < 0.5 else self._real(place)
        if isinstance(value, str):
            return self._changed_text(place, value)
        if isinstance(value, list | tuple | set | frozenset):
            return self._changed_container(place, value)
        if isinstance(value, dict):
            return self._changed_dict(place, value)
        return self._value(place)

    def _changed_number(self, place: Place, value: float) -> float:
        choices = (
            value + 1, value - 1, value + self._random.choice((-10, -3, -2, 2, 3, 10)), value * 2, value // 2, -value,
            0, 1, self._whole(place), self._whole(place),
        )  # fmt: skip
        return self._random.choice(choices)

    def _changed_text(self, place: Place, value: str) -> str:
        seen = self._domain.places[place]
        if seen.vocabulary:
            return " ".join(map(str, self._edited(value.split(), lambda: self._random.choice(seen.vocabulary))))
        random = self._random
        new = random.choice(seen.alphabet or string.ascii_letters)
        other = self._text(place)
        words = value.split(" ")
        seen_text = random.choice(seen.texts() or [value])
        constant = random.choice(self._texts or [other])
        at = random.randrange(len(value) + 1)
        head, tail = value[:at], value[at:]
        choices = (
            head + new + tail, head + new + tail[1:], head + tail[1:], head + value[max(0, at - 1) :],
            value + new, new + value, new, head, tail, head + other + tail, f"{value} {other}", value.strip(),
            value + value[::-1], value[::-1], value + value, tail + head, "".join(random.sample(value, len(value))),
            value.swapcase(), head + tail.swapcase(), value.upper(), value.lower(), value.title(),
            head + " " * random.choice((1, 1, 2, 3)) + tail, " ".join(random.sample(words, len(words))),
            head + constant + tail, constant + value, value + constant, head + constant + constant + tail,
            " ".join(random.choice((word, word, constant)) for word in words),
            head + seen_text[random.randrange(len(seen_text) + 1) :], value + seen_text,
        )  # fmt: skip
        return random.choice(choices)

    def _changed_container(self, place: Place, value: object) -> object:
        items = elements(value)
        random = self._random
        if place in self._domain.fixed:
            at = random.randrange(len(items))
            items[at] = self._changed((*place, str(at)), items[at])
            return tuple(items)
        inside = (*place, "*")
        if items and random.random() < 0.4:
            for at in random.sample(range(len(items)), random.choice((1, 1, 1, min(2, len(items)), len(items)))):
                items[at] = self._changed(inside, items[at])
        else:
            items = self._edited(items, lambda: self._value(inside))
        return _made(type(value), items)

    def _edited(self, items: Sequence[object], new: Callable[[], object]) -> list[object]:
        """Return the elements in another order, fewer, repeated, or with a new one."""
        random = self._random
        at = random.randrange(len(items) + 1)
        head, tail = list(items[:at]), list(items[at:])
        choices: tuple[list[object], ...] = (
            [*head, new(), *tail], [new(), *items], [*items, new()], [*head, *tail[1:]], [*head, *tail[:1], *tail],
            head, tail, [*items, *head], [*tail, *head], [*items, *items], [*items, *reversed(items)],
            list(reversed(items)), random.sample(list(items), len(items)), _in_order(items),
            [*items[:1]] * len(items), [*items[:1]], [],
        )  # fmt: skip
        return random.choice(choices)

    def _changed_dict(self, place: Place, value: Mapping[object, object]) -> dict[object, object]:
        pairs = list(value.items())
        choice = self._random.random()
        if not pairs or choice > 0.6:
            new = (self._key(place), self._value((*place, "v")))
            edited: list[Any] = self._edited(pairs, lambda: new)
            return dict(edited)
        at = self._random.randrange(len(pairs))
        key, item = pairs[at]
        if choice < 0.3:
            pairs[at] = (self._changed((*place, "k"), key), item)
        else:
            pairs[at] = (key, self._changed((*place, "v"), item))
        return dict(pairs)


def _made(kind: Any, items: list[object]) -> object:
    """Return a container of these items; a list if a set cannot hold them."""
    try:
        return kind(items)
    except TypeError:
        return items


def _in_order(items: Sequence[Any]) -> list[object]:
    try:
        return sorted(items)
    except TypeError:
        return list(items)
