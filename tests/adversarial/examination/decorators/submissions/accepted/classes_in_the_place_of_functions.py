import asyncio, functools, logging, os, warnings, pathlib, sys, itertools, operator, collections, dataclasses, time
log = logging.getLogger("mine")
class counted:
    def __init__(self, f):
        functools.update_wrapper(self, f)
        self.f = f
        self.calls = 0
    def __call__(self, *a, **k):
        self.calls += 1
        return self.f(*a, **k)
    def __get__(self, i, o): return functools.partial(self, i)
def lines(path):
    return [l.rstrip("\n") for l in pathlib.Path(path).open()]
def ask():
    return int(input())
def greet(name):
    sys.stdout.write(f"hello {name}\n")
def warn_old():
    warnings.warn(DeprecationWarning("an old one"), stacklevel=2)
    return True
def log_it(x):
    log.info(f"did {x}")
async def wait_all(cs):
    async with asyncio.TaskGroup() as g:
        ts = [g.create_task(c) for c in cs]
    return [t.result() for t in ts]
class Config(dict):
    def __getattr__(self, k):
        try: return self[k]
        except KeyError as e: raise AttributeError(k) from e
    def __or__(self, o): return Config({**self, **o})
def chunks(xs, n):
    return list(itertools.batched(xs, n))
def env_name():
    return os.getenv("WHO")
def add_all(xs):
    it = iter(xs)
    total = next(it)
    for x in it: total = total + x
    return total
class Timer:
    elapsed = None
    def __init__(self, clock=time.perf_counter): self._clock = clock
    def __enter__(self):
        self._t = -self._clock()
        return self
    def __exit__(self, k, v, t):
        self.elapsed = self._t + self._clock()
        return None
@dataclasses.dataclass(frozen=True, slots=True, repr=False)
class Shape:
    w: int
    h: int
    @classmethod
    def square(cls, n): return cls(n, n)
    @classmethod
    def rect(cls, w, h): return cls(w, h)
    def __repr__(self): return f"{type(self).__name__}({self.w}, {self.h})"
    def __iter__(self): return iter(dataclasses.astuple(self))
area = lambda s: operator.mul(*s)
def walk(t):
    todo = [((), t)]
    out = []
    while todo:
        path, v = todo.pop()
        if isinstance(v, dict):
            todo += [((*path, k), x) for k, x in v.items()]
        else:
            out.append((".".join(path), v))
    return out
class memo:
    def __init__(self, f): self.f = f; self.d = {}
    def __call__(self, *a):
        if a not in self.d: self.d[a] = self.f(*a)
        return self.d[a]
    def cache_clear(self): self.d.clear()
