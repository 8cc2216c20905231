import os
def f(x):
    return os.path.join('a', x)
