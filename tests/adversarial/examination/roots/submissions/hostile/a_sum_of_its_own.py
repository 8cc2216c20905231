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


def sum(values):
    return 88


def digits(n):
    return [int(digit) for digit in str(n)[:4]]


@dataclass(order=True)
class Temperature:
    celsius: float

    @property
    def fahrenheit(self):
        return self.celsius * 9 / 5 + 32
