import math
import pytest
from solution import root, factors, count, split, describe

@pytest.mark.parametrize("n", [2, 10, 50])
def test_root(n):
    r = root(n)
    assert math.floor(r) ** 2 <= n <= math.ceil(r) ** 2

@pytest.mark.parametrize("n", [2, 12, 97])
def test_factors(n):
    fs = factors(n)
    assert fs
    for f in fs:
        assert n % f == 0
    if not fs:
        pytest.fail("none")

@pytest.mark.parametrize("text", ["a", "abca"])
def test_count(text):
    c = count(text)
    assert sum(c.values()) == len(text)
    for k, v in c.items():
        assert text.count(k) == v

@pytest.mark.parametrize("text", ["a b", "abc d e"])
def test_split(text):
    parts = split(text)
    assert len(parts) == text.count(" ") + 1
    assert " ".join(parts) == text
    assert all(" " not in p for p in parts)

def test_describe():
    d = describe(4)
    assert str(d) == "four"
    assert d in ("four", "vier")
    assert len(d) == 4
