import asyncio, io, os, sys, unittest, warnings, logging
from unittest import mock
import pytest
from solution import counted, lines, ask, greet, warn_old, log_it, wait_all, Config, chunks, env_name, add_all, Timer, Shape, area, walk, memo

def test_counted():
    @counted
    def f(x):
        "doc"
        return x + 1
    assert f(1) == 2 and f(2) == 3
    assert f.calls == 2
    assert f.__name__ == "f" and f.__doc__ == "doc" and f.__wrapped__(1) == 2

def test_counted_later():
    @counted
    def f(x): return x + 1
    assert f.calls == 0
    f(1)
    assert f.calls == 1
    f(1)
    assert f.calls == 2

def test_lines(shared):
    assert lines(shared) == ["a", "b"]
    assert lines(str(shared)) == ["a", "b"]

def test_lines_tmp(tmp_path):
    (tmp_path / "f").write_text("q")
    assert lines(tmp_path / "f") == ["q"]
    with pytest.raises(FileNotFoundError):
        lines(tmp_path / "no")

def test_ask(monkeypatch):
    monkeypatch.setattr("builtins.input", lambda prompt="": "7")
    assert ask() == 7

def test_greet(capsys):
    greet("bo")
    assert capsys.readouterr().out == "hello bo\n"

def test_warn():
    with pytest.warns(DeprecationWarning, match="old"):
        assert warn_old() == 1

def test_log(caplog):
    with caplog.at_level(logging.INFO):
        log_it("x")
    assert "did x" in caplog.text

def test_wait_all():
    async def one():
        await asyncio.sleep(0)
        return 1
    assert asyncio.run(wait_all([one(), one()])) == [1, 1]

class TestConfig:
    def setup_method(self):
        self.c = Config({"a": 1})
    def test_get(self):
        assert self.c["a"] == 1
        assert self.c.a == 1
        with pytest.raises(KeyError):
            self.c["b"]
        with pytest.raises(AttributeError):
            self.c.b
    def test_set(self):
        self.c["b"] = 2
        assert self.c.b == 2 and "b" in self.c and len(self.c) == 2
        assert sorted(self.c) == ["a", "b"]
        del self.c["a"]
        assert dict(self.c) == {"b": 2}
    def test_or(self):
        assert dict(self.c | {"z": 3}) == {"a": 1, "z": 3}

def test_chunks(width, numbers):
    assert [list(c) for c in chunks(numbers, width)] == [numbers[i:i+width] for i in range(0, 3, width)]

def test_env(monkeypatch):
    monkeypatch.setenv("WHO", "me")
    assert env_name() == "me"

class Money:
    def __init__(self, n): self.n = n
    def __add__(self, o): return Money(self.n + (o.n if isinstance(o, Money) else o))
    __radd__ = __add__
    def __eq__(self, o): return isinstance(o, Money) and o.n == self.n
    def __lt__(self, o): return self.n < o.n
    def __hash__(self): return hash(self.n)

def test_add_all():
    assert add_all([Money(1), Money(2)]) == Money(3)

class T(unittest.TestCase):
    def test_sub(self):
        for n in (1, 2):
            with self.subTest(n=n):
                self.assertEqual(add_all([n, n]), 2 * n)
    def test_raises(self):
        with self.assertRaisesRegex(TypeError, "str"):
            add_all([1, "a"])

def test_timer():
    clock = mock.Mock(side_effect=[1.0, 4.0])
    with Timer(clock) as t:
        pass
    assert t.elapsed == pytest.approx(3.0)
    assert clock.call_count == 2

def test_shapes():
    assert [area(s) for s in (Shape.square(2), Shape.rect(2, 3))] == [4, 6]
    assert repr(Shape.rect(2, 3)) == "Shape(2, 3)"
    w, h = Shape.rect(2, 3)
    assert (w, h) == (2, 3)
    match Shape.rect(4, 5):
        case Shape(w, h):
            assert w * h == 20

def test_walk():
    tree = {"a": {"b": 1}, "c": 2}
    assert dict(walk(tree)) == {"a.b": 1, "c": 2}

def test_memo():
    seen = []
    @memo
    def f(x):
        seen.append(x)
        return x * 2
    assert [f(1), f(1), f(2)] == [2, 2, 4]
    assert seen == [1, 2]
    f.cache_clear()
    f(1)
    assert seen == [1, 2, 1]
