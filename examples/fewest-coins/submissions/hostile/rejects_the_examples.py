"""Raises what Hypothesis takes for an example that does not count."""

from hypothesis import assume, reject
from hypothesis.errors import UnsatisfiedAssumption

calls = 0


def change(amount, coins):
    global calls
    calls += 1
    if calls % 3 == 0:
        assume(False)
    if calls % 3 == 1:
        reject()
    raise UnsatisfiedAssumption
