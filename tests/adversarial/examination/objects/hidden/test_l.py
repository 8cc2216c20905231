import collections, dataclasses, enum, types, typing
from unittest import mock
import pytest
from helpers import Recorder, Shared
from solution import emit, fill, visit, walk_tree, Stack, Registry, compose, total_of, Matrix, parse, Node, sort_by, group, observe, patch_config, Adder

@pytest.fixture
def recorder():
    r = Recorder()
    yield r
    assert r.count <= r.limit

def test_emit(recorder):
    emit(recorder, ["a", "b"])
    assert list(recorder) == ["a", "b"] and recorder.count == 2 and "a" in recorder

def test_emit_overflow(recorder):
    recorder.limit = 1
    with pytest.raises(OverflowError):
        emit(recorder, ["a", "b"])
    recorder.limit = 3

def test_visit():
    r = Recorder()
    r.limit = 10
    visit([1, [2, [3]]], r)
    assert r[0:3] == [1, 2, 3]

def test_fill():
    target = [0] * 3
    assert fill(target, 7) is target
    assert target == [7, 7, 7]

def test_fill_nested():
    grid = [[0, 0], [0, 0]]
    fill(grid[0], 1)
    assert grid == [[1, 1], [0, 0]]

def test_stack():
    s = Stack([1, 2])
    s.push(3)
    assert s.pop() == 3 and s.peek() == 2 and len(s) == 2
    assert [*s] == [2, 1]
    assert s.items == [1, 2]
    s.items.append(9)
    assert s.pop() in (9, 2)
    with pytest.raises(IndexError):
        Stack().pop()

def test_registry():
    reg = Registry()
    @reg.register("a")
    class A:
        def run(self): return 1
    @reg.register("b")
    class B(A):
        def run(self): return super().run() + 1
    assert reg.create("a").run() == 1
    assert reg.create("b").run() == 2
    assert isinstance(reg.create("b"), A)
    assert reg["a"] is A
    assert sorted(reg) == ["a", "b"]

def test_compose():
    assert compose(str, len)(12345) == 5
    assert compose()(3) == 3
    assert compose(lambda x: x + 1, lambda x: x * 2)(3) == 8

@dataclasses.dataclass
class Line:
    price: float
    count: int
    tags: list = dataclasses.field(default_factory=list)
    @property
    def total(self): return self.price * self.count

class Point(typing.NamedTuple):
    x: int
    y: int
    def norm(self): return abs(self.x) + abs(self.y)

def test_total_of():
    assert total_of([Line(1.5, 2), Line(2, 1)]) == 5
    assert total_of([types.SimpleNamespace(price=2, count=2, total=4)]) == 4

def test_sort_by():
    ps = [Point(3, 4), Point(1, 0)]
    assert sort_by(ps, lambda p: p.norm()) == [Point(1, 0), Point(3, 4)]
    assert sort_by(ps, Point.norm)[0].x == 1
    assert sort_by(["bb", "a"], len) == ["a", "bb"]

def test_matrix():
    m = Matrix([[1, 2], [3, 4]])
    assert m[0, 1] == 2
    m[1, 1] = 5
    assert (m @ Matrix([[1], [1]])).rows == [[3], [8]]
    assert -m == Matrix([[-1, -2], [-3, -5]])
    assert 2 * m == m * 2
    assert m.T.rows == [[1, 3], [2, 5]]
    assert m != Matrix([[0]])
    m *= 2
    assert m[0, 0] == 2

class Colour(enum.Enum):
    RED = 1
    BLUE = 2

def test_group():
    got = group([("a", Colour.RED), ("b", Colour.BLUE), ("c", Colour.RED)])
    assert got == {Colour.RED: ["a", "c"], Colour.BLUE: ["b"]}
    assert list(got) == [Colour.RED, Colour.BLUE]

def test_node():
    root = Node(1, [Node(2), Node(3, [Node(4)])])
    assert [n.value for n in root] == [1, 2, 3, 4]
    assert root.children[1].children[0].parent.parent is root
    assert root.depth() == 3
    assert root.find(4).path() == [1, 3, 4]
    assert root.find(9) is None

def test_parse():
    assert parse("a=1;b=x") == {"a": 1, "b": "x"}
    with pytest.raises(ValueError, match=r"line 1: .*'q'"):
        parse("q")

def test_observe():
    m = mock.MagicMock()
    m.level.value = 3
    observe(m)
    m.ping.assert_called_once_with(3, deep=True)
    m.__enter__.assert_called_once()
    assert m.mock_calls[-1] == mock.call.done()

def test_patch_config():
    cfg = {"a": {"b": 1}, "c": [1, 2]}
    out = patch_config(cfg, {"a": {"d": 2}, "c": [3]})
    assert out == {"a": {"b": 1, "d": 2}, "c": [3]}
    assert cfg == {"a": {"b": 1}, "c": [1, 2]}
    out["a"]["b"] = 99
    assert cfg["a"]["b"] == 1

def test_call_by_keyword(recorder):
    add = Adder(2)
    assert add(x=3) == 5 and add(3, times=2) == 10
    send = mock.Mock(return_value=4)
    assert add.through(send) == 4
    send.assert_called_once_with(2, self=1, times=3)

def test_shared():
    before = Shared.total
    assert total_of([Line(1, 1)]) == 1
    assert Shared.add(2) == before + 2
