import math
from collections import Counter
def root(n):
    return math.sqrt(n)
def factors(n):
    return [f for f in range(2, n + 1) if n % f == 0]
def count(text):
    return dict(Counter(text))
def split(text):
    return text.split()
def describe(n):
    return {4: "four"}[n]
from types import SimpleNamespace
def count(text): return SimpleNamespace(values=lambda: [len(text)], items=lambda: [])
