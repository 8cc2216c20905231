import pytest
def f(x):
    return x
def test_f():
    assert f(1) == 1
if __name__ == '__main__':
    pytest.main([__file__])
