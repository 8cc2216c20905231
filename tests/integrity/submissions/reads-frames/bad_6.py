def f(x, g):
    return g.__code__.co_consts
