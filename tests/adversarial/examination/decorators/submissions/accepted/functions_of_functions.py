import asyncio, functools, logging, os, warnings, collections, contextlib
from collections import UserDict, namedtuple
from contextlib import contextmanager
def counted(f):
    @functools.wraps(f)
    def g(*a, **k):
        setattr(g, "calls", getattr(g, "calls", 0) + 1)
        return f(*a, **k)
    setattr(g, "calls", 0)
    return g
def lines(path):
    import io
    with io.open(os.fspath(path), "rb") as f:
        return f.read().decode().split()
def ask():
    while True:
        try:
            return int(input("Number: ").strip())
        except ValueError:
            continue
def greet(name):
    print(f"hello {name}", flush=True)
def warn_old():
    class OldWarning(DeprecationWarning): pass
    warnings.warn("this is old", OldWarning)
    return 1
def log_it(x):
    logging.info("did %s", x)
def wait_all(cs):
    async def go():
        return [await c for c in cs]
    return go()
class Config(UserDict):
    def __getattr__(self, k):
        if k == "data": raise AttributeError(k)
        try: return self.data[k]
        except KeyError: raise AttributeError(k) from None
def chunks(xs, n):
    it = iter(xs)
    while True:
        c = [x for _, x in zip(range(n), it)]
        if not c: return
        yield c
def env_name():
    return os.environ.get("WHO", "nobody")
def add_all(xs):
    if any(isinstance(x, str) for x in xs): raise TypeError("no str")
    first, *rest = xs
    return sum(rest, first)
class Timer(contextlib.AbstractContextManager):
    def __init__(self, clock): self.clock = clock
    def __enter__(self):
        self.t = [self.clock()]
        return self
    def __exit__(self, *a): self.t.append(self.clock())
    @property
    def elapsed(self): return self.t[1] - self.t[0]
class Shape(namedtuple("Shape", "w h")):
    __slots__ = ()
    @staticmethod
    def square(n): return Shape(n, n)
    rect = classmethod(lambda cls, w, h: cls(w, h))
    def __repr__(self): return "Shape(%d, %d)" % self
def area(s):
    w, h = s
    return w * h
def walk(t):
    for k, v in t.items():
        match v:
            case dict():
                for kk, vv in walk(v): yield f"{k}.{kk}", vv
            case _:
                yield k, v
def memo(f):
    cache = {}
    @functools.wraps(f)
    def g(*a):
        try: return cache[a]
        except KeyError:
            return cache.setdefault(a, f(*a))
    g.cache_clear = cache.clear
    return g
