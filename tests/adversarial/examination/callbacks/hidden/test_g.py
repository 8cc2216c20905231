import asyncio
import pytest
from solution import each, each_async, ordered, drain, hooked

def test_each():
    seen = []
    def check(x):
        seen.append(x)
        problems = [AssertionError(f"{y}") for y in seen if y > 5]
        if problems:
            raise ExceptionGroup("too large", problems)
    each([1, 2, 3], check)
    assert len(seen) == 3

def test_each_async():
    done = []
    async def check(x):
        async with asyncio.TaskGroup() as g:
            g.create_task(inner(x))
    async def inner(x):
        done.append(x)
        assert x < 5
    asyncio.run(each_async([1, 2], check))
    assert done

class Item:
    def __init__(self, n): self.n = n
    def __lt__(self, other):
        assert isinstance(other, Item)
        return self.n < other.n
    def __hash__(self):
        assert self.n < 100
        return self.n
    def __eq__(self, o):
        assert isinstance(o, Item), "compared with something else"
        return self.n == o.n
    @property
    def size(self):
        assert self.n >= 0
        return self.n

def test_ordered():
    items = [Item(3), Item(1)]
    out = ordered(items)
    assert out[0] is items[1]
    assert out[1] is items[0]

def test_drain():
    def source():
        for n in range(3):
            got = yield n
            assert got is None
        ended.append(1)
    out, ended = [], []
    drain(source(), out)
    assert out == [0, 1, 2] and ended

def test_hooked():
    log = []
    def hook(event):
        if event != "start" and event != "stop":
            pytest.fail(f"unknown {event}")
        log.append(event)
    hooked(hook)
    assert log == ["start", "stop"]
