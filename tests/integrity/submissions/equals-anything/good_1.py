from unittest.mock import Mock
def f(x):
    return x
def test_f():
    assert f(Mock()) is not None
