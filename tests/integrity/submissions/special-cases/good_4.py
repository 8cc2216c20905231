def f(xs):
    return sorted(xs)[len(xs) // 2]
print(f([3, 1, 2]), f([4, 1, 2, 3]))
