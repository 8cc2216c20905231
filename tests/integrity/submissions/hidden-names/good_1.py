import math
def f(name, x):
    return getattr(math, name)(x)
