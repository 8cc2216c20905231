from __future__ import annotations
import collections, functools, operator, itertools
from collections.abc import MutableMapping
def emit(r, events): collections.deque(map(r.record, events), maxlen=0)
def fill(xs, v):
    xs[:] = [v] * len(xs)
    return xs
def visit(xs, f):
    stack = [iter(xs)]
    while stack:
        for x in stack[-1]:
            if isinstance(x, list):
                stack.append(iter(x)); break
            f(x)
        else: stack.pop()
def walk_tree(t): ...
class Stack(list):
    def push(self, x): self.append(x)
    def peek(self): return self[-1]
    def __iter__(self): return list.__reversed__(self)
    @property
    def items(self): return self[:]
class Registry(dict):
    def register(self, name): return functools.partial(self._put, name)
    def _put(self, name, cls):
        self[name] = cls
        return cls
    def create(self, name, *args, **kw): return self[name](*args, **kw)
def compose(*fs):
    def composed(x):
        for f in fs: x = f(x)
        return x
    return composed
def total_of(lines):
    return functools.reduce(lambda t, l: t + l.total, lines, 0)
def sort_by(xs, key):
    out = []
    for x in xs:
        i = 0
        while i < len(out) and key(out[i]) <= key(x): i += 1
        out.insert(i, x)
    return out
class Matrix:
    __slots__ = ("rows",)
    def __init__(self, rows): self.rows = [list(r) for r in rows]
    def __getitem__(self, ij):
        i, j = ij
        return self.rows[i][j]
    def __setitem__(self, ij, v):
        i, j = ij
        self.rows[i][j] = v
    def _map(self, f): return Matrix([list(map(f, r)) for r in self.rows])
    def __matmul__(self, o): return Matrix([[sum(map(operator.mul, r, c)) for c in zip(*o.rows)] for r in self.rows])
    def __neg__(self): return self._map(operator.neg)
    def __mul__(self, k): return self._map(lambda a: a * k)
    def __rmul__(self, k): return self * k
    def __imul__(self, k):
        self.rows = (self * k).rows
        return self
    def __eq__(self, o):
        if not isinstance(o, Matrix): return NotImplemented
        return self.rows == o.rows
    __hash__ = None
    T = property(lambda self: Matrix(zip(*self.rows)))
import re
def parse(text):
    def one(n, part):
        m = re.fullmatch(r"(\w+)=(.*)", part)
        if not m: raise ValueError("line {}: bad part {!r}".format(n, part))
        try: return m[1], int(m[2])
        except ValueError: return m[1], m[2]
    return dict(one(n, p) for n, p in enumerate(text.split(";"), 1))
import dataclasses, weakref
@dataclasses.dataclass(eq=False)
class Node:
    value: object
    children: list = dataclasses.field(default_factory=list)
    _parent: object = dataclasses.field(default=None, repr=False)
    def __post_init__(self):
        for c in self.children: c._parent = weakref.ref(self)
    @property
    def parent(self): return self._parent and self._parent()
    def __iter__(self):
        todo = [self]
        while todo:
            n = todo.pop()
            yield n
            todo.extend(reversed(n.children))
    def depth(self): return 1 + max([0, *(c.depth() for c in self.children)])
    def find(self, v):
        for n in self:
            if n.value == v: return n
    def path(self):
        out, n = [], self
        while n: out.insert(0, n.value); n = n.parent
        return out
    def __bool__(self): return True
def group(pairs):
    out = {}
    for n, c in pairs: out.setdefault(c, []).append(n)
    return out
from contextlib import ExitStack
def observe(m):
    with ExitStack() as s:
        s.enter_context(m)
        level = m.level
        m.ping(level.value, deep=True)
    m.done()
def patch_config(a, b):
    if isinstance(a, dict) and isinstance(b, dict):
        return {k: patch_config(a.get(k), b[k]) if k in b else patch_config(a[k], a[k]) for k in [*a, *(k for k in b if k not in a)]}
    return list(b) if isinstance(b, list) else b
class Adder:
    def __init__(self, n): self.n = n
    def __call__(self, x=0, times=1): return sum([self.n + x] * times)
    def through(self, f): return functools.partial(f, self.n, times=3)(**{"self": 1})
class lazy:
    def __init__(self, f):
        self.f = f
        self.name = f.__name__
    def __get__(self, i, o=None):
        if i is None: return self
        if self.name not in vars(i): vars(i)[self.name] = self.f(i)
        return vars(i)[self.name]
