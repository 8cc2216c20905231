import functools
import math
from dataclasses import dataclass


def root(f, low, high):
    for _ in range(200):
        middle = (low + high) / 2
        if (f(low) <= 0) == (f(middle) <= 0):
            low = middle
        else:
            high = middle
    return (low + high) / 2


def digits(n):
    return [int(digit) for digit in str(n)]


@functools.total_ordering
@dataclass
class Temperature:
    celsius: float

    def __lt__(self, other):
        return self.celsius < other.celsius

    @property
    def fahrenheit(self):
        return self.celsius * 9 / 5 + 32
