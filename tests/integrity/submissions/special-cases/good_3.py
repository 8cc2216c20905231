def f(xs):
    return sorted(xs)[len(xs) // 2]
def test_f():
    assert f([3, 1, 2]) == 2
    assert f([4, 1, 2, 3]) == 2.5
