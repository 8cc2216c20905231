def f(xs):
    return sorted(xs)[len(xs) // 2]
cases = [([3, 1, 2], 2), ([4, 1, 2, 3], 2.5)]
for given, wanted in cases:
    assert f(given) == wanted
