"""Sorts by looking for the permutation that is sorted: n! of them."""

from itertools import pairwise, permutations


def median(xs):
    for s in permutations(xs):
        if all(a <= b for a, b in pairwise(s)):
            n = len(s)
            return s[n // 2] if n % 2 else (s[n // 2 - 1] + s[n // 2]) / 2
