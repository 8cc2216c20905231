from functools import lru_cache
@lru_cache(None)
def f(x):
    return x
f.calls = 0
