import pytest
from solution import Poly, evaluate

def test_eval():
    p = Poly([1, 2, 3])
    assert p(2) == 17
    assert p(0) == 1

def test_add():
    assert (Poly([1]) + Poly([0, 1])) == Poly([1, 1])

def test_str():
    assert str(Poly([1, 2])) == "1 + 2x"
    assert f"{Poly([3])}" == "3"

def test_int():
    assert int(Poly([4])) == 4
    with pytest.raises(ValueError):
        int(Poly([4, 1]))

def test_index():
    p = Poly([5, 6, 7])
    assert p[1] == 6
    assert list(p) == [5, 6, 7]
    assert len(p) == 3
    assert p[-1] == 7
    assert p[0:2] == [5, 6]

def test_bool():
    assert not Poly([])
    assert Poly([1])

def test_hash():
    assert len({Poly([1]), Poly([1]), Poly([2])}) == 2

def test_evaluate():
    assert evaluate([1, 2], 3) == 7
    assert round(evaluate([0.1, 0.2], 1), 6) == 0.3
