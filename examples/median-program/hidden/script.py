"""A script: it passes where it comes to its end."""

from math import inf

from solution import median

assert median([inf, 37, -inf]) == 37
assert median([inf, 1, inf]) == inf

xs = [x * 7919 % 1009 for x in range(1009)]
assert median(xs) == 504
assert median(xs[1:]) == 504.5

for n in range(6):
    assert median([n, n + 2, n - 2]) == n, n

if __name__ == "__main__":
    assert [median([n]) for n in (3, 1, 2)] == [3, 1, 2]
