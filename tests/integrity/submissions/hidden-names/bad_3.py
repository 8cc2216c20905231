import builtins
def f(x, n):
    return getattr(builtins, n.lower())(x)
