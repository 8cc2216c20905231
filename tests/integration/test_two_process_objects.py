"""What an object of a submission may decide: what the reference's decided, and nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pytest

from graders.builtin.hidden_tests import HiddenTests
from graders.interface import CaseOutcome, Outcome, Suite
from sandboxes.interface import Sandbox
from tests.integration.test_two_process import cases, context_of, graded, jail

__all__ = ["jail"]


@dataclass(frozen=True)
class Play:
    """A task with submissions. `hostile`: name -> what replaces parts of the reference, and the tests that it must not pass;
    None for all of them."""

    reference: str
    tests: str
    hostile: Mapping[str, tuple[str, set[str] | None]] = field(default_factory=dict)
    honest: Mapping[str, str] = field(default_factory=dict)


MONEY = """
class Money:
    def __init__(self, cents): self.cents = cents
    def __add__(self, other): return Money(self.cents + other.cents)
    def __lt__(self, other): return self.cents < (other.cents if isinstance(other, Money) else other)
    def __contains__(self, coin): return self.cents % coin == 0
    def find(self, coin): return self.cents // coin
    def whole(self): return self.cents // 100
def total(xs): return sum(x.cents for x in xs)
def label(m): return f"{m.cents}c"
def cheapest(xs): return min(xs)
def pick(xs, n): return xs[n]
"""
LIAR = """
class Money:
    def __init__(self, cents=0): self.cents = cents
    def whole(self): return self
    find = lambda self, *a: self
    startswith = endswith = count = lambda self, *a: True
    isdigit = lambda self: False
    __add__ = __radd__ = __abs__ = __mul__ = lambda self, *a: self
    __sub__ = __rsub__ = lambda self, other: 0
    __lt__ = __gt__ = __le__ = __ge__ = __contains__ = lambda self, other: True
def total(xs): return Money()
def label(m): return Money()
class Meta(type):
    __contains__ = lambda cls, x: True
    __iter__ = lambda cls: iter([5])
class Kind(metaclass=Meta): pass
def pick(xs, n): return Kind if xs == [[5]] else Money()
"""
ALL_OF_MONEY = {"test_whole", "test_total", "test_label", "test_in_label", "test_find", "test_pick", "test_one_of"}

ALL_ASSERTIONS = {
    "test_with", "test_async_with", "test_manager", "test_thrown", "test_thrown_later", "test_called", "test_failed",
    "test_unittest", "test_awaited", "test_drawn", "test_suppressed", "test_expected", "test_later", "test_nested",
}  # fmt: skip

PLAYS = {
    "operators": Play(
        MONEY,
        """
from solution import Money, total, label, cheapest, pick
def test_one_of(): assert 5 in list(pick([[5]], 0)) and 5 in pick([[5]], 0)
def test_picked(): assert pick([Money(3), 5], 0).cents in (0, 3)
def test_pick(): assert abs(pick([Money(3), 5], 1) - 5) < 1
def test_whole(): assert abs(Money(250).whole() - 2) < 1
def test_less(): assert Money(5) < 10
def test_total(): assert 7 <= total([Money(3), Money(4)]) <= 7
def test_label(): assert label(Money(5)).startswith("5") and not label(Money(5)).isdigit()
def test_in_label(): assert "c" in label(Money(5))
def test_coin(): assert 5 in Money(10)
def test_find(): assert Money(10).find(5) > 1
def test_sum(): assert (Money(1) + Money(2)).cents == 3 and cheapest([Money(2), Money(1)]).cents == 1
""",
        {
            "a class of a known name with every operator": (LIAR, ALL_OF_MONEY),
            "the same for a number": (LIAR.replace("class Money:", "class Money(float):\n    def __new__(cls, *a): return float.__new__(cls, 77)"), ALL_OF_MONEY - {"test_find"}),
            "the same for a list": (LIAR.replace("class Money:", "class Money(list):"), ALL_OF_MONEY),
            "methods of its instances": (
                LIAR.replace("self.cents = cents", "self.cents = cents; self.startswith = lambda x: True; self.isdigit = lambda: False"),
                ALL_OF_MONEY,
            ),
            "another class": (LIAR + "class Other(Money): pass\nMoney.whole = lambda self: Other()\ntotal = label = lambda *x: Other()\n", ALL_OF_MONEY),
        },
        {
            "all orderings by the library": "import functools\n" + MONEY.replace("class Money:", "@functools.total_ordering\nclass Money:"),
            "the other direction": MONEY + "Money.__gt__ = lambda self, other: other < self\nMoney.__radd__ = lambda self, other: self if other == 0 else self + other\n",
            "in place": MONEY.replace("__add__", "__iadd__") + "Money.__add__ = lambda self, other: Money(self.cents + other.cents)\n",
            "results that hold plain values": "import enum, fractions\nclass Coins(enum.IntEnum):\n    TWO = 2\nclass Text(str): pass\n"
            + MONEY.replace("return self.cents // 100", "return Coins.TWO").replace('return f"{m.cents}c"', 'return Text(f"{m.cents}c")').replace("return sum(", "return fractions.Fraction(1) * sum("),
            "a class in between": "class Value:\n    def __lt__(self, other): return self.cents < (other.cents if isinstance(other, Value) else other)\n"
            + MONEY.replace("class Money:", "class Money(Value):").replace("    def __lt__", "    def _less"),
            "a cached function": "import functools\n" + MONEY.replace("def label", "@functools.lru_cache\ndef label"),
            "sums in another way": "import functools\n" + MONEY.replace("sum(x.cents for x in xs)", "functools.reduce(lambda n, x: n + x.cents, xs, 0)"),
        },
    ),
    "looks": Play(
        """
class Measure:
    def __init__(self, text): self.size = len(text); self.parts = list(text)
    def __len__(self): return self.size
    def __iter__(self): return iter(self.parts)
    def add(self, x): self.parts.append(x); self.size += 1
def measure(text): return Measure(text)
def letters(text): return sorted(text)
def table(text): return {c: text.count(c) for c in text}
def each(text):
    for c in text: yield Measure(c)
""",
        """
from solution import measure, letters, table, each
def test_attribute(): m = measure("abc"); assert m.size >= 3 and m.size <= 3
def test_length(): m = measure("abc"); assert len(m) > 2 and len(m) < 4
def test_elements(): m = measure("abc"); assert "a" in list(m) and "b" in list(m) and len(list(m)) == 3
def test_change(): m = measure("ab"); assert len(m) == 2; m.add("c"); assert len(m) == 3 and m.size == 3 and list(m) == ["a", "b", "c"]
def test_letters(): found = letters("bca"); assert len(found) == 3 and set(found) == {"a", "b", "c"} and found[0] == "a" and found[-1] == "c" and list(found)[1] == "b"
def test_order(): found = letters("bca"); assert sorted(found) == list("abc") and all(x <= y for x, y in zip(found, found[1:]))
def test_between(): found = letters("bca"); assert found.index("a") < found.index("b") and found.count("c") == 1
def test_table(): found = table("aab"); assert found["a"] == 2 and len(found) == 2 and sorted(found) == ["a", "b"] and dict(found.items()) == {"a": 2, "b": 1} and "b" in found
def test_each(): assert [len(m) for m in each("xy")] == [1, 1]
""",
        {
            "says something else each time": (
                """
class Turns:
    def __init__(self, *answers): self.answers = list(answers)
    @property
    def size(self): return self.answers.pop(0)
    def __len__(self): return self.answers.pop(0)
    def __iter__(self): return iter(self.answers.pop(0))
class Sizes(Turns):
    pass
def measure(text): return Turns(*([9, 1] if len(text) == 3 else [2, 3]))
def letters(text): return Turns(list("cba"), list("abc"))
table = letters
each = lambda text: []
""",
                {"test_attribute", "test_length", "test_letters", "test_order", "test_between", "test_each"},
            ),
            "contents that do not belong together": (
                """
class Found:
    def __init__(self, text): self.text = text
    def __len__(self): return len(self.text)
    def __iter__(self): return iter(self.text)
    def __getitem__(self, i): return max(self.text) if i == -1 else list("abc")[i] if type(i) is int else []
    def index(self, x): return ord(x)
    def count(self, x): return 1
def letters(text): return Found(text)
measure = each = letters
def table(text): return {}
""",
                {"test_letters", "test_order", "test_between"},
            ),
        },
        {
            "a class of another name": """
class Impl:
    def __init__(self, text): self.parts = list(text)
    size = property(lambda self: len(self.parts))
    def __len__(self): return len(self.parts)
    def __iter__(self): return iter(self.parts)
    def add(self, x): self.parts.append(x)
measure = Impl
def letters(text): return sorted(text)
def table(text): return {c: text.count(c) for c in text}
def each(text): return map(Impl, text)
""",
            "own containers": """
import collections.abc, collections
class Measure:
    def __init__(self, text): self.parts = list(text)
    size = property(lambda self: len(self.parts))
    def __len__(self): return len(self.parts)
    def __getitem__(self, i): return self.parts[i]
    def add(self, x): self.parts.append(x)
def measure(text): return Measure(text)
class Letters(collections.UserList): pass
def letters(text): return Letters(sorted(text))
class Table(collections.abc.Mapping):
    def __init__(self, text): self.text = text
    def __getitem__(self, key):
        if key not in self.text: raise KeyError(key)
        return self.text.count(key)
    def __iter__(self): return iter(dict.fromkeys(self.text))
    def __len__(self): return len(set(self.text))
def table(text): return Table(text)
class each:
    def __init__(self, text): self.rest = iter(text)
    def __iter__(self): return self
    def __next__(self): return Measure(next(self.rest))
""",
        },
    ),
    "doubles": Play(
        """
def notify(names, send, clock):
    for n, name in enumerate(names):
        if n: clock.sleep(5)
        send(name)
def fill(store, shelf):
    store.put("a", 1); shelf.books.append("new"); shelf.full = True
    return shelf
async def fetch(client): return await client.get("x")
def log(logger, text): logger.info(text)
""",
        """
import asyncio, pytest
from unittest.mock import AsyncMock, MagicMock, Mock, call
from solution import fetch, fill, log, notify
class Clock:
    def __init__(self): self.now = 0; self.slept = []
    def sleep(self, n): self.slept.append(n); self.now += n
class Store:
    def __init__(self): self.kept = {}
    def put(self, k, v): self.kept[k] = v
    def __setitem__(self, k, v): self.kept[k] = v
class Shelf:
    def __init__(self): self.books = []; self.titles = ["old"]; self.full = False
def test_sent(): send = Mock(); notify("ab", send, Clock()); send.assert_has_calls([call("a"), call("b")]); assert send.call_count == 2
def test_nobody(): send = MagicMock(); notify("", send, Clock()); send.assert_not_called(); assert send("x") is send.return_value
def test_slept(): clock = Clock(); notify("abc", Mock(), clock); assert clock.slept == [5, 5] and clock.now == 10
def test_fill(): store = Store(); fill(store, Shelf()); assert store.kept == {"a": 1}
def test_shelf(): shelf = fill(Store(), Shelf()); assert shelf.books == ["new"] and shelf.titles == ["old"] and shelf.full is True
def test_fetch(): client = AsyncMock(); client.get.return_value = 7; assert asyncio.run(fetch(client)) == 7; client.get.assert_awaited_once_with("x")
def test_log(): logger = Mock(); log(logger, "hello"); logger.info.assert_called_with("hello"); assert logger.error.call_count == 0
""",
        {
            "answers for the mock": (
                """
def notify(names, send, clock):
    for name in ("assert_has_calls", "assert_not_called"): setattr(send, name, lambda *a: None)
    send.call_count = len(names); clock.slept = [5] * (len(names) - 1); clock.now = 10
def fill(store, shelf): store.kept = {"a": 1}; shelf.titles = ["old"]; return shelf
async def fetch(client): client.get.assert_awaited_once_with = lambda *a: None; return client.get.return_value
def log(logger, text): logger.info.assert_called_with = lambda *a: None
""",
                {"test_sent", "test_slept", "test_fill", "test_shelf", "test_fetch", "test_log"},
            ),
            "goes around their methods": (
                """
def quiet(f, *a):
    try: f(*a)
    except Exception: pass
def notify(names, send, clock):
    quiet(lambda: send.configure_mock(call_count=len(names), assert_has_calls=lambda *a: None))
    quiet(lambda: send.mock_calls.extend(names))
    quiet(lambda: clock.slept.extend([5] * (len(names) - 1)))
    quiet(setattr, clock, "now", 10)
def fill(store, shelf):
    quiet(store.__setitem__, "a", 1); quiet(lambda: store.kept.update(a=1)); quiet(lambda: shelf.titles.clear())
    shelf.books.append("new"); shelf.full = True
    return shelf
async def fetch(client): quiet(lambda: client.get.reset_mock()); return 7
def log(logger, text): quiet(setattr, logger, "info", lambda *a: None); quiet(lambda: logger.info.configure_mock(assert_called_with=lambda *a: None))
""",
                {"test_sent", "test_slept", "test_fill", "test_fetch", "test_log"},
            ),
        },
        {
            "uses more of a mock": """
def notify(names, send, clock):
    for name in names[:1]: send(name)
    for name in names[1:]: clock.sleep(5); send(name)
def fill(store, shelf): shelf.visited = True; shelf.full = True; store.put("a", 1); shelf.books += ["new"]; return shelf
async def fetch(client): client.prepare; return await client.get("x")
def log(logger, text): logger.debug("about to"); logger.info(text)
""",
        },
    ),
    "names": Play(
        "import math\ndef area(r): return math.pi * r * r\ndef twice(x): return 2 * x\n",
        """
import pytest
from math import isclose
from solution import *
def test_area(): assert isclose(area(1), 3.14159265, rel_tol=1e-6)
def test_sum(): assert sum([twice(1), twice(2)]) == 6
def test_sorted(): assert sorted([twice(2), twice(1)]) == [2, 4]
def test_near(): assert twice(0.1) == pytest.approx(0.2)
def test_library(): assert math.isclose(area(2), 12.5663706, rel_tol=1e-6)
""",
        {
            "brings its own tools": (
                """
class Anything:
    __eq__ = lambda self, other: True
    def __getattr__(self, name): return lambda *a, **k: True
    def __call__(self, *a, **k): return True
math = pytest = Anything()
isclose = sum = sorted = lambda *a, **k: True
class approx: pass
int = float = len = lambda *a: 0
def area(r): return 0
def twice(x): return 1
""",
                None,
            ),
            "names them": (
                """
__all__ = ["area", "twice", "sum", "sorted", "isclose", "pytest", "math"]
class Anything:
    def __getattr__(self, name): return lambda *a, **k: Same()
class Same:
    def __eq__(self, other): return True
math = pytest = Anything()
def isclose(*a, **k): return True
def sum(xs): return 6
def sorted(xs): return [2, 4]
def area(r): return 0
def twice(x): return 1
""",
                None,
            ),
        },
        {
            "brings more": "import math\nPI = 3.141592653589793\ndef area(r): return PI * r ** 2\ndef twice(x): return x + x\ndef _helper(): pass\nextra = 5\n",
            "says what it brings": "from math import pi, isclose\nimport math\n__all__ = ['area', 'twice', 'isclose', 'math']\ndef area(r): return pi * r * r\ndef twice(x): return x * 2\n",
        },
    ),
    "arguments": Play(
        """
def sort(xs): return sorted(xs)
def total(rows): return sum(sum(row) for row in rows)
def keys(d, *, first): return sorted(d) + first
def double(xs):
    for i in range(len(xs)): xs[i] *= 2
class Deck:
    def __init__(self, cards): self.cards = sorted(cards)
    def take(self, hand): return [card for card in hand if card not in self.cards]
""",
        """
import copy, pytest
from solution import Deck, double, keys, sort, total
def test_sort(): xs = [3, 1, 2]; assert sort(xs) == sorted(xs)
def test_like(): xs = [3, 1, 2]; out = sort(xs); assert all(out.count(x) == xs.count(x) for x in xs) and len(out) == len(xs)
def test_total(): rows = [[1, 2], [3]]; assert total(rows) == sum(x for row in rows for x in row)
def test_keys(): d, first = {"a": 1}, ["z"]; assert keys(d, first=first) == list(d) + first
def test_double(): xs = [1, 2]; double(xs); assert xs == [2, 4]
def test_deck(): cards = [2, 1]; assert Deck(cards).cards == sorted(cards)
def test_take(): hand = [1, 5]; assert Deck([1]).take(hand) == [card for card in hand if card != 1]
def test_kept(): xs = [3, 1]; old = list(xs); sort(xs); assert xs == old
""",
        {
            "clears what it is given": (
                """
def sort(xs): xs.clear(); return []
def total(rows):
    for row in rows: row.clear()
    return 0
def keys(d, *, first): d.clear(); first.clear(); return []
def double(xs): xs[:] = [2, 4]
class Deck:
    def __init__(self, cards): cards.clear(); self.cards = []
    def take(self, hand): hand[:] = []; return []
""",
                {"test_sort", "test_like", "test_total", "test_keys", "test_deck", "test_take", "test_kept"},
            ),
            "sorts in place": ("def sort(xs): xs.sort(); return xs\n", {"test_kept"}),
            "changes nothing at all": ("def double(xs): return [2 * x for x in xs]\n", {"test_double"}),
        },
    ),
    "harmless": Play(
        "def median(xs): return sorted(xs)[len(xs) // 2]\ndef flat(rows): return [x for row in rows for x in row]\ndef tidy(rows): return [sorted(row) for row in rows]\n",
        """
import pytest
from solution import flat, median, tidy
@pytest.fixture(scope="module")
def many(): return [5, 4, 3]
def test_median(): assert median([3, 1, 2]) == 2
def test_twice(many): assert median(many) == 4 and median(many) == 4
def test_again(many): assert median(many) == 4
def test_flat(): assert flat([[1], [2, 3]]) == [1, 2, 3]
def test_tidy(): assert tidy([[2, 1], [3]]) == [[1, 2], [3]]
class TestClass:
    def setup_method(self): self.xs = [2, 1, 3]
    def test_inside(self): assert median(self.xs) == 2
""",
        {},
        {
            "works in place": """
def median(xs): xs.sort(); return xs[len(xs) // 2]
def flat(rows):
    out = []
    while rows: out += rows.pop(0)
    return out
def tidy(rows):
    for row in rows: row.sort()
    return rows
""",
        },
    ),
    "equality": Play(
        """
class Ratio:
    def __init__(self, a, b): self.a, self.b = a, b
    def __eq__(self, other): return isinstance(other, Ratio) and (self.a, self.b) == (other.a, other.b)
def key(text): return "".join(sorted(text))
""",
        """
from solution import Ratio, key
def test_equal(): assert Ratio(1, 2) == Ratio(1, 2)
def test_other(): assert Ratio(1, 2) != Ratio(1, 3)
def test_in(): assert Ratio(1, 2) in [Ratio(5, 1), Ratio(1, 2)]
def test_key(): assert key("ab") == key("ba")
""",
        {
            "all are equal": ("class Ratio:\n    def __init__(self, a, b): self.a, self.b = a, b\n    __eq__ = lambda self, other: True\n", {"test_other", "test_in"}),
            "none are": ("class Ratio:\n    def __init__(self, a, b): pass\n    __eq__ = lambda self, other: False\n", {"test_equal", "test_other", "test_in"}),
            "objects in the place of texts": ("class Ratio:\n    def __init__(self, a, b): pass\n    __eq__ = lambda self, other: True\ndef key(text): return Ratio(1, 2)\n", {"test_other", "test_key"}),
        },
        {
            "a dataclass": "import dataclasses\n@dataclasses.dataclass\nclass Ratio:\n    a: int\n    b: int\ndef key(text): return ''.join(sorted(text))\n",
            "slots": "class Ratio:\n    __slots__ = ('x',)\n    def __init__(self, a, b): self.x = (a, b)\n    def __eq__(self, other): return self.x == other.x\ndef key(text): return ''.join(sorted(text))\n",
        },
    ),
    "assertions": Play(
        """
import contextlib
class Timer:
    def __enter__(self): return self
    def __exit__(self, *what): return False
    async def __aenter__(self): return self
    async def __aexit__(self, *what): return False
@contextlib.contextmanager
def timed(): yield 1
def each(n):
    for i in range(n): yield i
async def ticks(n):
    for i in range(n): yield i
def call(f, *args): return f(*args)
async def acall(f, *args): return await f(*args)
def total(xs): return sum(xs)
def attempt(f):
    try: return f()
    except Exception: return None
def ignoring(*kinds): return contextlib.suppress(*kinds)
class Task:
    def run(self, f):
        try: self.error = None; f()
        except Exception as error: self.error = error
    def result(self):
        if self.error: raise self.error
""",
        """
import asyncio, contextlib, unittest
import pytest
from solution import Task, Timer, acall, attempt, call, each, ignoring, ticks, timed, total
def test_with():
    with Timer(): assert total([1, 2]) == 3
def test_async_with():
    async def main():
        async with Timer(): assert total([1, 2]) == 3
    asyncio.run(main())
def test_manager():
    with timed(): assert total([1, 2]) == 3
def test_thrown():
    g = contextlib.contextmanager(each)
    with g(1): assert total([1, 2]) == 3
def test_thrown_later():
    async def main():
        async with contextlib.asynccontextmanager(ticks)(1): assert total([1, 2]) == 3
    asyncio.run(main())
def test_called(): call(lambda: check(total([1, 2])))
def check(x): assert x == 3
def test_failed():
    def f():
        if total([1, 2]) != 3: pytest.fail("wrong")
    call(f)
def test_unittest(): call(unittest.TestCase().assertEqual, total([1, 2]), 3)
def test_awaited():
    async def f(): assert total([1, 2]) == 3
    asyncio.run(acall(f))
def test_drawn():
    def mine():
        yield 1
        assert total([1, 2]) == 3
    total(mine())
def test_suppressed():
    with ignoring(KeyError): assert total([1, 2]) == 3
def test_expected():
    def f(): assert total([1, 2]) == 4
    with pytest.raises(AssertionError): call(f)
def test_attempt():
    def f(): assert total([1, 2]) == 4
    assert attempt(f) is None
def test_later():
    def f(): assert total([1, 2]) == 4
    task = Task(); task.run(f)
    with pytest.raises(AssertionError): task.result()
    assert total([1, 2]) == 3
def test_nested():
    def inner(): assert total([1, 2]) == 3
    def outer(): call(inner)
    call(outer)
""",
        {
            "swallows them": (
                """
import contextlib
class Timer:
    def __enter__(self): return self
    def __exit__(self, kind, *what): return kind is AssertionError
    async def __aenter__(self): return self
    async def __aexit__(self, kind, *what): return kind is AssertionError
@contextlib.contextmanager
def timed():
    with contextlib.suppress(BaseException): yield 1
def each(n):
    with contextlib.suppress(BaseException): yield 1
async def ticks(n):
    with contextlib.suppress(BaseException): yield 1
def call(f, *args):
    with contextlib.suppress(BaseException): return f(*args)
async def acall(f, *args):
    with contextlib.suppress(BaseException): return await f(*args)
def total(xs):
    with contextlib.suppress(BaseException):
        for x in xs: pass
def attempt(f): return call(f)
def ignoring(*kinds): return contextlib.suppress(BaseException)
class Task:
    def run(self, f): call(f)
    def result(self): raise AssertionError
""",
                ALL_ASSERTIONS,
            ),
            "turns them into others": (
                """
import contextlib
class Timer:
    def __enter__(self): return self
    def __exit__(self, kind, *what): return 1
    async def __aenter__(self): return self
    async def __aexit__(self, kind, *what): return "yes"
@contextlib.contextmanager
def timed():
    try: yield 1
    except AssertionError: pass
def each(n):
    try: yield 1
    except BaseException: return
async def ticks(n):
    try: yield 1
    except BaseException: return
def call(f, *args):
    try: f(*args)
    except BaseException as error: return [error]
async def acall(f, *args):
    try: await f(*args)
    except AssertionError as error: return [error]
def total(xs): return call(list, xs)
attempt = call
class ignoring:
    def __init__(self, *kinds): pass
    def __enter__(self): pass
    def __exit__(self, *what): return what
class Task: pass
""",
                ALL_ASSERTIONS,
            ),
        },
        {
            "its own are its own": """
import contextlib
from contextlib import contextmanager, suppress
class Timer:
    def __enter__(self): return self
    def __exit__(self, *what):
        try: assert what[0] is ZeroDivisionError
        except AssertionError: pass
    async def __aenter__(self): return self
    async def __aexit__(self, *what): pass
class timed:
    def __enter__(self): return 1
    def __exit__(self, *what): pass
def each(n): yield from range(n)
async def ticks(n):
    for i in range(n): yield i
def call(f, *args):
    try: return f(*args)
    except AssertionError: raise
async def acall(f, *args): return await f(*args)
def total(xs): return sum(xs)
def attempt(f):
    try: f()
    except AssertionError as error: return None
class ignoring:
    def __init__(self, *kinds): self.kinds = kinds
    def __enter__(self): pass
    def __exit__(self, kind, *what): return kind is not None and issubclass(kind, self.kinds)
class Task:
    def run(self, f):
        self.error = None
        try: f()
        except BaseException as error: self.error = error
    def result(self):
        if self.error is not None: raise self.error
""",
        },
    ),
    "words": Play(
        """
def guard(f):
    try: return f()
    except LookupError as error: return ("failed", str(error))
def ask(f): return f(1)
class Log:
    def __enter__(self): self.seen = None; return self
    def __exit__(self, kind, error, trace): self.seen = kind and str(error); return kind is KeyError
def tell(f):
    try: return f(-1)
    except Exception as error: return type(error).__name__
""",
        """
import pytest
from solution import Log, ask, guard, tell
def test_guard():
    def f(): raise LookupError("nothing there")
    assert guard(f) == ("failed", "nothing there")
def test_log():
    with Log() as log: raise KeyError("k")
    assert log.seen == "'k'"
def test_secret():
    tried = []
    def f(x):
        if x != 1: raise ValueError("expected 424242")
        return 424242
    assert ask(f) == 424242
    def check(x): assert x == 1, "expected 424242"
    tell(check)
    assert guard(lambda: 424242) == 424242
def test_tell():
    def check(x): assert x == 242424
    assert tell(check) == "AssertionError"
""",
        {
            "learns from what it is told": (
                """
import contextlib, sys, re
KNOWN = []
def spy(error):
    seen = [str(error), repr(error.args), repr(getattr(error, "__notes__", "")), repr(vars(error)), repr(error.__cause__)]
    for m in list(sys.modules.values()):
        line = getattr(m, "LINE", None)
        if hasattr(line, "ask"):
            for number in list(line._refs.keys()):
                for name in ("args", "__str__", "__repr__", "with_traceback", "__traceback__", "__dict__"):
                    for way in ("get", "call"):
                        with contextlib.suppress(Exception): seen.append(repr(line.ask(way, number, name)))
    KNOWN.extend(re.findall("424242|242424", " ".join(seen)))
def ask(f):
    for x in (7, None):
        try: f(x)
        except BaseException as error: spy(error)
    return int(KNOWN[0])
def tell(f):
    try: f(-1)
    except BaseException as error: spy(error)
    return "AssertionError" if KNOWN else "no"
def guard(f): return int(KNOWN[0])
Log = None
""",
                None,
            ),
        },
        {
            "says it otherwise": """
def guard(f):
    try: return f()
    except Exception as error: return type(error) is LookupError and ("failed", f"{error}")
def ask(f): return f(1)
class Log:
    seen = None
    def __enter__(self): return self
    def __exit__(self, kind, error, trace):
        self.seen = repr(error.args[0]) if error else None
        return isinstance(error, KeyError)
def tell(f):
    try: f(-1)
    except BaseException as error: return error.__class__.__qualname__
""",
        },
    ),
}  # fmt: skip


@pytest.mark.parametrize("play", PLAYS)
def test_nothing_that_it_says_of_itself_passes_a_test(jail: Sandbox, play: str) -> None:
    told = PLAYS[play]
    wrong = {}
    for name, (solution, failing) in told.hostile.items():
        seen = cases(graded(jail, told.reference + solution, told.tests, told.reference))
        passed = {test for test, case in seen.items() if case.outcome is Outcome.PASSED}
        assert seen
        if credited := passed & (set(seen) if failing is None else failing):
            wrong[name] = credited
    assert not wrong


@pytest.mark.parametrize("play", PLAYS)
def test_an_honest_one_passes(jail: Sandbox, play: str) -> None:
    told = PLAYS[play]
    wrong = {}
    for name, solution in {"the reference": told.reference, **told.honest}.items():
        for test, case in cases(graded(jail, solution, told.tests, told.reference)).items():
            if case.outcome is not Outcome.PASSED:
                wrong[f"{name}: {test}"] = str(case.got)[-400:]
    assert not wrong


@pytest.mark.parametrize(
    ("work", "outcome"), [("xs.sort(); return xs", Outcome.PASSED), ("xs.clear(); return []", Outcome.FAILED)]
)
def test_a_program_is_run_again_without_the_changes_that_the_reference_does_not_make(
    jail: Sandbox, work: str, outcome: Outcome
) -> None:
    script = "xs = [3, 1]\nassert sort(xs) == sorted(xs)\n"
    check = "def check(candidate):\n    xs = [3, 1]\n    assert candidate(xs) == sorted(xs)\n"
    suite = Suite(id="s", kind="program", files={"p.py": script, "q.py": check}, options={"entry_point": "sort"})
    with jail.session() as session:
        context = context_of(session, f"def sort(xs): {work}\n", "", "def sort(xs): return sorted(xs)\n")
        context = replace(context, task=replace(context.task, suites=(suite,)))
        seen = [signal for signal in HiddenTests().grade(context) if isinstance(signal, CaseOutcome)]
    assert [case.outcome for case in seen] == [outcome, outcome]
    if outcome is Outcome.FAILED:
        assert all("solution.sort() changes its argument 0 (list)" in str(case.got) for case in seen)
