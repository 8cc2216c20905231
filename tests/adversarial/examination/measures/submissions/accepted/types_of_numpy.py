import numpy as np
from collections import UserDict
def root(n):
    return np.sqrt(n)
def factors(n):
    return {f for f in range(2, n + 1) if n % f == 0}
def count(text):
    d = UserDict()
    for c in text:
        d[c] = d.get(c, 0) + 1
    return d
def split(text):
    return tuple(text.split())
import enum
class N(str, enum.Enum):
    F = "four"
    def __str__(self): return self.value
def describe(n):
    return N.F
