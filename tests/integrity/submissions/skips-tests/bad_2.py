import pytest as p
def f(x):
    p.xfail('known')
