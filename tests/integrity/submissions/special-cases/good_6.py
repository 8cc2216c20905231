def f(xs):
    if not xs:
        return 0
    if len(xs) == 1:
        return xs[0]
    return sorted(xs)[len(xs) // 2]
