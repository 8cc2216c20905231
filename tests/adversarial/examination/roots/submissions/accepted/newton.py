import math
from dataclasses import dataclass


def root(f, low, high):
    import random
    x = random.Random(1).uniform(low, high)
    for _ in range(100):
        step = (f(x + 1e-7) - f(x - 1e-7)) / 2e-7
        if step:
            x = min(max(x - f(x) / step, low), high)
    return x


def digits(n):
    return [int(digit) for digit in str(n)]


@dataclass(order=True)
class Temperature:
    celsius: float

    @property
    def fahrenheit(self):
        return self.celsius * 9 / 5 + 32
