"""The closed encoding: identity there and back, exact types, and nothing hostile gets through."""

import contextlib
import dataclasses
import datetime
import enum
import json
import math
from collections import Counter, OrderedDict, namedtuple
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.boxed.shared.encoding import (
    MAX_DEPTH,
    MAX_INT_BITS,
    Array,
    EncodingError,
    EnumValue,
    Record,
    from_json,
    pack,
    parse,
    to_json,
)

surrogates = st.text(st.characters(min_codepoint=0xD800, max_codepoint=0xDFFF, categories=["Cs"]), max_size=3)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(2**200), max_value=2**200)
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text()
    | surrogates
    | st.binary()
    | st.binary().map(bytearray)
    | st.decimals(allow_nan=False)
    | st.fractions()
    | st.dates()
    | st.times()
    | st.datetimes()
    | st.datetimes(timezones=st.just(datetime.UTC))
    | st.timedeltas()
    | st.uuids()
    | st.builds(range, st.integers(-9, 9), st.integers(-9, 9), st.integers(1, 9))
)
hashables = st.recursive(
    scalars.filter(lambda value: not isinstance(value, bytearray)),
    lambda inner: st.lists(inner, max_size=3).map(tuple) | st.frozensets(inner, max_size=3),
    max_leaves=5,
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(hashables, inner, max_size=4)
        | st.sets(hashables, max_size=4)
        | st.frozensets(hashables, max_size=4)
    ),
    max_leaves=20,
)


def same(left: object, right: object) -> bool:
    """Equal in value and in every type on the way down."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))  # type: ignore[arg-type]
    if isinstance(left, dict):
        return left == right and all(map(same, left.items(), right.items()))  # type: ignore[attr-defined]
    if isinstance(left, float):
        return left == right and math.copysign(1, left) == math.copysign(1, right)  # type: ignore[arg-type]
    return left == right


@given(values)
def test_there_and_back_is_the_identity(value: object) -> None:
    assert same(from_json(parse(pack(value))), value)


def test_nan_crosses() -> None:
    back = from_json(parse(pack([math.nan, complex(math.nan, 1)])))
    assert math.isnan(back[0]) and math.isnan(back[1].real) and back[1].imag == 1


class Liar(int):
    def __eq__(self, other: object) -> bool:
        return True

    def __index__(self) -> int:
        return 42

    __int__ = __pos__ = __index__
    __hash__ = int.__hash__


class LyingList(list):  # type: ignore[type-arg]
    def __iter__(self):
        return iter([1, 2, 3])

    def __len__(self) -> int:
        return 3


class Colour(enum.IntEnum):
    RED = 1


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Liar(7), 7),
        (LyingList([9]), [9]),
        (Counter("aab"), {"a": 2, "b": 1}),
        (OrderedDict(a=1), {"a": 1}),
        (namedtuple("Point", "x y")(1, 2), (1, 2)),  # noqa: PYI024
        (Colour.RED, 1),
    ],
)
def test_a_subclass_crosses_as_what_it_holds(value: object, plain: object) -> None:
    assert same(from_json(parse(pack(value))), plain)


class NotANumber:
    __class__ = property(lambda self: float)  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


@pytest.mark.parametrize(
    "value",
    [object(), NotANumber(), (n for n in ()), len, int, 1 << MAX_INT_BITS, [lambda: 0]],
    ids=lambda value: type(value).__name__,
)
def test_what_has_no_place_is_refused(value: object) -> None:
    with pytest.raises(EncodingError):
        to_json(value)


def test_cycles_and_depths_are_refused() -> None:
    cycle: list[object] = []
    cycle.append(cycle)
    deep: list[object] = []
    for _ in range(100_000):
        deep = [deep]
    for value, why in ((cycle, "itself"), (deep, str(MAX_DEPTH))):
        with pytest.raises(EncodingError, match=why):
            to_json(value)


hostile_trees = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "$tuple",
                    "$set",
                    "$dict",
                    "$bytes",
                    "$int",
                    "$str",
                    "$float",
                    "$complex",
                    "$range",
                    "$decimal",
                    "$fraction",
                    "$datetime",
                    "$timedelta",
                    "$uuid",
                    "$x",
                ]
            ),
            inner,
            max_size=2,
        )
    ),
    max_leaves=15,
)


@given(hostile_trees)
def test_a_tree_nobody_wrote_is_a_value_or_refused(tree: object) -> None:
    try:
        value = from_json(tree)  # type: ignore[arg-type]
    except EncodingError:
        return
    pack(value)  # whatever was let in is of the closed set


@given(st.binary(max_size=200))
def test_bytes_nobody_wrote_are_a_tree_or_refused(message: bytes) -> None:
    with contextlib.suppress(EncodingError):
        parse(message)


@pytest.mark.parametrize(
    "message",
    [
        b"[" * 100_000,
        b'{"$tuple":' * 100_000,
        b"1" * 10_000,
        b'{"$int":"0x' + b"f" * (MAX_INT_BITS // 4 + 3) + b'"}',
        b'"\xff"',
    ],
    ids=lambda message: message[:8].hex(),
)
def test_bombs_are_refused(message: bytes) -> None:
    with pytest.raises(EncodingError):
        from_json(parse(message))


def test_what_comes_in_is_plain_json() -> None:
    assert json.loads(pack({"a": (1, {2})})) == {"$dict": [["a", {"$tuple": [1, {"$set": [2]}]}]]}


def test_decimals_and_fractions_keep_their_form() -> None:
    assert str(from_json(to_json(Decimal("1.10")))) == "1.10"
    assert from_json(to_json(Fraction(2, 6))) == Fraction(1, 3)


@st.composite
def graphs(draw: st.DrawFn) -> list[object]:
    """Containers that hold those made before them, some of them more than once, but never themselves."""
    made: list[object] = [1, "x", None]
    for _ in range(draw(st.integers(1, 8))):
        inside = draw(st.lists(st.integers(0, len(made) - 1), max_size=4))
        items = [made[index] for index in inside]
        kind = draw(st.sampled_from(["list", "dict", "tuple"]))
        made.append(items if kind == "list" else tuple(items) if kind == "tuple" else dict(enumerate(items)))
    return made


def shape(value: object, seen: dict[int, int]) -> object:
    """The value with a number for each container that may be changed, the same for the same one."""
    if isinstance(value, tuple):
        return "tuple", [shape(item, seen) for item in value]
    if not isinstance(value, list | dict):
        return value
    if id(value) in seen:
        return "again", seen[id(value)]
    number = seen[id(value)] = len(seen)
    items = list(value.items()) if isinstance(value, dict) else value
    return type(value).__name__, number, [shape(item, seen) for item in items]


@given(graphs())
def test_aliasing_is_kept(value: list[object]) -> None:
    assert shape(from_json(parse(pack(value))), {}) == shape(value, {})


@given(values)
def test_a_value_in_a_value_twice_is_written_once(value: object) -> None:
    one, other = from_json(parse(pack([[value], [value]])))
    assert same(one, other)
    shared = [value]
    first, second = from_json(parse(pack([shared, shared])))
    assert first is second


@pytest.mark.parametrize("make", [list, dict])
def test_a_container_that_contains_itself_is_refused(make: type) -> None:
    value: Any = make()
    holder = ({"deep": [value]},)
    value.update(a=holder) if make is dict else value.append(holder)
    with pytest.raises(EncodingError, match="itself"):
        to_json(value)
    with pytest.raises(EncodingError, match="itself"):
        from_json([{"$ref": 0}])


def test_thirty_lists_that_are_a_billion_values_are_refused() -> None:
    value: list[object] = []
    for _ in range(60):
        value = [value, value]
    with pytest.raises(EncodingError, match="again and again"):
        from_json(parse(pack(value)))


class Suit(enum.Enum):
    HEARTS = (1, 2)


@dataclasses.dataclass
class Card:
    suit: Suit
    tags: list[str] = dataclasses.field(default_factory=list)
    kind: ClassVar[int] = 3


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        (Suit.HEARTS, EnumValue("Suit", "HEARTS", (1, 2))),
        (Card(Suit.HEARTS, ["a"]), Record("Card", (("suit", EnumValue("Suit", "HEARTS", (1, 2))), ("tags", ["a"])))),
        (numpy.arange(6, dtype="int32").reshape(2, 3), Array("<i4", (2, 3), (0, 1, 2, 3, 4, 5))),
        (numpy.float64(0.5), 0.5),
        (slice(1, None, 2), slice(1, None, 2)),
    ],
)
def test_what_is_no_builtin_crosses_as_what_it_is(value: object, plain: object) -> None:
    back = from_json(parse(pack(value)))
    assert back == plain and type(back) is type(plain)
    assert from_json(parse(pack(back))) == plain
