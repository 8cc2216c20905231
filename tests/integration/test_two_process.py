"""Tests in one box, the submission in another: what works as it does in one process."""

from collections.abc import Mapping

import pytest

from graders.builtin.hidden_tests import HiddenTests
from graders.interface import CaseOutcome, Context, Limits, Signal, Submission, SubmissionId, Suite, Task, TaskId
from graders.suites.tests import runner as pytest_suite
from graders.suites.tests.suite import pytest_suite as read_suite
from sandboxes.interface import Sandbox, Tier
from sandboxes.tiers import Tiers


@pytest.fixture(scope="module")
def jail(tiers: Tiers) -> Sandbox:
    return tiers.at_least(Tier.JAIL)


def context_of(session, solution: str | Mapping[str, str], tests: str | Mapping[str, str], reference=None, **options):
    suite = Suite(
        id="s", kind="pytest", files={"test_it.py": tests} if isinstance(tests, str) else tests, options=options
    )
    files = {"solution.py": solution} if isinstance(solution, str) else solution
    known = files if reference is None else {"solution.py": reference}
    limits = Limits(wall_seconds=60, cpu_seconds=30, memory_mib=256)
    task = Task(
        id=TaskId("t"), version="1", title="t", prompt="", language="python", entry_file="solution.py", suites=(suite,),
        reference=known, limits=limits, graders={}, rubric_id="default",
    )  # fmt: skip
    kept: dict[str, object] = {}

    def remember(key, make):
        if key not in kept:
            kept[key] = make()
        return kept[key]

    submission = Submission(id=SubmissionId("x"), task_id=task.id, files=files)
    return Context(task=task, submission=submission, session=session, remember=remember)


def reports(sandbox: Sandbox, solution, tests, **options) -> Mapping[str, tuple[str, str]]:
    """Name of test -> outcome and text, of a program that is its own reference."""
    with sandbox.session() as session:
        context = context_of(session, solution, tests, **options)
        run = pytest_suite.run_suite(
            context, context.submission.files, read_suite(context.task.suites[0]), None, limits=context.task.limits
        )
    assert run.reports, run.problem
    return {name.partition("::")[2]: (report.outcome, report.text) for name, report in run.reports.items()}


def graded(sandbox: Sandbox, solution, tests, reference, **options) -> list[Signal]:
    with sandbox.session() as session:
        return list(HiddenTests().grade(context_of(session, solution, tests, reference, **options)))


def cases(signals: list[Signal]) -> dict[str, CaseOutcome]:
    return {signal.case.partition("::")[2]: signal for signal in signals if isinstance(signal, CaseOutcome)}


SAME: dict[str, tuple[str | dict[str, str], str]] = {
    "values": (
        """
import datetime, decimal, fractions, uuid, collections
def same(x): return x
def nan(): return float("nan")
def kinds(x): return type(x).__name__
""",
        """
import collections, datetime, decimal, fractions, math, uuid, pathlib
import pytest, solution
VALUES = [None, True, 0, -1, 2**64, 2**100, -(2**70), 1.5, float("inf"), -0.0, 1j, "", "text", "\\ud800", "\\u2028\\0", b"\\0\\xff",
    [], [1, [2]], (), (1,), {1, 2}, frozenset({1}), {}, {"a": 1, (1, 2): [3]}, range(3), slice(1, 2), bytearray(b"x"),
    decimal.Decimal("1.10"), fractions.Fraction(1, 3), datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 2, 3), datetime.time(1),
    datetime.timedelta(days=1), uuid.UUID(int=5), ..., NotImplemented, int, dict, ValueError, collections.deque([1, 2], 3),
    collections.Counter("aab"), collections.OrderedDict(a=1), collections.defaultdict(list, {1: [2]}), pathlib.PurePosixPath("a/b")]
@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_same(value):
    got = solution.same(value)
    assert type(got) is type(value) and got == value
    if value is not NotImplemented: assert solution.kinds(value) == type(value).__name__
def test_nan(): assert math.isnan(solution.nan())
def test_factory(): d = solution.same(collections.defaultdict(list)); d[1].append(2); assert d == {1: [2]}
""",
    ),
    "copy-restore": (
        """
def push(xs, x): xs.append(x); return xs
def both(a, b): a.append(1); return a is b
def nest(d): d["a"].append({"new": []}); d["b"] = d["a"]; return d
def clear(s, b): s.clear(); b[:] = b"changed"
def swap(xs): xs[0], xs[-1] = xs[-1], xs[0]
def fresh(xs): return [xs, list(xs), xs]
def cycle(xs): xs.append(xs)
def rotate(d): d.rotate(1)
def remove(m, row): m.remove(row)
""",
        """
import collections, pytest, solution
def test_same_list(): xs = [1]; assert solution.push(xs, 2) is xs and xs == [1, 2]
def test_alias(): xs = []; assert solution.both(xs, xs) and xs == [1]
def test_no_alias(): assert not solution.both([], [])
def test_nested():
    inner = [1]; d = {"a": inner}
    assert solution.nest(d) is d
    assert inner == [1, {"new": []}] and d["b"] is inner
def test_others(): s = {1}; b = bytearray(b"x"); solution.clear(s, b); assert s == set() and b == b"changed"
def test_swap(): xs = [1, 2, 3]; assert solution.swap(xs) is None; assert xs == [3, 2, 1]
def test_result(): xs = [1]; got = solution.fresh(xs); assert got[0] is xs and got[2] is xs and got[1] is not xs
def test_deque(): d = collections.deque([1, 2, 3]); solution.rotate(d); assert list(d) == [3, 1, 2]
def test_rows(): row = [1]; m = [row, [2]]; solution.remove(m, row); assert m == [[2]]
def test_in_callback_too():
    import solution
    def change(ys): ys.append(0)
    xs = [1]; change(solution.push(xs, 5)); assert xs == [1, 5, 0]
""",
    ),
    "exceptions": (
        """
import json, dataclasses, decimal
class Base(Exception): pass
class Mine(Base, ValueError):
    def __init__(self, code, extra=None):
        super().__init__(f"code {code}"); self.code = code; self.extra = extra
    def twice(self): return self.code * 2
def fail(code): raise Mine(code, [code])
def cause():
    try: 1 / 0
    except ZeroDivisionError as error: raise Mine(1) from error
def group(): raise ExceptionGroup("many", [ValueError(1), Mine(2)])
def key(): return {}["missing"]
def parse(x): return json.loads(x)
def note():
    error = ValueError("x"); error.add_note("more"); raise error
def back(): return Mine(7)
def leave(): raise SystemExit(3)
def guard(f):
    try: f()
    except ZeroDivisionError: return "zero"
    except Exception as error: return type(error).__name__, str(error)
def through(f): f()
@dataclasses.dataclass(frozen=True)
class Frozen: x: int
def chain(f):
    try: f()
    except Exception as error: raise Mine(9) from error
def deep(n): return deep(n + 1)
def check(x): assert x > 3, "too small"
""",
        """
import dataclasses, json, pytest, solution
from solution import Mine, Base
def test_own():
    with pytest.raises(Mine, match="code 5") as caught: solution.fail(5)
    assert caught.value.code == 5 and caught.value.extra == [5] and caught.value.twice() == 10
    assert str(caught.value) == "code 5" and caught.type is Mine
@pytest.mark.parametrize("kind", [Base, ValueError, Exception, (KeyError, Mine)])
def test_bases(kind):
    with pytest.raises(kind): solution.fail(1)
def test_except():
    try: solution.fail(1)
    except KeyError: assert False
    except Base as error: assert isinstance(error, Mine)
def test_other_type():
    with pytest.raises(Mine):
        with pytest.raises(KeyError): solution.fail(1)
def test_cause():
    with pytest.raises(Mine) as caught: solution.cause()
    assert isinstance(caught.value.__cause__, ZeroDivisionError)
def test_group():
    with pytest.raises(ExceptionGroup) as caught: solution.group()
    assert [type(e) for e in caught.value.exceptions] == [ValueError, Mine]
def test_key():
    with pytest.raises(KeyError) as caught: solution.key()
    assert caught.value.args == ("missing",) and str(caught.value) == "'missing'"
def test_json():
    with pytest.raises(json.JSONDecodeError) as caught: solution.parse("{")
    assert caught.value.pos == 1
def test_note():
    with pytest.raises(ValueError) as caught: solution.note()
    assert caught.value.__notes__ == ["more"]
def test_value(): error = solution.back(); assert isinstance(error, Mine) and error.code == 7
def test_exit():
    with pytest.raises(SystemExit) as caught: solution.leave()
    assert caught.value.code == 3
def test_constructed():
    with pytest.raises(Mine): raise Mine(4)
    assert Mine(4).code == 4 and issubclass(Mine, ValueError) and Mine.__name__ == "Mine"
def test_arguments():
    with pytest.raises(TypeError): solution.fail()
def test_missing():
    with pytest.raises(AttributeError): solution.nothing
    with pytest.raises(ImportError): from solution import nothing
def test_guard():
    class Own(Exception): pass
    def zero(): 1 / 0
    def own(): raise Own("text")
    assert solution.guard(zero) == "zero" and solution.guard(own) == ("Own", "text")
    with pytest.raises(Own): solution.through(own)
def test_same_object():
    error = LookupError("x")
    def fail(): raise error
    with pytest.raises(LookupError) as caught: solution.through(fail)
    assert caught.value is error
    with pytest.raises(Mine) as caught: solution.chain(fail)
    assert caught.value.__cause__ is error
def test_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError): solution.Frozen(1).x = 2
def test_recursion():
    with pytest.raises(RecursionError): solution.deep(0)
def test_assert():
    with pytest.raises(AssertionError, match="too small"): solution.check(1)
def test_interrupt_is_caught():
    def stop(): raise KeyboardInterrupt
    with pytest.raises(KeyboardInterrupt): solution.through(stop)
""",
    ),
    "classes": (
        """
import abc, dataclasses, enum, functools
from typing import NamedTuple
class Stack:
    "A stack."
    made = 0
    def __init__(self, items=()): self._items = list(items); Stack.made += 1
    def push(self, x): self._items.append(x); return self
    def pop(self): return self._items.pop()
    def __len__(self): return len(self._items)
    def __bool__(self): return bool(self._items)
    def __contains__(self, x): return x in self._items
    def __iter__(self): return iter(self._items)
    def __getitem__(self, i): return self._items[i]
    def __setitem__(self, i, x): self._items[i] = x
    def __delitem__(self, i): del self._items[i]
    def __repr__(self): return f"Stack({self._items})"
    @property
    def top(self): return self._items[-1]
    @top.setter
    def top(self, x): self._items[-1] = x
    @staticmethod
    def helper(x): return x + 1
    @classmethod
    def of(cls, *xs): return cls(xs)
class Sub(Stack):
    def pop(self): return super().pop() * 2
@functools.total_ordering
class Vector:
    __slots__ = ("x", "y")
    def __init__(self, x, y): self.x, self.y = x, y
    def __eq__(self, other): return isinstance(other, Vector) and (self.x, self.y) == (other.x, other.y)
    def __hash__(self): return hash((self.x, self.y))
    def __lt__(self, other): return (self.x, self.y) < (other.x, other.y)
    def __add__(self, other): return Vector(self.x + other.x, self.y + other.y) if isinstance(other, Vector) else NotImplemented
    def __mul__(self, n): return Vector(self.x * n, self.y * n)
    __rmul__ = __mul__
    def __neg__(self): return Vector(-self.x, -self.y)
    def __abs__(self): return (self.x**2 + self.y**2) ** 0.5
    def __call__(self, k): return self.x + k
    def __str__(self): return f"<{self.x}, {self.y}>"
    def __format__(self, spec): return f"{spec}:{self.x}"
    def __int__(self): return self.x
    def __iadd__(self, other): self.x += other.x; self.y += other.y; return self
@dataclasses.dataclass(order=True)
class Point:
    x: int
    y: int = 0
    tags: list = dataclasses.field(default_factory=list)
class Pair(NamedTuple):
    left: int
    right: str = "r"
class Colour(enum.Enum):
    RED = 1
    GREEN = "g"
    def nice(self): return self.name.lower()
class Number(enum.IntEnum):
    ONE = 1
    TWO = 2
class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self): ...
class Square(Shape):
    def __init__(self, a): self.a = a
    def area(self): return self.a ** 2
class Money(int):
    def __add__(self, other): return Money(int(self) + int(other))
    def cents(self): return self % 100
class Bag(list):
    def total(self): return sum(self)
class Node:
    def __init__(self, value, next=None): self.value, self.next = value, next
def make(): return Stack([1, 2])
def is_stack(x): return isinstance(x, Stack)
def colour(n): return list(Colour)[n]
def is_red(c): return c is Colour.RED
def bag(*xs): return Bag(xs)
def vector(x, y): return Vector(x, y)
def first(node): return node.value
def chain(*xs):
    head = None
    for x in reversed(xs): head = Node(x, head)
    return head
def names(d): return sorted(d, key=lambda p: p.x)
""",
        """
import copy, dataclasses, pytest, solution
from solution import Stack, Sub, Vector, Point, Pair, Colour, Number, Shape, Square, Money, Node
def test_instance():
    s = Stack(); assert not s; s.push(1).push(2); assert s and len(s) == 2 and 1 in s and 5 not in s
    assert list(s) == [1, 2] and s[0] == 1 and s[-1] == 2 and s.top == 2 and repr(s) == "Stack([1, 2])"
    s[0] = 9; s.top = 8; assert s._items == [9, 8]; del s[0]; assert s.pop() == 8
    with pytest.raises(IndexError): s.pop()
def test_identity(): s = Stack(); assert s.push(1) is s and isinstance(s, Stack) and type(s) is Stack
def test_class():
    assert Stack.__doc__ == "A stack." and Stack.__name__ == "Stack" and Stack.helper(1) == 2 and Stack.__module__ == "solution"
    assert isinstance(Stack.of(1, 2), Stack) and isinstance(Sub.of(1), Sub) and solution.is_stack(Sub()) and not solution.is_stack(3)
    before = Stack.made; Stack(); assert Stack.made == before + 1
    assert issubclass(Sub, Stack) and not issubclass(Stack, Sub) and isinstance(solution.make(), Stack)
    assert Stack.pop(Sub([3])) == 3 and Sub([3]).pop() == 6
def test_attributes():
    s = Stack(); s.colour = "red"; assert s.colour == "red" and hasattr(s, "colour") and not hasattr(s, "nothing")
    del s.colour; assert not hasattr(s, "colour"); assert vars(Node(1)) == {"value": 1, "next": None}
    assert getattr(s, "nothing", 5) == 5 and callable(s.push) and "push" in dir(s)
    with pytest.raises(AttributeError): s.nothing
def test_operators():
    a, b = Vector(1, 2), Vector(3, 4)
    assert a + b == Vector(4, 6) and a * 2 == Vector(2, 4) and 2 * a == a * 2 and -a == Vector(-1, -2) and abs(b) == 5
    assert a < b and b > a and a <= a and a != b and not a == b and sorted([b, a])[0] is a and max(a, b) is b
    assert a(10) == 11 and str(a) == "<1, 2>" and f"{a:x}" == "x:1" and int(a) == 1
    assert len({a, Vector(1, 2), b}) == 2 and {a: 1}[Vector(1, 2)] == 1 and hash(a) == hash(Vector(1, 2))
    with pytest.raises(TypeError): a + 1
    c = a; a += b; assert a is c and a == Vector(4, 6)
    assert a != 3 and a != (4, 6) and a in [b, a] and [a, b] == [Vector(4, 6), Vector(3, 4)]
def test_dataclass():
    p = Point(1, tags=["a"]); assert (p.x, p.y, p.tags) == (1, 0, ["a"]) and p == Point(1, 0, ["a"]) and p != Point(2)
    assert repr(Point(1)) == "Point(x=1, y=0, tags=[])" and Point(1) < Point(2) and dataclasses.is_dataclass(p)
    assert [f.name for f in dataclasses.fields(Point)] == ["x", "y", "tags"] and dataclasses.asdict(p) == {"x": 1, "y": 0, "tags": ["a"]}
    assert dataclasses.replace(p, y=5).y == 5
    with pytest.raises(TypeError): hash(p)
    match p:
        case Point(1, y): assert y == 0
        case _: assert False
def test_namedtuple():
    p = Pair(1); assert p == (1, "r") and p.left == 1 and p[1] == "r" and isinstance(p, tuple) and isinstance(p, Pair)
    left, right = p; assert left == 1 and p._replace(left=5) == (5, "r") and p._asdict() == {"left": 1, "right": "r"} and Pair._fields == ("left", "right")
def test_enum():
    assert Colour.RED.value == 1 and Colour.GREEN.name == "GREEN" and Colour("g") is Colour.GREEN and Colour["RED"] is Colour.RED
    assert [c.name for c in Colour] == ["RED", "GREEN"] and len(Colour) == 2 and Colour.RED in Colour and Colour.RED.nice() == "red"
    assert solution.colour(0) is Colour.RED and solution.colour(0) == Colour.RED != Colour.GREEN and solution.is_red(Colour.RED)
    assert {Colour.RED: 1}[Colour.RED] == 1 and isinstance(Colour.RED, Colour) and repr(Colour.RED) == "<Colour.RED: 1>"
    with pytest.raises(ValueError): Colour(99)
def test_int_enum(): assert Number.TWO == 2 and Number.ONE < Number.TWO and Number(1) is Number.ONE and Number.TWO + 1 == 3 and Number.TWO.name == "TWO"
def test_abstract():
    with pytest.raises(TypeError): Shape()
    assert Square(3).area() == 9 and isinstance(Square(3), Shape)
def test_int(): m = Money(150) + 70; assert m == 220 and isinstance(m, int) and isinstance(m, Money) and m.cents() == 20 and m // 2 == 110
def test_list(): b = solution.bag(1, 2); assert b == [1, 2] and b.total() == 3 and len(b) == 2 and b[0] == 1 and sorted(b) == [1, 2]
def test_linked():
    head = solution.chain(1, 2, 3); assert head.next.next.value == 3 and head.next.next.next is None and head.next is head.next
    head.next = Node(7); assert head.next.value == 7; assert solution.first(head) == 1
def test_copy():
    s = Stack([1]); t = copy.copy(s); assert t is not s and isinstance(t, Stack); u = copy.deepcopy(s); u.push(2); assert len(s) == 1 and len(u) == 2
def test_unequal(): assert Stack([1]) != Stack([1]) and Stack() != None and not (Stack() == [])
def test_in_containers(): a = Vector(1, 2); assert solution.names([Vector(2, 0), a])[0] is a
""",
    ),
    "generators and contexts": (
        """
import contextlib, itertools
LOG = []
def count(n):
    try:
        for i in range(n):
            got = yield i
            if got: LOG.append(got)
        return "done"
    except KeyError: yield "key"
    finally: LOG.append("closed")
def forever(): return itertools.count(5)
def squares(xs): return map(lambda x: x * x, xs)
@contextlib.contextmanager
def managed(x):
    LOG.append("in")
    try: yield x
    except ValueError: LOG.append("value")
    finally: LOG.append("out")
class Manager:
    def __enter__(self): return self
    def __exit__(self, *exc): self.seen = exc[0]; return exc[0] is ValueError
class Countdown:
    def __init__(self, n): self.n = n
    def __iter__(self): return self
    def __next__(self):
        if not self.n: raise StopIteration
        self.n -= 1
        return self.n
def total(xs): return sum(xs)
def firsts(xs, n): return list(itertools.islice(xs, n))
def keys(): return {"a": 1}.keys()
def nested():
    def inner(): yield 1
    yield inner()
""",
        """
import inspect, itertools, types, pytest, solution
def setup_function(): solution.LOG
def test_list(): assert list(solution.count(3)) == [0, 1, 2] and sum(solution.count(4)) == 6
def test_send():
    g = solution.count(2); assert next(g) == 0 and g.send("hello") == 1 and "hello" in solution.LOG
    with pytest.raises(StopIteration) as stop: next(g)
    assert stop.value.value == "done"
def test_throw(): g = solution.count(2); next(g); assert g.throw(KeyError) == "key"
def test_close(): before = solution.LOG.count("closed"); g = solution.count(2); next(g); g.close(); assert solution.LOG.count("closed") == before + 1
def test_kind(): g = solution.count(1); assert inspect.isgenerator(g) and isinstance(g, types.GeneratorType) and iter(g) is g
def test_from():
    def mine(): return (yield from solution.count(1))
    g = mine(); next(g)
    with pytest.raises(StopIteration) as stop: next(g)
    assert stop.value.value == "done"
def test_endless(): assert list(itertools.islice(solution.forever(), 2)) == [5, 6]
def test_map(): assert list(solution.squares([1, 2])) == [1, 4] and next(solution.squares([3])) == 9
def test_context():
    with solution.managed(5) as x: assert x == 5
    with solution.managed(5): raise ValueError
    with pytest.raises(KeyError):
        with solution.managed(5): raise KeyError
    assert solution.LOG[-5:] == ["out", "value", "out", "in", "out"] or "value" in solution.LOG
    with solution.Manager() as m: raise ValueError("x")
    assert m.seen is ValueError
def test_iterator(): c = solution.Countdown(3); assert list(c) == [2, 1, 0] and list(c) == []
def test_our_generator(): assert solution.total(x * 2 for x in range(4)) == 12 and solution.firsts(itertools.count(1), 3) == [1, 2, 3]
def test_our_endless():
    def mine():
        while True: yield 1
    assert solution.firsts(mine(), 2) == [1, 1]
def test_keys(): assert solution.keys() == {"a"} and list(solution.keys()) == ["a"]
def test_nested(): assert [list(g) for g in solution.nested()] == [[1]]
""",
    ),
    "callbacks": (
        """
import functools, sys
def apply(f, *args, **kwargs): return f(*args, **kwargs)
def keyed(xs, key): return sorted(xs, key=key)
def adder(n): return lambda x: x + n
def compose(f, g): return lambda x: f(g(x))
def retry(f, n):
    for i in range(n):
        try: return f()
        except ValueError: pass
    raise RuntimeError("gave up")
def decorate(f):
    @functools.wraps(f)
    def inner(*args): return [f(*args)]
    return inner
def fold(f, xs): return functools.reduce(f, xs)
def use(service): service.save("x"); return service.load("x") + service.limit
def drain(thing): return [len(thing), list(thing), thing[0], 3 in thing]
def ordered(xs): return sorted(xs)
def rename(node): node.name = "new"; node.child.name = "deep"; return node
def walk(tree): return [] if tree is None else walk(tree.left) + [tree.value] + walk(tree.right)
def build(cls): return cls(3)
def write(stream): stream.write("a"); print("b", file=stream)
def ping(f, n): return n if n == 0 else f(lambda k: ping(f, k), n)
@functools.lru_cache
def cached(x): return x * 2
def equal(a, b): return a == b
def group(d, f): return {k: f(v) for k, v in d.items()}
class Bus:
    def __init__(self): self.handlers = []
    def on(self, f): self.handlers.append(f)
    def emit(self, *args): return [h(*args) for h in self.handlers]
""",
        """
import functools, io, operator, unittest.mock, pytest, solution
def test_lambda(): assert solution.apply(lambda x, k=1: x + k, 1, k=5) == 6
def test_builtin(): assert solution.apply(len, [1, 2]) == 2 and solution.apply(operator.add, 1, 2) == 3 and solution.keyed(["bb", "a"], len) == ["a", "bb"]
def test_method(): assert solution.keyed(["B", "a"], str.lower) == ["a", "B"] and solution.apply("x".upper) == "X"
def test_closure(): f = solution.adder(2); assert f(3) == 5 and callable(f) and solution.apply(f, 1) == 3 and solution.compose(f, lambda x: x * 10)(1) == 12
def test_retry():
    calls = []
    def flaky():
        calls.append(1)
        if len(calls) < 3: raise ValueError
        return "ok"
    assert solution.retry(flaky, 5) == "ok" and len(calls) == 3
def test_decorate():
    @solution.decorate
    def f(x):
        "doc"
        return x
    assert f(1) == [1] and f.__name__ == "f" and f.__doc__ == "doc"
def test_fold(): assert solution.fold(lambda a, b: a * b, [1, 2, 3]) == 6
class Service:
    limit = 5
    def __init__(self): self.saved = {}
    def save(self, k): self.saved[k] = 10
    def load(self, k): return self.saved[k]
def test_object(): s = Service(); assert solution.use(s) == 15 and s.saved == {"x": 10}
def test_mock():
    m = unittest.mock.Mock(); m.load.return_value = 1; m.limit = 2
    assert solution.use(m) == 3; m.save.assert_called_once_with("x")
class Bag:
    def __init__(self, *xs): self.xs = xs
    def __len__(self): return len(self.xs)
    def __iter__(self): return iter(self.xs)
    def __getitem__(self, i): return self.xs[i]
    def __contains__(self, x): return x in self.xs
def test_protocols(): assert solution.drain(Bag(1, 2, 3)) == [3, [1, 2, 3], 1, True]
@functools.total_ordering
class Own:
    def __init__(self, n): self.n = n
    def __lt__(self, other): return self.n < other.n
    def __eq__(self, other): return isinstance(other, Own) and self.n == other.n
def test_ordering(): a, b = Own(2), Own(1); assert solution.ordered([a, b]) == [b, a] and solution.ordered([a, b])[0] is b
def test_equal(): assert solution.equal(Own(1), Own(1)) and not solution.equal(Own(1), Own(2)) and not solution.equal(Own(1), 1)
class Node:
    def __init__(self, value=0, left=None, right=None): self.value, self.left, self.right = value, left, right
def test_set(): n = Node(); n.child = Node(); assert solution.rename(n) is n and n.name == "new" and n.child.name == "deep"
def test_tree(): assert solution.walk(Node(2, Node(1), Node(3))) == [1, 2, 3]
def test_class(): made = solution.build(Node); assert isinstance(made, Node) and made.value == 3
def test_stream(): s = io.StringIO(); solution.write(s); assert s.getvalue() == "ab\\n"
def test_nesting(): assert solution.ping(lambda again, n: again(n - 1), 20) == 0
def test_cache(): assert solution.cached(2) == 4 and solution.cached.cache_info().misses >= 1; solution.cached.cache_clear()
def test_dict(): assert solution.group({"a": [1]}, sum) == {"a": 1}
def test_bus(): b = solution.Bus(); got = []; b.on(got.append); b.on(lambda x: x); assert b.emit(3) == [None, 3] and got == [3]
""",
    ),
    "async": (
        """
import asyncio
async def add(a, b): await asyncio.sleep(0); return a + b
async def fail(): raise KeyError("x")
async def apply(f, x): return await f(x)
async def ticks(n):
    for i in range(n): yield i
class Session:
    async def __aenter__(self): self.open = True; return self
    async def __aexit__(self, *exc): self.open = False
    async def get(self, x): return x
async def gather(*xs): return await asyncio.gather(*(add(x, 1) for x in xs))
""",
        """
import asyncio, inspect, pytest, solution
def test_run(): assert asyncio.run(solution.add(1, 2)) == 3
def test_inside():
    async def main(): return await solution.add(1, await solution.add(2, 3))
    assert asyncio.run(main()) == 6
def test_gather():
    async def main(): return await asyncio.gather(solution.add(1, 1), solution.add(2, 2))
    assert asyncio.run(main()) == [2, 4] and asyncio.run(solution.gather(1, 2)) == [2, 3]
def test_raises():
    with pytest.raises(KeyError): asyncio.run(solution.fail())
def test_callback():
    async def double(x): await asyncio.sleep(0); return x * 2
    assert asyncio.run(solution.apply(double, 4)) == 8
def test_async_for():
    async def main(): return [x async for x in solution.ticks(3)]
    assert asyncio.run(main()) == [0, 1, 2]
def test_async_with():
    async def main():
        async with solution.Session() as s: assert s.open; return await s.get(5), s
    got, s = asyncio.run(main()); assert got == 5 and not s.open
def test_kind(): c = solution.add(1, 2); assert inspect.iscoroutine(c); asyncio.run(c)
""",
    ),
    "modules": (
        {
            "solution.py": "import helper, pkg.sub\nfrom helper import VALUE\nCOUNT = 0\ndef bump():\n    global COUNT\n    COUNT += 1\n    return COUNT\ndef value(): return helper.VALUE + pkg.sub.x\n__all__ = ['bump', 'value', 'COUNT']\n_hidden = 1\n",
            "helper.py": "VALUE = 5\nclass Thing: pass\n",
            "pkg/__init__.py": "from .sub import x\nname = 'pkg'\n",
            "pkg/sub.py": "x = 7\ndef f(): return x\n",
            "random_helper.txt": "data",
        },
        """
import importlib, pytest, solution, helper, pkg.sub
from pkg import sub, name
from pkg.sub import f
from solution import *
def test_value(): assert value() == 12 and helper.VALUE == 5 and pkg.sub.x == 7 and f() == 7 and sub.f() == 7 and name == "pkg"
def test_live(): before = solution.COUNT; assert bump() == before + 1 and solution.COUNT == before + 1
def test_private(): assert solution._hidden == 1 and "_hidden" not in globals()
def test_dir(): assert "bump" in dir(solution) and hasattr(solution, "bump") and not hasattr(solution, "zzz") and solution.__name__ == "solution"
def test_missing():
    with pytest.raises(ModuleNotFoundError): import helper2
    with pytest.raises(ModuleNotFoundError): import pkg.nothing
def test_reload(): bump(); importlib.reload(solution); assert solution.COUNT == 0
def test_identity(): assert solution.helper.Thing is helper.Thing and isinstance(helper.Thing(), solution.helper.Thing)
def test_stdlib(): import random; assert random.Random(1).random() > 0
""",
    ),
    "containers of objects": (
        """
import collections
REGISTRY = {"a": [1]}
TABLE = [1, 2]
def register(k, v): REGISTRY.setdefault(k, []).append(v)
def registry(): return sorted(REGISTRY.items())
class Store:
    shared = []
    def __init__(self): self.items = []; self.index = {}; self.tags = set(); self.queue = collections.deque(); self.n = collections.Counter()
    def push(self, x): self.items.append(x); self.index[x] = [x]; self.tags.add(x); self.queue.append(x); self.n[x] += 1
    def size(self): return len(self.items), len(self.index), len(self.tags), len(self.queue), sum(self.n.values())
    def course(self, who, what): self.index[who]["courses"][what] = 90
    def first(self): return self.items[0]
    def replace(self): self.items = []
    @property
    def copied(self): return list(self.items)
def grow(node): node.children.append("new"); node.names["k"] = [1]; return len(node.children)
def share(a, b): b.children = a.children
""",
        """
import solution
from solution import Store, TABLE
def test_append(): s = Store(); s.items.append(1); s.items.append(2); assert s.size()[0] == 2 and s.items == [1, 2] and s.first() == 1
def test_alias():
    s = Store(); items, index, tags, queue, n = s.items, s.index, s.tags, s.queue, s.n
    s.push(5); s.push(5); assert items == [5, 5] and index == {5: [5]} and tags == {5} and list(queue) == [5, 5] and n == {5: 2}
    assert s.items is items and s.index is index
    items.clear(); tags.clear(); queue.popleft(); n[7] += 3; del index[5]
    assert s.size() == (0, 0, 0, 1, 5)
def test_nested():
    s = Store(); s.index["Alice"] = {"courses": {}}; s.course("Alice", "Math")
    assert s.index["Alice"]["courses"]["Math"] == 90; s.index["Alice"]["courses"]["Art"] = 1; s.course("Alice", "PE")
    assert s.index == {"Alice": {"courses": {"Math": 90, "Art": 1, "PE": 90}}}
def test_identity(): s = Store(); s.items.append([1]); assert s.first() is s.items[0]; s.items[0].append(2); assert s.first() == [1, 2]
def test_replaced(): s = Store(); old = s.items; s.push(1); s.replace(); assert old == [1] and s.items == [] and s.items is not old
def test_given(): s = Store(); mine = [1]; s.items = mine; s.push(2); assert s.items == [1, 2] and s.copied == [1, 2]
def test_module(): solution.register("b", 2); assert solution.REGISTRY["b"] == [2]; solution.REGISTRY.clear(); assert solution.registry() == []; solution.REGISTRY["z"] = [1]; assert solution.registry() == [("z", [1])]
def test_class(): Store.shared.append(1); assert Store().shared == [1] and Store.shared == [1]; Store.shared.clear()
def test_imported(): TABLE.append(3); assert solution.TABLE == [1, 2, 3]; solution.TABLE.pop(); assert TABLE == [1, 2]
class Node:
    def __init__(self): self.children = []; self.names = {}
def test_ours(): n = Node(); kept = n.children; assert solution.grow(n) == 1 and n.children == ["new"] and kept is n.children and n.names == {"k": [1]}
def test_shared():
    a, b = Node(), Node(); solution.share(a, b); a.children.append(1); assert b.children is a.children
def test_many():
    stores = []
    for i in range(200): s = Store(); s.items.append(i); assert s.items == [i]; stores.append(s)
    assert [s.first() for s in stores] == list(range(200))
""",
    ),
    "output": (
        """
import sys, logging
print("importing")
def say(x): print(x); print("err", file=sys.stderr); sys.stdout.write("w"); return x
def call(f): print("before"); f(); print("after")
def raw(): sys.stdout.buffer.write(b"raw"); sys.stdout.flush()
def strange(): print("\\ud800 \\x1b[1m")
def lots(n): print("x" * n)
""",
        """
import contextlib, io, solution
def test_capsys(capsys): solution.say("hi"); out, err = capsys.readouterr(); assert out == "hi\\nw" and err == "err\\n"
def test_twice(capsys): solution.say(1); capsys.readouterr(); solution.say(2); assert capsys.readouterr().out == "2\\nw"
def test_redirect():
    s = io.StringIO()
    with contextlib.redirect_stdout(s): solution.say("x")
    assert s.getvalue() == "x\\nw"
def test_raw(capsys): solution.raw(); assert capsys.readouterr().out == "raw"
def test_order(capsys): solution.call(lambda: None); assert capsys.readouterr().out == "before\\nafter\\n"
def test_lots(capsys): solution.lots(100_000); assert len(capsys.readouterr().out) == 100_001
""",
    ),
    "unittest": (
        "def f(x):\n    if x < 0: raise ValueError('negative')\n    return x * 2.0\n",
        """
import unittest
from solution import f
class TestF(unittest.TestCase):
    @classmethod
    def setUpClass(cls): cls.g = staticmethod(f)
    def setUp(self): self.f = f
    def test_value(self): self.assertEqual(self.f(2), 4); self.assertAlmostEqual(f(0.1), 0.2); self.assertEqual(self.g(1), 2)
    def test_raises(self):
        with self.assertRaises(ValueError): f(-1)
        self.assertRaisesRegex(ValueError, "neg", f, -1)
    def test_subtests(self):
        for i in range(3):
            with self.subTest(i=i): self.assertIsInstance(f(i), float)
    def test_wrong(self): self.assertEqual(f(1), 3)
""",
    ),
    "wrong": (
        "def f(x): return x\nclass A: pass\n",
        """
import pytest, solution
def test_fails(): assert solution.f(1) == 2
def test_raises():
    with pytest.raises(ValueError): solution.f(1)
def test_attribute(): solution.A().x
def test_error(): solution.f(1, 2)
def test_fine(): pass
@pytest.fixture
def broken(): return solution.nothing()
def test_fixture(broken): pass
""",
    ),
    "properties": (
        "def rev(xs): return xs[::-1]\ndef bad(n): return n if n < 1000 else 0\n",
        """
from hypothesis import given, settings, strategies as st
import solution
@settings(deadline=None)
@given(st.lists(st.integers()))
def test_rev(xs): assert solution.rev(solution.rev(xs)) == xs
@settings(deadline=None)
@given(st.text())
def test_text(s): assert solution.rev(s) == s[::-1]
@settings(deadline=None)
@given(st.integers())
def test_bad(n): assert solution.bad(n) == n
""",
    ),
    "made by the submission": (
        """
import functools, pathlib
def here(name): return pathlib.Path("/a") / name, pathlib.PurePosixPath(name)
def opened(name): return open(name)
def missing(): import nowhere.at_all
def unknown(): return not_defined
class Doubled:
    def __init__(self, f): functools.update_wrapper(self, f); self.f = f; self.calls = 0
    def __call__(self, *args, times=2, **kwargs): self.calls += 1; return self.f(*args, **kwargs) * times
def by_keyword(f): return f(1, two=2, self=3)
def through(f): return f()
def groups(): raise BaseExceptionGroup("all", [KeyError("k"), ExceptionGroup("inner", [OSError(2, "no", "f"), ValueError(1)])])
""",
        """
import pathlib, pytest, solution
from unittest import mock
def test_paths(): assert solution.here("b") == (pathlib.Path("/a/b"), pathlib.PurePosixPath("b"))
def test_file():
    with pytest.raises(OSError) as told: solution.opened("/nowhere")
    assert (told.value.errno, told.value.filename, told.value.filename2) == (2, "/nowhere", None)
def test_names():
    with pytest.raises(ImportError) as told: solution.missing()
    assert (told.value.name, told.value.path) == ("nowhere", None)
    with pytest.raises(NameError) as told: solution.unknown()
    assert told.value.name == "not_defined"
def test_object_for_a_function():
    @solution.Doubled
    def plain(n=1):
        "What it does."
        return n
    assert plain(3) == 6 and plain(n=4, times=3) == 12 and plain.calls == 2
    assert (plain.__name__, plain.__doc__, plain.__wrapped__(5)) == ("plain", "What it does.", 5)
    assert solution.Doubled.__doc__ is None and not hasattr(plain, "__closure__")
def test_by_keyword():
    send = mock.Mock(return_value=4)
    assert solution.by_keyword(send) == 4
    send.assert_called_once_with(1, two=2, self=3)
def test_groups():
    with pytest.raises(BaseExceptionGroup) as told: solution.groups()
    first, inner = told.value.exceptions
    assert type(first) is KeyError and inner.message == "inner" and inner.exceptions[0].filename == "f"
    with pytest.RaisesGroup(KeyError, pytest.RaisesGroup(OSError, ValueError)): solution.groups()
def test_group_of_ours():
    failed = ExceptionGroup("ours", [AssertionError("a"), TypeError("b")])
    def fails(): raise failed
    with pytest.raises(ExceptionGroup) as told: solution.through(fails)
    assert told.value is failed
""",
    ),
    "numpy": (
        """
import numpy as np
def double(a): return np.asarray(a) * 2
def mean(xs): return np.mean(xs)
def kind(a): return type(a).__name__, a.dtype.name
""",
        """
import numpy as np, solution
def test_array(): got = solution.double([1, 2]); assert isinstance(got, np.ndarray) and (got == np.array([2, 4])).all()
def test_in(): assert solution.kind(np.zeros((2, 2), dtype="float32")) == ("ndarray", "float32"); np.testing.assert_array_equal(solution.double(np.eye(2)), np.eye(2) * 2)
def test_scalar(): assert solution.mean([1, 2]) == 1.5 and isinstance(solution.mean([1, 2]), float)
""",
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_it_is_as_in_one_process(jail: Sandbox, name: str) -> None:
    solution, tests = SAME[name]
    apart = reports(jail, solution, tests)
    together = reports(jail, solution, tests, isolation="shared")
    different = {
        test: (report, together.get(test)) for test, report in apart.items() if report[0] != together.get(test, "")[0]
    }
    assert not different, "\n\n".join(f"{test}: {one}\n---\n{other}" for test, (one, other) in different.items())
    assert apart.keys() == together.keys()
    assert any(outcome == "passed" for outcome, _ in apart.values())
