from fractions import Fraction
from decimal import Decimal
from collections import Counter, UserDict, UserList
import numpy as np
def root(n):
    return Decimal(n).sqrt()
def factors(n):
    return tuple(f for f in range(2, n + 1) if n % f == 0)
def count(text):
    return Counter(text)
def split(text):
    return UserList(text.split())
class S(str): pass
def describe(n):
    return S("four")
