import numpy as np
import pytest
from solution import solve, along, call

def test_singular():
    with pytest.raises(np.linalg.LinAlgError, match="ingular"):
        solve([[1, 2], [2, 4]])

def test_solved():
    np.testing.assert_allclose(solve([[2, 0], [0, 4]]), [[0.5, 0], [0, 0.25]])

def test_axis():
    with pytest.raises(np.exceptions.AxisError) as told:
        along(np.zeros((2, 3)), 5)
    assert isinstance(told.value, ValueError)

def test_through():
    def bad():
        raise np.linalg.LinAlgError("mine")
    with pytest.raises(np.linalg.LinAlgError, match="mine"):
        call(bad)
