"""Descriptions of values: compared as Python compares the values, and shown as Python would, cut."""

import datetime
import json
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any, ClassVar

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from graders.boxed.shared.encoding import (
    MAX_DEPTH,
    MAX_INT_BITS,
    Array,
    EncodingError,
    EnumValue,
    Record,
    Tree,
    from_json,
    pack,
    parse,
    to_json,
)
from graders.suites.call.compare import any_of, exact, float_check, unordered
from graders.suites.call.marks import Marks
from graders.suites.values.description import Description, describe, described
from graders.suites.values.messages import SHOWN_CHARACTERS
from graders.suites.values.shown import shown
from tests.properties.test_encoding import hostile_trees, values

UNHURRIED = settings(deadline=None)
TOLERANCES = 1e-6, 1e-7
CLOSE = float_check(*TOLERANCES)


def crossed(value: object) -> Description:
    """As a box would send it."""
    return describe(parse(pack(value)))


# --- what Python says -----------------------------------------------------------------------------------------------------


def comparable(value: Any) -> Any:
    """The value with something that equals itself in the place of each nan, and without types that the encoding has not."""
    kind = type(value)
    if kind is float and math.isnan(value):
        return "a nan of floats"
    if kind is complex and (math.isnan(value.real) or math.isnan(value.imag)):
        return ("a complex nan", comparable(value.real), comparable(value.imag))
    if kind is Decimal and value.is_nan():
        return f"a nan of decimals, {'signalling' if value.is_snan() else 'quiet'}"
    if kind in (list, tuple, set, frozenset):
        return kind(map(comparable, value))
    if kind is dict:
        return {comparable(key): comparable(item) for key, item in value.items()}
    if kind is slice:
        return ("a slice", comparable((value.start, value.stop, value.step)))
    if kind is EnumValue:
        return replace(value, value=comparable(value.value))
    if kind is Record:
        return replace(value, fields=comparable(value.fields))
    return replace(value, items=comparable(value.items)) if kind is Array else value


def equal(left: object, right: object) -> bool:
    return bool(comparable(left) == comparable(right))


def near(expected: Any, got: Any) -> bool:
    """The tolerance, on values."""
    if isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        return type(expected) is type(got) and len(expected) == len(got) and all(map(near, expected, got))
    if isinstance(expected, dict) and isinstance(got, dict):
        wanted, found = ({comparable(key): value for key, value in each.items()} for each in (expected, got))
        return wanted.keys() == found.keys() and all(near(value, found[key]) for key, value in wanted.items())
    if isinstance(got, bool) and not isinstance(expected, bool):
        return False
    if not (
        (type(expected) is float and isinstance(got, int | float))
        or (type(expected) is complex and isinstance(got, int | float | complex))
    ):
        return equal(expected, got)
    if expected != expected:
        return type(expected) is float and got != got
    try:
        room = TOLERANCES[0] + TOLERANCES[1] * abs(expected)
        return bool(expected == got or abs(expected - got) <= room < math.inf)
    except OverflowError:
        return False


# --- equal and nearly equal values -----------------------------------------------------------------------------------------


def cousins(value: Any) -> Sequence[object]:
    """Values of other types and forms that may equal this one, and some that are just beside it."""
    if isinstance(value, bool | int) or (isinstance(value, float | Decimal) and Decimal(value).is_finite()):
        whole = int(value) if abs(value) < 10**400 else 7
        fraction = Fraction(value) if abs(value) < 10**400 else Fraction(1, 3)
        rough = float(fraction) if abs(fraction) < 2**1000 else 0.0
        return [
            whole, whole + 1, -whole, fraction, fraction + Fraction(1, 3), rough, complex(rough), complex(rough, 1e-300),
            math.nextafter(rough, math.inf), rough * (1 + 3e-8), bool(value), str(value), Decimal(rough),
            Decimal(whole) * 10, Decimal(whole).scaleb(3), Decimal(whole).normalize(), Decimal(str(rough)), (value,), [value],
        ]  # fmt: skip
    if isinstance(value, float | complex | Decimal | Fraction):
        rough = complex(value) if not isinstance(value, Decimal) else math.inf
        return [
            math.nan,
            -math.inf,
            math.inf,
            Decimal("NaN"),
            Decimal("-Infinity"),
            Decimal("Infinity"),
            rough,
            Fraction(1, 3),
        ]
    if isinstance(value, str | bytes | bytearray):
        return [
            value + value[:1],
            value[:-1],
            value.swapcase(),
            bytearray(value) if isinstance(value, bytes) else value,
        ]
    if isinstance(value, range):
        return [
            range(value.start, value.stop + 1, value.step),
            range(0),
            range(value.start, value.start + value.step, 9),
        ]
    if isinstance(value, datetime.datetime):
        west = datetime.timezone(-datetime.timedelta(hours=5, seconds=3))
        return [
            value.replace(tzinfo=None),
            value.replace(tzinfo=west),
            value.date(),
            *([value.astimezone(west)] if 2 < value.year < 9999 else []),
        ]
    if isinstance(value, datetime.time):
        east = datetime.timezone(datetime.timedelta(hours=1))
        return [value.replace(tzinfo=east), value.replace(hour=(value.hour + 1) % 24, tzinfo=datetime.UTC)]
    return [None, 0, ""]


@st.composite
def variants(draw: st.DrawFn, value: Any) -> Any:
    """The value again, or with a thing or two done to it that may or may not matter."""
    kind = type(value)
    if draw(st.integers(0, 3)) == 0 and kind not in (list, tuple, dict, set, frozenset):
        return draw(st.sampled_from(list(cousins(value))))
    if kind in (list, tuple):
        inside = [draw(variants(item)) for item in value]
        if draw(st.integers(0, 5)) == 0:
            inside = draw(st.permutations(inside))
        return draw(st.sampled_from([kind, kind, kind, list, tuple]))(inside)
    if kind in (set, frozenset):
        inside = [draw(st.one_of(st.just(item), variants(item))) for item in value]
        try:
            return draw(st.sampled_from([set, frozenset]))(draw(st.permutations(inside)))
        except TypeError:  # a bytearray among them
            return value
    if kind is dict:
        pairs = draw(st.permutations([(key, draw(variants(item))) for key, item in value.items()]))
        return dict(pairs[1:] if draw(st.integers(0, 7)) == 0 else pairs)
    return value


more = (
    values
    | st.floats()
    | st.complex_numbers()
    | st.sampled_from([Decimal("NaN"), Decimal("sNaN"), Decimal("Infinity"), Decimal("1E+999999"), Decimal("1E-400"), 10**400])
    | st.builds(slice, values, values)
    | st.builds(EnumValue, st.just("Suit"), st.sampled_from(["HEARTS", "SPADES"]), values)
    | st.builds(lambda value: Record("Card", (("suit", value), ("n", 1))), values)
    | st.builds(lambda items: Array("<f8", (len(items),), tuple(items)), st.lists(st.floats() | st.integers(), max_size=3))
)  # fmt: skip
all_values = more | st.lists(more, max_size=4) | st.dictionaries(st.integers() | st.floats(), more, max_size=3)


@UNHURRIED
@given(all_values, st.data())
def test_descriptions_are_equal_where_values_are(value: object, data: st.DataObject) -> None:
    other = data.draw(st.just(value) | variants(value) | all_values)
    assert exact(crossed(value), crossed(other)) == equal(value, other)
    assert exact(crossed([value]), crossed([other])) == equal(value, other)
    # By way of their marks as well, where they are written alike.
    assert mark(value) == mark(value)
    assert (mark(value) == mark(other)) == equal(value, other)


def mark(value: object) -> str:
    description = crossed(value)
    return Marks(description).of(description.tree)


@UNHURRIED
@given(all_values, st.data())
def test_descriptions_are_near_where_values_are(value: object, data: st.DataObject) -> None:
    other = data.draw(st.just(value) | variants(value) | all_values)
    assert CLOSE(crossed(value), crossed(other)) == near(value, other)


@UNHURRIED
@given(st.lists(all_values, max_size=5), st.data())
def test_unordered_and_any_of_go_by_equality(items: list[object], data: st.DataObject) -> None:
    other = data.draw(st.permutations(items) | variants(items))
    left = list(other)
    for item in items:
        if (found := next((place for place, each in enumerate(left) if equal(item, each)), None)) is not None:
            del left[found]
    assert unordered(crossed(items), crossed(other)) == (type(other) is list and len(other) == len(items) and not left)
    for each in other:
        assert any_of(crossed(items), crossed(each)) == any(equal(item, each) for item in items)


rationals = st.builds(
    Fraction, st.integers(-(2**70), 2**70), st.sampled_from([1, 2, 3, 5, 8, 10, 2**60, 10**20, 7**30])
)


@UNHURRIED
@given(st.lists(rationals, min_size=1, max_size=3), st.integers(-40, 40))
def test_numbers_are_equal_across_their_types(numbers: list[Fraction], scale: int) -> None:
    forms: list[object] = []
    for number in numbers:
        forms += [
            number,
            int(number),
            float(number),
            complex(float(number)),
            Decimal(float(number)),
            Decimal(int(number)),
        ]
        forms += [Decimal(number.numerator).scaleb(scale), Fraction(number.numerator) * Fraction(10) ** scale]
    for one in forms:
        for other in forms:
            assert (mark(one) == mark(other)) == (one == other), (one, other)


def test_numbers_without_end_are_equal_where_python_says_so() -> None:
    large = 10**5000
    assert exact(described(large), described(Decimal("1E+5000")))
    assert not exact(described(large), described(Decimal("1.0000001E+5000")))
    assert exact(described(Decimal("1E+999999999")), describe({"$decimal": "10.00E+999999998"}))
    assert not exact(described(Decimal("1E+999999999")), described(Decimal("1E+999999998")))
    assert not exact(described(2**1024), described(math.inf)) and not CLOSE(described(1.0), described(large))
    assert exact(described(Fraction(1, 3)), describe({"$fraction": [2, 6]}))


# --- trees that nobody wrote -----------------------------------------------------------------------------------------------

KEYS = [
    "$ref", "$tuple", "$set", "$frozenset", "$dict", "$bytes", "$bytearray", "$int", "$str", "$float", "$complex", "$range",
    "$slice", "$decimal", "$fraction", "$datetime", "$date", "$time", "$timedelta", "$uuid", "$enum", "$record", "$array",
]  # fmt: skip
payloads: st.SearchStrategy[Any] = (
    st.sampled_from([
        "0x10", "-0x0", "nan", "-inf", "sNaN123", "1E999999999999999999", "-1.50E-9999999999999999999", "2020-01-01",
        "2020-01-01T00:00:00.000001-23:59:59", "0001-01-01T00:00:00+23:59", "23:00:00+23:59", "99:00:00", "00", "eda080", "<i8",
        [1, 0], [0, 1], [1, -1], [0, 9, 3], [9, 0, -2], [1, 1, 0], [-999999999, 0, 0], ["A", "b", 1], ["A", [["b", 1]]],
        ["<f8", [2], [1, 2.5]], ["<f8", [2**62, 2**62], []], [["a", 1], ["a", 2]], [[1, 2], [True, 3]],
    ])
    | st.integers(-3, 30)
)  # fmt: skip
nodes = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | payloads,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.builds(
            lambda key, payload: {key: payload}, st.sampled_from(KEYS), payloads | st.lists(inner, max_size=4) | inner
        )
    ),
    max_leaves=20,
)


@UNHURRIED
@given(nodes | hostile_trees, nodes | st.builds(to_json, values), st.sampled_from([0, 1, 7, SHOWN_CHARACTERS]))
def test_any_tree_is_refused_or_compared_and_shown(tree: Tree, other: Tree, most: int) -> None:
    try:
        one, another = describe(tree), describe(other)
    except EncodingError:
        return
    for check in (exact, unordered, any_of, CLOSE):
        assert check(one, another) in (True, False)
        assert check(another, one) in (True, False)
    assert exact(one, one) and exact(one, describe(json.loads(json.dumps(tree))))
    text = shown(one, most)
    assert len(text) <= most
    text.encode()


@UNHURRIED
@given(values)
def test_a_value_is_shown_as_python_writes_it(value: object) -> None:
    assume("range" not in repr(value) and "slice" not in repr(value))
    written = repr(from_json(to_json(value)))
    if "{" not in written:  # a set has no order
        assert shown(described(value), 10**6) == written


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({1: {"a"}, "b": frozenset()}, "{1: {'a'}, 'b': frozenset()}"),
        ((1,), "(1,)"),
        (set(), "set()"),
        (range(3), "range(0, 3, 1)"),
        (slice(1, None), "slice(1, None, None)"),
        (EnumValue("Suit", "HEARTS", (1, 2)), "<Suit.HEARTS: (1, 2)>"),
        (Record("Card", (("suit", "x"), ("\ud800", []))), "Card(suit='x', \\ud800=[])"),
        (Array("<i4", (2, 1), (0, 1)), "array(dtype='<i4', shape=(2, 1), [0, 1])"),
        (10**3000, str(10**3000)),
        (16**5000, "0x1" + "0" * 5000),
        ("\ud800", "'\\ud800'"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_how_values_are_shown(value: object, text: str) -> None:
    assert shown(described(value), 10**6) == text
    assert shown(described(value), 5) == text[:5]


# --- what does not depend on what the submission chose -----------------------------------------------------------------------


class Counted(Description):
    """A description that counts how often a node is looked at."""

    looks: ClassVar[list[Tree]] = []

    def at(self, node: Tree) -> tuple[str, Any]:
        self.looks.append(node)
        return super().at(node)


def looks(work: Callable[[Description], object], value: object) -> int:
    description = crossed(value)
    Counted.looks.clear()
    work(Counted(description.tree, description.containers))
    return len(Counted.looks)


def doubled(times: int) -> list[object]:
    """A value of 2^times values in so many lists."""
    value: list[object] = [1.5]
    for _ in range(times):
        value = [value, value]
    return value


def test_what_is_there_many_times_is_looked_at_once() -> None:
    wanted = crossed([doubled(20), 0])
    for check in (exact, unordered, CLOSE):
        assert looks(lambda got, check=check: check(wanted, got), [doubled(20), 1]) < 500
    assert looks(lambda got: shown(got, 100), doubled(20)) < 200
    assert looks(lambda got: shown(got, 100), [["x" * 10**6] * 3] * 10**5) < 20


def test_a_longer_answer_than_is_expected_is_not_looked_through() -> None:
    for check in (exact, unordered, CLOSE):
        assert looks(lambda got, check=check: check(described([1.0, 2.0]), got), [[1.0]] * 10**5) < 20
        assert looks(lambda got, check=check: check(described({1.0}), got), set(map(str, range(10**5)))) < 20


def test_marks_of_colliding_numbers_differ() -> None:
    """Python's own hash is the same for all of these."""
    modulus = sys.hash_info.modulus
    numbers = [modulus * factor << 200 for factor in range(1000)]
    assert len(set(map(hash, numbers))) == 1
    assert len(set(map(mark, numbers))) == 1000


@pytest.mark.parametrize(
    "tree",
    [
        {"$ref": 0}, [{"$ref": 0}], {"$ref": True}, {"$tuple": 1}, {"$dict": [[1]]}, {"$a": 1, "$b": 2}, {}, {"$x": 1},
        {"$int": "0x" + "f" * (MAX_INT_BITS // 4 + 1)}, {"$int": "ff"}, {"$int": 7}, {"$float": "1.0"}, {"$decimal": "1_0"},
        {"$decimal": "\u0661"}, {"$decimal": "1E99999999999999999999"}, {"$fraction": [1, 0]}, {"$fraction": [1, -2]},
        {"$fraction": [1.0, 2]}, {"$range": [0, 1, 0]}, {"$range": [0, {"$int": "0x1" + "0" * 300}, 1]}, {"$complex": [1, 2]},
        {"$timedelta": [10**9, 0, 0]}, {"$date": "2021-02-29"}, {"$time": "24:61:00"}, {"$str": "ff"}, {"$bytes": "0 1 "},
        {"$bytes": "0"}, {"$uuid": "{" + "0" * 32 + "}"}, {"$array": ["<i8", [10**18] * 64, []]},
        {"$array": ["<i8", [0] * 65, []]}, {"$array": ["<i8", [1], ["x"]]}, {"$record": ["R", [[1, 2]]]}, {"$enum": [1, "A", 0]},
    ],
)  # fmt: skip
def test_what_no_encoder_writes_is_refused(tree: Tree) -> None:
    with pytest.raises(EncodingError):
        describe(tree)


@pytest.mark.parametrize("key", ["$tuple", "$frozenset", "$slice", "$dict", "$enum", "$record", None])
def test_the_deepest_values_are_compared_and_shown(key: str | None) -> None:
    tree: Tree = 1.5
    for _ in range(MAX_DEPTH):
        wrapped: dict[str | None, Tree] = {
            "$slice": [0, tree, 0], "$dict": [[1, tree]], "$enum": ["E", "A", tree], "$record": ["R", [["a", tree]]],
        }  # fmt: skip
        inside = wrapped.get(key, [tree])
        tree = inside if key is None else {key: inside}
    one, other = describe(tree), describe(json.loads(json.dumps(tree).replace("1.5", "2.5")))
    for check in (exact, unordered, any_of, CLOSE):
        assert not check(one, other)
    assert exact(one, describe(json.loads(json.dumps(tree).replace("1.5", '{"$decimal":"1.50"}'))))
    assert "1.5" in shown(one, 10_000)
    with pytest.raises(EncodingError, match="inside each other"):
        describe([[tree]])


def test_depth_and_size_count_what_is_referred_to() -> None:
    chain: list[Tree] = [[]]
    chain += [[{"$ref": number}] for number in range(1, 200)]
    with pytest.raises(EncodingError, match="inside each other"):
        describe(chain)
    with pytest.raises(EncodingError, match="again and again"):
        crossed(doubled(40))
