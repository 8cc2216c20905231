import unittest.mock as m
def f(x):
    return m.MagicMock()
