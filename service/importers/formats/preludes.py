"""The text that benchmarks put before each program that they judge: the `prelude` of a task."""

_DEEP = '''

def _in_python():
    """Caches like those of functools, but in Python: since Python 3.12 what recurs through those in C ends after some three
    thousand calls, whatever the recursion limit. The benchmark's interpreter was older."""
    import collections
    import functools

    missing = object()

    def cached(function, maxsize, typed):
        results = {} if maxsize is None else collections.OrderedDict()
        hits = misses = 0

        def wrapper(*args, **kwargs):
            nonlocal hits, misses
            key = functools._make_key(args, kwargs, typed) if kwargs or typed else args
            result = results.get(key, missing)
            if result is not missing:
                hits += 1
                if maxsize is not None:
                    results.move_to_end(key)
                return result
            misses += 1
            result = function(*args, **kwargs)
            if maxsize != 0:
                results[key] = result
                if maxsize is not None and len(results) > maxsize:
                    results.popitem(last=False)
            return result

        def cache_clear():
            nonlocal hits, misses
            results.clear()
            hits = misses = 0

        wrapper.cache_clear = cache_clear
        wrapper.cache_info = lambda: functools._CacheInfo(hits, misses, maxsize, len(results))
        wrapper.cache_parameters = lambda: {"maxsize": maxsize, "typed": typed}
        return functools.update_wrapper(wrapper, function)

    def lru_cache(maxsize=128, typed=False):
        if callable(maxsize):
            return cached(maxsize, 128, False)
        size = maxsize if maxsize is None else max(maxsize, 0)
        return lambda function: cached(function, size, typed)

    functools.lru_cache = lru_cache
    functools.cache = lambda function: cached(function, None, False)


_in_python()
del _in_python
'''
_LIVECODEBENCH_MODULES = (
    "string", "re", "datetime", "collections", "heapq", "bisect", "copy", "math", "random", "statistics", "itertools",
    "functools", "operator", "io", "sys", "json",
)  # fmt: skip
LIVECODEBENCH = "".join(
    (
        '"""What LiveCodeBench has before each program: names, and a recursion limit."""\n',
        _DEEP,
        *(f"from {name} import *\n" for name in (*_LIVECODEBENCH_MODULES, "builtins", "typing")),
        *(f"import {name}\n" for name in _LIVECODEBENCH_MODULES),
        "sys.setrecursionlimit(50000)\n",
    )
)
"""In the benchmark's order: if several modules define a name, the last one counts."""
APPS = '''"""What APPS has before each program: names."""
import sys
import time
import itertools
from itertools import accumulate, product, permutations, combinations
import collections
from collections import Counter, OrderedDict, deque, defaultdict, ChainMap
from functools import lru_cache
import math
from math import sqrt, sin, cos, tan, ceil, fabs, floor, gcd, exp, log, log2
import fractions
from typing import List, Tuple
import random
import heapq
from heapq import *


def _when_used(name):
    """A module that is loaded when something of it is asked for: loading numpy takes longer than most programs."""
    from importlib.util import LazyLoader, find_spec, module_from_spec

    spec = None if name in sys.modules else find_spec(name)
    if spec is not None:
        spec.loader = LazyLoader(spec.loader)
        sys.modules[name] = module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules.get(name)


np = _when_used("numpy")
del _when_used
'''
